//! The session itself: block after block, with what happens between them.

use std::time::{Duration, Instant};

use weft_core::instrument::Instrument;
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};

use crate::happening::Happening;
use crate::outcome::{Outcome, threads};
use crate::support::allocator::allocations;
use crate::support::models::fitted;
use crate::support::random::Random;
use crate::support::system_calls::Watch;
use crate::threads::{AudioThread, MainThread};

/// Sample rate at the beginning, and of the song, in Hz.
const RATE: f64 = 48_000.0;
const LONGEST_BLOCK: usize = 2048;
/// Steps of the fits.
const FIT_STEPS: u32 = 100;
/// More than this behind its time, the test's host has dropped out.
const DROPOUT: Duration = Duration::from_millis(100);

/// How fast a session goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    /// As fast as it can, waiting for frames: it may sleep.
    Bounce,
    /// As a sound card asks for blocks.
    RealTime,
}

/// A host with an instrument to which everything happens.
pub struct Session {
    main: MainThread,
    audio: AudioThread,
    watch: Option<Watch>,
    clock: Option<SoundCard>,
    random: Random,
    outcome: Outcome,
    /// Samples played.
    done: usize,
}

impl Session {
    /// A session that has not begun; every one of the same kind draws the same happenings.
    pub fn new(pacing: Pacing) -> Self {
        let textures = textures();
        let threads_before = threads();
        let (instrument, player) = Instrument::new().unwrap();
        instrument.set_fit_steps(FIT_STEPS);
        let mut audio = AudioThread::new(player, RATE, LONGEST_BLOCK);
        audio.set_offline(pacing == Pacing::Bounce);
        let in_real_time = pacing == Pacing::RealTime;
        let watch = if in_real_time { Watch::new() } else { None };
        let outcome = Outcome {
            system_calls: watch.as_ref().map(|_| 0),
            threads: [threads_before, 0],
            ..Outcome::default()
        };
        Self {
            main: MainThread::new(instrument, textures),
            audio,
            watch,
            clock: in_real_time.then(SoundCard::new),
            random: Random::new(7),
            outcome,
            done: 0,
        }
    }

    /// Plays `seconds` seconds, removes the instrument, and tells what came of it.
    pub fn run(mut self, seconds: f64) -> Outcome {
        let mut measured_s = 0;
        let samples = seconds * RATE;
        while (self.done as f64) < samples {
            if self.done as f64 / RATE > f64::from(measured_s) {
                measured_s += 1;
                self.outcome.note_memory(self.done as f64 / samples);
            }
            self.play_block();
        }
        self.outcome.underruns = self.main.instrument.status().underruns;
        drop((self.main, self.audio));
        self.outcome.threads[1] = threads();
        self.outcome
    }

    fn play_block(&mut self) {
        let block = draw_block(&mut self.random);
        let controls = self.audio.controls();
        let happening = Happening::before(block, controls, RATE, &mut self.random);
        if let Some(happening) = &happening {
            self.outcome.count(happening);
        }
        if let Some(Happening::Main(happening)) = &happening {
            self.main.apply(happening, &mut self.audio);
        }
        self.watched(|audio| {
            if let Some(Happening::Audio(happening)) = &happening {
                audio.apply(happening);
            }
            audio.process(block);
        });
        for channel in self.audio.played(block) {
            self.outcome.judge(channel, self.done);
        }
        self.done += block;
        if let Some(clock) = &mut self.clock {
            clock.wait_for(block as f64 / self.audio.sample_rate());
        }
    }

    /// Does what the audio thread does, and counts what it may not.
    fn watched(&mut self, work: impl FnOnce(&mut AudioThread)) {
        let Self { audio, outcome, .. } = self;
        outcome.allocations += allocations(|| match &self.watch {
            Some(watch) => {
                let ((), call) = watch.first_call(|| work(audio));
                if let Some(call) = call {
                    println!("system call {call} after {} samples", self.done);
                    *outcome.system_calls.get_or_insert(0) += 1;
                }
            }
            None => work(audio),
        });
    }
}

/// Samples of a block: short, usual, and any.
fn draw_block(random: &mut Random) -> usize {
    match random.below(4) {
        0 => 1 + random.below(64),
        1 => 32,
        2 => 128,
        _ => 1 + random.below(LONGEST_BLOCK),
    }
}

fn textures() -> [Model; 2] {
    [(Texture::Rain, 48_000), (Texture::Fire, 16_000)]
        .map(|(texture, rate)| fitted(&synthesize(texture, 1, rate, 2.0), 100))
}

/// When a sound card asks for blocks.
struct SoundCard {
    began: Instant,
    played_s: f64,
}

impl SoundCard {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            played_s: 0.0,
        }
    }

    /// Waits until a block of so many seconds has been played.
    fn wait_for(&mut self, block_s: f64) {
        self.played_s += block_s;
        let next = self.began + Duration::from_secs_f64(self.played_s);
        let now = Instant::now();
        std::thread::sleep(next.saturating_duration_since(now));
        // After a dropout, a sound card goes on from where it is.
        let late = now.saturating_duration_since(next);
        if late > DROPOUT {
            self.began += late;
        }
    }
}
