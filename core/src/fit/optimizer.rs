//! Moves the weights: matrices by Muon, everything else by Adam.

use crate::linalg::{View, multiply};
use crate::network::{Array, Weights};
use crate::parallel::Threads;
use crate::simd::dispatch;

/// Adam (Kingma & Ba 2015, algorithm 1).
const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Momentum of the matrices' gradients. Less than Muon's usual 0.95: fits are a few thousand steps.
const MOMENTUM: f32 = 0.9;
/// Root mean square of a matrix's change at rate 1, which Adam's is comparable with (Liu et al. 2025,
/// "Muon is scalable", section 2.2, has 0.2); twice that converged fastest here.
const CHANGE_RMS: f32 = 0.4;
/// Newton-Schulz iteration with a steep start (Jordan et al. 2024): x ← ax + bx³ + cx⁵ brings every
/// singular value into about 0.7..1.2 within five rounds.
const QUINTIC: [f32; 3] = [3.4445, -4.7750, 2.0315];
const ROUNDS: usize = 5;

/// What the optimizer remembers of one array.
#[derive(Clone, Debug)]
enum Memory {
    /// Momentum of a matrix with so many columns.
    Muon { momentum: Vec<f32>, columns: usize },
    /// First and second moments.
    Adam { first: Vec<f32>, second: Vec<f32> },
}

/// The optimizer's state, between steps.
#[derive(Clone, Debug)]
pub(super) struct Optimizer {
    memories: Vec<Memory>,
    step: i32,
}

impl Optimizer {
    pub fn new(weights: &Weights) -> Self {
        let memory = |array: &Array| {
            let zeros = vec![0.0; array.data.len()];
            match array.shape[..] {
                // The table is a list of learned vectors, not a map between spaces.
                [.., columns] if array.shape.len() > 1 && !array.name.starts_with("table") => {
                    Memory::Muon {
                        momentum: zeros,
                        columns,
                    }
                }
                _ => Memory::Adam {
                    first: zeros.clone(),
                    second: zeros,
                },
            }
        };
        Self {
            memories: weights.arrays.iter().map(memory).collect(),
            step: 0,
        }
    }

    /// Moves the weights against the sum of the `gradients`, one list of arrays for each part of a step.
    /// The result does not depend on the number of threads.
    pub fn step(
        &mut self,
        weights: &mut Weights,
        gradients: &[&[Vec<f32>]],
        rate: f32,
        threads: Threads,
    ) {
        self.step += 1;
        let step = self.step;
        let arrays = weights.arrays.iter_mut().zip(&mut self.memories);
        let mut work: Vec<_> = arrays.enumerate().collect();
        threads.for_each(&mut work, |(i, (array, memory))| {
            let parts = gradients.iter().map(|g| g[*i].as_slice());
            let gradient = sum(parts);
            let weights = &mut array.data;
            match memory {
                Memory::Adam { first, second } => {
                    adam(weights, &gradient, first, second, step, rate);
                }
                Memory::Muon { momentum, columns } => {
                    let direction = muon(&gradient, momentum, *columns);
                    for (w, d) in weights.iter_mut().zip(direction) {
                        *w -= rate * d;
                    }
                }
            }
        });
    }
}

fn sum<'a>(mut parts: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    let mut out = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        for (o, x) in out.iter_mut().zip(part) {
            *o += x;
        }
    }
    out
}

fn adam(
    weights: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    step: i32,
    rate: f32,
) {
    let first_scale = 1.0 / (1.0 - BETA_1.powi(step));
    let second_scale = 1.0 / (1.0 - BETA_2.powi(step));
    let moments = first.iter_mut().zip(second);
    for ((w, g), (m, v)) in weights.iter_mut().zip(gradient).zip(moments) {
        *m = BETA_1 * *m + (1.0 - BETA_1) * g;
        *v = BETA_2 * *v + (1.0 - BETA_2) * g * g;
        *w -= rate * *m * first_scale / ((*v * second_scale).sqrt() + EPSILON);
    }
}

