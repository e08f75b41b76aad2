//! The layers of the generator between its products of matrices, forward and backward: each by the library's operations,
//! and by one kernel of our own where there are kernels.

use candle_core::{DType, Result, Tensor};
use weft_core::network::{FeatureRange, HIDDEN, LEAK, RESIDUAL_GAIN, TAPS};

use super::inputs::ScaleLayout;
use super::kernels::{Argument, Grid, unset};
use super::machine::Machine;

/// What the features are softly kept within, a row each.
#[derive(Debug)]
pub struct Limits {
    mean: Tensor,
    deviation: Tensor,
    low: Tensor,
    high: Tensor,
}

impl Limits {
    pub fn new(range: &FeatureRange, machine: &Machine) -> Result<Self> {
        let row = |values: &[f32]| Tensor::new(values, &machine.device)?.unsqueeze(0);
        Ok(Self {
            mean: row(&range.mean)?,
            deviation: row(&range.deviation)?,
            low: row(&range.low)?,
            high: row(&range.high)?,
        })
    }

    /// Features of a linear output but for its bias, and the slopes there.
    pub fn apply(&self, z: &Tensor, bias: &Tensor, machine: &Machine) -> Result<(Tensor, Tensor)> {
        if let Some(kernels) = &machine.kernels {
            let [features, slopes] = [(); 2].map(|()| unset(z.shape(), DType::F32, z.device()));
            let (features, slopes) = (features?, slopes?);
            let (rows, width) = z.dims2()?;
            let ranges = [&self.mean, &self.deviation, &self.low, &self.high];
            let mut arguments = vec![Argument::Tensor(z), Argument::Tensor(bias)];
            arguments.extend(ranges.map(Argument::Tensor));
            arguments.extend([
                Argument::Float(FeatureRange::SHARPNESS),
                Argument::Int(rows),
                Argument::Int(width),
                Argument::Tensor(&features),
                Argument::Tensor(&slopes),
            ]);
            kernels.launch("limits", Grid::each(rows * width), &arguments)?;
            return Ok((features, slopes));
        }
        let sharpness = f64::from(FeatureRange::SHARPNESS);
        let z = z.broadcast_add(bias)?;
        let y = z
            .broadcast_mul(&self.deviation)?
            .broadcast_add(&self.mean)?;
        let to_high = y.broadcast_sub(&self.high)?.affine(-sharpness, 0.0)?;
        let (from_high, high_slope) = softplus(&to_high)?;
        let y = from_high.affine(-1.0 / sharpness, 0.0)?;
        let y = y.broadcast_add(&self.high)?;
        let to_low = y.broadcast_sub(&self.low)?.affine(sharpness, 0.0)?;
        let (from_low, low_slope) = softplus(&to_low)?;
        let features = from_low.affine(1.0 / sharpness, 0.0)?;
        let features = features.broadcast_add(&self.low)?;
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

fn leaky(x: &Tensor) -> Result<Tensor> {
    x.maximum(&x.affine(LEAK.into(), 0.0)?)
}

/// What a scale's first convolution sees: its fresh values, the coarser scale's columns, and what a period adds.
pub struct Joined<'a> {
    pub values: &'a Tensor,
    pub coarser: Option<&'a Tensor>,
    pub period: Option<&'a Tensor>,
}

impl Joined<'_> {
    /// The windows of all of it side by side.
    pub fn windows(&self, layout: &ScaleLayout, machine: &Machine) -> Result<Tensor> {
        let (columns, values_width) = self.values.dims2()?;
        if let Some(kernels) = &machine.kernels {
            let width = |x: Option<&Tensor>| x.map_or(Ok(0), |x| x.dim(1));
            let (coarser_width, period_width) = (width(self.coarser)?, width(self.period)?);
            let all = values_width + coarser_width + period_width;
            let count = columns + 1 - TAPS;
            let out = unset((count, TAPS * all), DType::F32, &machine.device)?;
            // What is not there is not looked at.
            let arguments = [
                Argument::Tensor(self.values),
                Argument::Tensor(self.coarser.unwrap_or(self.values)),
                Argument::Tensor(self.period.unwrap_or(self.values)),
                Argument::Int(values_width),
                Argument::Int(coarser_width),
                Argument::Int(period_width),
                Argument::Int(layout.skip),
                Argument::Int(count),
                Argument::Tensor(&out),
            ];
            kernels.launch("join_windows", Grid::each(count * TAPS * all), &arguments)?;
            return Ok(out);
        }
        let mut parts = vec![self.values.clone()];
        if let (Some(coarser), Some((from, _))) = (self.coarser, &layout.up) {
            parts.push(coarser.index_select(from, 0)?);
        }
        parts.extend(self.period.cloned());
        windows(&Tensor::cat(&parts, 1)?)
    }

