//! The generator: noise in, feature frames out, by absolute frame index.

use super::inputs::{self, InputLaw, ScaleInputs, sees_table};
use super::layers::{self, FeatureRange, JoinParts, TAPS};
use super::{BLOCK_FRAMES, GAUSSIAN_CHANNELS, HIDDEN, SCALES, SPIKE_CHANNELS, TABLE_CHANNELS};
use crate::numeric::random::Sequence;
use crate::spectrum::Features;
use crate::texture::Period;

/// Room around the capture's own range of each feature, in units of log magnitude.
const RANGE_MARGIN: f32 = 0.15;
/// Least deviation of a feature that the network's output is scaled with.
const LEAST_DEVIATION: f32 = 0.05;

/// One array of weights.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub name: String,
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

/// The weights, in the order of [`array`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    pub arrays: Vec<Array>,
}

/// Places of the weights in [`Weights::arrays`]: four for each scale (two convolutions, weight and
/// bias), then the head's, then the phase table.
pub(crate) mod array {
    use super::super::SCALES;

    pub const fn first_weight(s: usize) -> usize {
        4 * s
    }
    pub const fn first_bias(s: usize) -> usize {
        4 * s + 1
    }
    pub const fn second_weight(s: usize) -> usize {
        4 * s + 2
    }
    pub const fn second_bias(s: usize) -> usize {
        4 * s + 3
    }
    pub const HEAD_WEIGHT: usize = 4 * SCALES;
    pub const HEAD_BIAS: usize = HEAD_WEIGHT + 1;
    pub const TABLE: usize = HEAD_WEIGHT + 2;
}

/// A network with everything that it needs to make frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    pub(crate) inputs: InputLaw,
    pub(crate) range: FeatureRange,
    pub(crate) weights: Weights,
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

impl FeatureRange {
    /// Measured on a capture's features; the first `magnitude_width` of them can't be negative.
    pub(crate) fn measure(features: &Features, magnitude_width: usize) -> Self {
        let (width, n) = (features.width, features.frames() as f64);
        let mut low = vec![f32::INFINITY; width];
        let mut high = vec![f32::NEG_INFINITY; width];
        let (mut sum, mut square) = (vec![0.0f64; width], vec![0.0f64; width]);
        for row in features.data.chunks_exact(width) {
            for (i, &x) in row.iter().enumerate() {
                low[i] = low[i].min(x);
                high[i] = high[i].max(x);
                sum[i] += f64::from(x);
                square[i] += f64::from(x) * f64::from(x);
            }
        }
        for (i, (low, high)) in low.iter_mut().zip(&mut high).enumerate() {
            *low -= RANGE_MARGIN;
            *high += RANGE_MARGIN;
            if i < magnitude_width {
                *low = low.max(0.0);
            }
        }
        let deviation = |(s, q): (&f64, &f64)| (q / n - (s / n).powi(2)).max(0.0).sqrt() as f32;
        Self {
            mean: sum.iter().map(|s| (s / n) as f32).collect(),
            deviation: sum
                .iter()
                .zip(&square)
                .map(|p| deviation(p) + LEAST_DEVIATION)
                .collect(),
            low,
            high,
        }
    }
}

impl Weights {
    /// Names and shapes of the weights of a network.
    pub fn shapes(inputs: &InputLaw, features: usize) -> Vec<(String, Vec<usize>)> {
        let mut out = Vec::new();
        for s in 0..SCALES {
            let coarse = if s == 0 { 0 } else { HIDDEN };
            let table = if inputs.period.is_some() && sees_table(s) {
                TABLE_CHANNELS
            } else {
                0
            };
            let wide =
                GAUSSIAN_CHANNELS + SPIKE_CHANNELS + coarse + inputs.harmonic_channels(s) + table;
            out.push((format!("scale{s}.first.weight"), vec![TAPS, wide, HIDDEN]));
            out.push((format!("scale{s}.first.bias"), vec![HIDDEN]));
            out.push((
                format!("scale{s}.second.weight"),
                vec![TAPS, HIDDEN, HIDDEN],
            ));
            out.push((format!("scale{s}.second.bias"), vec![HIDDEN]));
        }
        out.push(("head.weight".into(), vec![HIDDEN, features]));
        out.push(("head.bias".into(), vec![features]));
        let entries = inputs.table_entries();
        if entries > 0 {
            out.push(("table".into(), vec![entries, TABLE_CHANNELS]));
        }
        out
    }

    pub fn random(inputs: &InputLaw, features: usize, seed: u64) -> Self {
        let shapes = Self::shapes(inputs, features).into_iter().zip(0..);
        let arrays = shapes.map(|((name, shape), index)| {
            let mut random = Sequence::new(seed, index);
            let size: usize = shape.iter().product();
            let fan_in: usize = shape[..shape.len() - 1].iter().product();
            // He's scale for rectifiers; the head starts at half of it, close to the mean spectrum.
            let scale = match name.as_str() {
                "table" => 0.7,
                "head.weight" => 0.5 * (2.0 / fan_in as f32).sqrt(),
                _ if shape.len() == 1 => 0.0,
                _ => (2.0 / fan_in as f32).sqrt(),
            };
            Array {
                data: (0..size).map(|_| random.gaussian() * scale).collect(),
                name,
                shape,
            }
        });
        Self {
            arrays: arrays.collect(),
        }
    }
}

