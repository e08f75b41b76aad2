//! The built VST3 in a host.

mod sound;

use sound::{assert_silent, assert_sounds};
use weft_core::procedural::{Texture, synthesize};
use weft_hosts::vst3::{ProcessMode, Vst3Plugin};
use weft_hosts::{EventKind, Render, VST3_BUNDLE, bundle};

const SAMPLE_RATE: u32 = 48_000;
const BLOCK_SIZE: usize = 512;
const CAPTURE_S: usize = 2;
const CAPTURE_FRAMES: usize = CAPTURE_S * SAMPLE_RATE as usize;
/// Input bus of the capture input, behind the main input.
const CAPTURE_BUS: usize = 1;
const SECOND: usize = SAMPLE_RATE as usize;

fn load(mode: ProcessMode) -> Vst3Plugin {
    let path = bundle(VST3_BUNDLE).unwrap();
    let rate = f64::from(SAMPLE_RATE);
    let mut plugin = Vst3Plugin::load(&path, rate, BLOCK_SIZE).unwrap();
    plugin.set_process_mode(mode, rate).unwrap();
    plugin
}

fn set_mode(plugin: &mut Vst3Plugin, mode: ProcessMode) {
    plugin
        .set_process_mode(mode, f64::from(SAMPLE_RATE))
        .unwrap();
}

/// Captures rain by automation and waits for the fit as a bounce does.
fn fitted() -> Vst3Plugin {
    let recording = synthesize(Texture::Rain, 7, SAMPLE_RATE, CAPTURE_S as f64).into_channels();
    let mut plugin = load(ProcessMode::Realtime);
    let settings = Render::silent(BLOCK_SIZE)
        .at(0, plugin.automation("Fit Steps", 100.0).unwrap())
        .at(
            0,
            plugin
                .automation("Capture Length", CAPTURE_S as f64)
                .unwrap(),
        )
        .at(0, plugin.switch("Capture", false).unwrap());
    plugin.render(&settings).unwrap();
    let render = Render::silent(CAPTURE_FRAMES + SECOND / 2)
        .feed(CAPTURE_BUS, &recording)
        .at(0, plugin.switch("Capture", true).unwrap())
        .at(CAPTURE_FRAMES, plugin.switch("Capture", false).unwrap());
    assert_silent(&plugin.render(&render).unwrap().channels);
    set_mode(&mut plugin, ProcessMode::Offline);
    plugin.render(&Render::silent(BLOCK_SIZE)).unwrap();
    plugin
}

/// `frames` frames from the stream's start with *Hold* on.
fn bounce(plugin: &mut Vst3Plugin, frames: usize) -> Vec<Vec<f32>> {
    plugin.stop().unwrap();
    let hold = plugin.switch("Hold", true).unwrap();
    let render = Render::silent(frames).at(0, hold);
    plugin.render(&render).unwrap().channels
}

#[test]
fn it_shows_its_buses_and_parameters() {
    let plugin = load(ProcessMode::Realtime);
    let (inputs, outputs) = plugin.bus_widths().unwrap();
    assert_eq!(inputs.get(CAPTURE_BUS), Some(&2));
    assert_eq!(outputs, [2]);
    let names = plugin.parameter_names().unwrap();
    for name in ["Gain", "Attack", "Release", "Hold", "Seed", "Capture"] {
        assert!(
            names.iter().any(|shown| shown == name),
            "no {name} in {names:?}"
        );
    }
}

#[test]
fn it_captures_plays_and_travels_in_a_project() {
    let mut plugin = fitted();
    let state = plugin.save_state().unwrap();
    let endless = bounce(&mut plugin, 3 * SECOND);
    assert_sounds(&endless);

    let mut reopened = load(ProcessMode::Offline);
    assert_silent(
        &reopened
            .render(&Render::silent(8 * BLOCK_SIZE))
            .unwrap()
            .channels,
    );
    reopened.load_state(&state).unwrap();
    let again = bounce(&mut reopened, 3 * SECOND);
    assert!(again == endless, "the reopened project sounds different");

    // Notes play without Hold.
    let off = reopened.switch("Hold", false).unwrap();
    reopened.render(&Render::silent(SECOND).at(0, off)).unwrap();
    assert_silent(
        &reopened
            .render(&Render::silent(SECOND / 2))
            .unwrap()
            .channels,
    );
    let (key, velocity) = (64, 1.0);
    let note = Render::silent(2 * SECOND)
        .at(0, EventKind::NoteOn { key, velocity })
        .at(SECOND, EventKind::NoteOff { key });
    let played = reopened.render(&note).unwrap();
    assert_sounds(&played.frames(0..SECOND));
    assert_silent(&played.frames(SECOND + SECOND / 2..2 * SECOND));
}

#[test]
fn two_instances_do_not_disturb_each_other() {
    let mut first = fitted();
    let mut second = load(ProcessMode::Offline);
    assert_silent(&bounce(&mut second, SECOND));
    let before = bounce(&mut first, SECOND);
    drop(second);
    let after = bounce(&mut first, SECOND);
    assert!(
        after == before,
        "dropping an instance changed another's sound"
    );
}
