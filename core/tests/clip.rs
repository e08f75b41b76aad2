//! Reading, writing, resampling and checking of clips.

use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};

use libflac_rs::{Encoder, EncoderConfig};
use weft_core::clip::{Clip, ClipError, MAX_READ_S, SampleFormat, WavWriter, check_writable};

const SAMPLE_RATE: u32 = 48_000;

/// Frames in a block of these FLAC files.
const FLAC_BLOCK_FRAMES: usize = 4_096;

/// A sine of amplitude 0.5 that starts at phase zero.
fn sine(sample_rate: u32, frequency_hz: f64, frames: usize) -> Vec<f32> {
    (0..frames)
        .map(|n| (0.5 * (TAU * frequency_hz * n as f64 / f64::from(sample_rate)).sin()) as f32)
        .collect()
}

fn stereo(sample_rate: u32, frames: usize) -> Clip {
    Clip::new(
        sample_rate,
        vec![
            sine(sample_rate, 440.0, frames),
            sine(sample_rate, 1_250.0, frames),
        ],
    )
    .unwrap()
}

/// Largest difference of two clips of the same shape.
fn max_difference(a: &Clip, b: &Clip) -> f32 {
    assert_eq!(a.channel_count(), b.channel_count());
    assert_eq!(a.len(), b.len());
    a.channels()
        .iter()
        .flatten()
        .zip(b.channels().iter().flatten())
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

/// 16-bit samples, interleaved, as integers.
fn interleaved_i16(clip: &Clip) -> Vec<i32> {
    (0..clip.len())
        .flat_map(|frame| {
            clip.channels()
                .iter()
                .map(move |samples| (samples[frame] * 32_767.0).round() as i32)
        })
        .collect()
}

/// The clip as a 16-bit FLAC file.
fn flac_bytes(clip: &Clip) -> Vec<u8> {
    let config = EncoderConfig::new(clip.channel_count() as u32, 16, clip.sample_rate());
    Encoder::new(config).encode(&interleaved_i16(clip))
}

/// The clip as a 16-bit AIFF file: FORM, COMM with an 80-bit float sample rate, SSND.
fn aiff_bytes(clip: &Clip) -> Vec<u8> {
    let sound: Vec<u8> = interleaved_i16(clip)
        .into_iter()
        .flat_map(|sample| (sample as i16).to_be_bytes())
        .collect();
    let exponent = clip.sample_rate().ilog2();
    let mut comm = Vec::new();
    comm.extend((clip.channel_count() as u16).to_be_bytes());
    comm.extend((clip.len() as u32).to_be_bytes());
    comm.extend(16_u16.to_be_bytes());
    comm.extend((16_383 + exponent as u16).to_be_bytes());
    comm.extend((u64::from(clip.sample_rate()) << (63 - exponent)).to_be_bytes());

    let mut body = b"AIFF".to_vec();
    body.extend(b"COMM");
    body.extend((comm.len() as u32).to_be_bytes());
    body.extend(comm);
    body.extend(b"SSND");
    body.extend((sound.len() as u32 + 8).to_be_bytes());
    body.extend([0; 8]);
    body.extend(sound);

    let mut file = b"FORM".to_vec();
    file.extend((body.len() as u32).to_be_bytes());
    file.extend(body);
    file
}

fn wav_bytes(clip: &Clip, format: SampleFormat) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.wav");
    clip.write_wav(&path, format).unwrap();
    fs::read(path).unwrap()
}