    /// From the gradient by what came into the first rectifier, and the weights of the channels that depend on weights,
    /// to the gradients by the coarser scale's columns and by what a period adds.
    pub fn backward(
        &self,
        by_windows: &Tensor,
        layout: &ScaleLayout,
        machine: &Machine,
    ) -> Result<(Tensor, Option<Tensor>)> {
        let (Some(coarser), Some((_, down))) = (self.coarser, &layout.up) else {
            candle_core::bail!("nothing depends on weights here");
        };
        let period_width = self.period.map_or(Ok(0), |period| period.dim(1))?;
        let width = HIDDEN + period_width;
        let count = by_windows.dim(0)?;
        let rows = count + TAPS - 1;
        if let Some(kernels) = &machine.kernels {
            let by_coarser = unset(coarser.shape(), DType::F32, &machine.device)?;
            // One more than none: there is no empty tensor.
            let by_period = unset((rows, period_width.max(1)), DType::F32, &machine.device)?;
            let arguments = [
                Argument::Tensor(by_windows),
                Argument::Int(count),
                Argument::Int(HIDDEN),
                Argument::Int(period_width),
                Argument::Int(layout.skip),
                Argument::Int(coarser.dim(0)?),
                Argument::Tensor(&by_coarser),
                Argument::Tensor(&by_period),
            ];
            let grid = Grid::each(coarser.elem_count() + rows * period_width);
            kernels.launch("join_backward", grid, &arguments)?;
            return Ok((by_coarser, (period_width > 0).then_some(by_period)));
        }
        let by_windows = by_windows.reshape((1, count * TAPS, width))?;
        let by_joined = layout.folds[0].apply(&by_windows)?;
        let by_coarser = by_joined.narrow(2, 0, HIDDEN)?.contiguous()?;
        let by_period = match period_width {
            0 => None,
            _ => Some(
                by_joined
                    .narrow(2, HIDDEN, period_width)?
                    .squeeze(0)?
                    .contiguous()?,
            ),
        };
        Ok((down.apply(&by_coarser)?.squeeze(0)?, by_period))
    }
}

/// `leaky_relu(z + bias)`, and all windows of it.
pub fn rectified_windows(z: &Tensor, bias: &Tensor, machine: &Machine) -> Result<[Tensor; 2]> {
    let (rows, width) = z.dims2()?;
    let Some(kernels) = &machine.kernels else {
        let y = leaky(&z.broadcast_add(bias)?)?;
        let windows = windows(&y)?;
        return Ok([y, windows]);
    };
    let y = unset((rows, width), DType::F32, &machine.device)?;
    let windows = unset((rows + 1 - TAPS, TAPS * width), DType::F32, &machine.device)?;
    let arguments = [
        Argument::Tensor(z),
        Argument::Tensor(bias),
        Argument::Float(LEAK),
        Argument::Int(rows),
        Argument::Int(width),
        Argument::Tensor(&y),
        Argument::Tensor(&windows),
    ];
    kernels.launch("rectify_windows", Grid::each(rows * width), &arguments)?;
    Ok([y, windows])
}

