//! The built CLAP in projects: what is saved, and what comes back, in another process too.

mod common;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use weft_core::procedural::Texture;
use weft_hosts::clap::{ClapPlugin, RenderMode};
use weft_hosts::measure::fingerprint;
use weft_hosts::{EventKind, Note, Render};

use common::driving::{SAMPLE_RATE, bounce, set};
use common::sound::assert_sounds;
use common::two_slots::{activate, active, bounce_slots, capture, fitted_state, recording, slots};

/// The largest state of an 8 s stereo slot, in bytes: what hosts keep for every step of their undo.
const LARGEST_SLOT: usize = 4_000_000;

/// Names the state that a test in another process is to play.
const STATE_VARIABLE: &str = "WEFT_TEST_STATE";

/// Plays what `a_project_sounds_the_same_in_another_process` hands over; without that, nothing is to be done.
#[test]
fn play_the_state_of_another_process() {
    let Ok(path) = std::env::var(STATE_VARIABLE) else {
        return;
    };
    let mut plugin = active(RenderMode::Offline);
    plugin.load_state(&std::fs::read(path).unwrap()).unwrap();
    println!(
        "fingerprint {:016x}",
        fingerprint(&bounce_slots(&mut plugin))
    );
}

fn fingerprint_elsewhere(state: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "play_the_state_of_another_process",
            "--nocapture",
        ])
        .env(STATE_VARIABLE, state)
        .output()
        .unwrap();
    assert!(output.status.success());
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, rest) = output.split_once("fingerprint ").expect("a fingerprint");
    rest.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_project_sounds_the_same_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weft.state");
    std::fs::write(&path, fitted_state()).unwrap();
    let mut plugin = active(RenderMode::Offline);
    plugin.load_state(fitted_state()).unwrap();
    let channels = bounce_slots(&mut plugin);
    let second = SAMPLE_RATE as usize;
    for from in [second / 4, second * 5 / 4] {
        let part = channels.iter().map(|c| c[from..from + second / 2].to_vec());
        assert_sounds(&part.collect::<Vec<_>>());
    }
    let here = format!("{:016x}", fingerprint(&channels));
    println!("fingerprint of two slots {here}");
    assert_eq!(fingerprint_elsewhere(&path), here);
    // What the loaded project saves is the same again.
    assert!(slots(&plugin.save_state().unwrap()) == slots(fitted_state()));
}

