//! Notes of the built CLAP: pitches, modulation, and their ends.

mod common;

use weft_hosts::clap::{ClapPlugin, RenderMode};
use weft_hosts::{CLAP_BUNDLE, EventKind, Note, Render, bundle};

use common::driving::{self, BLOCK_SIZE, SAMPLE_RATE};
use common::rain::{ENVELOPE_FRAMES, fitted, load, recording, tonal};
use common::scenes::{self, LONGEST_BLOCK};
use common::sound::assert_silent;

#[test]
fn notes_have_pitches_of_their_own() {
    scenes::assert_notes_have_pitches_of_their_own(&mut tonal());
}

#[test]
fn mpe_voices_have_hands_of_their_own() {
    scenes::assert_mpe_voices_have_hands_of_their_own(&mut tonal());
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

/// What random messages are sent to: the instrument in a bounce and in real time, and the effect, with short
/// envelopes.
fn players() -> [ClapPlugin; 3] {
    let mut synth = load();
    driving::activate(&mut synth, RenderMode::Offline, SAMPLE_RATE, LONGEST_BLOCK);
    let port = synth.capture_port().unwrap();
    scenes::capture(&mut synth, port, &recording());
    let mut live = load();
    live.load_state(&synth.save_state().unwrap()).unwrap();
    driving::activate(&mut live, RenderMode::Realtime, SAMPLE_RATE, LONGEST_BLOCK);
    let mut effect = ClapPlugin::load_nth(&bundle(CLAP_BUNDLE).unwrap(), 1).unwrap();
    driving::activate(&mut effect, RenderMode::Offline, SAMPLE_RATE, LONGEST_BLOCK);
    scenes::capture(&mut effect, 0, &recording());
    let mut players = [synth, live, effect];
    for player in &mut players {
        scenes::set(player, &scenes::SHORT_NOTES);
    }
    players
}

/// Polyphonic modulation, which VST3 has not.
fn modulated(plugin: &ClapPlugin) -> impl Fn(i32) -> Option<EventKind> + use<> {
    let (id, amount) = (plugin.parameter("Gain").unwrap().id, -3.0);
    move |note_id| {
        Some(EventKind::Modulation {
            id,
            note_id,
            amount,
        })
    }
}

#[test]
fn random_messages_in_random_calls_leave_no_note() {
    let [mut synth, mut live, mut effect] = players();
    let special = modulated(&synth);
    scenes::assert_no_note_hangs(&mut [&mut synth, &mut live, &mut effect], &special);
}

#[test]
fn a_key_or_a_pedal_that_stays_down_is_heard() {
    let [mut synth, _, mut effect] = players();
    let special = modulated(&synth);
    scenes::assert_what_is_kept_is_found(&mut [&mut synth, &mut effect], &special);
}
