//! The contexts' part in a step: their moments, what is remembered of them, and the gradient.

use candle_core::{Device, Result, Tensor};
use weft_core::texture::loss::ContextLoss;

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
}

impl Contexts {
    pub fn new(loss: &ContextLoss, device: &Device) -> Result<Self> {
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
