//! The feed-forward generator: noise inputs, layers, streaming evaluation and the model file.
//!
//! A pyramid of six time scales (texture networks: Ulyanov et al. 2016, section 3.2), the coarsest with
//! one column for 32 frames. At each, fresh noise joins the doubled columns of the coarser scale, and two
//! convolutions of width 3 follow; a linear head makes the features.

mod file;
mod generator;
mod inputs;
pub(crate) mod layers;
mod model;
mod nodes;
mod stream;

pub use file::ModelError;
pub(crate) use file::{damaged, open_tensors, read_header};
pub(crate) use generator::{Activations, Array, Weights, array};
pub use generator::{Generator, GeneratorScratch};
pub(crate) use inputs::{InputLaw, ScaleInputs, skip, spans};
pub(crate) use layers::FeatureRange;
pub(crate) use model::tidy_name;
pub use model::{FitRecord, Model, NAME_MOST_CHARS, quality_db};
pub(crate) use nodes::{Axis, AxisPlace, NODES_AROUND, NodeGrid, NodePlace, Nodes};
pub(crate) use stream::FeatureStream;

/// Time scales.
pub(crate) const SCALES: usize = 6;
/// Gaussian noise channels at every scale.
pub(crate) const GAUSSIAN_CHANNELS: usize = 32;
/// Channels of sparse events at every scale.
pub(crate) const SPIKE_CHANNELS: usize = 8;
/// Channels between the layers.
pub(crate) const HIDDEN: usize = 64;
/// Learned channels of the phase table.
pub(crate) const TABLE_CHANNELS: usize = 16;
/// How many of the finest scales see the phase table.
pub(crate) const TABLE_SCALES: usize = 3;
/// Frames that are computed together when a texture plays: one column of the coarsest scale.
pub const BLOCK_FRAMES: usize = 1 << (SCALES - 1);
