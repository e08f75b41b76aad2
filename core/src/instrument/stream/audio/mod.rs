//! The audio thread's side of a stream: frames become sound, at the pitch and pace that the voice asks for.
//!
//! Everything here is owned by the audio thread once it is handed over, and everything but the constructors is
//! real-time safe: no allocation, lock, system call, or loop without a bound.

mod engine;
mod expansion;
mod fine;
mod gains;
mod interpolator;
mod passage;
mod recipe;
mod segments;
mod shaping;
mod shown_bands;
mod tape;

pub(in crate::instrument) use engine::Engine;
pub(super) use engine::{EngineParts, SynthesisFrame};
pub(super) use fine::FineStructure;
pub(super) use interpolator::ONE;
pub(super) use passage::Passage;
pub(super) use segments::{Segments, first_frame_of};
pub(in crate::instrument) use shaping::Shaping;
pub(super) use shaping::{Corrections, contrasted, magnitude_width, power};
pub(super) use tape::{Tape, reading_step};
