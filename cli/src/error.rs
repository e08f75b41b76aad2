//! What can go wrong, told for someone at a terminal.

use std::path::PathBuf;

use thiserror::Error;
use weft_core::clip::ClipError;
use weft_core::fit::FitError;
use weft_core::inversion::InversionError;
use weft_core::network::ModelError;
use weft_core::texture::score::ScoreError;

/// Why a command failed.
#[derive(Debug, Error)]
pub enum CliError {
    /// A sound file can't be read or written; the message names it.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// A sound file was read, and nothing can be learned from it.
    #[error("{path:?}: {source}")]
    Capture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: FitError,
    },
    /// A texture can't be read.
    #[error("{path:?}: {source}")]
    ReadModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ModelError,
    },
    /// A texture can't be written.
    #[error("can't write {path:?} ({source}): check that the disk has room")]
    WriteModel {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: ModelError,
    },
    /// A texture was read, and can't be turned into sound.
    #[error("the texture can't be rendered ({0}): fit it again")]
    Render(#[from] InversionError),
    /// A sound file was read, and can't be scored.
    #[error("{path:?}: {source}")]
    Score {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ScoreError,
    },
    /// The output is the input.
    #[error("{path:?} is the input itself: give -o another name, so that the recording is kept")]
    OutputIsInput {
        /// The file.
        path: PathBuf,
    },
}
