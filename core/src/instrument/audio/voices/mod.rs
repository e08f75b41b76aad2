//! The voices: those of the notes, which go from one note to the next, and Hold's own.
//!
//! The [`pool`] has them all. A [`voice`] has an [`envelope`], the [`controls`] of its note, and a [`deck`] with
//! its streams.

mod channels;
mod controls;
mod cross_fade;
mod deck;
mod ended_notes;
mod envelope;
mod hold;
mod modulation;
mod notes;
mod pedals;
mod pool;
mod settings;
mod stream_link;
mod targets;
mod voice;

pub(super) use envelope::tail_s;
pub(super) use notes::NoteStart;
pub(super) use pool::VoicePool;
pub(super) use stream_link::StreamLink;

/// Notes that sound at once.
pub const POLYPHONY: usize = 16;
/// The voice of Hold comes after those of the notes.
const HOLD_VOICE: u8 = POLYPHONY as u8;
const VOICES: usize = POLYPHONY + 1;
