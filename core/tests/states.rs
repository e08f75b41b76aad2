//! What a project keeps: it sounds the same when it comes back, goes on with fits, and damage does no harm.

mod support;

use weft_core::instrument::{Bank, Slot};
use weft_core::procedural::Texture;

use support::capturing::{capture_rain, captured_state};
use support::clips::texture;
use support::host::{HOLD, bouncing, in_real_time, in_slot};
use support::measures::rms;
use support::waiting::{wait_for_rest, wait_until};

#[test]
fn state_plays_at_once_with_no_fit_and_sounds_the_same() {
    let (instrument, mut host) = bouncing();
    assert!(instrument.save_state().is_none());
    capture_rain(&instrument, &mut host);
    host.reset();
    let sound = host.play(8_000, &HOLD);
    let state = instrument.save_state().unwrap();

    let (other, mut other_host) = bouncing();
    other.load_state(&state).unwrap();
    let same = other_host.play(8_000, &HOLD);
    assert!(rms(&same[0]) > 0.0);
    assert!(sound == same);
    assert!(other.save_state().unwrap() == state);
    assert!(!other.is_busy());
}

#[test]
fn damaged_states_never_panic() {
    let state = captured_state();
    // Every bit of the header, and a spread of the rest.
    let step = |i: usize| if i < 4_000 { 7 } else { 4_999 };
    let mut at = 0;
    while at < state.len() {
        let mut bytes = state.to_vec();
        bytes[at] ^= 1 << (at % 8);
        if let Ok(bank) = Bank::from_bytes(&bytes) {
            let texture = bank.texture(Slot::A);
            assert!(texture.is_none_or(|model| model.sample_rate() >= 8_000));
        }
        at += step(at);
    }
}

#[test]
fn a_bank_survives_its_bytes_and_sounds_the_same() {
    let (instrument, mut host) = bouncing();
    assert!(instrument.save_state().is_none());
    instrument.load_clip(Slot::A, texture(Texture::Rain, 1, 1.5), "rain");
    instrument.synthesize(Slot::C, Texture::Chimes, 3);
    wait_for_rest(&instrument);
    let bytes = instrument.save_state().unwrap();
    assert!(bytes == instrument.save_state().unwrap());
    let (other, mut other_host) = bouncing();
    other.load_state(&bytes).unwrap();
    for slot in [Slot::A, Slot::C, Slot::B] {
        host.reset();
        let a = host.play_left(4_000, &in_slot(slot));
        other_host.reset();
        let b = other_host.play_left(4_000, &in_slot(slot));
        assert!(a == b, "{slot:?}");
    }
    assert!(other.save_state().unwrap() == bytes);
    assert_eq!(other.status().slots[2].name, "Chimes");

    // A single texture is a bank with that.
    let single = instrument.texture(Slot::C).unwrap().to_bytes();
    let bank = Bank::from_bytes(&single).unwrap();
    assert_eq!(bank.texture(Slot::A).unwrap().name(), "Chimes");
    assert!(bank.texture(Slot::C).is_none());
}

#[test]
fn a_fit_that_was_not_done_goes_on_after_loading() {
    let (instrument, host) = in_real_time(400);
    instrument.load_clip(Slot::B, texture(Texture::Rain, 1, 1.5), "rain");
    let fitted = || {
        let slot = &instrument.status().slots[1];
        slot.texture.as_ref().map_or(0, |t| t.fit_steps)
    };
    wait_until("a snapshot", || fitted() > 0);
    let bytes = instrument.save_state().unwrap();
    drop(host);
    let (other, mut host) = bouncing();
    other.load_state(&bytes).unwrap();
    // A bounce would wait for it too, but not as long as it takes on a machine that is busy with other tests.
    wait_for_rest(&other);
    let found = Bank::from_bytes(&bytes).unwrap();
    let steps = found.texture(Slot::B).unwrap().fit_record().steps;
    assert!((1..400).contains(&steps));
    let resumed = host.play_left(4_000, &in_slot(Slot::B));
    assert_eq!(other.status().slots[1].texture.unwrap().fit_steps, 400);

    // It ends where it would have ended.
    wait_for_rest(&instrument);
    let whole = instrument.bank();
    let (third, mut host) = bouncing();
    third.load_bank(whole);
    assert!(resumed == host.play_left(4_000, &in_slot(Slot::B)));
}
