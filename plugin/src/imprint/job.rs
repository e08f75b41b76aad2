//! What has to be done for an imprint, from two captures to a third.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use weft_core::clip::{Capture, Clip, SampleFormat};
use weft_core::instrument::{Instrument, Slot};

use super::board::Board;
use super::error::ImprintError;
use super::helper;
use super::request::ImprintRequest;
use crate::program::{Surroundings, ToolError};

/// Iterations of the transfer. `weft transfer` itself takes 500; of fire in the style of rain, the first 200 took away
/// 99.6 % of the loss, and all of them 99.7 %.
pub const ITERATIONS: u32 = 200;
/// The largest file that is read: a minute of stereo at 48 kHz in floats, twice over. The tool's are mono at 22.05 kHz.
const LARGEST_RESULT: u64 = 64 * 1024 * 1024;

/// How long the tool may go without getting on. What it does before its first iteration and after its last, and each
/// iteration, takes seconds for captures of a minute, and more beside others who work.
const PATIENCE: Duration = Duration::from_secs(120);

/// Finds the tool, on the thread of an imprint.
pub type FindTool = Arc<dyn Fn() -> Result<PathBuf, ToolError> + Send + Sync>;

/// What an imprint is made with.
#[derive(Clone)]
pub struct ImprintSettings {
    /// Finds the tool.
    pub find_tool: FindTool,
    /// How long the tool may go without getting on: it reads two captures before its first iteration, and finds a
    /// minute's phases after its last.
    pub patience: Duration,
}

impl Default for ImprintSettings {
    fn default() -> Self {
        Self {
            find_tool: Arc::new(|| Surroundings::of_process().find()),
            patience: PATIENCE,
        }
    }
}

/// An imprint that is to be made.
pub struct Job {
    request: ImprintRequest,
    content: Capture,
    style: Capture,
    /// What the result is called.
    pub name: String,
}

impl Job {
    /// Takes the captures out of an instrument.
    pub fn new(request: ImprintRequest, instrument: &Instrument) -> Result<Self, ImprintError> {
        let ImprintRequest { content, style, .. } = request.check()?;
        let capture = |slot| {
            let capture = instrument.capture(slot);
            capture.ok_or(ImprintError::NoCapture(slot))
        };
        let name = |slot: Slot| match instrument.name(slot) {
            name if name.is_empty() => slot.letter().to_string(),
            name => name,
        };
        Ok(Self {
            request,
            content: capture(content)?,
            style: capture(style)?,
            name: format!("{} as {}", name(content), name(style)),
        })
    }

    /// Has the tool make it. All files that are needed for that are gone when this returns, and so is the tool.
    pub fn make(&self, settings: &ImprintSettings, board: &Board) -> Result<Clip, ImprintError> {
        let tool = (settings.find_tool)()?;
        let folder = private_folder()?;
        let file = |name: &str| folder.path().join(name);
        let (content, style, result) =
            (file("content.wav"), file("style.wav"), file("imprint.wav"));
        let ImprintRequest {
            content: content_slot,
            style: style_slot,
            ..
        } = self.request;
        hand_over(content_slot, &self.content, &content)?;
        hand_over(style_slot, &self.style, &style)?;
        let mut command = Command::new(&tool);
        command
            .current_dir(folder.path())
            .args(["transfer", "--json", "--iterations"])
            .arg(ITERATIONS.to_string())
            .arg("--content")
            .arg(&content)
            .arg("--style")
            .arg(&style)
            .arg("-o")
            .arg(&result);
        helper::run(&tool, &mut command, settings.patience, board)?;
        read(&result)
    }
}

/// A folder that nobody else may look into.
fn private_folder() -> Result<TempDir, ImprintError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("weft-imprint-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        const OWNER_ONLY: u32 = 0o700;
        builder.permissions(fs::Permissions::from_mode(OWNER_ONLY));
    }
    builder.tempdir().map_err(ImprintError::Folder)
}

/// Writes the part of a capture that is used.
fn hand_over(slot: Slot, capture: &Capture, path: &Path) -> Result<(), ImprintError> {
    let used = capture.used();
    used.write_wav(path, SampleFormat::Float32)
        .map_err(|source| ImprintError::HandOver { slot, source })
}

/// Reads what the tool has left.
fn read(path: &Path) -> Result<Clip, ImprintError> {
    let bytes = fs::metadata(path).map_or(0, |found| found.len());
    if bytes > LARGEST_RESULT {
        return Err(ImprintError::TooLarge {
            bytes,
            most: LARGEST_RESULT,
        });
    }
    Clip::read(path).map_err(ImprintError::Unreadable)
}
