//! A running instrument through its public doors: a capture becomes sound, at any rate, and it ends cleanly.

mod support;

use std::time::Duration;

use weft_core::clip::Clip;
use weft_core::instrument::{Controls, Instrument, NoteAddress, Outside, Phase, ScopeFrame, Slot};

use support::allocator::allocations;
use support::capturing::capture_rain;
use support::clips::{RATE, rain};
use support::host::{BLOCK_SIZE, FEW_STEPS, GATE, HOLD, bouncing, in_real_time};
use support::measures::{largest_step, peak, rising_crossings, rms};
use support::waiting::{Deadline, wait_until};

#[test]
fn a_capture_becomes_a_texture() {
    let (instrument, mut host) = bouncing();
    let [left, right] = capture_rain(&instrument, &mut host);
    let level = rms(&rain(2.0).channels()[0]);
    for x in [&left, &right] {
        assert!(x.iter().all(|v| v.is_finite()) && peak(x) < 1.0);
        let ratio = rms(x) / level;
        assert!((0.5..2.0).contains(&ratio), "level ratio {ratio}");
    }
    assert!(left != right);
    let info = instrument.status().texture.unwrap();
    assert_eq!(
        (info.sample_rate, info.stereo, info.fit_steps),
        (RATE, true, FEW_STEPS)
    );
    assert_eq!(instrument.status().underruns, 0);
}

#[test]
fn errands_of_the_audio_thread_are_done_elsewhere_in_order() {
    let (sender, errands) = std::sync::mpsc::channel();
    let take = move |errand| sender.send((errand, std::thread::current().id())).unwrap();
    let outside = Outside {
        errands: Box::new(take),
        ..Outside::default()
    };
    let (_instrument, mut player) = Instrument::with_outside(outside).unwrap();
    let mut is_sent = [false; 3];
    let allocated = allocations(|| {
        is_sent = [7, u32::MAX, 0].map(|errand| player.send_errand(errand));
    });
    assert_eq!((allocated, is_sent), (0, [true; 3]));
    for expected in [7, u32::MAX, 0] {
        let (errand, thread) = errands.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(errand, expected);
        assert_ne!(thread, std::thread::current().id());
    }
}

#[test]
fn seeds_differ_and_the_same_seed_is_the_same() {
    let (instrument, mut host) = bouncing();
    capture_rain(&instrument, &mut host);
    let mut play = |seed| {
        host.reset();
        let controls = Controls { seed, ..HOLD };
        host.play(8_000, &controls)
    };
    let (a, b, c) = (play(1), play(2), play(1));
    assert!(a != b);
    assert!(a == c);
}

#[test]
fn notes_gate_the_sound() {
    let (instrument, mut host) = bouncing();
    capture_rain(&instrument, &mut host);
    assert_eq!(allocations(|| host.reset()), 0);
    assert_eq!(peak(&host.play(4_000, &GATE)[0]), 0.0);
    host.note_on(NoteAddress::key(60), 1.0);
    let sound = host.play(4_000, &GATE);
    assert!(
        rms(&sound[0][..200]) > 0.0,
        "a note sounds within one block"
    );
    host.note_off(NoteAddress::key(60));
    let tail = host.play(4_000, &GATE);
    assert!(rms(&tail[0][..200]) > 0.0 && peak(&tail[0][3_000..]) == 0.0);
}

#[test]
fn another_host_rate_keeps_the_pitch_and_the_level() {
    let (instrument, mut host) = bouncing();
    // A hum at 1 kHz, so that the pitch can be seen.
    let hum = |i: usize| 0.2 * (std::f32::consts::TAU * 1000.0 * i as f32 / RATE as f32).sin();
    let noise = rain(2.0);
    let channel = |c: &Vec<f32>| {
        c.iter()
            .enumerate()
            .map(|(i, x)| hum(i) + 0.05 * x)
            .collect()
    };
    let clip = Clip::new(RATE, noise.channels().iter().map(channel).collect()).unwrap();
    instrument.load_clip(Slot::A, clip, "hum");
    let base = host.play(16_000, &HOLD);
    host.prepare(44_100.0);
    let other = host.play(44_100, &HOLD);
    let crossings = |x: &[f32]| rising_crossings(x) as f32;
    let (a, b) = (crossings(&base[0]), crossings(&other[0]));
    assert!((a / b - 1.0).abs() < 0.02, "{a} and {b} crossings a second");
    assert!((rms(&base[0]) / rms(&other[0]) - 1.0).abs() < 0.1);
}

