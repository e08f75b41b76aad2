//! The built CLAP in a host.

mod sound;

use std::sync::OnceLock;

use sound::{assert_silent, assert_sounds, level_db};

use weft_core::procedural::{Texture, synthesize};
use weft_hosts::clap_host::{ClapPlugin, RenderMode};
use weft_hosts::measure::{copy_correlation, largest_step, peak};
use weft_hosts::{CLAP_BUNDLE, HostError, Render, bundle};

const SAMPLE_RATE: u32 = 48_000;
const BLOCK_SIZE: usize = 512;
const CAPTURE_S: usize = 2;
const CAPTURE_FRAMES: usize = CAPTURE_S * SAMPLE_RATE as usize;
/// The fewest steps that the parameter allows: these tests ask whether it plays, not how well.
const FIT_STEPS: &str = "100";
/// The longest attack and release used here, in frames.
const ENVELOPE_FRAMES: usize = SAMPLE_RATE as usize / 10;

fn recording() -> Vec<Vec<f32>> {
    synthesize(Texture::Rain, 7, SAMPLE_RATE, CAPTURE_S as f64).into_channels()
}

fn load() -> ClapPlugin {
    ClapPlugin::load(&bundle(CLAP_BUNDLE).unwrap()).unwrap()
}

/// A plugin that processes in `mode`, with short envelopes.
fn active(mode: RenderMode) -> ClapPlugin {
    let mut plugin = load();
    activate(&mut plugin, mode, BLOCK_SIZE);
    set(
        &mut plugin,
        &[
            ("Attack", "10 ms"),
            ("Release", "50 ms"),
            ("Fit steps", FIT_STEPS),
        ],
    );
    plugin
}

fn activate(plugin: &mut ClapPlugin, mode: RenderMode, block_size: usize) {
    plugin.deactivate().unwrap();
    plugin.set_render_mode(mode).unwrap();
    plugin.activate(f64::from(SAMPLE_RATE), block_size).unwrap();
}

/// Sets parameters by automation, in a block of their own.
fn set(plugin: &mut ClapPlugin, values: &[(&str, &str)]) {
    let mut render = Render::silent(BLOCK_SIZE);
    for (name, text) in values {
        render = render.at(0, plugin.automation(name, text).unwrap());
    }
    plugin.render(&render).unwrap();
}

fn play(plugin: &mut ClapPlugin, frames: usize) -> Vec<Vec<f32>> {
    plugin.render(&Render::silent(frames)).unwrap().channels
}

/// Captures `channels` by automation; what was heard meanwhile.
fn capture(plugin: &mut ClapPlugin, channels: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let length = (CAPTURE_S).to_string();
    set(plugin, &[("Capture", "Off"), ("Capture length", &length)]);
    let port = plugin.capture_port().unwrap();
    let render = Render::silent(CAPTURE_FRAMES + BLOCK_SIZE)
        .feed(port, channels)
        .at(0, plugin.automation("Capture", "On").unwrap())
        .at(CAPTURE_FRAMES, plugin.automation("Capture", "Off").unwrap());
    plugin.render(&render).unwrap().channels
}

/// Captures in real time and waits for the fit as a bounce does.
fn capture_and_fit(plugin: &mut ClapPlugin, channels: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let heard = capture(plugin, channels);
    activate(plugin, RenderMode::Offline, BLOCK_SIZE);
    play(plugin, BLOCK_SIZE);
    heard
}

/// State of a plugin that has fitted the recording, with *Hold* off. Fitted once for all tests.
fn fitted_state() -> &'static [u8] {
    static STATE: OnceLock<Vec<u8>> = OnceLock::new();
    STATE.get_or_init(|| {
        let mut plugin = active(RenderMode::Realtime);
        capture_and_fit(&mut plugin, &recording());
        plugin.save_state().unwrap()
    })
}

/// A plugin with the fitted texture, in an offline render.
fn fitted() -> ClapPlugin {
    let mut plugin = active(RenderMode::Offline);
    plugin.load_state(fitted_state()).unwrap();
    plugin
}