/// Places of `needle` in `bytes`.
fn find(bytes: &[u8], needle: &[u8]) -> usize {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

#[test]
fn float_wav_is_exact() {
    let mut channels = stereo(SAMPLE_RATE, 10_000).into_channels();
    channels[0][17] = 3.75;
    channels[1][18] = f32::MIN_POSITIVE;
    let clip = Clip::new(SAMPLE_RATE, channels).unwrap();
    let bytes = wav_bytes(&clip, SampleFormat::Float32);
    assert_eq!(Clip::read_bytes(&bytes, Some("wav")).unwrap(), clip);
}

#[test]
fn int24_wav_rounds_and_clips_at_full_scale() {
    let clip = stereo(44_100, 10_000);
    let read = Clip::read_bytes(&wav_bytes(&clip, SampleFormat::Int24), None).unwrap();
    assert!(max_difference(&clip, &read) <= 0.5 / 8_388_608.0);

    let loud = Clip::new(SAMPLE_RATE, vec![vec![1.5, -1.5, f32::NAN, f32::INFINITY]]).unwrap();
    let read = Clip::read_bytes(&wav_bytes(&loud, SampleFormat::Int24), None).unwrap();
    let top = 8_388_607.0 / 8_388_608.0;
    assert_eq!(read.channels()[0], [top, -1.0, 0.0, top]);
}

#[test]
fn flac_and_aiff_are_read_to_16_bits() {
    let clip = stereo(44_100, 12 * FLAC_BLOCK_FRAMES);
    for (bytes, extension) in [(flac_bytes(&clip), "flac"), (aiff_bytes(&clip), "aiff")] {
        for hint in [Some(extension), Some("wav"), None] {
            let read = Clip::read_bytes(&bytes, hint).unwrap();
            assert_eq!(read.sample_rate(), 44_100);
            assert!(max_difference(&clip, &read) < 2.0 / 32_768.0, "{extension}");
        }
    }
}

#[test]
fn every_rate_from_8_to_192_khz_is_read_and_others_are_named() {
    for sample_rate in [8_000, 11_025, 22_050, 96_000, 192_000] {
        let clip = stereo(sample_rate, 2_000);
        let read = Clip::read_bytes(&wav_bytes(&clip, SampleFormat::Float32), None).unwrap();
        assert_eq!(read, clip);
    }
    for sample_rate in [4_000_u32, 384_000] {
        let mut bytes = wav_bytes(&stereo(SAMPLE_RATE, 2_000), SampleFormat::Float32);
        let at = find(&bytes, b"fmt ") + 12;
        bytes[at..at + 4].copy_from_slice(&sample_rate.to_le_bytes());
        let error = Clip::read_bytes(&bytes, None).unwrap_err();
        assert!(
            matches!(error, ClipError::SampleRate { sample_rate: rate } if rate == sample_rate)
        );
        assert!(error.to_string().contains(&sample_rate.to_string()));
    }
}

#[test]
fn up_to_eight_channels_are_mixed_to_stereo() {
    for count in 1..=8_usize {
        let channels: Vec<_> = (0..count)
            .map(|channel| sine(SAMPLE_RATE, 300.0 * (channel + 1) as f64, 4_800))
            .collect();
        let clip = Clip::new(SAMPLE_RATE, channels).unwrap();
        let read = Clip::read_bytes(&wav_bytes(&clip, SampleFormat::Float32), None).unwrap();
        assert_eq!(read.channel_count(), count.min(2));
        assert_eq!(read.len(), clip.len());
        assert!(read.rms() > 0.05 && read.peak() <= 0.5, "{count} channels");
    }
}

#[test]
fn a_quadraphonic_file_keeps_its_sides() {
    let impulses: Vec<Vec<f32>> = (0..4)
        .map(|channel| {
            let mut samples = vec![0.0; 100];
            samples[channel] = 0.8;
            samples
        })
        .collect();
    let clip = Clip::new(SAMPLE_RATE, impulses).unwrap();
    let read = Clip::read_bytes(&wav_bytes(&clip, SampleFormat::Float32), None).unwrap();
    assert_eq!(read.channels()[0][..4], [0.4, 0.0, 0.4, 0.0]);
    assert_eq!(read.channels()[1][..4], [0.0, 0.4, 0.0, 0.4]);
}

#[test]
fn only_the_start_of_a_long_file_is_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    let second = sine(8_000, 440.0, 8_000);
    let mut writer = WavWriter::create(&path, 8_000, 1, SampleFormat::Float32).unwrap();
    for _ in 0..MAX_READ_S as usize + 30 {
        writer.write(&[&second]).unwrap();
    }
    writer.finish().unwrap();
    let clip = Clip::read(&path).unwrap();
    assert_eq!(clip.duration_s(), MAX_READ_S);
}

