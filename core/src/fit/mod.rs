//! Training of the network on a capture.
//!
//! Every step draws fresh noise inputs and fresh random filters, computes a block of frames, compares the
//! distributions of their projections with the capture's, and moves the weights by Adam. All
//! randomness is numbered by step, and sums are taken in a fixed order: the same capture, settings and
//! seed give the same bits on one machine, whatever the number of threads.

#[cfg(test)]
mod gradient_tests;
mod optimizer;
mod pass;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;

use crate::clip::{Clip, ClipError};
use crate::network::{
    FeatureRange, FitRecord, Generator, InputLaw, Model, SCALES, ScaleInputs, Sequence,
    stored_capture,
};
use crate::parallel::Threads;
use crate::spectrum::{FrontEnd, SpectrumError};
use crate::texture::{
    BANKS, FeatureShape, Period, StepTargets, TargetBank, TextureLoss, find_periods,
};
use optimizer::Optimizer;
use pass::Pass;

/// Frames generated in a step.
const STEP_FRAMES: usize = 384;
/// Highest learning rate.
const PEAK_RATE: f64 = 4e-3;
/// Steps of linear warm-up.
const WARM_UP_STEPS: u32 = 20;
/// A period at least this strong becomes an input of the network.
const PERIOD_INPUT_GATE: f64 = 0.6;
/// Share of its channel's mean deviation in the whitening of a feature.
const WHITENING_SHARE: f32 = 0.3;
/// Parts of the fit after which a snapshot is taken.
const SNAPSHOTS: [f64; 21] = [
    0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8,
    0.85, 0.9, 0.95, 1.0,
];
/// Weight of a new loss in the smoothed one: about the last twenty steps count.
const LOSS_SMOOTHING: f32 = 0.05;
/// Keeps the noise of the steps apart from the filters, which are drawn from the same seed.
const INPUT_SEED: u64 = 0x1297_0512;
/// Fewest and most steps of a fit.
pub const STEPS_RANGE: std::ops::RangeInclusive<u32> = 1..=100_000;
/// Steps of a fit unless told otherwise.
pub const DEFAULT_STEPS: u32 = 1200;

/// How a fit is made.
#[derive(Clone, Debug, PartialEq)]
pub struct FitSettings {
    /// Training steps, within [`STEPS_RANGE`].
    pub steps: u32,
    /// Seconds after which the fit must be done: the schedule then follows whichever of time and steps is
    /// further on. A fit that counts seconds is not the same every time.
    pub max_duration_s: Option<f64>,
    /// Seed of initial weights, noise and filters.
    pub seed: u64,
    /// Threads to work with; 0 for one per core.
    pub threads: usize,
}

