//! Moves the weights: all matrices by Muon, everything else by Adam.

use candle_core::{DType, Result, Tensor};
use weft_core::fit::{ADAM, MUON};
use weft_core::network::HIDDEN;

use super::parameters::Parameters;

/// What the optimizer remembers.
#[derive(Debug)]
pub struct Optimizer {
    /// Momentum of the matrices.
    momentum: Tensor,
    /// First and second moments of the vectors.
    first: Tensor,
    second: Tensor,
    /// One over the number of values of every matrix, and a unit matrix.
    shares: Tensor,
    unit: Tensor,
    step: i32,
}

impl Optimizer {
    /// One that has moved nothing yet.
    pub fn new(parameters: &Parameters) -> Result<Self> {
        let device = parameters.matrices().device();
        let shares: Vec<f32> = parameters.places().counts();
        let shares: Vec<f32> = shares.iter().map(|count| 1.0 / count).collect();
        let zeros = parameters.zeros_like()?;
        Ok(Self {
            momentum: zeros.matrices().clone(),
            first: zeros.vectors().clone(),
            second: zeros.vectors().clone(),
            shares: Tensor::from_vec(shares.clone(), (shares.len(), 1, 1), device)?,
            unit: Tensor::eye(HIDDEN, DType::F32, device)?.unsqueeze(0)?,
            step: 0,
        })
    }

    /// Moves the weights against their gradients.
    pub fn step(
        &mut self,
        parameters: &mut Parameters,
        gradients: &Parameters,
        rate: f32,
    ) -> Result<()> {
        self.step += 1;
        let matrices = (parameters.matrices() - self.muon(gradients.matrices(), rate)?)?;
        let vectors = (parameters.vectors() - self.adam(gradients.vectors(), rate)?)?;
        parameters.renew(matrices, vectors);
        Ok(())
    }

    fn adam(&mut self, gradient: &Tensor, rate: f32) -> Result<Tensor> {
        let [beta_1, beta_2] = [ADAM.beta_1, ADAM.beta_2];
        let first_scale = 1.0 / (1.0 - beta_1.powi(self.step));
        let second_scale = 1.0 / (1.0 - beta_2.powi(self.step));
        self.first = decayed(&self.first, gradient, beta_1)?;
        self.second = decayed(&self.second, &gradient.sqr()?, beta_2)?;
        let deviation = self.second.affine(second_scale.into(), 0.0)?.sqrt()?;
        let direction = (&self.first / deviation.affine(1.0, ADAM.epsilon.into())?)?;
        direction.affine((rate * first_scale).into(), 0.0)
    }

    /// The matrices' move: the momentum, a step ahead, with its singular values evened out. Newton & Schulz iterate a
    /// polynomial in the Gram matrix; so only that is iterated.
    fn muon(&mut self, gradient: &Tensor, rate: f32) -> Result<Tensor> {
        self.momentum = decayed(&self.momentum, gradient, MUON.momentum)?;
        let ahead = decayed(&self.momentum, gradient, MUON.momentum)?;
        let energy = ahead.sqr()?.sum_keepdim((1, 2))?;
        let energy = energy.affine(1.0, f32::MIN_POSITIVE.into())?;
        let gram = ahead.transpose(1, 2)?.matmul(&ahead)?;
        let mut gram = gram.broadcast_div(&energy)?;
        let [a, b, c] = MUON.quintic.map(f64::from);
        let mut total = self.unit.broadcast_div(&energy.sqrt()?)?;
        for round in 0..MUON.rounds {
            let square = gram.matmul(&gram)?;
            let polynomial = (square.affine(c, 0.0)? + gram.affine(b, 0.0)?)?;
            let polynomial = polynomial.broadcast_add(&self.unit.affine(a, 0.0)?)?;
            if round + 1 < MUON.rounds {
                gram = gram.matmul(&polynomial)?.matmul(&polynomial)?;
            }
            total = total.matmul(&polynomial)?;
        }
        let even = ahead.matmul(&total)?;
        let mean_square = even.sqr()?.sum_keepdim((1, 2))?.mul(&self.shares)?;
        let deviation = mean_square.affine(1.0, f32::MIN_POSITIVE.into())?.sqrt()?;
        let scale = deviation
            .recip()?
            .affine((rate * MUON.change_rms).into(), 0.0)?;
        even.broadcast_mul(&scale)
    }
}

/// `decay · old + (1 − decay) · new`.
fn decayed(old: &Tensor, new: &Tensor, decay: f32) -> Result<Tensor> {
    old.affine(decay.into(), 0.0)? + new.affine((1.0 - decay).into(), 0.0)?
}
