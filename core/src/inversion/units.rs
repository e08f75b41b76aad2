//! Phases as units: complex numbers of modulus one.

use crate::numeric::random::hash::{GOLDEN_32, GOLDEN_64, murmur3, split_mix_64};
use crate::spectrum::Complex32;

/// The unit of phase 0.
pub(super) const ONE: Complex32 = Complex32 { re: 1.0, im: 0.0 };

/// `z / |z|`, or `fallback` (a unit) where `z` has no direction.
#[inline(always)]
pub(super) fn unit_or(z: Complex32, fallback: Complex32) -> Complex32 {
    const LEAST_POWER: f32 = 1e-36;
    let power = z.re * z.re + z.im * z.im;
    let known = power > LEAST_POWER;
    let scale = 1.0 / if known { power } else { 1.0 }.sqrt();
    Complex32 {
        re: if known { z.re * scale } else { fallback.re },
        im: if known { z.im * scale } else { fallback.im },
    }
}

/// `exp(2πi·turns)` to about 1e-7, without branches: at most an eighth of a turn goes into short
/// Taylor polynomials, the quadrant is put back by exchanging parts and signs.
#[inline(always)]
pub(super) fn cis_turns(turns: f32) -> Complex32 {
    // Adding 1.5·2^23 leaves the nearest integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = turns * 4.0 + ROUND;
    let quadrant = shifted - ROUND;
    let x = (turns - quadrant * 0.25) * std::f32::consts::TAU;
    let x2 = x * x;
    let sin = x * (1.0 + x2 * (-1.0 / 6.0 + x2 * (1.0 / 120.0 - x2 * (1.0 / 5040.0))));
    let cos = 1.0 + x2 * (-0.5 + x2 * (1.0 / 24.0 + x2 * (-1.0 / 720.0 + x2 * (1.0 / 40320.0))));
    let bits = shifted.to_bits();
    let odd = bits & 1 != 0;
    let (re, im) = (if odd { sin } else { cos }, if odd { cos } else { sin });
    // In quadrants 1 and 2 the real part is negative, in 2 and 3 the imaginary one.
    Complex32 {
        re: f32::from_bits(re.to_bits() ^ ((bits.wrapping_add(1) & 2) << 30)),
        im: f32::from_bits(im.to_bits() ^ ((bits & 2) << 30)),
    }
}

/// Units of random phase of one frame of one stream, one for each bin: always the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct RandomUnits {
    key: u32,
}

impl RandomUnits {
    /// The units of the absolute frame `frame`.
    #[inline]
    pub fn of_frame(frame: i64, stream: u64) -> Self {
        let counter = (frame as u64)
            .wrapping_mul(GOLDEN_64)
            .wrapping_add(stream)
            .wrapping_add(GOLDEN_64);
        Self {
            key: (split_mix_64(counter) >> 32) as u32,
        }
    }

    /// The unit of one bin. From a hash of 32 bits, so that loops over bins vectorise.
    #[inline(always)]
    pub fn at(self, bin: u32) -> Complex32 {
        let hash = murmur3(self.key ^ bin.wrapping_mul(GOLDEN_32));
        // 24 bits: exact in an f32, and positive as a signed integer, which converts faster.
        cis_turns((hash >> 8) as i32 as f32 / (1u32 << 24) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cis_of_turns_is_the_complex_exponential() {
        for i in -4000..4000 {
            let turns = i as f32 * 0.003_7;
            let angle = f64::from(turns) * std::f64::consts::TAU;
            let z = cis_turns(turns);
            assert!((f64::from(z.re) - angle.cos()).abs() < 3e-6, "{turns}: {z}");
            assert!((f64::from(z.im) - angle.sin()).abs() < 3e-6, "{turns}: {z}");
        }
    }

    #[test]
    fn random_units_are_spread_over_the_circle_and_repeatable() {
        let unit = |frame, bin, stream| RandomUnits::of_frame(frame, stream).at(bin);
        let mean = (0..4096).map(|bin| unit(17, bin, 0)).sum::<Complex32>() / 4096.0;
        assert!(mean.norm() < 0.05, "{mean}");
        assert_eq!(unit(-3, 5, 1), unit(-3, 5, 1));
        assert_ne!(unit(-3, 5, 1), unit(-3, 5, 0));
    }
}
