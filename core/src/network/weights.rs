//! The weights of a network, each under its own name.
//!
//! Gradients have the same type: what trains or keeps weights goes over both in the same order, which is that
//! of the `.weft` file.

use std::convert::Infallible;
use std::fmt;

use super::inputs::{InputBlocks, TABLE_CHANNELS};
use super::layers::TAPS;
use super::{HIDDEN, SCALES};
use crate::numeric::random::Sequence;

/// Deviation of the phase table's first entries.
const TABLE_DEVIATION: f32 = 0.7;
/// The head starts at so much of He's scale, close to the mean spectrum.
const HEAD_SHARE: f32 = 0.5;

/// Numbers in the shape of a matrix or a stack of matrices, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Tensor {
    /// # Panics
    /// If `data` is not as long as `shape` says.
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Self {
        assert_eq!(
            data.len(),
            shape.iter().product::<usize>(),
            "values for the shape {shape:?}"
        );
        Self { shape, data }
    }

    /// Sizes, the slowest first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers, the last index first.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// The numbers, to be changed; the shape stays.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    fn zeros_like(&self) -> Self {
        Self {
            shape: self.shape.clone(),
            data: vec![0.0; self.data.len()],
        }
    }
}

/// A linear layer: a convolution (`taps × inputs × outputs`) or a matrix (`inputs × outputs`), and a bias for
/// each output.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerWeights {
    /// `[taps ×] inputs × outputs`.
    pub weight: Tensor,
    /// `outputs`.
    pub bias: Tensor,
}

/// The two convolutions of a time scale.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleWeights {
    /// The convolution of the scale's joined inputs.
    pub first: LayerWeights,
    /// The convolution of what the first makes.
    pub second: LayerWeights,
}

/// All weights of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// The time scales, the coarsest first.
    pub scales: [ScaleWeights; SCALES],
    /// Hidden channels to features.
    pub head: LayerWeights,
    /// `entries × channels` of the phase table, where the network has a period.
    pub table: Option<Tensor>,
}

/// Which tensor of [`Weights`] one is; shown, its name in the `.weft` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorName {
    /// Of a time scale, counted from the coarsest.
    Scale(usize, ScaleLayer, LayerPart),
    /// Of the head.
    Head(LayerPart),
    /// The phase table: a list of learned vectors, not a map between spaces.
    Table,
}

/// One of the two convolutions of a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleLayer {
    /// The convolution of the scale's joined inputs.
    First,
    /// The convolution of what the first makes.
    Second,
}

/// One of the two tensors of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerPart {
    /// What the layer multiplies by.
    Weight,
    /// What it adds.
    Bias,
}

impl fmt::Display for LayerPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Weight => "weight",
            Self::Bias => "bias",
        })
    }
}

impl fmt::Display for TensorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scale(scale, ScaleLayer::First, part) => write!(f, "scale{scale}.first.{part}"),
            Self::Scale(scale, ScaleLayer::Second, part) => write!(f, "scale{scale}.second.{part}"),
            Self::Head(part) => write!(f, "head.{part}"),
            Self::Table => f.write_str("table"),
        }
    }
}

/// Names of all tensors but the table, in the order of the file.
fn layer_names() -> impl Iterator<Item = TensorName> {
    const PARTS: [LayerPart; 2] = [LayerPart::Weight, LayerPart::Bias];
    let scales = (0..SCALES)
        .flat_map(|scale| [ScaleLayer::First, ScaleLayer::Second].map(move |layer| (scale, layer)));
    let scales = scales
        .flat_map(|(scale, layer)| PARTS.map(move |part| TensorName::Scale(scale, layer, part)));
    scales.chain(PARTS.map(TensorName::Head))
}

impl LayerWeights {
    fn zeros_like(&self) -> Self {
        Self {
            weight: self.weight.zeros_like(),
            bias: self.bias.zeros_like(),
        }
    }

    fn tensors(&self) -> [&Tensor; 2] {
        [&self.weight, &self.bias]
    }

    fn tensors_mut(&mut self) -> [&mut Tensor; 2] {
        [&mut self.weight, &mut self.bias]
    }
}

impl Weights {
    /// The weights of a network with these inputs and `features` outputs. `values` is asked for each tensor
    /// in turn, in the order of the file, by its name and shape.
    pub(crate) fn try_from_fn<E>(
        inputs: &InputBlocks,
        features: usize,
        mut values: impl FnMut(TensorName, &[usize]) -> Result<Vec<f32>, E>,
    ) -> Result<Self, E> {
        let mut tensor = |name: TensorName, shape: Vec<usize>| {
            let data = values(name, &shape)?;
            Ok(Tensor::new(shape, data))
        };
        let mut layer = |name: &dyn Fn(LayerPart) -> TensorName, shape: Vec<usize>| {
            let outputs = shape.last().copied().unwrap_or_default();
            Ok(LayerWeights {
                weight: tensor(name(LayerPart::Weight), shape)?,
                bias: tensor(name(LayerPart::Bias), vec![outputs])?,
            })
        };
        let mut scales = Vec::with_capacity(SCALES);
        for s in 0..SCALES {
            let wide = inputs.width(s);
            scales.push(ScaleWeights {
                first: layer(
                    &|part| TensorName::Scale(s, ScaleLayer::First, part),
                    vec![TAPS, wide, HIDDEN],
                )?,
                second: layer(
                    &|part| TensorName::Scale(s, ScaleLayer::Second, part),
                    vec![TAPS, HIDDEN, HIDDEN],
                )?,
            });
        }
        let head = layer(&TensorName::Head, vec![HIDDEN, features])?;
        let entries = inputs.table_entries();
        let table = entries.map(|entries| tensor(TensorName::Table, vec![entries, TABLE_CHANNELS]));
        Ok(Self {
            scales: scales.try_into().expect("as many as there are scales"),
            head,
            table: table.transpose()?,
        })
    }

