//! How much of a sound is found again, sample for sample, in another.

use std::sync::Arc;

use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::SAMPLE_RATE;
use crate::numeric::random::Sequence;
use crate::numeric::threads::Threads;

/// Snippets that are looked for.
const SNIPPETS: usize = 24;
/// Keep silence from being divided by; far below the norms of what can be heard.
const LEAST_NORM: f64 = 1e-6;
const LEAST_PRODUCT: f64 = 1e-9;

/// The mean, over 24 snippets of `snippet_s` seconds from random places of `source`, of the largest
/// absolute normalised correlation with any stretch of `haystack`: 1 where every snippet is copied from it,
/// whatever its level, and well above 0 also for unrelated sounds of the same spectrum. A silent snippet
/// counts as 0.
///
/// # Panics
/// If either is no longer than a snippet.
pub fn best_correlation(
    haystack: &[f32],
    source: &[f32],
    snippet_s: f64,
    random: &mut Sequence,
    threads: Threads,
) -> f64 {
    let length = (snippet_s * f64::from(SAMPLE_RATE)) as usize;
    assert!(length < haystack.len().min(source.len()));
    let places: Vec<usize> = (0..SNIPPETS)
        .map(|_| random.below(source.len() - length))
        .collect();
    let haystack = Haystack::new(haystack, length);
    let best = threads.map(SNIPPETS, |i| {
        haystack.best_correlation(&source[places[i]..places[i] + length])
    });
    best.iter().sum::<f64>() / SNIPPETS as f64
}

/// A sound in which snippets of one length are looked for.
struct Haystack {
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    spectrum: Vec<Complex64>,
    /// Norms of all stretches as long as a snippet.
    norms: Vec<f64>,
}

impl Haystack {
    /// Takes the sound that is searched for snippets of `length` samples.
    fn new(samples: &[f32], length: usize) -> Self {
        // A circular correlation as long as the haystack wraps only where the snippet would not fit.
        let size = samples.len().next_power_of_two();
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(size);
        Self {
            inverse: planner.plan_fft_inverse(size),
            spectrum: transform(&*forward, samples).0,
            norms: running_norms(samples, length),
            forward,
        }
    }

    /// Largest absolute normalised correlation of `snippet` with any stretch.
    fn best_correlation(&self, snippet: &[f32]) -> f64 {
        let squares = snippet.iter().map(|&x| f64::from(x).powi(2));
        let norm = squares.sum::<f64>().sqrt();
        let (mut product, mut correlation) = transform(&*self.forward, snippet);
        let size = correlation.len() as f64;
        for (z, haystack) in product.iter_mut().zip(&self.spectrum) {
            *z = haystack * z.conj() / size;
        }
        self.inverse
            .process(&mut product, &mut correlation)
            .expect("planned lengths");
        self.norms
            .iter()
            .zip(&correlation)
            .map(|(n, c)| c.abs() / (n * norm + LEAST_PRODUCT))
            .fold(0.0, f64::max)
    }
}

/// Spectrum of samples padded with silence, and a buffer of the transform's length.
fn transform(forward: &dyn RealToComplex<f64>, samples: &[f32]) -> (Vec<Complex64>, Vec<f64>) {
    let mut padded = forward.make_input_vec();
    for (out, &x) in padded.iter_mut().zip(samples) {
        *out = f64::from(x);
    }
    let mut spectrum = forward.make_output_vec();
    forward
        .process(&mut padded, &mut spectrum)
        .expect("planned lengths");
    (spectrum, padded)
}

/// Norms of all stretches of `length` samples.
fn running_norms(samples: &[f32], length: usize) -> Vec<f64> {
    let mut sums = Vec::with_capacity(samples.len() + 1);
    let mut sum = 0.0;
    sums.push(sum);
    for &x in samples {
        sum += f64::from(x).powi(2);
        sums.push(sum);
    }
    let ends = &sums[length..];
    ends.iter()
        .zip(&sums)
        .map(|(end, start)| (end - start).sqrt() + LEAST_NORM)
        .collect()
}
