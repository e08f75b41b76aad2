//! What the audio thread owns and runs: all of it is real-time safe but for the waits of a bounce. It does not
//! allocate, lock, free, or call the system.

mod envelope;
mod host_lead;
mod limiter;
mod pacer;
mod player;
mod recorder;
mod song;
mod voice;

pub(super) use player::PlayerEnds;
pub use player::{POLYPHONY, Player};
