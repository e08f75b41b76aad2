//! Wind chimes.

use super::filter::{PinkNoise, StateVariable};
use super::random::{Drift, Random};
use super::stage::{Mode, Stage, add_burst, silence};

/// Tubes tuned to a pentatonic scale: multiples of the lowest one's frequency.
const SCALE: [f32; 6] = [1.0, 9.0 / 8.0, 5.0 / 4.0, 3.0 / 2.0, 5.0 / 3.0, 2.0];

/// Frequencies of the transverse modes of a free tube, as multiples of the lowest (Euler-Bernoulli
/// beam: squares of 3.0112, 5, 7, 9, 11, 13 over the first).
const PARTIALS: [f32; 6] = [1.0, 2.757, 5.404, 8.933, 13.345, 18.638];

/// Time in which a 1 kHz partial falls to 1/e, in seconds; others inversely to their frequency.
const DECAY_AT_1_KHZ_S: f32 = 0.8;

/// Longest ringing that is rendered, in seconds: seven times the slowest decay is -60 dB.
const RING_S: f32 = 7.0;

/// Strikes a second in the strongest gust.
const MAX_STRIKES_HZ: f32 = 9.0;

/// Tubes struck by a clapper that the wind swings, more often in gusts.
pub(super) fn play(stage: &mut Stage, random: &mut Random) {
    let gust = Drift::new(random, 2.2);
    breeze(stage, &mut random.split(), &gust);
    let rate = stage.sample_rate;
    let lowest_hz = random.uniform(520.0, 720.0);
    // Two vibrations at right angles, never quite in tune: a tube's slow beating.
    let tubes: Vec<(f32, f32, f32)> = SCALE
        .iter()
        .map(|note| {
            let frequency_hz = lowest_hz * note * random.uniform(0.994, 1.006);
            let split = random.uniform(0.000_5, 0.002);
            (frequency_hz, split, random.uniform(-0.9, 0.9))
        })
        .collect();
    for start_s in stage.poisson(random, MAX_STRIKES_HZ, RING_S) {
        // Thinning a fast Poisson process gives one whose rate follows the wind.
        let chance = (0.55 + 0.5 * gust.at(start_s)).clamp(0.05, 1.0).powi(2);
        if random.unit() > chance {
            continue;
        }
        let index = (random.unit() * tubes.len() as f32) as usize;
        let (frequency_hz, split, azimuth) = tubes[index.min(tubes.len() - 1)];
        let strength = 0.1 * random.power_law(2.0, 8.0);
        // Hard strikes rouse the upper partials more.
        let hardness = (strength * 1.6).min(1.0);
        let decay_s = DECAY_AT_1_KHZ_S * 1_000.0 / frequency_hz;
        let mut sound = silence(rate, (6.0 * decay_s).min(RING_S));
        for (order, partial) in PARTIALS.iter().enumerate() {
            let gain = strength * (0.35 + 0.45 * hardness).powi(order as i32);
            for (detune, share) in [(0.0, 0.6), (split, 0.4)] {
                Mode {
                    frequency_hz: frequency_hz * partial * (1.0 + detune),
                    decay_s: decay_s / partial,
                    gain: gain * share * random.uniform(0.6, 1.0),
                }
                .ring(rate, &mut sound);
            }
        }
        let contact = sound.len().min((0.01 * rate) as usize);
        add_burst(
            random,
            rate,
            0.000_6,
            0.4 * strength * hardness,
            &mut sound[..contact],
        );
        stage.add(start_s, azimuth, &sound);
    }
}

/// The wind that moves the chimes, soft.
fn breeze(stage: &mut Stage, random: &mut Random, gust: &Drift) {
    let rate = stage.sample_rate;
    let mut sides = [(); 2].map(|()| {
        (
            PinkNoise::new(random.split(), rate, 300.0),
            StateVariable::new(rate, 120.0, 0.6),
        )
    });
    for frame in 0..stage.frames() {
        let level = 0.012 * (1.0 + 0.7 * gust.at(stage.time_s(frame)));
        for ((noise, highpass), output) in sides.iter_mut().zip(stage.channels_mut()) {
            output[frame] += level * highpass.high(noise.next());
        }
    }
}
