//! Short-time Fourier transform, log-magnitude bands and the way back to full resolution.

mod analysis;
mod bands;
mod expansion;
mod fine_structure;
mod front_end;
mod layout;
mod sides;
mod stereo;
mod stft;

pub use analysis::Features;
pub use bands::Bands;
pub use expansion::{ExpandScratch, FrameSpectrum};
pub(crate) use front_end::Constants as FrontEndConstants;
pub use front_end::FrontEnd;
pub(crate) use layout::Layout as FrontEndLayout;
pub use layout::fft_size_for;
pub use realfft::num_complex::Complex32;
pub use stereo::pan_index;
pub use stft::{Stft, StftScratch, hann_window};

use thiserror::Error;

/// Why a spectrum can't be made.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SpectrumError {
    /// Frames that cannot be overlap-added.
    #[error(
        "frames of {fft_size} samples every {hop_size} can't be overlap-added: \
         the frame size must be even, at least 16, and a multiple of the hop, four times or more"
    )]
    FrameSizes {
        /// Samples in a frame.
        fft_size: usize,
        /// Samples between frames.
        hop_size: usize,
    },
    /// A capture with too few frames.
    #[error(
        "the capture is too short: {samples} samples at {sample_rate} Hz, at least {least} are needed; \
         capture a second or more"
    )]
    TooShort {
        /// Samples in the capture.
        samples: usize,
        /// Samples needed.
        least: usize,
        /// Sample rate in Hz.
        sample_rate: u32,
    },
}
