//! A stream of sound: one texture on its way to one voice.
//!
//! It has two sides, made by one call ([`build`]): the [`Engine`] plays it, the [`EngineFeed`] makes its frames
//! meanwhile, and a [`ring`](crate::ring) for each kind of frame lies between them. The folders name the thread:
//!
//! - [`audio`]: what the audio thread owns and runs. Only the constructors, which allocate, are the worker's to
//!   call.
//! - [`worker`]: what the worker runs: building a stream, measuring a texture's levels, feeding.
//! - here: what both sides know of each other, the rings and plain numbers.
//!
//! `worker` builds what `audio` owns and so names it; `audio` names nothing of `worker`.

mod audio;
mod grids;
mod song_line;
mod start;
mod supply;
#[cfg(test)]
mod tests;
mod worker;

pub(super) use audio::{Engine, Shaping};
pub(super) use song_line::SongLine;
pub(super) use start::{FrameControls, Place, StreamStart};
pub(super) use supply::{NoWait, Supply};
pub(super) use worker::{EngineFeed, build, shaping_for};
