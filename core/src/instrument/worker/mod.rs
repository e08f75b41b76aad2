//! What the worker thread owns and runs: it may allocate, lock and take its time, but what sounds must not run
//! dry meanwhile.

mod fit_thread;
mod fitter;
mod memory;
mod prepare;
mod slots;
mod streams;
#[expect(clippy::module_inception, reason = "the worker itself")]
mod worker;

pub(super) use worker::{Worker, WorkerEnds};
