//! The built VST3 in a host.

mod common;

use weft_core::procedural::{Texture, synthesize};
use weft_hosts::clap::{ClapPlugin, RenderMode};
use weft_hosts::vst3::{ProcessMode, Vst3Plugin};
use weft_hosts::{CLAP_BUNDLE, EventKind, Host as _, Note, Render, VST3_BUNDLE, bundle};

use common::scenes::{self, LONGEST_BLOCK};
use common::sound::{assert_silent, assert_sounds};

const SAMPLE_RATE: u32 = 48_000;
const BLOCK_SIZE: usize = 512;
const CAPTURE_S: usize = 2;
const CAPTURE_FRAMES: usize = CAPTURE_S * SAMPLE_RATE as usize;
/// Input bus of the capture input, behind the main input.
const CAPTURE_BUS: usize = 1;
const SECOND: usize = SAMPLE_RATE as usize;

fn load(mode: ProcessMode) -> Vst3Plugin {
    load_for(mode, BLOCK_SIZE)
}

fn load_for(mode: ProcessMode, block_size: usize) -> Vst3Plugin {
    let path = bundle(VST3_BUNDLE).unwrap();
    let rate = f64::from(SAMPLE_RATE);
    let mut plugin = Vst3Plugin::load(&path, rate, block_size).unwrap();
    plugin.set_process_mode(mode).unwrap();
    plugin
}

fn set_mode(plugin: &mut Vst3Plugin, mode: ProcessMode) {
    plugin.set_process_mode(mode).unwrap();
}

fn rain() -> Vec<Vec<f32>> {
    synthesize(Texture::Rain, 7, SAMPLE_RATE, CAPTURE_S as f64).into_channels()
}

/// Captures `recording` by automation and waits for the fit as a bounce does.
fn fitted(recording: &[Vec<f32>]) -> Vst3Plugin {
    let mut plugin = load(ProcessMode::Realtime);
    let settings = Render::silent(BLOCK_SIZE)
        .at(0, plugin.automation("Fit Steps A", 100.0).unwrap())
        .at(
            0,
            plugin
                .automation("Capture Length", CAPTURE_S as f64)
                .unwrap(),
        )
        .at(0, plugin.switch("Capture", false).unwrap());
    plugin.render(&settings).unwrap();
    let render = Render::silent(CAPTURE_FRAMES + SECOND / 2)
        .feed(CAPTURE_BUS, recording)
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
    assert_eq!(names.len(), weft_hosts::PARAMETERS.len(), "{names:?}");
    for name in weft_hosts::PARAMETERS {
        assert!(
            names.iter().any(|shown| shown == name),
            "no {name} in {names:?}"
        );
    }
}

#[test]
fn it_captures_plays_and_travels_in_a_project() {
    let mut plugin = fitted(&rain());
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
    let (note, velocity) = (Note::key(64), 1.0);
    let note = Render::silent(2 * SECOND)
        .at(0, EventKind::NoteOn { note, velocity })
        .at(SECOND, EventKind::NoteOff { note });
    let played = reopened.render(&note).unwrap();
    assert_sounds(&played.frames(0..SECOND));
    assert_silent(&played.frames(SECOND + SECOND / 2..2 * SECOND));
}

#[test]
fn slots_and_what_was_grabbed_travel_in_a_project() {
    let mut plugin = fitted(&rain());
    let in_a = bounce(&mut plugin, SECOND);
    let third = 2.0 / 3.0;
    let to_c = plugin.move_to("Slot", third).unwrap();
    let fire = synthesize(Texture::Fire, 7, SAMPLE_RATE, 2.0).into_channels();
    let heard = Render::silent(CAPTURE_FRAMES)
        .feed(CAPTURE_BUS, &fire)
        .at(0, to_c)
        .at(0, plugin.automation("Fit Steps C", 100.0).unwrap())
        .at(0, plugin.switch("Grab", false).unwrap());
    plugin.render(&heard).unwrap();
    let grab = Render::silent(BLOCK_SIZE).at(0, plugin.switch("Grab", true).unwrap());
    plugin.render(&grab).unwrap();
    // The fit keeps to the song.
    plugin.render(&Render::silent(SECOND)).unwrap();
    let in_c = bounce(&mut plugin, SECOND);
    assert_sounds(&in_c);
    assert!(in_c != in_a);

    let mut reopened = load(ProcessMode::Offline);
    reopened.load_state(&plugin.save_state().unwrap()).unwrap();
    assert!(bounce(&mut reopened, SECOND) == in_c);
    let to_a = reopened.move_to("Slot", 0.0).unwrap();
    reopened
        .render(&Render::silent(BLOCK_SIZE).at(0, to_a))
        .unwrap();
    assert!(bounce(&mut reopened, SECOND) == in_a);
}

