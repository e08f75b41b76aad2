//! An instrument that has nothing to do: its worker sleeps, and is there when somebody plays.

mod support;

use weft_core::instrument::{
    CaptureSettings, CaptureStart, Controls, Instrument, MEMORY_S, NoteAddress, Outlook, Player,
    Slot,
};
use weft_core::network::Model;

use support::clips::{RATE, rain};
use support::host::{GATE, HOLD, Host, in_real_time};
use support::measures::peak;
use support::models::fitted;
use support::waiting::{Deadline, wait_for_rest};

const BLOCK: usize = 128;
/// So many blocks without any of the worker's rounds, each looked for by the watch for longer than it ever rests
/// while blocks are processed: there are none.
const QUIET_BLOCKS: usize = 100;
/// Longer than the watch rests where nothing moves.
const LOOK: std::time::Duration = std::time::Duration::from_millis(10);

fn model() -> Model {
    fitted(&rain(1.0), 2)
}

fn playing() -> (Instrument, Host) {
    let (instrument, host) = in_real_time(2);
    instrument.play(Slot::A, model());
    wait_for_rest(&instrument);
    (instrument, host)
}

/// Processes silence until nobody has woken the worker for [`QUIET_BLOCKS`].
fn come_to_rest(instrument: &Instrument, host: &mut Host) {
    let deadline = Deadline::of("a worker that sleeps");
    let (mut quiet, mut before) = (0, instrument.wake_ups());
    while quiet < QUIET_BLOCKS {
        deadline.check();
        assert_eq!(peak(&host.play(BLOCK, &GATE)[0]), 0.0);
        std::thread::sleep(LOOK);
        let wake_ups = instrument.wake_ups();
        quiet = if wake_ups == before { quiet + 1 } else { 0 };
        before = wake_ups;
    }
}

#[test]
fn silence_wakes_nobody_and_a_note_after_it_sounds_on_its_sample() {
    let (instrument, mut host) = playing();
    come_to_rest(&instrument, &mut host);
    let before = instrument.wake_ups();
    for _ in 0..3 {
        // A quarter of a minute at once.
        assert_eq!(peak(&host.play(15 * RATE as usize, &GATE)[0]), 0.0);
    }
    std::thread::sleep(LOOK);
    assert_eq!(instrument.wake_ups(), before);
    host.note_on(NoteAddress::key(60), 1.0);
    let sound = host.play_left(BLOCK, &GATE);
    assert_ne!(sound[0], 0.0, "it has to wait for its stream");
    // Its frames are made for as long as it sounds.
    let deadline = Deadline::of("the worker");
    while instrument.wake_ups() < before + 3 {
        deadline.check();
        host.play(BLOCK, &GATE);
    }
    host.note_off(NoteAddress::key(60));
    while host.play_left(BLOCK, &GATE) != [0.0; BLOCK] {}
    come_to_rest(&instrument, &mut host);
}

#[test]
fn nobody_looks_after_an_instrument_that_is_not_processed() {
    for (is_offline, controls) in [(false, GATE), (true, GATE), (false, HOLD), (true, HOLD)] {
        let (instrument, mut host) = playing();
        host.set_offline(is_offline);
        host.play(20 * BLOCK, &controls);
        // What was asked for is done with after a while, and then nothing happens.
        let deadline = Deadline::of("a worker that sleeps");
        let (mut quiet, mut before) = (0, instrument.wake_ups());
        while quiet < QUIET_BLOCKS {
            deadline.check();
            std::thread::sleep(LOOK);
            let wake_ups = instrument.wake_ups();
            quiet = if wake_ups == before { quiet + 1 } else { 0 };
            before = wake_ups;
        }
    }
}

#[test]
fn what_is_done_on_other_threads_is_taken_without_a_block() {
    let (instrument, mut host) = in_real_time(2);
    // Read, judged and fitted, each on a thread of its own.
    instrument.load_clip(Slot::B, rain(1.0), "rain");
    wait_for_rest(&instrument);
    assert!(instrument.status().slots[Slot::B.index()].texture.is_some());
    // What the audio thread hands over is taken though no further block comes.
    host.feed(&rain(1.0), RATE as usize, &GATE);
    host.grab(CaptureSettings::now(Slot::C, 1.0));
    wait_for_rest(&instrument);
    assert!(instrument.status().slots[Slot::C.index()].texture.is_some());
}

/// Processes silence in blocks for as long as the outlook is `outlook`, and returns how many samples that took.
fn while_it_is(outlook: Outlook, host: &mut Host, controls: &Controls) -> usize {
    let mut samples = 0;
    while host.outlook() == outlook {
        assert!(samples < 60 * RATE as usize, "it is {outlook:?} for ever");
        host.play(BLOCK, controls);
        samples += BLOCK;
    }
    samples
}

