//! What fitted instances cost that nobody processes, and how soon they sound when somebody does again.
//!
//! `cargo run --release -p weft-core --example idle_cost`
//!
//! Linux only: it reads the processor time of its threads from `/proc`.

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
/// Before a measurement, and its length.
const SETTLING: Duration = Duration::from_millis(700);
const MEASURED: Duration = Duration::from_secs(2);
/// Stops after which the first sound is waited for.
const STOPS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let clip = synthesize(Texture::Rain, 1, RATE_HZ, 3.0);
    let settings = FitSettings {
        steps: 100,
        ..FitSettings::default()
    };
    let model = fit(&clip, &settings, &mut |_| ControlFlow::Continue(()))?;
    for count in [1, 10, 50] {
        costs(count, &model)?;
    }
    first_sounds(&model)
}

/// Prints what `count` instances cost in each state.
fn costs(count: usize, model: &Model) -> Result<(), Box<dyn Error>> {
    let mut instances = Vec::new();
    for _ in 0..count {
        instances.push(fitted(model)?);
    }
    print_cost(count, "never processed")?;
    for is_offline in [true, false] {
        for (_, player) in &mut instances {
            player.set_offline(is_offline);
            player.note_on(NoteAddress::default(), 1.0);
            (0..10).for_each(|_| {
                process(player);
            });
        }
        print_cost(count, if is_offline { "offline" } else { "real time" })?;
    }
    Ok(())
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

fn print_cost(count: usize, state: &str) -> Result<(), Box<dyn Error>> {
    std::thread::sleep(SETTLING);
    let (begin, used_s) = (Instant::now(), processor_s()?);
    std::thread::sleep(MEASURED);
    let share = (processor_s()? - used_s) / begin.elapsed().as_secs_f64();
    println!(
        "{count:>3} instances, {state:<16} {:>7.3} % of a core",
        100.0 * share
    );
    Ok(())
}

/// Processor time of all threads that run, in seconds.
fn processor_s() -> Result<f64, Box<dyn Error>> {
    let mut sum_ns = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let used = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        sum_ns += used.split(' ').next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(sum_ns as f64 * 1e-9)
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