#[test]
fn two_instances_do_not_disturb_each_other() {
    let mut first = fitted(&rain());
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

/// Both formats, each of which has captured and fitted the rain in an offline render, for blocks of
/// any length.
fn both_formats() -> (Vst3Plugin, ClapPlugin) {
    let mut vst3 = load_for(ProcessMode::Offline, LONGEST_BLOCK);
    scenes::capture(&mut vst3, CAPTURE_BUS, &rain());
    let mut clap = load_clap();
    let port = clap.capture_port().unwrap();
    scenes::capture(&mut clap, port, &rain());
    (vst3, clap)
}

/// The other format, in an offline render.
fn load_clap() -> ClapPlugin {
    let mut clap = ClapPlugin::load(&bundle(CLAP_BUNDLE).unwrap()).unwrap();
    clap.set_render_mode(RenderMode::Offline).unwrap();
    clap.activate(f64::from(SAMPLE_RATE), LONGEST_BLOCK)
        .unwrap();
    clap
}

#[test]
fn a_bounce_with_everything_is_the_same_in_every_block_size_and_in_clap() {
    let (mut vst3, mut clap) = both_formats();
    let first = scenes::assert_bounces_are_identical(&mut vst3);
    let other = scenes::assert_bounces_are_identical(&mut clap);
    assert_eq!(scenes::first_difference(&first, &other, 0), None);
}

#[test]
fn a_locked_bar_sounds_the_same_however_it_was_reached_and_in_clap() {
    let (mut vst3, mut clap) = both_formats();
    let first = scenes::assert_locked_bars_are_identical(&mut vst3);
    let other = scenes::assert_locked_bars_are_identical(&mut clap);
    assert_eq!(scenes::first_difference(&first, &other, 0), None);
}

#[test]
fn a_capture_in_a_bounce_is_the_same_every_time_and_in_clap() {
    let bounced = |blocks: &[usize]| {
        let mut plugin = load_for(ProcessMode::Offline, LONGEST_BLOCK);
        scenes::capture_in_a_bounce(&mut plugin, CAPTURE_BUS, blocks)
    };
    let first = bounced(&[512]);
    for blocks in [512, 333] {
        let again = bounced(&[blocks]);
        let difference = scenes::first_difference(&first, &again, 0);
        assert_eq!(difference, None, "blocks of {blocks}");
    }
    let mut clap = load_clap();
    let port = clap.capture_port().unwrap();
    let other = scenes::capture_in_a_bounce(&mut clap, port, &[512]);
    assert_eq!(scenes::first_difference(&first, &other, 0), None);
}

#[test]
fn notes_have_pitches_of_their_own() {
    let mut plugin = fitted(&scenes::tone(CAPTURE_FRAMES));
    scenes::assert_notes_have_pitches_of_their_own(&mut plugin);
}

#[test]
fn mpe_voices_have_hands_of_their_own() {
    let mut plugin = fitted(&scenes::tone(CAPTURE_FRAMES));
    scenes::assert_mpe_voices_have_hands_of_their_own(&mut plugin);
}

/// What random messages are sent to: the instrument in a bounce and in real time, and the effect, with short
/// envelopes.
fn players() -> [Vst3Plugin; 3] {
    let mut synth = load_for(ProcessMode::Offline, LONGEST_BLOCK);
    scenes::capture(&mut synth, CAPTURE_BUS, &rain());
    let mut live = load_for(ProcessMode::Realtime, LONGEST_BLOCK);
    live.load_state(&synth.save_state().unwrap()).unwrap();
    let (path, rate) = (bundle(VST3_BUNDLE).unwrap(), f64::from(SAMPLE_RATE));
    let mut effect = Vst3Plugin::load_effect(&path, rate, LONGEST_BLOCK).unwrap();
    effect.set_process_mode(ProcessMode::Offline).unwrap();
    scenes::capture(&mut effect, 0, &rain());
    let mut players = [synth, live, effect];
    for player in &mut players {
        scenes::set(player, &scenes::SHORT_NOTES);
    }
    players
}

#[test]
fn random_messages_in_random_calls_leave_no_note() {
    let [mut synth, mut live, mut effect] = players();
    scenes::assert_no_note_hangs(&mut [&mut synth, &mut live, &mut effect], &|_| None);
}

#[test]
fn a_key_or_a_pedal_that_stays_down_is_heard() {
    let [mut synth, _, mut effect] = players();
    scenes::assert_what_is_kept_is_found(&mut [&mut synth, &mut effect], &|_| None);
}
