//! Bounces: the same sound every time, however they are cut and whatever was played before, with all that is
//! captured on the way.

mod support;

use std::time::{Duration, Instant};

use weft_core::clip::Clip;
use weft_core::instrument::{
    Bank, CaptureSettings, Controls, NoteAddress, NoteControl, Quality, Slot, Transport,
};
use weft_core::procedural::Texture;

use support::capturing::{capture_rain, captured_state, is_kept};
use support::clips::{RATE, texture};
use support::host::{BLOCK_SIZE, HOLD, Host, bouncing, bouncing_with, in_slot};
use support::measures::rms;
use support::models;
use support::random::random_blocks;
use support::waiting::wait_for_rest;

#[test]
fn bounces_are_identical_at_any_block_size() {
    let bounce = |block| {
        let (instrument, mut host) = bouncing();
        host.block_size = block;
        capture_rain(&instrument, &mut host)
    };
    let first = bounce(64);
    assert!(first == bounce(441));
    assert!(first == bounce(1024));
}

#[test]
fn a_bounce_begins_at_the_beginning_whatever_was_played_before() {
    let state = captured_state();
    let bounce = |played_before: usize| {
        let (instrument, mut host) = bouncing();
        instrument.load_state(state).unwrap();
        host.set_offline(false);
        host.play(played_before, &HOLD);
        host.set_offline(true);
        // Some hosts roll a moment later.
        host.play(played_before / 10, &HOLD);
        host.set_transport(Some(Transport {
            samples: 0,
            beats: None,
            bar_start_beats: None,
            beats_per_bar: None,
            tempo: None,
        }));
        host.play(RATE as usize, &HOLD)
    };
    let first = bounce(0);
    assert!(rms(&first[0]) > 0.0);
    assert!(bounce(12_345) == first);
}

#[test]
fn a_host_that_renders_fast_without_saying_so_misses_nothing() {
    let state = captured_state();
    let render = |says_so: bool| {
        let (instrument, mut host) = bouncing();
        instrument.load_state(state).unwrap();
        let second = RATE as usize;
        host.play(second, &HOLD);
        host.set_offline(says_so);
        // As a host that has been playing: the rings are full.
        std::thread::sleep(Duration::from_millis(500));
        let sound = host.play(60 * second, &HOLD);
        assert_eq!(instrument.status().underruns, 0);
        sound
    };
    assert!(render(true) == render(false));
}

#[test]
fn bounces_of_an_automated_arrangement_are_identical_at_any_block_size() {
    let bounce = |block: &mut dyn FnMut() -> usize, rate: f64| {
        let (_instrument, mut host) = bouncing_with(models::rain(), rate);
        // Events fall on samples that every way of cutting has to hit, as a host's splitting does.
        let mut at = 0usize;
        let mut sound = [Vec::new(), Vec::new()];
        for event in 0..40u32 {
            let key = 48 + (event * 7 % 24) as u8;
            host.note_on(NoteAddress::key(key), 0.4 + 0.015 * event as f32);
            host.note_off(NoteAddress::key(48 + ((event + 20) * 7 % 24) as u8));
            let note = NoteAddress::key(key);
            host.control_note(note, NoteControl::Tuning, 0.1 * event as f32);
            let sweep = event as f32 / 40.0;
            let controls = Controls {
                hold: event < 20,
                pitch_st: 24.0 * sweep - 12.0,
                time: 4.0 * (1.0 - sweep),
                brightness_db_per_octave: 6.0 * sweep,
                smear_s: if event % 3 == 0 { 0.4 } else { 0.0 },
                contrast: 2.0 * sweep,
                density: 2.0 - 2.0 * sweep,
                width: 2.0 * sweep,
                low_cut_hz: 20.0 + 500.0 * sweep,
                key_follow: event % 2 == 0,
                quality: if event < 30 {
                    Quality::Eco
                } else {
                    Quality::High
                },
                seed: event / 15,
                ..HOLD
            };
            let length = 301 + 37 * event as usize;
            at += length;
            let part = host.drive(None, length, &mut *block, |_, _| controls);
            for (all, part) in sound.iter_mut().zip(part) {
                all.extend(part);
            }
        }
        assert_eq!(sound[0].len(), at);
        assert!(sound[0].iter().all(|x| x.is_finite()));
        sound
    };
    for rate in [f64::from(RATE), 44_100.0] {
        let first = bounce(&mut || 64, rate);
        assert!(rms(&first[0]) > 0.0);
        assert!(first == bounce(&mut || 441, rate));
        assert!(first == bounce(&mut || 8192, rate));
        assert!(first == bounce(&mut || 1, rate));
        assert!(first == bounce(&mut random_blocks(5), rate));
    }
}

