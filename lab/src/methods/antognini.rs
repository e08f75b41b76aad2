//! Antognini, Hoffman & Weiss, "Synthesizing Diverse, High-Quality Audio Textures" (2018): Gram matrices of six random
//! networks, autocorrelations, and a term against copies.

use std::ops::{Range, RangeInclusive};

use candle_core::{Device, Tensor};
use weft_core::numeric::random::Sequence;

use super::method::{Method, check_rows};
use crate::error::LabError;
use crate::lbfgs::Bounds;
use crate::loss::{AutocorrelationTarget, DiversityTarget, GramTarget, ShiftSchedule};
use crate::network::{Ensemble, Filters};
use crate::objective::{Objective, Term};
use crate::spectrogram::{Image, SpectrogramFormat};

/// 16 kHz, a Hann window of 512 samples, every 64 (section III-A).
const FORMAT: SpectrogramFormat = SpectrogramFormat {
    sample_rate: 16_000,
    fft_size: 512,
    hop_size: 64,
};
/// Filters of each network (section III-B).
const FILTERS: usize = 512;
/// Frames that the widest filters see; the others see 2, 4, 8 and so on (section III-B).
const WIDEST: usize = 64;
/// Layers of the stacked variant (section IV-C).
const STACKED_LAYERS: usize = 6;
/// Frames that a filter of the stacked variant sees (section IV-C).
const STACKED_WIDTH: usize = 2;
/// Weight of the autocorrelations (section III-C).
const ALPHA: f64 = 1e3;
/// Weight of the term against copies (section III-C).
const BETA: f64 = 1e-4;
/// Lags of the autocorrelations that count, in seconds (section III-C2).
const LAGS_S: (f64, f64) = (0.2, 2.0);
/// Iterations in which the term against copies counts (section III-D).
const DIVERSITY_ITERATIONS: u32 = 100;
/// Iterations of L-BFGS-B (section III-D).
const ITERATIONS: u32 = 2_000;
/// Iterations of Griffin-Lim (section III-D).
const GRIFFIN_LIM_ITERATIONS: usize = 500;
/// Filters that a network may have; the paper has 2 to 512.
const FILTERS_RANGE: RangeInclusive<usize> = 1..=4_096;
/// What the widest filters may see; the paper's figures have 2 to 256.
const WIDEST_RANGE: RangeInclusive<usize> = 2..=256;

/// The method with all that the paper varies.
///
/// # Examples
/// ```
/// use weft_lab::methods::{Antognini, Method};
///
/// let method = Antognini { alpha: 0.0, ..Antognini::default() };
/// assert_eq!(method.iterations(), 2_000);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Antognini {
    /// Filters of each network (Fig. 10).
    pub filters: usize,
    /// Frames that the widest filters see, a power of two (Fig. 9). The stacked variant has none but its own.
    pub widest: usize,
    /// Six layers of width 2 on top of each other, with average pooling between, instead (Fig. 11).
    pub stacked: bool,
    /// Weight of the autocorrelations (Fig. 5).
    pub alpha: f64,
    /// Weight of the term against copies (Fig. 7).
    pub beta: f64,
}

impl Default for Antognini {
    fn default() -> Self {
        Self {
            filters: FILTERS,
            widest: WIDEST,
            stacked: false,
            alpha: ALPHA,
            beta: BETA,
        }
    }
}

impl Antognini {
    /// Fails for what the method can't be set to.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<(), LabError> {
        let failed = |name, value: &dyn ToString, allowed| LabError::Setting {
            name,
            value: value.to_string(),
            allowed,
        };
        if !FILTERS_RANGE.contains(&self.filters) {
            return Err(failed(
                "the number of filters",
                &self.filters,
                "give 1 to 4096",
            ));
        }
        if !WIDEST_RANGE.contains(&self.widest) || !self.widest.is_power_of_two() {
            let allowed = "give 2, 4, 8, 16, 32, 64, 128 or 256 frames";
            return Err(failed("the widest filter", &self.widest, allowed));
        }
        for (name, weight) in [("alpha", self.alpha), ("beta", self.beta)] {
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(failed(name, &weight, "give 0 or more"));
            }
        }
        Ok(())
    }

    fn networks(&self, channels: usize, seed: u64) -> Ensemble {
        if self.stacked {
            let layers = (0..STACKED_LAYERS).map(|layer| {
                let channels = if layer == 0 { channels } else { self.filters };
                Filters::glorot(channels, STACKED_WIDTH, self.filters, seed, layer as u64)
            });
            return Ensemble::stacked(layers.collect());
        }
        let widths = (1..)
            .map(|power| 1 << power)
            .take_while(|w| *w <= self.widest);
        let networks = widths.zip(0..);
        let networks = networks
            .map(|(width, index)| Filters::glorot(channels, width, self.filters, seed, index));
        Ensemble::parallel(networks.collect())
    }
}

