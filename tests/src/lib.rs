//! Plugin hosts that drive the built Weft bundles, for the integration tests in `tests/tests` and
//! for `cargo xtask demo`.
//!
//! [`clap_host`] loads a `.clap`, `vst3` (with the feature of that name) a `.vst3`; both process on
//! a thread of their own, as a host does, and take the same [`Render`]: so many frames, what the
//! input ports hear, and events at exact frames.
//!
//! The tests need bundles, which `cargo test` does not build. `cargo xtask test` builds them,
//! names their folder in [`BUNDLE_DIR_VARIABLE`] and enables the feature `bundles`.

pub mod clap_host;
#[cfg(feature = "demo-options")]
pub mod demo_options;
pub mod measure;
mod render;
#[cfg(feature = "vst3")]
pub mod vst3;

use std::path::PathBuf;

pub use render::{Event, EventKind, InputFeed, Render, Rendered};

/// File name of the CLAP bundle, as bundler.toml has it.
pub const CLAP_BUNDLE: &str = "Weft.clap";
/// File name of the VST3 bundle, as bundler.toml has it.
pub const VST3_BUNDLE: &str = "Weft.vst3";

/// The environment variable that names the folder with the bundles under test.
pub const BUNDLE_DIR_VARIABLE: &str = "WEFT_BUNDLE_DIR";

/// What can go wrong between a host and the plugin it drives.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The tests were started without the bundles they test.
    #[error(
        "{BUNDLE_DIR_VARIABLE} is not set: these tests need the built bundles, run them with \
         `cargo xtask test`"
    )]
    NoBundleDir,
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

/// Turns a plugin library's error into a [`HostError::Refused`].
fn refused<E: std::fmt::Display>(action: &'static str) -> impl FnOnce(E) -> HostError {
    move |reason| HostError::Refused {
        action,
        reason: reason.to_string(),
    }
}

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