    /// Random weights of He's scale for rectifiers (He et al. 2015, eq. 10), each tensor from numbers of its
    /// own; biases are zero.
    pub(crate) fn random(inputs: &InputBlocks, features: usize, seed: u64) -> Self {
        let mut index = 0..;
        let values = |name, shape: &[usize]| -> Result<_, Infallible> {
            let mut random = Sequence::new(seed, index.next().unwrap_or_default());
            let size: usize = shape.iter().product();
            let fan_in: usize = shape[..shape.len() - 1].iter().product();
            let he = (2.0 / fan_in as f32).sqrt();
            let scale = match name {
                TensorName::Table => TABLE_DEVIATION,
                TensorName::Head(LayerPart::Weight) => HEAD_SHARE * he,
                TensorName::Scale(_, _, LayerPart::Weight) => he,
                _ => 0.0,
            };
            Ok((0..size).map(|_| random.gaussian() * scale).collect())
        };
        match Self::try_from_fn(inputs, features, values) {
            Ok(weights) => weights,
            Err(never) => match never {},
        }
    }

    /// Zeros in the same shapes: gradients to be.
    pub fn zeros_like(&self) -> Self {
        Self {
            scales: self.scales.each_ref().map(|scale| ScaleWeights {
                first: scale.first.zeros_like(),
                second: scale.second.zeros_like(),
            }),
            head: self.head.zeros_like(),
            table: self.table.as_ref().map(Tensor::zeros_like),
        }
    }

    /// All tensors, in the order of the file.
    pub fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        let scales = self.scales.iter().flat_map(|s| [&s.first, &s.second]);
        let layers = scales.chain([&self.head]);
        layers.flat_map(LayerWeights::tensors).chain(&self.table)
    }

    /// All tensors, in the order of the file, to be changed.
    pub fn tensors_mut(&mut self) -> impl Iterator<Item = &mut Tensor> {
        let scales = self.scales.iter_mut();
        let scales = scales.flat_map(|s| [&mut s.first, &mut s.second]);
        let layers = scales.chain([&mut self.head]);
        layers
            .flat_map(LayerWeights::tensors_mut)
            .chain(&mut self.table)
    }

    /// The names of [`tensors`](Self::tensors), in their order.
    pub fn names(&self) -> impl Iterator<Item = TensorName> {
        layer_names().chain(self.table.as_ref().map(|_| TensorName::Table))
    }

    /// Number of weights.
    pub fn count(&self) -> usize {
        self.tensors().map(|t| t.data.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_and_names_are_in_the_order_of_the_file() {
        for (period, count) in [(None, 4 * SCALES + 2), (Some(20.0), 4 * SCALES + 3)] {
            let inputs = InputBlocks::new(86.0, period);
            let mut asked = Vec::new();
            let weights = Weights::try_from_fn::<Infallible>(&inputs, 9, |name, shape| {
                asked.push(name.to_string());
                Ok(vec![asked.len() as f32; shape.iter().product()])
            });
            let mut weights = weights.expect("nothing can fail");
            assert_eq!(asked.len(), count);
            assert!(weights.names().map(|n| n.to_string()).eq(asked.clone()));
            for (i, tensor) in weights.tensors().enumerate() {
                assert_eq!(tensor.data()[0], (i + 1) as f32, "{}", asked[i]);
            }
            assert!(
                weights
                    .tensors_mut()
                    .map(|t| t.data()[0] as usize)
                    .eq(1..=count)
            );
            assert_eq!(asked[0], "scale0.first.weight");
            assert_eq!(asked[4 * SCALES - 1], "scale5.second.bias");
            assert_eq!(asked[4 * SCALES + 1], "head.bias");
            assert_eq!(weights.zeros_like().count(), weights.count());
        }
    }

    #[test]
    fn random_weights_have_hes_scale_and_no_bias() {
        let weights = Weights::random(&InputBlocks::new(86.0, Some(20.0)), 300, 1);
        let deviation = |tensor: &Tensor| {
            let sum: f32 = tensor.data().iter().map(|x| x * x).sum();
            (sum / tensor.data().len() as f32).sqrt()
        };
        let second = &weights.scales[2].second;
        let he = (2.0 / (TAPS * HIDDEN) as f32).sqrt();
        assert!((deviation(&second.weight) / he - 1.0).abs() < 0.05);
        let half = HEAD_SHARE * (2.0 / HIDDEN as f32).sqrt();
        assert!((deviation(&weights.head.weight) / half - 1.0).abs() < 0.05);
        assert_eq!(deviation(&second.bias), 0.0);
        assert!(
            weights
                .table
                .is_some_and(|t| t.shape() == [20, TABLE_CHANNELS])
        );
    }
}
