//! Distance of autocorrelations over time: rhythm.

use std::ops::Range;
use std::sync::Arc;

use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::Loss;
use crate::numeric::threads::Threads;

/// How far the autocorrelations over time of all features are from a reference's, as a part of the
/// reference's: `Σ (A − Ã)² / Σ Ã²` over some lags and all features (Antognini, Hoffman & Weiss 2019, eqs. 5
/// and 6; they look at lags of 0.2 to 2 s). `A[τ]` is `Σ x[t] · x[t + τ]` over the frames, divided by their number.
///
/// Not a number if the reference has no two sounding frames so far apart.
///
/// # Examples
/// ```
/// use weft_core::texture::loss::{AutocorrelationLoss, Loss};
///
/// // A beat every four frames, and one every five.
/// let beat = |period: usize| -> Vec<f32> {
///     (0..100).map(|t| if t % period == 0 { 1.0 } else { 0.0 }).collect()
/// };
/// let loss = AutocorrelationLoss::new(&beat(4), 1, 2..20, 1);
/// assert_eq!(loss.forward(&beat(4)).0, 0.0);
/// assert!(loss.forward(&beat(5)).0 > 0.5);
/// ```
#[derive(Clone, Debug)]
pub struct AutocorrelationLoss {
    features: usize,
    /// Lags that count, in frames.
    lags: Range<usize>,
    /// Of every feature, the reference's autocorrelation at the lags that it holds.
    reference: Vec<Vec<f64>>,
    threads: Threads,
}

/// What an [`AutocorrelationLoss`] keeps for its backward pass.
#[derive(Clone, Debug)]
pub struct Autocorrelations {
    /// Of every feature, the synthesis's autocorrelation at the lags that it holds.
    synthesis: Vec<Vec<f64>>,
    /// The reference's energy at the lags that both hold.
    energy: f64,
}

impl AutocorrelationLoss {
    /// Against `reference`, rows of `features` values, at these lags in frames, on so many threads (0 for one
    /// per core).
    pub fn new(reference: &[f32], features: usize, lags: Range<usize>, threads: usize) -> Self {
        let mut loss = Self {
            features,
            lags,
            reference: Vec::new(),
            threads: Threads::new(threads),
        };
        loss.reference = loss.autocorrelations(reference);
        loss
    }

    /// Of every feature, the autocorrelation at the lags that `rows` hold.
    fn autocorrelations(&self, rows: &[f32]) -> Vec<Vec<f64>> {
        let transforms = Transforms::new(rows.len() / self.features);
        self.threads.map(self.features, |feature| {
            transforms.autocorrelation(rows, self.features, feature, &self.lags)
        })
    }
}

impl Loss for AutocorrelationLoss {
    type Kept = Autocorrelations;

    fn forward(&self, synthesis: &[f32]) -> (f64, Self::Kept) {
        let synthesis = self.autocorrelations(synthesis);
        let sums = self.reference.iter().zip(&synthesis).map(|(a, b)| {
            let pairs = a.iter().zip(b);
            let error: f64 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
            // Of the reference, too, only the lags that both have.
            let energy: f64 = a.iter().take(b.len()).map(|a| a * a).sum();
            (error, energy)
        });
        let (error, energy) = sums.fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
        (error / energy, Autocorrelations { synthesis, energy })
    }

    fn backward(&self, synthesis: &[f32], kept: &Self::Kept, weight: f32, gradient: &mut [f32]) {
        let transforms = Transforms::new(synthesis.len() / self.features);
        let scale = 2.0 * f64::from(weight) / kept.energy;
        let by_features = self.threads.map(self.features, |feature| {
            let pairs = kept.synthesis[feature].iter().zip(&self.reference[feature]);
            let by_lags: Vec<f64> = pairs.map(|(a, b)| scale * (a - b)).collect();
            transforms.backward(synthesis, self.features, feature, &self.lags, &by_lags)
        });
        for (feature, by_feature) in by_features.into_iter().enumerate() {
            let column = gradient.iter_mut().skip(feature).step_by(self.features);
            for (d, x) in column.zip(by_feature) {
                *d += x as f32;
            }
        }
    }
}

