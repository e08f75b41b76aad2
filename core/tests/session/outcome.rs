//! What a session came to.

use crate::happening::{AudioHappening, Happening, MainHappening};
use crate::support::allocator::live_bytes;

/// Counts and measures of a session.
#[derive(Debug, Default)]
pub struct Outcome {
    pub allocations: usize,
    /// Processing calls that called the system, or `None` where that can't be told.
    pub system_calls: Option<usize>,
    pub notes: usize,
    pub seeks: usize,
    pub textures: usize,
    pub saves: usize,
    pub loads: usize,
    pub rates: usize,
    /// The least memory that the process had in each fifth of the session in MB; 0 where that can't be told.
    pub memory_mb: [usize; 5],
    /// The least of it that was allocated, in KB.
    pub live_kb: [usize; 5],
    /// Threads of the process before and after; 0 where that can't be told.
    pub threads: [usize; 2],
    pub largest: f32,
    pub underruns: u64,
}

impl Outcome {
    /// Counts what happens.
    pub fn count(&mut self, happening: &Happening) {
        let counter = match happening {
            Happening::Audio(AudioHappening::NoteOn { .. }) => &mut self.notes,
            Happening::Audio(AudioHappening::Seek { .. }) => &mut self.seeks,
            Happening::Audio(_) => return,
            Happening::Main(MainHappening::Slot { .. }) => &mut self.textures,
            Happening::Main(MainHappening::Save) => &mut self.saves,
            Happening::Main(MainHappening::Load) => &mut self.loads,
            Happening::Main(MainHappening::SampleRate(_)) => &mut self.rates,
        };
        *counter += 1;
    }

    /// Notes the memory in use after `share` of the session, 0 to 1.
    pub fn note_memory(&mut self, share: f64) {
        let fifth = ((5.0 * share) as usize).min(4);
        let least = |least: &mut usize, now: usize| {
            *least = if *least == 0 { now } else { now.min(*least) };
        };
        least(&mut self.memory_mb[fifth], memory_mb());
        least(&mut self.live_kb[fifth], live_bytes() / 1024);
    }

    /// Looks at what was played; `done` samples came before it.
    pub fn judge(&mut self, block: &[f32], done: usize) {
        for x in block {
            assert!(x.is_finite(), "not a number after {done} samples");
            self.largest = self.largest.max(x.abs());
        }
    }
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

/// Threads of this process.
pub fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}
