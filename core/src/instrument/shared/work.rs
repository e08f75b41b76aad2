//! What is not done yet: commands, whose effect nobody knows, and fits. Every piece of it is a guard that
//! counts itself done when it is dropped, so that no way out of a function can forget it.

use std::sync::Arc;

use super::atomics::{AtomicU64, Ordering};
use crate::instrument::controls::Slot;

/// Bits of the count of commands, which is the lowest.
const COMMAND_BITS: usize = 16;
pub(super) const COMMANDS: u64 = (1 << COMMAND_BITS) - 1;
/// Commands that may wait at once. Half of what the bits count, as every thread that gives one may be about to
/// find out that there is no more room.
pub(super) const MOST_COMMANDS: u64 = COMMANDS / 2;
/// Bits of each count of fits. A slot has a few at most: one that runs, one that waits, and one that is just
/// being cancelled.
const FIT_BITS: usize = 8;
const FITS: u64 = (1 << FIT_BITS) - 1;
/// The counts of fits: one for each slot, and one for those of all slots that keep to the song's pace.
const FIT_COUNTS: usize = Slot::COUNT + 1;
const PACED: usize = Slot::COUNT;

const _: () = assert!(
    COMMAND_BITS + FIT_COUNTS * FIT_BITS <= u64::BITS as usize,
    "all counts are one number"
);

/// A count of fits, moved to its place.
const fn at(count: usize, value: u64) -> u64 {
    value << (COMMAND_BITS + count * FIT_BITS)
}

/// Counts what is not done. Commands, the fits of each slot that a bounce waits for, and the fits that keep to the
/// song's pace are one number, so that what becomes something else is never missed in between.
#[derive(Default)]
pub(in crate::instrument) struct Work {
    counts: AtomicU64,
}

impl Work {
    /// A command is given; none where too many wait already. Real-time safe.
    pub fn begin(self: &Arc<Self>) -> Option<Pending> {
        let before = self.counts.fetch_add(1, Ordering::AcqRel);
        let pending = Pending { work: self.clone() };
        (before & COMMANDS < MOST_COMMANDS).then_some(pending)
    }

    fn load(&self) -> u64 {
        self.counts.load(Ordering::Acquire)
    }

    /// Whether anything is not done.
    pub fn is_any(&self) -> bool {
        self.load() > 0
    }

    /// Whether commands are not done.
    pub fn has_commands(&self) -> bool {
        self.load() & COMMANDS > 0
    }

    /// Whether fits of any slot are not done that a bounce waits for.
    pub fn has_any_fits(&self) -> bool {
        let all_slots = at(PACED, 1) - at(0, 1);
        self.load() & all_slots > 0
    }

    /// Whether fits of `slot` are not done that a bounce waits for.
    pub fn has_fits(&self, slot: Slot) -> bool {
        self.load() & at(slot.index(), FITS) > 0
    }

    /// Counts one fit more.
    fn begin_fit(self: &Arc<Self>, slot: Slot) -> PendingFit {
        self.counts.fetch_add(at(slot.index(), 1), Ordering::AcqRel);
        PendingFit {
            work: self.clone(),
            slot,
        }
    }
}

/// A command that is not done. Dropping it is real-time safe where the [`Work`] is also owned elsewhere.
pub(in crate::instrument) struct Pending {
    work: Arc<Work>,
}

impl Pending {
    /// A part of the command that is done by itself. The worker's own commands are few: they are not refused.
    pub fn another(&self) -> Self {
        self.work.counts.fetch_add(1, Ordering::AcqRel);
        Self {
            work: self.work.clone(),
        }
    }

    /// The command has become a fit that a bounce waits for.
    pub fn into_fit(self, slot: Slot) -> PendingFit {
        self.work.begin_fit(slot)
    }

    /// The command has become a fit that keeps to the song's pace.
    pub fn into_paced_fit(self) -> PendingPacedFit {
        self.work.counts.fetch_add(at(PACED, 1), Ordering::AcqRel);
        PendingPacedFit {
            work: self.work.clone(),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let before = self.work.counts.fetch_sub(1, Ordering::AcqRel);
        debug_assert!(before & COMMANDS > 0);
    }
}

/// A fit that is not done, and that a bounce waits for.
pub(in crate::instrument) struct PendingFit {
    work: Arc<Work>,
    slot: Slot,
}

impl Drop for PendingFit {
    fn drop(&mut self) {
        self.work
            .counts
            .fetch_sub(at(self.slot.index(), 1), Ordering::AcqRel);
    }
}

/// A fit that is not done, and that keeps to the song's pace.
pub(in crate::instrument) struct PendingPacedFit {
    work: Arc<Work>,
}

impl PendingPacedFit {
    /// The fit no longer keeps to the song's pace: a bounce waits for it as for any other.
    pub fn leave_pace(self, slot: Slot) -> PendingFit {
        self.work.begin_fit(slot)
    }
}

impl Drop for PendingPacedFit {
    fn drop(&mut self) {
        self.work.counts.fetch_sub(at(PACED, 1), Ordering::AcqRel);
    }
}
