//! The critic's network: what it sees of a stretch of features, its verdicts, and the way back.

use super::convolution::{Convolution, ConvolutionGradient, Layout, Plane};
use crate::numeric::linalg::add;
use crate::numeric::random::Sequence;
use crate::numeric::simd::dispatch;
use crate::texture::loss::FeatureShape;

/// Channels of the layers.
const CHANNELS: [usize; 3] = [8, 16, 24];
/// Times and bands that a layer sees, and from one of its results to the next: together the layers see 22
/// frames, a quarter of a second at 44.1 kHz.
const KERNEL: usize = 4;
const STRIDE: usize = 2;
/// Times and bands that a verdict is made of. With it, a verdict sees 38 frames.
const HEAD_KERNEL: usize = 3;
/// Channels that tell in which band a place is.
const PLACE_CHANNELS: usize = 2;
/// Argument of the second of them, a sine, at the highest band; at the lowest it is the negative.
const PLACE_ARGUMENT: f32 = 6.0;
/// Slope of the leaky rectifier below zero.
const LEAK: f32 = 0.2;
/// Largest singular value of every layer: with the leaky rectifier, about the deviation is kept.
const GAIN: f32 = 1.6;
/// Fewest frames that have a verdict: see the kernels.
pub(crate) const LEAST_SEEN_FRAMES: usize = 38;

/// How features come before the critic: less a mean, times a scale, and blurred by noise.
#[derive(Clone, Debug)]
pub struct Sight {
    /// What a frame's features are.
    pub shape: FeatureShape,
    /// Of every feature.
    pub mean: Vec<f32>,
    /// Of every feature: one over its usual deviation.
    pub scale: Vec<f32>,
    /// Deviation of the noise, in deviations of a feature.
    pub noise: f32,
}

/// The critic's network.
#[derive(Clone, Debug)]
pub struct CriticNetwork {
    sight: Sight,
    layers: Vec<Convolution>,
    /// Verdicts on all bands together, and on single places.
    heads: [Convolution; 2],
    seed: u64,
}

/// What the critic thought of one stretch.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// What it saw, and the result of every layer.
    planes: Vec<Plane>,
    heads: [Plane; 2],
}

/// Which way every parameter of a critic should move.
#[derive(Clone, Debug)]
pub(crate) struct CriticGradient(Vec<ConvolutionGradient>);

fn mean(plane: &Plane) -> f32 {
    plane.values.iter().sum::<f32>() / plane.values.len().max(1) as f32
}

impl Verdict {
    /// The mean verdict of both heads: of real stretches, it is to be high.
    pub fn mean(&self) -> f32 {
        self.heads.iter().map(mean).sum()
    }
}

impl CriticGradient {
    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        for (sum, part) in self.0.iter_mut().zip(&other.0) {
            let sums = [&mut sum.weights, &mut sum.bias];
            for (sum, part) in sums.into_iter().zip([&part.weights, &part.bias]) {
                add(sum, part);
            }
        }
    }

    /// The gradients of every run of parameters, in the order of [`CriticNetwork::parameters_mut`].
    pub fn parts(&self) -> impl Iterator<Item = &[f32]> {
        let parts = self.0.iter();
        parts.flat_map(|g| [g.weights.as_slice(), g.bias.as_slice()])
    }
}

impl CriticNetwork {
    /// Slope of its leaky rectifiers below zero.
    pub const LEAK: f32 = LEAK;
    /// Largest singular value of every layer.
    pub const GAIN: f32 = GAIN;

    /// How features come before it.
    pub fn sight(&self) -> &Sight {
        &self.sight
    }

    /// The layers, one after the other.
    pub fn layers(&self) -> &[Convolution] {
        &self.layers
    }

    /// The two heads, both on the last layer's result.
    pub fn heads(&self) -> &[Convolution; 2] {
        &self.heads
    }

    /// Channels that tell of every band in which place it is; the layers see them behind those of the features.
    pub fn places(&self) -> Vec<[f32; PLACE_CHANNELS]> {
        let bands = self.sight.shape.bands;
        let place = |band: usize| 2.0 * band as f32 / (bands - 1).max(1) as f32 - 1.0;
        let places = (0..bands).map(place);
        places
            .map(|place| [place, (PLACE_ARGUMENT * place).sin()])
            .collect()
    }

