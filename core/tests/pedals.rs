//! Pedals: what they hold, for how long, and that no message in any order leaves a note behind.

mod support;

use weft_core::instrument::{Instrument, NoteAddress};

use support::clips::RATE;
use support::host::{GATE, Host, bouncing_with};
use support::measures::rms;
use support::models;
use support::modulation::let_go;
use support::random::Random;

/// Samples in which a released note of [`GATE`] is over.
const RELEASE: usize = RATE as usize / 4;

fn player() -> (Instrument, Host) {
    bouncing_with(models::rain(), f64::from(RATE))
}

fn note(channel: u8, key: u8) -> NoteAddress {
    NoteAddress {
        note_id: None,
        channel: Some(channel),
        key: Some(key),
    }
}

/// How many notes sound after what was released is over.
fn sounding(instrument: &Instrument, host: &mut Host) -> u32 {
    host.play(RELEASE, &GATE);
    instrument.status().voices
}

#[test]
fn sustain_holds_the_notes_of_its_channel_until_it_goes_up() {
    let (instrument, mut host) = player();
    host.set_sustain(0, true);
    for channel in [0, 1] {
        host.note_on(note(channel, 60), 1.0);
        host.note_off(note(channel, 60));
    }
    // Held before the pedal goes down, and still so when it goes up.
    host.note_on(note(0, 64), 1.0);
    assert_eq!(sounding(&instrument, &mut host), 2);
    let [held, _] = host.play(RELEASE, &GATE);
    assert!(rms(&held) > 0.0);
    // The same message again changes nothing.
    host.set_sustain(0, true);
    host.set_sustain(1, false);
    assert_eq!(sounding(&instrument, &mut host), 2);
    host.set_sustain(0, false);
    assert_eq!(sounding(&instrument, &mut host), 1);
    host.note_off(note(0, 64));
    assert_eq!(sounding(&instrument, &mut host), 0);
}

#[test]
fn sostenuto_holds_what_was_down_when_it_was_pressed() {
    let (instrument, mut host) = player();
    host.note_on(note(0, 60), 1.0);
    host.note_on(note(3, 61), 1.0);
    host.set_sostenuto(0, true);
    host.note_on(note(0, 62), 1.0);
    // Not lifted in between: it catches nothing more.
    host.set_sostenuto(0, true);
    host.note_off(NoteAddress::default());
    assert_eq!(sounding(&instrument, &mut host), 1);
    host.set_sostenuto(0, false);
    assert_eq!(sounding(&instrument, &mut host), 0);
}

#[test]
fn each_pedal_holds_what_the_other_lets_go() {
    for first in [0, 1] {
        let (instrument, mut host) = player();
        host.note_on(note(0, 60), 1.0);
        host.set_sostenuto(0, true);
        host.set_sustain(0, true);
        host.note_off(note(0, 60));
        let lift = |host: &mut Host, which: usize| match which {
            0 => host.set_sostenuto(0, false),
            _ => host.set_sustain(0, false),
        };
        lift(&mut host, first);
        assert_eq!(sounding(&instrument, &mut host), 1);
        lift(&mut host, 1 - first);
        assert_eq!(sounding(&instrument, &mut host), 0);
    }
}

#[test]
fn sound_off_controllers_off_and_a_reset_leave_nothing_that_a_pedal_held() {
    let ends: [fn(&mut Host); 4] = [
        |host| host.choke(NoteAddress::default()),
        |host| host.choke(NoteAddress::channel(0)),
        |host| let_go(host, 0),
        |host| host.reset(),
    ];
    for (at, end) in ends.into_iter().enumerate() {
        let (instrument, mut host) = player();
        host.note_on(note(0, 60), 1.0);
        host.set_sostenuto(0, true);
        host.set_sustain(0, true);
        host.note_off(note(0, 60));
        assert_eq!(sounding(&instrument, &mut host), 1, "{at}");
        end(&mut host);
        assert_eq!(sounding(&instrument, &mut host), 0, "{at}");
    }
    // After a reset, the pedals are up.
    let (instrument, mut host) = player();
    host.set_sustain(0, true);
    host.reset();
    host.note_on(note(0, 60), 1.0);
    host.note_off(note(0, 60));
    assert_eq!(sounding(&instrument, &mut host), 0);
}

#[test]
fn sound_off_needs_no_release() {
    let (instrument, mut host) = player();
    let slow = weft_core::instrument::Controls {
        release_s: 20.0,
        ..GATE
    };
    host.set_sustain(0, true);
    host.note_on(note(0, 60), 1.0);
    host.note_off(note(0, 60));
    host.play(RELEASE, &slow);
    host.choke(NoteAddress::default());
    host.play(RATE as usize / 20, &slow);
    assert_eq!(instrument.status().voices, 0);
}

#[test]
fn a_key_that_is_struck_again_sounds_once() {
    let (instrument, mut host) = player();
    host.set_sustain(0, true);
    for _ in 0..5 {
        host.note_on(note(0, 60), 1.0);
        host.note_off(note(0, 60));
        host.play(500, &GATE);
    }
    assert_eq!(sounding(&instrument, &mut host), 1);
    let ended = std::iter::from_fn(|| host.next_ended_note()).count();
    assert_eq!(ended, 4);
}

#[test]
fn pedals_that_move_without_notes_change_no_sample() {
    let (_instrument, mut host) = player();
    let mut sound = |pedals: bool| {
        host.reset();
        host.drive(
            None,
            RATE as usize / 2,
            || 100,
            |player, done| {
                let key = 60 + (done / 1_000 % 3) as u8;
                if done % 1_000 == 0 {
                    player.note_on(note(0, key), 0.7);
                } else if done % 1_000 == 500 {
                    player.note_off(note(0, key));
                } else if pedals {
                    // Another channel's.
                    player.set_sustain(5, done % 200 == 0);
                    player.set_sostenuto(5, done % 300 == 0);
                }
                GATE
            },
        )
    };
    let plain = sound(false);
    assert!(rms(&plain[0]) > 0.0);
    assert!(sound(true) == plain);
}

#[test]
fn ten_thousand_random_messages_leave_no_note_and_every_end_is_told_once() {
    const MESSAGES: usize = 10_000;
    let (instrument, mut host) = player();
    let mut random = Random::new(13);
    let mut any = |count: usize| random.below(count);
    let (mut started, mut ended) = (0, 0);
    host.drive(
        None,
        64 * MESSAGES,
        || 64,
        |player, done| {
            let channel = any(18) as u8;
            let fits = note(channel, 60 + any(12) as u8);
            match any(40) {
                0..16 => {
                    let note_id = Some((done / 64) as i32);
                    player.note_on(NoteAddress { note_id, ..fits }, 0.5);
                    started += 1;
                }
                16..28 => player.note_off(fits),
                28..33 => player.set_sustain(channel, any(2) == 0),
                33..36 => player.set_sostenuto(channel, any(2) == 0),
                36 => player.note_off(NoteAddress::channel(channel)),
                37 => player.choke(NoteAddress::channel(channel)),
                38 => let_go(player, channel),
                _ => player.note_off(NoteAddress::default()),
            }
            while player.next_ended_note().is_some() {
                ended += 1;
            }
            GATE
        },
    );
    (0..16).for_each(|channel| let_go(&mut host, channel));
    host.note_off(NoteAddress::default());
    assert_eq!(sounding(&instrument, &mut host), 0);
    while host.next_ended_note().is_some() {
        ended += 1;
    }
    assert_eq!(ended, started);
    let [left, _] = host.play(1_000, &GATE);
    assert_eq!(rms(&left), 0.0);
}