/// `leaky_relu(z + bias)`, and what a scale hands on: the sum of that and the inner rows of `first`, scaled back to about
/// unit deviation.
pub fn residual(
    z: &Tensor,
    bias: &Tensor,
    first: &Tensor,
    machine: &Machine,
) -> Result<[Tensor; 2]> {
    let (rows, width) = z.dims2()?;
    let Some(kernels) = &machine.kernels else {
        let second = leaky(&z.broadcast_add(bias)?)?;
        let sum = (first.narrow(0, 1, rows)? + &second)?;
        return Ok([second, sum.affine(RESIDUAL_GAIN.into(), 0.0)?]);
    };
    let [second, sum] = [(); 2].map(|()| unset((rows, width), DType::F32, &machine.device));
    let (second, sum) = (second?, sum?);
    let arguments = [
        Argument::Tensor(z),
        Argument::Tensor(bias),
        Argument::Tensor(first),
        Argument::Float(LEAK),
        Argument::Float(RESIDUAL_GAIN),
        Argument::Int(rows),
        Argument::Int(width),
        Argument::Tensor(&second),
        Argument::Tensor(&sum),
    ];
    kernels.launch("residual", Grid::each(rows * width), &arguments)?;
    Ok([second, sum])
}

/// The gradient by what came into the second rectifier of a scale, from that by what the scale hands on.
pub fn second_backward(second: &Tensor, by_hidden: &Tensor, machine: &Machine) -> Result<Tensor> {
    let Some(kernels) = &machine.kernels else {
        let by_second = by_hidden.affine(RESIDUAL_GAIN.into(), 0.0)?;
        return rectifier_backward(second, &by_second, LEAK);
    };
    let out = unset(second.shape(), DType::F32, &machine.device)?;
    let arguments = [
        Argument::Tensor(second),
        Argument::Tensor(by_hidden),
        Argument::Float(LEAK),
        Argument::Float(RESIDUAL_GAIN),
        Argument::Int(second.elem_count()),
        Argument::Tensor(&out),
    ];
    kernels.launch(
        "rectifier_backward",
        Grid::each(second.elem_count()),
        &arguments,
    )?;
    Ok(out)
}

/// The gradient by what came into the first rectifier of a scale, from that by the windows of its result, and that by
/// what the scale hands on.
pub fn first_backward(
    first: &Tensor,
    by_windows: &Tensor,
    by_hidden: &Tensor,
    layout: &ScaleLayout,
    machine: &Machine,
) -> Result<Tensor> {
    let (count, width) = (by_windows.dim(0)?, first.dim(1)?);
    let Some(kernels) = &machine.kernels else {
        let by_windows = by_windows.reshape((1, count * TAPS, width))?;
        let folded = layout.folds[1].apply(&by_windows)?.squeeze(0)?;
        let by_sum = by_hidden.affine(RESIDUAL_GAIN.into(), 0.0)?;
        let by_first = (folded + by_sum.pad_with_zeros(0, 1, 1)?)?;
        return rectifier_backward(first, &by_first, LEAK);
    };
    let out = unset(first.shape(), DType::F32, &machine.device)?;
    let arguments = [
        Argument::Tensor(by_windows),
        Argument::Tensor(by_hidden),
        Argument::Tensor(first),
        Argument::Float(LEAK),
        Argument::Float(RESIDUAL_GAIN),
        Argument::Int(count),
        Argument::Int(width),
        Argument::Tensor(&out),
    ];
    kernels.launch("first_backward", Grid::each(first.elem_count()), &arguments)?;
    Ok(out)
}

/// The gradient by what came into a leaky rectifier, from that by its result.
pub fn rectifier_backward(y: &Tensor, dy: &Tensor, leak: f32) -> Result<Tensor> {
    y.gt(0f32)?.where_cond(dy, &dy.affine(leak.into(), 0.0)?)
}
