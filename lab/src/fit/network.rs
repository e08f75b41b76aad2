//! One forward and one backward pass through the generator, with everything in between kept.

use candle_core::{Device, Result, Tensor};
use weft_core::network::inputs::TABLE_CHANNELS;
use weft_core::network::{FeatureRange, HIDDEN, LEAK, RESIDUAL_GAIN, SCALES, TAPS};

use super::inputs::{Inputs, Layouts, ScaleLayout, Seen, width};
use super::parameters::{Parameters, Which};

/// What the features are softly kept within, a row each.
#[derive(Debug)]
pub struct Limits {
    mean: Tensor,
    deviation: Tensor,
    low: Tensor,
    high: Tensor,
}

/// What one scale computed: the windows that its convolutions saw, and their results.
#[derive(Debug)]
struct Kept {
    first_windows: Tensor,
    first: Tensor,
    second_windows: Tensor,
    second: Tensor,
}

/// A step's frames, and what their gradient needs.
#[derive(Debug)]
pub struct Pass {
    scales: Vec<Kept>,
    hidden: Tensor,
    /// `frames × features`.
    pub features: Tensor,
    /// Of the soft limits where the features lie.
    slopes: Tensor,
}

impl Limits {
    pub fn new(range: &FeatureRange, device: &Device) -> Result<Self> {
        let row = |values: &[f32]| Tensor::new(values, device)?.unsqueeze(0);
        Ok(Self {
            mean: row(&range.mean)?,
            deviation: row(&range.deviation)?,
            low: row(&range.low)?,
            high: row(&range.high)?,
        })
    }

    /// Features of a linear output, and the slopes there.
    fn apply(&self, z: &Tensor) -> Result<(Tensor, Tensor)> {
        let sharpness = f64::from(FeatureRange::SHARPNESS);
        let y = z
            .broadcast_mul(&self.deviation)?
            .broadcast_add(&self.mean)?;
        let to_high = y.broadcast_sub(&self.high)?.affine(-sharpness, 0.0)?;
        let (from_high, high_slope) = softplus(&to_high)?;
        let y = from_high
            .affine(-1.0 / sharpness, 0.0)?
            .broadcast_add(&self.high)?;
        let to_low = y.broadcast_sub(&self.low)?.affine(sharpness, 0.0)?;
        let (from_low, low_slope) = softplus(&to_low)?;
        let features = from_low
            .affine(1.0 / sharpness, 0.0)?
            .broadcast_add(&self.low)?;
        let slopes = (low_slope * high_slope)?.broadcast_mul(&self.deviation)?;
        Ok((features, slopes))
    }
}

/// `ln(1 + exp(x))`, and its derivative.
fn softplus(x: &Tensor) -> Result<(Tensor, Tensor)> {
    let small = x.abs()?.neg()?.exp()?.affine(1.0, 1.0)?;
    let value = (x.relu()? + small.log()?)?;
    let slope = x.neg()?.exp()?.affine(1.0, 1.0)?.recip()?;
    Ok((value, slope))
}

/// All windows of consecutive rows, each as one row.
fn windows(x: &Tensor) -> Result<Tensor> {
    let count = x.dim(0)? + 1 - TAPS;
    let taps: Vec<Tensor> = (0..TAPS)
        .map(|tap| x.narrow(0, tap, count))
        .collect::<Result<_>>()?;
    Tensor::cat(&taps, 1)
}

/// `leaky_relu(x · w + b)`.
fn convolved(windows: &Tensor, weights: &Parameters, layer: [Which; 2]) -> Result<Tensor> {
    let [weight, bias] = layer;
    let z = windows.matmul(&weights.get(weight)?)?;
    let z = z.broadcast_add(&weights.get(bias)?)?;
    z.maximum(&z.affine(LEAK.into(), 0.0)?)
}

/// The gradient by what came into a leaky rectifier, from that by its result.
pub fn rectifier_backward(y: &Tensor, dy: &Tensor, leak: f32) -> Result<Tensor> {
    y.gt(0f32)?.where_cond(dy, &dy.affine(leak.into(), 0.0)?)
}

