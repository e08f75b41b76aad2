//! Writes a `.weft` file.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::Dtype;

use super::{Header, METADATA_KEY, ModelError, VERSION, VERSION_BEFORE_SIDES_APART};
use crate::clip::{Capture, Image, PackedCapture, write_whole};
use crate::network::{FeatureRange, Model};
use crate::spectrum::FrontEnd;

impl Model {
    /// Writes a `.weft` file: first beside it, then in its place, so that a full disk costs nothing. What is
    /// written has been read by the rules of [`Model::from_bytes`].
    ///
    /// # Errors
    /// [`ModelError`]: `Io`, or what the reader says of it.
    pub fn write(&self, path: &Path) -> Result<(), ModelError> {
        let io = |source| ModelError::Io {
            path: path.to_owned(),
            source,
        };
        let bytes = self.to_bytes();
        Self::from_bytes(&bytes)?;
        write_whole(path, &bytes).map_err(io)
    }

    /// The bytes of a `.weft` file. The first time, the capture is compressed, which takes tenths of a second.
    pub fn to_bytes(&self) -> Vec<u8> {
        let packed = self.capture().map(Capture::packed);
        let header = self.header(packed.as_ref());
        let header = serde_json::to_string(&header).expect("numbers and text are JSON");
        let metadata = HashMap::from([(METADATA_KEY.to_string(), header)]);
        let tensors = self.stored_tensors(packed.as_ref());
        safetensors::serialize(tensors, Some(metadata)).expect("shapes and lengths agree")
    }

    fn header(&self, packed: Option<&PackedCapture<'_>>) -> Header {
        let used = packed.map_or(0..0, |p| p.used.clone());
        let fit = self.fit_record();
        let image = self.front_end().image();
        Header {
            version: match image.is_apart() {
                true => VERSION,
                false => VERSION_BEFORE_SIDES_APART,
            },
            name: self.name().to_owned(),
            sample_rate_hz: self.sample_rate(),
            output_channels: self.output_channels(),
            stereo: self.is_stereo(),
            analysis_gain: f64::from(self.front_end().constants().analysis_gain),
            period_frames: self.generator().inputs().period(),
            capture_scale: packed.map(|p| p.scale.into()),
            capture_frames: packed.map_or(0, |p| p.frames),
            capture_used: (used.start, used.end),
            fit_steps: fit.steps,
            fit_loss: Some(fit.loss).filter(|l| l.is_finite()),
            fit_critic_gap: fit.critic_gap.filter(|gap| gap.is_finite()),
            fit_seed: fit.seed,
            image: (image != Image::PLAIN).then(|| image.gains()),
            own_gain: image.own_gain(),
        }
    }

    /// Names and contents: weights in half precision, constants, the capture.
    fn stored_tensors(&self, packed: Option<&PackedCapture<'_>>) -> Vec<(String, StoredTensor)> {
        let weights = self.generator().weights();
        let weights = weights
            .names()
            .zip(weights.tensors())
            .map(|(name, tensor)| {
                let data = tensor.data().iter();
                let halves = data.flat_map(|&x| half::f16::from_f32(x).to_le_bytes());
                let stored = StoredTensor {
                    dtype: Dtype::F16,
                    shape: tensor.shape().to_vec(),
                    data: halves.collect(),
                };
                (format!("network.{name}"), stored)
            });
        let constants = constants(self.front_end(), self.generator().range());
        let constants = constants.into_iter().map(|(name, data)| {
            let stored = StoredTensor {
                dtype: Dtype::F32,
                shape: vec![data.len()],
                data: data.iter().flat_map(|x| x.to_le_bytes()).collect(),
            };
            (name.to_owned(), stored)
        });
        let capture = packed.map(|PackedCapture { flac, .. }| {
            let stored = StoredTensor {
                dtype: Dtype::U8,
                shape: vec![flac.len()],
                data: flac.to_vec(),
            };
            ("capture".to_owned(), stored)
        });
        weights.chain(constants).chain(capture).collect()
    }
}

/// What playing needs beside the network, by name in the file.
fn constants<'a>(
    front_end: &'a FrontEnd,
    range: &'a FeatureRange,
) -> [(&'static str, &'a [f32]); 9] {
    [
        ("equaliser", &front_end.constants().equaliser),
        ("rms", &front_end.constants().rms),
        ("mean_full", &front_end.constants().mean_full),
        ("mean_band", &front_end.constants().mean_band),
        ("depth", &front_end.constants().depth),
        ("range.mean", &range.mean),
        ("range.deviation", &range.deviation),
        ("range.low", &range.low),
        ("range.high", &range.high),
    ]
}

/// A tensor as the file holds it.
struct StoredTensor {
    dtype: Dtype,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl safetensors::View for StoredTensor {
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
