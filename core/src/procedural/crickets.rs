//! Crickets at night.

use std::f32::consts::{PI, TAU};

use super::filter::{PinkNoise, StateVariable};
use super::random::{Drift, Random};
use super::stage::{Stage, silence};

/// Field crickets near enough to be told apart.
const NEAR_CRICKETS: usize = 5;

/// Crickets of the distant choir.
const FAR_CRICKETS: usize = 14;

pub(super) fn play(stage: &mut Stage, random: &mut Random) {
    night_air(stage, &mut random.split());
    for cricket in 0..NEAR_CRICKETS {
        let gain = 0.3 / (1.0 + 0.6 * cricket as f32);
        chirper(stage, &mut random.split(), gain);
    }
    for _ in 0..FAR_CRICKETS {
        let gain = random.uniform(0.01, 0.03);
        chirper(stage, &mut random.split(), gain);
    }
    triller(stage, &mut random.split());
    bush_cricket(stage, &mut random.split());
}

fn night_air(stage: &mut Stage, random: &mut Random) {
    let rate = stage.sample_rate;
    let mut sides = [(); 2].map(|()| PinkNoise::new(random.split(), rate, 150.0));
    for (noise, output) in sides.iter_mut().zip(stage.channels_mut()) {
        for sample in output {
            *sample += 0.02 * noise.next();
        }
    }
}

/// One stroke of a wing over the other: a tone with a rounded onset, slightly falling, with weak
/// overtones.
fn add_stroke(sound: &mut [f32], sample_rate: f32, carrier_hz: f32, gain: f32) {
    const OVERTONES: [(f32, f32); 4] = [(1.0, 1.0), (2.0, 0.08), (3.0, 0.03), (4.0, 0.012)];
    let frames = sound.len() as f32;
    for (frame, sample) in sound.iter_mut().enumerate() {
        let progress = frame as f32 / frames;
        // Skewed half-wave: a fast rise and a slow fall.
        let envelope = (PI * progress.sqrt()).sin().powi(2);
        let t = frame as f32 / sample_rate;
        let cycles = carrier_hz * t * (1.0 - 0.012 * progress);
        let tone: f32 = OVERTONES
            .iter()
            .filter(|(multiple, _)| multiple * carrier_hz < 0.45 * sample_rate)
            .map(|(multiple, level)| level * (TAU * (multiple * cycles).fract()).sin())
            .sum();
        *sample += gain * envelope * tone;
    }
}

/// A field cricket: chirps of three to five strokes, two to three a second, with a will of its own.
fn chirper(stage: &mut Stage, random: &mut Random, gain: f32) {
    let rate = stage.sample_rate;
    // A carrier above what the sample rate holds would vanish.
    let carrier_hz = random.uniform(3_900.0, 5_300.0).min(0.4 * rate);
    let azimuth = random.uniform(-1.0, 1.0);
    let chirp_period_s = random.uniform(0.33, 0.55);
    let stroke_period_s = random.uniform(0.022, 0.03);
    let strokes = 3 + (3.0 * random.unit()) as usize;
    let mut time_s = -2.0 - chirp_period_s * random.unit();
    while time_s < stage.duration_s {
        // Now and then it pauses for a few chirps.
        if random.unit() < 0.04 {
            time_s += chirp_period_s * random.uniform(1.0, 4.0);
        }
        let chirp_gain = gain * random.uniform(0.85, 1.1);
        for stroke in 0..strokes {
            let mut sound = silence(rate, 0.62 * stroke_period_s);
            // A chirp swells.
            let swell = 0.55 + 0.45 * (stroke + 1) as f32 / strokes as f32;
            let carrier_hz = carrier_hz * random.uniform(0.997, 1.003);
            add_stroke(&mut sound, rate, carrier_hz, chirp_gain * swell);
            stage.add(time_s + stroke as f32 * stroke_period_s, azimuth, &sound);
        }
        time_s += chirp_period_s * random.uniform(0.95, 1.05);
    }
}

/// A tree cricket: a trill that never stops, swelling and fading.
fn triller(stage: &mut Stage, random: &mut Random) {
    let rate = stage.sample_rate;
    let carrier_hz = random.uniform(2_700.0, 3_100.0).min(0.4 * rate);
    let azimuth = random.uniform(-0.8, 0.8);
    let swell = Drift::new(random, 2.5);
    let stroke_period_s = 1.0 / random.uniform(38.0, 46.0);
    let mut time_s = -1.0;
    while time_s < stage.duration_s {
        let gain = 0.05 * (1.0 + 0.6 * swell.at(time_s));
        let mut sound = silence(rate, 0.7 * stroke_period_s);
        add_stroke(&mut sound, rate, carrier_hz, gain);
        stage.add(time_s, azimuth, &sound);
        time_s += stroke_period_s * random.uniform(0.985, 1.015);
    }
}

/// A bush cricket: a buzz of fast noisy strokes at the top of the band, every second or so.
fn bush_cricket(stage: &mut Stage, random: &mut Random) {
    let rate = stage.sample_rate;
    let centre_hz = random.uniform(9_000.0, 12_500.0).min(0.4 * rate);
    let azimuth = random.uniform(-1.0, 1.0);
    for _ in 0..2 {
        let mut time_s = -1.5 * random.unit();
        while time_s < stage.duration_s {
            let strokes = 14 + (8.0 * random.unit()) as usize;
            let gain = random.uniform(0.08, 0.14);
            for stroke in 0..strokes {
                let mut sound = silence(rate, 0.008);
                let mut band = StateVariable::new(rate, centre_hz, 3.0);
                let frames = sound.len() as f32;
                let swell = (PI * (stroke as f32 + 0.5) / strokes as f32).sin();
                for (frame, sample) in sound.iter_mut().enumerate() {
                    let envelope = (PI * frame as f32 / frames).sin().powi(2);
                    *sample = gain * swell * envelope * band.band(random.noise());
                }
                stage.add(time_s + 0.011 * stroke as f32, azimuth, &sound);
            }
            time_s += random.uniform(0.9, 1.5);
        }
    }
}