    /// The noise numbered `noise` that blurs what it sees: a number for each channel of each band of each frame, to
    /// be multiplied by the sight's deviation.
    pub fn blur(&self, noise: u64) -> Sequence {
        Sequence::new(self.seed ^ !noise, noise)
    }

    /// A critic with random weights, which knows nothing yet.
    pub(crate) fn new(sight: Sight, seed: u64) -> Self {
        let mut random = Sequence::new(seed, 0);
        let mut inputs = sight.shape.channels + PLACE_CHANNELS;
        let mut bands = sight.shape.bands;
        let mut layers = Vec::with_capacity(CHANNELS.len());
        for outputs in CHANNELS {
            let layout = Layout {
                kernel: (KERNEL, KERNEL),
                stride: STRIDE,
                margin: 1,
                inputs,
                outputs,
            };
            bands = layout.result(KERNEL, bands).1;
            layers.push(Convolution::new(layout, GAIN, &mut random));
            inputs = outputs;
        }
        let head = |wide, margin| Layout {
            kernel: (HEAD_KERNEL, wide),
            stride: 1,
            margin,
            inputs,
            outputs: 1,
        };
        let heads = [head(bands, 0), head(HEAD_KERNEL, 1)];
        Self {
            sight,
            layers,
            heads: heads.map(|layout| Convolution::new(layout, GAIN, &mut random)),
            seed,
        }
    }

