//! What the audio thread owns and runs. Everything in here but what is made before it starts is real-time safe:
//! it does not allocate, lock, free, or call the system. Only [`bounce`] ever waits.
//!
//! A block is cut into [`part`]s at the points of the control grid. In each of them, the [`player`] lets the
//! [`voices`] look at their controls, change their streams and play; [`follower`] knows where the host's song
//! is, [`recorder`] hands the input on.

mod bounce;
mod follower;
mod glide;
mod host_lead;
mod limiter;
mod observer;
mod outlook;
mod pacer;
mod part;
mod patience;
mod player;
mod recorder;
mod song;
mod voices;

pub use outlook::Outlook;
pub use player::Player;
pub(super) use player::PlayerEnds;
pub use voices::POLYPHONY;
