//! Plugin hosts that drive the built Weft bundles, for the integration tests in `tests/tests` and
//! for `cargo xtask demo`.
//!
//! [`mod@clap`] loads a `.clap`, `vst3` (with the feature of that name) a `.vst3`; both process on
//! a thread of their own, as a host does, and take the same [`Render`]: so many frames, what the
//! input ports hear, events at exact frames, the song that plays, and how the frames are cut.
//!
//! The tests need bundles, which `cargo test` does not build. `cargo xtask test` builds them,
//! names their folder in [`BUNDLE_DIR_VARIABLE`] and enables the feature `bundles`.

pub mod clap;
#[cfg(feature = "demo-options")]
pub mod demo_options;
pub mod measure;
mod render;
mod song;
#[cfg(feature = "vst3")]
pub mod vst3;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

pub use render::{
    Buses, Event, EventKind, Expression, InputFeed, Note, Render, Rendered, random_blocks,
};
pub use song::{BEATS_PER_BAR, Song, SongPosition};

/// File name of the CLAP bundle, as bundler.toml has it.
pub const CLAP_BUNDLE: &str = "Weft.clap";
/// File name of the VST3 bundle, as bundler.toml has it.
pub const VST3_BUNDLE: &str = "Weft.vst3";

/// The environment variable that names the folder with the bundles under test.
pub const BUNDLE_DIR_VARIABLE: &str = "WEFT_BUNDLE_DIR";

/// The environment variable that names the command line tool, which the tests of imprints have made by the plugin.
pub const TOOL_VARIABLE: &str = "WEFT_TEST_TOOL";

/// The environment variable by which a user names who makes the plugin's fits. Tests have them made by nobody else, whatever
/// the user has, but for those of helpers.
pub const WORKER_VARIABLE: &str = "WEFT_WORKER";

/// What can go wrong between a host and the plugin it drives.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The tests were started without the bundles they test.
    #[error(
        "{BUNDLE_DIR_VARIABLE} is not set: these tests need the built bundles, run them with \
         `cargo xtask test`"
    )]
    NoBundleDir,
    /// The tests were started without the tool that they test.
    #[error(
        "{TOOL_VARIABLE} names no program: these tests need the built command line tool, run them with \
         `cargo xtask test`"
    )]
    NoTool,
    /// There is no such bundle.
    #[error("there is no bundle at {}: build it with `cargo xtask bundle weft --release`", .0.display())]
    NoBundle(PathBuf),
    /// The plugin library does not load, or offers no plugin.
    #[error("can't load {}: {reason}", path.display())]
    Load {
        /// The bundle.
        path: PathBuf,
        /// What the loader says.
        reason: String,
    },
    /// The plugin lacks something that every Weft bundle has.
    #[error("the plugin has no {0}")]
    Missing(String),
    /// A text is no value of a parameter.
    #[error("the parameter {parameter:?} does not take {text:?}")]
    ParameterText {
        /// The parameter's display name.
        parameter: String,
        /// The text given.
        text: String,
    },
    /// Processing was asked of a plugin that is not active.
    #[error("the plugin is not active: call `activate` first")]
    Inactive,
    /// The plugin refused a call.
    #[error("the plugin refused to {action}: {reason}")]
    Refused {
        /// What the host asked for.
        action: &'static str,
        /// What came back.
        reason: String,
    },
    /// The thread that processes has died.
    #[error("the plugin's processing thread ended in a panic")]
    AudioThread,
}

/// What the hosts of both formats do with a plugin.
pub trait Host {
    /// The automation event that moves a parameter to `normalized`, 0 to 1 of its range.
    ///
    /// # Errors
    /// [`HostError::Missing`] if there is no parameter of this name.
    fn move_to(&self, name: &str, normalized: f64) -> Result<EventKind, HostError>;

    /// Processes `render`, going on from where the last one ended.
    ///
    /// # Errors
    /// As the host's own `render`.
    fn play(&mut self, render: &Render) -> Result<Rendered, HostError>;

