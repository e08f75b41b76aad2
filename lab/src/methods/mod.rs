//! The papers' methods, each under its own name and in its own file, with its constants.

mod antognini;
mod huzaifah;
mod mcdermott;
mod method;
mod synthesizer;
mod ulyanov;

pub use antognini::Antognini;
pub use huzaifah::{Generation, Huzaifah, Transfer, Transferred};
pub use mcdermott::McDermott;
pub use method::{Method, Synthesis, SynthesisSettings, synthesize};
pub use synthesizer::Synthesizer;
pub use ulyanov::Ulyanov;
