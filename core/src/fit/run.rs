//! The steps of a fit on any device, from the first snapshot to the last.

use std::ops::ControlFlow;
use std::time::Instant;

use super::schedule::Schedule;
use super::{Device, FitError, FitEvent, FitSettings, Recipe, Start, StepReport};
use crate::network::{FitRecord, Generator, Model};

/// Weight of a new loss in the smoothed one: about the last twenty steps count.
const LOSS_SMOOTHING: f32 = 0.05;

/// Who is told of a fit.
pub(super) type OnEvent<'a> = &'a mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>;

fn tell(on_event: OnEvent<'_>, event: FitEvent<'_>) -> Result<(), FitError> {
    match on_event(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(FitError::Cancelled),
    }
}

fn tell_snapshot(on_event: OnEvent<'_>, step: u32, model: &Model) -> Result<(), FitError> {
    tell(on_event, FitEvent::Snapshot { step, model })
}

/// Trains `generator` by `recipe`. `first` stands for it until the first snapshot.
pub(super) fn run(
    device: &dyn Device,
    recipe: &Recipe,
    first: &Model,
    generator: Generator,
    on_event: OnEvent<'_>,
) -> Result<Model, FitError> {
    let started = Instant::now();
    let limit_s = recipe.settings().max_duration_s;
    let before = first.fit_record().steps;
    tell_snapshot(on_event, 0, first)?;
    let settings = FitSettings {
        step_frames: recipe
            .settings()
            .step_frames
            .or_else(|| device.step_frames(recipe)),
        ..recipe.settings().clone()
    };
    let start = Start {
        generator,
        steps: before,
    };
    let mut trainer = device.trainer(recipe, start)?;
    let mut schedule = Schedule::new(&settings, before > 0);
    let mut nearest = Nearest::new(first);
    let mut step = 0;
    loop {
        let StepReport {
            loss: step_loss,
            critic_gap,
        } = trainer.step(schedule.plan())?;
        if schedule.is_listening() {
            nearest.listen(step_loss);
            schedule.listened();
            continue;
        }
        step += 1;
        if !step_loss.is_finite() {
            return Err(FitError::Diverged {
                step,
                loss: step_loss,
            });
        }
        let loss = nearest.smooth(step_loss);
        let time_done = limit_s.map_or(0.0, |s| started.elapsed().as_secs_f64() / s);
        let due = schedule.advance(step_loss, time_done);
        let steps = schedule.steps();
        tell(on_event, FitEvent::Progress { step, steps, loss })?;
        let is_better = nearest.is_improved_by(loss);
        if !(due && (is_better || schedule.is_over())) {
            continue;
        }
        if !is_better && (before > 0 || schedule.has_cycles()) {
            return Ok(nearest.model);
        }
        let record = FitRecord {
            steps: before.saturating_add(step),
            loss,
            critic_gap,
            seed: recipe.settings().seed,
        };
        let generator = recipe.finished(trainer.snapshot()?, schedule.has_landed());
        let model = first.refined(generator, record);
        tell_snapshot(on_event, step, &model)?;
        if schedule.is_over() {
            return Ok(model);
        }
        nearest.keep(model);
    }
}

/// The nearest to the capture so far: rates start high again in a longer or a refined fit, and nobody should
/// hear it get worse first. What a refined fit starts from may stay that.
struct Nearest {
    model: Model,
    /// Its loss, of steps like those of this fit.
    loss: Option<f32>,
    /// What was heard of it before the first step.
    heard: Vec<f32>,
    /// Loss of the latest steps.
    smooth_loss: Option<f32>,
}

impl Nearest {
    fn new(first: &Model) -> Self {
        Self {
            model: first.clone(),
            loss: None,
            heard: Vec::new(),
            smooth_loss: None,
        }
    }

    /// A loss of the model that a fit starts from: what its own fit noted may be of steps with other frames.
    fn listen(&mut self, loss: f32) {
        self.heard.push(loss);
        self.loss = Some(self.heard.iter().sum::<f32>() / self.heard.len() as f32);
    }

    /// The smoothed loss after a step of this loss.
    fn smooth(&mut self, loss: f32) -> f32 {
        let last = self.smooth_loss;
        let smooth = last.map_or(loss, |s| s + LOSS_SMOOTHING * (loss - s));
        self.smooth_loss = Some(smooth);
        smooth
    }

    fn is_improved_by(&self, loss: f32) -> bool {
        self.loss.is_none_or(|best| loss < best)
    }

