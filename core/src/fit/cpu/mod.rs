//! The fit's steps on the processor.

mod contexts;
mod criticism;
mod optimizer;
pub(super) mod pass;
mod trainer;

use super::{Device, DeviceError, Recipe, Start, StepPlan, StepTrace, Trainer};
use crate::numeric::threads::Threads;
use trainer::CpuTrainer;

/// The processor. The result does not depend on its settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// Threads to work with, the calling one included; 0 for one per core.
    pub threads: usize,
    /// Whether the helping threads give way to all others. The calling one's priority belongs to who made it.
    pub background: bool,
}

impl Cpu {
    fn threads(&self) -> Threads {
        if self.background {
            Threads::in_background(self.threads)
        } else {
            Threads::new(self.threads)
        }
    }

    /// Makes these steps, and keeps all that they compute: what other devices are checked against.
    pub fn traces(&self, recipe: &Recipe, start: Start, plans: &[StepPlan]) -> Vec<StepTrace> {
        let mut trainer = CpuTrainer::new(recipe, start, self.threads());
        plans.iter().map(|plan| trainer.trace(plan)).collect()
    }
}

impl Device for Cpu {
    fn trainer<'a>(
        &'a self,
        recipe: &'a Recipe,
        start: Start,
    ) -> Result<Box<dyn Trainer + 'a>, DeviceError> {
        Ok(Box::new(CpuTrainer::new(recipe, start, self.threads())))
    }
}
