//! Four textures: what plays, the queue of their fits, trims, refining and undo.

mod support;

use weft_core::clip::{Clip, MAX_READ_S, Remark, SampleFormat, WavWriter};
use weft_core::instrument::{FitState, Slot};
use weft_core::procedural::Texture;

use support::capturing::capture_rain;
use support::clips::{RATE, texture};
use support::host::{BLOCK_SIZE, HOLD, bouncing, in_real_time, in_slot};
use support::measures::{largest_step, rms};
use support::waiting::{wait_for_rest, wait_until};

#[test]
fn every_slot_plays_its_own_texture_and_changes_without_a_click() {
    let (instrument, mut host) = bouncing();
    instrument.load_clip(Slot::A, texture(Texture::Rain, 1, 2.0), "rain");
    instrument.load_clip(Slot::B, texture(Texture::Surf, 1, 2.0), "surf");
    let a = host.play_left(8_000, &in_slot(Slot::A));
    let b = host.play_left(8_000, &in_slot(Slot::B));
    assert!(rms(&a) > 0.0 && rms(&b) > 0.0);
    let status = instrument.status();
    assert_eq!(status.playing, Slot::B);
    let names = status.slots.map(|s| s.name);
    assert_eq!(names, ["rain", "surf", "", ""]);

    // An empty slot is silent, after the fade.
    let silent = host.play_left(8_000, &in_slot(Slot::C));
    assert!(silent[2_000..].iter().all(|x| *x == 0.0));
    assert!(rms(&host.play_left(8_000, &in_slot(Slot::A))) > 0.0);

    // Changes of slot make no larger steps than the textures themselves.
    let natural = largest_step(&a).max(largest_step(&b));
    let mut sound = Vec::new();
    for i in 0..12 {
        let slot = [Slot::A, Slot::B, Slot::C][i % 3];
        sound.extend(host.play_left(1_500 + 7 * i, &in_slot(slot)));
    }
    let step = largest_step(&sound);
    assert!(step < 1.5 * natural, "{step} of {natural}");

    // The same automation gives the same sound.
    let mut bounce = || {
        host.reset();
        let part = |slot| host.play_left(3_000, &in_slot(slot));
        [Slot::B, Slot::C, Slot::A].map(part)
    };
    let first = bounce();
    assert!(first == bounce());
}

#[test]
fn fits_queue_up_and_can_be_cancelled() {
    let (instrument, mut host) = in_real_time(100_000);
    for slot in [Slot::A, Slot::B, Slot::C] {
        instrument.load_clip(slot, texture(Texture::Rain, 1, 1.5), "rain");
    }
    let running = |slot: Slot| {
        let fit = instrument.status().slots[slot.index()].fit;
        matches!(fit, Some(FitState::Running { step, .. }) if step > 0)
    };
    let queued = |slot: Slot| {
        let fit = instrument.status().slots[slot.index()].fit;
        matches!(fit, Some(FitState::Queued { .. }))
    };
    wait_until("the first fit's start", || running(Slot::A));
    // Those that wait can be heard already.
    let is_untrained = |slot: Slot| {
        let texture = instrument.status().slots[slot.index()].texture;
        texture.is_some_and(|t| t.fit_steps == 0)
    };
    wait_until("textures of those that wait", || {
        is_untrained(Slot::B) && is_untrained(Slot::C)
    });
    assert!(queued(Slot::B) && queued(Slot::C));
    wait_until("the sound of one that waits", || {
        rms(&host.play_left(BLOCK_SIZE, &in_slot(Slot::B))) > 0.0
    });
    instrument.cancel_fit(Slot::B);
    instrument.cancel_fit(Slot::A);
    wait_until("the last fit's start", || running(Slot::C));
    instrument.cancel_fit(Slot::C);
    wait_for_rest(&instrument);
    let status = instrument.status();
    assert!(status.slots.iter().all(|s| s.fit.is_none()));
    // The one that never ran is kept, and can still be learned.
    assert!(is_untrained(Slot::B) && status.slots[1].capture_s.is_some());
    // Every slot has its own number of steps.
    instrument.set_slot_fit_steps(Slot::B, 3);
    instrument.refine(Slot::B);
    wait_for_rest(&instrument);
    let slot = &instrument.status().slots[1];
    assert_eq!(slot.texture.as_ref().unwrap().fit_steps, 3);
}

#[test]
fn a_change_of_texture_can_be_undone_and_done_again() {
    let (instrument, mut host) = bouncing();
    instrument.load_clip(Slot::A, texture(Texture::Rain, 1, 1.5), "rain");
    host.play_left(BLOCK_SIZE, &HOLD);
    let rain = instrument.texture(Slot::A).unwrap();
    assert!(!instrument.status().slots[0].can_undo);
    instrument.load_clip(Slot::A, texture(Texture::Fire, 1, 1.5), "fire");
    wait_for_rest(&instrument);
    let name = || instrument.status().slots[0].name.clone();
    assert_eq!(name(), "fire");
    for expected in ["rain", "fire", "rain"] {
        instrument.undo(Slot::A);
        wait_for_rest(&instrument);
        assert_eq!(name(), expected);
    }
    assert!(instrument.texture(Slot::A).unwrap().capture() == rain.capture());
    assert!(rms(&host.play_left(4_000, &HOLD)) > 0.0);

    instrument.copy(Slot::A, Slot::D);
    instrument.rename(Slot::D, "  more rain\n");
    instrument.clear(Slot::A);
    wait_for_rest(&instrument);
    let status = instrument.status();
    assert_eq!(status.slots[3].name, "more rain");
    assert!(status.slots[0].texture.is_none() && status.slots[0].can_undo);
    let silence = host.play_left(4_000, &HOLD);
    assert!(silence[2_000..].iter().all(|x| *x == 0.0));
    assert!(rms(&host.play_left(4_000, &in_slot(Slot::D))) > 0.0);
}

