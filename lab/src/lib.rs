//! The methods of the papers that Weft stands on, each under its own name, on tensors: textures by optimisation,
//! style transfer, and their tables.
//!
//! `core` knows nothing of this crate, and the plugin does not link it.

pub mod axes;
pub mod cochlea;
mod curve;
mod device;
mod envelopes;
mod error;
pub mod fit;
pub mod lbfgs;
pub mod loss;
pub mod methods;
pub mod network;
mod objective;
mod optimize;
mod spectrogram;
pub mod table;
mod tensors;

pub use candle_core::Device;

pub use curve::{Curve, CurvePoint, TermValue};
pub use device::{DeviceChoice, DeviceError, device_name};
pub use envelopes::{EnvelopeLoss, energy_envelopes};
pub use error::LabError;
pub use objective::{Objective, Term};
pub use optimize::{Ending, OptimizeSettings, Optimized, Progress, optimize};
pub use spectrogram::{GriffinLim, Image, SpectrogramFormat};
