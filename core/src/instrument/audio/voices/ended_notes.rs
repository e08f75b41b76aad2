//! Notes whose sound has ended, until the host asks for them.

use crate::instrument::controls::NoteAddress;

/// Ended notes that the host has not asked for yet.
const CAPACITY: usize = 64;

/// Remembers which notes have ended.
pub(super) struct EndedNotes {
    notes: [NoteAddress; CAPACITY],
    count: usize,
}

impl EndedNotes {
    pub fn new() -> Self {
        Self {
            notes: [NoteAddress::default(); CAPACITY],
            count: 0,
        }
    }

    pub fn clear(&mut self) {
        self.count = 0;
    }

    /// Adds a note. If a host never asks, the newest ones are lost.
    pub fn push(&mut self, note: NoteAddress) {
        if let Some(place) = self.notes.get_mut(self.count) {
            *place = note;
            self.count += 1;
        }
    }

    /// Takes out the note that was added last.
    pub fn pop(&mut self) -> Option<NoteAddress> {
        self.count = self.count.checked_sub(1)?;
        Some(self.notes[self.count])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_note_comes_out_once_and_too_many_are_dropped() {
        let mut ended = EndedNotes::new();
        for key in 0..100 {
            ended.push(NoteAddress::key(key));
        }
        let keys: Vec<_> = std::iter::from_fn(|| ended.pop()).map(|n| n.key).collect();
        let expected: Vec<_> = (0..CAPACITY as u8).rev().map(Some).collect();
        assert_eq!(keys, expected);
        ended.push(NoteAddress::key(1));
        ended.clear();
        assert_eq!(ended.pop(), None);
    }
}
