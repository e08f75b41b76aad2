//! Surf.

use super::filter::{PinkNoise, StateVariable};
use super::random::{Drift, Random};
use super::stage::Stage;

/// Mean time from wave to wave, in seconds.
const WAVE_PERIOD_S: f32 = 3.6;

/// Longest time that a wave is heard, in seconds.
const MAX_WAVE_S: f32 = 10.0;

/// Frames between updates of the moving filters.
const CONTROL_FRAMES: usize = 32;

/// Bubbles a second that burst in the foam of a spent wave at its densest.
const FIZZ_HZ: f32 = 500.0;

/// A wave on its way up the beach.
struct Wave {
    start_s: f32,
    /// Swelling before it breaks, and running out after, in seconds.
    swell_s: f32,
    wash_s: f32,
    gain: f32,
    /// Where it breaks and how far the break runs along the beach: -1 left to 1 right.
    azimuth: f32,
    run: f32,
}

impl Wave {
    /// Loudness (0 to 1), brightness (0 to 1), foam (0 to 1) and azimuth at a time.
    fn at(&self, time_s: f32) -> Option<[f32; 4]> {
        let since_break_s = time_s - self.start_s - self.swell_s;
        let azimuth = self.azimuth + self.run * since_break_s / self.swell_s;
        if time_s < self.start_s || since_break_s > self.wash_s {
            return None;
        }
        if since_break_s < 0.0 {
            let rise = 1.0 + since_break_s / self.swell_s;
            return Some([rise.powi(3), 0.15 + 0.85 * rise.powi(6), 0.0, azimuth]);
        }
        let fall = 1.0 - since_break_s / self.wash_s;
        let foam = fall.powi(2) * (since_break_s / 0.5).min(1.0);
        Some([fall.powf(2.5), 0.35 + 0.65 * fall.powi(4), foam, azimuth])
    }
}

/// Waves over the roar of the whole coast. Each side has noise of its own, because a breaker is
/// wide.
pub(super) fn play(stage: &mut Stage, random: &mut Random) {
    let waves = waves(stage, &mut random.split());
    let rate = stage.sample_rate;
    let roar = Drift::new(random, 3.0);
    let mut fizz = random.split();
    let mut sides = [(); 2].map(|()| {
        (
            PinkNoise::new(random.split(), rate, 90.0),
            StateVariable::new(rate, 500.0, 0.6),
            PinkNoise::new(random.split(), rate, 250.0),
            StateVariable::new(rate, 2_000.0, 0.6),
            random.split(),
            StateVariable::new(rate, 3_000.0, 0.6),
        )
    });
    let mut body = [0.0; 2];
    let mut foam = [0.0; 2];
    let mut cutoff_hz = 0.0;
    for frame in 0..stage.frames() {
        let time_s = stage.time_s(frame);
        if frame % CONTROL_FRAMES == 0 {
            body = [0.0; 2];
            foam = [0.0; 2];
            let mut bright = 0.0_f32;
            for wave in &waves {
                if let Some([level, brightness, bubbles, azimuth]) = wave.at(time_s) {
                    for (side, sign) in [-1.0, 1.0].into_iter().enumerate() {
                        let gain = wave.gain * (1.0 + 0.6 * sign * azimuth.clamp(-1.0, 1.0));
                        body[side] += gain * level;
                        foam[side] += gain * bubbles;
                    }
                    bright = bright.max(brightness * level.sqrt());
                }
            }
            cutoff_hz = 350.0 * 40.0_f32.powf(bright);
        }
        let distant = 0.12 * (1.0 + 0.3 * roar.at(time_s));
        for (side, (far, lowpass, near, breaker, air, hiss)) in sides.iter_mut().enumerate() {
            if frame % CONTROL_FRAMES == 0 {
                breaker.set_frequency(cutoff_hz);
            }
            // Bubbles that burst make the foam's noise crackle.
            let bursts = fizz.unit() < FIZZ_HZ * foam[side] / rate;
            let crackle = if bursts { 9.0 * fizz.unit() } else { 0.0 };
            let sum = distant * lowpass.low(far.next())
                + body[side] * breaker.low(near.next())
                + foam[side] * hiss.high(0.06 * air.noise() + 0.12 * crackle * air.noise());
            // The air itself keeps the top of the band from falling silent between waves.
            stage.channels_mut()[side][frame] += sum + 0.003 * air.noise();
        }
    }
}

fn waves(stage: &Stage, random: &mut Random) -> Vec<Wave> {
    let mut waves = Vec::new();
    let mut start_s = -MAX_WAVE_S - WAVE_PERIOD_S * random.unit();
    while start_s < stage.duration_s {
        waves.push(Wave {
            start_s,
            swell_s: random.uniform(1.4, 2.6),
            wash_s: random.uniform(3.5, MAX_WAVE_S - 2.6),
            gain: random.log_uniform(0.55, 1.0),
            azimuth: random.uniform(-0.6, 0.6),
            run: random.uniform(-0.4, 0.4),
        });
        start_s += WAVE_PERIOD_S * random.uniform(0.6, 1.4);
    }
    waves
}
