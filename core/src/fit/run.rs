//! The steps of a fit on any device, from the first snapshot to the last.

use std::ops::ControlFlow;
use std::time::Instant;

use super::schedule::Schedule;
use super::{Device, FitError, FitEvent, Recipe, Start};
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
    tell(
        on_event,
        FitEvent::Snapshot {
            step: 0,
            model: first,
        },
    )?;
    let start = Start {
        generator,
        steps: before,
    };
    let mut trainer = device.trainer(recipe, start)?;
    let mut schedule = Schedule::new(recipe.settings().steps, limit_s.is_some());
    let mut nearest = Nearest::new(first);
    let mut step = 0;
    loop {
        let loss = trainer.step(schedule.rate())?;
        step += 1;
        if !loss.is_finite() {
            return Err(FitError::Diverged { step, loss });
        }
        let loss_now = nearest.smooth(loss);
        let time_done = limit_s.map_or(0.0, |s| started.elapsed().as_secs_f64() / s);
        let due = schedule.advance(loss, time_done);
        tell(
            on_event,
            FitEvent::Progress {
                step,
                steps: schedule.steps(),
                loss: loss_now,
            },
        )?;
        let is_better = nearest.is_improved_by(loss_now);
        if !(due && (is_better || schedule.is_over())) {
            continue;
        }
        if !is_better && (before > 0 || schedule.has_cycles()) {
            return Ok(nearest.model);
        }
        let record = FitRecord {
            steps: before.saturating_add(step),
            loss: loss_now,
            seed: recipe.settings().seed,
        };
        let generator = recipe.finished(trainer.snapshot()?, schedule.has_landed());
        let model = first.refined(generator, record);
        tell(
            on_event,
            FitEvent::Snapshot {
                step,
                model: &model,
            },
        )?;
        if schedule.is_over() {
            return Ok(model);
        }
        nearest.model = model;
    }
}

/// The nearest to the capture so far: rates start high again in a longer or a refined fit, and nobody should
/// hear it get worse first. What a refined fit starts from may stay that.
struct Nearest {
    model: Model,
    /// Loss of the latest steps.
    smooth_loss: Option<f32>,
}

impl Nearest {
    fn new(first: &Model) -> Self {
        Self {
            model: first.clone(),
            smooth_loss: None,
        }
    }

    /// The smoothed loss after a step of this loss.
    fn smooth(&mut self, loss: f32) -> f32 {
        let last = self.smooth_loss;
        let smooth = last.map_or(loss, |s| s + LOSS_SMOOTHING * (loss - s));
        self.smooth_loss = Some(smooth);
        smooth
    }

    /// Whether this loss is nearer than the nearest model's, which has none before its first step.
    fn is_improved_by(&self, loss: f32) -> bool {
        let best = self.model.fit_record().loss;
        best.is_nan() || loss < best
    }
}
