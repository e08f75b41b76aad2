//! The generator: noise in, feature frames out, by absolute frame index.

use super::inputs::{InputBlocks, ScaleInputs, join};
use super::layers;
use super::{BLOCK_FRAMES, FeatureRange, HIDDEN, SCALES, Weights};

/// A network with everything that it needs to make frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    inputs: InputBlocks,
    range: FeatureRange,
    weights: Weights,
}

/// What one scale computed: its joined input, both convolutions, and what it hands on.
#[derive(Debug, Default)]
pub(crate) struct Activations {
    pub joined: Vec<f32>,
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub hidden: Vec<f32>,
}

/// Working memory of [`Generator::block_into`].
#[derive(Debug, Default)]
pub struct GeneratorScratch {
    inputs: [ScaleInputs; SCALES],
    scales: [Activations; SCALES],
}

impl Generator {
    /// A network with random weights from `seed`, for features of this range at `frame_rate` frames a
    /// second. `period` (in frames) adds the period input.
    pub(crate) fn new(
        frame_rate: f64,
        range: FeatureRange,
        period: Option<f64>,
        seed: u64,
    ) -> Self {
        let inputs = InputBlocks::new(frame_rate, period);
        let weights = Weights::random(&inputs, range.width(), seed);
        Self::from_parts(inputs, range, weights)
    }

    /// A network of these parts; the weights have the shapes that the inputs and the range ask for.
    pub(crate) fn from_parts(inputs: InputBlocks, range: FeatureRange, weights: Weights) -> Self {
        debug_assert_eq!(weights.head.bias.data().len(), range.width());
        Self {
            inputs,
            range,
            weights,
        }
    }

    /// Features in a frame.
    pub fn feature_width(&self) -> usize {
        self.range.width()
    }

    /// Number of weights.
    pub fn weight_count(&self) -> usize {
        self.weights.count()
    }

    /// The weights.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The same network with other weights.
    ///
    /// # Panics
    /// If their shapes differ from those of [`weights`](Self::weights).
    #[must_use]
    pub fn with_weights(&self, weights: Weights) -> Self {
        let shapes = |w: &Weights| w.tensors().map(|t| t.shape().to_vec()).collect::<Vec<_>>();
        assert_eq!(
            shapes(&weights),
            shapes(&self.weights),
            "weights of this network"
        );
        Self {
            weights,
            ..self.clone()
        }
    }

    /// The weights, to be moved.
    pub(crate) fn weights_mut(&mut self) -> &mut Weights {
        &mut self.weights
    }

    /// Noise and period that it makes frames of.
    pub fn inputs(&self) -> &InputBlocks {
        &self.inputs
    }

    /// What its features are kept within.
    pub fn range(&self) -> &FeatureRange {
        &self.range
    }

    /// The same network with its output fixed at the capture's mean: spectrum-matched noise.
    pub(crate) fn stationary(&self) -> Self {
        let mut out = self.clone();
        out.weights.head.weight.data_mut().fill(0.0);
        out.weights.head.bias.data_mut().fill(0.0);
        out
    }

    /// Scales the linear output of every feature, then adds an offset, in units of that output.
    pub(crate) fn rescale_output(&mut self, scales: &[f32], offsets: &[f32]) {
        let head = &mut self.weights.head;
        for row in head.weight.data_mut().chunks_exact_mut(scales.len()) {
            for (w, s) in row.iter_mut().zip(scales) {
                *w *= s;
            }
        }
        for ((b, s), offset) in head.bias.data_mut().iter_mut().zip(scales).zip(offsets) {
            *b = s * *b + offset;
        }
    }

    /// Rounds every weight to half precision, in which models are kept: what plays after a fit is what
    /// plays after loading.
    pub(crate) fn round_to_half(&mut self) {
        for x in self.weights.tensors_mut().flat_map(|t| t.data_mut()) {
            *x = half::f16::from_f32(*x).to_f32();
        }
    }

    /// The frames of one block, `BLOCK_FRAMES × feature width`: frames from `block · BLOCK_FRAMES` on.
    /// Every block is computed alone, so its frames are the same however a texture is cut.
    ///
    /// # Panics
    /// If `out` has another length.
    pub fn block_into(
        &self,
        seed: u32,
        block: i64,
        scratch: &mut GeneratorScratch,
        out: &mut [f32],
    ) {
        let start = block * BLOCK_FRAMES as i64;
        self.frames_into(seed, start, BLOCK_FRAMES, scratch, out);
    }