#[test]
fn a_bounce_captures_all_of_it_however_fast_it_is() {
    // Nothing plays yet: the host is through with it in milliseconds.
    let clip = texture(Texture::Rain, 4, 30.0);
    for _ in 0..8 {
        let (instrument, mut host) = bouncing();
        instrument.set_fit_steps(1);
        host.start_capture(CaptureSettings::now(Slot::A, 30.0));
        host.block_size = 8192;
        host.feed(&clip, clip.len(), &Controls::DEFAULT);
        host.block_size = BLOCK_SIZE;
        host.play(BLOCK_SIZE, &HOLD);
        assert_eq!(instrument.status().error, None);
        let capture = instrument.capture(Slot::A).unwrap();
        assert!(is_kept(&capture, &clip.channels()[0]));
    }
}

#[test]
fn fits_of_captures_in_a_bounce_keep_to_its_song() {
    let second = RATE as usize;
    let clips = [Texture::Rain, Texture::Fire].map(|kind| texture(kind, 3, 0.5));
    let bounce = |block: usize| {
        let (instrument, mut host) = bouncing();
        instrument.set_fit_steps(400);
        let mut sound = Vec::new();
        let mut play = |host: &mut Host, input: Option<&Clip>, samples, slot| {
            let [left, _] = host.drive(input, samples, || block, |_, _| in_slot(slot));
            sound.extend(left);
        };
        // Two fits at once: the one that is heard goes on, the other waits.
        host.start_capture(CaptureSettings::now(Slot::A, 0.5));
        play(&mut host, Some(&clips[0]), second / 2, Slot::A);
        play(&mut host, None, second / 2, Slot::A);
        host.start_capture(CaptureSettings::now(Slot::B, 0.5));
        play(&mut host, Some(&clips[1]), second / 2, Slot::B);
        for slot in [Slot::B, Slot::A, Slot::B] {
            play(&mut host, None, second / 3, slot);
        }
        let heard = instrument.status().slots.map(|slot| {
            let texture = slot.texture.map(|t| t.fit_steps);
            (texture, slot.fit.is_some())
        });
        (instrument, host, sound, heard)
    };
    let (instrument, mut host, sound, heard) = bounce(64);
    println!("steps heard, and whether there are more to come: {heard:?}");
    assert!(rms(&sound[sound.len() - second / 4..]) > 1e-4);
    for (steps, goes_on) in &heard[..2] {
        assert!(*goes_on && (20..400).contains(&steps.unwrap()));
    }
    for block in [64, 441, 1000] {
        let (_, _, again, heard_again) = bounce(block);
        assert!(sound == again && heard == heard_again, "blocks of {block}");
    }
    // When the bounce is over, they go on as any others.
    host.set_offline(false);
    wait_for_rest(&instrument);
    let done = [Slot::A, Slot::B].map(|slot| instrument.texture(slot).unwrap());
    assert_eq!(done.map(|model| model.fit_record().steps), [400, 400]);
    assert_eq!(instrument.status().error, None);
}

#[test]
fn a_refused_capture_in_a_bounce_does_not_stop_the_fit_before_it() {
    let second = RATE as usize;
    let (instrument, mut host) = bouncing();
    instrument.set_fit_steps(150);
    let clip = texture(Texture::Rain, 3, 1.0);
    host.start_capture(CaptureSettings::now(Slot::A, 1.0));
    host.feed(&clip, clip.len(), &HOLD);
    host.start_capture(CaptureSettings::now(Slot::A, 1.0));
    host.play(second + BLOCK_SIZE, &HOLD);
    let status = instrument.status();
    assert!(status.error.is_some(), "silence was not refused");
    let texture = status.slots[0].texture.unwrap();
    assert_eq!(texture.fit_steps, 150);
    assert!(!instrument.is_busy());
}

#[test]
fn a_slot_that_is_emptied_during_a_bounce_holds_nothing_up() {
    let (instrument, mut host) = bouncing();
    instrument.set_fit_steps(1);
    instrument.load_clip(Slot::A, texture(Texture::Rain, 1, 1.5), "rain");
    host.play(BLOCK_SIZE, &HOLD);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        // Somebody loads projects with and without a texture, as fast as they can be taken over.
        let (bank, instrument) = (instrument.bank(), &instrument);
        let loading = scope.spawn(move || {
            for i in 0..21 {
                instrument.load_bank(if i % 2 == 0 {
                    Bank::default()
                } else {
                    bank.clone()
                });
                while instrument.is_busy() {
                    std::thread::yield_now();
                }
            }
        });
        let mut seed = 0;
        while !loading.is_finished() {
            seed += 1;
            host.play(64, &Controls { seed, ..HOLD });
        }
    });
    assert!(
        begin.elapsed() < Duration::from_secs(60),
        "it waited in vain"
    );
    assert_eq!(instrument.status().error, None);
}
