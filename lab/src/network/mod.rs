//! Networks with random weights: what the papers look at textures with.

mod convolution;
mod ensemble;
mod filters;
mod unfold;

pub use ensemble::{Architecture, Ensemble, FeatureMap};
pub use filters::Filters;
