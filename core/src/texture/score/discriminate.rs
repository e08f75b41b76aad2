//! How well a small network can learn to tell stretches of a recording from stretches of a synthesis.
//!
//! The critic of the fit, with other weights and at another sight, learns on the first halves of both and
//! judges the second halves, which it never saw: what it can't tell there is as good as real to it.

use super::spectrogram::{BINS, FRAME_RATE, log_magnitudes};
use super::{Recording, ScoreError, ScoreSettings};
use crate::numeric::moments::{ColumnMoments, to_single};
use crate::numeric::random::Sequence;
use crate::numeric::threads::Threads;
use crate::texture::loss::{
    Critic, CriticNetwork, CriticSettings, FeatureShape, LEAST_SEEN_FRAMES, Sight,
};

/// Of the spectrogram's frames, every second one counts: 8 ms from one to the next.
const FRAME_STEP: usize = 2;
/// Steps of its training.
const STEPS: u32 = 400;
/// Pairs of stretches that it learns from in a step, each on a thread of its own.
const BATCH: usize = 4;
/// Frames of a stretch: half a second. That long are also those that it judges in the end.
const STRETCH_FRAMES: usize = FRAME_RATE / FRAME_STEP / 2;
/// Frames from one stretch that is judged in the end to the next: they overlap, so that short recordings have
/// a good number of them.
const JUDGED_EVERY_FRAMES: usize = STRETCH_FRAMES / 4;
/// Learning rate.
const RATE: f32 = 2e-3;
/// Noise on what it sees, in deviations of a bin.
const NOISE: f32 = 0.1;
/// Least deviation of a bin that it sees, as a part of the mean one: a bin that hardly moves is no sign.
const LEAST_DEVIATION: f32 = 0.1;
/// Keeps its random numbers apart from those of other figures.
const DISCRIMINATION_STREAM: u64 = 102;

/// How well stretches of half a second were told apart.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Discrimination {
    /// Of all pairs of an unseen real and an unseen synthesized stretch, the part in which the real one was
    /// taken for more real (the area under the ROC curve): 0.5 where they can't be told apart, 1 where they
    /// always can.
    pub auc: f64,
    /// Of all unseen stretches, the part that was taken for what it is, at the best threshold of the seen ones.
    pub accuracy: f64,
}

/// Learns to tell the first half of `reference` from that of `synthesis`, and judges their second halves.
/// Takes some seconds.
///
/// # Errors
///
/// [`ScoreError::TooShort`] if a half has no stretch of half a second and more.
pub fn discriminate(
    reference: &Recording,
    synthesis: &Recording,
    settings: &ScoreSettings,
) -> Result<Discrimination, ScoreError> {
    let frames = |recording: &Recording| -> Result<Vec<f32>, ScoreError> {
        let all = log_magnitudes(recording.samples());
        let frames = all.chunks_exact(BINS).step_by(FRAME_STEP).flatten();
        let features: Vec<f32> = frames.copied().collect();
        match features.len() / BINS / 2 >= STRETCH_FRAMES {
            true => Ok(features),
            false => Err(ScoreError::TooShort {
                duration_s: recording.duration_s(),
                least_s: super::MIN_SCORED_S,
            }),
        }
    };
    let sides = [frames(reference)?, frames(synthesis)?];
    let halves = sides.each_ref().map(|side| {
        let half = side.len() / BINS / 2 * BINS;
        side.split_at(half)
    });
    let critic = learn(halves.map(|(seen, _)| seen), settings);
    let judge = |features: &[f32]| -> Vec<f32> {
        let stretches = features.windows(STRETCH_FRAMES * BINS);
        let stretches = stretches.step_by(JUDGED_EVERY_FRAMES * BINS);
        let numbered = (1u64 << 32..).zip(stretches);
        let verdicts = numbered.map(|(noise, stretch)| critic.judge(stretch, noise).mean());
        verdicts.collect()
    };
    let seen = halves.map(|(seen, _)| judge(seen));
    let unseen = halves.map(|(_, unseen)| judge(unseen));
    Ok(Discrimination {
        auc: area_under_curve(&unseen[0], &unseen[1]),
        accuracy: accuracy(&unseen, best_threshold(&seen)),
    })
}

