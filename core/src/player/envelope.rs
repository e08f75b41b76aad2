//! The gate's envelope and the output gain, sample by sample.

/// The envelope is over below this level (−80 dB).
const SILENCE: f32 = 1e-4;
/// No slope is steeper than this: shorter ones click.
const SHORTEST_S: f32 = 0.001;
/// Seconds in which velocity and gain follow by 63 %.
const SMOOTHING_S: f64 = 0.01;

/// Rises linearly while the gate is open, falls exponentially when it closes.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    sample_rate: f32,
    level: f32,
    velocity: f32,
    smoothing: f32,
    times: (f32, f32),
    attack_step: f32,
    release_factor: f32,
}

impl Default for Envelope {
    fn default() -> Self {
        let mut envelope = Self {
            sample_rate: 48_000.0,
            level: 0.0,
            velocity: 1.0,
            smoothing: 1.0,
            times: (-1.0, -1.0),
            attack_step: 1.0,
            release_factor: 0.0,
        };
        envelope.set_sample_rate(48_000.0);
        envelope
    }
}

fn one_pole(sample_rate: f64) -> f32 {
    (1.0 - (-1.0 / (SMOOTHING_S * sample_rate)).exp()) as f32
}

fn sane(seconds: f32) -> f32 {
    if seconds.is_finite() {
        seconds.max(SHORTEST_S)
    } else {
        SHORTEST_S
    }
}

impl Envelope {
    pub fn set_sample_rate(&mut self, sample_rate: f64) {
        self.sample_rate = sample_rate as f32;
        self.smoothing = one_pole(sample_rate);
        self.times = (-1.0, -1.0);
    }

    /// Seconds from zero to full level, and for 60 dB of fall.
    pub fn set_times(&mut self, attack_s: f32, release_s: f32) {
        if self.times != (attack_s, release_s) {
            self.times = (attack_s, release_s);
            self.attack_step = 1.0 / (sane(attack_s) * self.sample_rate);
            let sixty_db = -(1000.0f32).ln();
            self.release_factor = (sixty_db / (sane(release_s) * self.sample_rate)).exp();
        }
    }

    pub fn reset(&mut self) {
        self.level = 0.0;
    }

    pub fn is_silent(&self) -> bool {
        self.level == 0.0
    }

    /// The next sample's level.
    #[inline]
    pub fn next(&mut self, open: bool, velocity: f32) -> f32 {
        if self.level == 0.0 {
            self.velocity = velocity;
        } else if open {
            self.velocity += (velocity - self.velocity) * self.smoothing;
        }
        if open {
            self.level = (self.level + self.attack_step).min(1.0);
        } else {
            self.level *= self.release_factor;
            if self.level < SILENCE {
                self.level = 0.0;
            }
        }
        self.level * self.velocity
    }
}

/// A gain in dB that follows its target without steps.
#[derive(Clone, Debug)]
pub(super) struct SmoothGain {
    target_db: f32,
    target: f32,
    value: Option<f32>,
    smoothing: f32,
}

impl Default for SmoothGain {
    fn default() -> Self {
        Self {
            target_db: 0.0,
            target: 1.0,
            value: None,
            smoothing: one_pole(48_000.0),
        }
    }
}

impl SmoothGain {
    pub fn set_sample_rate(&mut self, sample_rate: f64) {
        self.smoothing = one_pole(sample_rate);
    }

    /// The next value is the target.
    pub fn reset(&mut self) {
        self.value = None;
    }

    pub fn set_target(&mut self, gain_db: f32) {
        if self.target_db != gain_db && gain_db.is_finite() {
            self.target_db = gain_db;
            self.target = 10.0f32.powf(gain_db / 20.0);
        }
    }

    /// The next sample's factor.
    #[inline]
    pub fn next(&mut self) -> f32 {
        let value = self.value.unwrap_or(self.target);
        let next = value + (self.target - value) * self.smoothing;
        self.value = Some(next);
        next
    }
}
