//! What the tests of both formats play: the same scenes, so that both have to sound the same.

mod hung;
mod locked;
mod notes;
mod score;

use weft_hosts::measure::fingerprint;
use weft_hosts::{Host, Render, Rendered};

pub use hung::{SHORT_NOTES, assert_no_note_hangs, assert_what_is_kept_is_found};
pub use locked::assert_locked_bars_are_identical;
pub use notes::{
    assert_mpe_voices_have_hands_of_their_own, assert_notes_have_pitches_of_their_own, assert_tones,
};
pub use score::assert_bounces_are_identical;

use super::sound::{assert_silent, assert_sounds};

pub const SAMPLE_RATE: u32 = 48_000;
pub const SECOND: usize = SAMPLE_RATE as usize;
/// Longest block that the plugins are activated with here.
pub const LONGEST_BLOCK: usize = 2_048;
/// Frequency of [`tone`].
const TONE_HZ: f64 = 500.0;
/// After a seek, what sounded before has faded by then.
pub const BRIDGE_FRAMES: usize = SECOND / 20;

/// A tone over a little noise, for captures whose pitch can be measured.
pub fn tone(frames: usize) -> Vec<Vec<f32>> {
    let turn = std::f64::consts::TAU * TONE_HZ / f64::from(SAMPLE_RATE);
    let mut noise = 1_u32;
    let samples = (0..frames).map(|i| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from(noise >> 8) / f64::from(1_u32 << 23) - 1.0;
        (0.3 * (turn * i as f64).sin() + 0.01 * noise) as f32
    });
    vec![samples.collect()]
}

/// Moves the parameters by automation, in a short render of their own.
pub fn set(host: &mut impl Host, values: &[(&str, f64)]) {
    let render = values.iter().fold(Render::silent(256), |render, value| {
        render.at(0, host.move_to(value.0, value.1).unwrap())
    });
    host.play(&render).unwrap();
}

/// Captures the first second of `recording` from `port` and fits it, in an offline render.
pub fn capture(host: &mut impl Host, port: usize, recording: &[Vec<f32>]) {
    set(host, &[("Fit Steps A", 0.0), ("Capture Length", 0.0)]);
    let to = |normalized| host.move_to("Capture", normalized).unwrap();
    // The fit keeps to the song: it is done after half a second.
    let render = Render::silent(2 * SECOND)
        .feed(port, recording)
        .at(0, to(1.0))
        .at(SECOND, to(0.0));
    host.play(&render).unwrap();
}

/// Plays `render` from the first frame on.
fn from_the_start(host: &mut impl Host, render: &Render) -> Rendered {
    host.restart().unwrap();
    host.play(render).unwrap()
}

/// The first frame from `start` on at which two sounds differ.
pub fn first_difference(a: &[Vec<f32>], b: &[Vec<f32>], start: usize) -> Option<usize> {
    let differ = |(a, b): (&Vec<f32>, &Vec<f32>)| {
        assert_eq!(a.len(), b.len());
        let mut pairs = a.iter().zip(b).skip(start);
        pairs.position(|(a, b)| a.to_bits() != b.to_bits())
    };
    let first = a.iter().zip(b).filter_map(differ).min();
    first.map(|frame| frame + start)
}

/// Seconds of the capture that [`capture_in_a_bounce`] makes: the least that the parameter allows.
const BOUNCED_CAPTURE_S: usize = 1;
/// Frames of the bounce around it.
const BOUNCED_FRAMES: usize = 5 * SECOND / 2;

/// A bounce of a new instance in which automation makes a capture from `port` and the texture plays
/// as soon as it can. The fit takes the parameter's fewest steps.
pub fn capture_in_a_bounce(host: &mut impl Host, port: usize, blocks: &[usize]) -> Vec<Vec<f32>> {
    let start = 4_801;
    let to = |name: &str, normalized| host.move_to(name, normalized).unwrap();
    let mut recording = vec![vec![0.0; start]];
    recording[0].extend(&tone(BOUNCED_CAPTURE_S * SECOND)[0]);
    let render = Render::silent(BOUNCED_FRAMES)
        .in_blocks(blocks)
        .feed(port, &recording)
        .at(0, to("Fit Steps A", 0.0))
        .at(0, to("Capture Length", 0.0))
        .at(0, to("Hold", 1.0))
        .at(start, to("Capture", 1.0))
        .at(start + 30_000, to("Capture", 0.0));
    let bounced = from_the_start(host, &render);
    let fitted = start + BOUNCED_CAPTURE_S * SECOND;
    assert_silent(&bounced.frames(0..fitted));
    // It is heard while it is fitted.
    assert_sounds(&bounced.frames(fitted + SECOND / 10..fitted + SECOND / 5));
    assert_sounds(&bounced.frames(BOUNCED_FRAMES - SECOND / 2..BOUNCED_FRAMES));
    println!(
        "captured in a bounce: {:016x}",
        fingerprint(&bounced.channels)
    );
    bounced.channels
}
