//! The steps of a fit: fresh noise and filters, forward, compare, backward, move the weights.

use std::ops::Range;

use super::contexts::Contexts;
use super::criticism::{Criticism, Opinion};
use super::optimizer::Optimizer;
use super::pass::Pass;
use crate::fit::draws::{STRETCHES_FOR_CRITIC, Side, StepDraws, stretches};
use crate::fit::{
    DeviceError, LEAST_FRAMES, Recipe, Start, StepPlan, StepReport, StepTrace, Trainer,
};
use crate::network::inputs::{InputBlocks, ScaleInputs};
use crate::network::{Generator, SCALES};
use crate::numeric::linalg::add;
use crate::numeric::threads::Threads;
use crate::texture::loss::{
    BANKS, BankComparison, ContextComparison, CriticGradient, SeenContexts, SlicedWasserstein,
    StepTargets, TargetBank,
};

/// One stretch of a step's frames.
#[derive(Debug)]
struct Part {
    /// Its place among the parts, and which frames of the step it makes.
    place: usize,
    range: Range<usize>,
    inputs: [ScaleInputs; SCALES],
    pass: Pass,
    /// Outputs of the loss's filters on it.
    outputs: Vec<f32>,
    /// Its contexts, where they count.
    contexts: SeenContexts,
    /// Gradient by its features.
    gradient: Vec<f32>,
    /// That gradient by the projections alone, and with the contexts', where a step is looked at.
    looked_at: [Vec<f32>; 2],
}

impl Part {
    /// What the critic thinks of this part, if it saw it.
    fn opinion<'o>(&self, opinions: &'o [Opinion]) -> Option<&'o Opinion> {
        let sees = self.place.is_multiple_of(STRETCHES_FOR_CRITIC);
        let place = self.place / STRETCHES_FOR_CRITIC;
        sees.then(|| opinions.get(place)).flatten()
    }
}

/// What a step begins with: the noise of every part, and the bank that is new in it.
#[derive(Debug, Default)]
struct Draws {
    inputs: Vec<[ScaleInputs; SCALES]>,
    bank: Option<TargetBank>,
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
    parts: Vec<Part>,
    targets: StepTargets,
    next: Draws,
    contexts: Contexts<'a>,
    criticism: Option<Criticism<'a>>,
    /// Whether what gradients come to is kept from stage to stage.
    is_looked_at: bool,
}

/// What a step's frames are worth.
struct Compared {
    loss: f32,
    by_set: Vec<f32>,
    /// Gradient of the loss by the filters' outputs.
    by_outputs: Vec<f32>,
    /// What the contexts are like, where they count.
    contexts: Option<ContextComparison>,
    /// What the critic thinks of stretches of the capture, where it learns, and of the parts that it sees.
    real: Vec<Opinion>,
    synthesized: Vec<Opinion>,
}

/// What may look at a step's frames at the same time as others.
enum Look<'a> {
    Compare(usize, &'a mut Option<BankComparison>),
    Judge(Side, usize, &'a mut Option<Opinion>),
}

/// What may be done at the same time as other tasks of a step.
enum Task<'a> {
    Learn(&'a mut Part),
    DrawInputs(Range<usize>, &'a mut [ScaleInputs; SCALES]),
    DrawBank(&'a mut Option<TargetBank>),
}

/// Draws what one step begins with.
struct Drawing<'a> {
    loss: &'a SlicedWasserstein,
    inputs: &'a InputBlocks,
    draws: StepDraws,
}

impl Drawing<'_> {
    /// Fresh noise for frames `range` of the step.
    fn inputs(&self, range: Range<usize>, inputs: &mut [ScaleInputs; SCALES]) {
        let seed = self.draws.input_seed();
        self.inputs
            .fill(seed, range.start as i64, range.len(), inputs);
    }

    /// Fresh filters of bank `bank`, and what the capture answers to them.
    fn bank(&self, bank: usize) -> TargetBank {
        self.loss
            .draw(self.draws.seed(), self.draws.step().into(), bank)
    }
}

impl Draws {
    /// The tasks of drawing noise for `frames` frames, and a bank.
    fn tasks(&mut self, frames: usize) -> impl Iterator<Item = Task<'_>> {
        let ranges = stretches(frames);
        self.inputs.resize_with(ranges.len(), Default::default);
        let inputs = ranges.zip(&mut self.inputs);
        let inputs = inputs.map(|(range, inputs)| Task::DrawInputs(range, inputs));
        inputs.chain([Task::DrawBank(&mut self.bank)])
    }
}

impl Task<'_> {
    /// Does the task; `learn` makes the backward pass of a part.
    fn run(&mut self, drawing: &Drawing<'_>, learn: impl Fn(&mut Part)) {
        match self {
            Self::Learn(part) => learn(part),
            Self::DrawInputs(range, inputs) => drawing.inputs(range.clone(), inputs),
            Self::DrawBank(drawn) => **drawn = Some(drawing.bank(drawing.draws.renewed_bank())),
        }
    }
}

