//! Griffin-Lim on a whole spectrogram: the reference for the streaming inverter.

use super::InversionError;
use super::magnitude::sanitised;
use super::units::{RandomUnits, unit_or};
use crate::spectrum::{Complex32, Stft};

/// Sound whose magnitudes come near `magnitudes` (row-major, `frame_count × bins`): Griffin & Lim 1984,
/// with `momentum` above 0 the fast variant of Perraudin, Balazs & Søndergaard 2013 (0.99 is their
/// choice). Starts from random phases addressed by `seed`. Mono; not real-time safe.
///
/// Returns `fft_size + (frame_count − 1)·hop_size` samples, none for no frames.
///
/// # Errors
/// [`InversionError::Shape`] if the values are no whole number of frames, and
/// [`InversionError::Momentum`] outside 0 to 1.
///
/// ```
/// use weft_core::inversion::{griffin_lim, spectral_convergence_db};
/// use weft_core::spectrum::Stft;
///
/// let stft = Stft::new(256, 64)?;
/// let chirp: Vec<f32> = (0..4_096).map(|i| (1e-4 * (i * i) as f32).sin()).collect();
/// let magnitudes: Vec<f32> = stft.analyse(&chirp).iter().map(|z| z.norm()).collect();
///
/// let random = griffin_lim(&stft, &magnitudes, 0, 0.99, 1)?;
/// let refined = griffin_lim(&stft, &magnitudes, 50, 0.99, 1)?;
/// let [random_db, refined_db] =
///     [random, refined].map(|sound| spectral_convergence_db(&stft, &magnitudes, &sound));
/// assert!(refined_db < random_db - 10.0, "{refined_db} dB from {random_db} dB");
/// # Ok::<(), weft_core::inversion::InversionError>(())
/// ```
pub fn griffin_lim(
    stft: &Stft,
    magnitudes: &[f32],
    iterations: usize,
    momentum: f32,
    seed: u64,
) -> Result<Vec<f32>, InversionError> {
    let bins = stft.bins();
    if !magnitudes.len().is_multiple_of(bins) {
        return Err(InversionError::Shape {
            values: magnitudes.len(),
            bins,
        });
    }
    if !(0.0..=1.0).contains(&momentum) {
        return Err(InversionError::Momentum { momentum });
    }
    let magnitudes: Vec<f32> = magnitudes.iter().map(|&a| sanitised(a)).collect();
    let mut phase: Vec<Complex32> = (0..magnitudes.len())
        .map(|i| RandomUnits::of_frame((i / bins) as i64, seed).at((i % bins) as u32))
        .collect();
    let with_phase = |phase: &[Complex32]| {
        magnitudes
            .iter()
            .zip(phase)
            .map(|(&a, &u)| u * a)
            .collect::<Vec<_>>()
    };
    let mut before: Option<Vec<Complex32>> = None;
    for _ in 0..iterations {
        let consistent = stft.analyse(&stft.synthesise(&with_phase(&phase)));
        for (i, (u, &c)) in phase.iter_mut().zip(&consistent).enumerate() {
            let last = before.as_ref().map_or(c, |before| before[i]);
            *u = unit_or(c + (c - last) * momentum, *u);
        }
        before = Some(consistent);
    }
    Ok(stft.synthesise(&with_phase(&phase)))
}

/// Spectral convergence of `signal` against target `magnitudes` (row-major, `frame_count × bins`) in
/// dB: `20·log10(‖|STFT(signal)| − A‖ / ‖A‖)` over all frames that both have; lower is better,
/// negative infinity is a perfect match, 0 that of silence.
pub fn spectral_convergence_db(stft: &Stft, magnitudes: &[f32], signal: &[f32]) -> f64 {
    let (mut error, mut power) = (0.0f64, 0.0f64);
    for (&a, c) in magnitudes.iter().zip(&stft.analyse(signal)) {
        error += (f64::from(c.norm()) - f64::from(a)).powi(2);
        power += f64::from(a).powi(2);
    }
    if error == 0.0 {
        f64::NEG_INFINITY
    } else {
        10.0 * (error / power).log10()
    }
}
