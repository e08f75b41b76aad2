//! Random projections of short stretches of a spectrogram.

use crate::network::Sequence;

/// Projections in a set.
pub(crate) const FILTERS: usize = 64;
/// Widest bump over the bands, as a part of all bands.
const WIDEST: f64 = 0.75;

/// Features that filters look at: channels of bands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FeatureShape {
    pub channels: usize,
    pub bands: usize,
}

impl FeatureShape {
    pub fn width(self) -> usize {
        self.channels * self.bands
    }
}

/// Draws [`FILTERS`] random projections of `taps` frames to `out` (`taps · features × FILTERS`,
/// row-major), each of unit norm under a Gaussian bump over the bands of random centre and width (at
/// least `narrowest` bands). Half see one channel only, the others all channels through one kernel with
/// random weights; half, in runs of four, have no structure inside the bump.
pub(crate) fn draw_filters(
    random: &mut Sequence,
    taps: usize,
    shape: FeatureShape,
    narrowest: f64,
    out: &mut Vec<f32>,
) {
    let FeatureShape { channels, bands } = shape;
    let mut bump = vec![0.0f32; bands * FILTERS];
    for f in 0..FILTERS {
        let centre = random.uniform() * bands as f64;
        let (low, high) = (narrowest.ln(), (bands as f64 * WIDEST).ln());
        let width = (low + random.uniform() * (high - low)).exp();
        for band in 0..bands {
            let d = (band as f64 - centre) / width;
            bump[band * FILTERS + f] = (-0.5 * d * d).exp() as f32;
        }
    }
    let is_smooth = |f: usize| f / 4 % 2 == 1;
    let sees_one_channel = |f: usize| f.is_multiple_of(2);
    // How much of each channel a filter sees.
    let mut mix = vec![1.0f32; channels * FILTERS];
    if channels > 1 {
        for f in 0..FILTERS {
            let only = random.below(channels);
            for c in 0..channels {
                mix[c * FILTERS + f] = if !sees_one_channel(f) {
                    random.gaussian()
                } else if c == only {
                    1.0
                } else {
                    0.0
                };
            }
        }
    }
    let plane = bands * FILTERS;
    out.clear();
    out.resize(taps * channels * plane, 0.0);
    let mut energy = [0.0f32; FILTERS];
    let mut kernel = vec![0.0f32; plane];
    for tap in out.chunks_exact_mut(channels * plane) {
        let level: [f32; FILTERS] = std::array::from_fn(|_| random.nearly_gaussian());
        for (row, bump) in kernel
            .chunks_exact_mut(FILTERS)
            .zip(bump.chunks_exact(FILTERS))
        {
            for f in 0..FILTERS {
                let noise = random.nearly_gaussian();
                row[f] = if is_smooth(f) { level[f] } else { noise } * bump[f];
            }
        }
        for (channel, mix) in tap.chunks_exact_mut(plane).zip(mix.chunks_exact(FILTERS)) {
            for (out, row) in channel
                .chunks_exact_mut(FILTERS)
                .zip(kernel.chunks_exact(FILTERS))
            {
                for f in 0..FILTERS {
                    out[f] = row[f] * mix[f];
                    energy[f] += out[f] * out[f];
                }
            }
        }
    }
    let scale = energy.map(|e| 1.0 / e.sqrt());
    for kernel in out.chunks_exact_mut(FILTERS) {
        for (k, s) in kernel.iter_mut().zip(&scale) {
            *k *= s;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_has_unit_norm() {
        let mut filters = Vec::new();
        // Enough draws for one chance in a hundred thousand to come up several times.
        for (draws, taps, channels) in [(10_000, 1, 1), (100, 2, 3), (100, 4, 1)] {
            let shape = FeatureShape { channels, bands: 9 };
            for seed in 0..draws {
                let mut random = Sequence::new(seed, 0);
                draw_filters(&mut random, taps, shape, 2.0, &mut filters);
                let mut energy = [0.0f32; FILTERS];
                for row in filters.chunks_exact(FILTERS) {
                    for (e, w) in energy.iter_mut().zip(row) {
                        *e += w * w;
                    }
                }
                assert!(
                    energy.iter().all(|e| (e - 1.0).abs() < 1e-4),
                    "seed {seed}: {energy:?}"
                );
            }
        }
    }
}
