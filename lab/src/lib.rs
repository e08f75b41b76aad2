//! The methods of the papers that Weft stands on, each under its own name, on tensors: textures by optimisation,
//! style transfer, and their tables.
//!
//! `core` knows nothing of this crate, and the plugin does not link it.

mod objective;
pub mod table;

pub use objective::{Objective, Term};
