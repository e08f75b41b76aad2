//! Everything of Weft that can be heard, without plugin, window or host.
//!
//! A [`clip::Clip`] becomes banded log magnitudes ([`spectrum`]), a small feed-forward network
//! ([`network`]) is fitted to their statistics ([`fit`], [`texture`]), and its frames stream to the
//! audio thread ([`instrument`]), where [`inversion`] turns them into sound. [`render`] does the same
//! outside real time.

pub mod clip;
pub mod fit;
pub mod instrument;
pub mod inversion;
pub mod network;
pub mod numeric;
pub mod procedural;
pub mod render;
pub mod spectrum;
pub mod texture;
