//! What stands beside what: the mean and the covariance of *contexts*, stretches of a tenth of a second over coarse
//! bands, by the Fréchet distance of Gaussians (Dowson & Landau 1982, eq. 4).
//!
//! Random projections see every distribution, each with the noise of one step's frames. These moments are few enough
//! to be remembered from step to step: how far the network is off is known from the frames of many steps, and those
//! of the last one only show which way they move it. So a step is told what it could not see itself.

use super::FeatureShape;
use crate::numeric::eigen::eigen;
use crate::numeric::linalg::{View, add, multiply, multiply_strided};

/// Coarse bands of a channel, at most; they overlap by half.
const COARSE_BANDS: usize = 64;
/// Fewest bands in the width of a coarse one.
const LEAST_BANDS: usize = 2;
/// Channels whose contexts are looked at: mid and side.
const CHANNELS: usize = 2;
/// Frames of a context.
const TAPS: usize = 3;
/// Seconds from one of them to the next: three span 46 ms, with their windows a tenth of a second.
const STRIDE_S: f64 = 0.023;
/// Part of the capture's variance that the components have which are compared.
const VARIANCE_SHARE: f64 = 0.995;
/// Added to every variance that a difference is divided by, in mean variances.
const VARIANCE_FLOOR: f64 = 0.02;
/// Fewest contexts of a capture whose moments say something.
const LEAST_CONTEXTS: usize = 50;
/// What is remembered of the moments from one step to the next: some ten steps' frames count.
const MEMORY: f32 = 0.9;

/// The moments of a capture's contexts, in their own principal components: there the capture has no mean, and a
/// diagonal covariance.
///
/// Frames are looked at in *lanes*: those of a lane are a stride apart, so that a context is some consecutive rows of
/// it, and looking at contexts is a convolution.
#[derive(Clone, Debug)]
pub struct ContextLoss {
    /// Features of a frame.
    width: usize,
    /// Coarse bands of a frame, all channels.
    bands: usize,
    /// Frames from one tap of a context to the next: as many as there are lanes.
    stride: usize,
    /// Weights of the features in every coarse band, `width × bands`.
    pooling: Vec<f32>,
    /// Principal components, `taps · bands × components`.
    basis: Vec<f32>,
    /// The capture's mean, in these components.
    mean: Vec<f32>,
    /// Variance of each.
    variances: Vec<f32>,
    /// Added to variances that a difference is divided by.
    floor: f32,
    /// Variance of all contexts.
    total_variance: f32,
}

/// The contexts of some frames of a synthesis, in the capture's components.
#[derive(Debug, Default)]
pub(crate) struct SeenContexts {
    /// `contexts × components`.
    values: Vec<f32>,
    sum: Vec<f32>,
    /// Sums of products.
    products: Vec<f32>,
    count: usize,
}

/// Moments of the contexts of the last steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContextMemory {
    moments: Option<Moments>,
}

/// First moments, and second ones about nothing.
#[derive(Clone, Debug)]
struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

/// What became of a comparison.
#[derive(Clone, Debug)]
pub(crate) struct ContextComparison {
    mean: Vec<f32>,
    /// Half the gradient by the covariance.
    by_covariance: Vec<f32>,
    count: usize,
}

