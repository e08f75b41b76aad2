//! One forward and one backward pass through the generator, with everything in between kept.

use candle_core::{DType, Result, Tensor};
use weft_core::network::inputs::TABLE_CHANNELS;
use weft_core::network::{HIDDEN, SCALES, TAPS};

use super::inputs::Layouts;
use super::kernels::{Kernels, Matrix, Product, column_sums, products_of_columns, unset};
use super::layers::{Joined, Limits, first_backward, rectified_windows, residual, second_backward};
use super::machine::Machine;
use super::parameters::{Parameters, Which};
use super::seen::{Inputs, Period, ScaleSeen};

/// What one scale computed: the windows that its convolutions saw, their results, and what it hands on.
#[derive(Debug)]
struct Kept {
    /// What a period added.
    period: Option<Tensor>,
    first_windows: Tensor,
    first: Tensor,
    second_windows: Tensor,
    second: Tensor,
    hidden: Tensor,
}

/// A step's frames, and what their gradient needs.
#[derive(Debug)]
pub struct Pass {
    scales: Vec<Kept>,
    /// `frames × features`.
    pub features: Tensor,
    /// Of the soft limits where the features lie.
    slopes: Tensor,
}

impl Pass {
    /// Makes the frames of a step.
    pub fn forward(
        weights: &Parameters,
        limits: &Limits,
        inputs: &Inputs,
        layouts: &Layouts,
        machine: &Machine,
    ) -> Result<Self> {
        let mut scales: Vec<Kept> = Vec::with_capacity(SCALES);
        for (s, (seen, layout)) in inputs.iter().zip(&layouts.scales).enumerate() {
            let period = added(seen, weights)?;
            let joined = Joined {
                values: &seen.values,
                coarser: scales.last().map(|coarser| &coarser.hidden),
                period: period.as_ref(),
            };
            let first_windows = joined.windows(layout, machine)?;
            let z = first_windows.matmul(&weights.get(Which::First(s))?)?;
            let bias = weights.get(Which::FirstBias(s))?;
            let [first, second_windows] = rectified_windows(&z, &bias, machine)?;
            let z = second_windows.matmul(&weights.get(Which::Second(s))?)?;
            let bias = weights.get(Which::SecondBias(s))?;
            let [second, hidden] = residual(&z, &bias, &first, machine)?;
            scales.push(Kept {
                period,
                first_windows,
                first,
                second_windows,
                second,
                hidden,
            });
        }
        let z = hidden(&scales)?.matmul(&weights.get(Which::Head)?.t()?)?;
        let (features, slopes) = limits.apply(&z, &weights.get(Which::HeadBias)?, machine)?;
        Ok(Self {
            scales,
            features,
            slopes,
        })
    }

    /// Writes the gradients by the weights, from the gradient by the features.
    pub fn backward(
        &self,
        weights: &Parameters,
        inputs: &Inputs,
        layouts: &Layouts,
        by_features: &Tensor,
        machine: &Machine,
        gradients: &mut Parameters,
    ) -> Result<()> {
        if let Some(kernels) = machine.kernels.clone() {
            return self.with_kernels(
                &kernels,
                weights,
                inputs,
                layouts,
                by_features,
                machine,
                gradients,
            );
        }
        let by_linear = (&self.slopes * by_features)?;
        let by_head = by_linear.t()?.matmul(hidden(&self.scales)?)?;
        gradients.set_matrix(Which::Head, &by_head)?;
        let mut by_hidden = by_linear.matmul(&weights.get(Which::Head)?)?;
        let mut vectors = vec![by_linear.sum(0)?];
        let mut by_table: Option<Tensor> = None;
        for (s, kept) in self.scales.iter().enumerate().rev() {
            let layout = &layouts.scales[s];
            let before = second_backward(&kept.second, &by_hidden, machine)?;
            let by_weights = kept.second_windows.t()?.matmul(&before)?;
            gradients.set_matrix(Which::Second(s), &by_weights)?;
            vectors.push(before.sum(0)?);
            let by_windows = before.matmul(&weights.get(Which::Second(s))?.t()?)?;
            let before = first_backward(&kept.first, &by_windows, &by_hidden, layout, machine)?;
            let by_weights = kept.first_windows.t()?.matmul(&before)?;
            gradients.set_matrix(Which::First(s), &by_weights)?;
            vectors.push(before.sum(0)?);
            if s == 0 {
                // The coarsest scale takes in nothing that depends on weights.
                break;
            }
            let joined = Joined {
                values: &inputs[s].values,
                coarser: Some(&self.scales[s - 1].hidden),
                period: kept.period.as_ref(),
            };
            let learned = learned(weights, &joined, s)?;
            let by_windows = before.matmul(&learned.t()?)?;
            let by_period;
            (by_hidden, by_period) = joined.backward(&by_windows, layout, machine)?;
            if let (Some(Period::TableWeights(entries)), Some(by_mixed)) =
                (&inputs[s].period, by_period)
            {
                let part = entries.t()?.matmul(&by_mixed)?;
                by_table = Some(match by_table {
                    Some(sum) => (sum + part)?,
                    None => part,
                });
            }
        }
        // From the coarsest scale to the head.
        vectors.reverse();
        if let Some(by_table) = by_table {
            vectors.push(by_table.flatten_all()?);
        }
        gradients.set_vectors(&vectors)
    }
}

