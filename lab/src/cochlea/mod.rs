//! McDermott & Simoncelli (2011), "Sound texture perception via statistics of the auditory periphery": their
//! model of hearing and its statistics as one differentiable function of a sound.
//!
//! They impose the statistics band by band on envelopes and give those the noise's carriers, again and again.
//! Here the sound's own samples are moved, all of them at once, down the gradient of all statistics together:
//! thirty envelopes that are one sound's are consistent by themselves, so nothing has to be repeated. The
//! gradient through the bands costs about two hundred transforms of the sound: for seven seconds, .6 s of processor
//! time.

mod envelopes;
mod filters;
mod objective;
mod statistics;
mod transform;

use candle_core::{Device, Result, Tensor, bail};
use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;

use envelopes::BandEnvelopes;
use filters::{Weights, cochlear_bands};
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
    /// Weights of the cochlear bands over the bins of a sound's transform.
    weights: Vec<Weights>,
    /// What each bin of an image is multiplied by to be a sound's; none where it is one.
    shape: Option<Vec<f64>>,
}

impl Cochlea {
    /// For sounds of `samples` samples, a multiple of [`block`](Self::block).
    ///
    /// # Errors
    /// If the settings or the length make no sense: the message tells which.
    pub fn new(settings: &CochleaSettings, samples: usize) -> Result<Self> {
        Self::with_gains(settings, samples, None)
    }

    /// For images of `samples` samples that are sounds once each band has been multiplied by its gain.
    ///
    /// White noise so has the levels that the gains are made for, and its samples move all bands alike, however
    /// far apart their levels are: without it, a descent hears nothing of quiet bands for hundreds of steps.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if there are not as many gains as bands.
    pub fn shaped(settings: &CochleaSettings, samples: usize, gains: &[f64]) -> Result<Self> {
        let (given, bands) = (gains.len(), settings.bands + 2);
        if given != bands {
            bail!("{given} gains for {bands} bands");
        }
        Self::with_gains(settings, samples, Some(gains))
    }

    fn with_gains(
        settings: &CochleaSettings,
        samples: usize,
        gains: Option<&[f64]>,
    ) -> Result<Self> {
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
        let shape = gains.map(|gains| shape(&weights, gains, samples / 2 + 1));
        let of_image: Vec<Weights> = match &shape {
            Some(shape) => weights.iter().map(|band| band.times(shape)).collect(),
            None => weights.clone(),
        };
        Ok(Self {
            samples,
            envelope_samples: samples / step,
            bands: BandEnvelopes::new(samples, step, &of_image, COMPRESSION, FLOOR),
            measure: Measure::new(samples / step, f64::from(envelope_rate))?,
            weights,
            shape,
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

    /// The root mean square of every band of a sound.
    ///
    /// # Panics
    /// If it has another length.
    pub fn levels(&self, sound: &[f64]) -> Vec<f64> {
        let spectrum = spectrum(sound, self.samples);
        let level = |band: &Weights| {
            let bins = spectrum[band.first..].iter().zip(&band.values);
            // All bins but the outermost stand for two; those hold next to nothing.
            let power: f64 = bins.map(|(z, w)| 2.0 * z.norm_sqr() * w * w).sum();
            power.sqrt() / self.samples as f64
        };
        self.weights.iter().map(level).collect()
    }

    /// Gains that give white noise of an RMS of 1 these levels, none of them below the floor.
    pub fn gains_for(&self, levels: &[f64]) -> Vec<f64> {
        let bins = (self.samples / 2 + 1) as f64;
        let of_noise = |band: &Weights| {
            let squares: f64 = band.values.iter().map(|w| w * w).sum();
            // Where a band is narrower than a bin it hears nothing.
            (squares / bins).sqrt().max(FLOOR)
        };
        let bands = self.weights.iter().zip(levels);
        bands
            .map(|(band, level)| level.max(FLOOR) / of_noise(band))
            .collect()
    }

    /// The sound that an image is.
    ///
    /// # Panics
    /// If it has another length.
    pub fn sound(&self, image: &[f32]) -> Vec<f32> {
        let Some(shape) = &self.shape else {
            return image.to_vec();
        };
        let image: Vec<f64> = image.iter().map(|&x| f64::from(x)).collect();
        let mut bins = spectrum(&image, self.samples);
        for (z, gain) in bins.iter_mut().zip(shape) {
            *z *= gain / self.samples as f64;
        }
        let mut sound = vec![0.0; self.samples];
        RealFftPlanner::new()
            .plan_fft_inverse(self.samples)
            .process(&mut bins, &mut sound)
            .expect("the transform of a real sound");
        sound.into_iter().map(|x| x as f32).collect()
    }

    /// The compressed envelopes of `sound`, or of the one that an image is (`[samples]`, 32 or 64 bits, any device) on
    /// the processor: `[bands + 2, envelope_samples]`, first what lies below the lowest band, last what lies above the
    /// highest.
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

/// For each bin, the gain of the bands around it.
fn shape(weights: &[Weights], gains: &[f64], bins: usize) -> Vec<f64> {
    let mut shape = vec![0.0; bins];
    for (band, gain) in weights.iter().zip(gains) {
        for (sum, w) in shape[band.first..].iter_mut().zip(&band.values) {
            *sum += gain * w * w;
        }
    }
    shape
}

fn spectrum(sound: &[f64], samples: usize) -> Vec<Complex64> {
    let forward = RealFftPlanner::new().plan_fft_forward(samples);
    let mut spectrum = forward.make_output_vec();
    forward
        .process(&mut sound.to_vec(), &mut spectrum)
        .expect("a sound of the planned length");
    spectrum
}
