//! What can go wrong with a table.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use weft_core::clip::ClipError;
use weft_core::texture::score::ScoreError;

use super::makers::MakerError;
use super::vggish::VggishError;

/// Why a table, or a cell of it, can't be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// A folder or a file of the table's can't be read or written.
    #[error("can't use {path:?} ({source}): check its name and permissions")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The list of classes is not what it should be.
    #[error("{path:?}: {what}: each line is a file's name and its class, as in rain.flac,other")]
    Classes {
        /// The list.
        path: PathBuf,
        /// What is wrong in it.
        what: String,
    },
    /// No recording in the folder.
    #[error("there is no sound file in {path:?} or in its folders: name another one")]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A recording can't be read or written.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// A sound can't be scored.
    #[error("{path:?}, {row}: {source}")]
    Score {
        /// The recording.
        path: PathBuf,
        /// The row.
        row: String,
        /// What is wrong with it.
        source: ScoreError,
    },
    /// VGGish can't be asked.
    #[error("{path:?}, {row}: {source}")]
    Vggish {
        /// The recording.
        path: PathBuf,
        /// The row.
        row: String,
        /// What is wrong.
        source: VggishError,
    },
    /// A method failed on a recording.
    #[error("{path:?}, {row}: {source}")]
    Make {
        /// The recording.
        path: PathBuf,
        /// The row.
        row: String,
        /// What went wrong.
        source: Box<MakerError>,
    },
}
