//! Training of the network on a capture.
//!
//! Every step draws fresh noise inputs and fresh random filters, computes a block of frames, compares the
//! distributions of their projections with the capture's, and moves the weights by Adam. All
//! randomness is numbered by step, and sums are taken in a fixed order: the same capture, settings and
//! seed give the same bits on one machine, whatever the number of threads.

mod calibration;
mod cpu;
#[cfg(test)]
mod gradient_tests;
#[cfg(all(test, feature = "parity"))]
mod parity_tests;
mod schedule;

use std::ops::ControlFlow;
use std::time::Instant;

use thiserror::Error;

use crate::clip::{Capture, Clip, ClipError};
use crate::network::{FitRecord, Generator, Model};
use crate::numeric::threads::{Threads, lower_priority};
use crate::spectrum::SpectrumError;
use cpu::trainer::{Task, Trainer};
use schedule::Schedule;

/// Weight of a new loss in the smoothed one: about the last twenty steps count.
const LOSS_SMOOTHING: f32 = 0.05;
/// Fewest and most steps of a fit.
pub const STEPS_RANGE: std::ops::RangeInclusive<u32> = 1..=100_000;
/// Steps of a fit unless told otherwise.
pub const DEFAULT_STEPS: u32 = 3000;

/// How a fit is made.
#[derive(Clone, Debug, PartialEq)]
pub struct FitSettings {
    /// Training steps at most, within [`STEPS_RANGE`]: a long fit that no longer improves ends sooner.
    pub steps: u32,
    /// Seconds after which the fit must be done: the schedule then follows whichever of time and steps is
    /// further on. A fit that counts seconds is not the same every time.
    pub max_duration_s: Option<f64>,
    /// Seed of initial weights, noise and filters.
    pub seed: u64,
    /// Threads to work with; 0 for one per core.
    pub threads: usize,
    /// Whether these threads give way to all others, the calling one included from then on.
    pub background: bool,
}

impl Default for FitSettings {
    fn default() -> Self {
        Self {
            steps: DEFAULT_STEPS,
            max_duration_s: None,
            seed: 0,
            threads: 0,
            background: false,
        }
    }
}

impl FitSettings {
    /// Checks them, and gives way to other threads from the first moment on if that is wanted.
    fn prepare(&self) -> Result<(), FitError> {
        if self.background {
            lower_priority();
        }
        self.check()
    }

    fn check(&self) -> Result<(), FitError> {
        if !STEPS_RANGE.contains(&self.steps) {
            return Err(FitError::Steps(self.steps));
        }
        match self.max_duration_s {
            Some(s) if !(s > 0.0 && s.is_finite()) => Err(FitError::Duration(s)),
            _ => Ok(()),
        }
    }
}

/// What a running fit tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum FitEvent<'a> {
    /// A step is done.
    Progress {
        /// Steps done.
        step: u32,
        /// Steps in all; with a time limit, as many as fit into it at the present speed.
        steps: u32,
        /// Smoothed loss: mean squared Wasserstein distance over variance; starts at about 1.
        loss: f32,
    },
    /// A playable texture. The first comes before any step, and is noise with the capture's spectrum.
    Snapshot {
        /// Steps done.
        step: u32,
        /// The texture so far.
        model: &'a Model,
    },
}

/// Why a fit did not happen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FitError {
    /// The capture can't be fitted.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// The capture can't be analysed.
    #[error(transparent)]
    Spectrum(#[from] SpectrumError),
    /// Steps outside [`STEPS_RANGE`].
    #[error("{0} fit steps can't be made: choose 1 to 100000")]
    Steps(u32),
    /// A time limit that is no time.
    #[error("{0} s is no time to fit in: choose more than 0 s")]
    Duration(f64),
    /// There is nothing to compare with.
    #[error(
        "this texture was kept without its capture, so it can't be refined: fit the recording again"
    )]
    NoCapture,
    /// The network makes other features than its capture has.
    #[error(
        "this texture's network makes {network} features a frame, but its capture has {capture}: fit the \
         recording again"
    )]
    Mismatch {
        /// What the network makes.
        network: usize,
        /// What the capture has.
        capture: usize,
    },
    /// The caller said so.
    #[error("the fit was cancelled")]
    Cancelled,
    /// The loss became infinite or not a number.
    #[error("the fit diverged at step {step} (loss {loss}); try another seed")]
    Diverged {
        /// Step of the first such loss.
        step: u32,
        /// That loss.
        loss: f32,
    },
}

