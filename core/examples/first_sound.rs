//! How soon a fitted instance that nobody has processed for a while sounds when somebody does again.
//!
//! `cargo run --release -p weft-core --example first_sound`

use std::error::Error;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use weft_core::fit::{FitSettings, fit};
use weft_core::instrument::{Controls, Instrument, NoteAddress, Player, Slot};
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};

const RATE_HZ: u32 = 48_000;
const BLOCK: usize = 480;
const BLOCK_TIME: Duration = Duration::from_millis(10);
/// Stops after which the first sound is waited for.
const STOPS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let clip = synthesize(Texture::Rain, 1, RATE_HZ, 3.0);
    let settings = FitSettings {
        steps: 100,
        ..FitSettings::default()
    };
    let model = fit(&clip, &settings, &mut |_| ControlFlow::Continue(()))?;
    first_sounds(&model)
}

fn fitted(model: &Model) -> std::io::Result<(Instrument, Player)> {
    let (instrument, mut player) = Instrument::new()?;
    player.prepare(f64::from(RATE_HZ));
    instrument.play(Slot::A, model.clone());
    Ok((instrument, player))
}

/// Processes a block. Returns the place of its first sample that sounds.
fn process(player: &mut Player) -> Option<usize> {
    let (silence, mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
    let output = [&mut left[..], &mut right[..]];
    player.process([&silence, &silence], output, &Controls::default());
    left.iter().position(|x| *x != 0.0)
}

/// Prints how long the first note takes to sound after a long stop, where streams are there and where they
/// have to be made anew.
fn first_sounds(model: &Model) -> Result<(), Box<dyn Error>> {
    for resets in [false, true] {
        let (instrument, mut player) = fitted(model)?;
        let mut waits_ms: Vec<f64> = (0..STOPS)
            .map(|stop| {
                std::thread::sleep(Duration::from_millis(1_000 + 7 * stop as u64));
                if resets {
                    player.reset();
                }
                player.note_on(NoteAddress::default(), 1.0);
                let waited = first_sound(&mut player);
                player.choke(NoteAddress::default());
                waited.as_secs_f64() * 1e3
            })
            .collect();
        waits_ms.sort_by(f64::total_cmp);
        let state = if resets {
            "a stop and a reset"
        } else {
            "a stop"
        };
        println!(
            "first sound after {state}: median {:.1} ms, worst {:.1} ms; {} frames too late",
            waits_ms[STOPS / 2],
            waits_ms[STOPS - 1],
            instrument.status().underruns
        );
    }
    Ok(())
}

/// Plays in real time until something sounds, and half a second more. Returns how much silence came first.
fn first_sound(player: &mut Player) -> Duration {
    let mut silent = 0;
    let mut sounds = false;
    let begin = Instant::now();
    let mut blocks = 0;
    let mut left = 50;
    while left > 0 {
        let first = process(player);
        if !sounds {
            silent += first.unwrap_or(BLOCK);
            sounds = first.is_some();
        }
        left -= u32::from(sounds);
        blocks += 1;
        std::thread::sleep((BLOCK_TIME * blocks).saturating_sub(begin.elapsed()));
    }
    Duration::from_secs_f64(silent as f64 / f64::from(RATE_HZ))
}
