//! What can go wrong, told for someone at a terminal.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use weft_core::clip::ClipError;
use weft_core::fit::FitError;
use weft_core::fit::protocol::ProtocolError;
use weft_core::inversion::InversionError;
use weft_core::network::ModelError;
use weft_core::texture::score::ScoreError;
use weft_lab::table::{TableError, VggishError};
use weft_lab::{DeviceError, LabError};

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
    /// A texture's file can't be read at all.
    #[error("can't read {path:?} ({source}): check its name, and that you may read it")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file was read, and is no texture that can be used.
    #[error("{path:?}: {source}")]
    ReadModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ModelError,
    },
    /// A texture was made, and is not what the reader takes.
    #[error("{path:?} was not written: {source}")]
    WriteModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ModelError,
    },
    /// One of several files failed in a way that does not name it.
    #[error("{path:?}: {source}")]
    Of {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: Box<CliError>,
    },
    /// A texture was read, and can't be turned into sound.
    #[error("the texture can't be rendered ({0}): fit it again")]
    Render(#[from] InversionError),
    /// The system gives no thread to play a texture with.
    #[error("the texture can't be played ({0}): end other programs and try again")]
    Play(io::Error),
    /// A sound file was read, and can't be scored.
    #[error("{path:?}: {source}")]
    Score {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ScoreError,
    },
    /// A sound file was read, and a method made nothing of it.
    #[error("{path:?}: {source}")]
    Method {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: LabError,
    },
    /// The device that was asked for is not there.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A device was to be measured, and can't make a step.
    #[error("the device can't be measured: {0}")]
    Measure(FitError),
    /// What came on the standard input is no request.
    #[error("the standard input is none of a plugin's: {0}")]
    Request(ProtocolError),
    /// The curves of an optimisation can't be written.
    #[error("can't write {path:?} ({source}): check the folder, and that the disk has room")]
    Curves {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A command line whose parts make no sense together.
    #[error("{0}")]
    Usage(String),
    /// The output exists.
    #[error("{path:?} exists: give -o another name, or --force to replace it")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A folder can't be read or made.
    #[error("can't use the folder {path:?} ({source}): check its name and permissions")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder with nothing to work on.
    #[error(
        "there is no {what} in the folder {path:?}: name another one (subfolders are not entered)"
    )]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// What a texture's file is can't be written down.
    #[error("can't write {path:?} ({source}): check the folder, and that the disk has room")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The output is there, and was made of something else.
    #[error(
        "{path:?} was made of {input:?}, which is another file or was changed: give -o another folder, or --force to \
         replace it"
    )]
    OtherInput {
        /// The output.
        path: PathBuf,
        /// What it was made of.
        input: String,
    },
    /// Not everything in a folder of textures is there and whole.
    #[error(
        "{folder:?} is not complete ({missing} missing, {damaged} damaged): run the same fit again, which makes these"
    )]
    Incomplete {
        /// The folder.
        folder: PathBuf,
        /// How many are not there.
        missing: usize,
        /// How many can't be used.
        damaged: usize,
    },
    /// A table can't be made; the message names the file.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The network that was named can't be asked.
    #[error(transparent)]
    Vggish(#[from] VggishError),
    /// Of several files, some failed; each was told.
    #[error("{failed} of {of} files failed")]
    SomeFailed {
        /// How many failed.
        failed: usize,
        /// How many there were.
        of: usize,
    },
    /// The standard input can't be read.
    #[error("can't read the standard input ({0}): check what sends to it")]
    StandardInput(io::Error),
    /// The standard output can't be written.
    #[error("can't write to the standard output ({0}): check where it goes to")]
    StandardOutput(io::Error),
    /// Sound would go to a terminal.
    #[error("the standard output is a terminal: send it to a program or a file, or give -o a name")]
    Terminal,
    /// The output is the input.
    #[error("{path:?} is the input itself: give -o another name, so that the recording is kept")]
    OutputIsInput {
        /// The file.
        path: PathBuf,
    },
}

impl CliError {
    /// What went wrong with reading the texture at `path`.
    pub fn reading(path: &Path, error: ModelError) -> Self {
        let path = path.to_path_buf();
        match error {
            ModelError::Io { source, .. } => Self::Read { path, source },
            source => Self::ReadModel { path, source },
        }
    }

    /// What went wrong with writing the texture at `path`.
    pub fn writing(path: &Path, error: ModelError) -> Self {
        let path = path.to_path_buf();
        match error {
            ModelError::Io { source, .. } => ClipError::Write { path, source }.into(),
            source => Self::WriteModel { path, source },
        }
    }

    /// The error, which names `input` if it names neither that nor `output`.
    pub fn of(self, input: &Path, output: &Path) -> Self {
        let message = self.to_string();
        if [input, output]
            .iter()
            .any(|path| message.contains(&format!("{path:?}")))
        {
            return self;
        }
        Self::Of {
            path: input.to_path_buf(),
            source: Box::new(self),
        }
    }

    /// Whether nobody reads any more what was to be written to the standard output. Nobody has to be told.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::StandardOutput(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The code that the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }
}