#[test]
fn what_sounds_without_an_end_must_be_processed_and_what_fades_is_silent_after_its_tail() {
    let (_instrument, mut host) = playing();
    let play = |host: &mut Host, controls| {
        host.play(BLOCK, controls);
        host.outlook()
    };
    assert_eq!(play(&mut host, &GATE), Outlook::Silent);
    assert_eq!(play(&mut host, &HOLD), Outlook::Endless);
    assert_eq!(play(&mut host, &GATE), Outlook::Fading);
    let note = NoteAddress::key(60);
    for ends in [
        |host: &mut Host| host.note_off(NoteAddress::key(60)),
        |host: &mut Host| host.choke(NoteAddress::key(60)),
    ] {
        host.note_on(note, 1.0);
        assert_eq!(play(&mut host, &GATE), Outlook::Endless);
        ends(&mut host);
        while_it_is(Outlook::Endless, &mut host, &GATE);
        let tail = (Player::tail_s(&GATE) * RATE as f32) as usize;
        let took = while_it_is(Outlook::Fading, &mut host, &GATE);
        assert!(took <= tail + 2 * BLOCK, "{took} of {tail}");
        assert_eq!(host.outlook(), Outlook::Silent);
        assert_eq!(peak(&host.play(BLOCK, &GATE)[0]), 0.0);
    }
    // A pedal holds a note for ever, and no note.
    host.set_sustain(0, true);
    assert_eq!(play(&mut host, &GATE), Outlook::Silent);
    let note = NoteAddress {
        channel: Some(0),
        ..note
    };
    host.note_on(note, 1.0);
    host.note_off(note);
    assert_eq!(play(&mut host, &GATE), Outlook::Endless);
    host.set_sustain(0, false);
    assert_eq!(play(&mut host, &GATE), Outlook::Fading);
    host.reset();
    assert_eq!(play(&mut host, &GATE), Outlook::Silent);
    // A bounce does not depend on whether the host rests it.
    host.set_offline(true);
    assert_eq!(play(&mut host, &GATE), Outlook::Listening);
}

#[test]
fn the_tail_is_that_of_the_release() {
    let tail_s = |release_s| Player::tail_s(&Controls { release_s, ..GATE });
    assert!((tail_s(3.0) - 4.0).abs() < 1e-3);
    assert!(tail_s(0.0) > 0.0 && tail_s(f32::NAN) > 0.0);
}

#[test]
fn a_host_may_rest_what_listens_only_when_all_that_is_remembered_is_silence() {
    let (instrument, mut host) = in_real_time(2);
    let second = RATE as usize;
    host.feed(&rain(1.0), second, &GATE);
    assert_eq!(host.outlook(), Outlook::Listening);
    let took = while_it_is(Outlook::Listening, &mut host, &GATE);
    assert!(
        took.abs_diff((MEMORY_S * f64::from(RATE)) as usize) <= 2 * BLOCK,
        "{took}"
    );
    // Whether it rests here for a second or an hour: what is grabbed afterwards is the last seconds.
    let sound = rain(2.0);
    host.feed(&sound, 2 * second, &GATE);
    host.grab(CaptureSettings::now(Slot::A, 3.0));
    wait_for_rest(&instrument);
    let grabbed = instrument.capture(Slot::A).unwrap();
    let grabbed = &grabbed.clip().channels()[0];
    assert_eq!(grabbed.len(), 3 * second);
    assert_eq!(peak(&grabbed[..second]), 0.0);
    // What is kept is not of infinitely many bits.
    let pairs = grabbed[second..].iter().zip(&sound.channels()[0]);
    let off = pairs.fold(0.0f32, |most, (x, y)| most.max((x - y).abs()));
    assert!(off < 1e-3, "off by {off}");
}

#[test]
fn a_capture_that_waits_or_records_must_be_processed() {
    let (_instrument, mut host) = in_real_time(2);
    for start in [
        CaptureStart::Now,
        CaptureStart::Threshold(-20.0),
        CaptureStart::NextBar,
    ] {
        host.start_capture(CaptureSettings {
            start,
            ..CaptureSettings::now(Slot::A, 1.0)
        });
        host.play(BLOCK, &GATE);
        assert_eq!(host.outlook(), Outlook::Endless, "{start:?}");
        host.cancel_capture();
        host.play(BLOCK, &GATE);
        assert_eq!(host.outlook(), Outlook::Silent, "{start:?}");
    }
}
