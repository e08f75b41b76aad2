//! What the audio thread has to know of the slots' textures: the worker says it.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::atomics::{AtomicF32, AtomicU64, Ordering};
use crate::instrument::controls::Slot;

#[derive(Default)]
struct SlotTexture {
    /// 0: there is none.
    number: AtomicU64,
    side_share: AtomicF32,
}

type Board = Arc<[SlotTexture; Slot::COUNT]>;

/// The board of the slots' textures: the worker's end and the audio thread's.
pub(in crate::instrument) fn textures() -> (TexturesWriter, TexturesReader) {
    let board = Board::default();
    (TexturesWriter(board.clone()), TexturesReader(board))
}

/// The worker's end.
pub(in crate::instrument) struct TexturesWriter(Board);

impl TexturesWriter {
    /// Number of a slot's texture: another one whenever its streams have to be made anew.
    pub fn set_number(&self, slot: Slot, number: Option<NonZeroU64>) {
        let number = number.map_or(0, NonZeroU64::get);
        self.0[slot.index()].number.store(number, Ordering::Release);
    }

    /// Share of the side channel in a texture's power, 0 to 1.
    pub fn set_side_share(&self, slot: Slot, side_share: f32) {
        self.0[slot.index()]
            .side_share
            .store(side_share, Ordering::Release);
    }
}

/// The audio thread's end. Everything is real-time safe.
pub(in crate::instrument) struct TexturesReader(Board);

impl TexturesReader {
    /// Number of a slot's texture, if there is one: another one whenever its streams have to be made anew.
    pub fn number(&self, slot: Slot) -> Option<NonZeroU64> {
        NonZeroU64::new(self.0[slot.index()].number.load(Ordering::Acquire))
    }

    /// Share of the side channel in a texture's power, 0 to 1.
    pub fn side_share(&self, slot: Slot) -> f32 {
        self.0[slot.index()].side_share.load(Ordering::Relaxed)
    }
}
