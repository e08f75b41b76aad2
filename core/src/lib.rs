//! Everything of Weft that can be heard, without plugin, window or host.
//!
//! A [`clip::Clip`] becomes banded log magnitudes ([`spectrum`]), a small feed-forward network
//! ([`network`]) is fitted to their statistics ([`fit`], [`texture`]), and its frames stream to the
//! audio thread ([`player`]), where [`inversion`] turns them into sound.

pub mod clip;
pub mod fit;
pub mod inversion;
pub mod network;
pub mod player;
pub mod procedural;
pub mod spectrum;
pub mod texture;

mod fast_math;
mod linalg;
mod parallel;
mod simd;
