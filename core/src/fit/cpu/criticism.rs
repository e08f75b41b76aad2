//! The critic's part in a step.

use crate::fit::Recipe;
use crate::numeric::random::Sequence;
use crate::texture::loss::{Critic, CriticGradient, SlicedWasserstein};

/// Frames that it sees of the capture and of the synthesis in a step. More make it a better judge, and take as
/// much longer.
const SEEN_FRAMES: usize = 384;

/// From one step that it learns in to the next: learning takes twice as long as being heard.
const LEARNS_EVERY: u32 = 2;

/// Keeps the places that it looks at apart from all else that is drawn from the fit's seed.
const PLACES_SEED: u64 = 0x0C41_91CE;

/// A critic that learns beside a network.
pub(super) struct Criticism<'a> {
    critic: Critic,
    loss: &'a SlicedWasserstein,
    seed: u64,
}

/// Which stretch is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Real,
    Synthesized,
}

/// What the critic thinks of a stretch, and what it would learn from it.
#[derive(Debug)]
pub(super) struct Opinion {
    mean: f32,
    /// Which way the critic should move, if it learns from it.
    gradient: Option<CriticGradient>,
    /// Of a synthesized stretch: which way its features look less real.
    by_features: Vec<f32>,
}

impl<'a> Criticism<'a> {
    /// For the fit of `recipe`, unless its capture is too short.
    pub fn new(recipe: &'a Recipe) -> Option<Self> {
        Some(Self {
            critic: recipe.new_critic()?,
            loss: recipe.loss(),
            seed: recipe.settings().seed,
        })
    }

    /// By how much its verdicts on the two sides have lately differed.
    pub fn gap(&self) -> Option<f32> {
        self.critic.gap()
    }

    /// Judges a stretch of the capture, or the first frames of `synthesis`. Of those of a step, this is
    /// stretch `place`.
    pub fn judge(&self, side: Side, synthesis: &[f32], step: u32, place: usize) -> Opinion {
        let number = u64::from(step) << 8 | place as u64;
        let mut random = Sequence::new(self.seed ^ PLACES_SEED, number);
        let real = self.loss.stretch(&mut random, SEEN_FRAMES);
        let seen = match side {
            Side::Real => real,
            // As long as the real one.
            Side::Synthesized => &synthesis[..synthesis.len().min(real.len())],
        };
        let network = self.critic.network();
        let noise = 2 * number + u64::from(side == Side::Synthesized);
        let verdict = network.judge(seen, noise);
        Opinion {
            mean: verdict.mean(),
            gradient: learns_in(step).then(|| network.by_parameters(&verdict, side == Side::Real)),
            by_features: match side {
                Side::Real => Vec::new(),
                Side::Synthesized => network.by_features(&verdict),
            },
        }
    }

    /// Learns from what it thought of real stretches and of as many synthesized ones, if of any.
    pub fn learn(&mut self, real: &[Opinion], synthesized: &[Opinion]) {
        let all = real.iter().chain(synthesized);
        let mut gradients = all.filter_map(|o| o.gradient.as_ref());
        let Some(mut sum) = gradients.next().cloned() else {
            return;
        };
        gradients.for_each(|gradient| sum.add(gradient));
        let mean = |side: &[Opinion]| side.iter().map(|o| o.mean).sum::<f32>() / side.len() as f32;
        // Adam takes no notice of the sum's size.
        self.critic.learn(mean(real), mean(synthesized), &sum);
    }
}

/// Whether the critic learns in a step; else it is only heard, and need not see the capture.
pub(super) fn learns_in(step: u32) -> bool {
    step.is_multiple_of(LEARNS_EVERY)
}

impl Opinion {
    /// Adds the gradient by the features that were seen to `gradient`, by those of a part of a step, whose
    /// norm times `weight` it gets.
    pub fn add_to(&self, gradient: &mut [f32], weight: f32) {
        let norm = |x: &[f32]| x.iter().map(|v| v * v).sum::<f32>().sqrt();
        let scale = weight * norm(gradient) / (norm(&self.by_features) + f32::MIN_POSITIVE);
        for (d, c) in gradient.iter_mut().zip(&self.by_features) {
            *d += scale * c;
        }
    }
}
