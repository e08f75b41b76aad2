//! The papers' methods, each under its own name and in its own file, with its constants.

mod antognini;
mod method;
mod ulyanov;

pub use antognini::Antognini;
pub use method::{Method, Synthesis, SynthesisSettings, synthesize};
pub use ulyanov::Ulyanov;
