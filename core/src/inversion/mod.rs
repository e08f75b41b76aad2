//! Magnitudes to sound: the Griffin-Lim family, offline and streaming.
//!
//! [`StreamingInverter`] is the real-time path: it takes one frame of magnitudes for each hop and
//! returns one hop of sound. The start phase of a new frame is integrated from the gradients of the
//! magnitudes (RTPGHI, in `phase_gradient`); then the newest frames are refined together by Griffin-Lim
//! iterations before the oldest of them is committed (look-ahead, RTISI-LA). Mid and side are refined as
//! one, with the phase between them that the pan index prescribes. All that happens to a frame is written
//! down in `steps`, as a recipe of named steps that the audio thread spreads over the callbacks of a hop.
//!
//! [`griffin_lim`] is the offline reference and [`spectral_convergence_db`] the figure of merit.

mod channel;
mod magnitude;
mod offline;
mod overlap;
mod phase_gradient;
mod settings;
mod steps;
mod stereo;
mod streaming;
mod units;
mod waiting;

pub use offline::{griffin_lim, spectral_convergence_db};
pub use settings::InversionSettings;
#[cfg(all(test, feature = "parity"))]
pub(crate) use stereo::feasible;
pub use streaming::StreamingInverter;
pub use waiting::TargetFrame;

pub use crate::spectrum::pan_index;

use crate::spectrum::SpectrumError;
use thiserror::Error;

/// Frames that are inverted before the first one that is heard: the phases settle.
pub(crate) const PRIMING_FRAMES: i64 = 8;

/// Why magnitudes can't be inverted.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum InversionError {
    /// Frames that cannot be overlap-added.
    #[error(transparent)]
    Frames(#[from] SpectrumError),
    /// Look-ahead beyond the overlap.
    #[error(
        "a look-ahead of {lookahead_frames} frames is out of range: choose 1 to {most} (frames further \
         ahead would not overlap the one that is committed)"
    )]
    Lookahead {
        /// The look-ahead asked for, in frames.
        lookahead_frames: usize,
        /// The longest look-ahead for these frame sizes.
        most: usize,
    },
    /// More iterations than a hop can hold.
    #[error("{iterations} iterations a hop are too many: choose at most {most}")]
    Iterations {
        /// The iterations asked for.
        iterations: usize,
        /// The bound.
        most: usize,
    },
    /// Momentum outside its range.
    #[error("a momentum of {momentum} is out of range: choose 0 (plain Griffin-Lim) to 1")]
    Momentum {
        /// The momentum asked for.
        momentum: f32,
    },
    /// A spectrogram whose size is no multiple of the bins of a frame.
    #[error(
        "{values} magnitudes are no whole number of frames of {bins} bins: pass frame_count × bins values"
    )]
    Shape {
        /// Values passed.
        values: usize,
        /// Bins of one frame.
        bins: usize,
    },
}
