//! The file of a texture.
//!
//! A `.weft` file is a `safetensors` file: weights at half precision, the front end's constants, and the
//! capture as a FLAC stream. There is no code in it, and Python reads it.

mod read;
mod write;

use std::path::PathBuf;

use safetensors::tensor::{SafeTensorError, SafeTensors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The one key of the file's metadata; its value is the [`Header`] as JSON, in a fixed order.
const METADATA_KEY: &str = "weft";
/// The newest version of the file that is read, and written of captures whose sides are apart, which older code would
/// not understand.
const VERSION: u32 = 3;
/// Version that is written of all others. Version 1 had the capture in plain words of 24 bits, and no name.
const VERSION_BEFORE_SIDES_APART: u32 = 2;
const VERSION_OF_PLAIN_CAPTURES: u32 = 1;
/// No model is larger: thirty seconds of stereo at 192 kHz and 24 bits take 35 MB.
const LARGEST_BYTES: u64 = 64 << 20;

/// Why a model can't be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Larger than anything of its kind.
    #[error("this is no Weft texture: it has {bytes} bytes, none has more than {most}")]
    TooLarge {
        /// Its length in bytes.
        bytes: u64,
        /// The longest that is read.
        most: u64,
    },
    /// Another kind of file.
    #[error("this is no Weft texture ({0}); choose a .weft file")]
    Foreign(String),
    /// Made by a newer version.
    #[error(
        "this texture was made by a newer Weft (file version {found}, this one reads up to {known}); update Weft"
    )]
    Newer {
        /// Version of the file.
        found: u32,
        /// Newest version that is read.
        known: u32,
    },
    /// A Weft file with something wrong in it.
    #[error("this texture is damaged: {0}; use another copy or fit it again")]
    Damaged(String),
}

/// What a `.weft` file says of itself.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    #[serde(default)]
    name: String,
    sample_rate_hz: u32,
    output_channels: usize,
    stereo: bool,
    analysis_gain: f64,
    /// Length of the period input, where there is one.
    period_frames: Option<f64>,
    /// Amplitude of the stored capture's full scale, where there is a capture.
    capture_scale: Option<f64>,
    /// Its frames, and the first and the end of those that the network was fitted to.
    #[serde(default)]
    capture_frames: usize,
    #[serde(default)]
    capture_used: (usize, usize),
    fit_steps: u32,
    /// Absent before the first step.
    fit_loss: Option<f32>,
    /// Absent where the fit had no critic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fit_critic_gap: Option<f32>,
    fit_seed: u64,
    /// Gains of left and right, where the capture lies at one side or has one inverted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<[f32; 2]>,
    /// Gain of what the quieter side holds of its own, where the sides are apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own_gain: Option<f32>,
}

/// The part of a header that every version has.
#[derive(Deserialize)]
struct HeaderVersion {
    version: u32,
}

pub(crate) fn damaged(what: impl Into<String>) -> ModelError {
    ModelError::Damaged(what.into())
}

/// The tensors of a `safetensors` file of at most `most` bytes, and what its metadata hold under `key`.
pub(crate) fn open_tensors<'a>(
    bytes: &'a [u8],
    key: &str,
    most: u64,
) -> Result<(SafeTensors<'a>, Option<String>), ModelError> {
    if bytes.len() as u64 > most {
        return Err(ModelError::TooLarge {
            bytes: bytes.len() as u64,
            most,
        });
    }
    let refused = |error: SafeTensorError| {
        if begins_with(bytes, key) {
            damaged(format!("it breaks off or was changed ({error})"))
        } else {
            ModelError::Foreign(error.to_string())
        }
    };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(refused)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(refused)?;
    let header = metadata.metadata().as_ref().and_then(|m| m.get(key));
    Ok((tensors, header.cloned()))
}

/// Whether a file begins as those with a header called `key` do, whatever follows.
fn begins_with(bytes: &[u8], key: &str) -> bool {
    /// Before the header stands its length.
    const HEADER_AT: usize = 8;
    let beginning = format!("{{\"__metadata__\":{{\"{key}\":");
    bytes
        .get(HEADER_AT..)
        .is_some_and(|header| header.starts_with(beginning.as_bytes()))
}

/// Reads a header of a version up to `known`.
pub(crate) fn read_header<T: DeserializeOwned>(header: &str, known: u32) -> Result<T, ModelError> {
    let unreadable = |e: serde_json::Error| damaged(format!("its header is unreadable ({e})"));
    let HeaderVersion { version } = serde_json::from_str(header).map_err(unreadable)?;
    if version > known {
        return Err(ModelError::Newer {
            found: version,
            known,
        });
    }
    serde_json::from_str(header).map_err(unreadable)
}