    fn keep(&mut self, model: Model) {
        self.loss = Some(model.fit_record().loss);
        self.model = model;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::fit::cpu::Cpu;
    use crate::fit::{
        DeviceError, Fallback, FitSettings, StepPlan, StepReport, Trainer, fit_on, refine_on,
    };
    use crate::procedural::{Texture, synthesize};

    fn settings(steps: u32) -> FitSettings {
        FitSettings {
            steps,
            ..FitSettings::default()
        }
    }

    /// A device that fails at a step, counted from one; at step 0 it doesn't even start.
    struct Failing {
        step: u32,
        cpu: Cpu,
    }

    struct FailingTrainer<'a> {
        inner: Box<dyn Trainer + 'a>,
        steps_left: u32,
    }

    fn failure() -> DeviceError {
        DeviceError {
            device: "The toaster".into(),
            reason: "out of bread".into(),
        }
    }

    impl Device for Failing {
        fn trainer<'a>(
            &'a self,
            recipe: &'a Recipe,
            start: Start,
        ) -> Result<Box<dyn Trainer + 'a>, DeviceError> {
            let steps_left = self.step.checked_sub(1).ok_or_else(failure)?;
            let inner = self.cpu.trainer(recipe, start)?;
            Ok(Box::new(FailingTrainer { inner, steps_left }))
        }
    }

    impl Trainer for FailingTrainer<'_> {
        fn step(&mut self, plan: StepPlan) -> Result<StepReport, DeviceError> {
            self.steps_left = self.steps_left.checked_sub(1).ok_or_else(failure)?;
            self.inner.step(plan)
        }

        fn snapshot(&mut self) -> Result<Generator, DeviceError> {
            self.inner.snapshot()
        }
    }

    #[test]
    fn a_device_that_fails_ends_the_fit_with_its_reason() {
        let clip = synthesize(Texture::Rain, 1, 8_000, 1.5);
        for failing_step in [0, 1, 3] {
            let mut steps = 0;
            let device = Failing {
                step: failing_step,
                cpu: Cpu::default(),
            };
            let result = fit_on(&device, &clip, &settings(10), &mut |event| {
                if let FitEvent::Progress { step, .. } = event {
                    steps = step;
                }
                ControlFlow::Continue(())
            });
            assert_eq!(steps, failing_step.saturating_sub(1));
            let error = result.expect_err("the device fails").to_string();
            assert!(error.contains("The toaster") && error.contains("out of bread"));
        }
    }

    #[test]
    fn where_a_device_fails_another_one_goes_on() {
        let clip = synthesize(Texture::Rain, 1, 8_000, 1.5);
        let fitted = |device: &dyn Device| {
            let mut steps = 0;
            let model = fit_on(device, &clip, &settings(10), &mut |event| {
                if let FitEvent::Progress { step, .. } = event {
                    steps = step;
                }
                ControlFlow::Continue(())
            });
            assert_eq!(steps, 10);
            model.unwrap()
        };
        let alone = fitted(&Cpu::default());
        for failing_step in [0, 1, 3, 8] {
            let told = Arc::new(AtomicU32::new(0));
            let count = told.clone();
            let device = Fallback {
                first: Failing {
                    step: failing_step,
                    cpu: Cpu::default(),
                },
                then: Cpu::default(),
                on_failure: Box::new(move |error| {
                    assert_eq!(*error, failure());
                    count.fetch_add(1, Ordering::Relaxed);
                }),
            };
            let model = fitted(&device);
            assert_eq!(told.load(Ordering::Relaxed), 1);
            // Where nothing was done yet, nothing is lost.
            let is_same = model.generator() == alone.generator();
            assert!(is_same || failing_step > 1, "failed at step {failing_step}");
        }
    }

    #[test]
    fn every_model_of_a_fit_has_its_id_and_no_other_has() {
        let device = Cpu::default();
        let clip = synthesize(Texture::Rain, 1, 8_000, 1.5);
        let mut ids = Vec::new();
        let mut on_event = |event: FitEvent<'_>| {
            if let FitEvent::Snapshot { model, .. } = event {
                ids.push(model.id());
            }
            ControlFlow::Continue(())
        };
        let model = fit_on(&device, &clip, &settings(4), &mut on_event).unwrap();
        assert!(ids.len() > 2 && ids.iter().all(|id| *id == model.id()));
        assert_eq!(model.named("rain").id(), model.id());
        assert_eq!(model.without_capture().id(), model.id());

        let go_on = |model: &Model| {
            refine_on(&device, model, &settings(4), &mut |_| {
                ControlFlow::Continue(())
            })
        };
        assert_eq!(go_on(&model).unwrap().id(), model.id());
        let read = Model::from_bytes(&model.to_bytes()).unwrap();
        assert_ne!(read.id(), model.id());
        assert_eq!(go_on(&read).unwrap().id(), read.id());
        let again = fit_on(&device, &clip, &settings(1), &mut |_| {
            ControlFlow::Continue(())
        });
        assert_ne!(again.unwrap().id(), model.id());
    }
}
