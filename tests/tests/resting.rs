//! The built CLAP in a host that rests plugins: it says when it will stay silent, and wakes for whatever comes.

mod common;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use weft_hosts::clap::{ClapPlugin, RenderMode};
use weft_hosts::{Event, EventKind, Note, Render};

use common::driving::{BLOCK_SIZE, SAMPLE_RATE};
use common::rain::{self, recording};
use common::sound::{assert_silent, assert_sounds};

/// After so long without a block that ends in rest, a test has hung.
const HUNG: Duration = Duration::from_secs(120);
/// Seconds of silence after which it rests: what it remembers of its input.
const MEMORY_S: usize = 30;

const NOTE: Note = Note::key(60);

/// The state of a plugin with rain in its first slot.
fn state() -> &'static [u8] {
    static STATE: OnceLock<Vec<u8>> = OnceLock::new();
    STATE.get_or_init(|| {
        let mut plugin = rain::active(RenderMode::Offline);
        rain::capture(&mut plugin, &recording());
        plugin.save_state().unwrap()
    })
}

/// A plugin with rain that processes in real time.
fn active() -> ClapPlugin {
    let mut plugin = rain::active(RenderMode::Realtime);
    plugin.load_state(state()).unwrap();
    plugin
}

/// Processes silence until the plugin rests.
fn rest(plugin: &mut ClapPlugin) {
    let began = Instant::now();
    // As fast as a sound card asks, so that what is made for the next note is there by then.
    while !block(plugin, Render::silent(BLOCK_SIZE).paced()) {
        assert!(began.elapsed() < HUNG, "it never rests");
    }
}

/// Processes one block. Returns whether the plugin rests after it.
fn block(plugin: &mut ClapPlugin, render: Render) -> bool {
    *plugin.render(&render).unwrap().rests.last().unwrap()
}

fn note_on(frame: usize) -> Event {
    Event {
        frame,
        kind: EventKind::NoteOn {
            note: NOTE,
            velocity: 0.8,
        },
    }
}

#[test]
fn a_note_ends_the_rest_on_its_sample_and_its_end_brings_it_back() {
    let mut plugin = active();
    rest(&mut plugin);
    let rested = plugin.process_requests();
    let on = note_on(100);
    let sound = plugin
        .render(&Render::silent(BLOCK_SIZE).at(on.frame, on.kind))
        .unwrap();
    assert_eq!(sound.rests, [false]);
    let first = sound.channels[0].iter().position(|x| *x != 0.0);
    assert_eq!(first, Some(100));
    let held = plugin.render(&Render::silent(2 * SAMPLE_RATE as usize).paced());
    assert!(held.unwrap().rests.iter().all(|rests| !rests));
    let off = EventKind::NoteOff { note: NOTE };
    assert!(!block(&mut plugin, Render::silent(BLOCK_SIZE).at(0, off)));
    rest(&mut plugin);
    assert_eq!(plugin.process_requests(), rested);
}

#[test]
fn the_host_is_asked_for_blocks_by_a_flush_and_by_a_load() {
    let mut plugin = active();
    rest(&mut plugin);
    let before = plugin.process_requests();
    let hold = plugin.automation("Hold", "On").unwrap();
    plugin.flush(&[hold]).unwrap();
    assert!(plugin.process_requests() > before);
    let sound = plugin.render(&Render::silent(SAMPLE_RATE as usize).paced());
    let sound = sound.unwrap();
    assert!(sound.rests.iter().all(|rests| !rests));
    assert_sounds(&sound.channels);
    // With Hold off again it rests, and is loaded meanwhile.
    plugin.load_state(state()).unwrap();
    rest(&mut plugin);
    let before = plugin.process_requests();
    plugin.load_state(state()).unwrap();
    assert!(plugin.process_requests() > before);
    assert!(!block(&mut plugin, Render::silent(BLOCK_SIZE)));
}

#[test]
fn it_rests_only_when_all_that_it_remembers_is_silence() {
    let mut plugin = active();
    let port = plugin.capture_port().unwrap();
    rest(&mut plugin);
    let frames = SAMPLE_RATE as usize;
    let heard: Vec<_> = recording().iter().map(|c| c[..frames].to_vec()).collect();
    let listening = plugin
        .render(&Render::silent(frames).feed(port, &heard))
        .unwrap();
    assert!(listening.rests.iter().all(|rests| !rests));
    let silence = Render::silent((MEMORY_S + 2) * frames);
    let rests = plugin.render(&silence).unwrap().rests;
    let first = rests.iter().position(|rests| *rests).unwrap();
    assert!(first * BLOCK_SIZE > (MEMORY_S - 1) * frames, "{first}");
    assert!(rests[first..].iter().all(|rests| *rests));
    assert_silent(&plugin.render(&Render::silent(frames)).unwrap().channels);
}

#[test]
fn a_bounce_never_rests_and_the_tail_is_told() {
    let mut plugin = active();
    let release = plugin.automation("Release", "3 s").unwrap();
    assert!(!block(
        &mut plugin,
        Render::silent(BLOCK_SIZE).at(0, release)
    ));
    // A fall by 80 dB.
    assert_eq!(plugin.tail_samples().unwrap(), Some(4 * SAMPLE_RATE));
    let hold = plugin.automation("Hold", "On").unwrap();
    block(&mut plugin, Render::silent(BLOCK_SIZE).at(0, hold));
    assert_eq!(plugin.tail_samples().unwrap(), None);
    let mut plugin = active();
    rain::activate(&mut plugin, RenderMode::Offline, BLOCK_SIZE);
    let rests = plugin
        .render(&Render::silent(SAMPLE_RATE as usize))
        .unwrap()
        .rests;
    assert!(rests.iter().all(|rests| !rests));
}