/// A network that has learned to tell the two sides apart, real ones first.
fn learn(sides: [&[f32]; 2], settings: &ScoreSettings) -> CriticNetwork {
    let mut moments = ColumnMoments::new(BINS);
    for row in sides[0].chunks_exact(BINS) {
        moments.add(row.iter().copied());
    }
    let deviations = to_single(&moments.deviations());
    let least = LEAST_DEVIATION * deviations.iter().sum::<f32>() / BINS as f32;
    let sight = Sight {
        shape: FeatureShape {
            channels: 1,
            bands: BINS,
        },
        mean: to_single(&moments.means()),
        scale: deviations
            .iter()
            .map(|d| 1.0 / (d + least + f32::MIN_POSITIVE))
            .collect(),
        noise: NOISE,
    };
    let mut random = Sequence::new(settings.seed, DISCRIMINATION_STREAM);
    let network = CriticNetwork::new(sight, random.next());
    let learning = CriticSettings {
        rate: RATE,
        most_gap: f32::INFINITY,
    };
    let mut critic = Critic::new(network, learning);
    let threads = Threads::new(settings.threads);
    for step in 0..u64::from(STEPS) {
        let stretches: Vec<(bool, &[f32])> = (0..2 * BATCH)
            .map(|i| {
                let side = sides[i % 2];
                let start = random.below(side.len() / BINS - STRETCH_FRAMES + 1) * BINS;
                (i % 2 == 0, &side[start..start + STRETCH_FRAMES * BINS])
            })
            .collect();
        let network = critic.network();
        let learned = threads.map(stretches.len(), |i| {
            let (is_real, stretch) = stretches[i];
            let verdict = network.judge(stretch, step * 2 * BATCH as u64 + i as u64);
            (verdict.mean(), network.by_parameters(&verdict, is_real))
        });
        let mean = |place: usize| {
            let of_side = learned.iter().skip(place).step_by(2);
            of_side.map(|l| l.0).sum::<f32>() / BATCH as f32
        };
        let (real, synthesized) = (mean(0), mean(1));
        let mut gradients = learned.into_iter().map(|l| l.1);
        if let Some(mut sum) = gradients.next() {
            gradients.for_each(|gradient| sum.add(&gradient));
            critic.learn(real, synthesized, &sum);
        }
    }
    critic.network().clone()
}

/// The part of all pairs in which `real` is above `synthesized`; a tie is half.
fn area_under_curve(real: &[f32], synthesized: &[f32]) -> f64 {
    let pairs = real
        .iter()
        .flat_map(|r| synthesized.iter().map(move |s| (r, s)));
    let wins = pairs.map(|(r, s)| match r.total_cmp(s) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    });
    wins.sum::<f64>() / (real.len() * synthesized.len()) as f64
}

/// Mean of the parts of either side that are on their side of `threshold`.
fn accuracy([real, synthesized]: &[Vec<f32>; 2], threshold: f32) -> f64 {
    let part = |count: usize, of: &[f32]| count as f64 / of.len() as f64;
    let right_real = real.iter().filter(|r| **r > threshold).count();
    let right_synthesized = synthesized.iter().filter(|s| **s <= threshold).count();
    0.5 * (part(right_real, real) + part(right_synthesized, synthesized))
}

/// The verdict that parts the two sides best.
fn best_threshold(sides: &[Vec<f32>; 2]) -> f32 {
    let all = sides.iter().flatten().copied();
    let better = |a: &f32, b: &f32| accuracy(sides, *a).total_cmp(&accuracy(sides, *b));
    all.max_by(better).unwrap_or(0.0)
}

// A stretch has a verdict.
const _: () = assert!(STRETCH_FRAMES >= LEAST_SEEN_FRAMES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_thresholds() {
        let real = vec![3.0, 4.0, 5.0, 6.0];
        let synthesized = vec![1.0, 2.0, 3.5, 3.0];
        // 14 of 16 pairs are in order, and one is a tie.
        assert!((area_under_curve(&real, &synthesized) - 14.5 / 16.0).abs() < 1e-12);
        let sides = [real, synthesized];
        let threshold = best_threshold(&sides);
        assert_eq!(threshold, 3.5);
        assert!((accuracy(&sides, threshold) - 0.875).abs() < 1e-12);
    }
}