impl Generator {
    /// A network with random weights from `seed`, for features of this range at `frame_rate` frames a
    /// second. `period` adds the period input.
    pub(crate) fn new(
        frame_rate: f64,
        range: FeatureRange,
        period: Option<&Period>,
        seed: u64,
    ) -> Self {
        let inputs = InputLaw::new(frame_rate, period);
        Self {
            weights: Weights::random(&inputs, range.mean.len(), seed),
            range,
            inputs,
        }
    }

    /// Features in a frame.
    pub fn feature_width(&self) -> usize {
        self.range.mean.len()
    }

    /// Number of weights.
    pub fn weight_count(&self) -> usize {
        self.weights.arrays.iter().map(|a| a.data.len()).sum()
    }

    /// The same network with its output fixed at the capture's mean: spectrum-matched noise.
    pub(crate) fn stationary(&self) -> Self {
        let mut out = self.clone();
        out.weights.arrays[array::HEAD_WEIGHT].data.fill(0.0);
        out.weights.arrays[array::HEAD_BIAS].data.fill(0.0);
        out
    }

    /// Rounds every weight to half precision, in which models are kept: what plays after a fit is what
    /// plays after loading.
    pub(crate) fn round_to_half(&mut self) {
        for x in self.weights.arrays.iter_mut().flat_map(|a| &mut a.data) {
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
        self.frames_into(
            seed,
            block * BLOCK_FRAMES as i64,
            BLOCK_FRAMES,
            scratch,
            out,
        );
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
        for (&temperature, out) in temperatures.iter().zip(out.chunks_exact_mut(size)) {
            // Filled anew each time: a share of the work that is not worth a second copy.
            self.inputs
                .fill(seed, block * BLOCK_FRAMES as i64, BLOCK_FRAMES, inputs);
            for input in inputs.iter_mut() {
                for x in &mut input.noise {
                    *x *= temperature;
                }
            }
            self.forward(inputs, BLOCK_FRAMES, scales, out);
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
        self.forward(inputs, frames, scales, out);
    }

    /// Features of `frames` frames from `inputs` that were filled for as many.
    pub(crate) fn forward(
        &self,
        inputs: &[ScaleInputs; SCALES],
        frames: usize,
        scales: &mut [Activations; SCALES],
        out: &mut [f32],
    ) {
        let spans = inputs::spans(frames);
        let weight = |i: usize| self.weights.arrays[i].data.as_slice();
        let table = if self.inputs.period.is_some() {
            weight(array::TABLE)
        } else {
            &[]
        };
        for (s, input) in inputs.iter().enumerate() {
            let (coarser, here) = scales.split_at_mut(s);
            let (coarse, hidden, skipped) = match coarser.last() {
                Some(scale) => (scale.hidden.as_slice(), HIDDEN, inputs::skip(&spans, s)),
                None => (&[][..], 0, 0),
            };
            let scale = &mut here[0];
            let parts = input.parts(skipped);
            let width = parts.width(hidden, TABLE_CHANNELS);
            scale.joined.resize(parts.columns * width, 0.0);
            layers::join(
                &parts,
                coarse,
                hidden,
                table,
                TABLE_CHANNELS,
                &mut scale.joined,
            );
            scale.first.resize((parts.columns - 2) * HIDDEN, 0.0);
            let (w, b) = (array::first_weight(s), array::first_bias(s));
            layers::convolve(&scale.joined, width, weight(w), weight(b), &mut scale.first);
            scale.second.resize((parts.columns - 4) * HIDDEN, 0.0);
            let (w, b) = (array::second_weight(s), array::second_bias(s));
            layers::convolve(
                &scale.first,
                HIDDEN,
                weight(w),
                weight(b),
                &mut scale.second,
            );
            scale.hidden.resize(scale.second.len(), 0.0);
            layers::residual(&scale.first, &scale.second, HIDDEN, &mut scale.hidden);
        }
        let (w, b) = (weight(array::HEAD_WEIGHT), weight(array::HEAD_BIAS));
        layers::head(&scales[SCALES - 1].hidden, HIDDEN, w, b, &self.range, out);
    }
}

impl ScaleInputs {
    /// As the layers see them, with `skip` doubled columns of the coarser scale left out.
    pub fn parts(&self, skip: usize) -> JoinParts<'_> {
        JoinParts {
            columns: self.columns,
            noise: &self.noise,
            harmonics: &self.harmonics,
            table_weights: &self.table_weights,
            skip,
        }
    }
}
