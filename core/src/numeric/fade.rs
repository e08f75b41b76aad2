//! The laws of cross-fades, by name. Which one is right depends on what the two sounds have to do with each
//! other:
//!
//! - *Uncorrelated* (two stretches of a texture, the same frames with other phases): their powers add up, so
//!   the squares of both gains must add up to one: [`SineFade`] and [`square_root_gains`]. A linear fade would
//!   sag by 3 dB in the middle.
//! - *Correlated* (the same sound made twice, as by a network and by a better one): their samples add up, so
//!   the gains themselves must add up to one: [`linear`]. Equal power would swell by 3 dB in the middle.
//!
//! Everything here is real-time safe.

/// Equal power along a quarter of a sine, for a fade of known length: for uncorrelated sounds. Smooth at both
/// ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SineFade {
    /// Radians for each sample.
    turn: f32,
}

impl SineFade {
    /// A fade over `samples` samples.
    pub fn over(samples: usize) -> Self {
        Self {
            turn: 0.5 * std::f32::consts::PI / samples as f32,
        }
    }

    /// Gains of what comes in and of what goes out at sample `i`, whose middle counts: neither gain reaches 0
    /// or 1.
    #[inline]
    pub fn gains(self, i: usize) -> (f32, f32) {
        (self.turn * (i as f32 + 0.5)).sin_cos()
    }
}

/// Gains of what comes in and of what goes out, where `remaining` (1 to 0) of the fade is still to come: equal
/// power by square roots, for uncorrelated sounds. Cheaper than [`SineFade`], and needs no start; the sound that
/// comes in starts steeply.
#[inline]
pub(crate) fn square_root_gains(remaining: f32) -> (f32, f32) {
    ((1.0 - remaining).sqrt(), remaining.sqrt())
}

/// What comes in and what goes out, mixed where `remaining` (1 to 0) of the fade is still to come: a straight
/// line, for correlated sounds and for levels.
#[inline]
pub(crate) fn linear(incoming: f32, outgoing: f32, remaining: f32) -> f32 {
    incoming + (outgoing - incoming) * remaining
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_power_keeps_the_sum_of_squares() {
        let fade = SineFade::over(64);
        for i in 0..64 {
            for (new, old) in [fade.gains(i), square_root_gains(i as f32 / 64.0)] {
                assert!(
                    (new * new + old * old - 1.0).abs() < 1e-6,
                    "{i}: {new} {old}"
                );
            }
        }
        let (first, last) = (fade.gains(0), fade.gains(63));
        assert!(first.0 < 0.02 && first.1 > 0.99 && last.0 > 0.99 && last.1 < 0.02);
        assert_eq!(square_root_gains(1.0), (0.0, 1.0));
        assert_eq!(square_root_gains(0.0), (1.0, 0.0));
    }

    #[test]
    fn a_line_leaves_equal_values_alone() {
        assert_eq!(linear(0.3, 0.3, 0.7), 0.3);
        assert_eq!([linear(2.0, 1.0, 1.0), linear(2.0, 1.0, 0.0)], [1.0, 2.0]);
    }
}
