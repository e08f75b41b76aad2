//! The weights that make bands: cochlear over frequency, modulation over the frequency of envelopes, and the
//! low-pass that takes envelopes to their own rate.

use std::f64::consts::{FRAC_PI_2, PI};

/// A run of weights for the bins of a real transform, from bin `first` on; all others are zero.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weights {
    pub(super) first: usize,
    pub(super) values: Vec<f64>,
}

impl Weights {
    /// These weights times a factor for each bin of the transform.
    pub(super) fn times(&self, factors: &[f64]) -> Self {
        let products = self.values.iter().zip(&factors[self.first..]);
        Self {
            first: self.first,
            values: products.map(|(w, factor)| w * factor).collect(),
        }
    }

    /// Weights of `bins` bins `hz_per_bin` apart, by frequency in Hz, without the zeros at either end.
    fn of(bins: usize, hz_per_bin: f64, weight: impl Fn(f64) -> f64) -> Self {
        let mut values: Vec<f64> = (0..bins).map(|b| weight(b as f64 * hz_per_bin)).collect();
        values.truncate(values.iter().rposition(|w| *w != 0.0).map_or(0, |i| i + 1));
        let first = values.iter().take_while(|w| **w == 0.0).count();
        values.drain(..first);
        Self { first, values }
    }
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
        (FRAC_PI_2 * position).cos()
    } else {
        0.0
    }
}

/// `count` cosine bands between `lowest_hz` and `highest_hz` on the scale of equivalent rectangular bandwidths,
/// with what lies below the first centre before them and what lies above the last after them: the squares of all
/// add up to 1 at every bin of a transform of `samples` samples.
pub(super) fn cochlear_bands(
    count: usize,
    (lowest_hz, highest_hz): (f64, f64),
    sample_rate_hz: f64,
    samples: usize,
) -> Vec<Weights> {
    let (low, high) = (erb_number(lowest_hz), erb_number(highest_hz));
    let spacing = (high - low) / (count + 1) as f64;
    let position = |hz: f64, band: usize| (erb_number(hz) - low) / spacing - band as f64;
    let rest = |lobe: f64| (1.0 - lobe * lobe).max(0.0).sqrt();
    let weight = |hz: f64, band: usize| match band {
        0 if position(hz, 1) < 0.0 => rest(cosine_lobe(position(hz, 1))),
        last if last == count + 1 && position(hz, count) > 0.0 => {
            rest(cosine_lobe(position(hz, count)))
        }
        band if (1..=count).contains(&band) => cosine_lobe(position(hz, band)),
        _ => 0.0,
    };
    let hz_per_bin = sample_rate_hz / samples as f64;
    (0..count + 2)
        .map(|band| Weights::of(samples / 2 + 1, hz_per_bin, |hz| weight(hz, band)))
        .collect()
}

/// Modulation bands of the same quality, half a period of a cosine over the frequency: centre ± centre /
/// `quality`, `count` of them from `lowest_hz` to `highest_hz` in equal ratios. Scaled so that their squares
/// add up to 1 on average between the fourth centre from either end.
pub(super) fn constant_q_bands(
    count: usize,
    (lowest_hz, highest_hz): (f64, f64),
    quality: f64,
    rate_hz: f64,
    samples: usize,
) -> Vec<Weights> {
    /// Bands at either end that the scale does not depend on.
    const OUTER: usize = 3;
    /// Places at which the sum of the squares is looked at.
    const PLACES: usize = 4_096;
    let ratio = highest_hz / lowest_hz;
    let centre = |band: usize| lowest_hz * ratio.powf(band as f64 / (count - 1) as f64);
    let lobe = |hz: f64, band: usize| cosine_lobe((hz / centre(band) - 1.0) * quality);
    let (from, to) = (centre(OUTER), centre(count - 1 - OUTER));
    let squares: f64 = (0..PLACES)
        .map(|place| from + (to - from) * (place as f64 + 0.5) / PLACES as f64)
        .map(|hz| (0..count).map(|band| lobe(hz, band).powi(2)).sum::<f64>())
        .sum();
    let scale = (PLACES as f64 / squares).sqrt();
    (0..count)
        .map(|band| {
            let hz_per_bin = rate_hz / samples as f64;
            Weights::of(samples / 2 + 1, hz_per_bin, |hz| scale * lobe(hz, band))
        })
        .collect()
}