impl ContextLoss {
    /// Measures the capture's `features` (`frames × shape.width()`) at `frame_rate` frames a second; none for a
    /// capture with too few contexts, or whose contexts are all alike.
    pub(crate) fn new(features: &[f32], shape: FeatureShape, frame_rate: f64) -> Option<Self> {
        let per_channel = COARSE_BANDS.min(shape.bands / LEAST_BANDS);
        let bands = per_channel * shape.channels.min(CHANNELS);
        if bands == 0 {
            return None;
        }
        let size = TAPS * bands;
        let mut loss = Self {
            width: shape.width(),
            bands,
            stride: ((STRIDE_S * frame_rate).round() as usize).max(1),
            pooling: pooling(shape, per_channel),
            basis: Vec::new(),
            mean: Vec::new(),
            variances: Vec::new(),
            floor: 0.0,
            total_variance: 0.0,
        };
        let lanes: Vec<Vec<f32>> = (0..loss.stride)
            .map(|lane| loss.coarse(features, lane))
            .collect();
        let count: usize = lanes.iter().map(|lane| loss.count(lane)).sum();
        if count < LEAST_CONTEXTS {
            return None;
        }
        let (mean, covariance) = moments(lanes, bands);
        let total: f64 = covariance.iter().step_by(size + 1).sum();
        let mut components = eigen(covariance, size);
        let mut known = 0.0;
        components.retain(|component| {
            let is_needed = known < VARIANCE_SHARE * total;
            known += component.value;
            is_needed
        });
        loss.variances = components.iter().map(|c| c.value as f32).collect();
        let projected = |vector: &[f64]| mean.iter().zip(vector).map(|(m, v)| m * v).sum();
        let projected = components.iter().map(|c| -> f64 { projected(&c.vector) });
        loss.mean = projected.map(|m| m as f32).collect();
        loss.basis = (0..size)
            .flat_map(|i| components.iter().map(move |c| c.vector[i] as f32))
            .collect();
        loss.floor = (VARIANCE_FLOOR * total / size as f64) as f32;
        loss.total_variance = total as f32;
        (!loss.variances.is_empty() && total.is_finite()).then_some(loss)
    }

    /// Coarse bands of a frame, all channels.
    pub fn bands(&self) -> usize {
        self.bands
    }

    /// Frames of a context, which are [`stride`](Self::stride) apart.
    pub const fn taps() -> usize {
        TAPS
    }

    /// Frames from one tap of a context to the next.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Weights of the features in every coarse band, `width × bands`.
    pub fn pooling(&self) -> &[f32] {
        &self.pooling
    }

    /// The capture's principal components, `taps · bands × components`.
    pub fn basis(&self) -> &[f32] {
        &self.basis
    }

    /// The capture's mean, in these components.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The capture's variance of every component.
    pub fn variances(&self) -> &[f32] {
        &self.variances
    }

    /// Added to variances that a difference is divided by.
    pub fn floor(&self) -> f32 {
        self.floor
    }

    /// Variance of all the capture's contexts.
    pub fn total_variance(&self) -> f32 {
        self.total_variance
    }

    /// What is remembered of the moments of earlier steps; the rest of them is the last step's.
    pub const fn memory() -> f32 {
        MEMORY
    }

    /// The coarse bands of the frames of a lane, `rows × bands`.
    fn coarse(&self, features: &[f32], lane: usize) -> Vec<f32> {
        let rows = self.rows(features.len() / self.width, lane);
        let mut coarse = vec![0.0; rows * self.bands];
        let step = self.stride * self.width;
        let frames = features.get(lane * self.width..).unwrap_or_default();
        let frames = View::strided(frames, rows, self.width, step, 1);
        let pooling = View::new(&self.pooling, self.width, self.bands);
        multiply(&mut coarse, frames, pooling, false);
        coarse
    }

    /// Frames of a lane, of `frames` in all.
    fn rows(&self, frames: usize, lane: usize) -> usize {
        frames.saturating_sub(lane).div_ceil(self.stride)
    }

    /// Contexts in a lane of coarse bands.
    fn count(&self, coarse: &[f32]) -> usize {
        (coarse.len() / self.bands).saturating_sub(TAPS - 1)
    }

    /// Looks at the contexts of some frames of a synthesis.
    pub(crate) fn see(&self, features: &[f32]) -> SeenContexts {
        let (size, components) = (TAPS * self.bands, self.variances.len());
        let basis = View::new(&self.basis, size, components);
        let less_mean: Vec<f32> = self.mean.iter().map(|m| -m).collect();
        let mut seen = SeenContexts::default();
        for lane in 0..self.stride {
            let coarse = self.coarse(features, lane);
            let count = self.count(&coarse);
            let mut values = less_mean.repeat(count);
            let contexts = View::windows(&coarse, self.bands, TAPS);
            multiply(&mut values, contexts, basis, true);
            seen.values.append(&mut values);
            seen.count += count;
        }
        seen.sum = vec![0.0; components];
        for row in seen.values.chunks_exact(components) {
            add(&mut seen.sum, row);
        }
        seen.products = vec![0.0; components * components];
        let view = View::new(&seen.values, seen.count, components);
        multiply(&mut seen.products, view.transposed(), view, false);
        seen
    }

