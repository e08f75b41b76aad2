//! The feed-forward generator: noise inputs, layers, streaming evaluation and the model file.
//!
//! A pyramid of six time scales (texture networks: Ulyanov et al. 2016, section 3.2), the coarsest with
//! one column for 32 frames. At each, fresh noise joins the doubled columns of the coarser scale, and two
//! convolutions of width 3 follow; a linear head makes the features. The worker runs it; the audio thread
//! gets its frames.

mod file;
mod generator;
pub mod inputs;
pub(crate) mod layers;
mod model;
mod nodes;
mod range;
mod stream;
mod weights;

pub use file::ModelError;
pub(crate) use file::{damaged, open_tensors, read_header};
pub(crate) use generator::Activations;
pub use generator::{Generator, GeneratorScratch};
pub use layers::{LEAK, RESIDUAL_GAIN, TAPS};
pub(crate) use model::tidy_name;
pub use model::{FitRecord, Model, NAME_MOST_CHARS, TextureId, quality_db};
pub(crate) use nodes::{Axis, AxisPlace, NODES_AROUND, NodeGrid, NodePlace, Nodes};
pub use range::FeatureRange;
pub(crate) use stream::FeatureStream;
pub use weights::{LayerPart, LayerWeights, ScaleLayer, ScaleWeights, Tensor, TensorName, Weights};

/// Time scales.
pub const SCALES: usize = 6;
/// Channels between the layers.
pub const HIDDEN: usize = 64;
/// Frames that are computed together when a texture plays: one column of the coarsest scale.
pub const BLOCK_FRAMES: usize = 1 << (SCALES - 1);
