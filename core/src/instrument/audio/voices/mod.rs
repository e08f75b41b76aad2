//! The voices: those of the notes, which go from one note to the next, and Hold's own.

mod ended_notes;
mod hold;
mod notes;
mod pool;

pub(super) use notes::NoteStart;
pub(super) use pool::VoicePool;

/// Notes that sound at once.
pub const POLYPHONY: usize = 16;
/// The voice of Hold comes after those of the notes.
pub(super) const HOLD_VOICE: u8 = POLYPHONY as u8;
pub(super) const VOICES: usize = POLYPHONY + 1;
