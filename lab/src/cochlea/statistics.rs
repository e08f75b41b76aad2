//! The statistics of envelopes, as tensors with the graph that leads back to the envelopes.

use candle_core::{D, Device, Result, Tensor};

use super::filters::{Weights, constant_q_bands, octave_bands};
use super::transform::RowTransform;

/// Modulation bands of the same quality, their number, lowest and highest centre in Hz, and quality.
const MODULATION_BANDS: usize = 20;
const MODULATION_RANGE_HZ: (f64, f64) = (0.5, 200.0);
const MODULATION_QUALITY: f64 = 2.0;
/// Modulation bands an octave apart for C1 and C2, and the highest one's centre in Hz.
const OCTAVE_BANDS: usize = 7;
const HIGHEST_OCTAVE_HZ: f64 = 100.0;
/// The lowest octave band whose correlations between cochlear bands count (C1).
const LOWEST_CORRELATED_OCTAVE: usize = 1;
/// Distances, in bands, at which envelopes are correlated.
const CORRELATION_OFFSETS: [usize; 8] = [1, 2, 3, 5, 8, 11, 16, 21];
/// And those at which octave bands of envelopes are (C1).
const C1_OFFSETS: [usize; 2] = [1, 2];
/// Floors against division by nothing, far below what audible sound has.
const LEAST_VARIANCE: f64 = 1e-12;
const LEAST_MODULATION: f64 = 1e-18;

/// The statistics of McDermott & Simoncelli (2011) of `B` envelopes. Moments and correlations are weighted over
/// time ([`TimeWeights`]); all but the means are plain numbers.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// Means of the envelopes, `[B]`.
    pub mean: Tensor,
    /// Variances over squared means, `[B]`.
    pub variance: Tensor,
    /// Third standardised moments, `[B]`.
    pub skew: Tensor,
    /// Fourth standardised moments, `[B]`.
    pub kurtosis: Tensor,
    /// Correlations of the envelopes of bands 1, 2, 3, 5, 8, 11, 16 and 21 apart: for each distance in turn,
    /// those of band 0, 1, … with the one so much higher. One dimension.
    pub correlation: Tensor,
    /// Power in 20 modulation bands of the same quality, .5 to 200 Hz, over the envelope's variance, `[B, 20]`.
    pub modulation: Tensor,
    /// C1: correlations of bands 1 and 2 apart within each of the octave bands at 3.1, 6.3, 12.5, 25, 50 and
    /// 100 Hz, `[pairs, 6]`, the distances in turn.
    pub c1: Tensor,
    /// C2: correlations within a band of each octave of modulations, its frequency doubled, with the next
    /// higher one: of the lower six of seven from 1.6 to 100 Hz, in phase and a quarter turn behind,
    /// `[B, 2, 6]`.
    pub c2: Tensor,
}

impl Statistics {
    /// Names and values in the order of the fields.
    pub fn groups(&self) -> [(&'static str, &Tensor); 8] {
        [
            ("mean", &self.mean),
            ("variance", &self.variance),
            ("skew", &self.skew),
            ("kurtosis", &self.kurtosis),
            ("correlation", &self.correlation),
            ("modulation", &self.modulation),
            ("C1", &self.c1),
            ("C2", &self.c2),
        ]
    }
}

/// How much each sample of an envelope counts. They add up to 1.
#[derive(Clone, Debug)]
pub struct TimeWeights(Tensor);

impl TimeWeights {
    /// All `samples` the same: for sounds that go round, as those that are made here.
    ///
    /// # Errors
    /// If the tensor can't be made.
    pub fn even(samples: usize) -> Result<Self> {
        Self::of(vec![1.0; samples])
    }

    /// Less at the ends, which do not meet in a recording: ramps of half a period of a cosine, each as long as
    /// the sound over one more than its seconds, as the authors' programs have them.
    ///
    /// # Errors
    /// If the tensor can't be made.
    pub fn ramped(samples: usize, rate_hz: f64) -> Result<Self> {
        let seconds = (samples as f64 / rate_hz).round().max(1.0);
        let ramp = (samples as f64 / (seconds + 1.0)) as usize;
        let from_end = |i: usize| i.min(samples - 1 - i) + 1;
        let rise = |i: usize| {
            let part = (from_end(i) as f64 / ramp as f64).min(1.0);
            0.5 - 0.5 * (std::f64::consts::PI * part).cos()
        };
        Self::of((0..samples).map(rise).collect())
    }

    /// Any weights that are not negative, scaled so that they add up to 1.
    ///
    /// # Errors
    /// If the tensor can't be made.
    pub fn of(mut weights: Vec<f64>) -> Result<Self> {
        let sum: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum;
        }
        Tensor::new(weights, &Device::Cpu).map(Self)
    }

    /// Weighted sums over the last dimension.
    fn mean(&self, x: &Tensor) -> Result<Tensor> {
        x.broadcast_mul(&self.0.to_dtype(x.dtype())?)?
            .sum(D::Minus1)
    }
}

/// What turns envelopes of one length into statistics.
#[derive(Clone)]
pub(super) struct Measure {
    transform: RowTransform,
    /// Weights of the bins of the modulation bands, `[1, 20, 1, bins]`.
    modulation: Tensor,
    /// And of the octave bands, `[1, 7, 1, bins]`.
    octaves: Tensor,
}