/// The transforms over the time of so many frames.
struct Transforms {
    frames: usize,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
}

impl Transforms {
    fn new(frames: usize) -> Self {
        let mut planner = RealFftPlanner::new();
        Self {
            frames,
            // Twice the length keeps the end from being correlated with the beginning.
            forward: planner.plan_fft_forward(2 * frames),
            inverse: planner.plan_fft_inverse(2 * frames),
        }
    }

    fn transform(&self, padded: &mut [f64]) -> Vec<Complex64> {
        let mut spectrum = self.forward.make_output_vec();
        self.forward
            .process(padded, &mut spectrum)
            .expect("planned lengths");
        spectrum
    }

    /// One feature over time, with as many zeros behind it.
    fn padded(&self, rows: &[f32], features: usize, feature: usize) -> Vec<f64> {
        let mut padded = self.forward.make_input_vec();
        for (x, frame) in padded.iter_mut().zip(rows.chunks_exact(features)) {
            *x = f64::from(frame[feature]);
        }
        padded
    }

    /// The autocorrelation of one feature at those `lags` that there are, divided by the number of frames.
    fn autocorrelation(
        &self,
        rows: &[f32],
        features: usize,
        feature: usize,
        lags: &Range<usize>,
    ) -> Vec<f64> {
        let mut padded = self.padded(rows, features, feature);
        let mut spectrum = self.transform(&mut padded);
        for z in &mut spectrum {
            *z = (z.norm_sqr() / (2 * self.frames * self.frames) as f64).into();
        }
        self.inverse
            .process(&mut spectrum, &mut padded)
            .expect("planned lengths");
        padded.truncate(lags.end.min(self.frames - 1));
        padded.split_off(lags.start.min(padded.len()))
    }

    /// Gradient of [`autocorrelation`](Self::autocorrelation) by the feature's frames:
    /// `Σ d[τ] · (x[t + τ] + x[t − τ])` over the lags, divided by the number of frames.
    fn backward(
        &self,
        rows: &[f32],
        features: usize,
        feature: usize,
        lags: &Range<usize>,
        by_lags: &[f64],
    ) -> Vec<f64> {
        let mut padded = self.padded(rows, features, feature);
        let mut even = self.forward.make_input_vec();
        for (lag, d) in lags.clone().zip(by_lags) {
            even[lag] += d;
            even[(2 * self.frames - lag) % (2 * self.frames)] += d;
        }
        let by_lags = self.transform(&mut even);
        let mut spectrum = self.transform(&mut padded);
        for (z, d) in spectrum.iter_mut().zip(by_lags) {
            // The transform of an even sequence is real.
            *z *= d.re / (2 * self.frames * self.frames) as f64;
        }
        self.inverse
            .process(&mut spectrum, &mut padded)
            .expect("planned lengths");
        padded.truncate(self.frames);
        padded
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{gradient_error, random};
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let features = 3;
        let loss = AutocorrelationLoss::new(&random(1, 60 * features, 1.0), features, 5..40, 2);
        // As long as the reference, shorter than the longest lag, and longer.
        for rows in [60, 25, 100] {
            let error = gradient_error(&loss, &random(2, rows * features, 1.0), 1e-2);
            println!("autocorrelation loss, {rows} rows: {error:.1e}");
            assert!(error < 1e-3, "{error}");
        }
    }

    #[test]
    fn an_autocorrelation_is_a_sum_of_products() {
        let x = random(3, 30, 1.0);
        let found = &AutocorrelationLoss::new(&x, 1, 4..9, 1).reference[0];
        for (lag, found) in (4..9).zip(found) {
            let products = x.iter().zip(&x[lag..]);
            let sum: f64 = products.map(|(a, b)| f64::from(a * b)).sum();
            assert!((found - sum / 30.0).abs() < 1e-6);
        }
    }
}
