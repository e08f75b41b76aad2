//! The file of a texture.
//!
//! A `.weft` file is a `safetensors` file: weights at half precision, the front end's constants, and the
//! capture as a FLAC stream. There is no code in it, and Python reads it.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::inputs::InputLaw;
use super::{Array, FeatureRange, FitRecord, Generator, Model, Weights};
use crate::clip::{Capture, Clip, PackedCapture, SAMPLE_RATES_HZ};
use crate::spectrum::{FrontEnd, FrontEndConstants, FrontEndLayout};

/// The one key of the file's metadata; its value is the [`Header`] as JSON, in a fixed order.
const METADATA_KEY: &str = "weft";
/// Version of the file that this code writes, and the newest that it reads. Version 1 had the capture in
/// plain words of 24 bits, and no name.
const VERSION: u32 = 2;
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
    fit_seed: u64,
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
    let foreign = |e: safetensors::SafeTensorError| ModelError::Foreign(e.to_string());
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(foreign)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(foreign)?;
    let header = metadata.metadata().as_ref().and_then(|m| m.get(key));
    Ok((tensors, header.cloned()))
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

impl Model {
    /// Reads a `.weft` file.
    ///
    /// # Errors
    /// [`ModelError`], naming the file where the system refused it.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let io = |source| ModelError::Io {
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(io)?;
        let mut bytes = Vec::new();
        file.take(LARGEST_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(io)?;
        Self::from_bytes(&bytes)
    }

    /// Writes a `.weft` file: first beside it, then in its place, so that a full disk costs nothing.
    ///
    /// # Errors
    /// [`ModelError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), ModelError> {
        let io = |source| ModelError::Io {
            path: path.to_owned(),
            source,
        };
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let done =
            std::fs::write(&part, self.to_bytes()).and_then(|()| std::fs::rename(&part, path));
        done.map_err(|e| {
            // What is left of it is of no use; the first error is what counts.
            let _ = std::fs::remove_file(&part);
            io(e)
        })
    }

    /// The bytes of a `.weft` file. The first time, the capture is compressed, which takes tenths of a second.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut tensors = Vec::new();
        let mut add = |name: String, dtype: Dtype, shape: Vec<usize>, data: Vec<u8>| {
            tensors.push((name, Tensor { dtype, shape, data }));
        };
        for array in &self.generator().weights.arrays {
            let halves = array
                .data
                .iter()
                .flat_map(|&x| half::f16::from_f32(x).to_le_bytes());
            add(
                format!("network.{}", array.name),
                Dtype::F16,
                array.shape.clone(),
                halves.collect(),
            );
        }
        for (name, data) in constants(self.front_end(), &self.generator().range) {
            let bytes = data.iter().flat_map(|x| x.to_le_bytes()).collect();
            add(name.into(), Dtype::F32, vec![data.len()], bytes);
        }
        let packed = self.capture().map(Capture::packed);
        if let Some(PackedCapture { flac, .. }) = &packed {
            add("capture".into(), Dtype::U8, vec![flac.len()], flac.to_vec());
        }
        let used = packed.as_ref().map_or(0..0, |p| p.used.clone());
        let header = Header {
            version: VERSION,
            name: self.name().to_owned(),
            sample_rate_hz: self.sample_rate(),
            output_channels: self.output_channels(),
            stereo: self.is_stereo(),
            analysis_gain: f64::from(self.front_end().constants().analysis_gain),
            period_frames: self.generator().inputs.period,
            capture_scale: packed.as_ref().map(|p| p.scale.into()),
            capture_frames: packed.as_ref().map_or(0, |p| p.frames),
            capture_used: (used.start, used.end),
            fit_steps: self.fit_record().steps,
            fit_loss: Some(self.fit_record().loss).filter(|l| l.is_finite()),
            fit_seed: self.fit_record().seed,
        };
        let header = serde_json::to_string(&header).expect("numbers and text are JSON");
        let metadata = HashMap::from([(METADATA_KEY.to_string(), header)]);
        safetensors::serialize(tensors, Some(metadata)).expect("shapes and lengths agree")
    }

    /// Reads the bytes of a `.weft` file. Every length and every number is checked: whatever comes back
    /// can be played.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let (tensors, header) = open_tensors(bytes, METADATA_KEY, LARGEST_BYTES)?;
        let header = header.ok_or_else(|| ModelError::Foreign("it has no 'weft' header".into()))?;
        let header: Header = read_header(&header, VERSION)?;
        let version = header.version;
        let Header {
            sample_rate_hz: sample_rate,
            output_channels,
            stereo,
            ..
        } = header;
        if !SAMPLE_RATES_HZ.contains(&sample_rate) {
            return Err(damaged(format!("its sample rate is {sample_rate} Hz")));
        }
        if !(1..=2).contains(&output_channels) || (stereo && output_channels == 1) {
            return Err(damaged(format!(
                "it has {output_channels} channels, stereo {stereo}"
            )));
        }
        let analysis_gain = header.analysis_gain as f32;
        if !analysis_gain.is_normal() || analysis_gain < 0.0 {
            return Err(damaged(format!("'analysis_gain' is {analysis_gain}")));
        }
        let layout = FrontEndLayout::new(sample_rate, output_channels, stereo)
            .map_err(|e| damaged(e.to_string()))?;
        let (mc, fc) = (layout.magnitude_channels(), layout.feature_channels());
        let (bins, count) = (layout.bins(), layout.bands().count());
        let floats = |name: &str, length: usize| floats(&tensors, name, &[length], Dtype::F32);
        let constants = FrontEndConstants {
            analysis_gain,
            equaliser: floats("equaliser", mc * bins)?,
            rms: floats("rms", mc * bins)?,
            mean_full: floats("mean_full", fc * bins)?,
            mean_band: floats("mean_band", fc * count)?,
            depth: floats("depth", fc * bins)?,
        };
        if !constants.equaliser.iter().all(|&c| c > 0.0) {
            return Err(damaged("'equaliser' has values that are not positive"));
        }
        let front_end = FrontEnd::from_parts(layout, constants);
        let width = front_end.feature_width();
        let range = FeatureRange {
            mean: floats("range.mean", width)?,
            deviation: floats("range.deviation", width)?,
            low: floats("range.low", width)?,
            high: floats("range.high", width)?,
        };
        // The largest feature is log1p of the loudest magnitude; beyond this, playing would overflow.
        const HIGHEST_FEATURE: f32 = 40.0;
        if range.high.iter().any(|&h| h > HIGHEST_FEATURE) {
            return Err(damaged("'range.high' has values that no capture reaches"));
        }
        let period = header.period_frames;
        if let Some(p) = period.filter(|p| !(1.0..1e6).contains(p)) {
            return Err(damaged(format!("'period_frames' is {p}")));
        }
        let inputs = InputLaw {
            frame_rate: front_end.frame_rate(),
            period,
        };
        let mut arrays = Vec::new();
        for (name, shape) in Weights::shapes(&inputs, width) {
            let data = self::floats(&tensors, &format!("network.{name}"), &shape, Dtype::F16)?;
            arrays.push(Array { name, shape, data });
        }
        let capture = match header.capture_scale {
            Some(scale) => {
                let view = tensors
                    .tensor("capture")
                    .map_err(|_| damaged("'capture' is missing"))?;
                Some(if version == VERSION_OF_PLAIN_CAPTURES {
                    plain_capture(&view, sample_rate, scale as f32)?
                } else {
                    let (start, end) = header.capture_used;
                    let packed = PackedCapture {
                        flac: view.data(),
                        scale: scale as f32,
                        frames: header.capture_frames,
                        used: start..end,
                    };
                    Capture::unpack(&packed, sample_rate).map_err(damaged)?
                })
            }
            None => None,
        };
        let fit = FitRecord {
            steps: header.fit_steps,
            loss: header.fit_loss.unwrap_or(f32::NAN),
            seed: header.fit_seed,
        };
        let generator = Generator {
            inputs,
            range,
            weights: Weights { arrays },
        };
        Ok(Self::new(Arc::new(front_end), generator, capture, fit).named(&header.name))
    }
}

