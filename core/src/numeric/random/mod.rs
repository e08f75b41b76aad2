//! Random numbers that are the same on every machine, for ever: what is heard is made of them.
//!
//! Two kinds. [`Noise`] is addressed by (seed, stream, frame, channel), so that any stretch of an endless
//! texture can be computed alone. `SplitMix64` is a sequence for what needs no address; `Sequence` draws
//! from it what a fit needs, and `procedural` what a synthesis needs. `hash` holds the mixing functions of
//! both, `stream` the list of all streams of a seed.

pub(crate) mod hash;
mod noise;
mod sequence;
pub(crate) mod stream;

pub use noise::{FrameNoise, Noise};
pub use sequence::Sequence;
pub(crate) use sequence::SplitMix64;
