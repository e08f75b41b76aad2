//! The loss of the fit: sliced Wasserstein distance between the distributions of random projections of
//! synthesis and capture (Rabin et al. 2011; as a loss of textures, Heitz et al. 2021), over a pyramid of time
//! scales and, for rhythm, over pairs of frames.
//!
//! Fresh filters each step can't be overfitted, and sorting matches whole distributions, not moments.
//! Every step draws one set of filters over the features of a frame; all projections of stretches of
//! frames are sums of these filters' outputs at different frames, so that the features are multiplied
//! once, whatever the number of scales.

mod filters;
#[cfg(test)]
pub(crate) mod plain;
mod pooling;
mod projections;
mod ranks;
mod sets;
#[cfg(test)]
mod spelled_out;
mod step;
mod targets;

pub(crate) use filters::FeatureShape;
pub use step::StepLoss;
pub(crate) use targets::{StepTargets, TargetBank};

use crate::numeric::linalg::{View, multiply, multiply_strided};
use crate::numeric::random::Sequence;
use crate::texture::Period;
use filters::{FAMILY, FamilyKind, draw_family};
use pooling::Pooled;
use projections::Projection;
use ranks::Ranker;
use sets::Sets;
use targets::Target;

/// Families of filters that are drawn and ranked together, by one thread.
const BANK_FAMILIES: usize = 4;
const BANK: usize = BANK_FAMILIES * FAMILY;
/// Banks in a step.
pub(crate) const BANKS: usize = 8;
/// Filters in a step.
const FILTERS: usize = BANKS * BANK;
/// Of a longer capture, every step looks at so many frames from a random place: 16 s at 44.1 kHz.
const REFERENCE_FRAMES: usize = 1_376;

/// The loss against one capture.
///
/// Each step has filters of its own, and so a loss of its own ([`at_step`](Self::at_step)). The fit on the
/// processor takes the same loss in parts that can be worked on at the same time: it draws bank by bank,
/// applies the filters to parts of the synthesis, compares the outputs bank by bank, which also gives the
/// gradient by them, and leads from there to the gradient by the parts of the synthesis.
#[derive(Clone, Debug)]
pub struct SlicedWasserstein {
    shape: FeatureShape,
    /// One over the whitening of every feature.
    scale: Vec<f32>,
    /// The capture's features.
    reference: Vec<f32>,
    /// Frames of the synthesis.
    frames: usize,
    sets: Sets,
}

impl SlicedWasserstein {
    /// Prepares the capture's `features` (`frames × shape.width()`), for syntheses of `frames` frames.
    pub(crate) fn new(
        features: Vec<f32>,
        shape: FeatureShape,
        whitening: &[f32],
        periods: &[Period],
        frame_rate: f64,
        frames: usize,
    ) -> Self {
        let reference_frames = (features.len() / shape.width()).min(REFERENCE_FRAMES);
        Self {
            shape,
            scale: whitening.iter().map(|w| 1.0 / w).collect(),
            reference: features,
            frames,
            sets: Sets::new(frames.min(reference_frames), frame_rate, periods),
        }
    }

    /// Sum of the sets' weights.
    pub(crate) fn weight(&self) -> f32 {
        self.sets.weight()
    }

    /// Draws bank `bank` of a step, and ranks the capture's projections.
    pub(crate) fn draw(&self, seed: u64, step: u64, bank: usize) -> TargetBank {
        let mut random = Sequence::new(seed, step << 8 | bank as u64);
        let kind = |family: usize| [FamilyKind::Rough, FamilyKind::Smooth][family % 2];
        let filters = self.draw_filters(&mut random, kind);
        let projections: Vec<Vec<Projection>> = (0..BANK_FAMILIES)
            .map(|family| {
                let sets = self.sets.iter();
                sets.map(|set| self.sets.draw_projection(&mut random, kind(family), set))
                    .collect()
            })
            .collect();
        // All banks of a step look at the same part of the capture.
        let width = self.shape.width();
        let frames = self.reference.len() / width;
        let rows = frames.min(REFERENCE_FRAMES);
        let start = Sequence::new(!seed, step).below(frames - rows + 1) * width;
        let part = &self.reference[start..start + rows * width];
        self.bank_with(part, filters, projections)
    }

    /// The filters of a bank, scaled by the whitening.
    fn draw_filters(&self, random: &mut Sequence, kind: impl Fn(usize) -> FamilyKind) -> Vec<f32> {
        let width = self.shape.width();
        let mut filters = vec![0.0; BANK * width];
        for (i, family) in filters.chunks_exact_mut(FAMILY * width).enumerate() {
            draw_family(random, kind(i), i / 2 % 2 == 0, self.shape, family);
        }
        for filter in filters.chunks_exact_mut(width) {
            for (x, scale) in filter.iter_mut().zip(&self.scale) {
                *x *= scale;
            }
        }
        filters
    }

