//! The loss of the fit: sliced Wasserstein distance between the distributions of random projections of
//! synthesis and capture (Rabin et al. 2011; as a loss of textures, Heitz et al. 2021), over a pyramid of time
//! scales and, for rhythm, over pairs of frames.
//!
//! Filters that come and go can't be overfitted, and sorting matches whole distributions, not moments.
//! A step has one set of filters over the features of a frame; all projections of stretches of frames are
//! sums of these filters' outputs at different frames, so that the features are multiplied once, whatever
//! the number of scales. Filters stay for a few steps, since what the capture answers to them takes longer
//! to rank than what a step synthesizes: of eight banks, every step renews the one that has served longest.

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

pub use filters::{FAMILY, FeatureShape};
pub use projections::{Projection, Term};
pub use ranks::Ranker;
pub use sets::Set;
pub use step::StepLoss;
pub use targets::VARIANCE_FLOOR;
pub(crate) use targets::{StepTargets, TargetBank};

use std::ops::Range;

use crate::numeric::linalg::{View, multiply, multiply_strided};
use crate::numeric::random::Sequence;
use crate::texture::Period;
use crate::texture::loss::ContextLoss;
use filters::{FamilyKind, draw_family};
use pooling::Pooled;
use sets::Sets;
use targets::Target;

/// Families of filters that are drawn and ranked together, by one thread.
pub const BANK_FAMILIES: usize = 4;
const BANK: usize = BANK_FAMILIES * FAMILY;
/// Banks in a step.
pub const BANKS: usize = 8;
/// Filters in a step.
const FILTERS: usize = BANKS * BANK;

/// The loss against one capture.
///
/// Filters are drawn from a seed and the number of a step, and so is the loss that they make
/// ([`at_step`](Self::at_step)). The fit on the processor takes the same loss in parts that can be worked on
/// at the same time: it draws bank by bank, applies the filters to parts of the synthesis, compares the
/// outputs bank by bank, which also gives the gradient by them, and leads from there to the gradient by the
/// parts of the synthesis.
#[derive(Clone, Debug)]
pub struct SlicedWasserstein {
    shape: FeatureShape,
    /// One over the whitening of every feature.
    scale: Vec<f32>,
    /// The capture's features.
    reference: Vec<f32>,
    sets: Sets,
}

/// The random filters and projections of one bank, before anything is known of what the capture answers to them.
#[derive(Clone, Debug)]
pub struct DrawnBank {
    /// A run of weights for each filter, one weight for each feature; divided by the whitening already.
    pub filters: Vec<f32>,
    /// Of every family, a projection for each set.
    pub projections: Vec<Vec<Projection>>,
}

/// What a bank finds of a step.
pub(crate) struct BankComparison {
    /// Its part of the loss.
    pub value: f32,
    /// The same by set.
    pub by_set: Vec<f32>,
    /// Gradient by the outputs of its filters, a run of frames for each.
    pub by_outputs: Vec<f32>,
}

impl SlicedWasserstein {
    /// Prepares the capture's `features` (`frames × shape.width()`), for syntheses of `shortest` frames and
    /// more.
    pub(crate) fn new(
        features: Vec<f32>,
        shape: FeatureShape,
        whitening: &[f32],
        periods: &[Period],
        frame_rate: f64,
        shortest: usize,
    ) -> Self {
        let reference_frames = features.len() / shape.width();
        Self {
            shape,
            scale: whitening.iter().map(|w| 1.0 / w).collect(),
            reference: features,
            sets: Sets::new(shortest.min(reference_frames), frame_rate, periods),
        }
    }

    /// What a frame's features are.
    pub fn shape(&self) -> FeatureShape {
        self.shape
    }

    /// The capture's features, frame after frame.
    pub fn reference(&self) -> &[f32] {
        &self.reference
    }

    /// What distributions are compared: the sets of the loss, in the order of a bank's projections.
    pub fn sets(&self) -> &[Set] {
        self.sets.list()
    }

    /// Frames of the capture.
    pub fn reference_frames(&self) -> usize {
        self.reference.len() / self.shape.width()
    }

