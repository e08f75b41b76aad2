//! Sound files of every kind, whole, damaged and foreign, and how clips are written.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use weft_core::clip::{
    Clip, ClipError, MAX_READ_S, Remark, SampleFormat, SoundFile, WavWriter, check_writable,
};

use support::clips::{max_difference, sine, two_sines};
use support::random::Random;
use support::sound_files::{aiff_bytes, flac_bytes, wav_bytes};

const SAMPLE_RATE: u32 = 48_000;

/// Frames in a block of these FLAC files.
const FLAC_BLOCK_FRAMES: usize = 4_096;

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
    let mut channels = two_sines(SAMPLE_RATE, 10_000).into_channels();
    channels[0][17] = 3.75;
    channels[1][18] = f32::MIN_POSITIVE;
    let clip = Clip::new(SAMPLE_RATE, channels).unwrap();
    let bytes = wav_bytes(&clip, SampleFormat::Float32);
    assert_eq!(Clip::read_bytes(&bytes, Some("wav")).unwrap(), clip);
}

#[test]
fn int24_wav_rounds_and_clips_at_full_scale() {
    let clip = two_sines(44_100, 10_000);
    let read = Clip::read_bytes(&wav_bytes(&clip, SampleFormat::Int24), None).unwrap();
    assert!(max_difference(&clip, &read) <= 0.5 / 8_388_608.0);

    let loud = Clip::new(SAMPLE_RATE, vec![vec![1.5, -1.5, f32::NAN, f32::INFINITY]]).unwrap();
    let read = Clip::read_bytes(&wav_bytes(&loud, SampleFormat::Int24), None).unwrap();
    let top = 8_388_607.0 / 8_388_608.0;
    assert_eq!(read.channels()[0], [top, -1.0, 0.0, top]);
}

#[test]
fn flac_and_aiff_are_read_to_16_bits() {
    let clip = two_sines(44_100, 12 * FLAC_BLOCK_FRAMES);
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
        let clip = two_sines(sample_rate, 2_000);
        let read = Clip::read_bytes(&wav_bytes(&clip, SampleFormat::Float32), None).unwrap();
        assert_eq!(read, clip);
    }
    for sample_rate in [4_000_u32, 384_000] {
        let mut bytes = wav_bytes(&two_sines(SAMPLE_RATE, 2_000), SampleFormat::Float32);
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
fn only_the_start_of_a_long_file_is_decoded_and_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    let most = |rate: u32| MAX_READ_S as usize * rate as usize;
    // The longest that is read is a whole number of a decoder's packets at the second rate, and none at the first.
    for (rate, extra, is_cut) in [
        (8_000, 0, false),
        (8_000, 1, true),
        (8_000, 30 * 8_000, true),
        (48_000, 0, false),
        (48_000, 1, true),
        (48_000, 5_000, true),
    ] {
        let samples = sine(rate, 440.0, most(rate) + extra);
        for format in [SampleFormat::Int16, SampleFormat::Float32] {
            let mut writer = WavWriter::create(&path, rate, 1, format).unwrap();
            writer.write(&[&samples]).unwrap();
            writer.finish().unwrap();
            let file = SoundFile::read(&path).unwrap();
            assert_eq!(file.clip.duration_s(), MAX_READ_S);
            let expected: &[Remark] = if is_cut { &[Remark::Cut] } else { &[] };
            assert_eq!(file.about_file(), expected, "{rate} {extra} {format:?}");
        }
    }
    let said = Remark::Cut.to_string();
    assert!(said.contains("only its first 60 s"), "{said}");
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
    let clip = two_sines(16_000, 16 * FLAC_BLOCK_FRAMES);
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
    let clip = two_sines(16_000, 24 * FLAC_BLOCK_FRAMES);
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
    let clip = two_sines(8_000, 3 * FLAC_BLOCK_FRAMES);
    let mut random = Random::new(0x5eed);
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
                corrupt[random.below(reach)] = random.next() as u8;
            }
            if round % 5 == 0 {
                corrupt.truncate(random.below(bytes.len()));
            }
            match Clip::read_bytes(&corrupt, None) {
                Ok(clip) => assert!(clip.duration_s() <= MAX_READ_S),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}

#[test]
fn a_streamed_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.wav");
    fs::write(&path, "older").unwrap();
    let clip = two_sines(SAMPLE_RATE, 1_000);
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

#[cfg(unix)]
#[test]
fn what_a_killed_process_left_goes_when_the_file_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // The last three are for other files, or nobody's.
    let names = [
        ".a.wav.7-0.part",
        ".a.wav.123456789-12.part",
        ".a.wav.7-1.part",
        ".b.wav.7-0.part",
        ".a.wav.notes.part",
        ".a.wav.7-.part",
    ];
    for name in names {
        fs::write(path(name), "half").unwrap();
    }
    // Somebody is at work on this one.
    let held = fs::File::open(path(names[2])).unwrap();
    held.lock().unwrap();
    let clip = two_sines(SAMPLE_RATE, 1_000);
    let write = || clip.write_wav(&path("a.wav"), SampleFormat::Float32);
    write().unwrap();
    let mut left: Vec<PathBuf> = names[2..].iter().map(|name| path(name)).collect();
    left.push(path("a.wav"));
    left.sort();
    let mut found = entries(folder.path());
    found.sort();
    assert_eq!(found, left);
    // A write that goes on keeps its own, whoever writes the same file meanwhile.
    drop(held);
    let mut slow = WavWriter::create(&path("a.wav"), 8_000, 1, SampleFormat::Int24).unwrap();
    slow.write(&[&[0.5; 100]]).unwrap();
    check_writable(&path("a.wav")).unwrap();
    write().unwrap();
    slow.finish().unwrap();
    let read = Clip::read(&path("a.wav")).unwrap();
    assert_eq!((read.sample_rate(), read.len()), (8_000, 100));
    assert_eq!(entries(folder.path()).len(), 4);
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
