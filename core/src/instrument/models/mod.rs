//! Model checks: what goes between threads, in every interleaving and with every value that a load may see.
//! Each prints how many executions it explored.
//!
//! The files of [`shared`](super::shared) are compiled here once more, on loom's atomics: these models check the code
//! that runs, and need no build of their own.

// The files are compiled twice on purpose, and no model looks at all of them.
#![allow(clippy::duplicate_mod, dead_code)]

mod atomics;
#[path = "../shared/desk.rs"]
mod desk;
#[path = "../shared/meters.rs"]
mod meters;
#[path = "../shared/paced_steps.rs"]
mod paced_steps;
#[path = "../shared/paces.rs"]
mod paces;
#[path = "../shared/scope.rs"]
mod scope;
#[path = "../shared/textures.rs"]
mod textures;
#[path = "../shared/wake.rs"]
mod wake;
#[path = "../shared/work.rs"]
mod work;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use loom::sync::Mutex;
use loom::thread;

use self::atomics::{AtomicU32, Ordering};
use self::desk::desk;
use self::meters::meters;
use self::paced_steps::PacedSteps;
use self::paces::{EVERYTHING, PacedCapture, paces};
use self::scope::{ScopeFrame, scope};
use self::textures::textures;
use self::wake::bell;
use self::work::Work;
use super::controls::Slot;

/// Explores `scene` whole, and prints its `name` and how many executions it has.
fn explore(name: &str, scene: impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(AtomicUsize::new(0));
    let count = executions.clone();
    loom::model(move || {
        count.fetch_add(1, Ordering::Relaxed);
        scene();
    });
    println!("{name}: {} executions", executions.load(Ordering::Relaxed));
}

#[test]
fn a_command_that_becomes_a_fit_is_never_missed() {
    explore("command to fit", || {
        let work = Arc::new(Work::default());
        let command = work.begin().unwrap();
        let worker = thread::spawn(move || command.into_fit(Slot::B));
        // The audio thread, in a bounce: when the command is done, the fit must be there.
        if !work.has_commands() {
            assert!(work.has_fits(Slot::B));
        }
        assert!(work.is_any());
        let fit = worker.join().unwrap();
        assert!(!work.has_commands() && work.has_fits(Slot::B));
        drop(fit);
        assert!(!work.is_any());
    });
}

#[test]
fn a_command_that_becomes_a_paced_fit_and_leaves_its_pace_is_never_missed() {
    explore("command to paced fit to fit", || {
        let work = Arc::new(Work::default());
        let command = work.begin().unwrap();
        let worker = thread::spawn(move || command.into_paced_fit().leave_pace(Slot::A));
        assert!(work.is_any());
        assert!(work.is_any());
        drop(worker.join().unwrap());
        assert!(!work.is_any());
    });
}

#[test]
fn commands_of_two_threads_are_counted_down_to_none() {
    explore("two commanders", || {
        let work = Arc::new(Work::default());
        let other = {
            let work = work.clone();
            thread::spawn(move || drop(work.begin().unwrap().into_fit(Slot::D)))
        };
        let own = work.begin().unwrap();
        assert!(work.has_commands());
        drop(own.into_fit(Slot::A));
        other.join().unwrap();
        assert!(!work.is_any());
    });
}

#[test]
fn what_is_settled_was_due_and_is_handed_over() {
    explore("paces", || {
        let (song, fits) = paces();
        // Stands for the snapshot that the worker puts on the stage.
        let heard = Arc::new(AtomicU32::new(0));
        let stage = heard.clone();
        let worker = thread::spawn(move || {
            fits.begin(Slot::C, 7);
            let due = fits.due(Slot::C, 7);
            stage.store(due, Ordering::Relaxed);
            fits.settle(Slot::C, 7, due);
        });
        if song.begun(Slot::C) == 7 {
            song.set_due(Slot::C, 7, 20);
        }
        if song.is_settled(Slot::C, 7, 20) {
            assert_eq!(heard.load(Ordering::Relaxed), 20);
        }
        worker.join().unwrap();
    });
}

#[test]
fn an_older_capture_takes_nothing_back() {
    explore("two captures settle", || {
        let (song, fits) = paces();
        let (older, newer) = (fits.clone(), fits);
        let ended = thread::spawn(move || older.end(Slot::A, 1));
        let settled = thread::spawn(move || newer.settle(Slot::A, 2, 5));
        let before = song.is_settled(Slot::A, 2, 5);
        assert!(!before || song.is_settled(Slot::A, 2, 5));
        assert!(!song.is_settled(Slot::A, 2, 6));
        ended.join().unwrap();
        settled.join().unwrap();
        assert!(song.is_settled(Slot::A, 2, 5) && song.is_settled(Slot::A, 1, EVERYTHING));
        assert!(!song.is_settled(Slot::A, 2, 6));
    });
}

#[test]
fn who_sees_a_texture_sees_its_side_share() {
    explore("textures", || {
        let (writer, reader) = textures();
        let worker = thread::spawn(move || {
            writer.set_side_share(Slot::A, 0.25);
            writer.set_number(Slot::A, std::num::NonZeroU64::new(1));
            writer.set_side_share(Slot::A, 0.5);
            writer.set_number(Slot::A, std::num::NonZeroU64::new(2));
        });
        let number = reader.number(Slot::A).map_or(0, |n| n.get());
        let share = reader.side_share(Slot::A);
        let least = [0.0, 0.25, 0.5][number as usize];
        assert!(share >= least, "texture {number} with a share of {share}");
        worker.join().unwrap();
    });
}