    /// The moments of the capture's contexts, at `frame_rate` frames a second.
    pub(crate) fn contexts(&self, frame_rate: f64) -> Option<ContextLoss> {
        ContextLoss::new(&self.reference, self.shape, frame_rate)
    }

    /// A stretch of the capture of at most `frames` frames, from a random place: which frames those are.
    pub fn stretch(&self, random: &mut Sequence, frames: usize) -> Range<usize> {
        let all = self.reference_frames();
        let rows = all.min(frames);
        let start = random.below(all - rows + 1);
        start..start + rows
    }

    /// Sum of the sets' weights.
    pub fn weight(&self) -> f32 {
        self.sets.weight()
    }

    /// Draws bank `bank` as it is new in a step, and ranks the capture's projections.
    pub(crate) fn draw(&self, seed: u64, step: u64, bank: usize) -> TargetBank {
        self.ranked(self.draw_bank(seed, step, bank))
    }

    /// Draws the filters and projections of bank `bank` as they are new in a step.
    pub fn draw_bank(&self, seed: u64, step: u64, bank: usize) -> DrawnBank {
        let mut random = Sequence::new(seed, step << 8 | bank as u64);
        let kind = |family: usize| [FamilyKind::Rough, FamilyKind::Smooth][family % 2];
        let filters = self.draw_filters(&mut random, kind);
        let projections = (0..BANK_FAMILIES).map(|family| {
            let sets = self.sets.list().iter();
            sets.map(|set| self.sets.draw_projection(&mut random, kind(family), set))
                .collect()
        });
        DrawnBank {
            projections: projections.collect(),
            filters,
        }
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

    /// A bank with what the capture answers to it.
    fn ranked(&self, drawn: DrawnBank) -> TargetBank {
        let DrawnBank {
            filters,
            projections,
        } = drawn;
        let outputs = apply_filters(&self.reference, self.shape.width(), &filters);
        let rows = self.reference_frames();
        let mut ranker = Ranker::default();
        let mut projected = Vec::new();
        let families = projections
            .into_iter()
            .zip(outputs.chunks_exact(FAMILY * rows))
            .map(|(projections, outputs)| {
                let pooled = Pooled::new(outputs, rows);
                let sets = projections.into_iter().zip(self.sets.list());
                sets.map(|(projection, set)| {
                    let outputs = pooled.at(set.pool);
                    let count = outputs.length - set.reach;
                    projection.project(&outputs, count, &mut projected);
                    Target::new(projection, &projected, &mut ranker)
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

    /// What bank `bank` finds, from the outputs of all filters on the parts of a synthesis.
    pub(crate) fn compare(
        &self,
        parts: &[&[f32]],
        targets: &StepTargets,
        bank: usize,
    ) -> BankComparison {
        let frames = parts.iter().map(|part| part.len() / FILTERS).sum();
        let mut outputs = Vec::with_capacity(FAMILY * frames);
        let (mut ranker, mut projected) = (Ranker::default(), Vec::new());
        let mut value = 0.0;
        let mut by_set = vec![0.0; self.sets().len()];
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
            for ((target, set), of_set) in targets.iter().zip(self.sets()).zip(&mut by_set) {
                let outputs = pooled.at(set.pool);
                let count = outputs.length - set.reach;
                let projection = &target.projection;
                projection.project(&outputs, count, &mut projected);
                let families = (BANKS * BANK_FAMILIES) as f32;
                let distance = target.distance(&mut projected, set.weight / families, &mut ranker);
                value += distance;
                *of_set += distance;
                let gradient = pooled_gradient.at_mut(set.pool);
                projection.project_backward(&projected, outputs.length, gradient);
            }
            pooled_gradient.backward(gradient);
        }
        BankComparison {
            value,
            by_set,
            by_outputs: gradient,
        }
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
        let frames = by_outputs.len() / FILTERS;
        let by_outputs = &by_outputs[first..];
        let by_outputs = View::strided(by_outputs, features.len() / width, FILTERS, 1, frames);
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
