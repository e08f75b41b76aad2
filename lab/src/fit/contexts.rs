//! The contexts' part in a step: their moments, what is remembered of them, and the gradient.

use std::sync::Arc;

use candle_core::{DType, Result, Tensor};
use weft_core::texture::loss::ContextLoss;

use super::kernels::{Argument, Grid, Kernels, column_sums, unset};
use super::machine::Machine;

/// The moments of a capture's contexts on a device, and those of the last steps.
#[derive(Debug)]
pub struct Contexts {
    stride: usize,
    bands: usize,
    total_variance: f32,
    /// `features × bands`.
    pooling: Tensor,
    /// `taps · bands × components`.
    basis: Tensor,
    mean: Tensor,
    /// The capture's covariance, and what differences from it are multiplied by.
    covariance: Tensor,
    precision: Tensor,
    /// First moments, and second ones about nothing.
    remembered: Option<[Tensor; 2]>,
    kernels: Option<Arc<Kernels>>,
}

impl Contexts {
    pub fn new(loss: &ContextLoss, machine: &Machine) -> Result<Self> {
        let device = &machine.device;
        let (bands, variances) = (loss.bands(), loss.variances());
        let components = variances.len();
        let features = loss.pooling().len() / bands;
        let size = (components, components);
        let pairs = |of: &dyn Fn(usize, usize) -> f32| -> Vec<f32> {
            let rows = (0..components).flat_map(|i| (0..components).map(move |j| (i, j)));
            rows.map(|(i, j)| of(i, j)).collect()
        };
        let covariance = pairs(&|i, j| if i == j { variances[i] } else { 0.0 });
        let precision = pairs(&|i, j| 1.0 / (variances[i] + variances[j] + 2.0 * loss.floor()));
        Ok(Self {
            stride: loss.stride(),
            bands,
            total_variance: loss.total_variance(),
            pooling: Tensor::from_slice(loss.pooling(), (features, bands), device)?,
            basis: Tensor::from_slice(
                loss.basis(),
                (ContextLoss::taps() * bands, components),
                device,
            )?,
            mean: Tensor::from_slice(loss.mean(), (1, components), device)?,
            covariance: Tensor::from_vec(covariance, size, device)?,
            precision: Tensor::from_vec(precision, size, device)?,
            remembered: None,
            kernels: machine.kernels.clone(),
        })
    }

    /// The gradient by the features of a step's stretches (`stretches × frames × features`), times `weight`; none for
    /// stretches that have no contexts.
    pub fn gradient(&mut self, stretches: &Tensor, weight: f32) -> Result<Option<Tensor>> {
        let (count, frames, width) = stretches.dims3()?;
        let (taps, bands) = (ContextLoss::taps(), self.bands);
        let contexts = frames.saturating_sub((taps - 1) * self.stride);
        if contexts == 0 {
            return Ok(None);
        }
        if let Some(kernels) = self.kernels.clone() {
            let by_features = self.with_kernels(&kernels, stretches, contexts, weight)?;
            return Ok(Some(by_features));
        }
        let rows = stretches.reshape((count * frames, width))?;
        let coarse = rows
            .matmul(&self.pooling)?
            .reshape((count, frames, bands))?;
        let windows: Vec<Tensor> = (0..taps)
            .map(|tap| coarse.narrow(1, tap * self.stride, contexts))
            .collect::<Result<_>>()?;
        let windows = Tensor::cat(&windows, 2)?.reshape((count * contexts, taps * bands))?;
        let values = windows.matmul(&self.basis)?.broadcast_sub(&self.mean)?;
        let share = 1.0 / (count * contexts) as f64;
        let first = values.sum_keepdim(0)?.affine(share, 0.0)?;
        let second = values.t()?.matmul(&values)?.affine(share, 0.0)?;
        let [first, second] = self.remember([first, second])?;

        let off = (second - first.t()?.matmul(&first)?)?;
        let by_covariance = off.sub(&self.covariance)?.mul(&self.precision)?;
        let constant = (&first - first.matmul(&by_covariance)?)?;
        let by_values = values.matmul(&by_covariance)?.broadcast_add(&constant)?;
        let scale = 2.0 * f64::from(weight) * share / f64::from(self.total_variance);
        let by_windows = by_values.affine(scale, 0.0)?.matmul(&self.basis.t()?)?;
        let by_windows = by_windows.reshape((count, contexts, taps * bands))?;
        let mut by_coarse: Option<Tensor> = None;
        for tap in 0..taps {
            let (before, part) = (tap * self.stride, by_windows.narrow(2, tap * bands, bands)?);
            let part = part.pad_with_zeros(1, before, frames - contexts - before)?;
            by_coarse = Some(match by_coarse {
                Some(sum) => (sum + part)?,
                None => part,
            });
        }
        let by_coarse = by_coarse.map(|by_coarse| {
            let by_coarse = by_coarse.reshape((count * frames, bands))?;
            let by_features = by_coarse.matmul(&self.pooling.t()?)?;
            by_features.reshape((count, frames, width))
        });
        by_coarse.transpose()
    }

