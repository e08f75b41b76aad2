//! The steps of a fit: fresh noise and filters, forward, compare, backward, move the weights.

use std::sync::MutexGuard;
use std::thread::{self, JoinHandle};

use candle_core::{Result, Tensor};
use weft_core::fit::{
    DeviceError, Recipe, Start, StepDraws, StepPlan, StepReport, StepTrace, Trainer,
};
use weft_core::network::Generator;
use weft_core::texture::loss::{BANKS, ContextLoss};

use super::contexts::Contexts;
use super::criticism::{Criticism, Judged, Opinion};
use super::cut::Cut;
use super::distances::{Comparison, Distance};
use super::failure;
use super::inputs::{Drawer, Layouts};
use super::layers::Limits;
use super::machine::Machine;
use super::network::Pass;
use super::optimizer::Optimizer;
use super::parameters::Parameters;
use super::targets::Targets;
use crate::tensors::scalar;

/// Everything that a fit changes from step to step.
pub struct TensorTrainer<'a> {
    recipe: &'a Recipe,
    machine: Machine,
    generator: Generator,
    limits: Limits,
    weights: Parameters,
    gradients: Parameters,
    optimizer: Optimizer,
    drawer: Drawer,
    targets: Targets,
    layout: Option<Layout>,
    contexts: ContextState,
    criticism: Option<Criticism>,
    /// Steps done, those before the start included.
    step: u32,
    reports: Reports,
    /// As long as it holds this, no other fit has the device.
    _turn: MutexGuard<'a, ()>,
}

/// What depends on the frames of a step.
struct Layout {
    scales: Layouts,
    comparison: Comparison,
}

enum ContextState {
    /// They have not counted yet.
    Unprepared,
    /// They are prepared on the host while the device makes the first steps.
    OnTheirWay(JoinHandle<Option<ContextLoss>>),
    /// The capture has too few.
    None,
    Prepared(Contexts),
}

/// Losses on their way back: to wait for every one would have the device wait for the host.
#[derive(Default)]
struct Reports {
    /// Losses that were not read yet.
    waiting: Vec<Tensor>,
    steps: u32,
    last: Option<StepReport>,
}

/// Steps from one that is read to the next, on a device that works while the host goes on.
const READ_EVERY: usize = 16;
/// The first steps are all read: they show whether the device works at all.
const FIRST_READ: u32 = 8;

/// All that a step computes.
struct Computed {
    features: Tensor,
    distance: Distance,
    with_contexts: Tensor,
    with_critic: Tensor,
    by_critic: Option<Tensor>,
}

impl<'a> TensorTrainer<'a> {
    pub fn new(
        recipe: &'a Recipe,
        start: Start,
        machine: &Machine,
        turn: MutexGuard<'a, ()>,
    ) -> Result<Self> {
        let device = &machine.device;
        let Start { generator, steps } = start;
        let weights = Parameters::new(generator.weights(), device)?;
        let critic = recipe.new_critic();
        let criticism = critic.map(|critic| Criticism::new(critic, machine));
        let mut trainer = Self {
            machine: machine.clone(),
            limits: Limits::new(generator.range(), machine)?,
            gradients: weights.zeros_like()?,
            optimizer: Optimizer::new(&weights, machine)?,
            weights,
            drawer: Drawer::new(generator.inputs().clone()),
            targets: Targets::new(recipe.loss(), machine)?,
            layout: None,
            contexts: ContextState::Unprepared,
            criticism: criticism.transpose()?,
            step: steps,
            reports: Reports::default(),
            _turn: turn,
            generator,
            recipe,
        };
        let draws = trainer.draws();
        for bank in 0..BANKS {
            trainer.targets.renew(recipe.loss(), draws, bank)?;
        }
        Ok(trainer)
    }

    fn draws(&self) -> StepDraws {
        StepDraws::new(self.recipe.settings().seed, self.step)
    }

    /// What depends on the frames of a step, made anew where they change.
    fn laid_out(&mut self, frames: usize) -> Result<Layout> {
        match self.layout.take() {
            Some(layout) if layout.scales.frames == frames => Ok(layout),
            _ => Ok(Layout {
                scales: self.drawer.layouts(frames, &self.machine)?,
                comparison: Comparison::new(self.recipe.loss(), frames, &self.machine)?,
            }),
        }
    }

