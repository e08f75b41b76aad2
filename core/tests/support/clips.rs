//! Clips that tests capture and fit.

use std::f64::consts::TAU;

use weft_core::clip::Clip;
use weft_core::procedural::{Texture, synthesize};

/// Sample rate of the tests that need no other, in Hz: fits are quick here.
pub const RATE: u32 = 16_000;

/// A synthesized texture in stereo at [`RATE`].
pub fn texture(kind: Texture, seed: u64, seconds: f64) -> Clip {
    synthesize(kind, seed, RATE, seconds)
}

/// Rain in stereo at [`RATE`].
pub fn rain(seconds: f64) -> Clip {
    texture(Texture::Rain, 1, seconds)
}

/// The clip with every sample changed.
pub fn map_samples(clip: &Clip, change: impl Fn(f32) -> f32) -> Clip {
    let channels = clip.channels().iter();
    let channels = channels.map(|samples| samples.iter().map(|x| change(*x)).collect());
    Clip::new(clip.sample_rate(), channels.collect()).unwrap()
}

/// Silence in stereo.
pub fn silence(sample_rate: u32, samples: usize) -> Clip {
    Clip::new(sample_rate, vec![vec![0.0; samples]; 2]).unwrap()
}

/// A sine of amplitude 0.5 that starts at phase zero.
pub fn sine(sample_rate: u32, frequency_hz: f64, frames: usize) -> Vec<f32> {
    (0..frames)
        .map(|n| (0.5 * (TAU * frequency_hz * n as f64 / f64::from(sample_rate)).sin()) as f32)
        .collect()
}

/// Two sines, one a channel.
pub fn two_sines(sample_rate: u32, frames: usize) -> Clip {
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
pub fn max_difference(a: &Clip, b: &Clip) -> f32 {
    assert_eq!(a.channel_count(), b.channel_count());
    assert_eq!(a.len(), b.len());
    a.channels()
        .iter()
        .flatten()
        .zip(b.channels().iter().flatten())
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}
