//! The critic's part in a step.

use crate::fit::Recipe;
use crate::fit::draws::{SEEN_FRAMES, Side, StepDraws};
use crate::texture::loss::{Critic, CriticGradient, SlicedWasserstein};

/// A critic that learns beside a network.
pub(super) struct Criticism<'a> {
    critic: Critic,
    loss: &'a SlicedWasserstein,
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
        })
    }

    /// By how much its verdicts on the two sides have lately differed.
    pub fn gap(&self) -> Option<f32> {
        self.critic.gap()
    }

    /// Judges a stretch of the capture, or the first frames of `synthesis`. Of those of a step, this is
    /// stretch `place`.
    pub fn judge(&self, side: Side, synthesis: &[f32], draws: StepDraws, place: usize) -> Opinion {
        let width = self.loss.shape().width();
        let real = self
            .loss
            .stretch(&mut draws.critic_place(place), SEEN_FRAMES);
        let real = &self.loss.reference()[real.start * width..real.end * width];
        let seen = match side {
            Side::Real => real,
            // As long as the real one.
            Side::Synthesized => &synthesis[..synthesis.len().min(real.len())],
        };
        let network = self.critic.network();
        let verdict = network.judge(seen, draws.critic_noise(side, place));
        Opinion {
            mean: verdict.mean(),
            gradient: draws
                .critic_learns()
                .then(|| network.by_parameters(&verdict, side == Side::Real)),
            by_features: match side {
                Side::Real => Vec::new(),
                Side::Synthesized => network.by_features(&verdict),
            },
        }
    }

    /// Learns from what it thought of real stretches and of as many synthesized ones, if of any. Returns the
    /// gradient that it went along.
    pub fn learn(&mut self, real: &[Opinion], synthesized: &[Opinion]) -> Option<CriticGradient> {
        let all = real.iter().chain(synthesized);
        let mut gradients = all.filter_map(|o| o.gradient.as_ref());
        let mut sum = gradients.next().cloned()?;
        gradients.for_each(|gradient| sum.add(gradient));
        let mean = |side: &[Opinion]| side.iter().map(|o| o.mean).sum::<f32>() / side.len() as f32;
        // Adam takes no notice of the sum's size.
        self.critic.learn(mean(real), mean(synthesized), &sum);
        Some(sum)
    }
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