/// Nesterov's momentum, with all singular values brought to about one: every direction of the matrix
/// learns equally fast, however small its gradient is.
fn muon(gradient: &[f32], momentum: &mut [f32], columns: usize) -> Vec<f32> {
    let mut ahead = vec![0.0; gradient.len()];
    for ((a, m), g) in ahead.iter_mut().zip(momentum).zip(gradient) {
        *m = MOMENTUM * *m + (1.0 - MOMENTUM) * g;
        *a = MOMENTUM * *m + (1.0 - MOMENTUM) * g;
    }
    let rows = gradient.len() / columns;
    let scale = CHANGE_RMS * (rows.max(columns) as f32).sqrt();
    orthogonalized(&ahead, rows, columns, scale)
}

/// `x` (`rows × columns`) with its singular values at about `scale`.
///
/// The iteration is a polynomial in the Gram matrix of `x`, so it runs on that: the side of the smaller
/// dimension squared, instead of the whole matrix in every round.
fn orthogonalized(x: &[f32], rows: usize, columns: usize, scale: f32) -> Vec<f32> {
    let tall = rows >= columns;
    let side = rows.min(columns);
    let view = View::new(x, rows, columns);
    let energy: f32 = x.iter().map(|v| v * v).sum();
    let mut gram = vec![0.0; side * side];
    if tall {
        multiply(&mut gram, view.transposed(), view, false);
    } else {
        multiply(&mut gram, view, view.transposed(), false);
    }
    for g in &mut gram {
        *g /= energy + f32::MIN_POSITIVE;
    }
    let product = |a: &[f32], b: &[f32]| {
        let mut out = vec![0.0; side * side];
        multiply(
            &mut out,
            View::new(a, side, side),
            View::new(b, side, side),
            false,
        );
        out
    };
    let [a, b, c] = QUINTIC;
    let mut total: Option<Vec<f32>> = None;
    for round in 0..ROUNDS {
        let mut polynomial = product(&gram, &gram);
        dispatch(
            #[inline(always)]
            || {
                for (p, g) in polynomial.iter_mut().zip(&gram) {
                    *p = c * *p + b * g;
                }
            },
        );
        for diagonal in polynomial.iter_mut().step_by(side + 1) {
            *diagonal += a;
        }
        if round + 1 < ROUNDS {
            gram = product(&product(&gram, &polynomial), &polynomial);
        }
        total = Some(match total {
            Some(total) => product(&total, &polynomial),
            None => polynomial,
        });
    }
    let mut total = total.unwrap_or_default();
    let scale = scale / (energy + f32::MIN_POSITIVE).sqrt();
    for t in &mut total {
        *t *= scale;
    }
    let mut out = vec![0.0; x.len()];
    let total = View::new(&total, side, side);
    if tall {
        multiply(&mut out, view, total, false);
    } else {
        multiply(&mut out, total, view, false);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Sequence;

    #[test]
    fn orthogonalized_matrices_have_singular_values_of_about_one() {
        let mut random = Sequence::new(1, 0);
        for (rows, columns) in [(90, 16), (16, 90), (16, 16)] {
            // Rows that shrink: singular values over three decades.
            let x: Vec<f32> = (0..rows * columns)
                .map(|i| random.gaussian() * (-0.1 * (i / columns) as f32).exp() * 1e-3)
                .collect();
            let y = orthogonalized(&x, rows, columns, 1.0);
            let side = rows.min(columns);
            let view = View::new(&y, rows, columns);
            let mut gram = vec![0.0; side * side];
            if rows >= columns {
                multiply(&mut gram, view.transposed(), view, false);
            } else {
                multiply(&mut gram, view, view.transposed(), false);
            }
            // Squared singular values: their mean, and the largest by power iteration.
            let mean = gram.iter().step_by(side + 1).sum::<f32>() / side as f32;
            assert!((0.6..1.4).contains(&mean), "{rows}×{columns}: {mean}");
            let mut v = vec![1.0f32; side];
            let mut norm = 0.0;
            for _ in 0..50 {
                let mut next = vec![0.0; side];
                multiply(
                    &mut next,
                    View::new(&gram, side, side),
                    View::new(&v, side, 1),
                    false,
                );
                norm = next.iter().map(|x| x * x).sum::<f32>().sqrt();
                v = next.iter().map(|x| x / norm).collect();
            }
            assert!(norm < 1.6, "{rows}×{columns}: {norm}");
        }
        assert!(
            orthogonalized(&[0.0; 12], 4, 3, 1.0)
                .iter()
                .all(|x| *x == 0.0)
        );
    }
}