impl Default for FitSettings {
    fn default() -> Self {
        Self {
            steps: DEFAULT_STEPS,
            max_duration_s: None,
            seed: 0,
            threads: 0,
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

/// Scales of the features in the loss: partly each feature's own deviation, partly its channel's.
fn whitening(deviation: &[f32], bands: usize) -> Vec<f32> {
    deviation
        .chunks_exact(bands)
        .flat_map(|channel| {
            let mean_square = channel.iter().map(|d| d * d).sum::<f32>() / bands as f32;
            let share = WHITENING_SHARE * mean_square.sqrt();
            channel
                .iter()
                .map(move |d| share + (1.0 - WHITENING_SHARE) * d)
        })
        .collect()
}

/// A capture, ready to be fitted: what is measured on it, and the loss against it.
struct Task {
    front_end: Arc<FrontEnd>,
    range: FeatureRange,
    periods: Vec<Period>,
    loss: TextureLoss,
}

impl Task {
    fn new(clip: &Clip) -> Result<Self, FitError> {
        let (front_end, features) = FrontEnd::analyse(clip)?;
        let bands = front_end.bands().count();
        let frames = features.data.chunks_exact(features.width);
        let mid: Vec<f32> = frames.flat_map(|row| &row[..bands]).copied().collect();
        let periods = find_periods(&mid, bands, front_end.frame_rate());
        let range = FeatureRange::measure(&features, front_end.magnitude_channels() * bands);
        let channels = front_end.feature_channels();
        let loss = TextureLoss::new(
            features.data,
            FeatureShape { channels, bands },
            &whitening(&range.deviation, bands),
            &periods,
            front_end.frame_rate(),
            STEP_FRAMES,
        );
        Ok(Self {
            front_end: Arc::new(front_end),
            range,
            periods,
            loss,
        })
    }

    fn generator(&self, seed: u64) -> Generator {
        let period = self
            .periods
            .first()
            .filter(|p| p.strength > PERIOD_INPUT_GATE);
        Generator::new(
            self.front_end.frame_rate(),
            self.range.clone(),
            period,
            seed,
        )
    }
}

/// The frames of a step are made in so many stretches, each by one thread. Their margins overlap, so more
/// of them cost more in all. A constant: the sums' order, and with it the bits, must not depend on threads.
const PARTS: usize = 2;
const PART_FRAMES: usize = STEP_FRAMES / PARTS;

/// One stretch of a step's frames.
#[derive(Debug, Default)]
struct Part {
    inputs: [ScaleInputs; SCALES],
    pass: Pass,
    /// Outputs of the loss's filters on it.
    outputs: Vec<f32>,
    /// Gradient by its features.
    gradient: Vec<f32>,
}

/// Everything that a fit changes from step to step.
struct Trainer<'a> {
    task: &'a Task,
    threads: Threads,
    seed: u64,
    step: u32,
    generator: Generator,
    optimizer: Optimizer,
    parts: [Part; PARTS],
    next_inputs: [[ScaleInputs; SCALES]; PARTS],
    targets: StepTargets,
    next_banks: [Option<TargetBank>; BANKS],
}

/// What can be done at the same time as something else in a step.
enum Chore<'a> {
    Learn(usize, &'a mut Part),
    DrawInputs(usize, &'a mut [ScaleInputs; SCALES]),
    DrawBank(usize, &'a mut Option<TargetBank>),
}

impl<'a> Trainer<'a> {
    /// Starts after `step` steps that led to `generator`.
    fn new(task: &'a Task, generator: Generator, seed: u64, step: u32, threads: Threads) -> Self {
        let mut trainer = Self {
            task,
            threads,
            seed,
            step,
            optimizer: Optimizer::new(&generator.weights),
            generator,
            parts: Default::default(),
            next_inputs: Default::default(),
            targets: StepTargets::default(),
            next_banks: Default::default(),
        };
        let (inputs, banks) = (
            trainer.next_inputs.iter_mut(),
            trainer.next_banks.iter_mut(),
        );
        let draw = inputs.enumerate().map(|(i, x)| Chore::DrawInputs(i, x));
        let draw = draw.chain(banks.enumerate().map(|(i, b)| Chore::DrawBank(i, b)));
        let law = &trainer.generator.inputs;
        threads.for_each(&mut draw.collect::<Vec<_>>(), |chore| match chore {
            Chore::DrawInputs(part, inputs) => draw_inputs(law, seed, step, *part, inputs),
            Chore::DrawBank(bank, drawn) => {
                **drawn = Some(task.loss.draw(seed, step.into(), *bank))
            }
            Chore::Learn(..) => {}
        });
        trainer
    }

    /// One step at learning rate `rate`. Returns its loss.
    fn step(&mut self, rate: f32) -> f32 {
        let Self {
            task,
            threads,
            seed,
            generator,
            parts,
            next_inputs,
            targets,
            next_banks,
            ..
        } = self;
        let loss = &task.loss;
        *targets = StepTargets::new(next_banks.iter_mut().filter_map(Option::take));
        for (part, inputs) in parts.iter_mut().zip(next_inputs.iter_mut()) {
            std::mem::swap(&mut part.inputs, inputs);
        }

        threads.for_each(parts, |part| {
            part.pass.forward(generator, &part.inputs, PART_FRAMES);
            part.outputs = loss.project(&part.pass.features, targets);
        });

        let outputs: [&[f32]; PARTS] = parts.each_ref().map(|p| p.outputs.as_slice());
        let mut compared: [_; BANKS] = std::array::from_fn(|bank| (bank, 0.0, Vec::new()));
        threads.for_each(&mut compared, |(bank, value, gradient)| {
            (*value, *gradient) = loss.compare(&outputs, targets, *bank);
        });
        let value = compared.iter().map(|c| c.1).sum();
        let by_outputs: Vec<f32> = compared.into_iter().flat_map(|c| c.2).collect();

        // What the next step needs is drawn beside the backward passes.
        let next = self.step + 1;
        let learn = parts.iter_mut().enumerate();
        let learn = learn.map(|(i, part)| Chore::Learn(i, part));
        let draw = next_inputs.iter_mut().enumerate();
        let draw = draw.map(|(i, inputs)| Chore::DrawInputs(i, inputs));
        let banks = next_banks.iter_mut().enumerate();
        let banks = banks.map(|(i, bank)| Chore::DrawBank(i, bank));
        let mut chores: Vec<_> = learn.chain(draw).chain(banks).collect();
        threads.for_each(&mut chores, |chore| match chore {
            Chore::Learn(i, part) => {
                part.gradient.resize(part.pass.features.len(), 0.0);
                let first = *i * PART_FRAMES;
                loss.project_backward(&by_outputs, targets, first, &mut part.gradient);
                part.pass.backward(generator, &part.inputs, &part.gradient);
            }
            Chore::DrawInputs(part, inputs) => {
                draw_inputs(&generator.inputs, *seed, next, *part, inputs);
            }
            Chore::DrawBank(bank, drawn) => {
                **drawn = Some(loss.draw(*seed, next.into(), *bank));
            }
        });

        let gradients = parts.each_ref().map(|p| p.pass.gradients.as_slice());
        self.optimizer
            .step(&mut generator.weights, &gradients, rate, *threads);
        self.step = next;
        value
    }

    /// The network as it would be kept.
    fn snapshot(&self) -> Generator {
        let mut snapshot = self.generator.clone();
        snapshot.round_to_half();
        snapshot
    }
}

/// Fresh noise for part `part` of step `step`.
fn draw_inputs(
    law: &InputLaw,
    seed: u64,
    step: u32,
    part: usize,
    inputs: &mut [ScaleInputs; SCALES],
) {
    let seed = Sequence::new(seed ^ INPUT_SEED, u64::from(step)).next() as u32;
    law.fill(seed, (part * PART_FRAMES) as i64, PART_FRAMES, inputs);
}

/// Learning rate at step `step`, after `progress` (0..1) of the fit: a short warm-up, then straight to zero.
fn learning_rate(step: u32, progress: f64) -> f32 {
    let warm_up = f64::from(step + 1) / f64::from(WARM_UP_STEPS);
    (PEAK_RATE * warm_up.min(1.0) * (1.0 - progress).max(0.0)) as f32
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
    if !STEPS_RANGE.contains(&settings.steps) {
        return Err(FitError::Steps(settings.steps));
    }
    if let Some(s) = settings
        .max_duration_s
        .filter(|&s| !(s > 0.0 && s.is_finite()))
    {
        return Err(FitError::Duration(s));
    }
    clip.check_texture()?;
    let started = Instant::now();
    let threads = Threads::new(settings.threads);
    // What is kept is what is fitted: 24 bits a sample.
    let capture = Arc::new(stored_capture(clip)?);
    let task = Task::new(&capture)?;
    let generator = task.generator(settings.seed);
    let model = |generator: Generator, step: u32, loss: f32| {
        let record = FitRecord {
            steps: step,
            loss,
            seed: settings.seed,
        };
        Model::new(
            task.front_end.clone(),
            generator,
            Some(capture.clone()),
            record,
        )
    };
    let mut tell = |event: FitEvent<'_>| match on_event(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(FitError::Cancelled),
    };
    tell(FitEvent::Snapshot {
        step: 0,
        model: &model(generator.stationary(), 0, f32::NAN),
    })?;

    let mut trainer = Trainer::new(&task, generator, settings.seed, 0, threads);
    let mut smooth_loss = None;
    let mut snapshots = SNAPSHOTS.iter().peekable();
    let mut step = 0;
    loop {
        let by_steps = |step: u32| f64::from(step) / f64::from(settings.steps);
        let by_time = settings
            .max_duration_s
            .map_or(0.0, |s| started.elapsed().as_secs_f64() / s);
        let rate = learning_rate(step, by_steps(step).max(by_time));
        let value = trainer.step(rate);
        step += 1;
        if !value.is_finite() {
            return Err(FitError::Diverged { step, loss: value });
        }
        let smooth = smooth_loss.map_or(value, |s: f32| s + LOSS_SMOOTHING * (value - s));
        smooth_loss = Some(smooth);
        let progress = by_steps(step).max(by_time);
        let steps = if by_time > by_steps(step) {
            (f64::from(step) / by_time).round().max(f64::from(step)) as u32
        } else {
            settings.steps
        };
        tell(FitEvent::Progress {
            step,
            steps,
            loss: smooth,
        })?;
        let mut due = false;
        while snapshots.next_if(|&&at| progress >= at).is_some() {
            due = true;
        }
        if due {
            let model = model(trainer.snapshot(), step, smooth);
            tell(FitEvent::Snapshot {
                step,
                model: &model,
            })?;
            if progress >= 1.0 {
                return Ok(model);
            }
        }
    }
}