    /// Silence, and back to the first frame.
    ///
    /// # Errors
    /// As the host's own `reset` or `stop`.
    fn restart(&mut self) -> Result<(), HostError>;

    /// Interrupts processing; the next render goes on.
    ///
    /// # Errors
    /// As the host's own `reset`, `stop` or `activate`.
    fn interrupt(&mut self, how: Interruption) -> Result<(), HostError>;

    /// Whether the plugin says that what sounds has no end, as that of a key that is down; `None` where the host asks
    /// that before processing only.
    ///
    /// # Errors
    /// As the host's own `tail_samples`.
    fn is_endless(&mut self) -> Result<Option<bool>, HostError>;

    /// Whether processing goes on where a render has other buses than the one before.
    fn goes_on_with_other_buses(&self) -> bool;
}

/// How a host interrupts processing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// It stops, and starts again. VST3 hosts deactivate the plugin too.
    Stop,
    /// Silence, and back to the first frame. In VST3, as [`Interruption::Stop`].
    Reset,
    /// The plugin is deactivated, set up and activated again.
    Reactivate,
}

/// Sleeps until a sound card that began to play at `began` asks for what follows `frames` frames.
fn wait_for_frame(began: Instant, frames: usize, sample_rate: f64) {
    let due = Duration::from_secs_f64(frames as f64 / sample_rate);
    thread::sleep(due.saturating_sub(began.elapsed()));
}

/// Turns a plugin library's error into a [`HostError::Refused`].
fn refused<E: std::fmt::Display>(action: &'static str) -> impl FnOnce(E) -> HostError {
    move |reason| HostError::Refused {
        action,
        reason: reason.to_string(),
    }
}

/// Names of all parameters of the plugin.
pub const PARAMETERS: [&str; 45] = [
    "Pitch",
    "Time",
    "Quality",
    "Pitch Bend",
    "Bend Range",
    "Brightness",
    "Smear",
    "Contrast",
    "Density",
    "Width",
    "Low Cut",
    "High Cut",
    "Gain",
    "Attack",
    "Decay",
    "Sustain",
    "Release",
    "Limiter",
    "Slot",
    "Hold",
    "Key Follow",
    "Root Key",
    "Seed",
    "Lock to Timeline",
    "Lock Tempo",
    "Capture",
    "Grab",
    "Capture Start",
    "Threshold",
    "Capture Length",
    "Fit Steps A",
    "Fit Steps B",
    "Fit Steps C",
    "Fit Steps D",
    "Wheel To",
    "Wheel Amount",
    "Pressure To",
    "Pressure Amount",
    "Slide To",
    "Slide Amount",
    "Velocity To",
    "Velocity Amount",
    "Imprint",
    "Imprint Content",
    "Imprint Style",
];

/// Path of the bundle under test with this file name, such as [`CLAP_BUNDLE`].
///
/// # Errors
/// [`HostError::NoBundleDir`] unless [`BUNDLE_DIR_VARIABLE`] is set, [`HostError::NoBundle`] if its
/// folder holds no such bundle.
pub fn bundle(file_name: &str) -> Result<PathBuf, HostError> {
    let dir = std::env::var_os(BUNDLE_DIR_VARIABLE).ok_or(HostError::NoBundleDir)?;
    let path = PathBuf::from(dir).join(file_name);
    if path.exists() {
        Ok(path)
    } else {
        Err(HostError::NoBundle(path))
    }
}

/// Path of the command line tool under test.
///
/// # Errors
/// [`HostError::NoTool`] unless [`TOOL_VARIABLE`] is set and names a file.
pub fn tool() -> Result<PathBuf, HostError> {
    let path = std::env::var_os(TOOL_VARIABLE).ok_or(HostError::NoTool)?;
    std::path::absolute(path)
        .ok()
        .filter(|path| path.is_file())
        .ok_or(HostError::NoTool)
}