#[test]
fn missing_empty_and_foreign_files_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("empty.wav"), []).unwrap();
    fs::write(path("text.wav"), "This is not audio at all.\n".repeat(500)).unwrap();
    fs::write(path("zeros.flac"), vec![0; 100_000]).unwrap();
    fs::write(path("one.mp3"), [0xff]).unwrap();

    let missing = Clip::read(&path("missing.wav")).unwrap_err();
    assert!(matches!(missing, ClipError::NotFound { .. }));
    assert!(missing.to_string().contains("missing.wav"));
    assert!(matches!(
        Clip::read(folder.path()),
        Err(ClipError::Directory { .. })
    ));
    assert!(matches!(
        Clip::read(&path("empty.wav")),
        Err(ClipError::Empty { .. })
    ));
    for name in ["text.wav", "zeros.flac", "one.mp3"] {
        let error = Clip::read(&path(name)).unwrap_err();
        assert!(
            matches!(error, ClipError::NotAudio { .. }),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(name));
    }
    assert!(matches!(
        Clip::read_bytes(&[], None),
        Err(ClipError::Empty { .. })
    ));
}

#[test]
fn a_truncated_file_yields_what_is_left_or_says_so() {
    let clip = stereo(16_000, 16 * FLAC_BLOCK_FRAMES);
    for bytes in [
        wav_bytes(&clip, SampleFormat::Float32),
        flac_bytes(&clip),
        aiff_bytes(&clip),
    ] {
        let whole = Clip::read_bytes(&bytes, None).unwrap();
        let half = Clip::read_bytes(&bytes[..bytes.len() / 2], None).unwrap();
        assert!(
            (1.5..2.5).contains(&half.duration_s()),
            "{}",
            half.duration_s()
        );
        for (whole, half) in whole.channels().iter().zip(half.channels()) {
            assert!(whole[..half.len()] == half[..]);
        }
        // A tenth is 0.4 s: too short to use, and so at the latest when it is checked.
        let error = Clip::read_bytes(&bytes[..bytes.len() / 10], None)
            .and_then(|clip| clip.check_texture())
            .unwrap_err();
        assert!(
            matches!(
                error,
                ClipError::Damaged { .. } | ClipError::TooShort { .. }
            ),
            "{error}"
        );
    }
}

#[test]
fn the_longest_intact_stretch_of_a_damaged_file_is_kept() {
    let clip = stereo(16_000, 24 * FLAC_BLOCK_FRAMES);
    let mut bytes = flac_bytes(&clip);
    let whole = Clip::read_bytes(&bytes, None).unwrap();
    // A scratch in the first third.
    let at = bytes.len() / 3;
    for byte in &mut bytes[at..at + 200] {
        *byte = 0x55;
    }
    let read = Clip::read_bytes(&bytes, None).unwrap();
    assert!(
        (3.0..6.0).contains(&read.duration_s()),
        "{}",
        read.duration_s()
    );
    let end = whole.len() - read.len();
    assert!(whole.channels()[0][end..] == read.channels()[0][..]);
}

