//! Adam (Kingma & Ba 2015, algorithm 1) with a bound on the gradient's norm.

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

pub(super) struct Adam {
    /// First and second moments of every variable.
    moments: Vec<(Vec<f32>, Vec<f32>)>,
    step: i32,
    norm_limit: f64,
}

impl Adam {
    pub fn new(variables: &[Var], norm_limit: f64) -> Self {
        let zeros = |v: &Var| (vec![0.0; v.elem_count()], vec![0.0; v.elem_count()]);
        Self {
            moments: variables.iter().map(zeros).collect(),
            step: 0,
            norm_limit,
        }
    }

    /// Moves `variables` against their gradients.
    pub fn step(&mut self, variables: &[Var], gradients: &GradStore, rate: f32) -> Result<()> {
        self.step += 1;
        let gradient = |v: &Var| match gradients.get(v.as_tensor()) {
            Some(g) => g.flatten_all()?.to_vec1::<f32>(),
            None => Ok(vec![0.0; v.elem_count()]),
        };
        let gradients: Vec<Vec<f32>> = variables.iter().map(gradient).collect::<Result<_>>()?;
        let square = |x: &f32| f64::from(*x) * f64::from(*x);
        let norm = gradients.iter().flatten().map(square).sum::<f64>().sqrt();
        let clip = if norm > self.norm_limit {
            (self.norm_limit / norm) as f32
        } else {
            1.0
        };
        let first_scale = 1.0 / (1.0 - BETA_1.powi(self.step));
        let second_scale = 1.0 / (1.0 - BETA_2.powi(self.step));
        for ((variable, (first, second)), gradient) in
            variables.iter().zip(&mut self.moments).zip(gradients)
        {
            let mut value = variable.flatten_all()?.to_vec1::<f32>()?;
            for i in 0..value.len() {
                let g = gradient[i] * clip;
                first[i] = BETA_1 * first[i] + (1.0 - BETA_1) * g;
                second[i] = BETA_2 * second[i] + (1.0 - BETA_2) * g * g;
                let root = (second[i] * second_scale).sqrt() + EPSILON;
                value[i] -= rate * first[i] * first_scale / root;
            }
            variable.set(&Tensor::from_vec(value, variable.shape(), &Device::Cpu)?)?;
        }
        Ok(())
    }
}
