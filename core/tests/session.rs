//! A long session in which everything happens at random: notes, automation, seeks, loops, other textures,
//! fits, captures, blocks of any length. The audio thread must never touch the allocator nor call the
//! system, and what it plays must stay sound.
//!
//! `WEFT_SESSION_S=600 cargo test --release -p weft-core --test session -- --nocapture` makes it longer.

mod guard;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[path = "guard/system_calls.rs"]
mod system_calls;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod system_calls {
    /// Elsewhere there is nothing that tells.
    pub struct Watch;

    impl Watch {
        pub fn new() -> Option<Self> {
            None
        }

        pub fn first_call<T>(&self, work: impl FnOnce() -> T) -> (T, Option<i64>) {
            (work(), None)
        }
    }
}

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use guard::{allocations, live_bytes};
use system_calls::Watch;

use weft_core::fit::{FitSettings, fit};
use weft_core::instrument::{
    CaptureSettings, Controls, Instrument, NoteAddress, NoteControl, Quality, Slot, Transport,
};
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};

const RATE: f64 = 48_000.0;
const LONGEST_BLOCK: usize = 2048;
/// Seconds of the session, unless told otherwise: simulated, and in real time.
const SIMULATED_S: f64 = 20.0;
const PACED_S: f64 = 5.0;
/// From here on a session has seen everything after a fifth of its time.
const LONG_S: f64 = 300.0;
/// More than this behind its time, the test's host has dropped out.
const DROPOUT: Duration = Duration::from_millis(100);

fn asked_for_s() -> Option<f64> {
    std::env::var("WEFT_SESSION_S").ok()?.parse().ok()
}

struct Random(u64);

impl Random {
    /// Uniform in 0..1.
    fn unit(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.unit() * bound as f32) as usize
    }

    fn within(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }
}

fn textures() -> [Model; 2] {
    [(Texture::Rain, 48_000), (Texture::Fire, 16_000)].map(|(texture, rate)| {
        let clip = synthesize(texture, 1, rate, 2.0);
        let settings = FitSettings {
            steps: 100,
            ..FitSettings::default()
        };
        fit(&clip, &settings, &mut |_| ControlFlow::Continue(())).unwrap()
    })
}

/// What a session came to.
#[derive(Debug, Default)]
struct Outcome {
    allocations: usize,
    /// Processing calls that called the system, or `None` where that can't be told.
    system_calls: Option<usize>,
    notes: usize,
    seeks: usize,
    textures: usize,
    saves: usize,
    loads: usize,
    rates: usize,
    /// The least memory that the process had in each fifth of the session in MB; 0 where that can't be told.
    memory_mb: [usize; 5],
    /// The least of it that was allocated, in KB.
    live_kb: [usize; 5],
    /// Threads of the process before and after; 0 where that can't be told.
    threads: [usize; 2],
    largest: f32,
    underruns: u64,
}

