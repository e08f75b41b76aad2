//! A running instrument: the frame ring, the audio thread's half and the worker's half.
//!
//! [`Instrument::new`] makes both ends at once. The [`Player`] belongs to the audio thread, the
//! [`Instrument`] to everybody else; between them, one worker thread fits networks and makes frames. The
//! worker hands the audio thread an *engine* for every stream (a ring of frames, an inverter that has
//! settled on the first of them, a rate converter) and takes it back to free it; whatever changes the
//! stream (a texture, a seed, a seek) is a new engine, which is cross-faded in. Better networks for the
//! same capture take over inside a stream, frame by frame.

mod audio;
mod bank;
mod controls;
mod handle;
#[cfg(test)]
mod models;
mod shared;
mod status;
mod stream;
mod worker;

pub use audio::{Outlook, POLYPHONY, Player};
pub use bank::Bank;
pub use controls::{
    BRIGHTNESS_RANGE, CAPTURE_PREROLL_S, CAPTURE_RANGE_S, CUT_RANGE_HZ, CaptureSettings,
    CaptureStart, ChannelControl, Controls, MEMORY_S, ModulationSource, ModulationTarget,
    NoteAddress, NoteControl, PITCH_RANGE_ST, Quality, Route, SMEAR_MOST_S, Slot, TIME_RANGE,
    Transport,
};
pub use handle::{Instrument, Outside};
pub use shared::{Errands, SCOPE_BANDS, ScopeFrame, ScopeReader, ScopeWatch};
pub use status::{FitState, Phase, SlotStatus, Status, TextureInfo};
