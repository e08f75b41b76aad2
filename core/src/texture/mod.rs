//! What makes a texture: the losses and periods that the fit is driven by, and scores of what comes out.

pub mod loss;
mod periods;
pub mod score;

pub use periods::{Period, find_periods};
