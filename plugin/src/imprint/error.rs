//! Why an imprint was not made, in words for the window.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use weft_core::clip::ClipError;
use weft_core::instrument::Slot;

use crate::program::ToolError;

/// Why an imprint was not made.
#[derive(Debug, Error)]
pub enum ImprintError {
    /// Content and style are one slot.
    #[error("an imprint takes its content and its style from two slots, not from slot {} twice", .0.letter())]
    OneSource(Slot),
    /// The result would take the place of what it is made from.
    #[error("an imprint goes into a third slot: choose one that is neither its content nor its style, not slot {}", .0.letter())]
    IntoSource(Slot),
    /// There is nothing to make it from.
    #[error("slot {} has no capture to imprint: make one first", .0.letter())]
    NoCapture(Slot),
    /// One at a time.
    #[error("an imprint is being made: wait for it, or cancel it")]
    Busy,
    /// The system has no thread left.
    #[error("an imprint can't get a thread: {0}")]
    Thread(io::Error),
    /// There is no tool.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// There is no place for its files.
    #[error("an imprint can't make a temporary folder: {0}")]
    Folder(io::Error),
    /// A capture can't be handed over.
    #[error("the capture of slot {} can't be handed to the tool: {source}", slot.letter())]
    HandOver {
        /// Whose capture.
        slot: Slot,
        /// Why.
        source: ClipError,
    },
    /// It does not start.
    #[error(
        "{path:?} can't be started: {source}; reinstall Weft's tool with `cargo xtask install`"
    )]
    Start {
        /// The tool.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It can't be followed.
    #[error("Weft's tool can't be followed: {0}")]
    Follow(io::Error),
    /// It has ended with an error of its own.
    #[error("the imprint failed: {0}")]
    Failed(String),
    /// It has got nowhere.
    #[error(
        "Weft's tool has got nowhere for {seconds:.0} s and was ended; try a shorter part of the captures"
    )]
    Silent {
        /// For so long.
        seconds: f64,
    },
    /// It is no tool of ours.
    #[error(
        "what was started is no tool of Weft's, as it says {0:?}; check WEFT_TOOL, or install Weft anew"
    )]
    Foreign(String),
    /// It does not end.
    #[error("Weft's tool said more than {0} bytes and was ended; install Weft anew")]
    TooMuch(usize),
    /// It says that it is done, and has left nothing that can be read.
    #[error("the imprint can't be read: {0}")]
    Unreadable(ClipError),
    /// It has left too much.
    #[error(
        "the imprint is a file of {bytes} bytes, and no more than {most} are read; trim the captures"
    )]
    TooLarge {
        /// What it has.
        bytes: u64,
        /// What it may have.
        most: u64,
    },
    /// Somebody has put something else there.
    #[error("slot {} was changed while an imprint for it was made, and is kept as it is: imprint again", .0.letter())]
    Changed(Slot),
    /// A defect of ours.
    #[error("internal error while imprinting ({0}); save under a new name and reload Weft")]
    Defect(String),
    /// Nobody wants it any more. Nobody has to be told.
    #[error("the imprint was cancelled")]
    Cancelled,
}