#[test]
fn a_trimmed_capture_is_learned_anew_and_can_be_widened_again() {
    let (instrument, mut host) = bouncing();
    instrument.load_clip(Slot::A, texture(Texture::Rain, 1, 4.0), "rain");
    host.play_left(BLOCK_SIZE, &HOLD);
    instrument.trim(Slot::A, 1.0..3.5);
    host.play_left(BLOCK_SIZE, &HOLD);
    let slot = instrument.status().slots[0].clone();
    assert_eq!(slot.capture_s, Some((4.0, 1.0..3.5)));
    assert!((slot.texture.unwrap().duration_s - 2.5).abs() < 1e-3);

    // The same part again changes nothing.
    let revision = instrument.revision();
    instrument.trim(Slot::A, 1.0..3.5);
    wait_for_rest(&instrument);
    assert_eq!(instrument.revision(), revision);

    // What is kept is the whole of it.
    let bytes = instrument.save_state().unwrap();
    let (other, mut other_host) = bouncing();
    other.load_state(&bytes).unwrap();
    other_host.play_left(BLOCK_SIZE, &HOLD);
    assert_eq!(other.status().slots[0].capture_s, Some((4.0, 1.0..3.5)));
    other.trim(Slot::A, 0.0..9.0);
    wait_for_rest(&other);
    assert_eq!(other.status().slots[0].capture_s, Some((4.0, 0.0..4.0)));

    for bad in [2.0..2.5, 3.0..1.0, f64::NAN..f64::NAN] {
        other.clear_error();
        other.trim(Slot::A, bad);
        wait_for_rest(&other);
        assert!(other.status().error.is_some());
        assert_eq!(other.status().slots[0].capture_s, Some((4.0, 0.0..4.0)));
    }
}

#[test]
fn what_is_said_of_a_capture_is_said_of_the_part_that_is_used() {
    let (instrument, mut host) = bouncing();
    // Clipped in its first two seconds, and quiet in its last.
    let loud = texture(Texture::Rain, 1, 4.0);
    let limit = 0.4 * loud.peak();
    let channels = loud.channels().iter().map(|channel| {
        let samples = channel.iter().enumerate();
        let sample = |(at, x): (usize, &f32)| match at / RATE as usize {
            0 | 1 => x.clamp(-limit, limit),
            2 => x * 0.2,
            _ => x * 1e-3,
        };
        samples.map(sample).collect()
    });
    let clip = Clip::new(RATE, channels.collect()).unwrap();
    let words = |clip: &Clip| {
        let remarks = clip.remarks();
        let words: Vec<_> = remarks.iter().map(ToString::to_string).collect();
        (!words.is_empty()).then(|| words.join("; "))
    };
    let said = || instrument.status().slots[0].remark.clone();
    instrument.load_clip(Slot::A, clip.clone(), "rain");
    host.play_left(BLOCK_SIZE, &HOLD);
    assert!(said().unwrap().contains("clipped"));
    for (used_s, part, saying) in [
        (0.0..2.0, "clipped", true),
        (2.0..4.0, "clipped", false),
        (3.0..4.0, "quiet", true),
        (1.0..4.0, "short", false),
        (1.0..2.0, "only 1.0 s", true),
        (0.0..4.0, "clipped", true),
    ] {
        instrument.trim(Slot::A, used_s.clone());
        host.play_left(BLOCK_SIZE, &HOLD);
        let used = clip.trimmed(used_s.start, used_s.end - used_s.start);
        assert_eq!(said(), words(&used), "{used_s:?}");
        let is_said = said().unwrap_or_default().contains(part);
        assert_eq!(is_said, saying, "{used_s:?}: {:?}", said());
    }
}

#[test]
fn what_is_said_of_a_file_holds_while_all_of_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    // Three seconds over and over.
    let channels = texture(Texture::Rain, 1, 3.0).into_channels();
    let slices: Vec<&[f32]> = channels.iter().map(Vec::as_slice).collect();
    let format = SampleFormat::Int16;
    let mut writer = WavWriter::create(&path, RATE, channels.len(), format).unwrap();
    (0..22).for_each(|_| writer.write(&slices).unwrap());
    writer.finish().unwrap();

    let (instrument, mut host) = bouncing();
    instrument.load_file(Slot::A, path);
    host.play_left(BLOCK_SIZE, &HOLD);
    let said = || instrument.status().slots[0].remark.clone();
    assert_eq!(said(), Some(Remark::Cut.to_string()));
    for (used_s, is_said) in [(5.0..9.0, false), (0.0..MAX_READ_S, true)] {
        instrument.trim(Slot::A, used_s);
        host.play_left(BLOCK_SIZE, &HOLD);
        assert_eq!(said(), is_said.then(|| Remark::Cut.to_string()));
    }
}

#[test]
fn what_plays_can_be_refined() {
    let (instrument, mut host) = bouncing();
    instrument.refine(Slot::A);
    wait_for_rest(&instrument);
    let error = instrument.status().error.unwrap();
    assert!(error.contains("no texture"), "{error}");

    capture_rain(&instrument, &mut host);
    let before = instrument.status().texture.unwrap();
    instrument.refine(Slot::A);
    // The bounce waits for it, as for any fit.
    let sound = host.play(RATE as usize, &HOLD);
    let after = instrument.status().texture.unwrap();
    assert!(after.fit_steps > before.fit_steps && after.loss < before.loss);
    assert!(rms(&sound[0]) > 0.0);
    assert_eq!(instrument.status().error, None);
}