impl Pass {
    /// Makes the frames of a step.
    pub fn forward(
        weights: &Parameters,
        limits: &Limits,
        inputs: &Inputs,
        layouts: &Layouts,
    ) -> Result<Self> {
        let mut scales = Vec::with_capacity(SCALES);
        let mut hidden: Option<Tensor> = None;
        for (s, (seen, layout)) in inputs.iter().zip(&layouts.scales).enumerate() {
            let joined = join(seen, hidden.as_ref(), layout, weights)?;
            let first_windows = windows(&joined)?;
            let first = convolved(
                &first_windows,
                weights,
                [Which::First(s), Which::FirstBias(s)],
            )?;
            let second_windows = windows(&first)?;
            let layer = [Which::Second(s), Which::SecondBias(s)];
            let second = convolved(&second_windows, weights, layer)?;
            let middle = first.narrow(0, 1, second.dim(0)?)?;
            hidden = Some((middle + &second)?.affine(RESIDUAL_GAIN.into(), 0.0)?);
            scales.push(Kept {
                first_windows,
                first,
                second_windows,
                second,
            });
        }
        let Some(hidden) = hidden else {
            candle_core::bail!("a network without scales");
        };
        let linear = hidden.matmul(&weights.get(Which::Head)?.t()?)?;
        let linear = linear.broadcast_add(&weights.get(Which::HeadBias)?)?;
        let (features, slopes) = limits.apply(&linear)?;
        Ok(Self {
            scales,
            hidden,
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
        gradients: &mut Parameters,
    ) -> Result<()> {
        let by_linear = (&self.slopes * by_features)?;
        gradients.set_matrix(Which::Head, &by_linear.t()?.matmul(&self.hidden)?)?;
        let mut by_hidden = by_linear.matmul(&weights.get(Which::Head)?)?;
        let mut vectors = vec![by_linear.sum(0)?];
        let mut by_table: Option<Tensor> = None;
        for (s, kept) in self.scales.iter().enumerate().rev() {
            let layout = &layouts.scales[s];
            let by_residual = by_hidden.affine(RESIDUAL_GAIN.into(), 0.0)?;
            let before = rectifier_backward(&kept.second, &by_residual, LEAK)?;
            gradients.set_matrix(Which::Second(s), &kept.second_windows.t()?.matmul(&before)?)?;
            vectors.push(before.sum(0)?);
            let by_windows = before.matmul(&weights.get(Which::Second(s))?.t()?)?;
            let folded = folded(&by_windows, HIDDEN, &layout.folds[1])?;
            let by_first = (folded + by_residual.pad_with_zeros(0, 1, 1)?)?;
            let before = rectifier_backward(&kept.first, &by_first, LEAK)?;
            gradients.set_matrix(Which::First(s), &kept.first_windows.t()?.matmul(&before)?)?;
            vectors.push(before.sum(0)?);
            let Some((_, down)) = &layout.up else {
                // The coarsest scale takes in nothing that depends on weights.
                break;
            };
            let by_joined = by_learned(&before, &inputs[s], layout, weights, s)?;
            by_hidden = down.apply(&by_joined.narrow(1, 0, HIDDEN)?.contiguous()?.unsqueeze(0)?)?;
            by_hidden = by_hidden.squeeze(0)?;
            for seen in &inputs[s] {
                if let Seen::TableWeights(entries) = seen {
                    let by_mixed = by_joined.narrow(1, HIDDEN, TABLE_CHANNELS)?.contiguous()?;
                    let part = entries.t()?.matmul(&by_mixed)?;
                    by_table = Some(match by_table {
                        Some(sum) => (sum + part)?,
                        None => part,
                    });
                }
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

/// What a scale's first convolution sees: all blocks side by side.
fn join(
    seen: &[Seen],
    coarser: Option<&Tensor>,
    layout: &ScaleLayout,
    weights: &Parameters,
) -> Result<Tensor> {
    let parts = seen.iter().map(|seen| match (seen, coarser, &layout.up) {
        (Seen::Values(values), ..) => Ok(values.clone()),
        (Seen::Coarser, Some(coarser), Some((from, _))) => coarser.index_select(from, 0),
        (Seen::Coarser, ..) => candle_core::bail!("nothing is coarser than the coarsest scale"),
        (Seen::TableWeights(entries), ..) => {
            let table = weights.get(Which::Table)?;
            entries.matmul(&table.reshape((entries.dim(1)?, TABLE_CHANNELS))?)
        }
    });
    let parts: Vec<Tensor> = parts.collect::<Result<_>>()?;
    Tensor::cat(&parts, 1)
}

/// The gradient by a convolution's rows, from that by its windows.
fn folded(by_windows: &Tensor, inputs: usize, fold: &super::indices::Gather) -> Result<Tensor> {
    let taps = by_windows.dim(0)? * TAPS;
    fold.apply(&by_windows.reshape((1, taps, inputs))?)?
        .squeeze(0)
}

/// The gradient by the channels of a scale's joined input that depend on weights: the coarser scale's, and the
/// table's where there is one.
fn by_learned(
    before: &Tensor,
    seen: &[Seen],
    layout: &ScaleLayout,
    weights: &Parameters,
    s: usize,
) -> Result<Tensor> {
    let mut start = 0;
    let mut learned = 0;
    for seen in seen {
        match seen {
            Seen::Values(_) if learned == 0 => start += width(seen, TABLE_CHANNELS)?,
            Seen::Values(_) => {}
            _ => learned += width(seen, TABLE_CHANNELS)?,
        }
    }
    let all = weights.get(Which::First(s))?;
    let inputs = all.dim(0)? / TAPS;
    let taps = all.reshape((TAPS, inputs, HIDDEN))?;
    let taps = taps.narrow(1, start, learned)?.contiguous()?;
    let by_windows = before.matmul(&taps.reshape((TAPS * learned, HIDDEN))?.t()?)?;
    folded(&by_windows, learned, &layout.folds[0])
}