    /// Runs of parameters, to be moved. [`normalize`](Self::normalize) makes the moves count.
    pub(super) fn parameters_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let all = self.layers.iter_mut().chain(&mut self.heads);
        all.flat_map(Convolution::parameters_mut)
    }

    /// Brings every layer to its gain.
    pub(super) fn normalize(&mut self) {
        let all = self.layers.iter_mut().chain(&mut self.heads);
        all.for_each(|layer| layer.normalize(GAIN));
    }

    /// What it sees of a stretch, blurred by noise that is numbered by `noise`.
    fn look(&self, features: &[f32], noise: u64) -> Plane {
        let Sight {
            shape: shape @ FeatureShape { channels, bands },
            mean,
            scale,
            noise: deviation,
        } = &self.sight;
        let mut random = self.blur(noise);
        let wide = channels + PLACE_CHANNELS;
        let mut plane = Plane::zeros(features.len() / shape.width(), *bands, wide);
        let places = self.places();
        let rows = plane.values.chunks_exact_mut(bands * wide);
        for (row, frame) in rows.zip(features.chunks_exact(shape.width())) {
            for (band, values) in row.chunks_exact_mut(wide).enumerate() {
                for (channel, value) in values[..*channels].iter_mut().enumerate() {
                    let at = channel * bands + band;
                    let blur = deviation * random.nearly_gaussian();
                    *value = (frame[at] - mean[at]) * scale[at] + blur;
                }
                values[*channels..].copy_from_slice(&places[band]);
            }
        }
        plane
    }

    /// Judges a stretch of features (rows of the shape's width), at least [`LEAST_SEEN_FRAMES`] of them.
    /// `noise` numbers the noise that blurs it.
    pub(crate) fn judge(&self, features: &[f32], noise: u64) -> Verdict {
        let mut planes = vec![self.look(features, noise)];
        for layer in &self.layers {
            let mut plane = planes.last().map(|p| layer.apply(p)).unwrap_or_default();
            for x in &mut plane.values {
                *x = x.max(LEAK * *x);
            }
            planes.push(plane);
        }
        let heads = self.heads.each_ref();
        let heads = heads.map(|head| planes.last().map(|p| head.apply(p)).unwrap_or_default());
        Verdict { planes, heads }
    }

    /// Gradient of `−mean verdict` by the features of the stretch: which way they look less real.
    pub(crate) fn by_features(&self, verdict: &Verdict) -> Vec<f32> {
        let by_verdicts = verdict.heads.each_ref().map(|plane| {
            let mut dy = plane.zeros_like();
            let share = -1.0 / dy.values.len() as f32;
            dy.values.fill(share);
            dy
        });
        let plane = self.backward(verdict, &by_verdicts, None);
        let Sight {
            shape: shape @ FeatureShape { channels, bands },
            scale,
            ..
        } = &self.sight;
        let mut out = vec![0.0; plane.times * shape.width()];
        let rows = out.chunks_exact_mut(shape.width());
        for (row, frame) in rows.zip(plane.values.chunks_exact(bands * plane.channels)) {
            for (band, values) in frame.chunks_exact(plane.channels).enumerate() {
                for (channel, value) in values[..*channels].iter().enumerate() {
                    let at = channel * bands + band;
                    row[at] = value * scale[at];
                }
            }
        }
        out
    }

    /// The loss whose gradient by the parameters the critic learns by. Sum of both heads' means.
    #[cfg(test)]
    pub(crate) fn hinge(verdict: &Verdict, is_real: bool) -> f64 {
        let sign = if is_real { 1.0 } else { -1.0 };
        let of_head = |plane: &Plane| {
            let losses = plane
                .values
                .iter()
                .map(|&y| (1.0 - sign * f64::from(y)).max(0.0));
            losses.sum::<f64>() / plane.values.len() as f64
        };
        verdict.heads.iter().map(of_head).sum()
    }

    /// Gradient by the critic's parameters of its hinge loss on a stretch: verdicts on real ones are to be above
    /// 1, on synthesized ones below −1 (Lim & Ye 2017, section 3).
    pub(crate) fn by_parameters(&self, verdict: &Verdict, is_real: bool) -> CriticGradient {
        let sign = if is_real { 1.0 } else { -1.0 };
        let by_verdicts = verdict.heads.each_ref().map(|plane| {
            let mut dy = plane.zeros_like();
            let share = -sign / dy.values.len() as f32;
            for (d, y) in dy.values.iter_mut().zip(&plane.values) {
                *d = if sign * y < 1.0 { share } else { 0.0 };
            }
            dy
        });
        let all = self.layers.iter().chain(&self.heads);
        let mut gradients = CriticGradient(all.map(Convolution::zero_gradient).collect());
        self.backward(verdict, &by_verdicts, Some(&mut gradients));
        gradients
    }

    /// From the gradient by the verdicts to that by the parameters, where that is wanted, or else to that by
    /// what the critic saw, which is returned.
    fn backward(
        &self,
        verdict: &Verdict,
        by_verdicts: &[Plane; 2],
        gradients: Option<&mut CriticGradient>,
    ) -> Plane {
        let wants_input = gradients.is_none();
        let mut gradients: Vec<_> = match gradients {
            Some(CriticGradient(all)) => all.iter_mut().map(Some).collect(),
            None => (0..CHANNELS.len() + 2).map(|_| None).collect(),
        };
        let mut of_heads = gradients.split_off(CHANNELS.len());
        let last = &verdict.planes[CHANNELS.len()];
        let mut dx = last.zeros_like();
        let heads = self.heads.iter().zip(by_verdicts);
        for ((head, dy), gradient) in heads.zip(&mut of_heads) {
            head.backward(last, dy, Some(&mut dx), gradient.take());
        }
        for (i, (layer, gradient)) in self.layers.iter().zip(&mut gradients).enumerate().rev() {
            let mut dy = dx;
            rectifier_backward(&verdict.planes[i + 1], &mut dy);
            let plane = &verdict.planes[i];
            dx = plane.zeros_like();
            let wanted = (i > 0 || wants_input).then_some(&mut dx);
            layer.backward(plane, &dy, wanted, gradient.take());
        }
        dx
    }
}

