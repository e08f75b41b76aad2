//! Short-time Fourier transform, log-magnitude bands and the way back to full resolution.

mod stft;

pub use realfft::num_complex::Complex32;
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
}
