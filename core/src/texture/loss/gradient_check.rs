//! A loss's gradient against central differences.

use super::Loss;
use crate::numeric::random::Sequence;

/// Numbers of zero mean and this deviation.
pub fn random(seed: u64, length: usize, deviation: f32) -> Vec<f32> {
    let mut source = Sequence::new(seed, 0);
    (0..length).map(|_| source.gaussian() * deviation).collect()
}

/// Largest error of the gradient at `synthesis` along a few random directions, as a part of its slope there
/// and of its mean size; `step` is the length of a move.
pub fn gradient_error(loss: &impl Loss, synthesis: &[f32], step: f64) -> f64 {
    let (_, kept) = loss.forward(synthesis);
    let mut gradient = vec![0.0; synthesis.len()];
    // A weight of a half, twice: it must be added, not written.
    for _ in 0..2 {
        loss.backward(synthesis, &kept, 0.5, &mut gradient);
    }
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    };
    let mean_size = (dot(&gradient, &gradient) / gradient.len() as f64).sqrt();
    let errors = (0..4).map(|seed| {
        let direction = random(100 + seed, synthesis.len(), 1.0);
        let norm = dot(&direction, &direction).sqrt();
        let moved = |by: f64| {
            let moves = synthesis.iter().zip(&direction);
            let moved = moves.map(|(x, d)| x + (f64::from(*d) / norm * by) as f32);
            loss.forward(&moved.collect::<Vec<_>>()).0
        };
        let difference = (moved(step) - moved(-step)) / (2.0 * step);
        let slope = dot(&gradient, &direction) / norm;
        (slope - difference).abs() / (slope.abs() + mean_size)
    });
    errors.fold(0.0, f64::max)
}
