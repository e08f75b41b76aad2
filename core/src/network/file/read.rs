//! Reads a `.weft` file: every length and every number is checked, since it may come from anywhere.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::{
    Header, LARGEST_BYTES, METADATA_KEY, ModelError, VERSION, VERSION_OF_PLAIN_CAPTURES, damaged,
    open_tensors, read_header,
};
use crate::clip::{Capture, Clip, Image, PackedCapture, SAMPLE_RATES_HZ};
use crate::network::inputs::InputBlocks;
use crate::network::{FeatureRange, FitRecord, Generator, Model, Weights};
use crate::spectrum::{FrontEnd, FrontEndConstants, FrontEndLayout};

/// The largest feature is log1p of the loudest magnitude; beyond this, playing would overflow.
const HIGHEST_FEATURE: f32 = 40.0;
/// Periods within this are read, in frames.
const PERIOD_FRAMES: std::ops::Range<f64> = 1.0..1e6;

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

    /// Reads the bytes of a `.weft` file. Every length and every number is checked: whatever comes back
    /// can be played.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let (tensors, header) = open_tensors(bytes, METADATA_KEY, LARGEST_BYTES)?;
        let header = header.ok_or_else(|| ModelError::Foreign("it has no 'weft' header".into()))?;
        let header: Header = read_header(&header, VERSION)?;
        let front_end = front_end(&tensors, &header)?;
        let generator = generator(&tensors, &header, &front_end)?;
        let capture = capture(&tensors, &header)?;
        let fit = FitRecord {
            steps: header.fit_steps,
            loss: header.fit_loss.unwrap_or(f32::NAN),
            critic_gap: header.fit_critic_gap.filter(|gap| gap.is_finite()),
            seed: header.fit_seed,
        };
        Ok(Self::new(Arc::new(front_end), generator, capture, fit).named(&header.name))
    }
}

/// The way from features to magnitudes.
fn front_end(tensors: &SafeTensors<'_>, header: &Header) -> Result<FrontEnd, ModelError> {
    let &Header {
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
        .map_err(|e| damaged(e.to_string()))?
        .at_image(image(header)?);
    let (mc, fc) = (layout.magnitude_channels(), layout.feature_channels());
    let (bins, count) = (layout.bins(), layout.bands().count());
    let floats = |name: &str, length: usize| floats(tensors, name, &[length], Dtype::F32);
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
    Ok(FrontEnd::from_parts(layout, constants))
}

/// Where the sound lies between left and right.
fn image(header: &Header) -> Result<Image, ModelError> {
    let Some(gains) = header.image else {
        return Ok(Image::PLAIN);
    };
    let image = match header.own_gain {
        Some(own) => Image::from_sides_apart(gains, own).filter(|_| header.stereo),
        None => Image::from_gains(gains),
    };
    image
        .filter(|_| header.output_channels == 2)
        .ok_or_else(|| {
            let own = header.own_gain;
            damaged(format!("'image' is {gains:?}, 'own_gain' {own:?}"))
        })
}

/// The network that makes features of this front end.
fn generator(
    tensors: &SafeTensors<'_>,
    header: &Header,
    front_end: &FrontEnd,
) -> Result<Generator, ModelError> {
    let width = front_end.feature_width();
    let floats_of_features = |name: &str| floats(tensors, name, &[width], Dtype::F32);
    let range = FeatureRange {
        mean: floats_of_features("range.mean")?,
        deviation: floats_of_features("range.deviation")?,
        low: floats_of_features("range.low")?,
        high: floats_of_features("range.high")?,
    };
    if range.high.iter().any(|&h| h > HIGHEST_FEATURE) {
        return Err(damaged("'range.high' has values that no capture reaches"));
    }
    let period = header.period_frames;
    if let Some(p) = period.filter(|p| !PERIOD_FRAMES.contains(p)) {
        return Err(damaged(format!("'period_frames' is {p}")));
    }
    let inputs = InputBlocks::new(front_end.frame_rate(), period);
    let weights = Weights::try_from_fn(&inputs, width, |name, shape| {
        floats(tensors, &format!("network.{name}"), shape, Dtype::F16)
    })?;
    Ok(Generator::from_parts(inputs, range, weights))
}

/// The recording that the network was fitted to, where it was kept.
fn capture(tensors: &SafeTensors<'_>, header: &Header) -> Result<Option<Capture>, ModelError> {
    let Some(scale) = header.capture_scale else {
        return Ok(None);
    };
    let (scale, sample_rate) = (scale as f32, header.sample_rate_hz);
    let view = tensors
        .tensor("capture")
        .map_err(|_| damaged("'capture' is missing"))?;
    if header.version == VERSION_OF_PLAIN_CAPTURES {
        return plain_capture(&view, sample_rate, scale).map(Some);
    }
    let (start, end) = header.capture_used;
    let packed = PackedCapture {
        flac: view.data(),
        scale,
        frames: header.capture_frames,
        used: start..end,
    };
    let capture = Capture::unpack(&packed, sample_rate).map_err(damaged)?;
    Ok(Some(capture))
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
