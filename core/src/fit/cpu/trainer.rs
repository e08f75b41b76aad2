//! The steps of a fit: fresh noise and filters, forward, compare, backward, move the weights.

use super::optimizer::Optimizer;
use super::pass::Pass;
use crate::fit::recipe::STEP_FRAMES;
use crate::fit::{DeviceError, Recipe, Start, Trainer};
use crate::network::inputs::{InputBlocks, ScaleInputs};
use crate::network::{Generator, SCALES};
use crate::numeric::random::Sequence;
use crate::numeric::threads::Threads;
use crate::texture::loss::{BANKS, SlicedWasserstein, StepTargets, TargetBank};

/// Keeps the noise of the steps apart from the filters, which are drawn from the same seed.
const INPUT_SEED: u64 = 0x1297_0512;
/// The frames of a step are made in so many stretches, each by one thread. Their margins overlap, so more
/// of them cost more in all. A constant: the sums' order, and with it the bits, must not depend on threads.
const PARTS: usize = 2;
const PART_FRAMES: usize = STEP_FRAMES / PARTS;

/// One stretch of a step's frames.
#[derive(Debug)]
struct Part {
    inputs: [ScaleInputs; SCALES],
    pass: Pass,
    /// Outputs of the loss's filters on it.
    outputs: Vec<f32>,
    /// Gradient by its features.
    gradient: Vec<f32>,
}

/// What a step begins with: the noise of every part, and the filters and targets of every bank.
#[derive(Debug, Default)]
struct Draws {
    inputs: [[ScaleInputs; SCALES]; PARTS],
    banks: [Option<TargetBank>; BANKS],
}

/// Everything that a fit changes from step to step.
pub(super) struct CpuTrainer<'a> {
    loss: &'a SlicedWasserstein,
    threads: Threads,
    seed: u64,
    /// Steps done, those before the start included.
    step: u32,
    generator: Generator,
    optimizer: Optimizer,
    parts: [Part; PARTS],
    targets: StepTargets,
    next: Draws,
}

/// What may be done at the same time as other tasks of a step.
enum Task<'a> {
    Learn(usize, &'a mut Part),
    DrawInputs(usize, &'a mut [ScaleInputs; SCALES]),
    DrawBank(usize, &'a mut Option<TargetBank>),
}

/// Draws what one step begins with.
struct Drawing<'a> {
    loss: &'a SlicedWasserstein,
    inputs: &'a InputBlocks,
    seed: u64,
    step: u32,
}

impl Drawing<'_> {
    /// Fresh noise for part `part` of the step.
    fn inputs(&self, part: usize, inputs: &mut [ScaleInputs; SCALES]) {
        let seed = Sequence::new(self.seed ^ INPUT_SEED, u64::from(self.step)).next() as u32;
        let start = (part * PART_FRAMES) as i64;
        self.inputs.fill(seed, start, PART_FRAMES, inputs);
    }

    /// Fresh filters of bank `bank` of the step, and what the capture answers to them.
    fn bank(&self, bank: usize) -> TargetBank {
        self.loss.draw(self.seed, self.step.into(), bank)
    }
}

impl Draws {
    fn tasks(&mut self) -> impl Iterator<Item = Task<'_>> {
        let inputs = self.inputs.iter_mut().enumerate();
        let inputs = inputs.map(|(part, inputs)| Task::DrawInputs(part, inputs));
        let banks = self.banks.iter_mut().enumerate();
        inputs.chain(banks.map(|(bank, drawn)| Task::DrawBank(bank, drawn)))
    }
}

impl Task<'_> {
    /// Does the task; `learn` makes the backward pass of a part.
    fn run(&mut self, drawing: &Drawing<'_>, learn: impl Fn(usize, &mut Part)) {
        match self {
            Self::Learn(index, part) => learn(*index, part),
            Self::DrawInputs(part, inputs) => drawing.inputs(*part, inputs),
            Self::DrawBank(bank, drawn) => **drawn = Some(drawing.bank(*bank)),
        }
    }
}