/// Modulation bands an octave apart, half a period of a cosine over the logarithm of the frequency that ends at
/// the neighbours' centres: `count` of them, the highest with its centre at `highest_hz`.
pub(super) fn octave_bands(
    count: usize,
    highest_hz: f64,
    rate_hz: f64,
    samples: usize,
) -> Vec<Weights> {
    (0..count)
        .map(|band| {
            let centre = highest_hz / f64::from(1u32 << (count - 1 - band));
            Weights::of(samples / 2 + 1, rate_hz / samples as f64, |hz| {
                cosine_lobe((hz / centre).log2())
            })
        })
        .collect()
}

/// Zero crossings of the low-pass on either side of its centre.
const ZERO_CROSSINGS: usize = 10;
/// Shape of its Kaiser window, its β.
const KAISER_BETA: f64 = 5.0;

/// A low-pass for every `step`th sample: a sinc of ten zero crossings on either side in a Kaiser window
/// (β = 5), its coefficients, `20·step + 1` of them, adding up to 1. The scores' resampler has the same.
pub(super) fn decimation_filter(step: usize) -> Vec<f64> {
    let half = ZERO_CROSSINGS * step;
    let mut filter: Vec<f64> = (0..=2 * half)
        .map(|i| {
            let position = (i as f64 - half as f64) / half as f64;
            let angle = PI * ZERO_CROSSINGS as f64 * position;
            let sinc = if i == half { 1.0 } else { angle.sin() / angle };
            let window = bessel_i0(KAISER_BETA * (1.0 - position * position).max(0.0).sqrt());
            sinc * window / bessel_i0(KAISER_BETA)
        })
        .collect();
    let sum: f64 = filter.iter().sum();
    for coefficient in &mut filter {
        *coefficient /= sum;
    }
    filter
}

/// The modified Bessel function of the first kind and order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter_square = x * x / 4.0;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-17 * sum {
        term *= quarter_square / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(weights: &Weights, bin: usize) -> f64 {
        bin.checked_sub(weights.first)
            .and_then(|i| weights.values.get(i))
            .copied()
            .unwrap_or(0.0)
    }

    #[test]
    fn the_squares_of_all_cochlear_bands_add_up_to_one_everywhere() {
        let bands = cochlear_bands(30, (20.0, 10_000.0), 20_000.0, 2_000);
        assert_eq!(bands.len(), 32);
        for bin in 0..=1_000 {
            let sum: f64 = bands.iter().map(|band| at(band, bin).powi(2)).sum();
            assert!((sum - 1.0).abs() < 1e-12, "bin {bin}: {sum}");
        }
    }

    #[test]
    fn a_band_of_constant_quality_is_one_half_period_of_a_cosine_over_the_frequency() {
        // At 1 Hz a bin: the last of seven bands from 1 to 64 Hz has its centre at 64 Hz and reaches to 32 Hz
        // on either side; half way, at 48 Hz, it is down by the square root of 2.
        let bands = constant_q_bands(7, (1.0, 64.0), 2.0, 400.0, 400);
        let last = &bands[6];
        assert_eq!(last.first, 33);
        assert_eq!(last.values.len(), 63);
        let ratio = at(last, 48) / at(last, 64);
        assert!((ratio - 0.5f64.sqrt()).abs() < 1e-12, "{ratio}");
    }

    #[test]
    fn octave_bands_end_at_their_neighbours_centres_and_their_squares_add_up_to_one_between() {
        let bands = octave_bands(3, 100.0, 400.0, 800);
        assert!((at(&bands[1], 100) - 1.0).abs() < 1e-12);
        assert!(at(&bands[1], 50).abs() < 1e-12 && at(&bands[1], 200).abs() < 1e-12);
        for bin in 51..200 {
            let sum: f64 = bands.iter().map(|band| at(band, bin).powi(2)).sum();
            assert!((sum - 1.0).abs() < 1e-12, "bin {bin}: {sum}");
        }
    }

    #[test]
    fn the_low_pass_keeps_a_constant_and_has_its_zeros_a_step_apart() {
        let filter = decimation_filter(5);
        assert_eq!(filter.len(), 101);
        assert!((filter.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        for zero in (0..=100).step_by(5).filter(|i| *i != 50) {
            assert!(filter[zero].abs() < 1e-15, "{zero}: {}", filter[zero]);
        }
    }
}
