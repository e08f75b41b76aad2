//! Moves the weights: all matrices by Muon, everything else by Adam.

use candle_core::{DType, Result, Tensor};
use weft_core::fit::{ADAM, MUON};
use weft_core::network::HIDDEN;

use super::kernels::{Argument, Grid, Kernels, unset};
use super::machine::Machine;
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
    machine: Machine,
}

impl Optimizer {
    /// One that has moved nothing yet.
    pub fn new(parameters: &Parameters, machine: &Machine) -> Result<Self> {
        let device = &machine.device;
        let shares: Vec<f32> = parameters.places().counts();
        let shares: Vec<f32> = shares.iter().map(|count| 1.0 / count).collect();
        Ok(Self {
            // Each its own: kernels write to them.
            momentum: parameters.matrices().zeros_like()?,
            first: parameters.vectors().zeros_like()?,
            second: parameters.vectors().zeros_like()?,
            shares: Tensor::from_vec(shares.clone(), (shares.len(), 1, 1), device)?,
            unit: Tensor::eye(HIDDEN, DType::F32, device)?.unsqueeze(0)?,
            step: 0,
            machine: machine.clone(),
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
        if let Some(kernels) = self.machine.kernels.clone() {
            self.adam_with(&kernels, parameters.vectors(), gradients.vectors(), rate)?;
            return self.muon_with(&kernels, parameters.matrices(), gradients.matrices(), rate);
        }
        let matrices = (parameters.matrices() - self.muon(gradients.matrices(), rate)?)?;
        let vectors = (parameters.vectors() - self.adam(gradients.vectors(), rate)?)?;
        parameters.renew(matrices, vectors);
        Ok(())
    }

    /// What the moments are divided by: they began as zeros.
    fn moment_scales(&self) -> [f32; 2] {
        [ADAM.beta_1, ADAM.beta_2].map(|beta| 1.0 / (1.0 - beta.powi(self.step)))
    }

    /// [`adam`](Self::adam) in one kernel, which moves the weights where they lie.
    fn adam_with(
        &self,
        kernels: &Kernels,
        weights: &Tensor,
        gradient: &Tensor,
        rate: f32,
    ) -> Result<()> {
        let count = weights.elem_count();
        let [first_scale, second_scale] = self.moment_scales();
        let tensors = [weights, gradient, &self.first, &self.second].map(Argument::Tensor);
        let numbers = [
            ADAM.beta_1,
            ADAM.beta_2,
            ADAM.epsilon,
            first_scale,
            second_scale,
            rate,
        ];
        let numbers = numbers.map(Argument::Float);
        let arguments = [&tensors[..], &numbers, &[Argument::Int(count)]].concat();
        kernels.launch("adam", Grid::each(count), &arguments)
    }

    /// [`muon`](Self::muon) with kernels between its products, the last of which moves the weights where they lie.
    fn muon_with(
        &self,
        kernels: &Kernels,
        weights: &Tensor,
        gradient: &Tensor,
        rate: f32,
    ) -> Result<()> {
        let (matrices, rows, side) = weights.dims3()?;
        let (size, count) = (rows * side, weights.elem_count());
        let new = |shape: (usize, usize, usize)| unset(shape, DType::F32, &self.machine.device);
        let energies_of = |x: &Tensor| -> Result<Tensor> {
            let energies = unset(matrices, DType::F32, &self.machine.device)?;
            let arguments = [
                Argument::Tensor(x),
                Argument::Int(size),
                Argument::Tensor(&energies),
            ];
            kernels.launch("energy", Grid::blocks(matrices), &arguments)?;
            Ok(energies)
        };
        let ahead = new((matrices, rows, side))?;
        let arguments = [
            Argument::Tensor(gradient),
            Argument::Tensor(&self.momentum),
            Argument::Float(MUON.momentum),
            Argument::Int(count),
            Argument::Tensor(&ahead),
        ];
        kernels.launch("momentum", Grid::each(count), &arguments)?;
        let energies = energies_of(&ahead)?;
        let gram = ahead.transpose(1, 2)?.matmul(&ahead)?;
        let total = new((matrices, side, side))?;
        let [a, b, c] = MUON.quintic.map(Argument::Float);
        let arguments = [
            Argument::Tensor(&gram),
            Argument::Tensor(&energies),
            a,
            b,
            c,
            Argument::Int(MUON.rounds),
            Argument::Tensor(&total),
        ];
        kernels.launch("even_out", Grid::of_sides(matrices, side), &arguments)?;
        let even = ahead.matmul(&total)?;
        let energies = energies_of(&even)?;
        let arguments = [
            Argument::Tensor(weights),
            Argument::Tensor(&even),
            Argument::Tensor(&energies),
            Argument::Tensor(&self.shares),
            Argument::Float(rate * MUON.change_rms),
            Argument::Int(size),
            Argument::Int(count),
        ];
        kernels.launch("move_matrices", Grid::each(count), &arguments)
    }

    fn adam(&mut self, gradient: &Tensor, rate: f32) -> Result<Tensor> {
        let [first_scale, second_scale] = self.moment_scales();
        self.first = decayed(&self.first, gradient, ADAM.beta_1)?;
        self.second = decayed(&self.second, &gradient.sqr()?, ADAM.beta_2)?;
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
