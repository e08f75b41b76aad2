//! Moves the weights: matrices by Muon, everything else by Adam.

use crate::fit::moves::{ADAM, MUON};
use crate::network::{Tensor, TensorName, Weights};
use crate::numeric::linalg::{View, add, multiply};
use crate::numeric::threads::Threads;

/// What the optimizer remembers of one tensor.
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
        let memory = |(name, tensor): (TensorName, &Tensor)| {
            let zeros = vec![0.0; tensor.data().len()];
            match *tensor.shape() {
                // The table is a list of learned vectors, not a map between spaces.
                [_, .., columns] if name != TensorName::Table => Memory::Muon {
                    momentum: zeros,
                    columns,
                },
                _ => Memory::Adam {
                    first: zeros.clone(),
                    second: zeros,
                },
            }
        };
        Self {
            memories: weights.names().zip(weights.tensors()).map(memory).collect(),
            step: 0,
        }
    }

    /// Moves the weights against the sum of the `gradients`, one for each part of a step. The result does
    /// not depend on the number of threads.
    pub fn step(
        &mut self,
        weights: &mut Weights,
        gradients: &[&Weights],
        rate: f32,
        threads: Threads,
    ) {
        self.step += 1;
        let step = self.step;
        let gradients: Vec<Vec<&Tensor>> =
            gradients.iter().map(|g| g.tensors().collect()).collect();
        let tensors = weights.tensors_mut().zip(&mut self.memories);
        let mut work: Vec<_> = tensors.enumerate().collect();
        threads.for_each(&mut work, |(i, (tensor, memory))| {
            let gradient = sum(gradients.iter().map(|g| g[*i].data()));
            let weights = tensor.data_mut();
            match memory {
                Memory::Adam { first, second } => {
                    adam(weights, &gradient, first, second, step, rate);
                }
                Memory::Muon { momentum, columns } => {
                    let direction = orthogonalized(&nesterov(&gradient, momentum), *columns);
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
        add(&mut out, part);
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
    let first_scale = 1.0 / (1.0 - ADAM.beta_1.powi(step));
    let second_scale = 1.0 / (1.0 - ADAM.beta_2.powi(step));
    let moments = first.iter_mut().zip(second);
    for ((w, g), (m, v)) in weights.iter_mut().zip(gradient).zip(moments) {
        *m = ADAM.beta_1 * *m + (1.0 - ADAM.beta_1) * g;
        *v = ADAM.beta_2 * *v + (1.0 - ADAM.beta_2) * g * g;
        *w -= rate * *m * first_scale / ((*v * second_scale).sqrt() + ADAM.epsilon);
    }
}

/// The momentum with this gradient, and a step ahead (Nesterov).
fn nesterov(gradient: &[f32], momentum: &mut [f32]) -> Vec<f32> {
    let both = momentum.iter_mut().zip(gradient);
    both.map(|(m, g)| {
        *m = MUON.momentum * *m + (1.0 - MUON.momentum) * g;
        MUON.momentum * *m + (1.0 - MUON.momentum) * g
    })
    .collect()
}

/// `x` (with so many columns) with its singular values evened out, as large as a step's change at rate 1:
/// every direction of a matrix learns equally fast, however small its gradient is.
///
/// Newton & Schulz iterate a polynomial in the Gram matrix of `x`; so only that is iterated, as wide as the
/// smaller side of `x`.
fn orthogonalized(x: &[f32], columns: usize) -> Vec<f32> {
    let rows = x.len() / columns;
    let side = rows.min(columns);
    let view = View::new(x, rows, columns);
    let energy = x.iter().map(|v| v * v).sum::<f32>() + f32::MIN_POSITIVE;
    let mut gram = vec![0.0; side * side];
    if rows >= columns {
        multiply(&mut gram, view.transposed(), view, false);
    } else {
        multiply(&mut gram, view, view.transposed(), false);
    }
    for g in &mut gram {
        *g /= energy;
    }
    let product = |a: &[f32], b: &[f32]| {
        let mut out = vec![0.0; side * side];
        let [a, b] = [a, b].map(|m| View::new(m, side, side));
        multiply(&mut out, a, b, false);
        out
    };
    let [a, b, c] = MUON.quintic;
    let mut total = vec![0.0; side * side];
    for diagonal in total.iter_mut().step_by(side + 1) {
        *diagonal = 1.0 / energy.sqrt();
    }
    for round in 0..MUON.rounds {
        let mut polynomial = product(&gram, &gram);
        for (p, g) in polynomial.iter_mut().zip(&gram) {
            *p = c * *p + b * g;
        }
        for diagonal in polynomial.iter_mut().step_by(side + 1) {
            *diagonal += a;
        }
        if round + 1 < MUON.rounds {
            gram = product(&product(&gram, &polynomial), &polynomial);
        }
        total = product(&total, &polynomial);
    }
    let even = View::new(&total, side, side);
    let mut out = vec![0.0; x.len()];
    if rows >= columns {
        multiply(&mut out, view, even, false);
    } else {
        multiply(&mut out, even, view, false);
    }
    let mean_square = out.iter().map(|v| v * v).sum::<f32>() / out.len() as f32;
    let scale = MUON.change_rms / (mean_square + f32::MIN_POSITIVE).sqrt();
    for v in &mut out {
        *v *= scale;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::random::Sequence;

    #[test]
    fn orthogonalized_matrices_have_singular_values_of_about_one() {
        let mut random = Sequence::new(1, 0);
        for (rows, columns) in [(90, 16), (16, 90), (16, 16)] {
            // Rows that shrink: uneven singular values.
            let x: Vec<f32> = (0..rows * columns)
                .map(|i| random.gaussian() * (-0.02 * (i / columns) as f32).exp() * 1e-3)
                .collect();
            let y = orthogonalized(&x, columns);
            let unit = ((rows.max(columns) as f32).sqrt() * MUON.change_rms).powi(2);
            let side = rows.min(columns);
            let view = View::new(&y, rows, columns);
            let mut gram = vec![0.0; side * side];
            if rows >= columns {
                multiply(&mut gram, view.transposed(), view, false);
            } else {
                multiply(&mut gram, view, view.transposed(), false);
            }
            // All singular values are about the same: the largest, by power iteration, is no more than a
            // little over what all would be.
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
            assert!(norm < 1.8 * unit, "{rows}×{columns}: {norm} against {unit}");
        }
        assert!(orthogonalized(&[0.0; 12], 3).iter().all(|x| *x == 0.0));
    }
}