/// `frames` frames from the stream's start with *Hold* on.
fn bounce(plugin: &mut ClapPlugin, frames: usize) -> Vec<Vec<f32>> {
    plugin.reset().unwrap();
    let render = Render::silent(frames).at(0, plugin.automation("Hold", "On").unwrap());
    plugin.render(&render).unwrap().channels
}

#[test]
fn it_shows_its_ports_and_parameters() {
    let plugin = load();
    let capture = plugin.capture_port().unwrap();
    assert_eq!(plugin.inputs[capture].channels, 2);
    assert_eq!(plugin.outputs.len(), 1);
    assert_eq!(plugin.outputs[0].channels, 2);
    for name in [
        "Gain",
        "Attack",
        "Release",
        "Hold",
        "Seed",
        "Capture",
        "Capture length",
        "Fit steps",
    ] {
        let parameter = plugin.parameter(name).unwrap();
        let range = parameter.min..=parameter.max;
        assert!(range.contains(&parameter.default), "{parameter:?}");
    }
}

#[test]
fn it_captures_and_plays_on_after_the_input_has_gone_silent() {
    let recording = recording();
    let mut plugin = active(RenderMode::Realtime);
    let heard = capture_and_fit(&mut plugin, &recording);
    assert_silent(&heard);

    let frames = 4 * SAMPLE_RATE as usize;
    let endless = bounce(&mut plugin, frames);
    assert_sounds(&endless);
    let difference = level_db(&endless) - level_db(&recording);
    assert!(
        difference.abs() < 6.0,
        "{difference} dB off the recording's level"
    );
    let step = largest_step(&endless) / largest_step(&recording);
    assert!(
        step < 2.0,
        "steps {step} times as large as in the recording"
    );
    // No 100 ms of the output are the capture's.
    let excerpt_frames = SAMPLE_RATE as usize / 10;
    for start in (ENVELOPE_FRAMES..frames - excerpt_frames).step_by(frames / 10) {
        for (channel, recorded) in endless.iter().zip(&recording) {
            let excerpt = &channel[start..start + excerpt_frames];
            let copied = copy_correlation(excerpt, recorded);
            assert!(copied < 0.8, "{copied} like the capture at frame {start}");
        }
    }

    set(&mut plugin, &[("Hold", "Off")]);
    play(&mut plugin, ENVELOPE_FRAMES);
    assert_silent(&play(&mut plugin, BLOCK_SIZE * 8));
}

#[test]
fn notes_open_and_close_the_gate() {
    use weft_hosts::EventKind::{NoteOff, NoteOn};
    let mut plugin = fitted();
    assert_silent(&play(&mut plugin, 8 * BLOCK_SIZE));
    let second = SAMPLE_RATE as usize;
    let (on, off) = (second / 2 + 100, second + 200);
    let velocity = 1.0;
    let render = Render::silent(2 * second)
        .at(on, NoteOn { key: 60, velocity })
        .at(off, NoteOff { key: 60 });
    let rendered = plugin.render(&render).unwrap();
    assert_silent(&rendered.frames(0..on));
    assert_sounds(&rendered.frames(on..off));
    assert_silent(&rendered.frames(off + ENVELOPE_FRAMES..2 * second));
}

#[test]
fn a_loaded_project_sounds_at_once_and_the_same() {
    let frames = 2 * SAMPLE_RATE as usize;
    let mut first = fitted();
    let mut second = fitted();
    let bounced = bounce(&mut first, frames);
    assert!(
        bounced == bounce(&mut second, frames),
        "two instances differ"
    );
    assert!(bounced == bounce(&mut first, frames), "two bounces differ");
    let start: Vec<_> = bounced
        .iter()
        .map(|channel| channel[..ENVELOPE_FRAMES].to_vec())
        .collect();
    assert_sounds(&start);
}

#[test]
fn a_bounce_does_not_depend_on_the_block_size() {
    let frames = SAMPLE_RATE as usize;
    let mut plugin = fitted();
    let whole = bounce(&mut plugin, frames);
    for block_size in [32, 1000] {
        activate(&mut plugin, RenderMode::Offline, block_size);
        let cut = bounce(&mut plugin, frames);
        assert!(
            cut == whole,
            "blocks of {block_size} frames sound different"
        );
    }
}

