//! Envelopes of cochlear bands, and the weights of their modulation bands.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;

use crate::numeric::threads::Threads;
use crate::texture::score::SAMPLE_RATE;
use crate::texture::score::resample::resample;

/// Cochlear bands.
pub(super) const BANDS: usize = 30;
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
pub(super) const MODULATION_BANDS: usize = 20;
/// Centres of the lowest and the highest modulation band, in Hz.
const MODULATION_RANGE_HZ: (f64, f64) = (0.5, 180.0);
/// Half width of a modulation band, in distances between centres.
const MODULATION_HALF_WIDTH: f64 = 1.5;

/// Compressed envelopes of the cochlear bands at [`ENVELOPE_RATE`], one vector for each band.
pub(super) fn envelopes(samples: &[f32], threads: Threads) -> Vec<Vec<f64>> {
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
pub(super) fn modulation_bank(n: usize) -> Vec<Vec<f64>> {
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
