//! The layers: a random convolution along an axis, a normalisation, a rectifier, and a pooling.

use std::sync::Arc;

use candle_core::{DType, Result, Tensor};
use weft_core::numeric::random::Sequence;

use super::{Constants, Huzaifah};
use crate::axes::{Axis, Field};
use crate::network::Filters;

/// Added to a variance before a filter's output is divided by its root, as such normalisations have it.
const LEAST_VARIANCE: f32 = 1e-5;

/// A stack of layers.
pub(super) struct Network {
    layers: Vec<Layer>,
    axis: Axis,
    is_pooled: bool,
}

/// One convolution and its rectifier.
struct Layer {
    filters: Arc<Filters>,
    kernel: usize,
    axis: Axis,
}

impl Layer {
    /// Filters over `weights` (`taps · channels × count`) with a bias for each: the weight of a channel that is
    /// always 1, at the first tap.
    fn new(axis: Axis, kernel: usize, channels: usize, weights: &[f32], bias: &[f32]) -> Self {
        let count = bias.len();
        let taps = Field::taps(axis, kernel);
        // In the plane all taps are channels of one place.
        let (width, channels) = match axis {
            Axis::Plane => (1, taps * channels),
            Axis::Frequency | Axis::Time => (taps, channels),
        };
        let mut all = Vec::with_capacity(width * (channels + 1) * count);
        for (tap, weights) in weights.chunks_exact(channels * count).enumerate() {
            all.extend_from_slice(weights);
            match tap {
                0 => all.extend_from_slice(bias),
                _ => all.resize(all.len() + count, 0.0),
            }
        }
        Self {
            filters: Arc::new(Filters::new(channels + 1, width, count, all)),
            kernel,
            axis,
        }
    }

    fn activations(&self, field: &Field) -> Result<Field> {
        let seen = match self.axis {
            Axis::Plane => field.windows(self.kernel)?,
            Axis::Frequency | Axis::Time => field.values().clone(),
        };
        let ones = Tensor::ones((seen.dim(0)?, 1), seen.dtype(), seen.device())?;
        let seen = Tensor::cat(&[&seen, &ones], 1)?;
        field.next(self.kernel, self.filters.activations(&seen)?)
    }
}

impl Network {
    /// Random layers, as many as the deepest that `depth` names, for images like these styles (`frames × rows`) with
    /// their shares. Where the program normalises, each filter's output has a mean of 0 and a deviation of 1 over the
    /// styles, and is not normalised again for other images: levels are part of a texture. How the program does that
    /// with an image of one is [?].
    pub(super) fn new(
        method: &Huzaifah,
        constants: &Constants,
        depth: usize,
        styles: &[(Tensor, f64)],
        seed: u64,
    ) -> Result<Self> {
        let axis = method.axis;
        let mut fields: Vec<(Field, f64)> = styles
            .iter()
            .map(|(image, share)| Ok((Field::of_image(axis, image)?, *share)))
            .collect::<Result<_>>()?;
        let mut network = Self {
            layers: Vec::with_capacity(depth),
            axis,
            is_pooled: constants.is_normalized,
        };
        let first = method.first_filters();
        for (index, &(part, of)) in constants.layers[..depth].iter().enumerate() {
            let count = (first * part / of).max(1);
            let channels = fields[0].0.values().dim(1)?;
            let inputs = Field::taps(axis, method.kernel) * channels;
            let mut weights = random_weights(method.kernel, channels, inputs, count, seed, index);
            let mut bias = vec![0.0; count];
            if constants.is_normalized {
                let (means, deviations) = moments(&fields, method.kernel, &weights, count)?;
                for row in weights.chunks_exact_mut(count) {
                    row.iter_mut().zip(&deviations).for_each(|(w, d)| *w /= d);
                }
                let all = bias.iter_mut().zip(means.iter().zip(&deviations));
                all.for_each(|(b, (mean, deviation))| *b = -mean / deviation);
            }
            let layer = Layer::new(axis, method.kernel, channels, &weights, &bias);
            for (field, _) in &mut fields {
                *field = layer.activations(field)?;
            }
            // The next layer's weights are normalised by what it sees.
            if network.is_pooled && index + 1 < depth {
                for (field, _) in &mut fields {
                    *field = field.max_pooled()?;
                }
            }
            network.layers.push(layer);
        }
        Ok(network)
    }

    /// Fields of all layers, from the first to the deepest, after the rectifier.
    pub(super) fn fields(&self, image: &Tensor) -> Result<Vec<Field>> {
        let mut field = Field::of_image(self.axis, image)?;
        let mut fields = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 && self.is_pooled {
                field = field.max_pooled()?;
            }
            field = layer.activations(&field)?;
            fields.push(field.clone());
        }
        Ok(fields)
    }
}

/// Normal weights of deviation `√2 · √(2 / ((channels + filters) · kernel))`, as the first program has them.
fn random_weights(
    kernel: usize,
    channels: usize,
    inputs: usize,
    count: usize,
    seed: u64,
    index: usize,
) -> Vec<f32> {
    let deviation = (4.0 / ((channels + count) * kernel) as f64).sqrt() as f32;
    let mut random = Sequence::new(seed, index as u64);
    (0..inputs * count)
        .map(|_| random.gaussian() * deviation)
        .collect()
}

/// Mean and deviation of every filter's output over all places of the styles, each with its share.
fn moments(
    styles: &[(Field, f64)],
    kernel: usize,
    weights: &[f32],
    count: usize,
) -> Result<(Vec<f32>, Vec<f32>)> {
    let mut sums: Option<(Tensor, Tensor)> = None;
    for (field, share) in styles {
        let windows = field.windows(kernel)?;
        let shape = (windows.dim(1)?, count);
        let outputs = windows.matmul(&Tensor::from_slice(weights, shape, windows.device())?)?;
        let mean = (outputs.mean(0)? * *share)?;
        let square = (outputs.sqr()?.mean(0)? * *share)?;
        sums = Some(match sums {
            Some((means, squares)) => ((means + mean)?, (squares + square)?),
            None => (mean, square),
        });
    }
    let Some((means, squares)) = sums else {
        candle_core::bail!("a network for no sound");
    };
    let vector = |tensor: &Tensor| tensor.to_dtype(DType::F32)?.to_vec1::<f32>();
    let (means, squares) = (vector(&means)?, vector(&squares)?);
    let deviations = means.iter().zip(&squares).map(|(mean, square)| {
        let variance = (square - mean * mean).max(0.0);
        (variance + LEAST_VARIANCE).sqrt()
    });
    let deviations = deviations.collect();
    Ok((means, deviations))
}
