//! What a frame's features go through on their way to magnitudes: density, contrast, and a correction that keeps
//! every band's level.

use super::gains::BinTable;
use crate::instrument::stream::grids::{CONTRASTS, NODES};
use crate::network::{AxisPlace, NODES_AROUND, NodePlace, Nodes};
use crate::numeric::fast_math::{exp, ln};
use crate::numeric::simd::dispatch;
use crate::spectrum::FrontEnd;

/// How a frame is shaped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FrameShape {
    /// Temperature of the network's noise.
    pub density: f32,
    /// Factor of how far bands move from their mean.
    pub contrast: f32,
}

/// Log gains of the bands, `[NODES × CONTRASTS × magnitude bands]`, that keep every band's energy what it is as
/// captured.
pub(in crate::instrument::stream) struct Corrections {
    log_gains: Vec<f32>,
    bands: usize,
}

/// The corrections around a place of the grid and a contrast, mixed where they are asked for.
#[derive(Clone, Copy)]
struct CorrectionMix<'a> {
    place: NodePlace,
    /// Weight of the higher contrast.
    more: f32,
    /// For each node around the place: at the contrast below and above.
    rows: [[&'a [f32]; 2]; NODES_AROUND],
}

impl Corrections {
    /// From `log_gains` of `bands` bands, by node, then by contrast.
    ///
    /// # Panics
    /// If there are more or less of them.
    pub fn new(log_gains: Vec<f32>, bands: usize) -> Self {
        assert_eq!(log_gains.len(), NODES.count() * CONTRASTS.len() * bands);
        Self { log_gains, bands }
    }

    fn row(&self, node: usize, contrast: usize) -> &[f32] {
        let at = (node * CONTRASTS.len() + contrast) * self.bands;
        &self.log_gains[at..at + self.bands]
    }

    fn around(&self, place: NodePlace, contrast: &AxisPlace) -> CorrectionMix<'_> {
        let at_node = |node| {
            [
                self.row(node, contrast.lower),
                self.row(node, contrast.upper),
            ]
        };
        CorrectionMix {
            place,
            more: contrast.weight,
            rows: place.nodes().map(at_node),
        }
    }
}

impl CorrectionMix<'_> {
    /// The same of the first `bands` bands.
    #[inline(always)]
    fn first(&self, bands: usize) -> Self {
        Self {
            rows: self.rows.map(|pair| pair.map(|row| &row[..bands])),
            ..*self
        }
    }

    /// Log gain of band `i`.
    #[inline(always)]
    fn at(&self, i: usize) -> f32 {
        let at_contrast = |[less, more]: [&[f32]; 2]| less[i] + (more[i] - less[i]) * self.more;
        self.place.mix(self.rows.map(at_contrast))
    }
}

/// Everything about a texture that shaping its frames needs; shared by all of its streams, and never changed.
pub(in crate::instrument) struct Shaping {
    front_end: FrontEnd,
    corrections: Corrections,
    bins: BinTable,
    side_share: f32,
}

impl Shaping {
    /// For a texture of `front_end` with its levels' `corrections`. Allocates.
    pub(in crate::instrument::stream) fn new(
        front_end: FrontEnd,
        corrections: Corrections,
    ) -> Self {
        let bins = BinTable::new(&front_end);
        let total = bins.total_power();
        let power = front_end.bin_power();
        let (mid, side) = power.split_at(front_end.stft().bins());
        let powers = [mid, side].map(|power| power.iter().sum::<f32>());
        let [_, side] = front_end.image().place_powers(powers);
        Self {
            corrections,
            bins,
            side_share: if total > 0.0 { side / total } else { 0.0 },
            front_end,
        }
    }

    /// The texture's front end.
    pub fn front_end(&self) -> &FrontEnd {
        &self.front_end
    }

    /// Share of the side channel in the power of the capture, 0 to 1.
    pub fn side_share(&self) -> f32 {
        self.side_share
    }

    /// What is known of the bins.
    pub(super) fn bins(&self) -> &BinTable {
        &self.bins
    }