    /// The frames of one block at several temperatures: the network's noise is multiplied by each of
    /// `temperatures` in turn. `out` holds as many blocks, one behind the other.
    ///
    /// # Panics
    /// If `out` has another length.
    pub(crate) fn tempered_block_into(
        &self,
        seed: u32,
        block: i64,
        temperatures: &[f32],
        scratch: &mut GeneratorScratch,
        out: &mut [f32],
    ) {
        let size = BLOCK_FRAMES * self.feature_width();
        assert_eq!(out.len(), temperatures.len() * size);
        let GeneratorScratch { inputs, scales } = scratch;
        let start = block * BLOCK_FRAMES as i64;
        for (&temperature, out) in temperatures.iter().zip(out.chunks_exact_mut(size)) {
            // Filled anew each time: a share of the work that is not worth a second copy.
            self.inputs.fill(seed, start, BLOCK_FRAMES, inputs);
            inputs.iter_mut().for_each(|i| i.temper(temperature));
            self.forward(inputs, scales, out);
        }
    }

    /// `frames` frames from absolute frame `start` (a multiple of [`BLOCK_FRAMES`]) computed together.
    ///
    /// # Panics
    /// If `start` is no multiple of [`BLOCK_FRAMES`], or `out` is not `frames × feature width` long.
    pub fn frames_into(
        &self,
        seed: u32,
        start: i64,
        frames: usize,
        scratch: &mut GeneratorScratch,
        out: &mut [f32],
    ) {
        assert_eq!(
            start.rem_euclid(BLOCK_FRAMES as i64),
            0,
            "frames start at a multiple of a block"
        );
        assert_eq!(out.len(), frames * self.feature_width());
        let GeneratorScratch { inputs, scales } = scratch;
        self.inputs.fill(seed, start, frames, inputs);
        self.forward(inputs, scales, out);
    }

    /// Features from `inputs`, which were filled for as many frames as `out` holds.
    pub(crate) fn forward(
        &self,
        inputs: &[ScaleInputs; SCALES],
        scales: &mut [Activations; SCALES],
        out: &mut [f32],
    ) {
        let hidden = self.hidden(inputs, scales);
        let head = &self.weights.head;
        let (weight, bias) = (head.weight.data(), head.bias.data());
        layers::head(hidden, HIDDEN, weight, bias, &self.range, out);
    }

    /// [`forward`](Self::forward), and the slopes of the features' soft limits, as many as there are features.
    pub(crate) fn forward_with_slopes(
        &self,
        inputs: &[ScaleInputs; SCALES],
        scales: &mut [Activations; SCALES],
        out: &mut [f32],
        slopes: &mut [f32],
    ) {
        let hidden = self.hidden(inputs, scales);
        let head = &self.weights.head;
        let (weight, bias) = (head.weight.data(), head.bias.data());
        layers::head_with_slopes(hidden, HIDDEN, weight, bias, &self.range, out, slopes);
    }

    /// What the finest scale hands on: the hidden channels of every frame.
    fn hidden<'s>(
        &self,
        inputs: &[ScaleInputs; SCALES],
        scales: &'s mut [Activations; SCALES],
    ) -> &'s [f32] {
        let table = self.weights.table.as_ref().map_or(&[][..], |t| t.data());
        for (s, (inputs, weights)) in inputs.iter().zip(&self.weights.scales).enumerate() {
            let (coarser, here) = scales.split_at_mut(s);
            let coarse = coarser.last().map_or(&[][..], |scale| &scale.hidden);
            let scale = &mut here[0];
            let (columns, width) = (inputs.columns, inputs.width(HIDDEN));
            scale.joined.resize(columns * width, 0.0);
            join(inputs, coarse, HIDDEN, table, &mut scale.joined);
            scale.first.resize((columns - 2) * HIDDEN, 0.0);
            layers::convolve(
                &scale.joined,
                width,
                weights.first.weight.data(),
                weights.first.bias.data(),
                &mut scale.first,
            );
            scale.second.resize((columns - 4) * HIDDEN, 0.0);
            layers::convolve(
                &scale.first,
                HIDDEN,
                weights.second.weight.data(),
                weights.second.bias.data(),
                &mut scale.second,
            );
            scale.hidden.resize(scale.second.len(), 0.0);
            layers::residual(&scale.first, &scale.second, HIDDEN, &mut scale.hidden);
        }
        &scales[SCALES - 1].hidden
    }
}