#[test]
fn no_peak_is_lost_and_none_is_shown_twice() {
    explore("peaks", || {
        let (writer, _capture, reader) = meters();
        let audio = thread::spawn(move || {
            writer.raise_output_peak([&[0.5], &[]]);
            writer.raise_output_peak([&[], &[-0.25]]);
        });
        let first = reader.take_output_peak();
        audio.join().unwrap();
        let second = reader.take_output_peak();
        // The larger one is seen once; the smaller one only where the larger was taken before.
        assert_eq!(first.max(second), 0.5);
        assert!(first == 0.0 || second < first, "{first}, then {second}");
        assert_eq!(reader.take_output_peak(), 0.0);
    });
}

#[test]
fn a_capture_is_never_shown_waiting_and_done_when_it_has_ended() {
    explore("capture meter", || {
        let (_writer, capture, reader) = meters();
        let audio = thread::spawn(move || {
            capture.set_waiting();
            capture.set_done(0.5);
            capture.set_idle();
            capture.set_overrun();
        });
        let done = reader.capture_done();
        assert!(done.is_none() || done == Some(0.5));
        let told = reader.take_capture_overrun();
        audio.join().unwrap();
        assert!(!reader.is_capture_waiting() && reader.capture_done().is_none());
        assert_eq!(reader.take_capture_overrun(), !told);
    });
}

#[test]
fn what_the_desk_says_last_is_what_the_worker_reads_in_the_end() {
    explore("desk", || {
        let (writer, reader) = desk(100);
        let main = thread::spawn(move || {
            writer.set_fit_steps(Slot::B, 200);
            writer.set_fit_steps(Slot::B, 300);
        });
        let first = reader.fit_steps(Slot::B);
        let second = reader.fit_steps(Slot::B);
        assert!(first <= second && [100, 200, 300].contains(&first));
        main.join().unwrap();
        assert_eq!(reader.fit_steps(Slot::B), 300);
    });
}

#[test]
fn a_recording_that_was_begun_before_a_load_is_never_taken_after_it() {
    explore("load and recording", || {
        let (writer, worker_end) = desk(100);
        let audio_end = worker_end.clone();
        let contents = Arc::new(AtomicU32::new(0));
        let loaded = contents.clone();
        let main = thread::spawn(move || {
            writer.count_load();
            loaded.store(1, Ordering::Release);
        });
        // What a recording carries from its beginning; the worker compares it when it has new contents.
        let begun = audio_end.loads();
        if contents.load(Ordering::Acquire) == 1 {
            assert_eq!(worker_end.loads(), 1);
        }
        main.join().unwrap();
        assert!(begun == worker_end.loads() || begun == 0);
    });
}

#[test]
fn nothing_is_sent_to_a_window_that_looks_away() {
    explore("scope", || {
        let (mut writer, mut reader) = scope(2);
        let watch = reader.watch();
        let audio = thread::spawn(move || {
            let sent = writer.push(&ScopeFrame::silent(1));
            (sent, writer)
        });
        drop(watch);
        let (sent, mut writer) = audio.join().unwrap();
        assert_eq!(reader.next_frame().is_some(), sent);
        assert!(!writer.push(&ScopeFrame::silent(2)));
        // What is left over from an earlier look is forgotten.
        let watch = reader.watch();
        assert!(writer.push(&ScopeFrame::silent(3)));
        assert_eq!(reader.next_frame().map(|frame| frame.clock), Some(3));
        drop(watch);
    });
}

#[test]
fn who_answers_the_last_call_sees_all_that_was_called_for() {
    explore("calls", || {
        let (waker, _sleeper) = bell();
        let calls = waker.calls();
        // Stands for the rings.
        let sent = Arc::new(AtomicU32::new(0));
        let ring = sent.clone();
        let audio = thread::spawn(move || {
            for message in 1..=2 {
                ring.store(message, Ordering::Relaxed);
                waker.call();
            }
        });
        let mut seen = 0;
        for _ in 0..2 {
            if calls.answer() == Some(true) {
                seen = sent.load(Ordering::Relaxed);
            }
        }
        audio.join().unwrap();
        assert!(seen == 2 || calls.answer() == Some(true));
    });
}

#[test]
fn news_of_all_steps_that_are_reached_are_there() {
    explore("paced fit", || {
        let pace = Arc::new(PacedSteps::new(1));
        // Stands for the channel of the news.
        let news = Arc::new(Mutex::new(0));
        let (fit, sent) = (pace.clone(), news.clone());
        let thread = thread::spawn(move || {
            for step in 1..=2 {
                *sent.lock().unwrap() = step;
                fit.reach(step);
            }
            while !fit.is_over() {
                thread::yield_now();
            }
        });
        // As the worker does: first what is reached, then the news.
        let reached = pace.reached();
        assert!(*news.lock().unwrap() >= reached);
        pace.end();
        thread.join().unwrap();
        assert_eq!(pace.reached(), 2);
    });
}
