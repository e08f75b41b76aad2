//! What the main thread wants of the fits to come, and how often it has replaced everything.

use std::sync::Arc;

use super::atomics::{AtomicU32, AtomicU64, Ordering};
use crate::instrument::controls::Slot;

struct Desk {
    fit_steps: [AtomicU32; Slot::COUNT],
    fit_seed: AtomicU64,
    loads: AtomicU32,
}

/// The desk: the main thread's end, and the one of the worker and the audio thread. Fits have `fit_steps` steps until
/// something else is said.
pub(in crate::instrument) fn desk(fit_steps: u32) -> (DeskWriter, DeskReader) {
    let desk = Arc::new(Desk {
        fit_steps: std::array::from_fn(|_| AtomicU32::new(fit_steps)),
        fit_seed: AtomicU64::new(0),
        loads: AtomicU32::new(0),
    });
    (DeskWriter(desk.clone()), DeskReader(desk))
}

/// The main thread's end. Real-time safe, as hosts set parameters from any thread.
pub(in crate::instrument) struct DeskWriter(Arc<Desk>);

impl DeskWriter {
    /// Training steps of the fits to come in a slot.
    pub fn set_fit_steps(&self, slot: Slot, steps: u32) {
        self.0.fit_steps[slot.index()].store(steps, Ordering::Release);
    }

    /// Counts a load, wrapping. What was recorded for the contents before it is not wanted any more.
    pub fn count_load(&self) {
        self.0.loads.fetch_add(1, Ordering::AcqRel);
    }

    /// Seed of the fits to come.
    pub fn set_fit_seed(&self, seed: u64) {
        self.0.fit_seed.store(seed, Ordering::Release);
    }
}

/// The worker's and the audio thread's end. Real-time safe.
#[derive(Clone)]
pub(in crate::instrument) struct DeskReader(Arc<Desk>);

impl DeskReader {
    /// Training steps of the fits to come in a slot.
    pub fn fit_steps(&self, slot: Slot) -> u32 {
        self.0.fit_steps[slot.index()].load(Ordering::Acquire)
    }

    /// Loads so far, wrapping.
    pub fn loads(&self) -> u32 {
        self.0.loads.load(Ordering::Acquire)
    }

    /// Seed of the fits to come.
    pub fn fit_seed(&self) -> u64 {
        self.0.fit_seed.load(Ordering::Acquire)
    }
}
