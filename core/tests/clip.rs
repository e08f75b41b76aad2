//! Clips: resampling, checking, mixing, trimming and writing.

mod support;

use std::f64::consts::TAU;

use weft_core::clip::{Clip, ClipError, SampleFormat, WavStream};

use support::clips::{max_difference, sine, two_sines};
use support::sound_files::wav_bytes;

const SAMPLE_RATE: u32 = 48_000;

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
    let good = two_sines(SAMPLE_RATE, SAMPLE_RATE as usize);
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

    let long = two_sines(8_000, 8_000);
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
    let error = two_sines(44_100, 100).resampled(300_000).unwrap_err();
    assert!(error.to_string().contains("300000"));
}

/// A little-endian number of `size` bytes.
fn number(bytes: &[u8], at: usize, size: usize) -> usize {
    let bytes = bytes[at..at + size].iter().rev();
    bytes.fold(0, |number, &byte| 256 * number + usize::from(byte))
}

#[test]
fn wav_files_have_the_form_that_most_programs_read() {
    // Tag and header length for one and two channels; odd lengths, so that chunks have to be made even.
    for (format, tag, header) in [
        (SampleFormat::Int16, 1, 44),
        (SampleFormat::Int24, 1, 44),
        (SampleFormat::Float32, 3, 58),
    ] {
        let sample_bytes = usize::from(format.bits() / 8);
        for channels in 1..=8 {
            for frames in [0, 1, 1_001] {
                let what = format!("{format:?}, {channels} channels, {frames} frames");
                let clip = Clip::new(44_100, vec![vec![0.5; frames]; channels]).unwrap();
                let bytes = wav_bytes(&clip, format);
                let data = frames * channels * sample_bytes;
                assert_eq!(&bytes[..4], b"RIFF", "{what}");
                assert_eq!(number(&bytes, 4, 4), bytes.len() - 8, "{what}");
                assert_eq!(&bytes[8..16], b"WAVEfmt ", "{what}");
                let found = number(&bytes, 20, 2);
                assert_eq!(found, if channels > 2 { 0xfffe } else { tag }, "{what}");
                let header = if channels > 2 {
                    bytes.len() - data - data % 2
                } else {
                    header
                };
                assert_eq!(bytes.len(), header + data + data % 2, "{what}");
                assert_eq!(&bytes[header - 8..header - 4], b"data", "{what}");
                assert_eq!(number(&bytes, header - 4, 4), data, "{what}");
                assert_eq!(number(&bytes, 22, 2), channels, "{what}");
                assert_eq!(number(&bytes, 24, 4), 44_100, "{what}");
                let frame_bytes = channels * sample_bytes;
                assert_eq!(number(&bytes, 28, 4), 44_100 * frame_bytes, "{what}");
                assert_eq!(number(&bytes, 32, 2), frame_bytes, "{what}");
                // A reader of somebody else's agrees.
                let reader = hound::WavReader::new(&bytes[..]).unwrap();
                assert_eq!(reader.duration() as usize, frames, "{what}");
                assert_eq!(usize::from(reader.spec().channels), channels, "{what}");
                assert_eq!(reader.spec().bits_per_sample, format.bits(), "{what}");
            }
        }
    }
}

#[test]
fn sixteen_bits_are_dithered_into_a_steady_noise() {
    const STEP: f64 = 1.0 / 32_768.0;
    // From silence to a loud tone; the second lies under one step.
    for level in [0.0, 0.4 * STEP as f32, 1e-3, 0.9] {
        let sound = |frequency| {
            let tone = sine(SAMPLE_RATE, frequency, 96_000);
            tone.iter().map(|x| 2.0 * level * x).collect::<Vec<f32>>()
        };
        let clip = Clip::new(SAMPLE_RATE, vec![sound(440.0), sound(1_000.0)]).unwrap();
        let bytes = wav_bytes(&clip, SampleFormat::Int16);
        assert!(bytes == wav_bytes(&clip, SampleFormat::Int16));
        let read = Clip::read_bytes(&bytes, None).unwrap();
        let error = |channel: usize| -> Vec<f64> {
            let both = read.channels()[channel]
                .iter()
                .zip(&clip.channels()[channel]);
            both.map(|(read, sound)| f64::from(read - sound) / STEP)
                .collect()
        };
        let product = |a: &[f64], b: &[f64]| {
            a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / a.len() as f64
        };
        let errors = [error(0), error(1)];
        for (error, sound) in errors.iter().zip(clip.channels()) {
            // Triangular dither and rounding: three times a twelfth of a step squared, whatever the sound.
            let power = product(error, error);
            assert!((power - 0.25).abs() < 0.01, "{level}: {power}");
            let mean = error.iter().sum::<f64>() / error.len() as f64;
            assert!(mean.abs() < 0.01, "{level}: {mean}");
            let sound: Vec<f64> = sound.iter().map(|&x| f64::from(x)).collect();
            let likeness = product(error, &sound) / (power * product(&sound, &sound)).sqrt();
            assert!(level == 0.0 || likeness.abs() < 0.02, "{level}: {likeness}");
        }
        let likeness = product(&errors[0], &errors[1]) / 0.25;
        assert!(likeness.abs() < 0.02, "{level}: {likeness}");
    }

    let loud = Clip::new(SAMPLE_RATE, vec![vec![1.5, -1.5, f32::INFINITY]]).unwrap();
    let read = Clip::read_bytes(&wav_bytes(&loud, SampleFormat::Int16), None).unwrap();
    let top = 32_767.0 / 32_768.0;
    assert_eq!(read.channels()[0], [top, -1.0, top]);
}

#[test]
fn a_stream_that_cannot_go_back_has_the_bytes_of_the_file() {
    let clip = two_sines(SAMPLE_RATE, 1_001).to_mono();
    for format in [
        SampleFormat::Int16,
        SampleFormat::Int24,
        SampleFormat::Float32,
    ] {
        let mut bytes = Vec::new();
        let name = "a pipe".as_ref();
        let mut stream = WavStream::new(&mut bytes, name, SAMPLE_RATE, 1, format, 1_001).unwrap();
        for block in clip.channels()[0].chunks(77) {
            stream.write(&[block]).unwrap();
        }
        stream.finish().unwrap();
        assert!(bytes == wav_bytes(&clip, format), "{format:?}");
        let error = WavStream::new(&mut bytes, name, SAMPLE_RATE, 1, format, 1 << 32);
        let error = error.err().unwrap();
        assert!(matches!(error, ClipError::TooLongForWav { .. }), "{error}");
    }
}
