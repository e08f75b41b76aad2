//! McDermott & Simoncelli (2011), "Sound texture perception via statistics of the auditory periphery": their
//! model of hearing and its statistics as one differentiable function of a sound.
//!
//! They impose the statistics band by band on envelopes and give those the noise's carriers, again and again.
//! Here the sound's own samples are moved, all of them at once, down the gradient of all statistics together:
//! thirty envelopes that are one sound's are consistent by themselves, so nothing has to be repeated. The
//! gradient through the bands costs about two hundred transforms of the sound, on two cores a third of a second
//! for seven seconds.

mod envelopes;
mod filters;
mod objective;
mod statistics;
mod transform;

use candle_core::{Device, Result, Tensor, bail};

use envelopes::BandEnvelopes;
use filters::cochlear_bands;
pub use objective::{LEVEL, TextureStatistics};
use statistics::Measure;
pub use statistics::{Statistics, TimeWeights};

/// Exponent that compresses envelopes, as the cochlea does.
const COMPRESSION: f64 = 0.3;
/// Added to envelopes before they are compressed, as in `√(|a|² + floor²)`: 100 dB below a sound at [`LEVEL`].
/// Without it the gradient is infinite where an envelope is zero. The paper, which has no gradient through the
/// bands, has none.
const FLOOR: f64 = 1e-7;

/// Sample rate, bands and their range. The default is the paper's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CochleaSettings {
    /// Sample rate of the sounds, in Hz: a multiple of [`envelope_rate_hz`](Self::envelope_rate_hz).
    pub sample_rate_hz: u32,
    /// Sample rate of the envelopes, in Hz.
    pub envelope_rate_hz: u32,
    /// Bands, without the one below and the one above them.
    pub bands: usize,
    /// Lower end of the lowest band, in Hz.
    pub lowest_hz: f64,
    /// Upper end of the highest band, in Hz: at most half the sample rate.
    pub highest_hz: f64,
}

impl Default for CochleaSettings {
    fn default() -> Self {
        Self {
            sample_rate_hz: 20_000,
            envelope_rate_hz: 400,
            bands: 30,
            lowest_hz: 20.0,
            highest_hz: 10_000.0,
        }
    }
}

/// The model for sounds of one length, which count as one period of a periodic sound. On the processor.
#[derive(Clone)]
pub struct Cochlea {
    samples: usize,
    envelope_samples: usize,
    bands: BandEnvelopes,
    measure: Measure,
}

impl Cochlea {
    /// For sounds of `samples` samples, a multiple of [`block`](Self::block).
    ///
    /// # Errors
    /// If the settings or the length make no sense: the message tells which.
    pub fn new(settings: &CochleaSettings, samples: usize) -> Result<Self> {
        let (rate, envelope_rate) = (settings.sample_rate_hz, settings.envelope_rate_hz);
        if envelope_rate == 0 || !rate.is_multiple_of(envelope_rate) || rate == 0 {
            bail!("envelopes at {envelope_rate} Hz of sound at {rate} Hz: choose a whole divisor");
        }
        let (low, high) = (settings.lowest_hz, settings.highest_hz);
        if settings.bands == 0 || !(0.0 <= low && low < high && high <= 0.5 * f64::from(rate)) {
            let bands = settings.bands;
            bail!("{bands} bands from {low} to {high} Hz: choose some, up to half of {rate} Hz");
        }
        let block = Self::block(settings);
        if samples == 0 || !samples.is_multiple_of(block) {
            bail!("{samples} samples are no multiple of {block}: cut the sound");
        }
        let step = (rate / envelope_rate) as usize;
        let weights = cochlear_bands(settings.bands, (low, high), f64::from(rate), samples);
        Ok(Self {
            samples,
            envelope_samples: samples / step,
            bands: BandEnvelopes::new(samples, step, &weights, COMPRESSION, FLOOR),
            measure: Measure::new(samples / step, f64::from(envelope_rate))?,
        })
    }

    /// Sounds are as many times this many samples long: an even number of samples of their envelopes.
    pub fn block(settings: &CochleaSettings) -> usize {
        2 * (settings.sample_rate_hz / settings.envelope_rate_hz.max(1)) as usize
    }

    /// Samples of a sound.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Samples of its envelopes.
    pub fn envelope_samples(&self) -> usize {
        self.envelope_samples
    }

    /// The compressed envelopes of `sound` (`[samples]`, 32 or 64 bits, any device) on the processor:
    /// `[bands + 2, envelope_samples]`, first what lies below the lowest band, last what lies above the highest.
    ///
    /// # Errors
    /// If the sound has another shape.
    pub fn envelopes(&self, sound: &Tensor) -> Result<Tensor> {
        // The low-pass rings below zero beside peaks.
        self.bands.of(&sound.to_device(&Device::Cpu)?)?.relu()
    }

    /// The statistics of envelopes (`[any, envelope_samples]`).
    ///
    /// # Errors
    /// If the envelopes or weights have another length.
    pub fn statistics(&self, envelopes: &Tensor, time: &TimeWeights) -> Result<Statistics> {
        self.measure.statistics(envelopes, time)
    }
}