impl Pass {
    /// [`backward`](Self::backward) where kernels write every gradient to its place.
    #[expect(clippy::too_many_arguments, reason = "one more than its plain form")]
    fn with_kernels(
        &self,
        kernels: &Kernels,
        weights: &Parameters,
        inputs: &Inputs,
        layouts: &Layouts,
        by_features: &Tensor,
        machine: &Machine,
        gradients: &Parameters,
    ) -> Result<()> {
        let sums = |x: &Tensor, which: Which| {
            column_sums(kernels, x, (1.0, 1.0), &gradients.place(which)?)
        };
        let products = |x: &Tensor, y: &Tensor, which: Which| {
            products_of_columns(kernels, x, y, &gradients.place(which)?)
        };
        let by_linear = (&self.slopes * by_features)?;
        products(&by_linear, hidden(&self.scales)?, Which::Head)?;
        sums(&by_linear, Which::HeadBias)?;
        let mut by_hidden = by_linear.matmul(&weights.get(Which::Head)?)?;
        let mut by_table: Option<Tensor> = None;
        for (s, kept) in self.scales.iter().enumerate().rev() {
            let layout = &layouts.scales[s];
            let before = second_backward(&kept.second, &by_hidden, machine)?;
            products(&kept.second_windows, &before, Which::Second(s))?;
            sums(&before, Which::SecondBias(s))?;
            let by_windows = before.matmul(&weights.get(Which::Second(s))?.t()?)?;
            let before = first_backward(&kept.first, &by_windows, &by_hidden, layout, machine)?;
            products(&kept.first_windows, &before, Which::First(s))?;
            sums(&before, Which::FirstBias(s))?;
            if s == 0 {
                break;
            }
            let joined = Joined {
                values: &inputs[s].values,
                coarser: Some(&self.scales[s - 1].hidden),
                period: kept.period.as_ref(),
            };
            let by_windows = by_learned(kernels, weights, &joined, s, &before)?;
            let by_period;
            (by_hidden, by_period) = joined.backward(&by_windows, layout, machine)?;
            if let (Some(Period::TableWeights(entries)), Some(by_mixed)) =
                (&inputs[s].period, by_period)
            {
                let part = entries.t()?.matmul(&by_mixed)?;
                by_table = Some(match by_table {
                    Some(sum) => (sum + part)?,
                    None => part,
                });
            }
        }
        if let Some(by_table) = by_table {
            let place = gradients.place(Which::Table)?;
            place.slice_set(&by_table.flatten_all()?, 0, 0)?;
        }
        Ok(())
    }
}

/// The gradient by the windows of a first convolution, of the channels that the coarser scale's channels and a period's
/// meet: tap by tap, as the weights of every tap lie behind those of its noise.
fn by_learned(
    kernels: &Kernels,
    weights: &Parameters,
    joined: &Joined<'_>,
    s: usize,
    before: &Tensor,
) -> Result<Tensor> {
    let all = weights.get(Which::First(s))?;
    let inputs = all.dim(0)? / TAPS;
    let start = joined.values.dim(1)?;
    let (rows, width) = (before.dim(0)?, inputs - start);
    let out = unset((rows, TAPS * width), DType::F32, before.device())?;
    kernels.multiply(&Product {
        left: Matrix::of(before)?,
        right: Matrix {
            start: start * HIDDEN,
            step: inputs * HIDDEN,
            ..Matrix::of(&all)?.transposed()
        },
        out: Matrix {
            step: width,
            ..Matrix::of(&out)?
        },
        rows,
        inner: HIDDEN,
        columns: width,
        batch: TAPS,
    })?;
    Ok(out)
}

/// What the finest scale hands on.
fn hidden(scales: &[Kept]) -> Result<&Tensor> {
    match scales.last() {
        Some(finest) => Ok(&finest.hidden),
        None => candle_core::bail!("a network without scales"),
    }
}

/// What a period adds to what a scale sees.
fn added(seen: &ScaleSeen, weights: &Parameters) -> Result<Option<Tensor>> {
    Ok(match &seen.period {
        None => None,
        Some(Period::Values(values)) => Some(values.clone()),
        Some(Period::TableWeights(entries)) => {
            let table = weights.get(Which::Table)?;
            let table = table.reshape((entries.dim(1)?, TABLE_CHANNELS))?;
            Some(entries.matmul(&table)?)
        }
    })
}

/// The weights of a first convolution that the coarser scale's channels and a period's meet.
fn learned(weights: &Parameters, joined: &Joined<'_>, s: usize) -> Result<Tensor> {
    let all = weights.get(Which::First(s))?;
    let start = joined.values.dim(1)?;
    let inputs = all.dim(0)? / TAPS;
    let taps = all.reshape((TAPS, inputs, HIDDEN))?;
    let taps = taps.narrow(1, start, inputs - start)?.contiguous()?;
    taps.reshape((TAPS * (inputs - start), HIDDEN))
}
