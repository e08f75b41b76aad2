//! A stream of sound: built by the worker, played by the audio thread, fed by the worker meanwhile.

mod engine;
mod fine;
mod interpolator;
mod passage;
mod ring;
mod shaping;
mod song_line;

pub(super) use engine::{Engine, EngineFeed, FrameControls, Place, StreamStart};
pub(super) use ring::{NoWait, Supply};
pub(super) use shaping::Shaping;
pub(super) use song_line::SongLine;
