//! Random filters over the features of a frame.

use crate::numeric::random::Sequence;

/// Filters that are drawn together: projections combine the filters of one family over time.
pub const FAMILY: usize = 4;
/// Narrowest bump over the bands, in bands.
const NARROWEST: f64 = 2.0;
/// Widest bump over the bands, as a part of all bands.
const WIDEST: f64 = 0.75;

/// Features that filters look at: channels of bands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureShape {
    /// Channels of a frame.
    pub channels: usize,
    /// Bands of a channel.
    pub bands: usize,
}

impl FeatureShape {
    /// Features of a frame: band after band of a channel, channel after channel.
    pub fn width(self) -> usize {
        self.channels * self.bands
    }
}

/// What the filters of a family have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FamilyKind {
    /// One bump, random weights inside it: four looks at the same few bands.
    Rough,
    /// A bump for each, without structure inside: the level of a region.
    Smooth,
}

/// Half-width of a bump, in its own widths. Beyond it the bump is below the precision of a sum with its middle, and
/// further out it has no normal numbers any more, with which processors are many times slower.
const BUMP_REACH: f64 = 6.0;

/// A Gaussian bump over the bands, of random centre and width.
fn draw_bump(random: &mut Sequence, bump: &mut [f32]) {
    let bands = bump.len() as f64;
    let centre = random.uniform() * bands;
    let (low, high) = (NARROWEST.ln(), (bands * WIDEST).ln());
    let width = (low + random.uniform() * (high - low)).exp();
    for (x, band) in bump.iter_mut().zip(0u32..) {
        let d = (f64::from(band) - centre) / width;
        *x = if d.abs() < BUMP_REACH {
            (-0.5 * d * d).exp() as f32
        } else {
            0.0
        };
    }
}

/// How much of each channel a filter sees: one channel alone, or a random mix of all.
fn draw_mix(random: &mut Sequence, one_channel: bool, mix: &mut [f32]) {
    if mix.len() == 1 {
        mix[0] = 1.0;
    } else if one_channel {
        mix.fill(0.0);
        mix[random.below(mix.len())] = 1.0;
    } else {
        mix.fill_with(|| random.gaussian());
    }
}

/// Draws a family of filters to `out` ([`FAMILY`] runs of `shape.width()` weights), each of unit norm.
pub(crate) fn draw_family(
    random: &mut Sequence,
    kind: FamilyKind,
    one_channel: bool,
    shape: FeatureShape,
    out: &mut [f32],
) {
    let mut bump = vec![0.0f32; shape.bands];
    let mut mix = vec![0.0f32; shape.channels];
    for (i, filter) in out.chunks_exact_mut(shape.width()).enumerate() {
        if i == 0 || kind == FamilyKind::Smooth {
            draw_bump(random, &mut bump);
            draw_mix(random, one_channel, &mut mix);
        }
        let (first, others) = filter.split_at_mut(shape.bands);
        for (x, bump) in first.iter_mut().zip(&bump) {
            *x = match kind {
                FamilyKind::Rough => random.nearly_gaussian() * bump,
                FamilyKind::Smooth => *bump,
            };
        }
        // All channels see the same weights, more or less of them.
        for (channel, mix) in others.chunks_exact_mut(shape.bands).zip(&mix[1..]) {
            for (x, weight) in channel.iter_mut().zip(&*first) {
                *x = weight * mix;
            }
        }
        for x in first {
            *x *= mix[0];
        }
        let energy: f32 = filter.iter().map(|x| x * x).sum();
        let scale = 1.0 / energy.sqrt();
        for x in filter {
            *x *= scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_have_no_subnormal_weights() {
        let shape = FeatureShape {
            channels: 2,
            bands: 200,
        };
        let mut filters = vec![0.0; FAMILY * shape.width()];
        for seed in 0..500 {
            let mut random = Sequence::new(seed, 0);
            for kind in [FamilyKind::Rough, FamilyKind::Smooth] {
                draw_family(&mut random, kind, seed % 2 == 0, shape, &mut filters);
                assert!(!filters.iter().any(|x| x.is_subnormal()), "seed {seed}");
            }
        }
    }

    #[test]
    fn every_filter_has_unit_norm() {
        // Enough draws for one chance in a hundred thousand to come up several times.
        for (draws, channels) in [(10_000, 1), (1_000, 3)] {
            let shape = FeatureShape { channels, bands: 9 };
            let mut filters = vec![0.0; FAMILY * shape.width()];
            for seed in 0..draws {
                let mut random = Sequence::new(seed, 0);
                for (kind, one_channel) in [
                    (FamilyKind::Rough, seed % 2 == 0),
                    (FamilyKind::Smooth, true),
                ] {
                    draw_family(&mut random, kind, one_channel, shape, &mut filters);
                    for filter in filters.chunks_exact(shape.width()) {
                        let energy: f32 = filter.iter().map(|x| x * x).sum();
                        assert!((energy - 1.0).abs() < 1e-4, "seed {seed}: {energy}");
                    }
                }
            }
        }
    }
}
