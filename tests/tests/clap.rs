//! The built CLAP in a host.

mod driving;
mod scenes;
mod sound;

use std::sync::OnceLock;

use driving::{BLOCK_SIZE, FIT_STEPS, SAMPLE_RATE, bounce, set};
use scenes::LONGEST_BLOCK;
use sound::{assert_silent, assert_sounds, level_db};

use weft_core::procedural::{Texture, synthesize};
use weft_hosts::clap_host::{ClapPlugin, RenderMode};
use weft_hosts::measure::{copy_correlation, largest_step, peak};
use weft_hosts::{
    CLAP_BUNDLE, EventKind, Expression, Host as _, HostError, Note, Render, Rendered, Song, bundle,
};

const CAPTURE_S: usize = 2;
const CAPTURE_FRAMES: usize = CAPTURE_S * SAMPLE_RATE as usize;
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
            ("Fit Steps A", FIT_STEPS),
        ],
    );
    plugin
}

fn activate(plugin: &mut ClapPlugin, mode: RenderMode, block_size: usize) {
    driving::activate(plugin, mode, SAMPLE_RATE, block_size);
}

/// Captures `channels` by automation; what was heard meanwhile.
fn capture(plugin: &mut ClapPlugin, channels: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let port = plugin.capture_port().unwrap();
    driving::capture(plugin, port, channels, SAMPLE_RATE)
}