#[test]
fn seeds_sound_different() {
    let frames = SAMPLE_RATE as usize;
    let mut plugin = fitted();
    set(&mut plugin, &[("Seed", "1")]);
    let first = bounce(&mut plugin, frames);
    set(&mut plugin, &[("Seed", "2"), ("Hold", "Off")]);
    let second = bounce(&mut plugin, frames);
    assert_sounds(&second);
    let alike = copy_correlation(&first[0][ENVELOPE_FRAMES..2 * ENVELOPE_FRAMES], &second[0]);
    assert!(alike < 0.8, "{alike} alike");
}

#[test]
fn instances_are_independent() {
    let mut playing = fitted();
    let mut empty = active(RenderMode::Offline);
    assert_sounds(&bounce(&mut playing, SAMPLE_RATE as usize));
    assert_silent(&bounce(&mut empty, SAMPLE_RATE as usize));
    drop(playing);
    empty.load_state(fitted_state()).unwrap();
    assert_sounds(&bounce(&mut empty, SAMPLE_RATE as usize));
}

#[test]
fn dropping_it_during_a_fit_is_clean() {
    let mut other = active(RenderMode::Realtime);
    let mut fitting = active(RenderMode::Realtime);
    set(&mut fitting, &[("Fit steps", "4000")]);
    capture(&mut fitting, &recording());
    drop(fitting);
    // The library is still loaded, and whole.
    capture_and_fit(&mut other, &recording());
    assert_sounds(&bounce(&mut other, SAMPLE_RATE as usize));
}

#[test]
fn a_state_that_cannot_be_read_leaves_what_plays() {
    let frames = SAMPLE_RATE as usize / 2;
    let mut plugin = fitted();
    let before = bounce(&mut plugin, frames);
    let state = fitted_state();
    let truncated = &state[..state.len() / 2];
    for garbage in [&b""[..], b"no state at all", &[0xff; 4096], truncated] {
        let refused = plugin.load_state(garbage);
        assert!(
            matches!(refused, Err(HostError::Refused { .. })),
            "{} bytes of garbage were taken",
            garbage.len()
        );
    }
    let after = bounce(&mut plugin, frames);
    assert!(after == before, "the texture has changed");
}

#[test]
fn a_damaged_texture_in_a_whole_state_leaves_what_plays() {
    let frames = SAMPLE_RATE as usize / 2;
    let mut plugin = fitted();
    let before = bounce(&mut plugin, frames);
    // The texture is by far the longest string in the state: its middle lies in that text.
    // Exclamation marks make it unreadable, a run of As leaves readable text of a broken file.
    for filling in [b'!', b'A'] {
        let mut damaged = fitted_state().to_vec();
        let middle = damaged.len() / 2;
        damaged[middle - 400..middle + 400].fill(filling);
        // Whether the host is told or the window, the sound goes on.
        let _ = plugin.load_state(&damaged);
    }
    let after = bounce(&mut plugin, frames);
    assert!(after == before, "the texture has changed");
}

#[test]
fn a_silent_capture_does_not_replace_what_plays() {
    let frames = SAMPLE_RATE as usize / 2;
    let mut plugin = fitted();
    let before = bounce(&mut plugin, frames);
    capture(&mut plugin, &[vec![0.0; CAPTURE_FRAMES]]);
    let after = bounce(&mut plugin, frames);
    assert!(after == before, "the texture has changed");
}

#[test]
fn samples_that_are_no_numbers_do_not_replace_what_plays() {
    let frames = SAMPLE_RATE as usize / 2;
    let mut plugin = fitted();
    let before = bounce(&mut plugin, frames);
    let mut broken = recording();
    broken[0][1000] = f32::NAN;
    broken[1][2000] = f32::INFINITY;
    let heard = capture(&mut plugin, &broken);
    assert!(peak(&heard).is_finite());
    let after = bounce(&mut plugin, frames);
    assert!(after == before, "the texture has changed");
}
