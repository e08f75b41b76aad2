//! The steps of a fit: fresh noise and filters, forward, compare, backward, move the weights.

use std::sync::Arc;

use super::optimizer::Optimizer;
use super::pass::Pass;
use crate::clip::Clip;
use crate::fit::calibration::{FINAL_FRAMES, Levels, SNAPSHOT_FRAMES};
use crate::network::{FeatureRange, Generator, InputLaw, SCALES, ScaleInputs};
use crate::numeric::random::Sequence;
use crate::numeric::threads::Threads;
use crate::spectrum::{FrontEnd, SpectrumError};
use crate::texture::loss::{BANKS, FeatureShape, StepTargets, TargetBank, TextureLoss};
use crate::texture::{Period, find_periods};

/// Frames generated in a step.
const STEP_FRAMES: usize = 384;
/// A period at least this strong becomes an input of the network.
pub(in crate::fit) const PERIOD_INPUT_GATE: f64 = 0.6;
/// Share of its channel's mean deviation in the whitening of a feature.
const WHITENING_SHARE: f32 = 0.3;
/// Keeps the noise of the steps apart from the filters, which are drawn from the same seed.
const INPUT_SEED: u64 = 0x1297_0512;
/// The same for the noise that levels are measured with.
const CALIBRATION_SEED: u64 = 0x0451_C0DE;
/// The frames of a step are made in so many stretches, each by one thread. Their margins overlap, so more
/// of them cost more in all. A constant: the sums' order, and with it the bits, must not depend on threads.
const PARTS: usize = 2;
const PART_FRAMES: usize = STEP_FRAMES / PARTS;

/// Scales of the features in the loss: partly each feature's own deviation, partly its channel's.
pub(in crate::fit) fn whitening(deviation: &[f32], bands: usize) -> Vec<f32> {
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
pub(in crate::fit) struct Task {
    pub front_end: Arc<FrontEnd>,
    range: FeatureRange,
    periods: Vec<Period>,
    loss: TextureLoss,
    levels: Levels,
}

impl Task {
    pub fn new(clip: &Clip) -> Result<Self, SpectrumError> {
        let (front_end, features) = FrontEnd::analyse(clip)?;
        let bands = front_end.bands().count();
        let frames = features.data.chunks_exact(features.width);
        let mid: Vec<f32> = frames.flat_map(|row| &row[..bands]).copied().collect();
        let periods = find_periods(&mid, bands, front_end.frame_rate());
        let magnitude_width = front_end.magnitude_channels() * bands;
        let levels = Levels::measure(&features.data, features.width, magnitude_width);
        let range = FeatureRange::measure(&features, magnitude_width);
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
            levels,
        })
    }

    /// A network that knows nothing yet.
    pub fn generator(&self, seed: u64) -> Generator {
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
pub(in crate::fit) struct Trainer<'a> {
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
    pub fn new(
        task: &'a Task,
        generator: Generator,
        seed: u64,
        step: u32,
        threads: Threads,
    ) -> Self {
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

    /// One step at learning rate `rate`. Returns its loss: mean squared Wasserstein distance over variance.
    pub fn step(&mut self, rate: f32) -> f32 {
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
        let value: f32 = compared.iter().map(|c| c.1).sum();
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
        value / loss.weight()
    }

    /// The network as it would be kept: at the capture's levels, in half precision.
    pub fn snapshot(&self, is_last: bool) -> Generator {
        let mut snapshot = self.generator.clone();
        let seed = Sequence::new(self.seed ^ CALIBRATION_SEED, 0).next() as u32;
        let frames = if is_last {
            FINAL_FRAMES
        } else {
            SNAPSHOT_FRAMES
        };
        self.task.levels.apply(&mut snapshot, seed, frames);
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