/// The lags in frames.
fn lags() -> Range<usize> {
    let frames = |seconds: f64| (seconds * FORMAT.frame_rate()).round() as usize;
    frames(LAGS_S.0)..frames(LAGS_S.1) + 1
}

impl Method for Antognini {
    fn name(&self) -> &'static str {
        "antognini"
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

    /// `ln(1 + |X|)` is not negative; L-BFGS-B is made for bounds, and the paper does not say which it had.
    fn bounds(&self) -> Bounds {
        Bounds::NOT_NEGATIVE
    }

    /// "If necessary we resample the target audio to 16 kHz and normalize" (section III-A).
    fn normalizes(&self) -> bool {
        true
    }

    fn objective(
        &self,
        target: &Image,
        rows: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Box<dyn Objective>, LabError> {
        self.check()?;
        let networks = self.networks(target.columns, seed);
        let narrowest = networks.layers().iter().map(|l| l.width()).min();
        let correlated = lags().start + narrowest.unwrap_or(1);
        let least = match self.alpha > 0.0 {
            true => networks.least_rows().max(correlated),
            false => networks.least_rows(),
        };
        check_rows(&FORMAT, target, rows, least)?;
        let shape = (target.rows(), target.columns);
        let image = Tensor::from_slice(&target.values, shape, device)?;
        let features = networks.features(&image)?;
        Ok(Box::new(AntogniniObjective {
            gram: GramTarget::new(&features)?,
            autocorrelation: match self.alpha > 0.0 {
                true => Some((self.alpha, AutocorrelationTarget::new(&features, lags())?)),
                false => None,
            },
            diversity: match self.beta > 0.0 {
                true => Some((self.beta, DiversityTarget::new(&features)?)),
                false => None,
            },
            schedule: ShiftSchedule::default(),
            rows: rows.max(target.rows()),
            networks,
        }))
    }

    /// The paper says "noise" and no more. Here it is normal noise of the target's mean and deviation, cut at 0.
    fn start(&self, target: &Image, rows: usize, random: &mut Sequence) -> Image {
        let count = target.values.len().max(1) as f64;
        let mean = target.values.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let squares = target.values.iter().map(|&x| (f64::from(x) - mean).powi(2));
        let deviation = (squares.sum::<f64>() / count).sqrt();
        let mut draw = || (mean + deviation * f64::from(random.gaussian())).max(0.0) as f32;
        Image {
            values: (0..rows * target.columns).map(|_| draw()).collect(),
            columns: target.columns,
        }
    }
}

/// `L_Gram + α L_autocorr + β L_div` (eq. 2).
struct AntogniniObjective {
    networks: Ensemble,
    gram: GramTarget,
    /// With its weight.
    autocorrelation: Option<(f64, AutocorrelationTarget)>,
    /// With its weight.
    diversity: Option<(f64, DiversityTarget)>,
    schedule: ShiftSchedule,
    /// Rows of the target or of the image, whichever has more.
    rows: usize,
}

impl Objective for AntogniniObjective {
    fn terms(&mut self, image: &Tensor, iteration: u32) -> candle_core::Result<Vec<Term>> {
        let features = self.networks.features(image)?;
        let mut terms = vec![Term {
            name: "gram",
            weight: 1.0,
            value: self.gram.loss(&features)?,
        }];
        if let Some((weight, target)) = &self.autocorrelation {
            terms.push(Term {
                name: "autocorrelation",
                weight: *weight,
                value: target.loss(&features)?,
            });
        }
        if let Some((weight, target)) = &self.diversity
            && iteration < DIVERSITY_ITERATIONS
        {
            let shifts = self.schedule.shifts(iteration, self.rows);
            let (value, nearest) = target.loss(&features, &shifts, self.rows)?;
            self.schedule.remember(nearest);
            terms.push(Term {
                name: "diversity",
                weight: *weight,
                value,
            });
        }
        Ok(terms)
    }

    fn settles_at(&self) -> u32 {
        match self.diversity {
            Some(_) => DIVERSITY_ITERATIONS,
            None => 0,
        }
    }
}
