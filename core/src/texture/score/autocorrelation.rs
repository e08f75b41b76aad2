//! Distance of the autocorrelations of spectrograms.

use std::ops::Range;

use realfft::RealFftPlanner;

use super::spectrogram::{BINS, FRAME_RATE};
use crate::numeric::threads::Threads;

/// Lags that count, in frames: from 0.2 s, below which the Gram matrices see as much, to 2 s.
const LAGS: Range<usize> = FRAME_RATE / 5..2 * FRAME_RATE;

/// How far the autocorrelations over time of all bins of two spectrograms (`frames × BINS` each) are apart at
/// lags of 0.2 to 2 s, as a part of the reference's: `Σ (A − A')² / Σ A²` (Antognini, Hoffman & Weiss 2019,
/// the autocorrelation term and Table I). It hears rhythm.
///
/// Not a number if the reference has no two sounding frames so far apart.
pub fn distance(reference: &[f32], synthesis: &[f32], threads: Threads) -> f64 {
    let (a, b) = (
        Autocorrelation::new(reference),
        Autocorrelation::new(synthesis),
    );
    let sums = threads.map(BINS, |bin| {
        let (a, b) = (a.of_bin(bin), b.of_bin(bin));
        let pairs = a.iter().zip(&b);
        let error: f64 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
        // Of the reference, too, only the lags that both have.
        let energy: f64 = a.iter().take(b.len()).map(|a| a * a).sum();
        (error, energy)
    });
    let (error, energy) = sums
        .iter()
        .fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    error / energy
}

/// A spectrogram and the transforms over its time.
struct Autocorrelation<'a> {
    log: &'a [f32],
    frames: usize,
    forward: std::sync::Arc<dyn realfft::RealToComplex<f64>>,
    inverse: std::sync::Arc<dyn realfft::ComplexToReal<f64>>,
}

impl<'a> Autocorrelation<'a> {
    fn new(log: &'a [f32]) -> Self {
        let frames = log.len() / BINS;
        let mut planner = RealFftPlanner::new();
        Self {
            log,
            frames,
            // Twice the length keeps the end from being correlated with the beginning.
            forward: planner.plan_fft_forward(2 * frames),
            inverse: planner.plan_fft_inverse(2 * frames),
        }
    }

    /// The lags of [`LAGS`] that the spectrogram holds, divided by its length.
    fn of_bin(&self, bin: usize) -> Vec<f64> {
        let mut padded = self.forward.make_input_vec();
        for (x, frame) in padded.iter_mut().zip(self.log.chunks_exact(BINS)) {
            *x = f64::from(frame[bin]);
        }
        let mut spectrum = self.forward.make_output_vec();
        self.forward
            .process(&mut padded, &mut spectrum)
            .expect("planned lengths");
        for z in &mut spectrum {
            *z = (z.norm_sqr() / (2 * self.frames * self.frames) as f64).into();
        }
        self.inverse
            .process(&mut spectrum, &mut padded)
            .expect("planned lengths");
        padded.truncate(LAGS.end.min(self.frames - 1));
        padded.split_off(LAGS.start.min(padded.len()))
    }
}
