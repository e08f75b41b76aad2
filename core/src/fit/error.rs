//! Why a fit did not happen.

use thiserror::Error;

use crate::clip::ClipError;
use crate::spectrum::SpectrumError;

/// A device that can't go on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{device} can't go on with the fit ({reason}); fit on the processor")]
pub struct DeviceError {
    /// What the device calls itself.
    pub device: String,
    /// What went wrong.
    pub reason: String,
}

/// Why a fit did not happen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FitError {
    /// The capture can't be fitted.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// The capture can't be analysed.
    #[error(transparent)]
    Spectrum(#[from] SpectrumError),
    /// Steps outside [`STEPS_RANGE`](super::STEPS_RANGE).
    #[error("{0} fit steps can't be made: choose 1 to 100000")]
    Steps(u32),
    /// Frames of a step outside [`STEP_FRAMES_RANGE`](super::STEP_FRAMES_RANGE).
    #[error("{0} frames are no step of a fit: choose 384 to 24576")]
    StepFrames(usize),
    /// A time limit that is not positive and finite.
    #[error("{0} s is no time to fit in: choose more than 0 s")]
    Duration(f64),
    /// A texture that was kept without its capture can't be refined.
    #[error(
        "this texture was kept without its capture, so it can't be refined: fit the recording again"
    )]
    NoCapture,
    /// The network makes other features than its capture has.
    #[error(
        "this texture's network makes {network} features a frame, but its capture has {capture}: fit the \
         recording again"
    )]
    Mismatch {
        /// Features in a frame of the network.
        network: usize,
        /// Features in a frame of the capture.
        capture: usize,
    },
    /// The device that was to train can't.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The caller broke the fit off.
    #[error("the fit was cancelled")]
    Cancelled,
    /// The loss became infinite or not a number.
    #[error("the fit diverged at step {step} (loss {loss}); try another seed")]
    Diverged {
        /// Step of the first such loss.
        step: u32,
        /// The loss of that step.
        loss: f32,
    },
}
