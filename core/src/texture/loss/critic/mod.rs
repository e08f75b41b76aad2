//! A critic: a small network that learns to tell stretches of the capture from synthesized ones, and whose
//! verdict is a loss of the synthesis (generative adversarial networks: Goodfellow et al. 2014; with the hinge
//! loss of Lim & Ye 2017, section 3).
//!
//! It sees patches, local in time and frequency: lines, glides and edges, which sums over whole stretches
//! hardly see, but no whole event that could be copied. It is kept weak: its weights are normalized, both
//! sides are blurred by noise, and where it tells them apart too well, it waits for the synthesis.

mod convolution;
mod network;

pub use convolution::{Convolution, Layout};
pub(crate) use network::{CriticGradient, LEAST_SEEN_FRAMES};
pub use network::{CriticNetwork, Sight};

/// Decays of Adam's moments (Kingma & Ba 2015, algorithm 1), as critics are usually trained.
const BETA_1: f32 = 0.5;
const BETA_2: f32 = 0.99;
const EPSILON: f32 = 1e-8;
/// Weight of a step in the smoothed distance of the verdicts.
const GAP_SMOOTHING: f32 = 0.02;

/// How a critic learns.
#[derive(Clone, Copy, Debug)]
pub struct CriticSettings {
    /// Learning rate.
    pub rate: f32,
    /// Distance of the mean verdicts on real and synthesized stretches from which on it waits.
    pub most_gap: f32,
}

/// A critic, and what its training remembers.
#[derive(Clone, Debug)]
pub struct Critic {
    network: CriticNetwork,
    settings: CriticSettings,
    /// First and second moments of every run of parameters.
    moments: Vec<[Vec<f32>; 2]>,
    steps: i32,
    gap: Option<f32>,
}

impl Critic {
    /// Decays of Adam's moments, and what keeps its quotients finite.
    pub const ADAM: (f32, f32, f32) = (BETA_1, BETA_2, EPSILON);
    /// Weight of a step in the smoothed distance of the verdicts.
    pub const GAP_SMOOTHING: f32 = GAP_SMOOTHING;

    /// One that has learned nothing yet.
    pub(crate) fn new(mut network: CriticNetwork, settings: CriticSettings) -> Self {
        let moments = |run: &mut [f32]| [vec![0.0; run.len()], vec![0.0; run.len()]];
        Self {
            moments: network.parameters_mut().map(moments).collect(),
            network,
            settings,
            steps: 0,
            gap: None,
        }
    }

    /// Its network as it is now.
    pub fn network(&self) -> &CriticNetwork {
        &self.network
    }

    /// How it learns.
    pub fn settings(&self) -> CriticSettings {
        self.settings
    }

    /// By how much its mean verdict on real stretches has lately been above that on synthesized ones; nothing
    /// before its first step.
    pub fn gap(&self) -> Option<f32> {
        self.gap
    }

    /// Takes a step along `gradient`, the sum of those by its parameters for a real and a
    /// synthesized stretch whose mean verdicts were `real` and `synthesized`; or waits.
    pub(crate) fn learn(&mut self, real: f32, synthesized: f32, gradient: &CriticGradient) {
        let gap = real - synthesized;
        let smooth = self
            .gap
            .map_or(gap, |last| last + GAP_SMOOTHING * (gap - last));
        self.gap = Some(smooth);
        if smooth > self.settings.most_gap {
            return;
        }
        self.steps = self.steps.saturating_add(1);
        let first_scale = 1.0 / (1.0 - BETA_1.powi(self.steps));
        let second_scale = 1.0 / (1.0 - BETA_2.powi(self.steps));
        let runs = self.network.parameters_mut().zip(&mut self.moments);
        for ((run, [first, second]), gradient) in runs.zip(gradient.parts()) {
            let moments = first.iter_mut().zip(second);
            for ((w, g), (m, v)) in run.iter_mut().zip(gradient).zip(moments) {
                *m = BETA_1 * *m + (1.0 - BETA_1) * g;
                *v = BETA_2 * *v + (1.0 - BETA_2) * g * g;
                *w -=
                    self.settings.rate * *m * first_scale / ((*v * second_scale).sqrt() + EPSILON);
            }
        }
        self.network.normalize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texture::loss::FeatureShape;
    use crate::texture::loss::gradient_check::random;

    /// 96 frames of noise; or with a line that glides up a band a frame, at the same deviation.
    fn stretch(seed: u64, glides: bool) -> Vec<f32> {
        const BANDS: usize = 24;
        let mut x = random(seed, 96 * BANDS, 1.0);
        if glides {
            for (time, row) in x.chunks_exact_mut(BANDS).enumerate() {
                row[(time + seed as usize * 5) % BANDS] = 3.0;
                let deviation = (row.iter().map(|v| v * v).sum::<f32>() / BANDS as f32).sqrt();
                row.iter_mut().for_each(|v| *v /= deviation);
            }
        }
        x
    }

    #[test]
    fn learns_to_tell_glides_from_noise_and_waits_at_its_gap() {
        let shape = FeatureShape {
            channels: 1,
            bands: 24,
        };
        let sight = Sight {
            shape,
            mean: vec![0.0; shape.width()],
            scale: vec![1.0; shape.width()],
            noise: 0.1,
        };
        let settings = CriticSettings {
            rate: 2e-3,
            most_gap: 1.0,
        };
        let mut critic = Critic::new(CriticNetwork::new(sight, 1), settings);
        for step in 0..300 {
            let network = critic.network();
            let real = network.judge(&stretch(2 * step, true), 2 * step);
            let synthesized = network.judge(&stretch(2 * step + 1, false), 2 * step + 1);
            let mut gradient = network.by_parameters(&real, true);
            gradient.add(&network.by_parameters(&synthesized, false));
            critic.learn(real.mean(), synthesized.mean(), &gradient);
        }
        let judge = |seed, glides| critic.network().judge(&stretch(seed, glides), seed).mean();
        let right = (1_000..1_020).filter(|&seed| judge(seed, true) > judge(seed, false));
        assert!(right.count() >= 19, "unseen stretches are told apart");
        let before = judge(7, true);
        // The noise does not learn to glide: the critic waits, and stays what it is.
        assert!(critic.gap().is_some_and(|gap| gap > settings.most_gap));
        let verdict = critic.network().judge(&stretch(7, true), 7);
        let gradient = critic.network().by_parameters(&verdict, true);
        critic.learn(verdict.mean(), -verdict.mean(), &gradient);
        assert_eq!(critic.network().judge(&stretch(7, true), 7).mean(), before);
    }
}
