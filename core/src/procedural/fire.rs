//! A wood fire.

use super::filter::{PinkNoise, StateVariable};
use super::random::{Drift, Random};
use super::stage::{Mode, Stage, add_burst, silence};

/// Bursts of crackles a second: wood splits in several places at once.
const BURSTS_HZ: f32 = 5.0;

/// Mean number of crackles in a burst, and single ones between the bursts.
const CRACKLES_PER_BURST: f32 = 5.0;

/// Fine crackles a second that are hardly heard one by one.
const FINE_CRACKLES_HZ: f32 = 60.0;

/// Loud pops a second.
const POPS_HZ: f32 = 0.9;

pub(super) fn play(stage: &mut Stage, random: &mut Random) {
    flames(stage, &mut random.split());
    let mut crackles = random.split();
    for start_s in stage.poisson(&mut crackles, BURSTS_HZ, 0.5) {
        let azimuth = crackles.uniform(-0.7, 0.7);
        let mut time_s = start_s;
        let count = 1.0 + crackles.exponential(CRACKLES_PER_BURST - 1.0);
        for _ in 0..count as usize {
            let gain = 0.25 * crackles.power_law(1.9, 9.0);
            let spread = crackles.uniform(-0.15, 0.15);
            crackle(stage, &mut crackles, time_s, azimuth + spread, gain);
            time_s += crackles.exponential(0.018);
        }
    }
    for start_s in stage.poisson(&mut crackles, FINE_CRACKLES_HZ, 0.1) {
        let gain = 0.06 * crackles.power_law(2.2, 10.0);
        let azimuth = crackles.uniform(-0.9, 0.9);
        crackle(stage, &mut crackles, start_s, azimuth, gain);
    }
    pops(stage, &mut random.split());
}

/// The rumble of the flames and the hiss of the embers, both flickering.
fn flames(stage: &mut Stage, random: &mut Random) {
    let rate = stage.sample_rate;
    let draught = Drift::new(random, 1.5);
    let mut sides = [(); 2].map(|()| {
        (
            PinkNoise::new(random.split(), rate, 60.0),
            StateVariable::new(rate, 220.0, 0.6),
            Drift::new(random, 0.18),
            PinkNoise::new(random.split(), rate, 2_000.0),
            StateVariable::new(rate, 2_500.0, 0.6),
            Drift::new(random, 0.4),
        )
    });
    for frame in 0..stage.frames() {
        let time_s = stage.time_s(frame);
        let draught = 1.0 + 0.5 * draught.at(time_s);
        for ((rumble, lowpass, flicker, hiss, highpass, glow), output) in
            sides.iter_mut().zip(stage.channels_mut())
        {
            let rumble_level = 2.2 * draught * (1.0 + 0.7 * flicker.at(time_s));
            let hiss_level = 0.07 * draught * (1.0 + 0.6 * glow.at(time_s));
            output[frame] +=
                rumble_level * lowpass.low(rumble.next()) + hiss_level * highpass.high(hiss.next());
        }
    }
}

/// A split: a click of noise, coloured by the piece of wood it happens in. Larger ones are longer
/// and lower.
fn crackle(stage: &mut Stage, random: &mut Random, start_s: f32, azimuth: f32, gain: f32) {
    let rate = stage.sample_rate;
    let size = gain.sqrt();
    let decay_s = (0.000_3 + 0.002 * size) * random.log_uniform(0.5, 2.0);
    let mut sound = silence(rate, 7.0 * decay_s);
    add_burst(random, rate, decay_s, gain, &mut sound);
    let mut body = StateVariable::new(rate, random.log_uniform(1_200.0, 9_000.0), 1.2);
    for sample in &mut sound {
        let [_, band, high] = body.process(*sample);
        *sample = 2.0 * band + 0.15 * high;
    }
    stage.add(start_s, azimuth, &sound);
}

/// Steam bursts a pocket in the wood: a knock with a few resonances, then a short hiss.
fn pops(stage: &mut Stage, random: &mut Random) {
    let rate = stage.sample_rate;
    for start_s in stage.poisson(random, POPS_HZ, 0.5) {
        let gain = 0.8 * random.power_law(2.2, 3.0);
        let azimuth = random.uniform(-0.6, 0.6);
        let mut sound = silence(rate, 0.15);
        add_burst(random, rate, 0.002, gain, &mut sound);
        add_burst(random, rate, 0.02, 0.06 * gain, &mut sound);
        for _ in 0..4 {
            Mode {
                frequency_hz: random.log_uniform(350.0, 3_500.0),
                decay_s: random.uniform(0.003, 0.012),
                gain: gain * random.uniform(0.2, 0.7),
            }
            .ring(rate, &mut sound);
        }
        stage.add(start_s, azimuth, &sound);
    }
}
