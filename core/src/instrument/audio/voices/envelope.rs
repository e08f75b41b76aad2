//! The envelope of a note, sample by sample.

use crate::instrument::controls::Controls;

/// An envelope is over below this level (−80 dB).
const SILENCE: f32 = 1e-4;
/// A fall by 60 dB is one by this factor.
const SIXTY_DB: f32 = 1000.0;
/// No slope is steeper than this: shorter ones click.
const SHORTEST_S: f32 = 0.001;
/// Seconds in which a choked note falls by 60 dB.
const CHOKE_S: f32 = 0.01;

/// Times and levels of an [`Envelope`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct EnvelopeTimes {
    /// Seconds from zero to full level.
    pub attack_s: f32,
    /// Seconds in which the level falls by 60 dB towards `sustain`.
    pub decay_s: f32,
    /// Level of a held note, 0 to 1.
    pub sustain: f32,
    /// Seconds in which the level falls by 60 dB after the end.
    pub release_s: f32,
}

impl EnvelopeTimes {
    /// The times that `controls` hold.
    pub fn of(controls: &Controls) -> Self {
        Self {
            attack_s: controls.attack_s,
            decay_s: controls.decay_s,
            sustain: controls.sustain,
            release_s: controls.release_s,
        }
    }
}

/// Seconds in which a note is over at most whose release takes `release_s` seconds for 60 dB.
pub(in crate::instrument::audio) fn tail_s(release_s: f32) -> f32 {
    let shortest = if release_s.is_finite() {
        release_s.max(SHORTEST_S)
    } else {
        SHORTEST_S
    };
    shortest * SILENCE.ln() / -SIXTY_DB.ln()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Off,
    Attack,
    Decay,
    Release,
    Choke,
}

/// Rises linearly, falls exponentially to the sustain level, and from there to silence. Starting again
/// goes on from the level that it has.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    stage: Stage,
    level: f32,
    times: Option<EnvelopeTimes>,
    attack_step: f32,
    decay_factor: f32,
    sustain: f32,
    release_factor: f32,
    choke_factor: f32,
}

impl Envelope {
    pub fn new() -> Self {
        Self {
            stage: Stage::Off,
            level: 0.0,
            times: None,
            attack_step: 1.0,
            decay_factor: 0.0,
            sustain: 1.0,
            release_factor: 0.0,
            choke_factor: 0.0,
        }
    }

    /// Takes times at a `sample_rate` in Hz.
    pub fn set_times(&mut self, times: &EnvelopeTimes, sample_rate: f32) {
        if self.times == Some(*times) {
            return;
        }
        self.times = Some(*times);
        let samples = |seconds: f32| {
            let seconds = if seconds.is_finite() {
                seconds
            } else {
                SHORTEST_S
            };
            seconds.max(SHORTEST_S) * sample_rate
        };
        let sixty_db = |seconds: f32| (-SIXTY_DB.ln() / samples(seconds)).exp();
        self.attack_step = 1.0 / samples(times.attack_s);
        self.decay_factor = sixty_db(times.decay_s);
        self.release_factor = sixty_db(times.release_s);
        self.choke_factor = sixty_db(CHOKE_S);
        self.sustain = if times.sustain.is_finite() {
            times.sustain.clamp(0.0, 1.0)
        } else {
            1.0
        };
    }

    /// Forgets its times, which depend on the sample rate, and is silent.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    pub fn start(&mut self) {
        self.stage = Stage::Attack;
    }

    pub fn release(&mut self) {
        if self.is_held() {
            self.stage = Stage::Release;
        }
    }

    pub fn choke(&mut self) {
        if self.stage != Stage::Off {
            self.stage = Stage::Choke;
        }
    }

    pub fn is_held(&self) -> bool {
        matches!(self.stage, Stage::Attack | Stage::Decay)
    }

    pub fn is_off(&self) -> bool {
        self.stage == Stage::Off
    }

    pub fn level(&self) -> f32 {
        self.level
    }

    /// The next sample's level.
    #[inline]
    pub fn next(&mut self) -> f32 {
        match self.stage {
            Stage::Off => {}
            Stage::Attack => {
                self.level += self.attack_step;
                if self.level >= 1.0 {
                    self.level = 1.0;
                    self.stage = Stage::Decay;
                }
            }
            Stage::Decay => {
                self.level = self.sustain + (self.level - self.sustain) * self.decay_factor;
            }
            Stage::Release => self.fall(self.release_factor),
            Stage::Choke => self.fall(self.choke_factor),
        }
        self.level
    }

    fn fall(&mut self, factor: f32) {
        self.level *= factor;
        if self.level < SILENCE {
            self.level = 0.0;
            self.stage = Stage::Off;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: EnvelopeTimes = EnvelopeTimes {
        attack_s: 0.1,
        decay_s: 0.2,
        sustain: 0.5,
        release_s: 0.3,
    };

    fn seconds(envelope: &mut Envelope, seconds: f32) -> f32 {
        (0..(seconds * 1000.0).round() as usize).for_each(|_| {
            envelope.next();
        });
        envelope.level()
    }

    #[test]
    fn stages_take_their_times() {
        let mut envelope = Envelope::new();
        envelope.set_times(&TIMES, 1000.0);
        assert!(envelope.is_off() && envelope.next() == 0.0);
        envelope.start();
        assert!((seconds(&mut envelope, 0.05) - 0.5).abs() < 0.02);
        assert!((seconds(&mut envelope, 0.05) - 1.0).abs() < 0.02);
        assert!((seconds(&mut envelope, 0.3) - 0.5).abs() < 0.002);
        envelope.release();
        assert!((seconds(&mut envelope, 0.3) - 0.0005).abs() < 1e-4);
        seconds(&mut envelope, 0.3);
        assert!(envelope.is_off() && envelope.level() == 0.0);
    }

    #[test]
    fn starting_again_goes_on_from_the_level_that_is_there() {
        let mut envelope = Envelope::new();
        envelope.set_times(&TIMES, 1000.0);
        envelope.start();
        seconds(&mut envelope, 0.5);
        envelope.release();
        let level = seconds(&mut envelope, 0.05);
        envelope.start();
        assert!((envelope.next() - level).abs() < 0.02);
        envelope.choke();
        assert!(seconds(&mut envelope, 0.03) == 0.0 && envelope.is_off());
    }
}