#[test]
fn states_are_small_and_sound_at_once() {
    let stereo = recording(Texture::Rain, 8.0);
    let mono = vec![recording(Texture::Fire, 4.0).remove(0)];
    for (name, channels) in [("8 s stereo", stereo), ("4 s mono", mono)] {
        let mut plugin = active(RenderMode::Offline);
        capture(&mut plugin, &channels, SAMPLE_RATE);
        set(&mut plugin, &[("Hold", "On")]);
        let state = plugin.save_state().unwrap();
        let mut fresh = active(RenderMode::Realtime);
        let began = Instant::now();
        fresh.load_state(&state).unwrap();
        let loaded = began.elapsed();
        loop {
            let sound = fresh.render(&Render::silent(64)).unwrap().channels;
            if sound[0].iter().any(|x| *x != 0.0) {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it stays silent");
        }
        let size = state.len();
        println!(
            "{name}: {size} bytes, loaded after {:.0} ms, first sample after {:.0} ms",
            1e3 * loaded.as_secs_f64(),
            1e3 * began.elapsed().as_secs_f64()
        );
        assert!(size <= LARGEST_SLOT, "{name}: {size} bytes");
    }
}

#[test]
fn states_are_saved_and_loaded_while_it_plays() {
    let second = SAMPLE_RATE as usize;
    let mut plugin = active(RenderMode::Offline);
    plugin.load_state(fitted_state()).unwrap();
    let expected = bounce_slots(&mut plugin);
    set(&mut plugin, &[("Slot", "A"), ("Hold", "Off")]);
    capture(&mut plugin, &recording(Texture::Wind, 1.5), SAMPLE_RATE);
    let states = [fitted_state().to_vec(), plugin.save_state().unwrap()];
    let known = states.each_ref().map(|state| slots(state));
    assert!(known[0] != known[1]);

    activate(&mut plugin, RenderMode::Realtime, SAMPLE_RATE);
    let keys = 57..65;
    let render = keys.fold(Render::silent(4 * second).paced(), |render, key| {
        let (note, velocity) = (Note::key(key), 0.5);
        render.at(0, EventKind::NoteOn { note, velocity })
    });
    let (mut saves, mut loads) = (0, 0);
    let mut watch = |plugin: &mut ClapPlugin| {
        let saved = plugin.save_state().unwrap();
        saves += 1;
        // Always the one or the other, never something of both.
        assert!(known.contains(&slots(&saved)));
        // Several times a second.
        if saves % 4 == 0 {
            plugin.load_state(&states[loads % 2]).unwrap();
            loads += 1;
            assert!(slots(&plugin.save_state().unwrap()) == known[(loads - 1) % 2]);
        }
    };
    let sound = plugin.render_watched(&render, &mut watch).unwrap();
    println!("{saves} saves and {loads} loads in 4 s of sound");
    assert!(loads > 1, "both states were loaded");
    for quarter in 1..8 {
        let part = quarter * second / 2..(quarter + 1) * second / 2;
        assert_sounds(&sound.frames(part));
    }
    activate(&mut plugin, RenderMode::Offline, SAMPLE_RATE);
    plugin.load_state(fitted_state()).unwrap();
    assert!(bounce_slots(&mut plugin) == expected);
}

#[test]
fn an_unfinished_fit_goes_on_when_the_project_is_opened() {
    let mut plugin = active(RenderMode::Realtime);
    // Long enough not to be done when it is saved, and done well within what a bounce waits for a fit.
    set(&mut plugin, &[("Fit Steps A", "300")]);
    capture(&mut plugin, &recording(Texture::Rain, 2.0), SAMPLE_RATE);
    // The worker hears of the capture a moment later.
    let unfinished = loop {
        let state = plugin.save_state().unwrap();
        if slots(&state).len() > 10_000 {
            break state;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    drop(plugin);
    let finished = |state: &[u8]| {
        let mut plugin = active(RenderMode::Offline);
        plugin.load_state(state).unwrap();
        let sound = bounce(&mut plugin, SAMPLE_RATE as usize);
        assert_sounds(&sound);
        (plugin.save_state().unwrap(), sound)
    };
    let (state, sound) = finished(&unfinished);
    assert!(state != unfinished);
    let (again, same) = finished(&state);
    assert!(
        again == state && same == sound,
        "the fit was done only once"
    );
}

#[test]
fn it_goes_on_through_changes_of_rate_and_rest() {
    let mut plugin = active(RenderMode::Offline);
    plugin.load_state(fitted_state()).unwrap();
    let expected = bounce(&mut plugin, 9_600);
    for rate in [44_100, 96_000, 8_000, 192_000, SAMPLE_RATE] {
        activate(&mut plugin, RenderMode::Offline, rate);
        assert_sounds(&bounce(&mut plugin, rate as usize / 2));
        // A state may come while nothing is active.
        plugin.deactivate().unwrap();
        plugin.load_state(fitted_state()).unwrap();
        plugin.save_state().unwrap();
        activate(&mut plugin, RenderMode::Offline, rate);
    }
    assert!(bounce(&mut plugin, 9_600) == expected);
}

#[test]
fn what_was_heard_can_be_grabbed_by_automation() {
    let mut plugin = active(RenderMode::Offline);
    let rain = recording(Texture::Rain, 3.0);
    set(&mut plugin, &[("Capture Length", "2"), ("Grab", "Off")]);
    let port = plugin.capture_port().unwrap();
    let frames = rain[0].len();
    let render = Render::silent(frames).feed(port, &rain);
    plugin.render(&render).unwrap();
    set(&mut plugin, &[("Grab", "On")]);
    assert_sounds(&bounce(&mut plugin, SAMPLE_RATE as usize));
    assert!(plugin.dirty_marks() > 0, "the host was not told");
}
