//! Random numbers addressed by (seed, stream, frame, channel): any stretch of an endless texture can
//! be computed alone, and is the same every time.

use crate::numeric::fast_math::{cos_turns, ln};
use crate::numeric::simd::dispatch;

/// Streams of random numbers of one seed. Scales, periods and channels are added to the base.
pub(crate) mod stream {
    pub const NOISE: u32 = 0;
    pub const SPIKE: u32 = 16;
    pub const SPIKE_SIZE: u32 = 32;
    pub const PHASE: u32 = 48;
    pub const JITTER: u32 = 49;
    pub const CARRIER: u32 = 64;
}

/// A bijective hash of 32 bits with low bias (Wellons' `lowbias32` constants).
const fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

/// The random numbers of one seed and stream.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    key: u32,
}

/// The random numbers of one frame of a [`Noise`].
#[derive(Clone, Copy, Debug)]
pub struct FrameNoise {
    key: u32,
}

impl Noise {
    /// The numbers of `seed` and `stream`.
    pub fn new(seed: u32, stream: u32) -> Self {
        Self {
            key: mix(mix(seed) ^ stream),
        }
    }

    /// Standard normal numbers of the absolute frames (or samples) from `start` on, channel 0.
    pub fn gaussians_into(self, start: i64, out: &mut [f32]) {
        dispatch(
            #[inline(always)]
            || {
                for (x, i) in out.iter_mut().zip(0i64..) {
                    *x = self.frame(start.wrapping_add(i)).gaussian(0);
                }
            },
        );
    }

    /// The numbers of one absolute frame (or sample), which may be negative.
    #[inline]
    pub fn frame(self, index: i64) -> FrameNoise {
        let (low, high) = (index as u32, (index >> 32) as u32);
        FrameNoise {
            key: mix(mix(self.key ^ low).wrapping_add(high)),
        }
    }
}

impl FrameNoise {
    /// 32 random bits for a channel.
    #[inline]
    pub fn bits(self, channel: u32) -> u32 {
        // The golden ratio spreads consecutive channels over all bits.
        mix(self.key ^ channel.wrapping_mul(0x9E37_79B9))
    }

    /// Uniform in (0, 1), 24 bits.
    #[inline]
    pub fn uniform(self, channel: u32) -> f64 {
        unit(self.bits(channel))
    }

    /// Standard normal, by Box & Muller.
    #[inline]
    pub fn gaussian(self, channel: u32) -> f32 {
        gaussian(self.bits(channel))
    }

    /// [`gaussian`](Self::gaussian) of channels 0, 1, 2...
    pub fn gaussians_into(self, out: &mut [f32]) {
        dispatch(
            #[inline(always)]
            || {
                for (x, c) in out.iter_mut().zip(0..) {
                    *x = self.gaussian(c);
                }
            },
        );
    }
}

/// Box & Muller (1958) from one hash and its hash. Nothing but arithmetic, so that loops over it
/// vectorise.
#[inline(always)]
fn gaussian(bits: u32) -> f32 {
    const SCALE: f32 = 1.0 / (1 << 24) as f32;
    let unit = |bits: u32| ((bits >> 8) as f32 + 0.5) * SCALE;
    let radius = (-2.0 * ln(unit(bits))).max(0.0).sqrt();
    radius * cos_turns(unit(mix(bits ^ 0xA511_E9B3)))
}

#[inline]
fn unit(bits: u32) -> f64 {
    (f64::from(bits >> 8) + 0.5) / f64::from(1 << 24)
}

/// A fast sequential generator for what needs no address (SplitMix64): filters, lags, initial weights.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    state: u64,
}

impl Sequence {
    /// Independent for different pairs of `seed` and `index`.
    pub fn new(seed: u64, index: u64) -> Self {
        let mut s = Self { state: seed };
        s.state = s.next() ^ index.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        s.state = s.next();
        s
    }

    #[inline]
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
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
