//! What the worker shows to the main thread: what the slots hold, how far the fit is, and what went wrong.
//! Nothing here is for the audio thread, which must not lock.

use std::sync::{Arc, Mutex, MutexGuard};

use super::atomics::{AtomicU64, Ordering};
use crate::instrument::bank::Contents;
use crate::instrument::controls::Slot;

/// What a running fit has reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::instrument) struct FitProgress {
    pub slot: Slot,
    /// Steps done, and in all.
    pub step: u32,
    pub steps: u32,
    /// Smoothed loss; not a number before the first step.
    pub loss: f32,
    /// Others' fits that a helper makes before, while it waits for those.
    pub ahead: Option<u32>,
}

#[derive(Default)]
struct Stage {
    slots: Mutex<[Contents; Slot::COUNT]>,
    fit: Mutex<Option<FitProgress>>,
    /// A helper's device, if the newest fit is or was made on one.
    device: Mutex<Option<String>>,
    notice: Mutex<Option<String>>,
    revision: AtomicU64,
}

/// Locks a mutex that is never held over a panic, or whose content stays whole through one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

/// The stage: the end of the worker and its fits, and the main thread's.
pub(in crate::instrument) fn stage() -> (StageWriter, StageReader) {
    let stage = Arc::new(Stage::default());
    (StageWriter(stage.clone()), StageReader(stage))
}

/// The end of the worker and the threads of its fits.
#[derive(Clone)]
pub(in crate::instrument) struct StageWriter(Arc<Stage>);

impl StageWriter {
    /// What the slots hold, locked: not to be kept. Say [`changed`](Self::changed) when it was.
    pub fn slots(&self) -> MutexGuard<'_, [Contents; Slot::COUNT]> {
        lock(&self.0.slots)
    }

    /// How far the fit is that is shown, locked: not to be kept.
    pub fn fit(&self) -> MutexGuard<'_, Option<FitProgress>> {
        lock(&self.0.fit)
    }

    /// Says on which device of a helper the newest fit is made; none: on the processor.
    pub fn set_device(&self, name: Option<&str>) {
        *lock(&self.0.device) = name.map(str::to_owned);
    }

    /// What is saved may be something else from now on.
    pub fn changed(&self) {
        self.0.revision.fetch_add(1, Ordering::AcqRel);
    }

    /// Says what went wrong.
    pub fn report(&self, notice: impl ToString) {
        *lock(&self.0.notice) = Some(notice.to_string());
    }

    /// Takes back what was said.
    pub fn clear_notice(&self) {
        *lock(&self.0.notice) = None;
    }
}

/// The main thread's end.
pub(in crate::instrument) struct StageReader(Arc<Stage>);

impl StageReader {
    /// Looks at what the slots hold, while nobody changes it.
    pub fn read_slots<T>(&self, read: impl FnOnce(&[Contents; Slot::COUNT]) -> T) -> T {
        read(&lock(&self.0.slots))
    }

    /// How far the fit is that runs, if one does.
    pub fn fit(&self) -> Option<FitProgress> {
        *lock(&self.0.fit)
    }

    /// The helper's device on which the newest fit is or was made.
    pub fn device(&self) -> Option<String> {
        lock(&self.0.device).clone()
    }

    /// Another number whenever what is saved may be something else. Real-time safe.
    pub fn revision(&self) -> u64 {
        self.0.revision.load(Ordering::Acquire)
    }

    /// What went wrong last.
    pub fn notice(&self) -> Option<String> {
        lock(&self.0.notice).clone()
    }

    /// Says something of the main thread's own.
    pub fn report(&self, notice: impl ToString) {
        *lock(&self.0.notice) = Some(notice.to_string());
    }

    /// Takes back what was said.
    pub fn clear_notice(&self) {
        *lock(&self.0.notice) = None;
    }
}