impl<'a> CpuTrainer<'a> {
    pub fn new(recipe: &'a Recipe, start: Start, threads: Threads) -> Self {
        let Start { generator, steps } = start;
        let part = |_| Part {
            inputs: Default::default(),
            pass: Pass::new(generator.weights()),
            outputs: Vec::new(),
            gradient: Vec::new(),
        };
        let mut next = Draws::default();
        let drawing = Drawing {
            loss: recipe.loss(),
            inputs: generator.inputs(),
            seed: recipe.settings().seed,
            step: steps,
        };
        let mut tasks: Vec<_> = next.tasks().collect();
        threads.for_each(&mut tasks, |task| task.run(&drawing, |_, _| {}));
        Self {
            loss: recipe.loss(),
            threads,
            seed: recipe.settings().seed,
            step: steps,
            optimizer: Optimizer::new(generator.weights()),
            parts: std::array::from_fn(part),
            generator,
            targets: StepTargets::default(),
            next,
        }
    }

    /// Makes the frames of the step whose noise was drawn, and the filters' outputs on them.
    fn forward(&mut self) {
        let Self {
            loss,
            generator,
            parts,
            next,
            targets,
            ..
        } = self;
        *targets = StepTargets::new(next.banks.iter_mut().filter_map(Option::take));
        for (part, inputs) in parts.iter_mut().zip(&mut next.inputs) {
            std::mem::swap(&mut part.inputs, inputs);
        }
        self.threads.for_each(parts, |part| {
            part.pass.forward(generator, &part.inputs, PART_FRAMES);
            part.outputs = loss.apply_filters(&part.pass.features, targets);
        });
    }

    /// The loss of the step's frames, and its gradient by the filters' outputs.
    fn compare(&self) -> (f32, Vec<f32>) {
        let outputs: [&[f32]; PARTS] = self.parts.each_ref().map(|p| p.outputs.as_slice());
        let mut compared: [_; BANKS] = std::array::from_fn(|bank| (bank, 0.0, Vec::new()));
        self.threads
            .for_each(&mut compared, |(bank, value, gradient)| {
                (*value, *gradient) = self.loss.compare(&outputs, &self.targets, *bank);
            });
        let value: f32 = compared.iter().map(|c| c.1).sum();
        (value, compared.into_iter().flat_map(|c| c.2).collect())
    }

    /// Computes the gradients by the weights. What the next step needs is drawn beside the backward passes.
    fn backward(&mut self, by_outputs: &[f32]) {
        let Self {
            loss,
            generator,
            parts,
            targets,
            next,
            ..
        } = self;
        let drawing = Drawing {
            loss,
            inputs: generator.inputs(),
            seed: self.seed,
            step: self.step + 1,
        };
        let learn = parts.iter_mut().enumerate();
        let learn = learn.map(|(i, part)| Task::Learn(i, part));
        let mut tasks: Vec<_> = learn.chain(next.tasks()).collect();
        self.threads.for_each(&mut tasks, |task| {
            task.run(&drawing, |i, part| {
                part.gradient.resize(part.pass.features.len(), 0.0);
                let first = i * PART_FRAMES;
                loss.filters_backward(by_outputs, targets, first, &mut part.gradient);
                part.pass.backward(generator, &part.inputs, &part.gradient);
            });
        });
    }
}

impl Trainer for CpuTrainer<'_> {
    fn step(&mut self, rate: f32) -> Result<f32, DeviceError> {
        self.forward();
        let (value, by_outputs) = self.compare();
        self.backward(&by_outputs);
        let gradients = self.parts.each_ref().map(|p| p.pass.gradients());
        let weights = self.generator.weights_mut();
        self.optimizer.step(weights, &gradients, rate, self.threads);
        self.step += 1;
        Ok(value / self.loss.weight())
    }

    fn snapshot(&mut self) -> Result<Generator, DeviceError> {
        Ok(self.generator.clone())
    }
}
