//! Wind.

use super::filter::{PinkNoise, StateVariable};
use super::random::{Drift, Random};
use super::stage::Stage;

/// Openings and edges that the wind howls at.
const WHISTLES: usize = 4;

/// Frames between updates of the moving filters.
const CONTROL_FRAMES: usize = 32;

/// One howl on one side.
struct Whistle {
    rest_hz: f32,
    gain: f32,
    filter: StateVariable,
    sway: Drift,
    level: f32,
}

/// The wind on one side.
struct Side {
    noise: PinkNoise,
    body: StateVariable,
    air: Random,
    leaves: StateVariable,
    gust: Drift,
    whistles: Vec<Whistle>,
}

/// Gusts: a low body, howls whose pitch rises with the wind's speed, and leaves that hiss in strong
/// wind only. Both sides feel the same gusts, not quite alike.
pub(super) fn play(stage: &mut Stage, random: &mut Random) {
    let rate = stage.sample_rate;
    let gust = Drift::new(random, 2.6);
    let places: Vec<(f32, f32, f32)> = (0..WHISTLES)
        .map(|place| {
            let rest_hz = 240.0 * 2.2_f32.powi(place as i32) * random.uniform(0.85, 1.15);
            let azimuth = random.uniform(-0.8, 0.8);
            (rest_hz, random.uniform(6.0, 10.0), azimuth)
        })
        .collect();
    let mut sides = [-1.0, 1.0].map(|side: f32| Side {
        noise: PinkNoise::new(random.split(), rate, 120.0),
        body: StateVariable::new(rate, 250.0, 0.6),
        air: random.split(),
        leaves: StateVariable::new(rate, 4_200.0, 0.6),
        gust: Drift::new(random, 1.3),
        whistles: places
            .iter()
            .enumerate()
            .map(|(place, &(rest_hz, q, azimuth))| Whistle {
                rest_hz,
                gain: (1.0 + side * azimuth) / (1.0 + 1.5 * place as f32),
                filter: StateVariable::new(rate, rest_hz, q),
                sway: Drift::new(random, 0.9),
                level: 0.0,
            })
            .collect(),
    });
    for frame in 0..stage.frames() {
        let time_s = stage.time_s(frame);
        let moves = frame % CONTROL_FRAMES == 0;
        let common = gust.at(time_s);
        for (side, output) in sides.iter_mut().zip(stage.channels_mut()) {
            let speed = (0.55 + 0.4 * common + 0.15 * side.gust.at(time_s)).max(0.05);
            let noise = side.noise.next();
            if moves {
                side.body.set_frequency(140.0 + 420.0 * speed);
                for whistle in &mut side.whistles {
                    let sway = whistle.sway.at(time_s);
                    let bend = 0.75 * (speed - 0.55) + 0.25 * sway;
                    whistle.filter.set_frequency(whistle.rest_hz * bend.exp2());
                    whistle.level = whistle.gain * speed * speed * (1.0 + 0.8 * sway).max(0.0);
                }
            }
            let mut sum = 0.9 * speed * side.body.low(noise);
            for whistle in &mut side.whistles {
                sum += 2.2 * whistle.level * whistle.filter.band(noise);
            }
            sum += 0.045 * speed.powi(3) * side.leaves.high(side.air.noise());
            output[frame] += sum + 0.004 * side.air.noise();
        }
    }
}