    /// Makes a step.
    fn advance(&mut self, plan: &StepPlan) -> Result<Computed> {
        let (draws, loss) = (self.draws(), self.recipe.loss());
        let cut = Cut::new(plan.frames);
        let frames = cut.frames();
        let layout = self.laid_out(frames)?;
        self.targets.renew(loss, draws, draws.renewed_bank())?;
        let inputs = self
            .drawer
            .draw(draws.input_seed(), frames, &self.machine)?;
        let pass = Pass::forward(
            &self.weights,
            &self.limits,
            &inputs,
            &layout.scales,
            &self.machine,
        )?;
        let distance = layout
            .comparison
            .compare(loss, &self.targets, &pass.features)?;

        let mut gradient = distance.by_features.clone();
        if let Some(contexts) = self.prepared_contexts(plan.context_weight > 0.0)? {
            let seen = cut.stretches(&pass.features)?;
            if let Some(by_contexts) = contexts.gradient(&seen, plan.context_weight)? {
                gradient = (gradient + by_contexts.flatten(0, 1)?)?;
            }
        }
        let with_contexts = gradient.clone();
        let mut opinion = Opinion::default();
        if let (Some(weight), Some(criticism)) = (plan.critic_weight, &mut self.criticism) {
            let judged = Judged {
                draws,
                reference: self.targets.reference(),
                features: &pass.features,
                cut,
                weight,
            };
            opinion = criticism.judge(self.recipe, &judged)?;
        }
        if let (Some(weight), Some(by_critic)) = (plan.critic_weight, &opinion.by_features) {
            gradient = cut.with_critic(&gradient, by_critic, weight, &self.machine)?;
        }
        pass.backward(
            &self.weights,
            &inputs,
            &layout.scales,
            &gradient,
            &self.machine,
            &mut self.gradients,
        )?;
        self.optimizer
            .step(&mut self.weights, &self.gradients, plan.learning_rate)?;
        self.step = self.step.wrapping_add(1);
        self.layout = Some(layout);
        Ok(Computed {
            features: pass.features,
            distance,
            with_contexts,
            with_critic: gradient,
            by_critic: opinion.by_parameters,
        })
    }

    /// The contexts, if they are or come to be prepared.
    fn prepared_contexts(&mut self, count: bool) -> Result<Option<&mut Contexts>> {
        if count && !matches!(self.contexts, ContextState::Prepared(_)) {
            let loss = match std::mem::replace(&mut self.contexts, ContextState::None) {
                ContextState::Unprepared => self.recipe.new_contexts(),
                // Where that thread could not go on, this one tries.
                ContextState::OnTheirWay(thread) => {
                    thread.join().unwrap_or_else(|_| self.recipe.new_contexts())
                }
                ContextState::None | ContextState::Prepared(_) => None,
            };
            if let Some(loss) = loss {
                self.contexts = ContextState::Prepared(Contexts::new(&loss, &self.machine)?);
            }
        }
        Ok(match &mut self.contexts {
            ContextState::Prepared(contexts) => Some(contexts),
            _ => None,
        })
    }

    /// Has a thread prepare what a fit comes to need, where a device makes its steps meanwhile.
    pub fn prepare_ahead(&mut self) {
        if self.machine.device.is_cpu() {
            return;
        }
        let recipe = self.recipe.clone();
        let thread = thread::Builder::new().name("weft contexts".into());
        if let Ok(thread) = thread.spawn(move || recipe.new_contexts()) {
            self.contexts = ContextState::OnTheirWay(thread);
        }
    }

    fn critic_gap(&self) -> Result<Option<f32>> {
        let criticism = self.criticism.as_ref();
        criticism.map_or(Ok(None), Criticism::gap)
    }

    /// Reads what is waiting, and reports it.
    fn read(&mut self) -> Result<StepReport> {
        let waiting = std::mem::take(&mut self.reports.waiting);
        let count = waiting.len().max(1) as f64;
        let mean = scalar(&Tensor::stack(&waiting, 0)?.sum_all()?)? / count;
        let report = StepReport {
            loss: (mean / f64::from(self.recipe.loss().weight())) as f32,
            critic_gap: self.critic_gap()?,
        };
        self.reports.last = Some(report);
        Ok(report)
    }

    fn step_and_report(&mut self, plan: &StepPlan) -> Result<StepReport> {
        let computed = self.advance(plan)?;
        self.reports.waiting.push(computed.distance.loss);
        self.reports.steps = self.reports.steps.saturating_add(1);
        // A step that only listens is asked for its own loss.
        let must_read = self.machine.device.is_cpu()
            || plan.learning_rate == 0.0
            || self.reports.steps <= FIRST_READ
            || self.reports.waiting.len() >= READ_EVERY;
        match self.reports.last {
            Some(last) if !must_read => Ok(last),
            _ => self.read(),
        }
    }

    /// Makes a step, and keeps all that it computes on the way.
    pub fn trace(&mut self, plan: &StepPlan) -> Result<StepTrace> {
        let computed = self.advance(plan)?;
        let values = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        let by_critic = match (&computed.by_critic, &self.criticism) {
            (Some(gradient), Some(criticism)) => criticism.in_order(gradient)?,
            _ => Vec::new(),
        };
        self.reports.waiting = vec![computed.distance.loss];
        Ok(StepTrace {
            features: values(&computed.features)?,
            by_set: values(&computed.distance.by_set)?,
            by_projections: values(&computed.distance.by_features)?,
            with_contexts: values(&computed.with_contexts)?,
            with_critic: values(&computed.with_critic)?,
            by_critic,
            by_weights: self.gradients.to_weights(self.generator.weights())?,
            weights: self.weights.to_weights(self.generator.weights())?,
            report: self.read()?,
        })
    }
}

impl Trainer for TensorTrainer<'_> {
    fn step(&mut self, plan: StepPlan) -> std::result::Result<StepReport, DeviceError> {
        let report = self.step_and_report(&plan);
        report.map_err(|error| failure(&self.machine.device, &error))
    }

    fn snapshot(&mut self) -> std::result::Result<Generator, DeviceError> {
        let weights = self.weights.to_weights(self.generator.weights());
        let weights = weights.map_err(|error| failure(&self.machine.device, &error))?;
        Ok(self.generator.with_weights(weights))
    }
}