/// Memory of this process in MB.
fn memory_mb() -> usize {
    const PAGES_PER_MB: usize = 256;
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages
        .split(' ')
        .nth(1)
        .and_then(|p| p.parse::<usize>().ok());
    resident.unwrap_or(0) / PAGES_PER_MB
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

fn session(seconds: f64, paced: bool) -> Outcome {
    let textures = textures();
    let threads_before = threads();
    let (instrument, mut player) = Instrument::new().unwrap();
    instrument.set_fit_steps(100);
    player.prepare(RATE);
    player.set_offline(!paced);
    instrument.play(Slot::A, textures[0].clone());
    instrument.play(Slot::B, textures[1].clone());
    // A bounce waits for its frames, and may sleep.
    let watch = if paced { Watch::new() } else { None };
    let mut outcome = Outcome {
        system_calls: watch.as_ref().map(|_| 0),
        ..Outcome::default()
    };
    let mut random = Random(7);
    let mut controls = Controls {
        hold: true,
        ..Controls::DEFAULT
    };
    let input = vec![0.01f32; LONGEST_BLOCK];
    let mut out = [vec![0.0f32; LONGEST_BLOCK], vec![0.0f32; LONGEST_BLOCK]];
    let (mut song, mut rolling) = (0i64, true);
    let mut kept = None;
    let (mut done, mut measured) = (0usize, 0u32);
    let (mut rate, mut played_s) = (RATE, 0.0);
    let mut begin = Instant::now();
    while (done as f64) < seconds * RATE {
        let block = match random.below(4) {
            0 => 1 + random.below(64),
            1 => 32,
            2 => 128,
            _ => 1 + random.below(LONGEST_BLOCK),
        };
        let length = 12_000 + random.below(200_000) as i64;
        // About ten things happen in a second.
        let happens = random.unit() < 10.0 * block as f32 / RATE as f32;
        let what = if happens { 1 + random.below(17) } else { 0 };
        if done as f64 / RATE > f64::from(measured) {
            measured += 1;
            let fifth = (5.0 * done as f64 / (seconds * RATE)) as usize;
            let least = &mut outcome.memory_mb[fifth.min(4)];
            *least = match *least {
                0 => memory_mb(),
                least => least.min(memory_mb()),
            };
            let least = &mut outcome.live_kb[fifth.min(4)];
            *least = match *least {
                0 => live_bytes() / 1024,
                least => least.min(live_bytes() / 1024),
            };
        }
        // The main thread's doing, which may allocate.
        if what == 17 {
            match random.below(8) {
                0..4 => {
                    outcome.saves += 1;
                    kept = instrument.save_state();
                }
                4..7 => {
                    outcome.loads += 1;
                    if let Some(bytes) = &kept {
                        instrument.load_state(bytes).unwrap();
                    }
                }
                // What the song's clock means stays what it was here: nobody listens to the pitch.
                _ => {
                    outcome.rates += 1;
                    let rates = [44_100.0, 96_000.0, RATE, RATE];
                    rate = rates[random.below(rates.len())];
                    player.prepare(rate);
                }
            }
        }
        if what == 16 {
            outcome.textures += 1;
            let slot = Slot::ALL[random.below(4)];
            match random.below(10) {
                0 => instrument.load_clip(slot, synthesize(Texture::Wind, 3, 16_000, 1.5), "wind"),
                1 => instrument.cancel_fit(slot),
                2 => instrument.undo(slot),
                3 => instrument.copy(Slot::A, slot),
                4 if slot != Slot::A => instrument.clear(slot),
                5 => instrument.grab(slot, 1.0),
                n => instrument.play(slot, textures[n % 2].clone()),
            }
        }
        let key = 36 + random.below(48) as u8;
        let value = random.unit();
        let [left, right] = &mut out;
        let mut process = || {
            let note = NoteAddress {
                note_id: None,
                channel: Some(0),
                key: Some(key),
            };
            match what {
                1..=4 => {
                    outcome.notes += 1;
                    player.note_on(note, value);
                }
                5 | 6 => player.note_off(NoteAddress { key: None, ..note }),
                7 => player.control_note(
                    NoteAddress::default(),
                    NoteControl::Tuning,
                    random.within(-2.0, 2.0),
                ),
                8 => controls.time = 4.0 * value * value,
                9 => controls.pitch_st = random.within(-12.0, 12.0),
                10 => {
                    controls.brightness_db_per_octave = random.within(-6.0, 6.0);
                    controls.width = 2.0 * value;
                }
                11 => {
                    controls.contrast = 2.0 * value;
                    controls.density = random.within(0.0, 2.0);
                }
                12 => {
                    controls.smear_s = value;
                    controls.low_cut_hz = random.within(20.0, 500.0);
                }
                13 => {
                    outcome.seeks += 1;
                    song = length;
                }
                14 => {
                    controls.lock = value < 0.7;
                    controls.key_follow = value < 0.5;
                    controls.hold = value < 0.8;
                    rolling = value < 0.9;
                }
                15 => match random.below(5) {
                    0 => controls.seed = random.below(5) as u32,
                    1 => {
                        controls.quality = if value < 0.5 {
                            Quality::Eco
                        } else {
                            Quality::High
                        }
                    }
                    2 => player.start_capture(CaptureSettings::now(Slot::C, 1.0)),
                    3 => controls.slot = Slot::ALL[random.below(4)],
                    _ => player.reset(),
                },
                _ => {}
            }
            // A loop of about four seconds.
            if song > length + 190_000 {
                song = length;
            }
            player.set_transport(rolling.then_some(Transport {
                samples: song,
                beats: Some(song as f64 / RATE * 2.0),
                bar_start_beats: None,
                beats_per_bar: Some(4.0),
                tempo: Some(120.0),
            }));
            let input = [&input[..block], &input[..block]];
            player.process(input, [&mut left[..block], &mut right[..block]], &controls);
            while player.next_ended_note().is_some() {}
        };
        outcome.allocations += allocations(|| match &watch {
            Some(watch) => {
                let ((), call) = watch.first_call(process);
                if let Some(call) = call {
                    println!("system call {call} after {done} samples");
                    *outcome.system_calls.get_or_insert(0) += 1;
                }
            }
            None => process(),
        });
        song += block as i64;
        done += block;
        for x in left[..block].iter().chain(&right[..block]) {
            assert!(x.is_finite(), "not a number after {done} samples");
            outcome.largest = outcome.largest.max(x.abs());
        }
        if paced {
            played_s += block as f64 / rate;
            let next = begin + Duration::from_secs_f64(played_s);
            let now = Instant::now();
            std::thread::sleep(next.saturating_duration_since(now));
            // After a dropout, a sound card goes on from where it is.
            let late = now.saturating_duration_since(next);
            if late > DROPOUT {
                begin += late;
            }
        }
    }
    outcome.underruns = instrument.status().underruns;
    drop((instrument, player));
    outcome.threads = [threads_before, threads()];
    outcome
}

#[test]
fn a_simulated_session_never_allocates() {
    let seconds = asked_for_s().unwrap_or(SIMULATED_S);
    let outcome = session(seconds, false);
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
    let seconds = asked_for_s().unwrap_or(PACED_S);
    let outcome = session(seconds, true);
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
    let sched_yield = Some(24);
    assert_eq!(watch.first_call(std::thread::yield_now).1, sched_yield);
    // And again, as the first one was let through.
    assert_eq!(watch.first_call(std::thread::yield_now).1, sched_yield);
}
