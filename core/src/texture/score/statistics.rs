//! Statistics of cochlear envelopes that textures are told apart by.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;
use serde::Serialize;

use super::SAMPLE_RATE;
use super::resample::resample;
use crate::numeric::threads::Threads;

/// Cochlear bands.
const BANDS: usize = 30;
/// Lowest edge of the bands, in Hz.
const LOWEST_HZ: f64 = 20.0;
/// Highest edge, as a part of the Nyquist frequency.
const HIGHEST: f64 = 0.98;
/// Exponent that compresses envelopes, as the cochlea does (McDermott & Simoncelli 2011).
const COMPRESSION: f64 = 0.3;
/// Sample rate of the envelopes, in Hz.
const ENVELOPE_RATE: usize = 400;
/// Samples that are cut off either end of an envelope, where the bands ring: 50 ms.
const ENVELOPE_EDGE: usize = 20;
/// Modulation bands, over the logarithm of the frequency.
const MODULATION_BANDS: usize = 20;
/// Centres of the lowest and the highest modulation band, in Hz.
const MODULATION_RANGE_HZ: (f64, f64) = (0.5, 180.0);
/// Half width of a modulation band, in distances between centres.
const MODULATION_HALF_WIDTH: f64 = 1.5;
/// The modulation bands that are correlated between cochlear bands: every third, from the third on.
const CORRELATED: std::ops::Range<usize> = 2..MODULATION_BANDS;
const CORRELATED_STEP: usize = 3;

/// Floors against division by nothing, each far below the values of audible sound.
const LEAST_DEVIATION: f64 = 1e-6;
const LEAST_VARIANCE: f64 = 1e-12;
const LEAST_MODULATED_DEVIATION: f64 = 1e-9;
const LEAST_MODULATION_POWER: f64 = 1e-4;
const LEAST_ERROR: f64 = 1e-9;

/// Signal-to-noise ratios of a synthesis's texture statistics, in dB: the reference's statistics are the
/// signal, the differences to them the noise. All higher is better; equal sounds reach 100 dB or more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StatisticsSnr {
    /// Means of the envelopes.
    pub mean: f64,
    /// Standard deviations of the envelopes over their means.
    pub variation: f64,
    /// Third standardised moments of the envelopes.
    pub skew: f64,
    /// Fourth standardised moments of the envelopes.
    pub kurtosis: f64,
    /// Correlations between the envelopes of every two bands.
    pub correlation: f64,
    /// Power of every band's envelope in 20 modulation bands, over its variance and in dB.
    pub modulation: f64,
    /// Correlations between every two bands' envelopes in each of six modulation bands.
    pub modulation_correlation: f64,
}