impl<'a> CpuTrainer<'a> {
    pub fn new(recipe: &'a Recipe, start: Start, threads: Threads) -> Self {
        let Start { generator, steps } = start;
        let mut trainer = Self {
            loss: recipe.loss(),
            threads,
            seed: recipe.settings().seed,
            step: steps,
            optimizer: Optimizer::new(generator.weights()),
            parts: Vec::new(),
            generator,
            targets: StepTargets::default(),
            next: Draws::default(),
            contexts: Contexts::new(recipe),
            criticism: Criticism::new(recipe),
            is_looked_at: false,
        };
        trainer.targets =
            StepTargets::new(threads.map(BANKS, |bank| trainer.drawing(0).bank(bank)));
        trainer.lay_out(LEAST_FRAMES);
        trainer
    }

    /// What the step after `ahead` steps begins with.
    fn drawing(&self, ahead: u32) -> Drawing<'_> {
        Drawing {
            loss: self.loss,
            inputs: self.generator.inputs(),
            draws: StepDraws::new(self.seed, self.step.wrapping_add(ahead)),
        }
    }

    /// Frames that the steps are laid out for.
    fn frames(&self) -> usize {
        self.parts.last().map_or(0, |part| part.range.end)
    }

    /// Makes the parts of steps of `frames` frames, and draws what the next step begins with.
    fn lay_out(&mut self, frames: usize) {
        let mut passes: Vec<_> = self.parts.drain(..).map(|part| part.pass).collect();
        let new_pass = || Pass::new(self.generator.weights());
        let parts = stretches(frames).enumerate();
        let parts = parts.map(|(place, range)| Part {
            place,
            range,
            inputs: Default::default(),
            pass: passes.pop().unwrap_or_else(new_pass),
            outputs: Vec::new(),
            contexts: SeenContexts::default(),
            gradient: Vec::new(),
            looked_at: Default::default(),
        });
        self.parts = parts.collect();
        let mut next = std::mem::take(&mut self.next);
        let drawing = self.drawing(0);
        let mut tasks: Vec<_> = next.tasks(frames).collect();
        self.threads
            .for_each(&mut tasks, |task| task.run(&drawing, |_| {}));
        drop(tasks);
        self.next = next;
    }

    /// Makes the frames of the step whose noise was drawn, and the filters' outputs on them.
    fn forward(&mut self) {
        let bank = self.drawing(0).draws.renewed_bank();
        if let Some(drawn) = self.next.bank.take() {
            self.targets.renew(bank, drawn);
        }
        let Self {
            loss,
            generator,
            parts,
            next,
            targets,
            contexts,
            ..
        } = self;
        let contexts = contexts.loss();
        for (part, inputs) in parts.iter_mut().zip(&mut next.inputs) {
            std::mem::swap(&mut part.inputs, inputs);
        }
        self.threads.for_each(parts, |part| {
            part.pass.forward(generator, &part.inputs, part.range.len());
            part.outputs = loss.apply_filters(&part.pass.features, targets);
            if let Some(contexts) = contexts {
                part.contexts = contexts.see(&part.pass.features);
            }
        });
    }

    /// The loss of the step's frames, and its gradient by the filters' outputs; and what the critic thinks of
    /// them, where it is asked.
    fn compare(&mut self, asks_critic: bool) -> Compared {
        let seen: Vec<_> = self.parts.iter().map(|p| &p.contexts).collect();
        let contexts = self.contexts.compare(&seen);
        let outputs: Vec<&[f32]> = self.parts.iter().map(|p| p.outputs.as_slice()).collect();
        let mut banks: [_; BANKS] = std::array::from_fn(|_| None);
        let draws = StepDraws::new(self.seed, self.step);
        let critic = self.criticism.as_ref().filter(|_| asks_critic);
        let seen = critic.map_or(0, |_| self.parts.len().div_ceil(STRETCHES_FOR_CRITIC));
        let learned = if draws.critic_learns() { seen } else { 0 };
        let nothing = |count: usize| (0..count).map(|_| None).collect::<Vec<_>>();
        let (mut real, mut synthesized) = (nothing(learned), nothing(seen));
        let judged = |side: Side| move |(place, opinion)| Look::Judge(side, place, opinion);
        let of_capture = real.iter_mut().enumerate().map(judged(Side::Real));
        let of_parts = synthesized.iter_mut().enumerate();
        let of_parts = of_parts.map(judged(Side::Synthesized));
        let banked = banks.iter_mut().enumerate();
        let banked = banked.map(|(bank, compared)| Look::Compare(bank, compared));
        // What takes longest begins first.
        let mut looks: Vec<_> = of_parts.chain(of_capture).chain(banked).collect();
        self.threads.for_each(&mut looks, |look| match look {
            Look::Compare(bank, compared) => {
                **compared = Some(self.loss.compare(&outputs, &self.targets, *bank));
            }
            Look::Judge(side, place, opinion) => {
                let synthesis = &self.parts[*place * STRETCHES_FOR_CRITIC].pass.features;
                let judge = |c: &Criticism<'_>| c.judge(*side, synthesis, draws, *place);
                **opinion = critic.map(judge);
            }
        });
        drop(looks);
        let banks: Vec<_> = banks.into_iter().flatten().collect();
        let mut by_set = vec![0.0; self.loss.sets().len()];
        banks.iter().for_each(|bank| add(&mut by_set, &bank.by_set));
        Compared {
            loss: banks.iter().map(|bank| bank.value).sum(),
            by_set,
            by_outputs: banks.into_iter().flat_map(|b| b.by_outputs).collect(),
            contexts,
            real: real.into_iter().flatten().collect(),
            synthesized: synthesized.into_iter().flatten().collect(),
        }
    }

    /// Computes the gradients by the weights. What the next step needs is drawn beside the backward passes.
    fn backward(&mut self, compared: &Compared, plan: &StepPlan) {
        let frames = self.frames();
        let weight = plan.critic_weight.unwrap_or(0.0);
        // It sees some parts, for all of them.
        let opinions = &compared.synthesized;
        let weight = weight * self.parts.len() as f32 / opinions.len().max(1) as f32;
        let Self {
            loss,
            generator,
            parts,
            targets,
            next,
            contexts,
            ..
        } = self;
        let contexts = contexts.loss().zip(compared.contexts.as_ref());
        let drawing = Drawing {
            loss,
            inputs: generator.inputs(),
            draws: StepDraws::new(self.seed, self.step.wrapping_add(1)),
        };
        let is_looked_at = self.is_looked_at;
        let learn = parts.iter_mut().map(Task::Learn);
        let mut tasks: Vec<_> = learn.chain(next.tasks(frames)).collect();
        self.threads.for_each(&mut tasks, |task| {
            task.run(&drawing, |part| {
                part.gradient.resize(part.pass.features.len(), 0.0);
                let first = part.range.start;
                loss.filters_backward(&compared.by_outputs, targets, first, &mut part.gradient);
                if is_looked_at {
                    part.looked_at[0].clone_from(&part.gradient);
                }
                if let Some((contexts, compared)) = contexts {
                    let (seen, weight) = (&part.contexts, plan.context_weight);
                    contexts.backward(seen, compared, weight, &mut part.gradient);
                }
                if is_looked_at {
                    part.looked_at[1].clone_from(&part.gradient);
                }
                if let Some(opinion) = part.opinion(opinions)
                    && weight > 0.0
                {
                    opinion.add_to(&mut part.gradient, weight);
                }
                part.pass.backward(generator, &part.inputs, &part.gradient);
            });
        });
    }

    /// Makes a step. Returns what its frames were worth, and the gradient that the critic learned by.
    fn advance(&mut self, plan: &StepPlan) -> (Compared, Option<CriticGradient>) {
        if plan.frames != self.frames() {
            self.lay_out(plan.frames);
        }
        self.contexts.prepare(plan.context_weight > 0.0);
        self.forward();
        let compared = self.compare(plan.critic_weight.is_some());
        self.backward(&compared, plan);
        let criticism = self.criticism.as_mut();
        let learned = criticism.and_then(|c| c.learn(&compared.real, &compared.synthesized));
        let gradients: Vec<_> = self.parts.iter().map(|p| p.pass.gradients()).collect();
        let weights = self.generator.weights_mut();
        self.optimizer
            .step(weights, &gradients, plan.learning_rate, self.threads);
        self.step = self.step.wrapping_add(1);
        (compared, learned)
    }

    fn report(&self, compared: &Compared) -> StepReport {
        StepReport {
            loss: compared.loss / self.loss.weight(),
            critic_gap: self.criticism.as_ref().and_then(Criticism::gap),
        }
    }

    /// Makes a step, and keeps all that it computes on the way.
    pub fn trace(&mut self, plan: &StepPlan) -> StepTrace {
        self.is_looked_at = true;
        let (compared, learned) = self.advance(plan);
        self.is_looked_at = false;
        let of_parts = |values: &dyn Fn(&Part) -> &Vec<f32>| -> Vec<f32> {
            let parts = self.parts.iter();
            parts.flat_map(values).copied().collect()
        };
        let mut by_weights = self.generator.weights().zeros_like();
        for part in &self.parts {
            let parts = by_weights
                .tensors_mut()
                .zip(part.pass.gradients().tensors());
            parts.for_each(|(sum, part)| add(sum.data_mut(), part.data()));
        }
        StepTrace {
            features: of_parts(&|part| &part.pass.features),
            by_projections: of_parts(&|part| &part.looked_at[0]),
            with_contexts: of_parts(&|part| &part.looked_at[1]),
            with_critic: of_parts(&|part| &part.gradient),
            by_critic: learned.map_or(Vec::new(), |learned| {
                learned.parts().flatten().copied().collect()
            }),
            by_weights,
            weights: self.generator.weights().clone(),
            report: self.report(&compared),
            by_set: compared.by_set,
        }
    }
}

impl Trainer for CpuTrainer<'_> {
    fn step(&mut self, plan: StepPlan) -> Result<StepReport, DeviceError> {
        let (compared, _) = self.advance(&plan);
        Ok(self.report(&compared))
    }

    fn snapshot(&mut self) -> Result<Generator, DeviceError> {
        Ok(self.generator.clone())
    }
}