impl Measure {
    /// For envelopes of `samples` samples (an even number) at `rate_hz`.
    pub(super) fn new(samples: usize, rate_hz: f64) -> Result<Self> {
        let constant_q = constant_q_bands(
            MODULATION_BANDS,
            MODULATION_RANGE_HZ,
            MODULATION_QUALITY,
            rate_hz,
            samples,
        );
        let octaves = octave_bands(OCTAVE_BANDS, HIGHEST_OCTAVE_HZ, rate_hz, samples);
        Ok(Self {
            transform: RowTransform::new(samples),
            modulation: dense(&constant_q, samples)?,
            octaves: dense(&octaves, samples)?,
        })
    }

    /// The statistics of `envelopes`, `[bands, samples]`.
    pub(super) fn statistics(&self, envelopes: &Tensor, time: &TimeWeights) -> Result<Statistics> {
        let mean = time.mean(envelopes)?;
        let centred = envelopes.broadcast_sub(&mean.unsqueeze(1)?)?;
        let square = centred.sqr()?;
        let variance = (time.mean(&square)? + LEAST_VARIANCE)?;
        let third = time.mean(&(&square * &centred)?)?;
        let fourth = time.mean(&square.sqr()?)?;
        let spectra = self.transform.forward(envelopes)?.unsqueeze(1)?;
        let octaves = self.filtered(&spectra, &self.octaves)?;
        Ok(Statistics {
            variance: (&variance / (mean.sqr()? + LEAST_VARIANCE)?)?,
            skew: (third / variance.powf(1.5)?)?,
            kurtosis: (fourth / variance.sqr()?)?,
            correlation: correlations(&centred, time, &CORRELATION_OFFSETS)?,
            modulation: {
                let power = time.mean(&self.filtered(&spectra, &self.modulation)?.sqr()?)?;
                power.broadcast_div(&variance.unsqueeze(1)?)?
            },
            c1: {
                let count = OCTAVE_BANDS - LOWEST_CORRELATED_OCTAVE;
                let bands = octaves.narrow(1, LOWEST_CORRELATED_OCTAVE, count)?;
                correlations(&bands, time, &C1_OFFSETS)?
            },
            c2: {
                let turned = self.filtered(&quarter_turn(&spectra)?, &self.octaves)?;
                doubled_correlations(&octaves, &turned, time)?
            },
            mean,
        })
    }

    /// `[B, 1, 2, bins]` through weights `[1, bands, 1, bins]`: `[B, bands, samples]`.
    fn filtered(&self, spectra: &Tensor, weights: &Tensor) -> Result<Tensor> {
        let weights = weights.to_dtype(spectra.dtype())?;
        self.transform.inverse(&spectra.broadcast_mul(&weights)?)
    }
}

/// Weights over all bins, scaled for the way there and back: `[1, bands, 1, bins]`.
fn dense(bands: &[Weights], samples: usize) -> Result<Tensor> {
    let bins = samples / 2 + 1;
    let mut all = vec![0.0; bands.len() * bins];
    for (row, band) in all.chunks_exact_mut(bins).zip(bands) {
        for (to, weight) in row[band.first..].iter_mut().zip(&band.values) {
            *to = weight / samples as f64;
        }
    }
    Tensor::from_vec(all, (1, bands.len(), 1, bins), &Device::Cpu)
}

/// Spectra `[…, 2, bins]` of real and imaginary parts, a quarter turn behind: the Hilbert transform's.
fn quarter_turn(spectra: &Tensor) -> Result<Tensor> {
    let (re, im) = (spectra.narrow(2, 0, 1)?, spectra.narrow(2, 1, 1)?);
    Tensor::cat(&[&im, &re.neg()?], 2)
}

/// Correlations of rows `offset` apart along the first dimension, over the last one, for each offset that there
/// are rows for. Rows have no mean, or it counts as part of them.
fn correlations(rows: &Tensor, time: &TimeWeights, offsets: &[usize]) -> Result<Tensor> {
    let count = rows.dim(0)?;
    let power = (time.mean(&rows.sqr()?)? + LEAST_VARIANCE)?;
    let pairs = offsets.iter().filter(|offset| **offset < count);
    let all: Vec<Tensor> = pairs
        .map(|&offset| {
            let left = count - offset;
            let products = (rows.narrow(0, 0, left)? * rows.narrow(0, offset, left)?)?;
            let powers = (power.narrow(0, 0, left)? * power.narrow(0, offset, left)?)?;
            time.mean(&products)? / powers.sqrt()?
        })
        .collect::<Result<_>>()?;
    Tensor::cat(&all, 0)
}

/// C2: of octave bands `re` and their Hilbert transforms `im`, `[B, octaves, samples]`. A band `a` of an octave is
/// brought to the next by `a² / |a|`, which doubles its phase.
fn doubled_correlations(re: &Tensor, im: &Tensor, time: &TimeWeights) -> Result<Tensor> {
    let pairs = re.dim(1)? - 1;
    let (lower_re, lower_im) = (re.narrow(1, 0, pairs)?, im.narrow(1, 0, pairs)?);
    let (upper_re, upper_im) = (re.narrow(1, 1, pairs)?, im.narrow(1, 1, pairs)?);
    let (re_square, im_square) = (lower_re.sqr()?, lower_im.sqr()?);
    let magnitude = ((&re_square + &im_square)? + LEAST_MODULATION)?.sqrt()?;
    let doubled = ((re_square - im_square)? / magnitude)?;
    let lower_power = (time.mean(&doubled.sqr()?)? + LEAST_VARIANCE)?;
    let upper_power = (time.mean(&upper_re.sqr()?)? + LEAST_VARIANCE)?;
    let norm = (lower_power * upper_power)?.sqrt()?;
    let in_phase = (time.mean(&(&doubled * upper_re)?)? / &norm)?;
    let behind = (time.mean(&(doubled * upper_im)?)? / norm)?;
    Tensor::stack(&[in_phase, behind], 1)
}
