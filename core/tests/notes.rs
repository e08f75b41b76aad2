//! Notes: each has a stream and controls of its own, begins on its sample, and leaves nothing behind.

mod support;

use weft_core::instrument::{Controls, NoteAddress, NoteControl, POLYPHONY, Player};

use support::clips::RATE;
use support::host::{GATE, HOLD, bouncing_with};
use support::measures::{db, largest_step, rms};
use support::models;

#[test]
fn a_note_starts_on_its_sample() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    host.drive(None, 1_000, || 256, |_, _| GATE);
    host.note_on(NoteAddress::key(60), 1.0);
    let [left, _] = host.drive(None, 1_000, || 32, |_, _| GATE);
    let onset = left.iter().position(|x| *x != 0.0);
    println!("first sample that is not silent: {onset:?}");
    assert!(onset.unwrap() < 2);
}

#[test]
fn notes_have_streams_and_controls_of_their_own() {
    let (_instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let note = |channel: u8, key: u8| NoteAddress {
        note_id: None,
        channel: Some(channel),
        key: Some(key),
    };
    let mut sound = |setup: &dyn Fn(&mut Player)| {
        host.reset();
        setup(&mut host);
        host.drive(None, 8_000, || 256, |_, _| GATE)
    };
    let one = sound(&|p| p.note_on(note(0, 60), 1.0));
    let two = sound(&|p| {
        p.note_on(note(0, 60), 1.0);
        p.note_on(note(1, 60), 1.0);
    });
    // Independent streams add up in power, not in amplitude.
    let more = db(rms(&two[0]) / rms(&one[0]));
    assert!((1.5..4.5).contains(&more), "{more} dB");
    let soft = sound(&|p| p.note_on(note(0, 60), 0.5));
    assert!((db(rms(&soft[0]) / rms(&one[0])) + 6.02).abs() < 0.1);
    // An expression reaches the note that it names.
    let panned = sound(&|p| {
        p.note_on(note(0, 60), 1.0);
        p.control_note(note(1, 60), NoteControl::Volume, 0.0);
        p.control_note(note(0, 60), NoteControl::Pan, 1.0);
    });
    assert!(rms(&panned[0][1_000..]) < 0.02 * rms(&panned[1][1_000..]));
    let choked = sound(&|p| {
        p.note_on(note(0, 60), 1.0);
        p.choke(note(0, 60));
    });
    assert_eq!(rms(&choked[0][2_000..]), 0.0);
}

#[test]
fn two_hundred_notes_a_second_leave_nothing_behind() {
    let (instrument, mut host) = bouncing_with(models::rain(), f64::from(RATE));
    let controls = Controls {
        key_follow: true,
        ..GATE
    };
    const SECONDS: usize = 10;
    let every = RATE as usize / 200;
    let mut ended = 0;
    let [left, _] = host.drive(
        None,
        SECONDS * RATE as usize,
        || every,
        |player, done| {
            let i = (done / every) as i32;
            let note = |i: i32| NoteAddress {
                note_id: Some(i),
                channel: Some(0),
                key: Some(36 + (i * 13 % 48) as u8),
            };
            player.note_on(note(i), 0.5);
            if i >= 10 {
                player.note_off(note(i - 10));
            }
            while player.next_ended_note().is_some() {
                ended += 1;
            }
            controls
        },
    );
    assert!(instrument.status().voices as usize <= POLYPHONY);
    let step = largest_step(&left) / rms(&left);
    let plain = host.drive(
        None,
        8_000,
        || 256,
        |player, _| {
            player.note_off(NoteAddress::default());
            HOLD
        },
    );
    assert!(
        step < 3.0 * largest_step(&plain[0]) / rms(&plain[0]),
        "{step}"
    );
    host.drive(None, 8_000, || 256, |_, _| controls);
    while host.next_ended_note().is_some() {
        ended += 1;
    }
    assert_eq!(instrument.status().voices, 0);
    assert_eq!(ended, 200 * SECONDS);
}