/// The gradient by what came into a leaky rectifier, from that by its result `y`.
fn rectifier_backward(y: &Plane, dy: &mut Plane) {
    dispatch(
        #[inline(always)]
        || {
            for (d, y) in dy.values.iter_mut().zip(&y.values) {
                *d *= if *y < 0.0 { LEAK } else { 1.0 };
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texture::loss::gradient_check::random;

    const FRAMES: usize = 61;

    fn example(channels: usize) -> (CriticNetwork, Vec<f32>) {
        let shape = FeatureShape {
            channels,
            bands: 21,
        };
        let sight = Sight {
            shape,
            mean: random(1, shape.width(), 1.0),
            scale: random(2, shape.width(), 0.5)
                .iter()
                .map(|x| 1.0 + x.abs())
                .collect(),
            noise: 0.1,
        };
        (
            CriticNetwork::new(sight, 7),
            random(3, FRAMES * shape.width(), 1.0),
        )
    }

    fn dot(a: &[f32], b: &[f32]) -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    }

    /// Error of a slope against a central difference over `step`, as a part of the gradient's norm.
    fn slope_error(gradient: &[f32], direction: &[f32], step: f64, at: impl Fn(f64) -> f64) -> f64 {
        let difference = (at(step) - at(-step)) / (2.0 * step);
        let norm = dot(direction, direction).sqrt();
        let error = dot(gradient, direction) - difference;
        error.abs() / norm / dot(gradient, gradient).sqrt() * (gradient.len() as f64).sqrt()
    }

    #[test]
    fn gradients_by_features() {
        for channels in [1, 3] {
            let (network, features) = example(channels);
            let verdict = network.judge(&features, 5);
            let gradient = network.by_features(&verdict);
            for seed in 10..14 {
                let direction = random(seed, features.len(), 1.0);
                let error = slope_error(&gradient, &direction, 1e-3, |by| {
                    let moves = features.iter().zip(&direction);
                    let moved: Vec<f32> = moves.map(|(x, d)| x + by as f32 * d).collect();
                    -f64::from(network.judge(&moved, 5).mean())
                });
                println!("{channels} channels: {error:.1e}");
                assert!(error < 0.03, "{channels} channels: {error}");
            }
        }
    }

    #[test]
    fn gradients_by_parameters() {
        let (network, features) = example(2);
        for is_real in [true, false] {
            let verdict = network.judge(&features, 5);
            let gradient = network.by_parameters(&verdict, is_real);
            for (part, by_part) in gradient.parts().enumerate() {
                let direction = random(20 + part as u64, by_part.len(), 1.0);
                let error = slope_error(by_part, &direction, 3e-5, |by| {
                    let mut moved = network.clone();
                    // At the gain as it is: the largest singular value counts as a constant.
                    moved.move_at_fixed_gain(part, by as f32, &direction);
                    let verdict = moved.judge(&features, 5);
                    CriticNetwork::hinge(&verdict, is_real)
                });
                println!("part {part}, real {is_real}: {error:.1e}");
                assert!(error < 0.05, "part {part}, real {is_real}: {error}");
            }
        }
    }

    #[test]
    fn verdicts_are_local_in_time() {
        let (network, features) = example(1);
        let before = network.judge(&features, 5);
        let mut other = features.clone();
        let width = network.sight.shape.width();
        other[(FRAMES - 1) * width..].fill(9.0);
        other[..width].fill(-9.0);
        let after = network.judge(&other, 5);
        assert_ne!(before.heads[0].values, after.heads[0].values);
        // 61 frames have three verdicts on all bands together, and neither end reaches the middle one.
        assert_eq!(before.heads[0].times, 3);
        assert_eq!(before.heads[0].values[1], after.heads[0].values[1]);
    }

    #[test]
    fn the_least_that_is_seen_has_a_verdict() {
        let (network, features) = example(1);
        let width = network.sight.shape.width();
        let heads = |frames: usize| network.judge(&features[..frames * width], 0).heads;
        assert!(heads(LEAST_SEEN_FRAMES).iter().all(|head| head.times == 1));
        assert!(
            heads(LEAST_SEEN_FRAMES - 1)
                .iter()
                .all(|head| head.times == 0)
        );
    }

    impl CriticNetwork {
        fn move_at_fixed_gain(&mut self, part: usize, by: f32, direction: &[f32]) {
            let mut all = self.layers.iter_mut().chain(&mut self.heads);
            let layer = all.nth(part / 2).expect("a layer for every two parts");
            layer.move_at_fixed_gain(part % 2, by, direction);
        }
    }
}
