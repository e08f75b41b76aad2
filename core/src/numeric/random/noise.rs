//! Random numbers addressed by (seed, stream, frame, channel).

use super::hash::{GOLDEN_32, lowbias32};
use crate::numeric::fast_math::{cos_turns, ln};
use crate::numeric::simd::dispatch;

/// The random numbers of one seed and stream: any stretch of an endless texture can be computed alone, and is
/// the same every time.
///
/// ```
/// use weft_core::numeric::random::Noise;
///
/// let noise = Noise::new(7, 0);
/// let mut stretch = [0.0; 6];
/// noise.gaussians_into(-4, &mut stretch);
/// // The same numbers one by one, in any order, frames before 0 as well.
/// assert_eq!(noise.frame(1).gaussian(0), stretch[5]);
/// assert_eq!(noise.frame(-3).gaussian(0), stretch[1]);
/// // A frame has numbers for any channel; another stream of the seed has others.
/// assert_ne!(noise.frame(1).bits(0), noise.frame(1).bits(1));
/// assert_ne!(noise.frame(1).bits(0), Noise::new(7, 1).frame(1).bits(0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    key: u32,
}

/// The random numbers of one frame of a [`Noise`], one for each channel.
#[derive(Clone, Copy, Debug)]
pub struct FrameNoise {
    key: u32,
}

impl Noise {
    /// The numbers of `seed` and `stream`. Streams of one seed have nothing to do with each other.
    pub fn new(seed: u32, stream: u32) -> Self {
        Self {
            key: lowbias32(lowbias32(seed) ^ stream),
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
            key: lowbias32(lowbias32(self.key ^ low).wrapping_add(high)),
        }
    }
}

impl FrameNoise {
    /// 32 random bits for a channel.
    #[inline]
    pub fn bits(self, channel: u32) -> u32 {
        lowbias32(self.key ^ channel.wrapping_mul(GOLDEN_32))
    }

    /// Uniform in (0, 1), 24 bits.
    #[inline]
    pub fn uniform(self, channel: u32) -> f64 {
        (f64::from(self.bits(channel) >> 8) + 0.5) / f64::from(1 << 24)
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

/// Standard normal, by Box & Muller (1958) from one hash and its hash. Nothing but arithmetic, so that loops
/// over it vectorise.
#[inline(always)]
fn gaussian(bits: u32) -> f32 {
    /// Any constant that makes another number of the same bits.
    const SECOND: u32 = 0xA511_E9B3;
    const SCALE: f32 = 1.0 / (1 << 24) as f32;
    let unit = |bits: u32| ((bits >> 8) as f32 + 0.5) * SCALE;
    let radius = (-2.0 * ln(unit(bits))).max(0.0).sqrt();
    radius * cos_turns(unit(lowbias32(bits ^ SECOND)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaussians_are_standard_normal_and_never_change() {
        let mut x = vec![0.0f32; 1 << 16];
        Noise::new(3, 1).gaussians_into(-1_000, &mut x);
        let n = x.len() as f64;
        let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let power = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n;
        assert!(
            mean.abs() < 0.02 && (power - 1.0).abs() < 0.02,
            "{mean} {power}"
        );
        assert_eq!(Noise::new(1, 2).frame(-3).bits(4), 0xC5B1_F788);
    }

    #[test]
    fn any_stretch_and_any_channels_are_the_numbers_one_by_one() {
        let noise = Noise::new(5, 64);
        // Across the boundary of 32 bits, where the upper half of the index changes.
        let start = (1i64 << 32) - 20;
        let mut stretch = [0.0; 40];
        noise.gaussians_into(start, &mut stretch);
        for (i, x) in stretch.into_iter().enumerate() {
            assert_eq!(x, noise.frame(start + i as i64).gaussian(0));
        }
        let mut channels = [0.0; 7];
        noise.frame(9).gaussians_into(&mut channels);
        for (c, x) in (0..).zip(channels) {
            assert_eq!(x, noise.frame(9).gaussian(c));
            assert!((0.0..1.0).contains(&noise.frame(9).uniform(c)));
        }
    }
}
