//! Random numbers for synthesis, in the distributions that sounds are made of.

use crate::numeric::random::SplitMix64;
use crate::numeric::random::hash::{GOLDEN_64, split_mix_64};

/// A stream of random numbers for one part of a texture.
#[derive(Debug, Clone)]
pub(super) struct Random {
    bits: SplitMix64,
}

impl Random {
    /// Stream number `stream` of a seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        let counter = split_mix_64(seed).wrapping_add(stream.wrapping_mul(GOLDEN_64));
        Self {
            bits: SplitMix64::from_counter(split_mix_64(counter)),
        }
    }

    /// An independent stream, so that a change in one part of a texture leaves the others alone.
    pub fn split(&mut self) -> Self {
        Self::new(self.bits.next(), 0)
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f32 {
        // 24 bits are all that an f32 below one holds.
        (self.bits.next() >> 40) as f32 / (1 << 24) as f32
    }

    /// Uniform between two bounds.
    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Between two positive bounds, uniform in the logarithm.
    pub fn log_uniform(&mut self, low: f32, high: f32) -> f32 {
        low * (high / low).powf(self.unit())
    }

    /// Exponentially distributed with the given mean: the pause to the next event of a Poisson
    /// process.
    pub fn exponential(&mut self, mean: f32) -> f32 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// From 1 to `max` with a probability density falling as `x^-exponent` (exponent over 1): a few
    /// large events among many small ones.
    pub fn power_law(&mut self, exponent: f32, max: f32) -> f32 {
        let tail = max.powf(1.0 - exponent);
        (1.0 - self.unit() * (1.0 - tail)).powf(1.0 / (1.0 - exponent))
    }

    /// Nearly Gaussian, of zero mean and unit variance: the sum of four uniform numbers. Much
    /// cheaper than an exact transform, and after a filter nobody can tell.
    pub fn noise(&mut self) -> f32 {
        let bits = self.bits.next();
        let sum: i32 = (0..4)
            .map(|part| i32::from((bits >> (16 * part)) as u16))
            .sum();
        /// Standard deviation of the sum of four uniform 16-bit numbers.
        const DEVIATION: f32 = 65_536.0 * 0.577_350_3;
        (sum - 2 * 65_535) as f32 / DEVIATION
    }
}

/// A slow random curve of zero mean, smooth and roughly within ±1: gusts, flicker, swaying.
#[derive(Debug, Clone)]
pub(super) struct Drift {
    seed: u64,
    period_s: f32,
}

impl Drift {
    /// A curve whose slowest movement takes about `period_s` seconds; it holds two faster octaves
    /// too.
    pub fn new(random: &mut Random, period_s: f32) -> Self {
        Self {
            seed: random.bits.next(),
            period_s,
        }
    }

    /// The curve at a time, which may be negative.
    pub fn at(&self, time_s: f32) -> f32 {
        let position = time_s / self.period_s;
        (0..3)
            .map(|octave| {
                let scale = (1 << octave) as f32;
                self.octave(octave, position * scale) / scale
            })
            .sum::<f32>()
            / 1.25
    }

    /// Smooth interpolation between random numbers at whole positions.
    fn octave(&self, octave: u64, position: f32) -> f32 {
        let knot = position.floor();
        let t = position - knot;
        let value = |knot: i64| 2.0 * Random::new(self.seed ^ octave, knot as u64).unit() - 1.0;
        let blend = t * t * (3.0 - 2.0 * t);
        let (from, to) = (value(knot as i64), value(knot as i64 + 1));
        from + blend * (to - from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_change() {
        assert_eq!(Random::new(7, 3).bits.next(), 0x90BC_697D_2655_1091);
        assert_ne!(
            Random::new(7, 3).split().unit(),
            Random::new(7, 3).unit(),
            "a split stream is another one"
        );
    }

    #[test]
    fn distributions_stay_within_their_bounds() {
        let mut random = Random::new(1, 0);
        for _ in 0..10_000 {
            assert!((0.0..1.0).contains(&random.unit()));
            assert!((-2.0..3.0).contains(&random.uniform(-2.0, 3.0)));
            assert!((0.099..10.01).contains(&random.log_uniform(0.1, 10.0)));
            assert!((0.999..5.01).contains(&random.power_law(2.0, 5.0)));
            assert!(random.exponential(0.5) >= 0.0);
            assert!(random.noise().abs() < 3.5);
        }
        let drift = Drift::new(&mut random, 1.0);
        let steepest = (0..1_000)
            .map(|i| (drift.at(i as f32 * 0.01) - drift.at((i + 1) as f32 * 0.01)).abs())
            .fold(0.0, f32::max);
        assert!(steepest < 0.1, "a jump of {steepest}");
    }
}
