//! Huzaifah & Wyse, "Applying Visual Domain Style Transfer and Texture Synthesis Techniques to Audio" (2019): random
//! networks that look at a spectrogram along frequency, along time or along both, on linear, mel and constant-Q
//! scales. The constants are those of the authors' two published programs.

mod network;
mod objective;
mod texture;
mod transfer;

use std::ops::RangeInclusive;

pub use transfer::{Transfer, Transferred};

use crate::axes::{Axis, FrequencyScale, Scale};
use crate::error::LabError;
use crate::spectrogram::SpectrogramFormat;

/// Which of the authors' programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// That of 2017: frames of 2048 samples, layers of 4096 and 2048 filters without anything between, the Gram
    /// matrix over the places, squared errors summed. Its hop, 1024, leaves a spectrogram that no windows can be
    /// added up from; here it is 512.
    First,
    /// That of 2021: frames of 1024 samples every 256; logarithms from 0 to 7 as 0 to 1, and a penalty on what
    /// leaves that; layers of 4096 filters, a normalisation, a rectifier and the larger of every two; the Gram
    /// matrix over channels and places, the mean of the squared errors.
    #[default]
    Second,
}

/// What a generation's program has for constants.
struct Constants {
    format: SpectrogramFormat,
    /// Filters of each layer, as parts of the first one's: `numerator / denominator`.
    layers: &'static [(usize, usize)],
    /// What logarithms are divided by.
    range: f32,
    penalty: f64,
    is_normalized: bool,
    style_weight: f64,
}

impl Generation {
    fn constants(self) -> Constants {
        let format = |fft_size, hop_size| SpectrogramFormat {
            sample_rate: 22_050,
            fft_size,
            hop_size,
        };
        match self {
            Self::First => Constants {
                format: format(2_048, 512),
                layers: &[(1, 1), (1, 2)],
                range: 1.0,
                penalty: 0.0,
                is_normalized: false,
                style_weight: 1.0,
            },
            Self::Second => Constants {
                format: format(1_024, 256),
                layers: &[(1, 1), (1, 1), (1, 1)],
                range: 7.0,
                penalty: 1e-3,
                is_normalized: true,
                style_weight: 1e9,
            },
        }
    }

    /// Layers of the network.
    pub fn layers(self) -> usize {
        self.constants().layers.len()
    }
}

/// Filters of the first layer.
const FILTERS: usize = 4_096;
/// And of squares, which see every place of a spectrogram, a hundred thousand of them: [?], as many as fit.
const PLANE_FILTERS: usize = 64;
/// Places that a filter sees; squares see as many each way.
const KERNEL: usize = 11;
/// Iterations of L-BFGS. The second program's [?].
const ITERATIONS: u32 = 500;
/// Iterations of Griffin-Lim.
const GRIFFIN_LIM_ITERATIONS: usize = 500;
const FILTERS_RANGE: RangeInclusive<usize> = 1..=8_192;
const KERNEL_RANGE: RangeInclusive<usize> = 1..=64;

/// The method with all that its programs vary.
#[derive(Clone, Debug, PartialEq)]
pub struct Huzaifah {
    /// Which program's constants.
    pub generation: Generation,
    /// What filters slide along.
    pub axis: Axis,
    /// Scale of the image that is optimised, which goes back to bins by the scale's inverse.
    pub scale: Scale,
    /// Layers whose Gram matrices count, from 1.
    pub layers: Vec<usize>,
    /// Filters of the first layer; none are 4096, in the plane 64.
    pub filters: Option<usize>,
    /// Places that a filter sees.
    pub kernel: usize,
}

impl Default for Huzaifah {
    fn default() -> Self {
        Self {
            generation: Generation::default(),
            axis: Axis::default(),
            scale: Scale::default(),
            layers: vec![1],
            filters: None,
            kernel: KERNEL,
        }
    }
}

impl Huzaifah {
    /// Fails for what the method can't be set to.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<(), LabError> {
        let failed = |name, value: String, allowed| LabError::Setting {
            name,
            value,
            allowed,
        };
        let (filters, kernel) = (self.first_filters(), self.kernel);
        if !FILTERS_RANGE.contains(&filters) {
            let allowed = "give 1 to 8192";
            return Err(failed(
                "the number of filters",
                filters.to_string(),
                allowed,
            ));
        }
        if !KERNEL_RANGE.contains(&kernel) {
            let allowed = "give 1 to 64 places";
            return Err(failed("the kernel", kernel.to_string(), allowed));
        }
        let has = 1..=self.generation.layers();
        let mut sorted = self.layers.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.is_empty()
            || sorted.len() != self.layers.len()
            || !sorted.iter().all(|l| has.contains(l))
        {
            let allowed = match self.generation {
                Generation::First => "give 1, 2 or 1,2",
                Generation::Second => "give some of 1, 2 and 3, each once",
            };
            return Err(failed("the layers", format!("{:?}", self.layers), allowed));
        }
        Ok(())
    }

    /// What it sees of a sound.
    pub fn format(&self) -> SpectrogramFormat {
        self.generation.constants().format
    }

    fn first_filters(&self) -> usize {
        let default = match self.axis {
            Axis::Plane => PLANE_FILTERS,
            Axis::Frequency | Axis::Time => FILTERS,
        };
        self.filters.unwrap_or(default)
    }

    fn frequency_scale(&self) -> Result<FrequencyScale, LabError> {
        let format = self.format();
        let rate = f64::from(format.sample_rate);
        Ok(FrequencyScale::new(self.scale, format.bins(), rate)?)
    }
}
