//! The whole loss of one step, on one thread.

use super::{BANKS, SlicedWasserstein, StepTargets};
use crate::texture::loss::Loss;

/// The loss of one step, with the filters that were drawn for it: the weighted sum of its sets' mean squared
/// Wasserstein distances, each over the capture's variance.
#[derive(Clone, Debug)]
pub struct StepLoss<'a> {
    loss: &'a SlicedWasserstein,
    targets: StepTargets,
}

impl SlicedWasserstein {
    /// The loss by the filters that are drawn at step `step` of a fit with this seed, for syntheses of at least
    /// [`LEAST_FRAMES`](crate::fit::LEAST_FRAMES) frames.
    pub fn at_step(&self, seed: u64, step: u32) -> StepLoss<'_> {
        let draw = |bank| self.draw(seed, step.into(), bank);
        StepLoss {
            loss: self,
            targets: StepTargets::new((0..BANKS).map(draw)),
        }
    }
}

impl Loss for StepLoss<'_> {
    /// Gradient by the outputs of all filters.
    type Kept = Vec<f32>;

    fn forward(&self, synthesis: &[f32]) -> (f64, Self::Kept) {
        let Self { loss, targets } = self;
        let outputs = loss.apply_filters(synthesis, targets);
        let (mut value, mut by_outputs) = (0.0, Vec::new());
        for bank in 0..BANKS {
            let compared = loss.compare(&[&outputs], targets, bank);
            value += f64::from(compared.value);
            by_outputs.extend(compared.by_outputs);
        }
        (value, by_outputs)
    }

    fn backward(&self, synthesis: &[f32], kept: &Self::Kept, weight: f32, gradient: &mut [f32]) {
        let mut part = vec![0.0; synthesis.len()];
        self.loss
            .filters_backward(kept, &self.targets, 0, &mut part);
        for (d, x) in gradient.iter_mut().zip(part) {
            *d += weight * x;
        }
    }
}
