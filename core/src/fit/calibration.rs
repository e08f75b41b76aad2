//! Sets the level of what a network makes: over a long stretch every feature gets the capture's own mean, and
//! every magnitude its energy.
//!
//! A step compares distributions of some four seconds, in which the rare loudest frames weigh little; but
//! they are most of the energy, and so of what is heard as loudness and balance.

use crate::network::{Generator, GeneratorScratch};
use crate::numeric::fast_math::exp;
use crate::numeric::simd::dispatch;

/// Frames that the levels of a snapshot are measured on: 12 s at 44.1 kHz.
pub(super) const SNAPSHOT_FRAMES: usize = 1_024;
/// Frames that the levels at the end of a fit are measured on: rare loud frames make a shorter measurement a
/// matter of chance.
pub(super) const FINAL_FRAMES: usize = 8_192;
/// By how much a feature's deviation may be scaled: what needs more has not learned its distribution yet.
const SCALES: (f32, f32) = (0.5, 2.0);
/// Halvings of the range of scales: a scale is then known to 0.001.
const HALVINGS: usize = 11;

/// What is matched, for each feature.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    /// The first so many features are log magnitudes, `ln(1 + c·|X|)`.
    magnitude_width: usize,
    mean: Vec<f32>,
    /// Mean of `(c·|X|)²`; of features that are no magnitudes, the mean square about the mean.
    energy: Vec<f32>,
}

impl Levels {
    /// Levels of `features`, rows of `width`.
    pub fn measure(features: &[f32], width: usize, magnitude_width: usize) -> Self {
        let mean = means(features, width);
        let ones = vec![1.0; width];
        let mut levels = Self {
            magnitude_width,
            energy: Vec::new(),
            mean,
        };
        levels.energy = levels.energies(features, &levels.mean, &ones);
        levels
    }

    /// Energies of features with these means, once they are moved to ours and scaled about them.
    fn energies(&self, features: &[f32], means: &[f32], scales: &[f32]) -> Vec<f32> {
        let width = self.mean.len();
        let mut sum = vec![0.0f32; width];
        dispatch(
            #[inline(always)]
            || {
                for row in features.chunks_exact(width) {
                    let values = row.iter().zip(means).zip(scales).zip(&self.mean);
                    let magnitudes = sum[..self.magnitude_width].iter_mut().zip(values);
                    for (sum, (((x, from), scale), to)) in magnitudes {
                        let linear = exp(to + scale * (x - from)) - 1.0;
                        *sum += linear * linear;
                    }
                    let values = row.iter().zip(means).zip(scales);
                    let others = sum.iter_mut().zip(values).skip(self.magnitude_width);
                    for (sum, ((x, from), scale)) in others {
                        let offset = scale * (x - from);
                        *sum += offset * offset;
                    }
                }
            },
        );
        let count = (features.len() / width) as f32;
        sum.iter().map(|s| s / count).collect()
    }

    /// By how much each of `features`, which have these means, must be scaled about its mean to have our
    /// energies. Energy grows with the scale, so the range of scales is halved until the scale is known.
    fn scales(&self, features: &[f32], means: &[f32]) -> Vec<f32> {
        let width = self.mean.len();
        let (mut low, mut high) = (vec![SCALES.0; width], vec![SCALES.1; width]);
        let middle = |low: &[f32], high: &[f32]| -> Vec<f32> {
            low.iter().zip(high).map(|(l, h)| 0.5 * (l + h)).collect()
        };
        for _ in 0..HALVINGS {
            let scales = middle(&low, &high);
            let energies = self.energies(features, means, &scales);
            let bounds = low.iter_mut().zip(&mut high).zip(scales);
            for (((low, high), scale), (now, wanted)) in
                bounds.zip(energies.iter().zip(&self.energy))
            {
                *if now > wanted { high } else { low } = scale;
            }
        }
        middle(&low, &high)
    }

    /// Scales and moves the output of `generator` to these levels, as it plays `frames` frames with `seed`.
    pub fn apply(&self, generator: &mut Generator, seed: u32, frames: usize) {
        let width = generator.feature_width();
        let mut features = vec![0.0; frames * width];
        let scratch = &mut GeneratorScratch::default();
        generator.frames_into(seed, 0, frames, scratch, &mut features);
        let means = means(&features, width);
        let scales = self.scales(&features, &means);
        let range = generator.range();
        // In units of the network's linear output.
        let offsets: Vec<f32> = (0..width)
            .map(|i| {
                let pivot = (means[i] - range.mean[i]) / range.deviation[i];
                let target = (self.mean[i] - range.mean[i]) / range.deviation[i];
                target - scales[i] * pivot
            })
            .collect();
        generator.rescale_output(&scales, &offsets);
    }
}

fn means(features: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0f64; width];
    for row in features.chunks_exact(width) {
        for (s, x) in sum.iter_mut().zip(row) {
            *s += f64::from(*x);
        }
    }
    let count = (features.len() / width) as f64;
    sum.iter().map(|s| (s / count) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::FeatureRange;
    use crate::numeric::random::Sequence;
    use crate::spectrum::Features;

    #[test]
    fn a_network_gets_the_captures_means_and_energies() {
        let (width, magnitudes) = (6, 4);
        let mut random = Sequence::new(4, 0);
        let row = |random: &mut Sequence| -> [f32; 6] {
            std::array::from_fn(|i| match i {
                0..4 => (2.0 + 0.2 * i as f32 + 0.4 * random.gaussian()).max(0.0),
                _ => 0.3 * random.gaussian(),
            })
        };
        let data: Vec<f32> = (0..500).flat_map(|_| row(&mut random)).collect();
        let levels = Levels::measure(&data, width, magnitudes);
        let range = FeatureRange::measure(&Features { data, width }, magnitudes);
        let mut generator = Generator::new(86.0, range, None, 1);
        let errors_db = |generator: &Generator| -> Vec<f32> {
            let mut features = vec![0.0; SNAPSHOT_FRAMES * width];
            let scratch = &mut GeneratorScratch::default();
            generator.frames_into(5, 0, SNAPSHOT_FRAMES, scratch, &mut features);
            let now = Levels::measure(&features, width, magnitudes).energy;
            let ratios = now.iter().zip(&levels.energy);
            ratios.map(|(a, b)| 10.0 * (a / b).log10()).collect()
        };
        let before = errors_db(&generator);
        levels.apply(&mut generator, 5, SNAPSHOT_FRAMES);
        let after = errors_db(&generator);
        // The soft limits bend a little of it back; the second time there is little left to bend.
        levels.apply(&mut generator, 5, SNAPSHOT_FRAMES);
        let again = errors_db(&generator);
        let worst = |errors: &[f32]| errors.iter().fold(0.0f32, |m, e| m.max(e.abs()));
        assert!(worst(&before) > 2.0, "{before:?}");
        assert!(worst(&after) < 1.0, "{after:?}");
        assert!(worst(&again) < 0.5, "{again:?}");
    }
}
