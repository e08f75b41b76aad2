//! A fast sequential generator for what needs no address: filters, lags, initial weights.

use super::hash::{GOLDEN_64, split_mix_64};

/// Random bits, 64 at a time: SplitMix64 (Steele, Lea & Flood 2014), a mixed counter. Every use seeds it in its
/// own way.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix64 {
    counter: u64,
}

impl SplitMix64 {
    /// Counts on from `counter`.
    pub const fn from_counter(counter: u64) -> Self {
        Self { counter }
    }

    /// The next 64 bits.
    #[inline]
    pub fn next(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(GOLDEN_64);
        split_mix_64(self.counter)
    }
}

/// What a fit and a score draw: the numbers of one seed and index, one after the other.
#[derive(Clone, Debug)]
pub struct Sequence {
    bits: SplitMix64,
}

impl Sequence {
    /// Independent for different pairs of `seed` and `index`.
    pub fn new(seed: u64, index: u64) -> Self {
        /// Any odd constant that spreads consecutive indices.
        const INDEX_STEP: u64 = 0xD6E8_FEB8_6659_FD93;
        let first = SplitMix64::from_counter(seed).next() ^ index.wrapping_mul(INDEX_STEP);
        Self {
            bits: SplitMix64::from_counter(SplitMix64::from_counter(first).next()),
        }
    }

    /// Where it is. What comes next is a mix of this number and the golden ratio's bits, and so on: who knows it can
    /// draw any number to come.
    pub fn counter(&self) -> u64 {
        self.bits.counter
    }

    /// 64 random bits.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u64 {
        self.bits.next()
    }

    /// Uniform in (0, 1).
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// An integer below `bound`.
    #[inline]
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// Standard normal, by Box & Muller.
    pub fn gaussian(&mut self) -> f32 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        (radius * (std::f64::consts::TAU * self.uniform()).cos()) as f32
    }

    /// Zero mean, unit variance, nearly normal and never zero: the sum of four uniform numbers (Irwin & Hall),
    /// which is all that a random projection needs, at a tenth of the cost.
    #[inline]
    pub fn nearly_gaussian(&mut self) -> f32 {
        let z = self.next();
        let sum = (z & 0xFFFF) + (z >> 16 & 0xFFFF) + (z >> 32 & 0xFFFF) + (z >> 48);
        // Each part has mean 32767.5 and variance 2^32 / 12. The sum is whole: half a unit more keeps it
        // off zero, which a filter of one such number could not be normalised with.
        const SCALE: f32 = 1.732_050_8 / 65536.0;
        (sum as f32 - 131_069.5) * SCALE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_change() {
        // The first numbers of the published generator from 0.
        let mut bits = SplitMix64::from_counter(0);
        assert_eq!(bits.next(), 0xE220_A839_7B1D_CDAF);
        assert_eq!(bits.next(), 0x6E78_9E6A_A1B9_65F4);
        let mut sequence = Sequence::new(1, 2);
        assert_eq!(
            [sequence.next(), sequence.next()],
            [0xDD98_1560_6D20_CB28, 0x9C48_CC91_6CB8_6CF4]
        );
        assert_ne!(Sequence::new(1, 3).next(), Sequence::new(1, 2).next());
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut sequence = Sequence::new(5, 0);
        let mut moments = |draw: &mut dyn FnMut(&mut Sequence) -> f64| {
            let n = 1 << 16;
            let (mut sum, mut square) = (0.0, 0.0);
            for _ in 0..n {
                let x = draw(&mut sequence);
                sum += x;
                square += x * x;
            }
            let mean = sum / f64::from(n);
            (mean, square / f64::from(n) - mean * mean)
        };
        for (name, (mean, variance), expected) in [
            ("uniform", moments(&mut |s| s.uniform()), (0.5, 1.0 / 12.0)),
            (
                "gaussian",
                moments(&mut |s| f64::from(s.gaussian())),
                (0.0, 1.0),
            ),
            (
                "nearly gaussian",
                moments(&mut |s| f64::from(s.nearly_gaussian())),
                (0.0, 1.0),
            ),
            (
                "below 9",
                moments(&mut |s| s.below(9) as f64),
                (4.0, 80.0 / 12.0),
            ),
        ] {
            assert!((mean - expected.0).abs() < 0.05, "{name}: mean {mean}");
            assert!(
                (variance / expected.1 - 1.0).abs() < 0.02,
                "{name}: variance {variance}"
            );
        }
    }
}
