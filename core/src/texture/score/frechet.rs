//! Fréchet distance between short stretches of mel spectrograms.

use super::spectrogram::MEL_BANDS;
use crate::numeric::eigen::eigen;
use crate::numeric::moments::ColumnMoments;

/// Frames in a stretch: 80 ms.
const CONTEXT_FRAMES: usize = 8;
/// Values in a stretch.
const WIDTH: usize = CONTEXT_FRAMES * MEL_BANDS;
/// Principal components of the reference that stretches are compared in.
const DIMENSIONS: usize = 32;

/// The Fréchet distance between Gaussians through the 80 ms stretches of two log mel spectrograms (`frames
/// × MEL_BANDS` each, of at least two stretches), in the reference's first 32 principal components and
/// divided by their number: `(‖μ − μ'‖² + tr(Σ + Σ' − 2 √(ΣΣ'))) / 32`. This is the Fréchet audio distance
/// of Kilgour et al. (2019) with mel bands in place of a trained network's embedding.
///
/// Not a number if the reference never changes.
pub fn distance(reference: &[f64], synthesis: &[f64]) -> f64 {
    let (mean, covariance) = moments(stretches(reference), WIDTH);
    let components = eigen(covariance, WIDTH);
    let components = &components[..components.len().min(DIMENSIONS)];
    let size = components.len();
    if size == 0 {
        return f64::NAN;
    }
    let projections: Vec<f64> = stretches(synthesis)
        .flat_map(|stretch| {
            let mean = &mean;
            components.iter().map(move |component| {
                let centred = stretch.iter().zip(mean).map(|(x, m)| x - m);
                centred.zip(&component.vector).map(|(x, v)| x * v).sum()
            })
        })
        .collect();
    let (offset, covariance) = moments(projections.chunks_exact(size), size);
    // In its own components the reference has no offset, and a covariance that is the diagonal of the
    // eigenvalues; tr √(ΣΣ') is then the sum of the roots of the eigenvalues of √Σ Σ' √Σ.
    let product = (0..size * size)
        .map(|at| {
            let (i, j) = (at / size, at % size);
            covariance[at] * (components[i].value * components[j].value).sqrt()
        })
        .collect();
    let cross: f64 = eigen(product, size).iter().map(|e| e.value.sqrt()).sum();
    let offset: f64 = offset.iter().map(|x| x * x).sum();
    let spread: f64 = components
        .iter()
        .enumerate()
        .map(|(i, component)| component.value + covariance[i * size + i])
        .sum();
    // Rounding must not make the distance of a sound to itself negative.
    (offset + spread - 2.0 * cross).max(0.0) / DIMENSIONS as f64
}

/// All stretches of [`CONTEXT_FRAMES`] consecutive frames.
fn stretches(log_mel: &[f64]) -> impl Iterator<Item = &[f64]> + Clone {
    log_mel.windows(WIDTH).step_by(MEL_BANDS)
}

/// Mean and covariance (`size × size`, unbiased) of two or more rows of `size` values.
fn moments<'a>(rows: impl Iterator<Item = &'a [f64]> + Clone, size: usize) -> (Vec<f64>, Vec<f64>) {
    let mut columns = ColumnMoments::new(size);
    for row in rows.clone() {
        columns.add(row.iter().copied());
    }
    let mean = columns.means();
    let others = columns.count() as f64 - 1.0;
    let mut covariance = vec![0.0; size * size];
    let mut centred = vec![0.0; size];
    for row in rows {
        for ((centred, x), mean) in centred.iter_mut().zip(row).zip(&mean) {
            *centred = x - mean;
        }
        for (i, sums) in covariance.chunks_exact_mut(size).enumerate() {
            let scale = centred[i] / others;
            // The other half is the same.
            for (sum, x) in sums[i..].iter_mut().zip(&centred[i..]) {
                *sum += scale * x;
            }
        }
    }
    for i in 0..size {
        for j in 0..i {
            covariance[i * size + j] = covariance[j * size + i];
        }
    }
    (mean, covariance)
}