    /// Features of one frame, from its `nodes`, at a density and a contrast: powers of the bands, then the pan
    /// index. `out` holds one frame.
    pub(super) fn shape(&self, nodes: &Nodes, shape: FrameShape, out: &mut [f32]) {
        let (width, magnitudes) = (out.len(), magnitude_width(&self.front_end));
        let contrast = shape.contrast;
        let place = NODES.locate(shape.density);
        let features = nodes.around(place);
        let corrections = self
            .corrections
            .around(place, &CONTRASTS.locate(shape.contrast));
        let means = &self.front_end.constants().mean_band[..magnitudes];
        let (bands, pans) = out.split_at_mut(magnitudes);
        dispatch(
            #[inline(always)]
            || {
                let count = bands.len();
                let (features, means) = (features.part(0..count), &means[..count]);
                let corrections = corrections.first(count);
                for i in 0..count {
                    let gain = exp(2.0 * corrections.at(i));
                    bands[i] = power(contrasted(features.at(i), means[i], contrast)) * gain;
                }
            },
        );
        let pan = features.part(magnitudes..width);
        for (i, out) in pans.iter_mut().enumerate() {
            *out = pan.at(i);
        }
    }

    /// Powers of bands back to features, in place; the pan index stays.
    pub(super) fn unshape(&self, frame: &mut [f32]) {
        let bands = &mut frame[..magnitude_width(&self.front_end)];
        dispatch(
            #[inline(always)]
            || {
                for x in bands {
                    *x = ln(1.0 + x.max(0.0).sqrt());
                }
            },
        );
    }
}

/// Bands of all magnitude channels.
pub(in crate::instrument::stream) fn magnitude_width(front_end: &FrontEnd) -> usize {
    front_end.magnitude_channels() * front_end.bands().count()
}

/// A feature moved `contrast` times as far from its `mean`.
#[inline(always)]
pub(in crate::instrument::stream) fn contrasted(x: f32, mean: f32, contrast: f32) -> f32 {
    (mean + (x - mean) * contrast).max(0.0)
}

/// Power of an equalised magnitude from its feature.
#[inline(always)]
pub(in crate::instrument::stream) fn power(feature: f32) -> f32 {
    let magnitude = exp(feature) - 1.0;
    magnitude * magnitude
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procedural::{Texture, synthesize};

    /// Shaping with the same log gain in every band, for each node and contrast in turn.
    fn shaping(log_gain: impl Fn(usize, usize) -> f32) -> Shaping {
        let clip = synthesize(Texture::Rain, 1, 16_000, 2.0);
        let (front_end, _) = FrontEnd::analyse(&clip).unwrap();
        let bands = magnitude_width(&front_end);
        let mut log_gains = Vec::new();
        for node in 0..NODES.count() {
            for contrast in 0..CONTRASTS.len() {
                log_gains.extend(vec![log_gain(node, contrast); bands]);
            }
        }
        Shaping::new(front_end, Corrections::new(log_gains, bands))
    }

    /// What becomes of a frame whose features are `x` at every node.
    fn shaped(shaping: &Shaping, x: f32, shape: FrameShape) -> Vec<f32> {
        let width = shaping.front_end().feature_width();
        let mut nodes = Nodes::new(&NODES, width);
        nodes.rows_mut().for_each(|row| row.fill(x));
        let mut out = vec![0.0; width];
        shaping.shape(&nodes, shape, &mut out);
        shaping.unshape(&mut out);
        out
    }

    #[test]
    fn density_and_contrast_of_one_leave_features_as_they_are() {
        let shaping = shaping(|node, contrast| ((node, contrast) != (1, 2)) as u8 as f32);
        let shape = FrameShape {
            density: 1.0,
            contrast: 1.0,
        };
        for x in [0.0, 0.5, 3.0] {
            for y in shaped(&shaping, x, shape) {
                assert!((x - y).abs() < 1e-4, "{y} of {x}");
            }
        }
    }

    #[test]
    fn corrections_between_nodes_and_contrasts_are_interpolated() {
        let (x, log_gain) = (2.0f32, |node: usize, contrast: usize| {
            0.1 * node as f32 + 0.02 * contrast as f32
        });
        let shaping = shaping(log_gain);
        let shape = FrameShape {
            density: 1.25,
            contrast: 1.0,
        };
        let magnitude = (x.exp() - 1.0) * (0.1f32 * 1.25 + 0.02 * 2.0).exp();
        let out = shaped(&shaping, x, shape);
        let (bands, pans) = out.split_at(magnitude_width(shaping.front_end()));
        for y in bands {
            assert!((y - (1.0 + magnitude).ln()).abs() < 1e-4, "{y}");
        }
        assert!(pans.iter().all(|pan| *pan == x));
    }
}
