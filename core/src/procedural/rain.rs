//! Rain.

use std::f32::consts::TAU;

use super::filter::{PinkNoise, StateVariable};
use super::random::{Drift, Random};
use super::stage::{Mode, Stage, add_burst, silence};

/// Far drops a second, too many to tell apart: they make the hiss crackle.
const SPATTER_HZ: f32 = 2_400.0;

/// Drops into puddles a second: each traps a bubble that rings.
const BUBBLES_HZ: f32 = 110.0;

/// Heavy near drops a second, on leaves and wood.
const IMPACTS_HZ: f32 = 14.0;

/// Drops of three kinds over the hiss of those too far to hear one by one.
pub(super) fn play(stage: &mut Stage, random: &mut Random) {
    hiss(stage, &mut random.split());
    spatter(stage, &mut random.split());
    bubbles(stage, &mut random.split());
    impacts(stage, &mut random.split());
}

fn hiss(stage: &mut Stage, random: &mut Random) {
    let rate = stage.sample_rate;
    let shower = Drift::new(random, 3.0);
    let mut common = PinkNoise::new(random.split(), rate, 900.0);
    let mut sides = [(); 2].map(|()| {
        (
            PinkNoise::new(random.split(), rate, 900.0),
            StateVariable::new(rate, 180.0, 0.6),
        )
    });
    for frame in 0..stage.frames() {
        let level = 0.2 * (1.0 + 0.2 * shower.at(stage.time_s(frame)));
        let middle = common.next();
        for ((noise, highpass), output) in sides.iter_mut().zip(stage.channels_mut()) {
            output[frame] += level * highpass.high(0.5 * middle + noise.next());
        }
    }
}

fn spatter(stage: &mut Stage, random: &mut Random) {
    let rate = stage.sample_rate;
    for start_s in stage.poisson(random, SPATTER_HZ, 0.02) {
        let decay_s = random.log_uniform(0.000_3, 0.002);
        let mut sound = silence(rate, 5.0 * decay_s);
        Mode {
            frequency_hz: random.log_uniform(1_200.0, 21_000.0),
            decay_s,
            gain: 0.14 * random.power_law(2.7, 8.0),
        }
        .ring(rate, &mut sound);
        stage.add(start_s, random.uniform(-1.0, 1.0), &sound);
    }
}

/// Bubbles ring at a frequency that falls with their size (Minnaert 1933) and rises while they
/// near the surface (van den Doel, "Physically based models for liquid sounds", 2005).
fn bubbles(stage: &mut Stage, random: &mut Random) {
    let rate = stage.sample_rate;
    for start_s in stage.poisson(random, BUBBLES_HZ, 0.1) {
        let frequency_hz = random.log_uniform(700.0, 6_500.0).min(0.2 * rate);
        // Larger bubbles ring longer.
        let decay_s = 0.011 * (1_000.0 / frequency_hz).powf(0.7) * random.uniform(0.6, 1.6);
        let rise = random.uniform(0.0, 0.25);
        let gain = 0.12 * random.power_law(2.5, 8.0);
        let mut sound = silence(rate, 6.0 * decay_s);
        let mut phase = 0.0;
        for (frame, sample) in sound.iter_mut().enumerate() {
            let t = frame as f32 / rate;
            *sample = gain * (-t / decay_s).exp() * (TAU * phase).sin();
            phase += frequency_hz * (1.0 + rise * t / decay_s) / rate;
        }
        // The drop's impact comes before the bubble's note.
        add_burst(random, rate, 0.000_25, 0.5 * gain, &mut sound);
        stage.add(start_s, random.uniform(-1.0, 1.0), &sound);
    }
}

fn impacts(stage: &mut Stage, random: &mut Random) {
    let rate = stage.sample_rate;
    for start_s in stage.poisson(random, IMPACTS_HZ, 0.2) {
        let gain = 0.2 * random.power_law(2.8, 5.0);
        let mut sound = silence(rate, 0.12);
        add_burst(random, rate, 0.001_2, 0.8 * gain, &mut sound);
        let lowest_hz = random.log_uniform(180.0, 700.0);
        for overtone in [1.0, 2.3, 3.9] {
            Mode {
                frequency_hz: lowest_hz * overtone * random.uniform(0.95, 1.05),
                decay_s: random.uniform(0.008, 0.02) / overtone,
                gain: gain / overtone,
            }
            .ring(rate, &mut sound);
        }
        stage.add(start_s, random.uniform(-1.0, 1.0), &sound);
    }
}
