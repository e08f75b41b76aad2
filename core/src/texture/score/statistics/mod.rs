//! Statistics of cochlear envelopes that textures are told apart by.

mod cochlea;

use realfft::num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use serde::Serialize;

use crate::numeric::moments::{mean, mean_square};
use crate::numeric::threads::Threads;
use cochlea::{BANDS, MODULATION_BANDS, envelopes, modulation_bank};

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

impl Envelope {
    /// Takes an envelope as it is, the transform of its length, and the weights of the modulation bands.
    fn new(envelope: &[f64], forward: &dyn RealToComplex<f64>, bank: &[Vec<f64>]) -> Self {
        let n = envelope.len();
        let mean = mean(envelope.iter().copied());
        let mut centred: Vec<f64> = envelope.iter().map(|x| x - mean).collect();
        let variance = mean_square(centred.iter().copied());
        let deviation = variance.sqrt() + LEAST_DEVIATION;
        let standardised = centred.iter().map(|x| x / deviation).collect();
        let mut spectrum = forward.make_output_vec();
        forward
            .process(&mut centred, &mut spectrum)
            .expect("planned lengths");
        let modulation = bank.iter().map(|weights| {
            let squares = spectrum.iter().zip(weights);
            let power: f64 = squares.map(|(z, w)| z.norm_sqr() * w * w).sum();
            let share = power / (0.5 * (n * n) as f64) / (variance + LEAST_VARIANCE);
            10.0 * (share + LEAST_MODULATION_POWER).log10()
        });
        Self {
            mean,
            deviation,
            standardised,
            modulation: modulation.collect(),
            spectrum,
        }
    }

    /// What the modulation band of `weights` holds of it, standardised.
    fn modulated(&self, inverse: &dyn ComplexToReal<f64>, weights: &[f64]) -> Vec<f64> {
        let n = inverse.len() as f64;
        let bins = self.spectrum.iter().zip(weights);
        let mut product: Vec<Complex64> = bins.map(|(z, w)| z * w / n).collect();
        let mut out = inverse.make_output_vec();
        inverse
            .process(&mut product, &mut out)
            .expect("planned lengths, and no weight at 0 Hz and the Nyquist frequency");
        let mean = mean(out.iter().copied());
        let variance = mean_square(out.iter().map(|x| x - mean));
        let deviation = variance.sqrt() + LEAST_MODULATED_DEVIATION;
        for x in &mut out {
            *x = (*x - mean) / deviation;
        }
        out
    }
}

impl Statistics {
    fn new(samples: &[f32], threads: Threads) -> Self {
        let raw = envelopes(samples, threads);
        let n = raw[0].len();
        let bank = modulation_bank(n);
        let mut planner = RealFftPlanner::<f64>::new();
        let (forward, inverse) = (planner.plan_fft_forward(n), planner.plan_fft_inverse(n));
        let envelopes = threads.map(BANDS, |band| Envelope::new(&raw[band], &*forward, &bank));
        let correlated: Vec<usize> = CORRELATED.step_by(CORRELATED_STEP).collect();
        let modulation_correlation = threads.map(correlated.len(), |index| {
            let weights = &bank[correlated[index]];
            let modulated: Vec<Vec<f64>> = envelopes
                .iter()
                .map(|envelope| envelope.modulated(&*inverse, weights))
                .collect();
            correlations(modulated.iter().map(Vec::as_slice))
        });
        let moment = |power: i32| {
            let of = |e: &Envelope| mean(e.standardised.iter().map(|z| z.powi(power)));
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

/// Mean products of every two rows.
fn correlations<'a>(rows: impl Iterator<Item = &'a [f64]>) -> Vec<f64> {
    let rows: Vec<&[f64]> = rows.collect();
    let mut out = Vec::with_capacity(rows.len() * rows.len() / 2);
    for (i, a) in rows.iter().enumerate() {
        for b in &rows[i + 1..] {
            out.push(mean(a.iter().zip(*b).map(|(a, b)| a * b)));
        }
    }
    out
}
