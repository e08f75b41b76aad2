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
