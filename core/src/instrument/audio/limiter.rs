//! The safety at the output: loud passages are turned down before they reach full scale.

use super::glide::follow;

/// Below this level nothing is changed.
const KNEE: f32 = 0.85;
/// Seconds in which the gain goes down and comes back by 63 %.
const ATTACK_S: f64 = 0.000_5;
const RELEASE_S: f64 = 0.15;

/// Turns both channels down together where one is loud; what is faster than that is bent softly. The
/// output is always below full scale.
#[derive(Clone, Debug)]
pub(super) struct Limiter {
    /// Follows the louder channel.
    level: f32,
    attack: f32,
    release: f32,
}

impl Limiter {
    pub fn new(sample_rate: f64) -> Self {
        Self {
            level: 0.0,
            attack: follow(ATTACK_S, 1.0, sample_rate),
            release: follow(RELEASE_S, 1.0, sample_rate),
        }
    }

    pub fn reset(&mut self) {
        self.level = 0.0;
    }

    pub fn process(&mut self, left: &mut [f32], right: &mut [f32]) {
        for (l, r) in left.iter_mut().zip(right) {
            if !(l.is_finite() && r.is_finite()) {
                // Nothing here makes such a thing; a loudspeaker must not be the one to find out.
                (*l, *r) = (0.0, 0.0);
            }
            let loud = l.abs().max(r.abs());
            let step = if loud > self.level {
                self.attack
            } else {
                self.release
            };
            self.level += (loud - self.level) * step;
            if self.level > KNEE {
                let gain = bent(self.level) / self.level;
                *l *= gain;
                *r *= gain;
            }
            for x in [l, r] {
                if x.abs() > KNEE {
                    *x = bent(x.abs()).copysign(*x);
                }
            }
        }
    }
}

/// Rises with slope 1 at the knee and never reaches 1.
fn bent(level: f32) -> f32 {
    const ROOM: f32 = 1.0 - KNEE;
    if level <= KNEE {
        level
    } else {
        KNEE + ROOM * (1.0 - (-(level - KNEE) / ROOM).exp()) * 0.999
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_sound_passes_unchanged_and_loud_sound_stays_below_full_scale() {
        let mut limiter = Limiter::new(48_000.0);
        let signal =
            |gain: f32| -> Vec<f32> { (0..4800).map(|i| gain * (i as f32 * 0.05).sin()).collect() };
        let (quiet, loud) = (signal(0.84), signal(20.0));
        let (mut left, mut right) = (quiet.clone(), quiet.clone());
        limiter.process(&mut left, &mut right);
        assert_eq!(left, quiet);
        let (mut left, mut right) = (loud.clone(), quiet);
        limiter.process(&mut left, &mut right);
        assert!(left.iter().chain(&right).all(|x| x.abs() < 1.0));
        // The quieter channel was turned down with the louder one.
        assert!(right[2400..].iter().all(|x| x.abs() < 0.1));
    }
}
