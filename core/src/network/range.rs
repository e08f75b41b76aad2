//! The capture's own range of every feature, within which the network's output is softly kept.
//!
//! Without it, one frame in seven leaves the capture's range, and a loud one ruins a render.

use crate::numeric::fast_math::{softplus, softplus_with_slope};
use crate::numeric::moments::{ColumnMoments, to_single};
use crate::spectrum::Features;

/// Room around the capture's own range of each feature, in units of log magnitude.
const RANGE_MARGIN: f32 = 0.15;
/// Least deviation of a feature that the network's output is scaled with.
const LEAST_DEVIATION: f32 = 0.05;
/// How sharply the soft limits bend, per unit of log magnitude.
const CAP_SHARPNESS: f32 = 6.0;

/// The capture's own range and scale of every feature.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureRange {
    /// Means.
    pub mean: Vec<f32>,
    /// Deviations that the network's linear output is scaled with.
    pub deviation: Vec<f32>,
    /// What they are softly kept above.
    pub low: Vec<f32>,
    /// What they are softly kept below.
    pub high: Vec<f32>,
}

/// The range of one feature.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    mean: f32,
    deviation: f32,
    low: f32,
    high: f32,
}

impl FeatureRange {
    /// How sharply the soft limits bend, per unit of log magnitude.
    pub const SHARPNESS: f32 = CAP_SHARPNESS;

    /// Measured on a capture's features; the first `magnitude_width` of them can't be negative.
    pub(crate) fn measure(features: &Features, magnitude_width: usize) -> Self {
        let width = features.width;
        let mut low = vec![f32::INFINITY; width];
        let mut high = vec![f32::NEG_INFINITY; width];
        let mut moments = ColumnMoments::new(width);
        for row in features.data.chunks_exact(width) {
            for (i, &x) in row.iter().enumerate() {
                low[i] = low[i].min(x);
                high[i] = high[i].max(x);
            }
            moments.add(row.iter().copied());
        }
        for (i, (low, high)) in low.iter_mut().zip(&mut high).enumerate() {
            *low -= RANGE_MARGIN;
            *high += RANGE_MARGIN;
            if i < magnitude_width {
                *low = low.max(0.0);
            }
        }
        let deviations = to_single(&moments.deviations());
        Self {
            mean: to_single(&moments.means()),
            deviation: deviations.iter().map(|d| d + LEAST_DEVIATION).collect(),
            low,
            high,
        }
    }

    /// Features in a frame.
    pub fn width(&self) -> usize {
        self.mean.len()
    }

    /// The ranges of the features, in their order: loops that zip them need no bounds checks, and vectorise.
    #[inline(always)]
    pub(super) fn limits(&self) -> impl Iterator<Item = Limits> {
        let middles = self.mean.iter().zip(&self.deviation);
        let bounds = self.low.iter().zip(&self.high);
        middles
            .zip(bounds)
            .map(|((&mean, &deviation), (&low, &high))| Limits {
                mean,
                deviation,
                low,
                high,
            })
    }
}

impl Limits {
    /// Linear output to a feature: scaled to the capture, then softly kept inside its range.
    #[inline(always)]
    pub(super) fn apply(self, z: f32) -> f32 {
        let y = self.below(self.to_high(z));
        self.low + softplus((y - self.low) * CAP_SHARPNESS) / CAP_SHARPNESS
    }

    /// [`apply`](Self::apply), and its derivative.
    #[inline(always)]
    pub(super) fn apply_with_slope(self, z: f32) -> (f32, f32) {
        let (from_high, high_slope) = softplus_with_slope(self.to_high(z));
        let y = self.high - from_high / CAP_SHARPNESS;
        let (from_low, low_slope) = softplus_with_slope((y - self.low) * CAP_SHARPNESS);
        let feature = self.low + from_low / CAP_SHARPNESS;
        (feature, low_slope * high_slope * self.deviation)
    }

    #[inline(always)]
    fn to_high(self, z: f32) -> f32 {
        (self.high - (self.mean + self.deviation * z)) * CAP_SHARPNESS
    }

    #[inline(always)]
    fn below(self, to_high: f32) -> f32 {
        self.high - softplus(to_high) / CAP_SHARPNESS
    }
}
