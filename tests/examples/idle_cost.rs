//! What fitted instances of the built CLAP cost that nobody plays, in every state that a host has for them.
//!
//! `cargo xtask bundle weft --release`, and then
//! `WEFT_BUNDLE_DIR=target/bundled cargo run --release -p weft-hosts --example idle_cost`
//!
//! Linux only: it reads the processor time of threads from `/proc`, so that other programs do not count. Of the
//! states in which the host sleeps, it is the time of all threads of the process; of those in which it processes,
//! that of Weft's own threads, and that of the calls of the plugin's process function.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use weft_core::procedural::{Texture, synthesize};
use weft_hosts::clap::{ClapPlugin, RenderMode};
use weft_hosts::{CLAP_BUNDLE, EventKind, Note, Render, bundle};

const RATE_HZ: u32 = 48_000;
const BLOCK: usize = 480;
const BLOCK_TIME: Duration = Duration::from_millis(10);
/// Before a measurement, and its length.
const SETTLING: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(10);
/// Places of the plugins in the bundle.
const INSTRUMENT: usize = 0;
const EFFECT: usize = 1;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let path = bundle(CLAP_BUNDLE)?;
    let states = [state(&path, INSTRUMENT)?, state(&path, EFFECT)?];
    for count in [1, 10, 50] {
        let mut plugins = load(&path, INSTRUMENT, &states, count)?;
        print_asleep(count, "not activated")?;
        activate(&mut plugins, RenderMode::Realtime)?;
        print_asleep(count, "never processed")?;
        play_a_note(&mut plugins)?;
        print_asleep(count, "stopped")?;
        print_processed(count, "processed, silent", &mut plugins, false)?;
        print_processed(count, "processed, rested by the host", &mut plugins, true)?;
        for plugin in &mut plugins {
            plugin.deactivate()?;
        }
        print_asleep(count, "deactivated")?;
        activate(&mut plugins, RenderMode::Offline)?;
        play_a_note(&mut plugins)?;
        print_asleep(count, "offline, stopped")?;
        drop(plugins);
        let mut effects = load(&path, EFFECT, &states, count)?;
        activate(&mut effects, RenderMode::Realtime)?;
        for effect in &mut effects {
            let bypass = effect.automation("Bypass", "On")?;
            effect.render(&Render::silent(BLOCK).at(0, bypass))?;
        }
        print_processed(count, "processed, bypassed", &mut effects, false)?;
    }
    Ok(())
}

/// The state of a plugin with rain in its first slot.
fn state(path: &Path, index: usize) -> Outcome<Vec<u8>> {
    let mut plugin = ClapPlugin::load_nth(path, index)?;
    plugin.set_render_mode(RenderMode::Offline)?;
    plugin.activate(f64::from(RATE_HZ), BLOCK)?;
    let rain = synthesize(Texture::Rain, 1, RATE_HZ, 2.0).into_channels();
    let port = plugin.capture_port().unwrap_or(0);
    let render = Render::silent(3 * RATE_HZ as usize)
        .feed(port, &rain)
        .at(0, plugin.automation("Fit Steps A", "100")?)
        .at(0, plugin.automation("Capture Length", "2 s")?)
        .at(BLOCK, plugin.automation("Capture", "On")?);
    plugin.render(&render)?;
    Ok(plugin.save_state()?)
}

fn load(
    path: &Path,
    index: usize,
    states: &[Vec<u8>; 2],
    count: usize,
) -> Outcome<Vec<ClapPlugin>> {
    let mut plugins = Vec::new();
    for _ in 0..count {
        let mut plugin = ClapPlugin::load_nth(path, index)?;
        plugin.load_state(&states[index])?;
        plugins.push(plugin);
    }
    Ok(plugins)
}

fn activate(plugins: &mut [ClapPlugin], mode: RenderMode) -> Outcome {
    for plugin in plugins {
        plugin.set_render_mode(mode)?;
        plugin.activate(f64::from(RATE_HZ), BLOCK)?;
    }
    Ok(())
}

/// Half a second with a note, and a second after its end.
fn play_a_note(plugins: &mut [ClapPlugin]) -> Outcome {
    let note = Note::key(60);
    for plugin in plugins {
        let render = Render::silent(3 * RATE_HZ as usize / 2)
            .at(
                0,
                EventKind::NoteOn {
                    note,
                    velocity: 0.8,
                },
            )
            .at(RATE_HZ as usize / 2, EventKind::NoteOff { note });
        plugin.render(&render)?;
    }
    Ok(())
}

/// Prints what instances cost while the host sleeps.
fn print_asleep(count: usize, state: &str) -> Outcome {
    std::thread::sleep(SETTLING);
    let (begin, used_s) = (Instant::now(), processor_s("")?);
    std::thread::sleep(MEASURED);
    let share = (processor_s("")? - used_s) / begin.elapsed().as_secs_f64();
    print(count, state, share);
    Ok(())
}

/// Prints what instances cost that are processed, or only until they say that they need not be.
fn print_processed(count: usize, state: &str, plugins: &mut [ClapPlugin], rests: bool) -> Outcome {
    let mut resting = vec![false; plugins.len()];
    process(plugins, SETTLING, rests, &mut resting)?;
    let (begin, used_s) = (Instant::now(), processor_s("weft")?);
    let calls = process(plugins, MEASURED, rests, &mut resting)?;
    let time_s = begin.elapsed().as_secs_f64();
    print(count, state, (processor_s("weft")? - used_s) / time_s);
    print(count, "  its process calls", calls.as_secs_f64() / time_s);
    Ok(())
}

/// Processes blocks of silence for `time`. Returns how long all calls took.
fn process(
    plugins: &mut [ClapPlugin],
    time: Duration,
    rests: bool,
    resting: &mut [bool],
) -> Outcome<Duration> {
    let begin = Instant::now();
    let (mut blocks, mut calls) = (0, Duration::ZERO);
    while begin.elapsed() < time {
        for (plugin, resting) in plugins.iter_mut().zip(&mut *resting) {
            if !(rests && *resting) {
                let rendered = plugin.render(&Render::silent(BLOCK))?;
                calls += rendered.total_time();
                *resting = rendered.rests.iter().all(|rests| *rests);
            }
        }
        blocks += 1;
        std::thread::sleep((BLOCK_TIME * blocks).saturating_sub(begin.elapsed()));
    }
    Ok(calls)
}

fn print(count: usize, state: &str, share: f64) {
    println!(
        "{count:>3} instances, {state:<30} {:>7.3} % of a core",
        100.0 * share
    );
}

/// Processor time of all threads that run whose names begin with `name`, in seconds.
fn processor_s(name: &str) -> Outcome<f64> {
    let mut sum_ns = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let thread = thread?.path();
        if std::fs::read_to_string(thread.join("comm"))?.starts_with(name) {
            let used = std::fs::read_to_string(thread.join("schedstat"))?;
            sum_ns += used.split(' ').next().unwrap_or("0").parse::<u64>()?;
        }
    }
    Ok(sum_ns as f64 * 1e-9)
}