/// Fits a network to a capture. `on_event` is told of every step and snapshot, on this thread; it ends
/// the fit by [`ControlFlow::Break`].
///
/// # Errors
/// [`FitError`]; `Cancelled` if `on_event` broke off.
pub fn fit(
    clip: &Clip,
    settings: &FitSettings,
    on_event: &mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>,
) -> Result<Model, FitError> {
    clip.check_texture()?;
    // What is kept is what is fitted.
    fit_capture(&Capture::new(clip)?, settings, on_event)
}

/// Fits a network to the used part of a capture, as [`fit`] does.
///
/// # Errors
/// [`FitError`]; `Cancelled` if `on_event` broke off.
pub fn fit_capture(
    capture: &Capture,
    settings: &FitSettings,
    on_event: &mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>,
) -> Result<Model, FitError> {
    settings.prepare()?;
    let used = capture.used();
    used.check_texture()?;
    let task = Task::new(&used)?;
    let generator = task.generator(settings.seed);
    let first = Model::new(
        task.front_end.clone(),
        generator.stationary(),
        Some(capture.clone()),
        FitRecord {
            steps: 0,
            loss: f32::NAN,
            seed: settings.seed,
        },
    );
    run(&task, &first, generator, settings, on_event)
}

/// Goes on where the fit of `model` ended, for `settings.steps` more steps: the same capture, the same
/// weights, new noise. Where that comes no nearer, the result is `model` itself. `settings.seed` is not
/// used: the model's own seed goes on.
///
/// # Errors
/// [`FitError`]; `NoCapture` if the model doesn't hold what it was fitted to.
pub fn refine(
    model: &Model,
    settings: &FitSettings,
    on_event: &mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>,
) -> Result<Model, FitError> {
    settings.prepare()?;
    let capture = model.capture().ok_or(FitError::NoCapture)?;
    let task = Task::new(&capture.used())?;
    let generator = match model.fit_record().steps {
        // Spectrum-matched noise: nothing was learned yet.
        0 => task.generator(model.fit_record().seed),
        _ => model.generator().clone(),
    };
    let (network, capture) = (generator.feature_width(), task.front_end.feature_width());
    if network != capture {
        return Err(FitError::Mismatch { network, capture });
    }
    run(&task, model, generator, settings, on_event)
}

/// The steps of a fit of `generator`, which `first` stands for until the first snapshot.
fn run(
    task: &Task,
    first: &Model,
    generator: Generator,
    settings: &FitSettings,
    on_event: &mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>,
) -> Result<Model, FitError> {
    let started = Instant::now();
    let mut tell = |event: FitEvent<'_>| match on_event(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(FitError::Cancelled),
    };
    let FitRecord {
        steps: before,
        seed,
        ..
    } = first.fit_record();
    tell(FitEvent::Snapshot {
        step: 0,
        model: first,
    })?;
    let threads = if settings.background {
        Threads::in_background(settings.threads)
    } else {
        Threads::new(settings.threads)
    };
    let mut trainer = Trainer::new(task, generator, seed, before, threads);
    let mut schedule = Schedule::new(settings.steps, settings.max_duration_s.is_some());
    let mut smooth_loss = None;
    // The nearest so far; what a refined fit starts from may stay that.
    let (mut best, mut kept) = (first.fit_record().loss, first.clone());
    let mut step = 0;
    loop {
        let loss = trainer.step(schedule.rate());
        step += 1;
        if !loss.is_finite() {
            return Err(FitError::Diverged { step, loss });
        }
        let smooth = smooth_loss.map_or(loss, |s: f32| s + LOSS_SMOOTHING * (loss - s));
        smooth_loss = Some(smooth);
        let time_done = settings
            .max_duration_s
            .map_or(0.0, |s| started.elapsed().as_secs_f64() / s);
        let due = schedule.advance(loss, time_done);
        tell(FitEvent::Progress {
            step,
            steps: schedule.steps(),
            loss: smooth,
        })?;
        // Rates start high again in a longer or a refined fit: nobody should hear it get worse first.
        let is_better = best.is_nan() || smooth < best;
        if due && (is_better || schedule.is_over()) {
            if !is_better && (before > 0 || schedule.has_cycles()) {
                return Ok(kept);
            }
            let record = FitRecord {
                steps: before.saturating_add(step),
                loss: smooth,
                seed,
            };
            let model = first.refined(trainer.snapshot(schedule.has_landed()), record);
            tell(FitEvent::Snapshot {
                step,
                model: &model,
            })?;
            if schedule.is_over() {
                return Ok(model);
            }
            best = smooth;
            kept = model;
        }
    }
}
