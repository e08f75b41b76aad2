//! Magnitudes to sound: the Griffin-Lim family, offline and streaming.
//!
//! [`StreamingInverter`] is the real-time path: it takes one frame of magnitudes for each hop and
//! returns one hop of sound. The start phase of a new frame is integrated from the gradients of the
//! magnitudes (RTPGHI); then the newest frames are refined together by Griffin-Lim iterations before
//! the oldest of them is committed (look-ahead, RTISI-LA). Mid and side are refined as one, with the
//! phase between them that the pan index prescribes.
//!
//! [`griffin_lim`] is the offline reference and [`spectral_convergence_db`] the figure of merit.

mod offline;
mod phase_gradient;
mod stereo;
mod streaming;

pub use offline::{griffin_lim, spectral_convergence_db};
#[cfg(all(test, feature = "parity"))]
pub(crate) use stereo::feasible;
pub use streaming::{InversionSettings, StreamingInverter, TargetFrame};

pub use crate::spectrum::pan_index;

use crate::spectrum::{Complex32, SpectrumError};
use thiserror::Error;

/// Frames that are inverted before the first one that is heard: the phases settle.
pub(crate) const PRIMING_FRAMES: i64 = 8;

/// Why magnitudes can't be inverted.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum InversionError {
    /// Frames that cannot be overlap-added.
    #[error(transparent)]
    Frames(#[from] SpectrumError),
    /// Look-ahead beyond the overlap.
    #[error(
        "a look-ahead of {lookahead_frames} frames is out of range: choose 1 to {most} (frames further \
         ahead would not overlap the one that is committed)"
    )]
    Lookahead {
        /// The look-ahead asked for, in frames.
        lookahead_frames: usize,
        /// The longest look-ahead for these frame sizes.
        most: usize,
    },
    /// More iterations than a hop can hold.
    #[error("{iterations} iterations a hop are too many: choose at most {most}")]
    Iterations {
        /// The iterations asked for.
        iterations: usize,
        /// The bound.
        most: usize,
    },
    /// Momentum outside its range.
    #[error("a momentum of {momentum} is out of range: choose 0 (plain Griffin-Lim) to 1")]
    Momentum {
        /// The momentum asked for.
        momentum: f32,
    },
    /// A spectrogram whose size is no multiple of the bins of a frame.
    #[error(
        "{values} magnitudes are no whole number of frames of {bins} bins: pass frame_count × bins values"
    )]
    Shape {
        /// Values passed.
        values: usize,
        /// Bins of one frame.
        bins: usize,
    },
}

/// Magnitudes above this (a full-scale sine in a frame of 2^15 samples has 2^13) are limited to it, so
/// that squares of their products stay finite.
const MAX_MAGNITUDE: f32 = 1e7;
/// Magnitudes below this (more than 180 dB under a quiet recording's noise) are silence.
const MIN_MAGNITUDE: f32 = 1e-10;

/// A magnitude that every later step can trust: finite, not negative, within the limits above.
#[inline(always)]
fn sanitised(magnitude: f32) -> f32 {
    // NaN is in no range; infinity is a broken value as well, not a loud one.
    if (MIN_MAGNITUDE..f32::INFINITY).contains(&magnitude) {
        magnitude.min(MAX_MAGNITUDE)
    } else {
        0.0
    }
}

/// `z / |z|`, or `fallback` (a unit) where `z` has no direction.
#[inline(always)]
fn unit_or(z: Complex32, fallback: Complex32) -> Complex32 {
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
fn cis_turns(turns: f32) -> Complex32 {
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

/// Key of the random phases of one frame of one stream (finaliser of SplitMix64, Steele et al. 2014).
#[inline]
fn random_units_key(frame: i64, stream: u64) -> u32 {
    let mut z = (frame as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(stream)
        .wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 32) as u32
}

/// A unit of random phase, always the same for the same key and bin. 32 bits wide, so that it is
/// vectorised (finaliser of MurmurHash3, Appleby 2011).
#[inline(always)]
fn unit_of_hash(key: u32, bin: u32) -> Complex32 {
    let mut z = key ^ bin.wrapping_mul(0x9E37_79B9);
    z = (z ^ (z >> 16)).wrapping_mul(0x85EB_CA6B);
    z = (z ^ (z >> 13)).wrapping_mul(0xC2B2_AE35);
    z ^= z >> 16;
    // 24 bits: exact in an f32, and positive as a signed integer, which converts faster.
    cis_turns((z >> 8) as i32 as f32 / (1u32 << 24) as f32)
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
    fn sanitised_magnitudes_are_finite_and_not_negative() {
        for bad in [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            -1.0,
            1e-30,
            -0.0,
        ] {
            assert_eq!(sanitised(bad), 0.0, "{bad}");
        }
        assert_eq!(sanitised(2.5), 2.5);
        assert_eq!(sanitised(1e30), MAX_MAGNITUDE);
    }

    #[test]
    fn random_units_are_spread_over_the_circle_and_repeatable() {
        let unit = |frame, bin, stream| unit_of_hash(random_units_key(frame, stream), bin);
        let mean = (0..4096).map(|bin| unit(17, bin, 0)).sum::<Complex32>() / 4096.0;
        assert!(mean.norm() < 0.05, "{mean}");
        assert_eq!(unit(-3, 5, 1), unit(-3, 5, 1));
        assert_ne!(unit(-3, 5, 1), unit(-3, 5, 0));
    }
}
