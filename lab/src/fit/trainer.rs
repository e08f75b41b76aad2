//! The steps of a fit: fresh noise and filters, forward, compare, backward, move the weights.

use std::sync::MutexGuard;

use candle_core::{Result, Tensor};
use weft_core::fit::{
    DeviceError, Recipe, SEEN_FRAMES, STRETCHES_FOR_CRITIC, Side, Start, StepDraws, StepPlan,
    StepReport, StepTrace, Trainer, stretches,
};
use weft_core::network::Generator;
use weft_core::texture::loss::{BANKS, Critic};

use super::contexts::Contexts;
use super::critic::{TensorCritic, Verdicts};
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
    /// The capture has too few.
    None,
    Prepared(Contexts),
}

/// The critic, and what numbers the noise that blurs what it sees.
struct Criticism {
    critic: Critic,
    tensors: TensorCritic,
}

/// What the critic makes of a step: its gradient by the frames that it saw, and that by its parameters.
#[derive(Default)]
struct Opinion {
    by_features: Option<Tensor>,
    by_parameters: Option<Tensor>,
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
        let criticism = recipe.new_critic().map(|critic| {
            let tensors = TensorCritic::new(&critic, machine)?;
            Ok::<_, candle_core::Error>(Criticism { critic, tensors })
        });
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
        let layout = self.laid_out(plan.frames)?;
        self.targets.renew(loss, draws, draws.renewed_bank())?;
        let inputs = self
            .drawer
            .draw(draws.input_seed(), plan.frames, &self.machine)?;
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

        let cut = Cut::new(plan.frames);
        let seen = cut.stretches(&pass.features)?;
        let mut gradient = distance.by_features.clone();
        if let Some(contexts) = self.prepared_contexts(plan.context_weight > 0.0)? {
            let by_contexts = contexts.gradient(&seen, plan.context_weight)?;
            if let Some(by_contexts) = by_contexts {
                gradient = (gradient + cut.frames_of(&by_contexts)?)?;
            }
        }
        let with_contexts = gradient.clone();
        let mut opinion = Opinion::default();
        if let (Some(weight), Some(criticism)) = (plan.critic_weight, &mut self.criticism) {
            opinion = criticism.judge(self.recipe, &self.targets, draws, &seen, weight)?;
        }
        if let (Some(weight), Some(by_critic)) = (plan.critic_weight, &opinion.by_features) {
            gradient = cut.with_critic(&gradient, by_critic, weight)?;
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
        if count && matches!(self.contexts, ContextState::Unprepared) {
            self.contexts = match self.recipe.new_contexts() {
                Some(loss) => ContextState::Prepared(Contexts::new(&loss, &self.machine.device)?),
                None => ContextState::None,
            };
        }
        Ok(match &mut self.contexts {
            ContextState::Prepared(contexts) => Some(contexts),
            ContextState::Unprepared | ContextState::None => None,
        })
    }

