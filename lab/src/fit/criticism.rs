//! What the critic makes of a step, and how it learns beside it: by kernels where there are, or else by the library's
//! operations.

use candle_core::{Result, Tensor};
use weft_core::fit::{Recipe, SEEN_FRAMES, Side, StepDraws};
use weft_core::texture::loss::Critic;

use super::critic::{FastCritic, Stretch, TensorCritic, Verdicts};
use super::cut::Cut;
use super::machine::Machine;

/// The critic, and what numbers the noise that blurs what it sees.
#[derive(Debug)]
pub struct Criticism {
    critic: Critic,
    tensors: Tensors,
}

#[derive(Debug)]
enum Tensors {
    Plain(TensorCritic),
    Fast(FastCritic),
}

/// What the critic makes of a step: its gradient by the frames that it saw, and that by its parameters.
#[derive(Debug, Default)]
pub struct Opinion {
    pub by_features: Option<Tensor>,
    pub by_parameters: Option<Tensor>,
}

/// A step that is judged.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    pub draws: StepDraws,
    /// The capture's frames, and the step's own.
    pub reference: &'a Tensor,
    pub features: &'a Tensor,
    pub cut: Cut,
    /// How strongly the critic is heard.
    pub weight: f32,
}

/// Where it looks: frames of the capture, and of the step's own stretches.
struct Places {
    real: Vec<Tensor>,
    own: Vec<Tensor>,
}

impl Places {
    fn new(recipe: &Recipe, judged: &Judged<'_>) -> Result<Self> {
        let ranges = (0..judged.cut.seen()).map(|place| {
            let place = &mut judged.draws.critic_place(place);
            recipe.loss().stretch(place, SEEN_FRAMES)
        });
        let ranges: Vec<_> = ranges.collect();
        let frames = ranges.iter().map(|range| range.len()).min().unwrap_or(0);
        let real = ranges
            .iter()
            .map(|range| judged.reference.narrow(0, range.start, frames));
        let own =
            (0..ranges.len()).map(|place| judged.cut.seen_frames(judged.features, place, frames));
        Ok(Self {
            real: real.collect::<Result<_>>()?,
            own: own.collect::<Result<_>>()?,
        })
    }
}

impl Criticism {
    pub fn new(critic: Critic, machine: &Machine) -> Result<Self> {
        let tensors = match FastCritic::new(&critic, machine)? {
            Some(fast) => Tensors::Fast(fast),
            None => Tensors::Plain(TensorCritic::new(&critic, machine)?),
        };
        Ok(Self { critic, tensors })
    }

    /// By how much its verdicts have lately differed, if it has learned.
    pub fn gap(&self) -> Result<Option<f32>> {
        match &self.tensors {
            Tensors::Plain(critic) => critic.gap().map(Tensor::to_scalar).transpose(),
            Tensors::Fast(critic) => critic.gap(),
        }
    }

    /// The parts of a gradient by its parameters, in the order of the processor's.
    pub fn in_order(&self, gradient: &Tensor) -> Result<Vec<f32>> {
        match &self.tensors {
            Tensors::Plain(critic) => critic.in_order(gradient),
            Tensors::Fast(critic) => critic.in_order(gradient),
        }
    }

    /// What it thinks of a step; and lets it learn, where it does.
    pub fn judge(&mut self, recipe: &Recipe, judged: &Judged<'_>) -> Result<Opinion> {
        let places = Places::new(recipe, judged)?;
        match &mut self.tensors {
            Tensors::Plain(tensors) => judge_plain(&self.critic, tensors, &places, judged),
            Tensors::Fast(tensors) => judge_fast(&self.critic, tensors, &places, judged),
        }
    }
}

fn judge_fast(
    critic: &Critic,
    tensors: &mut FastCritic,
    places: &Places,
    judged: &Judged<'_>,
) -> Result<Opinion> {
    let of_side = |frames: &'_ [Tensor], side: Side| -> Vec<u64> {
        let numbers = (0..frames.len()).map(|place| judged.draws.critic_noise(side, place));
        numbers
            .map(|number| critic.network().blur(number).counter())
            .collect()
    };
    let count = places.own.len();
    let blurs = [
        of_side(&places.own, Side::Synthesized),
        of_side(&places.real, Side::Real),
    ];
    let own = places.own.iter().zip(&blurs[0]);
    let real = places.real.iter().zip(&blurs[1]);
    let [own, real] = [own.collect::<Vec<_>>(), real.collect()].map(|side| -> Vec<Stretch<'_>> {
        let side = side.into_iter();
        side.map(|(frames, &blur)| Stretch { frames, blur })
            .collect()
    });
    let mut opinion = Opinion::default();
    if !judged.draws.critic_learns() {
        if judged.weight > 0.0 {
            let seen = tensors.judge(&own)?;
            opinion.by_features = Some(tensors.by_features(&seen, count)?);
        }
        return Ok(opinion);
    }
    // Stretches of one length are judged at once, those of the capture last.
    let is_one = own[0].frames.dim(0)? == real[0].frames.dim(0)?;
    let seen = if is_one {
        tensors.judge(&[&own[..], &real].concat())?
    } else {
        tensors.judge(&own)?
    };
    if judged.weight > 0.0 {
        opinion.by_features = Some(tensors.by_features(&seen, count)?);
    }
    tensors.by_parameters(&seen, count, false)?;
    let gradient = if is_one {
        tensors.learn((&seen, count), &seen, count)?
    } else {
        let real = tensors.judge(&real)?;
        tensors.by_parameters(&real, 0, true)?;
        tensors.learn((&real, 0), &seen, count)?
    };
    opinion.by_parameters = Some(gradient);
    Ok(opinion)
}

fn judge_plain(
    critic: &Critic,
    tensors: &mut TensorCritic,
    places: &Places,
    judged: &Judged<'_>,
) -> Result<Opinion> {
    let look = |tensors: &mut TensorCritic, frames: &[Tensor], side: Side| -> Result<Verdicts> {
        let stretches = Tensor::stack(frames, 0)?;
        let mut blur = Vec::with_capacity(stretches.elem_count());
        for (place, frames) in frames.iter().enumerate() {
            let noise = judged.draws.critic_noise(side, place);
            let mut random = critic.network().blur(noise);
            blur.extend((0..frames.elem_count()).map(|_| random.nearly_gaussian()));
        }
        let blur = Tensor::from_vec(blur, stretches.shape(), stretches.device())?;
        tensors.judge(&stretches, &blur)
    };
    let own = look(tensors, &places.own, Side::Synthesized)?;
    let mut opinion = Opinion::default();
    if judged.weight > 0.0 {
        opinion.by_features = Some(tensors.by_features(&own)?);
    }
    if judged.draws.critic_learns() {
        let real = look(tensors, &places.real, Side::Real)?;
        let by_real = tensors.by_parameters(&real, true)?;
        let gradient = (by_real + tensors.by_parameters(&own, false)?)?;
        tensors.learn(&real.mean()?, &own.mean()?, &gradient)?;
        opinion.by_parameters = Some(gradient);
    }
    Ok(opinion)
}
