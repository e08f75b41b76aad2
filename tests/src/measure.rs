//! Measures of rendered sound. All take one sample vector a channel.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex32;

/// Largest magnitude; NaN if a sample is NaN.
pub fn peak(channels: &[Vec<f32>]) -> f32 {
    let samples = channels.iter().flatten();
    samples.fold(0.0, |peak, sample| {
        if peak.is_nan() || sample.is_nan() {
            f32::NAN
        } else {
            peak.max(sample.abs())
        }
    })
}

/// Root mean square over all channels; 0 without samples.
pub fn rms(channels: &[Vec<f32>]) -> f64 {
    let count = channels.iter().map(Vec::len).sum::<usize>();
    let power = channels
        .iter()
        .flatten()
        .map(|&sample| f64::from(sample).powi(2))
        .sum::<f64>();
    (power / count.max(1) as f64).sqrt()
}

/// Largest difference of neighbouring samples: a click stands out here.
pub fn largest_step(channels: &[Vec<f32>]) -> f32 {
    channels
        .iter()
        .flat_map(|channel| channel.windows(2))
        .fold(0.0, |step, pair| step.max((pair[1] - pair[0]).abs()))
}

/// 20 log10 of an amplitude.
pub fn db(amplitude: f64) -> f64 {
    20.0 * amplitude.log10()
}