    /// Compares the moments of all of a step's contexts, and of those before it, with the capture's.
    ///
    /// To the second order, the Fréchet distance of the covariances `Λ` (diagonal) and `Λ + Δ` is
    /// `½ Σ Δᵢⱼ² / (λᵢ + λⱼ)`, and that of the means is the square of theirs. The loss is their sum, as a part of the
    /// capture's variance; what is needed of it is the gradient.
    pub(crate) fn compare(
        &self,
        seen: &[&SeenContexts],
        memory: &mut ContextMemory,
    ) -> ContextComparison {
        let components = self.variances.len();
        let count = seen.iter().map(|part| part.count).sum::<usize>();
        let mut moments = Moments {
            first: vec![0.0; components],
            second: vec![0.0; components * components],
        };
        for part in seen {
            add(&mut moments.first, &part.sum);
            add(&mut moments.second, &part.products);
        }
        let share = 1.0 / count.max(1) as f32;
        let of_both = [&mut moments.first, &mut moments.second];
        of_both.into_iter().flatten().for_each(|x| *x *= share);
        let Moments { first, second } = memory.remember(moments);

        let mut by_covariance = vec![0.0; second.len()];
        let rows = by_covariance.chunks_exact_mut(components);
        for (i, (row, second)) in rows.zip(second.chunks_exact(components)).enumerate() {
            for (j, (by, second)) in row.iter_mut().zip(second).enumerate() {
                let wanted = if i == j { self.variances[i] } else { 0.0 };
                let off = second - first[i] * first[j] - wanted;
                *by = off / (self.variances[i] + self.variances[j] + 2.0 * self.floor);
            }
        }
        ContextComparison {
            mean: first.clone(),
            by_covariance,
            count,
        }
    }

    /// Adds `weight` times the gradient by the features that were `seen` to `gradient`.
    pub(crate) fn backward(
        &self,
        seen: &SeenContexts,
        compared: &ContextComparison,
        weight: f32,
        gradient: &mut [f32],
    ) {
        let components = self.variances.len();
        // By a value: 2 (mean + ∂/∂covariance · (value − mean)) / count.
        let by_covariance = View::new(&compared.by_covariance, components, components);
        let mut constant = vec![0.0; components];
        let mean = View::new(&compared.mean, 1, components);
        multiply(&mut constant, mean, by_covariance, false);
        for (c, mean) in constant.iter_mut().zip(&compared.mean) {
            *c = mean - *c;
        }
        let mut by_values = constant.repeat(seen.count);
        let values = View::new(&seen.values, seen.count, components);
        multiply(&mut by_values, values, by_covariance, true);
        let scale = 2.0 * weight / (self.total_variance * compared.count.max(1) as f32);
        by_values.iter_mut().for_each(|d| *d *= scale);

        let frames = gradient.len() / self.width;
        let pooling = View::new(&self.pooling, self.width, self.bands);
        let step = self.stride * self.width;
        let mut rest = by_values.as_slice();
        for lane in 0..self.stride.min(frames) {
            let rows = self.rows(frames, lane);
            let mut by_coarse = vec![0.0; rows * self.bands];
            let count = self.count(&by_coarse);
            if count == 0 {
                continue;
            }
            let by_values = View::new(rest, count, components);
            for (tap, basis) in self.basis.chunks_exact(self.bands * components).enumerate() {
                let basis = View::new(basis, self.bands, components);
                let by_tap = &mut by_coarse[tap * self.bands..];
                multiply(by_tap, by_values, basis.transposed(), true);
            }
            rest = &rest[count * components..];
            let by_frames = &mut gradient[lane * self.width..];
            let by_coarse = View::new(&by_coarse, rows, self.bands);
            multiply_strided(by_frames, (step, 1), by_coarse, pooling.transposed(), true);
        }
    }
}