    fn critic_gap(&self) -> Result<Option<f32>> {
        let gap = self.criticism.as_ref().and_then(|c| c.tensors.gap());
        gap.map(|gap| gap.to_scalar::<f32>()).transpose()
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
            (Some(gradient), Some(criticism)) => criticism.tensors.in_order(gradient)?,
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

/// How the frames of a step are cut into stretches. Where they can't be of one length, the last frames are in none.
struct Cut {
    frames: usize,
    count: usize,
    length: usize,
}

impl Cut {
    fn new(frames: usize) -> Self {
        let count = stretches(frames).len();
        Self {
            frames,
            count,
            length: frames / count,
        }
    }

    /// The stretches of all frames.
    fn stretches(&self, frames: &Tensor) -> Result<Tensor> {
        let width = frames.dim(1)?;
        let cut = frames.narrow(0, 0, self.count * self.length)?;
        cut.reshape((self.count, self.length, width))
    }

    /// All frames of stretches; zeros where a frame is in none.
    fn frames_of(&self, stretches: &Tensor) -> Result<Tensor> {
        let frames = stretches.flatten(0, 1)?;
        frames.pad_with_zeros(0, 0, self.frames - self.count * self.length)
    }

    /// A gradient with the critic's, which knows some stretches' first frames, added to it: in each of them as large a
    /// part of it as `weight` says. It sees some stretches for all of them.
    fn with_critic(&self, gradient: &Tensor, by_critic: &Tensor, weight: f32) -> Result<Tensor> {
        let (seen, frames, _) = by_critic.dims3()?;
        let weight = f64::from(weight) * self.count as f64 / seen as f64;
        let all = self.stretches(gradient)?;
        let places: Vec<u32> = (0..seen)
            .map(|place| (place * STRETCHES_FOR_CRITIC) as u32)
            .collect();
        let places = Tensor::new(places, gradient.device())?;
        let norm = |x: &Tensor| x.sqr()?.sum_keepdim((1, 2))?.sqrt();
        let own = norm(&all.index_select(&places, 0)?)?;
        let its = norm(by_critic)?.affine(1.0, f32::MIN_POSITIVE.into())?;
        let scale = (own / its)?.affine(weight, 0.0)?;
        let part = by_critic.broadcast_mul(&scale)?;
        let part = part.pad_with_zeros(1, 0, self.length - frames)?;
        let added = all.zeros_like()?.index_add(&places, &part, 0)?;
        gradient + self.frames_of(&added)?
    }
}

impl Criticism {
    /// What it thinks of a step whose stretches are `seen`, where it is heard with `weight`; and lets it learn, where
    /// it does.
    fn judge(
        &mut self,
        recipe: &Recipe,
        targets: &Targets,
        draws: StepDraws,
        seen: &Tensor,
        weight: f32,
    ) -> Result<Opinion> {
        let count = seen.dim(0)?.div_ceil(STRETCHES_FOR_CRITIC);
        let places = (0..count).map(|place| {
            let place = &mut draws.critic_place(place);
            recipe.loss().stretch(place, SEEN_FRAMES)
        });
        let places: Vec<_> = places.collect();
        let frames = places.iter().map(|place| place.len()).min().unwrap_or(0);
        let own: Vec<Tensor> = (0..count)
            .map(|place| seen.get(place * STRETCHES_FOR_CRITIC))
            .collect::<Result<_>>()?;
        let own = Tensor::stack(&own, 0)?;
        let own = own.narrow(1, 0, frames.min(own.dim(1)?))?.contiguous()?;
        let judged = self.look(&own, Side::Synthesized, draws)?;
        let mut opinion = Opinion::default();
        if weight > 0.0 {
            opinion.by_features = Some(self.tensors.by_features(&judged)?);
        }
        if draws.critic_learns() {
            let real: Vec<Tensor> = places
                .iter()
                .map(|place| targets.reference().narrow(0, place.start, frames))
                .collect::<Result<_>>()?;
            let real = self.look(&Tensor::stack(&real, 0)?, Side::Real, draws)?;
            let by_real = self.tensors.by_parameters(&real, true)?;
            let gradient = (by_real + self.tensors.by_parameters(&judged, false)?)?;
            self.tensors
                .learn(&real.mean()?, &judged.mean()?, &gradient)?;
            opinion.by_parameters = Some(gradient);
        }
        Ok(opinion)
    }

    /// Its verdicts on stretches of a side, blurred by the noise of a step.
    fn look(&mut self, stretches: &Tensor, side: Side, draws: StepDraws) -> Result<Verdicts> {
        let (count, frames, width) = stretches.dims3()?;
        let mut blur = Vec::with_capacity(count * frames * width);
        for place in 0..count {
            let noise = draws.critic_noise(side, place);
            let mut random = self.critic.network().blur(noise);
            blur.extend((0..frames * width).map(|_| random.nearly_gaussian()));
        }
        let blur = Tensor::from_vec(blur, (count, frames, width), stretches.device())?;
        self.tensors.judge(stretches, &blur)
    }
}
