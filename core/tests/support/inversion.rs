//! Signals, their magnitudes, and a stream of them through an inverter.

use weft_core::inversion::{InversionSettings, StreamingInverter, TargetFrame, pan_index};
use weft_core::spectrum::{Complex32, Stft};

use super::random::Random;

/// Sample rate in Hz.
pub const RATE: f32 = 16_000.0;

/// Samples in a frame.
pub const FFT: usize = 512;

/// Samples from frame to frame.
pub const HOP: usize = 128;

/// White noise in -1 to 1 from a seed.
pub fn noise(seed: u64, length: usize) -> Vec<f32> {
    // Neighbouring seeds far from each other, and none of them zero.
    let mut random = Random::new(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) | 1);
    (0..length).map(|_| 2.0 * random.unit() - 1.0).collect()
}

/// A sine of amplitude 1 that starts at phase zero.
pub fn sine(frequency: f32, length: usize) -> Vec<f32> {
    (0..length)
        .map(|i| (std::f64::consts::TAU * f64::from(frequency / RATE) * i as f64).sin() as f32)
        .collect()
}

/// One-pole low pass.
pub fn low_passed(signal: &[f32], coefficient: f32) -> Vec<f32> {
    let mut y = 0.0;
    signal
        .iter()
        .map(|&x| {
            y += coefficient * (x - y);
            y
        })
        .collect()
}

/// A little of everything: a bed of dark noise, decaying tones, crackle.
pub fn texture(seed: u64, length: usize) -> Vec<f32> {
    let mut signal: Vec<f32> = low_passed(&noise(seed, length), 0.2)
        .iter()
        .map(|x| 0.2 * x)
        .collect();
    let dice = noise(seed + 1, 64);
    for (event, pair) in dice.chunks_exact(2).enumerate() {
        let start = ((pair[0] * 0.5 + 0.5) * length as f32) as usize;
        let frequency = 300.0 + 1500.0 * (pair[1] + 1.0);
        for (i, x) in signal[start..].iter_mut().take(4000).enumerate() {
            let t = i as f32 / RATE;
            *x += if event % 2 == 0 {
                0.3 * (-t * 25.0).exp() * (std::f32::consts::TAU * frequency * t).sin()
            } else if i < 3 {
                0.8
            } else {
                0.0
            };
        }
    }
    signal
}

/// The transform of [`FFT`] and [`HOP`].
pub fn stft() -> Stft {
    Stft::new(FFT, HOP).unwrap()
}

/// With a frame of silence at either end, so that every sample is covered alike.
pub fn padded(signal: &[f32]) -> Vec<f32> {
    let mut padded = vec![0.0; FFT];
    padded.extend_from_slice(signal);
    padded.resize((signal.len() + 2 * FFT).next_multiple_of(HOP), 0.0);
    padded
}

/// Of every bin.
pub fn magnitudes(spectra: &[Complex32]) -> Vec<f32> {
    spectra.iter().map(|z| z.norm()).collect()
}

/// Mid, side and pan of every frame, row-major.
pub type Target = (Vec<f32>, Option<(Vec<f32>, Vec<f32>)>);

/// What a mono inversion of `signal` is given.
pub fn mono_target(signal: &[f32]) -> Target {
    (magnitudes(&stft().analyse(signal)), None)
}

/// What a stereo inversion of two channels is given.
pub fn stereo_target(left: &[f32], right: &[f32]) -> Target {
    let mid: Vec<f32> = left.iter().zip(right).map(|(l, r)| 0.5 * (l + r)).collect();
    let side: Vec<f32> = left.iter().zip(right).map(|(l, r)| 0.5 * (l - r)).collect();
    let (m, s) = (stft().analyse(&mid), stft().analyse(&side));
    let pan = m.iter().zip(&s).map(|(&m, &s)| pan_index(m, s)).collect();
    (magnitudes(&m), Some((magnitudes(&s), pan)))
}

/// Pushes all frames and enough silence after them; sample i of the result is sample i of the signal.
pub fn stream(inverter: &mut StreamingInverter, target: &Target) -> (Vec<f32>, Vec<f32>) {
    let bins = inverter.bins();
    let hop = inverter.settings().hop_size;
    let frames = target.0.len() / bins;
    let flush = inverter.settings().fft_size / hop - 1 + inverter.latency_frames();
    let (mut mid, mut side) = (Vec::new(), Vec::new());
    let (mut out_mid, mut out_side) = (vec![0.0; hop], vec![0.0; hop]);
    let silence = vec![0.0; bins];
    for t in 0..frames + flush {
        let row = |values: &'_ [f32]| -> Vec<f32> {
            values
                .get(t * bins..(t + 1) * bins)
                .unwrap_or(&silence)
                .to_vec()
        };
        let target_mid = row(&target.0);
        let side_pan = target.1.as_ref().map(|(s, p)| (row(s), row(p)));
        let side_pan = side_pan.as_ref().map(|(s, p)| (&s[..], &p[..]));
        let frame = TargetFrame {
            index: t as i64,
            mid: &target_mid,
            side_pan,
        };
        inverter.push_frame(frame, &mut out_mid, &mut out_side);
        if t < inverter.latency_frames() {
            assert!(
                out_mid.iter().chain(&out_side).all(|&x| x == 0.0),
                "sound before frame 0"
            );
        } else {
            mid.extend_from_slice(&out_mid);
            side.extend_from_slice(&out_side);
        }
    }
    (mid, side)
}

/// The settings of a voice in Eco, in mono.
pub fn eco() -> InversionSettings {
    InversionSettings::eco(FFT, HOP)
}

/// The settings of a voice in High, in mono.
pub fn high() -> InversionSettings {
    InversionSettings::high(FFT, HOP)
}

/// An inverter in Eco.
pub fn mono_inverter() -> StreamingInverter {
    StreamingInverter::new(eco()).unwrap()
}

/// The same in stereo.
pub fn stereo_inverter() -> StreamingInverter {
    StreamingInverter::new(eco().in_stereo()).unwrap()
}

/// Sum of squares.
pub fn energy(signal: &[f32]) -> f64 {
    signal.iter().map(|&x| f64::from(x).powi(2)).sum()
}

/// A ratio of energies in dB.
pub fn db(ratio: f64) -> f64 {
    10.0 * ratio.log10()
}
