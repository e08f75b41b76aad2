//! A running instrument: the frame ring, the audio thread's half and the worker's half.
//!
//! [`Instrument::new`] makes both ends at once. The [`Player`] belongs to the audio thread, the
//! [`Instrument`] to everybody else; between them, one worker thread fits networks and makes frames. The
//! worker hands the audio thread an *engine* for every stream (a ring of frames, an inverter that has
//! settled on the first of them, a rate converter) and takes it back to free it; whatever changes the
//! stream (a texture, a seed, a seek) is a new engine, which is cross-faded in. Better networks for the
//! same capture take over inside a stream, frame by frame.

mod audio;
mod controls;
mod engine;
mod envelope;
mod grain;
mod instrument;
mod interpolator;
mod limiter;
mod messages;
mod passage;
mod recorder;
mod renderer;
mod ring;
mod song;
mod stream;
mod voice;
mod voicing;
mod worker;

pub use audio::{POLYPHONY, Player};
pub use controls::{
    BRIGHTNESS_RANGE, CUT_RANGE_HZ, Controls, NoteAddress, NoteControl, PITCH_RANGE_ST, Quality,
    SMEAR_MOST_S, TIME_RANGE, Transport,
};
pub use instrument::{Instrument, Phase, Status, TextureInfo};
pub use recorder::CAPTURE_RANGE_S;
pub use renderer::Renderer;
