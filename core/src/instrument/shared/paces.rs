//! Fits of captures that are made within a bounce go on at the song's pace, as they do while it is played:
//! after so many seconds of the song, so many steps of the fit are heard, in every bounce the same. A bounce
//! waits no longer than that takes.
//!
//! The protocol: the fits' side says that a fit has *begun*; the song counts its time for it and says what
//! is *due*; the fit trains that far, and what it came to is handed over; the worker says up to where that is
//! *settled*, which is what the song waits for.

use std::sync::Arc;

use super::atomics::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use crate::instrument::controls::Slot;

/// Steps with which every step may be heard, and of a fit that is over.
pub(in crate::instrument) const EVERYTHING: u32 = u32::MAX;
/// No slot's fit goes on.
const NOBODY: u8 = u8::MAX;

/// The number of a capture that was made within a bounce; later ones have greater numbers.
pub(in crate::instrument) type PacedCapture = u32;

/// A capture's number in the upper half, and a count of steps of its fit in the lower, where the sound
/// before the first step counts as one. Greater is a later capture, or more steps of the same.
#[derive(Default)]
struct Mark(AtomicU64);

impl Mark {
    fn pack(capture: PacedCapture, steps: u32) -> u64 {
        u64::from(capture) << 32 | u64::from(steps)
    }

    fn read(&self) -> (PacedCapture, u32) {
        let mark = self.0.load(Ordering::Acquire);
        ((mark >> 32) as u32, mark as u32)
    }

    fn set(&self, capture: PacedCapture, steps: u32) {
        self.0.store(Self::pack(capture, steps), Ordering::Release);
    }

    /// Neither an older capture nor fewer steps take anything back.
    fn raise(&self, capture: PacedCapture, steps: u32) {
        self.0
            .fetch_max(Self::pack(capture, steps), Ordering::AcqRel);
    }
}

struct Paces {
    /// Number of the newest capture whose fit began.
    begun: [AtomicU32; Slot::COUNT],
    /// What may be heard.
    due: [Mark; Slot::COUNT],
    /// Up to where everything that was to be heard is heard.
    settled: [Mark; Slot::COUNT],
    /// The slot whose fit goes on, or none of them.
    advancing: AtomicU8,
    /// Whether the bounce waits for that fit.
    is_awaited: AtomicBool,
}

/// The paces of all slots: the song's end, for the audio thread, and the fits'.
pub(in crate::instrument) fn paces() -> (SongPaces, FitPaces) {
    let paces = Arc::new(Paces {
        begun: Default::default(),
        due: Default::default(),
        settled: Default::default(),
        advancing: AtomicU8::new(NOBODY),
        is_awaited: AtomicBool::new(false),
    });
    (SongPaces(paces.clone()), FitPaces(paces))
}

/// The song's end, on the audio thread. Everything is real-time safe.
pub(in crate::instrument) struct SongPaces(Arc<Paces>);

impl SongPaces {
    /// Number of the newest capture whose fit began; 0 before the first.
    pub fn begun(&self, slot: Slot) -> PacedCapture {
        self.0.begun[slot.index()].load(Ordering::Acquire)
    }

    /// Says that so many steps, counted as a [`Mark`] does, may be heard of the fit of `capture`.
    pub fn set_due(&self, slot: Slot, capture: PacedCapture, steps: u32) {
        self.0.due[slot.index()].set(capture, steps);
    }

    /// Whether everything up to so many steps of the fit of `capture` is heard, or there is nothing more of it
    /// to come.
    pub fn is_settled(&self, slot: Slot, capture: PacedCapture, steps: u32) -> bool {
        self.0.settled[slot.index()].read() >= (capture, steps)
    }

    /// Says which slot's fit the bounce gets ahead with.
    pub fn set_advancing(&self, slot: Option<Slot>) {
        let index = slot.map_or(NOBODY, |slot| slot.index() as u8);
        self.0.advancing.store(index, Ordering::Release);
    }

    /// Says whether the bounce waits for that fit.
    pub fn set_awaited(&self, is_awaited: bool) {
        self.0.is_awaited.store(is_awaited, Ordering::Release);
    }
}

/// The end of the worker and the threads of its fits.
#[derive(Clone)]
pub(in crate::instrument) struct FitPaces(Arc<Paces>);

impl FitPaces {
    /// Says that the fit of a capture has begun.
    pub fn begin(&self, slot: Slot, capture: PacedCapture) {
        self.0.begun[slot.index()].store(capture, Ordering::Release);
    }

    /// Steps, counted as a [`Mark`] does, that may be heard of the fit of `capture`.
    pub fn due(&self, slot: Slot, capture: PacedCapture) -> u32 {
        let (newest, steps) = self.0.due[slot.index()].read();
        // The song has not heard yet that this fit has begun, or it is about to be cancelled.
        if newest == capture { steps } else { 0 }
    }

    /// Whether the bounce gets ahead with the fit of this slot now. Others may rest.
    pub fn is_advancing(&self, slot: Slot) -> bool {
        usize::from(self.0.advancing.load(Ordering::Acquire)) == slot.index()
    }

    /// Whether the bounce waits for the fit that goes on. All others should rest.
    pub fn is_awaited(&self) -> bool {
        self.0.is_awaited.load(Ordering::Acquire)
    }

    /// Says that everything up to so many steps is heard.
    pub fn settle(&self, slot: Slot, capture: PacedCapture, steps: u32) {
        self.0.settled[slot.index()].raise(capture, steps);
    }

    /// Says that there is nothing more to come of this capture, or that it no longer keeps to the song.
    pub fn end(&self, slot: Slot, capture: PacedCapture) {
        self.settle(slot, capture, EVERYTHING);
    }
}
