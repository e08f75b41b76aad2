//! Conversion between sample rates in a rational ratio, by one windowed sinc.
//!
//! [`Clip::resampled`](crate::clip::Clip::resampled) has a steeper filter and sounds better; figures
//! compare with other programs' only if both have the same filter, and this is the usual one.

use crate::clip::greatest_common_divisor;
use crate::numeric::kaiser::kaiser;

/// Zero crossings of the sinc on either side of its centre.
const ZERO_CROSSINGS: usize = 10;
/// Shape of the Kaiser window, its β.
const KAISER_BETA: f64 = 5.0;

/// `samples` at `up / down` times their rate: `⌈n·up/down⌉` of them, the first at the time of the first.
///
/// Output `k` is `Σ x[m] h[k·down − m·up]`, with silence before and after the input, and for `r = max(up,
/// down)` the filter `h[i] = g · sinc(i/r) · I₀(β √(1 − (i/10r)²))`, `|i| ≤ 10r`, where `g` makes the
/// coefficients add up to `up` (a sinc low-pass in a Kaiser window; Crochiere & Rabiner 1983).
///
/// # Panics
/// If `up` or `down` is zero.
pub fn resample(samples: &[f64], up: usize, down: usize) -> Vec<f64> {
    let divisor = greatest_common_divisor(up, down);
    let (up, down) = (up / divisor, down / divisor);
    if up == down || samples.is_empty() {
        return samples.to_vec();
    }
    let half = ZERO_CROSSINGS * up.max(down);
    let filter = filter(half, up);
    let count = (samples.len() * up).div_ceil(down);
    (0..count)
        .map(|k| {
            // `k·down − m·up` must lie within ±half.
            let first = (k * down).saturating_sub(half).div_ceil(up);
            let last = ((k * down + half) / up).min(samples.len() - 1);
            (first..=last)
                .map(|m| samples[m] * filter[half + k * down - m * up])
                .sum()
        })
        .collect()
}

/// The coefficients from `-half` to `half`.
fn filter(half: usize, gain: usize) -> Vec<f64> {
    let mut filter: Vec<f64> = (0..=2 * half)
        .map(|i| {
            let position = (i as f64 - half as f64) / half as f64;
            let angle = std::f64::consts::PI * ZERO_CROSSINGS as f64 * position;
            let sinc = if angle == 0.0 {
                1.0
            } else {
                angle.sin() / angle
            };
            sinc * kaiser(position, KAISER_BETA)
        })
        .collect();
    let scale = gain as f64 / filter.iter().sum::<f64>();
    for coefficient in &mut filter {
        *coefficient *= scale;
    }
    filter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_below_both_bands_stays_that_tone() {
        let tone = |rate: f64, n: usize| -> Vec<f64> {
            let phase = |i| std::f64::consts::TAU * 440.0 * i as f64 / rate;
            (0..n).map(|i| phase(i).sin()).collect()
        };
        for (rate, up, down) in [(48_000, 1, 3), (44_100, 160, 441), (8_000, 2, 1)] {
            let converted = resample(&tone(f64::from(rate), rate as usize / 2), up, down);
            let expected = tone(16_000.0, 8_000);
            assert_eq!(converted.len(), expected.len());
            for i in 100..7_900 {
                assert!(
                    (converted[i] - expected[i]).abs() < 2e-3,
                    "{rate} Hz, sample {i}: {} for {}",
                    converted[i],
                    expected[i]
                );
            }
        }
        assert_eq!(resample(&[1.0, 2.0], 7, 7), [1.0, 2.0]);
        assert!(resample(&[], 1, 3).is_empty());
        assert_eq!(resample(&[0.0; 10], 1, 3).len(), 4);
    }
}
