//! A long session in which everything happens at random: notes, automation, seeks, loops, other textures,
//! fits, captures, blocks of any length. The audio thread must never touch the allocator nor call the
//! system, and what it plays must stay sound.
//!
//! `WEFT_SESSION_S=600 cargo test --release -p weft-core --test session -- --nocapture` makes it longer.

mod happening;
mod outcome;
mod running;
#[path = "../support/mod.rs"]
mod support;
mod threads;

use running::{Pacing, Session};
use support::allocator::allocations;
use support::system_calls::Watch;

/// Seconds of the session, unless told otherwise: simulated, and in real time.
const SIMULATED_S: f64 = 20.0;
const REAL_TIME_S: f64 = 5.0;
/// From here on a session has seen everything after a fifth of its time.
const LONG_S: f64 = 300.0;
/// Linux's number of the system call that gives way to other threads.
const SCHED_YIELD: i64 = 24;

fn asked_for_s() -> Option<f64> {
    std::env::var("WEFT_SESSION_S").ok()?.parse().ok()
}

#[test]
fn a_simulated_session_never_allocates() {
    let seconds = asked_for_s().unwrap_or(SIMULATED_S);
    let outcome = Session::new(Pacing::Bounce).run(seconds);
    println!("{seconds} s simulated: {outcome:?}");
    assert_eq!(outcome.allocations, 0);
    assert_eq!(outcome.underruns, 0, "a bounce waits for its frames");
    // In a short session there are textures yet to come for the first time, and it has other tests beside it.
    if seconds >= LONG_S {
        let (early, late) = (outcome.live_kb[1], outcome.live_kb[4]);
        assert!(late < early + early / 10, "{early} KB became {late} KB");
        assert_eq!(outcome.threads[0], outcome.threads[1]);
    }
    assert!(outcome.notes > 0 && outcome.largest > 0.0 && outcome.largest <= 1.0);
}

#[test]
fn a_session_in_real_time_never_allocates_nor_calls_the_system() {
    let seconds = asked_for_s().unwrap_or(REAL_TIME_S);
    let outcome = Session::new(Pacing::RealTime).run(seconds);
    // Underruns are the machine's matter here, and told, not judged.
    println!("{seconds} s in real time: {outcome:?}");
    assert_eq!(outcome.allocations, 0);
    assert_eq!(outcome.system_calls.unwrap_or(0), 0);
    assert!(outcome.notes > 0 && outcome.largest <= 1.0);
}

#[test]
fn the_watch_finds_system_calls_and_allocations() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 2);
    let Some(watch) = Watch::new() else { return };
    assert_eq!(watch.first_call(|| 1 + 1), (2, None));
    let sched_yield = Some(SCHED_YIELD);
    assert_eq!(watch.first_call(std::thread::yield_now).1, sched_yield);
    // And again, as the first one was let through.
    assert_eq!(watch.first_call(std::thread::yield_now).1, sched_yield);
}