impl ContextMemory {
    /// Takes the moments of a step to those before it; what is remembered then.
    fn remember(&mut self, step: Moments) -> &Moments {
        if let Some(moments) = &mut self.moments {
            let runs = [
                (&mut moments.first, &step.first),
                (&mut moments.second, &step.second),
            ];
            for (known, new) in runs {
                for (known, new) in known.iter_mut().zip(new) {
                    *known += (1.0 - MEMORY) * (new - *known);
                }
            }
        }
        self.moments.get_or_insert(step)
    }
}

/// Mean and covariance (`size × size`) of the contexts in lanes of coarse bands.
fn moments(mut lanes: Vec<Vec<f32>>, bands: usize) -> (Vec<f64>, Vec<f64>) {
    let size = TAPS * bands;
    // Less the mean of every band before any product: what is left of a steady capture is small.
    let mut band_means = vec![0.0; bands];
    let mut frames = 0;
    for row in lanes.iter().flat_map(|lane| lane.chunks_exact(bands)) {
        add(&mut band_means, row);
        frames += 1;
    }
    band_means.iter_mut().for_each(|m| *m /= frames as f32);
    let (mut sum, mut products) = (vec![0.0; size], vec![0.0; size * size]);
    let mut count = 0.0;
    for lane in &mut lanes {
        for row in lane.chunks_exact_mut(bands) {
            for (x, m) in row.iter_mut().zip(&band_means) {
                *x -= m;
            }
        }
        let contexts = View::windows(lane, bands, TAPS);
        multiply(&mut products, contexts.transposed(), contexts, true);
        for context in lane.windows(size).step_by(bands) {
            add(&mut sum, context);
            count += 1.0;
        }
    }
    let mean: Vec<f64> = sum.iter().map(|x| f64::from(*x) / count).collect();
    let covariance = products
        .iter()
        .enumerate()
        .map(|(at, x)| f64::from(*x) / count - mean[at / size] * mean[at % size])
        .collect();
    let with_bands = mean.iter().zip(band_means.iter().cycle());
    let mean = with_bands.map(|(m, band)| m + f64::from(*band)).collect();
    (mean, covariance)
}