    /// A bank of these filters (already scaled by the whitening) and projections.
    fn bank_with(
        &self,
        reference: &[f32],
        filters: Vec<f32>,
        projections: Vec<Vec<Projection>>,
    ) -> TargetBank {
        let outputs = apply_filters(reference, self.shape.width(), &filters);
        let rows = reference.len() / self.shape.width();
        let mut ranker = Ranker::default();
        let mut projected = Vec::new();
        let families = projections
            .into_iter()
            .zip(outputs.chunks_exact(FAMILY * rows))
            .map(|(projections, outputs)| {
                let pooled = Pooled::new(outputs, rows);
                let sets = projections.into_iter().zip(self.sets.iter());
                sets.map(|(projection, set)| {
                    let outputs = pooled.at(set.pool);
                    let count = outputs.length - set.reach;
                    projection.project(&outputs, count, &mut projected);
                    let wanted = self.frames / set.pool - set.reach;
                    Target::new(projection, &projected, wanted, &mut ranker)
                })
                .collect()
            })
            .collect();
        TargetBank { filters, families }
    }

    /// The outputs of a step's filters on a part of a synthesis: a run of frames for each filter.
    pub(crate) fn apply_filters(&self, features: &[f32], targets: &StepTargets) -> Vec<f32> {
        apply_filters(features, self.shape.width(), &targets.filters)
    }

    /// The part of the loss that bank `bank` finds, and its gradient by the filters' outputs (a run of
    /// frames for each filter of the bank), from the outputs on the parts of a synthesis.
    pub(crate) fn compare(
        &self,
        parts: &[&[f32]],
        targets: &StepTargets,
        bank: usize,
    ) -> (f32, Vec<f32>) {
        let frames = self.frames;
        let mut outputs = Vec::with_capacity(FAMILY * frames);
        let (mut ranker, mut projected) = (Ranker::default(), Vec::new());
        let mut value = 0.0;
        let mut gradient = vec![0.0; BANK * frames];
        let families = gradient.chunks_exact_mut(FAMILY * frames);
        for (i, (gradient, targets)) in families.zip(&targets.banks[bank]).enumerate() {
            let place = bank * BANK_FAMILIES + i;
            outputs.clear();
            for filter in place * FAMILY..(place + 1) * FAMILY {
                for part in parts {
                    let rows = part.len() / FILTERS;
                    outputs.extend_from_slice(&part[filter * rows..(filter + 1) * rows]);
                }
            }
            let pooled = Pooled::new(&outputs, frames);
            let mut pooled_gradient = pooled.zeros_like();
            for (target, set) in targets.iter().zip(self.sets.iter()) {
                let outputs = pooled.at(set.pool);
                let count = outputs.length - set.reach;
                let projection = &target.projection;
                projection.project(&outputs, count, &mut projected);
                let families = (BANKS * BANK_FAMILIES) as f32;
                value += target.distance(&mut projected, set.weight / families, &mut ranker);
                let gradient = pooled_gradient.at_mut(set.pool);
                projection.project_backward(&projected, outputs.length, gradient);
            }
            pooled_gradient.backward(gradient);
        }
        (value, gradient)
    }

    /// Gradient by the features of frames `first .. first + features.len() / width`, from the gradient by
    /// all filters' outputs (a run of all frames for each filter).
    pub(crate) fn filters_backward(
        &self,
        by_outputs: &[f32],
        targets: &StepTargets,
        first: usize,
        features: &mut [f32],
    ) {
        let width = self.shape.width();
        let by_outputs = View::strided(
            &by_outputs[first..],
            features.len() / width,
            FILTERS,
            1,
            self.frames,
        );
        let filters = View::new(&targets.filters, FILTERS, width);
        multiply(features, by_outputs, filters, false);
    }
}

/// Outputs of `filters` (runs of `width` weights) on `x` (`frames × width`): a run of frames for each.
fn apply_filters(x: &[f32], width: usize, filters: &[f32]) -> Vec<f32> {
    let (rows, count) = (x.len() / width, filters.len() / width);
    let mut out = vec![0.0; rows * count];
    let filters = View::new(filters, count, width).transposed();
    multiply_strided(
        &mut out,
        (1, rows),
        View::new(x, rows, width),
        filters,
        false,
    );
    out
}
