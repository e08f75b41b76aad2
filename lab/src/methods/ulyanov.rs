//! Ulyanov & Lebedev, "Audio texture synthesis and style transfer" (2016): the Gram matrix of one random network. The
//! constants are those of the authors' published code.

use std::ops::RangeInclusive;

use candle_core::{Device, Tensor};
use weft_core::numeric::random::Sequence;

use super::method::{Method, check_rows};
use crate::error::LabError;
use crate::lbfgs::Bounds;
use crate::loss::GramTarget;
use crate::network::{Ensemble, Filters};
use crate::objective::{Objective, Term};
use crate::spectrogram::{Image, SpectrogramFormat};

/// 22.05 kHz, a window of 2048 samples, every 512.
const FORMAT: SpectrogramFormat = SpectrogramFormat {
    sample_rate: 22_050,
    fft_size: 2_048,
    hop_size: 512,
};
/// Filters of the network.
const FILTERS: usize = 4_096;
/// Frames that a filter sees.
const KERNEL: usize = 11;
/// Iterations of L-BFGS.
const ITERATIONS: u32 = 300;
/// Iterations of Griffin-Lim.
const GRIFFIN_LIM_ITERATIONS: usize = 500;
/// Standard deviation of the start.
const START_DEVIATION: f32 = 1e-3;
/// Filters that the network may have.
const FILTERS_RANGE: RangeInclusive<usize> = 1..=8_192;
/// Frames that a filter may see.
const KERNEL_RANGE: RangeInclusive<usize> = 1..=64;

/// The method. Its content term, which has no weight for textures, is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Ulyanov {
    /// Filters of the network.
    pub filters: usize,
    /// Frames that a filter sees.
    pub kernel: usize,
}

impl Default for Ulyanov {
    fn default() -> Self {
        Self {
            filters: FILTERS,
            kernel: KERNEL,
        }
    }
}

impl Ulyanov {
    /// Fails for what the method can't be set to.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<(), LabError> {
        let settings = [
            (
                "the number of filters",
                self.filters,
                FILTERS_RANGE,
                "give 1 to 8192",
            ),
            (
                "the kernel",
                self.kernel,
                KERNEL_RANGE,
                "give 1 to 64 frames",
            ),
        ];
        for (name, value, range, allowed) in settings {
            if !range.contains(&value) {
                return Err(LabError::Setting {
                    name,
                    value: value.to_string(),
                    allowed,
                });
            }
        }
        Ok(())
    }

    /// `√2 · √(2 / ((C + filters) · kernel))`, the deviation of the weights.
    fn deviation(&self, channels: usize) -> f32 {
        let fans = (channels + self.filters) * self.kernel;
        (2.0 * 2.0 / fans as f64).sqrt() as f32
    }
}

impl Method for Ulyanov {
    fn name(&self) -> &'static str {
        "ulyanov"
    }

    fn format(&self) -> SpectrogramFormat {
        FORMAT
    }

    fn iterations(&self) -> u32 {
        ITERATIONS
    }

    fn griffin_lim_iterations(&self) -> usize {
        GRIFFIN_LIM_ITERATIONS
    }

    /// The authors' code has none: what becomes negative is silence.
    fn bounds(&self) -> Bounds {
        Bounds::NONE
    }

    fn normalizes(&self) -> bool {
        false
    }

    fn objective(
        &self,
        target: &Image,
        rows: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Box<dyn Objective>, LabError> {
        self.check()?;
        check_rows(&FORMAT, target, rows, self.kernel)?;
        let channels = target.columns;
        let (deviation, draw) = (self.deviation(channels), (seed, 0));
        let filters = Filters::normal(channels, self.kernel, self.filters, deviation, draw);
        let network = Ensemble::parallel(vec![filters]);
        let image = Tensor::from_slice(&target.values, (target.rows(), channels), device)?;
        Ok(Box::new(UlyanovObjective {
            gram: GramTarget::new(&network.features(&image)?)?,
            network,
        }))
    }

    fn start(&self, target: &Image, rows: usize, random: &mut Sequence) -> Image {
        let draw = |_| random.gaussian() * START_DEVIATION;
        Image {
            values: (0..rows * target.columns).map(draw).collect(),
            columns: target.columns,
        }
    }
}

/// `Σ (G − G̃)²`.
struct UlyanovObjective {
    network: Ensemble,
    gram: GramTarget,
}

impl Objective for UlyanovObjective {
    fn terms(&mut self, image: &Tensor, _: u32) -> candle_core::Result<Vec<Term>> {
        let features = self.network.features(image)?;
        Ok(vec![Term {
            name: "style",
            weight: 1.0,
            value: self.gram.squared_error(&features)?,
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_the_deviation_of_the_authors_code() {
        // √2 · √(2 / ((1025 + 4096) · 11)).
        let deviation = Ulyanov::default().deviation(1_025);
        assert!((deviation - 8.426_7e-3).abs() < 1e-6, "{deviation}");
    }
}