#[test]
fn corrupt_data_gives_an_error_or_a_clip_and_never_panics() {
    let clip = stereo(8_000, 3 * FLAC_BLOCK_FRAMES);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for bytes in [
        wav_bytes(&clip, SampleFormat::Float32),
        wav_bytes(&clip, SampleFormat::Int24),
        flac_bytes(&clip),
        aiff_bytes(&clip),
    ] {
        for round in 0..300 {
            let mut corrupt = bytes.clone();
            // Every other round spoils the header only, where sizes and formats are.
            let reach = if round % 2 == 0 { 64 } else { corrupt.len() };
            for _ in 0..1 + round % 16 {
                corrupt[random() % reach] = random() as u8;
            }
            if round % 5 == 0 {
                corrupt.truncate(random() % bytes.len());
            }
            match Clip::read_bytes(&corrupt, None) {
                Ok(clip) => assert!(clip.duration_s() <= MAX_READ_S),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}

#[test]
fn a_resampled_sine_keeps_frequency_phase_and_level() {
    for (from, to) in [
        (48_000, 44_100),
        (44_100, 48_000),
        (48_000, 16_000),
        (8_000, 192_000),
        (96_000, 44_100),
        (22_050, 47_999),
    ] {
        let frames = from as usize;
        let clip = Clip::new(from, vec![sine(from, 997.0, frames)]).unwrap();
        let resampled = clip.resampled(to).unwrap();
        assert_eq!(resampled.sample_rate(), to);
        assert_eq!(resampled.len(), to as usize);
        let expected = sine(to, 997.0, to as usize);
        // The ends ring, because the sine begins and ends abruptly there.
        let margin = to as usize / 4;
        let worst = (margin..expected.len() - margin)
            .map(|n| (resampled.channels()[0][n] - expected[n]).abs())
            .fold(0.0, f32::max);
        assert!(worst < 1e-5, "{from} to {to} Hz: {worst:e}");
    }
}

#[test]
fn resampling_there_and_back_loses_nothing_in_the_band() {
    // A chirp up to 18 kHz, faded in and out.
    let frames = 2 * SAMPLE_RATE as usize;
    let chirp: Vec<f32> = (0..frames)
        .map(|n| {
            let t = n as f64 / f64::from(SAMPLE_RATE);
            let fade = (TAU * t / 4.0).sin().powi(2);
            (0.5 * fade * (TAU * (100.0 * t + 0.25 * 17_900.0 * t * t)).sin()) as f32
        })
        .collect();
    let clip = Clip::new(SAMPLE_RATE, vec![chirp.clone(), chirp]).unwrap();
    let back = clip
        .resampled(44_100)
        .and_then(|clip| clip.resampled(SAMPLE_RATE))
        .unwrap();
    let error = max_difference(&clip, &back);
    assert!(error < 2e-5, "{error:e}");
}

#[test]
fn resampling_removes_what_the_new_rate_cannot_hold() {
    let clip = Clip::new(SAMPLE_RATE, vec![sine(SAMPLE_RATE, 15_000.0, 48_000)]).unwrap();
    let resampled = clip.resampled(16_000).unwrap().trimmed(0.25, 0.5);
    assert!(resampled.peak() < 1e-5, "{:e}", resampled.peak());
}

#[test]
fn odd_lengths_and_impossible_rates_of_resampling() {
    for frames in [0, 1, 2, 4_095, 4_097] {
        let clip = Clip::new(44_100, vec![vec![0.25; frames]]).unwrap();
        let resampled = clip.resampled(48_000).unwrap();
        assert_eq!(resampled.len(), (frames * 160).div_ceil(147));
    }
    let error = stereo(44_100, 100).resampled(300_000).unwrap_err();
    assert!(error.to_string().contains("300000"));
}

#[test]
fn new_rejects_what_is_no_clip() {
    assert!(matches!(
        Clip::new(SAMPLE_RATE, vec![]),
        Err(ClipError::NoChannels)
    ));
    assert!(matches!(
        Clip::new(SAMPLE_RATE, vec![vec![0.0; 3], vec![0.0; 4]]),
        Err(ClipError::UnequalChannels {
            channel: 2,
            frames: 4,
            expected: 3
        })
    ));
    assert!(matches!(
        Clip::new(7_999, vec![vec![]]),
        Err(ClipError::SampleRate { sample_rate: 7_999 })
    ));
}

#[test]
fn a_capture_must_be_long_finite_and_audible() {
    let good = stereo(SAMPLE_RATE, SAMPLE_RATE as usize);
    good.check_texture().unwrap();

    let short = good.trimmed(0.0, 0.999).check_texture().unwrap_err();
    assert!(matches!(short, ClipError::TooShort { duration_s } if duration_s == 0.999));

    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut channels = good.channels().to_vec();
        channels[0][30_000] = value;
        channels[1][24_000] = value;
        let clip = Clip::new(SAMPLE_RATE, channels).unwrap();
        let read = Clip::read_bytes(&wav_bytes(&clip, SampleFormat::Float32), None).unwrap();
        let error = read.check_texture().unwrap_err();
        assert!(matches!(
            error,
            ClipError::NotFinite { channel: 2, time_s, .. } if time_s == 0.5
        ));
        assert!(
            error.to_string().contains("channel 2 at 0.5000 s"),
            "{error}"
        );
    }

    let scaled = |gain: f32| {
        let channels = good.channels().iter();
        let channels = channels
            .map(|samples| samples.iter().map(|sample| gain * sample).collect())
            .collect();
        Clip::new(SAMPLE_RATE, channels).unwrap().check_texture()
    };
    assert!(matches!(scaled(0.0), Err(ClipError::Silent { .. })));
    assert!(matches!(
        scaled(1e-4),
        Err(ClipError::Silent { peak_dbfs }) if (peak_dbfs + 86.0).abs() < 0.1
    ));
    scaled(1e-3).unwrap();
}

#[test]
fn mixing_and_trimming() {
    let clip = Clip::new(SAMPLE_RATE, vec![vec![1.0, 2.0], vec![3.0, 6.0]]).unwrap();
    assert_eq!(clip.to_mono().channels(), [[2.0, 4.0]]);
    assert_eq!(clip.to_stereo(), clip);
    assert_eq!(clip.to_mono().to_stereo().channels(), [[2.0, 4.0]; 2]);
    let six = Clip::new(8_000, (0..6).map(|c| vec![c as f32]).collect()).unwrap();
    assert_eq!(six.to_stereo().channels(), [[2.0], [3.0]]);

    let long = stereo(8_000, 8_000);
    assert_eq!(long.trimmed(0.25, 0.5).len(), 4_000);
    assert_eq!(
        long.trimmed(0.25, 0.5).channels()[1],
        long.channels()[1][2_000..6_000]
    );
    assert_eq!(long.trimmed(0.75, 100.0).len(), 2_000);
    assert_eq!(long.trimmed(-1.0, f64::INFINITY).len(), 8_000);
    assert!(long.trimmed(2.0, 1.0).is_empty());
    assert!(long.trimmed(f64::NAN, f64::NAN).is_empty());
}

#[test]
fn a_streamed_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.wav");
    fs::write(&path, "older").unwrap();
    let clip = stereo(SAMPLE_RATE, 1_000);
    let blocks = |writer: &mut WavWriter| {
        for (left, right) in clip.channels()[0]
            .chunks(77)
            .zip(clip.channels()[1].chunks(77))
        {
            writer.write(&[left, right]).unwrap();
        }
    };

    let mut writer = WavWriter::create(&path, SAMPLE_RATE, 2, SampleFormat::Float32).unwrap();
    blocks(&mut writer);
    drop(writer);
    assert_eq!(fs::read(&path).unwrap(), b"older");
    assert_eq!(entries(folder.path()).len(), 1);

    let mut writer = WavWriter::create(&path, SAMPLE_RATE, 2, SampleFormat::Float32).unwrap();
    blocks(&mut writer);
    assert_eq!(writer.frames(), 1_000);
    assert!(matches!(
        writer.write(&[&[0.0][..]]),
        Err(ClipError::BlockShape { .. })
    ));
    assert!(matches!(
        writer.write(&[&[0.0][..], &[][..]]),
        Err(ClipError::BlockShape { .. })
    ));
    writer.finish().unwrap();
    assert_eq!(Clip::read(&path).unwrap(), clip);
    assert_eq!(entries(folder.path()).len(), 1);
}

#[test]
fn a_path_that_cannot_be_written_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let create = |path: &Path| WavWriter::create(path, SAMPLE_RATE, 2, SampleFormat::Int24);
    for path in [
        folder.path().to_path_buf(),
        folder.path().join("no such folder").join("out.wav"),
        PathBuf::new(),
        PathBuf::from("/"),
    ] {
        let error = create(&path).err().unwrap();
        assert!(matches!(error, ClipError::Write { .. }), "{error}");
        assert!(check_writable(&path).is_err());
    }
    check_writable(&folder.path().join("new.wav")).unwrap();
    assert!(entries(folder.path()).is_empty());

    let older = folder.path().join("older.wav");
    fs::write(&older, "older").unwrap();
    check_writable(&older).unwrap();
    assert_eq!(fs::read(&older).unwrap(), b"older");
}