impl StatisticsSnr {
    /// Names and values, in dB.
    pub fn figures(&self) -> [(&'static str, f64); 7] {
        [
            ("mean", self.mean),
            ("variation", self.variation),
            ("skew", self.skew),
            ("kurtosis", self.kurtosis),
            ("correlation", self.correlation),
            ("modulation", self.modulation),
            ("modulation_correlation", self.modulation_correlation),
        ]
    }

    /// Mean over the seven groups of statistics, in dB.
    pub fn average(&self) -> f64 {
        let figures = self.figures();
        figures.iter().map(|(_, snr)| snr).sum::<f64>() / figures.len() as f64
    }
}

/// Compares the statistics of 16 kHz sounds, which must be longer than 0.1 s.
pub fn compare(reference: &[f32], synthesis: &[f32], threads: Threads) -> StatisticsSnr {
    let [a, b] = [reference, synthesis].map(|samples| Statistics::new(samples, threads));
    StatisticsSnr {
        mean: snr_db(&a.mean, &b.mean),
        variation: snr_db(&a.variation, &b.variation),
        skew: snr_db(&a.skew, &b.skew),
        kurtosis: snr_db(&a.kurtosis, &b.kurtosis),
        correlation: snr_db(&a.correlation, &b.correlation),
        modulation: snr_db(&a.modulation, &b.modulation),
        modulation_correlation: snr_db(&a.modulation_correlation, &b.modulation_correlation),
    }
}

fn snr_db(signal: &[f64], other: &[f64]) -> f64 {
    let energy: f64 = signal.iter().map(|x| x * x).sum();
    let error: f64 = signal
        .iter()
        .zip(other)
        .map(|(x, y)| (x - y) * (x - y))
        .sum();
    10.0 * (energy / (error + LEAST_ERROR)).log10()
}

/// The statistics of one sound, after McDermott & Simoncelli (2011): moments of compressed cochlear
/// envelopes, their correlations and those of their modulations.
struct Statistics {
    mean: Vec<f64>,
    variation: Vec<f64>,
    skew: Vec<f64>,
    kurtosis: Vec<f64>,
    correlation: Vec<f64>,
    modulation: Vec<f64>,
    modulation_correlation: Vec<f64>,
}

/// One envelope without its mean, and its statistics.
struct Envelope {
    mean: f64,
    deviation: f64,
    standardised: Vec<f64>,
    spectrum: Vec<Complex64>,
    modulation: Vec<f64>,
}

impl Statistics {
    fn new(samples: &[f32], threads: Threads) -> Self {
        let raw = envelopes(samples, threads);
        let n = raw[0].len();
        let weights = modulation_bank(n);
        let mut planner = RealFftPlanner::<f64>::new();
        let (forward, inverse) = (planner.plan_fft_forward(n), planner.plan_fft_inverse(n));
        let envelopes = threads.map(BANDS, |band| {
            let mean = average(raw[band].iter().copied(), n);
            let mut centred: Vec<f64> = raw[band].iter().map(|x| x - mean).collect();
            let variance = average(centred.iter().map(|x| x * x), n);
            let deviation = variance.sqrt() + LEAST_DEVIATION;
            let standardised = centred.iter().map(|x| x / deviation).collect();
            let mut spectrum = forward.make_output_vec();
            forward
                .process(&mut centred, &mut spectrum)
                .expect("planned lengths");
            let modulation = weights.iter().map(|weights| {
                let squares = spectrum.iter().zip(weights);
                let power: f64 = squares.map(|(z, w)| z.norm_sqr() * w * w).sum();
                let share = power / (0.5 * (n * n) as f64) / (variance + LEAST_VARIANCE);
                10.0 * (share + LEAST_MODULATION_POWER).log10()
            });
            Envelope {
                mean,
                deviation,
                standardised,
                modulation: modulation.collect(),
                spectrum,
            }
        });
        let modulated: Vec<usize> = CORRELATED.step_by(CORRELATED_STEP).collect();
        let modulation_correlation = threads.map(modulated.len(), |index| {
            let weights = &weights[modulated[index]];
            let filtered: Vec<Vec<f64>> = envelopes
                .iter()
                .map(|envelope| {
                    let mut product: Vec<Complex64> = envelope
                        .spectrum
                        .iter()
                        .zip(weights)
                        .map(|(z, w)| z * w / n as f64)
                        .collect();
                    let mut out = inverse.make_output_vec();
                    inverse
                        .process(&mut product, &mut out)
                        .expect("planned lengths, and no weight at 0 Hz and the Nyquist frequency");
                    let mean = average(out.iter().copied(), n);
                    let variance = average(out.iter().map(|x| (x - mean) * (x - mean)), n);
                    let deviation = variance.sqrt() + LEAST_MODULATED_DEVIATION;
                    for x in &mut out {
                        *x = (*x - mean) / deviation;
                    }
                    out
                })
                .collect();
            correlations(filtered.iter().map(Vec::as_slice))
        });
        let moment = |power: i32| {
            let of = |e: &Envelope| average(e.standardised.iter().map(|z| z.powi(power)), n);
            envelopes.iter().map(of).collect()
        };
        Self {
            mean: envelopes.iter().map(|e| e.mean).collect(),
            variation: envelopes
                .iter()
                .map(|e| e.deviation / (e.mean + LEAST_DEVIATION))
                .collect(),
            skew: moment(3),
            kurtosis: moment(4),
            correlation: correlations(envelopes.iter().map(|e| e.standardised.as_slice())),
            modulation: envelopes
                .iter()
                .flat_map(|e| e.modulation.iter().copied())
                .collect(),
            modulation_correlation: modulation_correlation.concat(),
        }
    }
}

/// Compressed envelopes of the cochlear bands at [`ENVELOPE_RATE`], one vector for each band.
fn envelopes(samples: &[f32], threads: Threads) -> Vec<Vec<f64>> {
    let n = samples.len();
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (planner.plan_fft_forward(n), planner.plan_fft_inverse(n));
    let mut input: Vec<f64> = samples.iter().map(|&x| f64::from(x)).collect();
    let mut spectrum = forward.make_output_vec();
    forward
        .process(&mut input, &mut spectrum)
        .expect("planned lengths");
    drop(input);
    let sample_rate = f64::from(SAMPLE_RATE);
    let (low, high) = (
        erb_number(LOWEST_HZ),
        erb_number(HIGHEST * 0.5 * sample_rate),
    );
    let spacing = (high - low) / (BANDS + 1) as f64;
    threads.map(BANDS, |band| {
        let centre = low + (band + 1) as f64 * spacing;
        // The analytic signal: its imaginary part is the Hilbert transform, a quarter turn behind. No band
        // reaches 0 Hz or the Nyquist frequency, where that would not do.
        let filtered = |turn: Complex64| {
            let mut product: Vec<Complex64> = spectrum
                .iter()
                .enumerate()
                .map(|(bin, z)| {
                    let hz = bin as f64 * sample_rate / n as f64;
                    z * turn * (cosine_lobe((erb_number(hz) - centre) / spacing) / n as f64)
                })
                .collect();
            let mut out = inverse.make_output_vec();
            inverse
                .process(&mut product, &mut out)
                .expect("planned lengths, and no weight at 0 Hz and the Nyquist frequency");
            out
        };
        let mut envelope = filtered(Complex64::ONE);
        for (x, y) in envelope.iter_mut().zip(filtered(-Complex64::I)) {
            *x = x.hypot(y).powf(COMPRESSION);
        }
        let envelope = resample(&envelope, ENVELOPE_RATE, SAMPLE_RATE as usize);
        envelope[ENVELOPE_EDGE..envelope.len() - ENVELOPE_EDGE]
            .iter()
            .map(|x| x.max(0.0))
            .collect()
    })
}

/// Frequency in equivalent rectangular bandwidths of hearing (Glasberg & Moore 1990).
fn erb_number(hz: f64) -> f64 {
    const QUALITY: f64 = 9.265;
    const LEAST_BANDWIDTH_HZ: f64 = 24.7;
    QUALITY * (hz / (LEAST_BANDWIDTH_HZ * QUALITY)).ln_1p()
}

/// Half a period of a cosine, between -1 and 1. Neighbours half a width apart have squares that add up to 1.
fn cosine_lobe(position: f64) -> f64 {
    if position.abs() < 1.0 {
        (std::f64::consts::FRAC_PI_2 * position).cos()
    } else {
        0.0
    }
}

/// For every modulation band, weights of the bins of an envelope of `n` samples.
fn modulation_bank(n: usize) -> Vec<Vec<f64>> {
    let (low, high) = (MODULATION_RANGE_HZ.0.log2(), MODULATION_RANGE_HZ.1.log2());
    let spacing = (high - low) / (MODULATION_BANDS - 1) as f64;
    (0..MODULATION_BANDS)
        .map(|band| {
            let centre = low + band as f64 * spacing;
            (0..n / 2 + 1)
                .map(|bin| {
                    let octaves = (bin as f64 * ENVELOPE_RATE as f64 / n as f64).log2();
                    cosine_lobe((octaves - centre) / (MODULATION_HALF_WIDTH * spacing))
                })
                .collect()
        })
        .collect()
}

/// Mean products of every two rows.
fn correlations<'a>(rows: impl Iterator<Item = &'a [f64]>) -> Vec<f64> {
    let rows: Vec<&[f64]> = rows.collect();
    let mut out = Vec::with_capacity(rows.len() * rows.len() / 2);
    for (i, a) in rows.iter().enumerate() {
        for b in &rows[i + 1..] {
            out.push(average(a.iter().zip(*b).map(|(a, b)| a * b), a.len()));
        }
    }
    out
}

fn average(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    values.sum::<f64>() / count as f64
}
