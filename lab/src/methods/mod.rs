//! The papers' methods, each under its own name and in its own file, with its constants.

mod antognini;
mod mcdermott;
mod method;
mod ulyanov;

pub use antognini::Antognini;
pub use mcdermott::McDermott;
pub use method::{Method, Synthesis, SynthesisSettings, synthesize};
pub use ulyanov::Ulyanov;
