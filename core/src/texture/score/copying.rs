//! How much of a sound is found again, sample for sample, in another.

use realfft::RealFftPlanner;

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
    // A circular correlation as long as the haystack wraps only where the snippet would not fit.
    let size = haystack.len().next_power_of_two();
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (
        planner.plan_fft_forward(size),
        planner.plan_fft_inverse(size),
    );
    let transform = |samples: &[f32]| {
        let mut padded = forward.make_input_vec();
        for (out, &x) in padded.iter_mut().zip(samples) {
            *out = f64::from(x);
        }
        let mut spectrum = forward.make_output_vec();
        forward
            .process(&mut padded, &mut spectrum)
            .expect("planned lengths");
        (spectrum, padded)
    };
    let (spectrum, _) = transform(haystack);
    let norms = running_norms(haystack, length);
    let best = threads.map(SNIPPETS, |i| {
        let snippet = &source[places[i]..places[i] + length];
        let norm = snippet
            .iter()
            .map(|&x| f64::from(x).powi(2))
            .sum::<f64>()
            .sqrt();
        let (mut product, mut correlation) = transform(snippet);
        for (z, haystack) in product.iter_mut().zip(&spectrum) {
            *z = haystack * z.conj() / size as f64;
        }
        inverse
            .process(&mut product, &mut correlation)
            .expect("planned lengths");
        norms
            .iter()
            .zip(&correlation)
            .map(|(n, c)| c.abs() / (n * norm + LEAST_PRODUCT))
            .fold(0.0, f64::max)
    });
    best.iter().sum::<f64>() / SNIPPETS as f64
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
