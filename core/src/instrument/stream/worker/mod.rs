//! The worker's side of a stream: building it, measuring its texture's levels, and making its frames.
//!
//! Everything here runs on the worker thread, and may allocate.

mod build;
mod feed;
mod levels;
mod plan;

pub(in crate::instrument) use build::build;
pub(in crate::instrument) use feed::EngineFeed;
pub(in crate::instrument) use levels::shaping_for;
