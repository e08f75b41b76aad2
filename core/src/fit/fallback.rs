//! A device that another one takes over from, where it fails.

use super::effort::suitable_frames;
use super::{Device, DeviceError, Recipe, Start, StepPlan, StepReport, Trainer};
use crate::network::Generator;

/// A device, and the one that goes on where it can't: from the last snapshot, in the same fit.
pub struct Fallback<F, T> {
    /// The device that fits as long as it can.
    pub first: F,
    /// The one that goes on.
    pub then: T,
    /// Told once in a fit, where the first one fails.
    pub on_failure: Box<dyn Fn(&DeviceError) + Send + Sync>,
}

struct FallbackTrainer<'a, T> {
    trainer: Box<dyn Trainer + 'a>,
    /// Who goes on, as long as nobody had to.
    then: Option<&'a T>,
    on_failure: &'a (dyn Fn(&DeviceError) + Send + Sync),
    recipe: &'a Recipe,
    /// The last snapshot, and the steps that are done by now.
    last: Start,
}

impl<F: Device, T: Device> Device for Fallback<F, T> {
    fn trainer<'a>(
        &'a self,
        recipe: &'a Recipe,
        start: Start,
    ) -> Result<Box<dyn Trainer + 'a>, DeviceError> {
        let (trainer, then) = match self.first.trainer(recipe, start.clone()) {
            Ok(trainer) => (trainer, Some(&self.then)),
            Err(error) => {
                (self.on_failure)(&error);
                (self.then.trainer(recipe, start.clone())?, None)
            }
        };
        Ok(Box::new(FallbackTrainer {
            trainer,
            then,
            on_failure: &*self.on_failure,
            recipe,
            last: start,
        }))
    }

    fn step_frames(&self, recipe: &Recipe) -> Option<usize> {
        self.first.step_frames(recipe)
    }
}

impl<T: Device> FallbackTrainer<'_, T> {
    /// A step as whoever makes it takes it: one who goes on was not asked how many frames it has time for.
    fn suited(&self, plan: StepPlan) -> StepPlan {
        let settings = self.recipe.settings();
        if self.then.is_some() || settings.step_frames.is_some() {
            return plan;
        }
        StepPlan {
            frames: plan.frames.min(suitable_frames(settings.steps)),
            ..plan
        }
    }

    /// Has the other device go on, if there still is one.
    fn fall_back(&mut self, error: DeviceError) -> Result<(), DeviceError> {
        let Some(then) = self.then.take() else {
            return Err(error);
        };
        (self.on_failure)(&error);
        self.trainer = then.trainer(self.recipe, self.last.clone())?;
        Ok(())
    }
}

impl<T: Device> Trainer for FallbackTrainer<'_, T> {
    fn step(&mut self, plan: StepPlan) -> Result<StepReport, DeviceError> {
        let report = match self.trainer.step(self.suited(plan)) {
            Ok(report) => report,
            Err(error) => {
                self.fall_back(error)?;
                self.trainer.step(self.suited(plan))?
            }
        };
        self.last.steps = self.last.steps.wrapping_add(1);
        Ok(report)
    }

    fn snapshot(&mut self) -> Result<Generator, DeviceError> {
        let generator = match self.trainer.snapshot() {
            Ok(generator) => generator,
            Err(error) => {
                self.fall_back(error)?;
                self.trainer.snapshot()?
            }
        };
        self.last.generator = generator.clone();
        Ok(generator)
    }
}
