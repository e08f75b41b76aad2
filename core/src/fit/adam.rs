//! Adam (Kingma & Ba 2015, algorithm 1) with a bound on the gradient's norm.

use crate::network::Weights;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

pub(super) struct Adam {
    /// First and second moments of every array of weights.
    moments: Vec<(Vec<f32>, Vec<f32>)>,
    step: i32,
    norm_limit: f64,
}

impl Adam {
    pub fn new(weights: &Weights, norm_limit: f64) -> Self {
        let zeros = |length| (vec![0.0; length], vec![0.0; length]);
        let moments = weights.arrays.iter().map(|a| zeros(a.data.len())).collect();
        Self {
            moments,
            step: 0,
            norm_limit,
        }
    }

    /// Moves the weights against their gradients.
    pub fn step(&mut self, weights: &mut Weights, gradients: &[Vec<f32>], rate: f32) {
        self.step += 1;
        let square = |x: &f32| f64::from(*x) * f64::from(*x);
        let norm = gradients.iter().flatten().map(square).sum::<f64>().sqrt();
        let clip = if norm > self.norm_limit {
            (self.norm_limit / norm) as f32
        } else {
            1.0
        };
        let first_scale = 1.0 / (1.0 - BETA_1.powi(self.step));
        let second_scale = 1.0 / (1.0 - BETA_2.powi(self.step));
        for ((array, (first, second)), gradient) in weights
            .arrays
            .iter_mut()
            .zip(&mut self.moments)
            .zip(gradients)
        {
            let moments = first.iter_mut().zip(second.iter_mut());
            for ((w, g), (m, v)) in array.data.iter_mut().zip(gradient).zip(moments) {
                let g = g * clip;
                *m = BETA_1 * *m + (1.0 - BETA_1) * g;
                *v = BETA_2 * *v + (1.0 - BETA_2) * g * g;
                *w -= rate * *m * first_scale / ((*v * second_scale).sqrt() + EPSILON);
            }
        }
    }
}
