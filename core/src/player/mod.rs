//! A running instrument: the frame ring, the audio thread's half and the worker's half.
//!
//! [`Instrument::new`] makes both ends at once. The [`Player`] belongs to the audio thread, the
//! [`Instrument`] to everybody else; between them, one worker thread fits networks and makes frames. The
//! worker hands the audio thread an *engine* for every stream (a ring of frames, an inverter that has
//! settled on the first of them, a rate converter) and takes it back to free it; whatever changes the
//! stream (a texture, a seed, a seek) is a new engine, which is cross-faded in. Better networks for the
//! same capture take over inside a stream, frame by frame.

mod audio;
mod engine;
mod envelope;
mod instrument;
mod messages;
mod renderer;
mod ring;
mod stream;
mod worker;

pub use audio::{CAPTURE_RANGE_S, Controls, Player};
pub use engine::PlayError;
pub use instrument::{Instrument, Phase, Status, TextureInfo};
pub use renderer::Renderer;