/// FNV-1a hash of the samples' bits: the same for the same sound, bit by bit.
pub fn fingerprint(channels: &[Vec<f32>]) -> u64 {
    let bytes = channels.iter().flatten().flat_map(|x| x.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Amplitude of the tone of `hz` in `samples`, as seen through a Hann window over all of them.
pub fn tone_amplitude(samples: &[f32], sample_rate: f64, hz: f64) -> f64 {
    let length = samples.len().max(1) as f64;
    let (mut re, mut im) = (0.0, 0.0);
    for (i, &sample) in samples.iter().enumerate() {
        let window = 1.0 - (std::f64::consts::TAU * i as f64 / length).cos();
        let angle = std::f64::consts::TAU * hz * i as f64 / sample_rate;
        re += f64::from(sample) * window * angle.cos();
        im += f64::from(sample) * window * angle.sin();
    }
    2.0 * re.hypot(im) / length
}

/// Frequency in Hz of the strongest tone within a semitone of `around_hz`.
pub fn frequency(samples: &[f32], sample_rate: f64, around_hz: f64) -> f64 {
    let strongest = |middle: f64, step: f64| {
        let candidates = (-50..=50).map(|i| middle * (f64::from(i) * step / 1200.0).exp2());
        candidates
            .map(|hz| (tone_amplitude(samples, sample_rate, hz), hz))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map_or(middle, |(_, hz)| hz)
    };
    // To two cents, then to a twentieth of one.
    let coarse = strongest(around_hz, 2.0);
    strongest(coarse, 0.05)
}

/// Largest magnitude of the normalized cross-correlation of `excerpt` with any equally long piece
/// of `recording`: 1 for a (scaled, delayed) copy. Pieces more than 40 dB below the recording's
/// level are passed over, so that rounding noise is not taken for a copy.
///
/// # Panics
/// If `excerpt` is empty or longer than `recording`.
pub fn copy_correlation(excerpt: &[f32], recording: &[f32]) -> f64 {
    assert!(
        (1..=recording.len()).contains(&excerpt.len()),
        "an excerpt of {} samples in a recording of {}",
        excerpt.len(),
        recording.len()
    );
    let fft_size = (recording.len() + excerpt.len()).next_power_of_two();
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (
        planner.plan_fft_forward(fft_size),
        planner.plan_fft_inverse(fft_size),
    );
    let transform = |samples: &[f32]| -> Vec<Complex32> {
        let mut padded = forward.make_input_vec();
        padded[..samples.len()].copy_from_slice(samples);
        let mut spectrum = forward.make_output_vec();
        forward
            .process(&mut padded, &mut spectrum)
            .expect("the buffers have the planned lengths");
        spectrum
    };
    let mut product: Vec<_> = transform(recording)
        .iter()
        .zip(transform(excerpt))
        .map(|(recording, excerpt)| recording * excerpt.conj())
        .collect();
    // A real signal's spectrum is real at its ends; rounding may leave a residue there.
    product[0].im = 0.0;
    if let Some(nyquist) = product.last_mut() {
        nyquist.im = 0.0;
    }
    let mut correlation = inverse.make_output_vec();
    inverse
        .process(&mut product, &mut correlation)
        .expect("the buffers have the planned lengths");

    let energy = |samples: &[f32]| -> f64 {
        samples
            .iter()
            .map(|&sample| f64::from(sample).powi(2))
            .sum()
    };
    let excerpt_energy = energy(excerpt);
    let floor = 1e-4 * energy(recording) * excerpt.len() as f64 / recording.len() as f64;
    let mut window_energy = energy(&recording[..excerpt.len()]);
    let mut largest = 0.0_f64;
    for lag in 0..=recording.len() - excerpt.len() {
        if lag > 0 {
            window_energy += f64::from(recording[lag + excerpt.len() - 1]).powi(2)
                - f64::from(recording[lag - 1]).powi(2);
        }
        if excerpt_energy > 0.0 && window_energy > floor {
            let raw = f64::from(correlation[lag]) / fft_size as f64;
            largest = largest.max(raw.abs() / (excerpt_energy * window_energy).sqrt());
        }
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// White noise from a linear congruential generator (Knuth's MMIX constants).
    fn noise(mut state: u64, length: usize) -> Vec<f32> {
        (0..length)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
            })
            .collect()
    }

    #[test]
    fn a_copy_is_found_and_fresh_noise_is_not() {
        let recording = noise(1, 24_000);
        let copy: Vec<f32> = recording[7_000..9_400].iter().map(|x| -0.3 * x).collect();
        assert!((copy_correlation(&copy, &recording) - 1.0).abs() < 1e-3);
        assert!(copy_correlation(&noise(2, 2_400), &recording) < 0.2);
        assert_eq!(copy_correlation(&vec![0.0; 2_400], &recording), 0.0);
    }

    #[test]
    fn tones_are_found_by_frequency_and_amplitude() {
        let turn = std::f32::consts::TAU * 700.0 / 48_000.0;
        let tone: Vec<f32> = (0..9_600).map(|i| 0.25 * (turn * i as f32).sin()).collect();
        assert!((tone_amplitude(&tone, 48_000.0, 700.0) - 0.25).abs() < 1e-3);
        assert!(tone_amplitude(&tone, 48_000.0, 900.0) < 1e-3);
        let cents = 1200.0 * (frequency(&tone, 48_000.0, 690.0) / 700.0).log2();
        assert!(cents.abs() < 0.1, "{cents}");
    }

    #[test]
    fn fingerprints_tell_sounds_apart() {
        let sound = [vec![0.5, -0.25]];
        assert_eq!(fingerprint(&sound), fingerprint(&sound.clone()));
        assert_ne!(fingerprint(&sound), fingerprint(&[vec![-0.5, -0.25]]));
        assert_eq!(fingerprint(&[]), 0xcbf2_9ce4_8422_2325);
    }

    #[test]
    fn levels_and_steps() {
        let square = vec![vec![0.5, -0.5, 0.5, -0.5], vec![-0.5; 4]];
        assert_eq!(peak(&square), 0.5);
        assert_eq!(rms(&square), 0.5);
        assert_eq!(largest_step(&square), 1.0);
        assert!((db(rms(&square)) + 6.02).abs() < 0.01);
        assert!(peak(&[vec![0.1, f32::NAN, 0.2]]).is_nan());
        assert_eq!((peak(&[]), rms(&[])), (0.0, 0.0));
    }
}
