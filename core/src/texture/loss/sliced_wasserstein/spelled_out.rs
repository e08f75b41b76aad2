//! The loss of a step spelled out for its plain form.

use super::SlicedWasserstein;
use super::filters::FAMILY;
use super::plain::{PlainProjection, PlainSet};
use super::projections::Term;
use super::targets::{StepTargets, Target};

impl SlicedWasserstein {
    /// The sets of a step with every projection spelled out: its weights of each frame's features.
    pub(crate) fn spelled_out(&self, targets: &StepTargets) -> Vec<PlainSet> {
        let width = self.shape.width();
        let families = targets.banks.iter().flatten();
        let families: Vec<_> = families
            .zip(targets.filters.chunks_exact(FAMILY * width))
            .collect();
        let project = |target: &Target, filters: &[f32]| {
            let terms = target.projection.terms.iter();
            let weights = |term: &Term| {
                let filter = &filters[term.filter * width..(term.filter + 1) * width];
                let weight = f64::from(term.weight);
                filter.iter().map(|x| weight * f64::from(*x)).collect()
            };
            PlainProjection {
                taps: terms.map(|term| (term.frame, weights(term))).collect(),
            }
        };
        let sets = self.sets.list().iter().enumerate();
        sets.map(|(i, set)| PlainSet {
            pool: set.pool,
            reach: set.reach,
            weight: set.weight.into(),
            projections: families
                .iter()
                .map(|(targets, filters)| project(&targets[i], filters))
                .collect(),
        })
        .collect()
    }
}
