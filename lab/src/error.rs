//! What can go wrong in a method, told for someone who runs it.

use thiserror::Error;
use weft_core::clip::ClipError;
use weft_core::inversion::InversionError;
use weft_core::spectrum::SpectrumError;

use crate::device::DeviceError;

/// Why a method made no sound.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LabError {
    /// A recording that nothing can be learned from, or a sound that can't be one.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// Frames that can't be overlap-added.
    #[error(transparent)]
    Frames(#[from] SpectrumError),
    /// Magnitudes that can't be inverted.
    #[error(transparent)]
    Inversion(#[from] InversionError),
    /// A device that is not there.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A tensor that can't be made, for lack of memory above all.
    #[error(
        "the tensors of this optimisation can't be made ({0}): choose fewer filters or less sound"
    )]
    Tensor(#[from] candle_core::Error),
    /// Less sound than a method's widest filter sees.
    #[error(
        "{seconds:.2} s are too short for this method's filters, which see {least:.2} s: give more sound, or \
         narrower filters"
    )]
    TooShort {
        /// Length of the recording or of what is to be made, in seconds.
        seconds: f64,
        /// Least length, in seconds.
        least: f64,
    },
    /// A setting outside its range.
    #[error("{name} can't be {value}: {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What it was set to.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A loss that is no number any more.
    #[error(
        "the loss became {value} in iteration {iteration}: the recording may be silent, or a weight too large"
    )]
    NotFinite {
        /// The loss.
        value: f64,
        /// Iterations before.
        iteration: u32,
    },
}