fn constants<'a>(
    front_end: &'a FrontEnd,
    range: &'a FeatureRange,
) -> [(&'static str, &'a [f32]); 9] {
    let constants = front_end.constants();
    [
        ("equaliser", &constants.equaliser),
        ("rms", &constants.rms),
        ("mean_full", &constants.mean_full),
        ("mean_band", &constants.mean_band),
        ("depth", &constants.depth),
        ("range.mean", &range.mean),
        ("range.deviation", &range.deviation),
        ("range.low", &range.low),
        ("range.high", &range.high),
    ]
}

/// Finite floats of a tensor that must have this shape and type.
fn floats(
    tensors: &SafeTensors<'_>,
    name: &str,
    shape: &[usize],
    dtype: Dtype,
) -> Result<Vec<f32>, ModelError> {
    let view = tensors
        .tensor(name)
        .map_err(|_| damaged(format!("'{name}' is missing")))?;
    if view.dtype() != dtype || view.shape() != shape {
        let (found, kind) = (view.shape(), view.dtype());
        return Err(damaged(format!(
            "'{name}' is {kind:?} {found:?}, not {dtype:?} {shape:?}"
        )));
    }
    let data: Vec<f32> = match dtype {
        Dtype::F16 => {
            let halves = view.data().chunks_exact(2);
            halves
                .map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32())
                .collect()
        }
        _ => {
            let words = view.data().chunks_exact(4);
            words
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect()
        }
    };
    match data.iter().find(|x| !x.is_finite()) {
        Some(x) => Err(damaged(format!("'{name}' holds {x}"))),
        None => Ok(data),
    }
}

struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl safetensors::View for Tensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        self.data.as_slice().into()
    }

    fn data_len(&self) -> usize {
        self.data.len()
    }
}

/// The capture of a file of version 1: interleaved words of 24 bits, the first byte the lowest.
fn plain_capture(
    view: &TensorView<'_>,
    sample_rate: u32,
    scale: f32,
) -> Result<Capture, ModelError> {
    const BYTES_PER_SAMPLE: usize = 3;
    const FULL_SCALE: f32 = 8_388_607.0;
    let &[samples, channels, BYTES_PER_SAMPLE] = view.shape() else {
        return Err(damaged(format!(
            "'capture' has the shape {:?}",
            view.shape()
        )));
    };
    if view.dtype() != Dtype::U8 || !(1..=2).contains(&channels) || samples == 0 {
        return Err(damaged(format!(
            "'capture' is {:?} {:?}",
            view.dtype(),
            view.shape()
        )));
    }
    let mut out = vec![Vec::with_capacity(samples); channels];
    for (i, word) in view.data().chunks_exact(BYTES_PER_SAMPLE).enumerate() {
        // The sample's sign is in the highest of its three bytes.
        let word = i32::from_le_bytes([0, word[0], word[1], word[2]]) >> 8;
        out[i % channels].push(word as f32 / FULL_SCALE * scale);
    }
    let clip = Clip::new(sample_rate, out).map_err(|e| damaged(e.to_string()))?;
    Capture::new(&clip).map_err(|e| damaged(e.to_string()))
}