#[test]
fn snapshots_are_heard_in_real_time_without_a_click() {
    let (instrument, mut host) = in_real_time(60);
    let clip = rain(2.0);
    let natural = largest_step(&clip.channels()[0]);
    instrument.load_clip(Slot::A, clip, "rain");
    let mut sound = Vec::new();
    let deadline = Deadline::of("the fit's end");
    while instrument.is_busy() || sound.len() < 16_000 {
        deadline.check();
        sound.extend(host.play_left(BLOCK_SIZE, &HOLD));
        // As fast as a sound card asks for it.
        std::thread::sleep(Duration::from_millis(8));
    }
    let onset = sound
        .iter()
        .position(|&x| x != 0.0)
        .expect("something is heard");
    let step = largest_step(&sound[onset..]);
    assert!(
        step < 2.0 * natural,
        "a step of {step}, {natural} in the capture"
    );
    assert_eq!(instrument.status().error, None);
}

#[test]
fn dropping_at_any_time_ends_every_thread() {
    for phase in 0..4 {
        let (instrument, mut host) = in_real_time(100_000);
        if phase > 0 {
            instrument.load_clip(Slot::A, rain(2.0), "rain");
        }
        let reached = |phase: u32| match instrument.status().phase {
            Phase::Fitting { step, .. } => step >= phase,
            _ => false,
        };
        if phase > 1 {
            wait_until("the fit's first steps", || {
                host.play(BLOCK_SIZE, &HOLD);
                reached(phase - 1)
            });
        }
        if phase % 2 == 0 {
            drop(instrument);
            // The audio thread may go on for a while.
            host.play(4_000, &HOLD);
        } else {
            drop(host);
            drop(instrument);
        }
    }
}

#[test]
fn a_window_that_looks_sees_the_sound_and_changes_none_of_it() {
    let (instrument, mut host) = bouncing();
    capture_rain(&instrument, &mut host);
    let mut scope = instrument.take_scope().expect("nobody has taken it yet");
    assert!(instrument.take_scope().is_none(), "there is one");
    host.reset();
    let unseen = host.play(16_000, &HOLD);
    assert!(scope.next_frame().is_none(), "nobody looked");

    let watch = scope.watch();
    host.reset();
    let seen = host.play(16_000, &HOLD);
    assert!(seen == unseen);
    let frames: Vec<_> = std::iter::from_fn(|| scope.next_frame()).collect();
    assert!(frames.len() > 8, "{} frames", frames.len());
    assert!(frames.is_sorted_by(|a, b| a.clock < b.clock));
    let mean =
        |of: &dyn Fn(&ScopeFrame) -> f32| frames.iter().map(of).sum::<f32>() / frames.len() as f32;
    for (side, channel) in seen.iter().enumerate() {
        let level_db = 20.0 * (mean(&|f| f.rms[side]) / rms(channel)).log10();
        assert!(level_db.abs() < 1.0, "{level_db} dB");
        let highest = frames.iter().fold(0.0f32, |p, f| p.max(f.peak[side]));
        assert!(highest > 0.5 * peak(channel) && highest <= peak(channel));
    }
    // The bands are those of the frames that are about to be heard, before the limiter.
    let bands = mean(&|f| f.bands.iter().sum());
    let heard = 0.5 * (rms(&seen[0]).powi(2) + rms(&seen[1]).powi(2));
    let level_db = 10.0 * (bands / heard).log10();
    assert!(level_db.abs() < 2.0, "{level_db} dB");

    drop(watch);
    host.play(16_000, &HOLD);
    assert!(scope.next_frame().is_none(), "nobody looks any more");
}
