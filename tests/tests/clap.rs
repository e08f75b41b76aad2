//! The built CLAP in a host: what it shows, captures and plays, and what it refuses.

mod common;

use weft_hosts::clap::RenderMode;
use weft_hosts::measure::{copy_correlation, largest_step, peak};
use weft_hosts::{EventKind, HostError, Note, Render};

use common::driving::{BLOCK_SIZE, SAMPLE_RATE, bounce, set};
use common::rain::{
    CAPTURE_FRAMES, ENVELOPE_FRAMES, activate, active, capture, capture_and_fit, fitted,
    fitted_state, load, play, recording,
};
use common::sound::{assert_silent, assert_sounds, level_db};

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
