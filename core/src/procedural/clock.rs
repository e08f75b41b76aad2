//! A mechanical clock.

use super::filter::PinkNoise;
use super::random::Random;
use super::stage::{Mode, Stage, add_burst, silence};

/// Modes of the movement and its case.
const MODES: usize = 12;

/// Reflections of the small room around the clock, and the time in which they die away.
const REFLECTIONS: usize = 48;
const ROOM_DECAY_S: f32 = 0.06;

/// Length of one tick with its reverberation, in seconds.
const TICK_S: f32 = 0.3;

/// Tick, tock: an escapement lets go of its wheel and catches it again, alternately with one pallet
/// and the other, so that two slightly different sounds alternate at an even pace.
pub(super) fn play(stage: &mut Stage, random: &mut Random) {
    room_tone(stage, &mut random.split());
    let period_s = random.uniform(0.24, 0.26);
    let azimuth = random.uniform(-0.4, 0.4);
    let modes: Vec<Mode> = (0..MODES)
        .map(|_| {
            let frequency_hz = random.log_uniform(700.0, 13_000.0);
            Mode {
                frequency_hz,
                decay_s: 0.012 * (1_000.0 / frequency_hz).sqrt() * random.uniform(0.6, 1.6),
                gain: 1.0,
            }
        })
        .collect();
    let case = Mode {
        frequency_hz: random.uniform(180.0, 320.0),
        decay_s: 0.018,
        gain: 0.7,
    };
    let pallets = [(); 2].map(|()| Pallet::new(random));
    let room = [(); 2].map(|()| reflections(random));

    let mut time_s = -TICK_S - period_s * random.unit();
    let mut tick = 0;
    while time_s < stage.duration_s {
        let sound = pallets[tick % 2].strike(random, stage.sample_rate, &modes, case);
        stage.add(time_s, azimuth, &sound);
        for (side, reflections) in [-1.0, 1.0].into_iter().zip(&room) {
            for &(delay_s, gain) in reflections {
                let echo: Vec<f32> = sound.iter().map(|sample| gain * sample).collect();
                stage.add(time_s + delay_s, side, &echo);
            }
        }
        time_s += period_s * random.uniform(0.998, 1.002);
        tick += 1;
    }
}

/// How one pallet strikes: when its parts hit, how hard, and which modes they rouse.
struct Pallet {
    hits: [(f32, f32); 3],
    weights: [f32; MODES],
}

impl Pallet {
    fn new(random: &mut Random) -> Self {
        Self {
            // Unlocking, impulse and drop.
            hits: [
                (0.0, 0.35),
                (random.uniform(0.004, 0.008), 0.5),
                (random.uniform(0.012, 0.02), 1.0),
            ],
            weights: [(); MODES].map(|()| random.uniform(0.1, 1.0)),
        }
    }

    fn strike(
        &self,
        random: &mut Random,
        sample_rate: f32,
        modes: &[Mode],
        case: Mode,
    ) -> Vec<f32> {
        let mut sound = silence(sample_rate, TICK_S - 4.0 * ROOM_DECAY_S + 0.08);
        for (delay_s, strength) in self.hits {
            let start = (delay_s * sample_rate) as usize;
            let strength = strength * random.uniform(0.9, 1.1);
            let sound = &mut sound[start..];
            add_burst(random, sample_rate, 0.000_4, 0.5 * strength, sound);
            for (mode, weight) in modes.iter().zip(self.weights) {
                let gain = 0.4 * strength * weight * random.uniform(0.85, 1.15);
                Mode { gain, ..*mode }.ring(sample_rate, sound);
            }
            Mode {
                gain: case.gain * strength,
                ..case
            }
            .ring(sample_rate, sound);
        }
        sound
    }
}

/// Delays in seconds and gains, of one side.
fn reflections(random: &mut Random) -> Vec<(f32, f32)> {
    (0..REFLECTIONS)
        .map(|_| {
            let delay_s = random.uniform(0.003, 4.0 * ROOM_DECAY_S);
            let sign = if random.unit() < 0.5 { -1.0 } else { 1.0 };
            (delay_s, 0.12 * sign * (-delay_s / ROOM_DECAY_S).exp())
        })
        .collect()
}

fn room_tone(stage: &mut Stage, random: &mut Random) {
    let rate = stage.sample_rate;
    let mut sides = [(); 2].map(|()| PinkNoise::new(random.split(), rate, 100.0));
    for (noise, output) in sides.iter_mut().zip(stage.channels_mut()) {
        for sample in output {
            *sample += 0.006 * noise.next();
        }
    }
}