fn play(plugin: &mut ClapPlugin, frames: usize) -> Vec<Vec<f32>> {
    plugin.render(&Render::silent(frames)).unwrap().channels
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

#[test]
fn it_shows_its_ports_and_parameters() {
    let plugin = load();
    let capture = plugin.capture_port().unwrap();
    assert_eq!(plugin.inputs[capture].channels, 2);
    assert_eq!(plugin.outputs.len(), 1);
    assert_eq!(plugin.outputs[0].channels, 2);
    assert_eq!(plugin.parameters.len(), weft_hosts::PARAMETERS.len());
    for name in weft_hosts::PARAMETERS {
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
    use EventKind::{NoteOff, NoteOn};
    let mut plugin = fitted();
    assert_silent(&play(&mut plugin, 8 * BLOCK_SIZE));
    let second = SAMPLE_RATE as usize;
    let (on, off) = (second / 2 + 100, second + 200);
    let (note, velocity) = (Note::key(60), 1.0);
    let render = Render::silent(2 * second)
        .at(on, NoteOn { note, velocity })
        .at(off, NoteOff { note });
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
    set(&mut fitting, &[("Fit Steps A", "4000")]);
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

/// A plugin in an offline render that has fitted the tone, whose pitch can be measured. Fitted once
/// for all tests.
fn tonal() -> ClapPlugin {
    static STATE: OnceLock<Vec<u8>> = OnceLock::new();
    let state = STATE.get_or_init(|| {
        let mut plugin = load();
        activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
        let port = plugin.capture_port().unwrap();
        scenes::capture(&mut plugin, port, &scenes::tone(CAPTURE_FRAMES));
        plugin.save_state().unwrap()
    });
    let mut plugin = load();
    activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
    plugin.load_state(state).unwrap();
    plugin
}

#[test]
fn a_bounce_with_everything_is_the_same_in_every_block_size() {
    let mut plugin = fitted();
    activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
    scenes::assert_bounces_are_identical(&mut plugin);
}

#[test]
fn a_locked_bar_sounds_the_same_however_it_was_reached() {
    let mut plugin = fitted();
    activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
    scenes::assert_locked_bars_are_identical(&mut plugin);
}

#[test]
fn a_capture_in_a_bounce_is_the_same_every_time() {
    let bounced = |blocks: &[usize]| {
        let mut plugin = load();
        activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
        let port = plugin.capture_port().unwrap();
        scenes::capture_in_a_bounce(&mut plugin, port, blocks)
    };
    let first = bounced(&[512]);
    for blocks in [512, 333] {
        let again = bounced(&[blocks]);
        let difference = scenes::first_difference(&first, &again, 0);
        assert_eq!(difference, None, "blocks of {blocks}");
    }
}

#[test]
fn notes_have_pitches_of_their_own() {
    scenes::assert_notes_have_pitches_of_their_own(&mut tonal());
}

#[test]
fn modulation_of_a_note_reaches_no_other() {
    let mut plugin = tonal();
    scenes::set(&mut plugin, &[("Hold", 0.0)]);
    let pitch = plugin.parameter("Pitch").unwrap();
    // An octave, of the four that the parameter spans.
    let (id, amount) = (pitch.id, 0.25 * (pitch.max - pitch.min));
    let twins = [Note::numbered(11, 60), Note::numbered(12, 60)];
    let mut render = Render::silent(2 * scenes::SECOND).in_blocks(&[400]);
    for note in twins {
        let velocity = 0.5;
        render = render.at(77, EventKind::NoteOn { note, velocity });
    }
    let steady = |plugin: &mut ClapPlugin, render: &Render| {
        plugin.reset().unwrap();
        let channels = plugin.render(render).unwrap().channels;
        channels[0][scenes::SECOND..].to_vec()
    };
    scenes::assert_tones(&steady(&mut plugin, &render), &[0.0], &[12.0]);
    let note_id = 12;
    let modulated = render.at(
        5_001,
        EventKind::Modulation {
            id,
            note_id,
            amount,
        },
    );
    let both = steady(&mut plugin, &modulated);
    scenes::assert_tones(&both, &[0.0, 12.0], &[7.0]);
}

#[test]
fn a_loop_within_a_block_is_heard_from_its_own_sample() {
    let mut plugin = fitted();
    activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
    let song = Song::new(f64::from(SAMPLE_RATE), 120.0);
    let (bar, next) = (song.bar(17), song.bar(18));
    let bar_frames = (next - bar) as usize;
    scenes::set(&mut plugin, &[("Hold", 1.0), ("Lock to Timeline", 1.0)]);
    // No number of these blocks makes a bar.
    let render = Render::silent(2 * bar_frames)
        .in_song(&song, bar)
        .in_blocks(&[1_999])
        .at(bar_frames, EventKind::Locate { frame: bar });
    let looped = plugin.render(&render).unwrap();
    let straight = Render::silent(2 * bar_frames).in_song(&song, bar);
    plugin.reset().unwrap();
    let straight = plugin.render(&straight).unwrap();
    let first = |sound: &Rendered| sound.frames(0..bar_frames);
    let second = |sound: &Rendered| sound.frames(bar_frames..2 * bar_frames);
    let difference =
        |a: &[Vec<f32>], b: &[Vec<f32>]| scenes::first_difference(a, b, scenes::BRIDGE_FRAMES);
    assert_eq!(difference(&first(&looped), &first(&straight)), None);
    assert_eq!(difference(&second(&looped), &first(&straight)), None);
    assert!(difference(&second(&looped), &second(&straight)).is_some());
}

#[test]
fn every_note_ends_once() {
    let mut plugin = fitted();
    let notes: Vec<Note> = (0..40)
        .map(|i| Note {
            id: Some(100 + i),
            channel: (i % 16) as u8,
            // Some keys twice.
            key: 40 + (i % 30) as u8,
        })
        .collect();
    let mut render = Render::silent(3 * SAMPLE_RATE as usize).in_blocks(&[512, 100]);
    let velocity = 0.3;
    for (i, &note) in notes.iter().enumerate() {
        let start = 10 + 701 * i;
        render = render
            .at(start, EventKind::NoteOn { note, velocity })
            .at(start + 48_000, EventKind::NoteOff { note });
    }
    let rendered = plugin.render(&render).unwrap();
    let count = |note: Note| {
        let ends = rendered.ended_notes.iter().filter(|(_, end)| *end == note);
        ends.count()
    };
    assert_eq!(rendered.ended_notes.len(), notes.len());
    for &note in &notes {
        assert_eq!(count(note), 1, "{note:?}");
    }
    // More of them than voices: the first were ended for later ones, the last by their release.
    let (frame, _) = rendered.ended_notes[0];
    assert!(frame < 48_000, "no note was ended before its release");
    let (frame, last) = rendered.ended_notes[notes.len() - 1];
    let released = 10 + 701 * (notes.len() - 1) + 48_000;
    assert_eq!(last, notes[notes.len() - 1]);
    assert!((released..=released + ENVELOPE_FRAMES).contains(&frame));
    assert_silent(
        &rendered.frames(rendered.channels[0].len() - BLOCK_SIZE..rendered.channels[0].len()),
    );
}

#[test]
fn it_plays_at_every_rate_in_the_smallest_and_in_large_blocks() {
    let mut plugin = fitted();
    for rate in [8_000.0, 44_100.0, 96_000.0, 192_000.0] {
        for block_size in [1, 8_192] {
            plugin.deactivate().unwrap();
            plugin.activate(rate, block_size).unwrap();
            let half = bounce(&mut plugin, rate as usize / 2);
            assert!(peak(&half).is_finite());
            assert_sounds(&half);
        }
    }
}

#[test]
fn it_plays_on_in_real_time_while_it_fits() {
    let seconds = 5;
    let frames = seconds * SAMPLE_RATE as usize;
    let notes = |mut render: Render| {
        let velocity = 0.25;
        for i in 0..8 {
            let note = Note::numbered(i, 48 + 3 * i as u8);
            render = render.at(100 * i as usize, EventKind::NoteOn { note, velocity });
        }
        render
    };
    let mut plugin = fitted();
    activate(&mut plugin, RenderMode::Offline, 32);
    let reference = plugin.render(&notes(Render::silent(frames))).unwrap();
    let natural = largest_step(&reference.channels);

    let mut plugin = fitted();
    activate(&mut plugin, RenderMode::Realtime, 32);
    set(
        &mut plugin,
        &[("Capture Length", "1 s"), ("Fit Steps A", "10000")],
    );
    let port = plugin.capture_port().unwrap();
    let render = notes(Render::silent(frames))
        .feed(port, &recording())
        .at(0, plugin.automation("Capture", "On").unwrap())
        .at(9_600, plugin.automation("Capture", "Off").unwrap())
        .paced();
    let heard = plugin.render(&render).unwrap().channels;
    assert!(peak(&heard).is_finite());
    assert_sounds(&heard);
    let step = largest_step(&heard) / natural;
    println!("largest step {step:.2} of the bounce's");
    assert!(step < 2.0, "steps {step} times as large as in a bounce");
}

#[test]
fn what_was_played_before_does_not_change_a_bounce() {
    let (note, velocity) = (Note::key(60), 0.5);
    let on = |note: Note| EventKind::NoteOn { note, velocity };
    let settings = [("Hold", 0.0), ("Key Follow", 1.0), ("Pitch", 0.5)];
    let fresh = || {
        let mut plugin = fitted();
        scenes::set(&mut plugin, &settings);
        plugin
    };
    // More notes than have streams in readiness, after a move of the pitch.
    let mut bounce = Render::silent(30_000).at(5, on(note));
    for key in 50..58 {
        bounce = bounce.at(10_000, on(Note::key(key)));
    }
    let plugin = fresh();
    let moved = plugin.move_to("Pitch", 0.7).unwrap();
    let still = plugin.move_to("Pitch", 0.5).unwrap();
    let bounce = bounce.at(0, still).at(9_000, moved);
    let bounced = |mut plugin: ClapPlugin| {
        activate(&mut plugin, RenderMode::Offline, BLOCK_SIZE);
        plugin.reset().unwrap();
        plugin.render(&bounce).unwrap().channels
    };
    let expected = bounced(fresh());

    let tuned = EventKind::Expression {
        note,
        expression: Expression::Tuning,
        value: 7.0,
    };
    let before: [(&str, RenderMode, Render); 4] = [
        ("the same", RenderMode::Offline, bounce.clone()),
        (
            "a tuned note",
            RenderMode::Offline,
            Render::silent(20_000).at(5, on(note)).at(5, tuned),
        ),
        (
            "another key",
            RenderMode::Offline,
            Render::silent(20_000).at(5, on(Note::key(72))),
        ),
        (
            "the same in real time",
            RenderMode::Realtime,
            bounce.clone(),
        ),
    ];
    for (name, mode, render) in before {
        let mut plugin = fresh();
        activate(&mut plugin, mode, BLOCK_SIZE);
        plugin.render(&render).unwrap();
        let difference = scenes::first_difference(&expected, &bounced(plugin), 0);
        assert_eq!(difference, None, "after {name}");
    }
}