    /// [`gradient`](Self::gradient) with kernels between its products.
    fn with_kernels(
        &mut self,
        kernels: &Kernels,
        stretches: &Tensor,
        contexts: usize,
        weight: f32,
    ) -> Result<Tensor> {
        let (count, frames, width) = stretches.dims3()?;
        let (taps, bands, device) = (ContextLoss::taps(), self.bands, stretches.device());
        let components = self.mean.dim(1)?;
        let new = |rows: usize, columns: usize| unset((rows, columns), DType::F32, device);
        let sizes = [count, frames, contexts, taps, self.stride, bands].map(Argument::Int);
        let rows = stretches.reshape((count * frames, width))?;
        let coarse = rows.matmul(&self.pooling)?;
        let windows = new(count * contexts, taps * bands)?;
        let [from, to] = [&coarse, &windows].map(Argument::Tensor);
        let grid = Grid::each(windows.elem_count());
        kernels.launch(
            "context_windows",
            grid,
            &[&[from], &sizes[..], &[to]].concat(),
        )?;

        let values = windows.matmul(&self.basis)?;
        let add_row = |x: &Tensor, row: &Tensor, sign: f32, scale: f32| {
            let arguments = [
                Argument::Tensor(x),
                Argument::Tensor(row),
                Argument::Float(sign),
                Argument::Float(scale),
                Argument::Int(components),
                Argument::Int(x.elem_count()),
            ];
            kernels.launch("add_row", Grid::each(x.elem_count()), &arguments)
        };
        add_row(&values, &self.mean, -1.0, 1.0)?;
        let scale = 1.0 / (count * contexts) as f32;
        let (share, [first, second]) = match self.remembered.take() {
            Some(known) => (1.0 - ContextLoss::memory(), known),
            None => (1.0, [new(1, components)?, new(components, components)?]),
        };
        column_sums(kernels, &values, (scale, share), &first)?;
        let products = values.t()?.matmul(&values)?;
        let by_covariance = new(components, components)?;
        let arguments = [
            Argument::Tensor(&products),
            Argument::Float(scale),
            Argument::Float(share),
            Argument::Tensor(&first),
            Argument::Tensor(&self.covariance),
            Argument::Tensor(&self.precision),
            Argument::Int(components),
            Argument::Tensor(&second),
            Argument::Tensor(&by_covariance),
        ];
        let grid = Grid::each(components * components);
        kernels.launch("context_moments", grid, &arguments)?;
        let constant = new(1, components)?;
        let arguments = [
            Argument::Tensor(&first),
            Argument::Tensor(&by_covariance),
            Argument::Int(components),
            Argument::Tensor(&constant),
        ];
        kernels.launch("context_constant", Grid::each(components), &arguments)?;
        self.remembered = Some([first, second]);

        let by_values = values.matmul(&by_covariance)?;
        let scale = 2.0 * weight * scale / self.total_variance;
        add_row(&by_values, &constant, 1.0, scale)?;
        let by_windows = by_values.matmul(&self.basis.t()?)?;
        let by_coarse = new(count * frames, bands)?;
        let [from, to] = [&by_windows, &by_coarse].map(Argument::Tensor);
        let grid = Grid::each(by_coarse.elem_count());
        kernels.launch("context_fold", grid, &[&[from], &sizes[..], &[to]].concat())?;
        let by_features = by_coarse.matmul(&self.pooling.t()?)?;
        by_features.reshape((count, frames, width))
    }

    /// Takes the moments of a step to those before it; what is remembered then.
    fn remember(&mut self, step: [Tensor; 2]) -> Result<[Tensor; 2]> {
        let memory = f64::from(ContextLoss::memory());
        let [first, second] = match &self.remembered {
            None => step,
            Some(known) => {
                let [first, second] = [0, 1].map(|i| {
                    let move_to = (&step[i] - &known[i])?.affine(1.0 - memory, 0.0)?;
                    &known[i] + move_to
                });
                [first?, second?]
            }
        };
        let moments = [first, second];
        self.remembered = Some(moments.clone());
        Ok(moments)
    }
}