/// Triangles over the bands of the first channels, of unit sum, evenly spaced: `width × coarse bands`.
fn pooling(shape: FeatureShape, per_channel: usize) -> Vec<f32> {
    let channels = shape.channels.min(CHANNELS);
    let bands = per_channel * channels;
    let mut pooling = vec![0.0; shape.width() * bands];
    let spacing = shape.bands as f32 / per_channel.max(1) as f32;
    for coarse in 0..per_channel {
        let centre = (coarse as f32 + 0.5) * spacing;
        let weight = |band: usize| (1.0 - ((band as f32 + 0.5 - centre) / spacing).abs()).max(0.0);
        let sum: f32 = (0..shape.bands).map(weight).sum();
        for channel in 0..channels {
            for band in 0..shape.bands {
                let feature = channel * shape.bands + band;
                pooling[feature * bands + channel * per_channel + coarse] = weight(band) / sum;
            }
        }
    }
    pooling
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texture::loss::Loss;
    use crate::texture::loss::gradient_check::{gradient_error, random};

    const SHAPE: FeatureShape = FeatureShape {
        channels: 2,
        bands: 12,
    };
    const FRAME_RATE: f64 = 86.0;

    /// Noise whose neighbours in time and frequency have `share` of each other.
    fn features(seed: u64, frames: usize, share: f32) -> Vec<f32> {
        let width = SHAPE.width();
        let mut x = random(seed, frames * width, 1.0);
        for at in width..x.len() {
            x[at] += share * (x[at - 1] + x[at - width]);
        }
        x
    }

    fn loss() -> ContextLoss {
        ContextLoss::new(&features(1, 3_000, 0.3), SHAPE, FRAME_RATE).unwrap()
    }

    /// The loss of a comparison.
    fn distance(loss: &ContextLoss, compared: &ContextComparison) -> f64 {
        let components = loss.variances.len();
        let of_means: f64 = compared.mean.iter().map(|m| f64::from(*m).powi(2)).sum();
        let by_covariance = compared.by_covariance.iter().enumerate();
        let of_covariances: f64 = by_covariance
            .map(|(at, by)| {
                let [a, b] = [at / components, at % components].map(|i| loss.variances[i]);
                0.5 * f64::from(a + b + 2.0 * loss.floor) * f64::from(*by).powi(2)
            })
            .sum();
        (of_means + of_covariances) / f64::from(loss.total_variance)
    }

    /// A step that remembers nothing.
    struct OneStep(ContextLoss);

    impl Loss for OneStep {
        type Kept = (SeenContexts, ContextComparison);

        fn forward(&self, synthesis: &[f32]) -> (f64, Self::Kept) {
            let seen = self.0.see(synthesis);
            let compared = self.0.compare(&[&seen], &mut ContextMemory::default());
            (distance(&self.0, &compared), (seen, compared))
        }

        fn backward(&self, _: &[f32], kept: &Self::Kept, weight: f32, gradient: &mut [f32]) {
            self.0.backward(&kept.0, &kept.1, weight, gradient);
        }
    }

    #[test]
    fn its_gradient_is_that_of_its_value() {
        let error = gradient_error(&OneStep(loss()), &features(2, 200, 0.1), 1.0);
        assert!(error < 2e-3, "{error}");
    }

    #[test]
    fn it_is_nothing_for_the_capture_and_grows_with_what_is_off() {
        let of = |x: &[f32]| OneStep(loss()).forward(x).0;
        let same = of(&features(1, 3_000, 0.3));
        let other = of(&features(2, 3_000, 0.3));
        let unlike = of(&features(2, 3_000, 0.0));
        let louder: Vec<f32> = features(1, 3_000, 0.3).iter().map(|x| 1.2 * x).collect();
        assert!(same < 1e-4, "{same}");
        assert!(other < 0.5 * unlike, "{other} {unlike}");
        // Deviations of s and 1.2 s are 0.2 s apart: 0.04 of the variance, and 0.0484 to the second order.
        assert!((of(&louder) - 0.0484).abs() < 0.003, "{}", of(&louder));
    }

    #[test]
    fn what_is_remembered_has_less_noise_than_a_step() {
        let loss = loss();
        let mut memory = ContextMemory::default();
        let of_steps: Vec<[f64; 2]> = (0..60)
            .map(|step| {
                let seen = loss.see(&features(10 + step, 200, 0.3));
                let alone = loss.compare(&[&seen], &mut ContextMemory::default());
                let remembered = loss.compare(&[&seen], &mut memory);
                [alone, remembered].map(|compared| distance(&loss, &compared))
            })
            .collect();
        let [alone, remembered] = of_steps[59];
        assert!(remembered < 0.4 * alone, "{remembered} {alone}");
    }

    #[test]
    fn parts_are_compared_as_one() {
        let loss = loss();
        let parts = [features(2, 150, 0.2), features(3, 90, 0.2)];
        let [first, second] = parts.each_ref().map(|x| loss.see(x));
        let compared = loss.compare(&[&first, &second], &mut ContextMemory::default());
        assert_eq!(compared.count, first.count + second.count);
        let alone = |part| {
            let compared = loss.compare(&[part], &mut ContextMemory::default());
            distance(&loss, &compared)
        };
        let (a, b) = (alone(&first), alone(&second));
        let both = distance(&loss, &compared);
        assert!(both < a.max(b), "{both} {a} {b}");
    }

    #[test]
    fn a_capture_that_is_short_or_never_changes_has_none() {
        assert!(ContextLoss::new(&features(1, 40, 0.3), SHAPE, FRAME_RATE).is_none());
        let constant = vec![1.0; 600 * SHAPE.width()];
        assert!(ContextLoss::new(&constant, SHAPE, FRAME_RATE).is_none());
    }
}
