//! How alike two recordings are to a network that was trained to tell sounds apart: VGGish (Hershey et al. 2017, *CNN
//! Architectures for Large-Scale Audio Classification*), from a file in the ONNX format that the user has.

use std::path::{Path, PathBuf};

use thiserror::Error;
use weft_core::clip::{Clip, ClipError};

/// Why there is no such figure.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VggishError {
    /// This build lacks what runs such files.
    #[error(
        "this build of weft can't run {path:?}: build it with `--features onnx`, or leave out `--vggish`"
    )]
    NotBuilt {
        /// The file.
        path: PathBuf,
    },
    /// The file is no network, or one with operations that are not known.
    #[error("{path:?} can't be run ({reason}): give VGGish in the ONNX format")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The network takes something else than VGGish does.
    #[error(
        "{path:?} takes {takes}, and VGGish log mel patches of 96 × 64 (as 1 × 1 × 96 × 64, 1 × 96 × 64 or 1 × 96 × 64 × 1): give that part of it that comes behind its mel bands"
    )]
    Input {
        /// The file.
        path: PathBuf,
        /// The shape of its input.
        takes: String,
    },
    /// A recording is too short.
    #[error("{seconds:.2} s are too short for VGGish, which hears 0.98 s at a time: give more")]
    TooShort {
        /// Its length in seconds.
        seconds: f64,
    },
    /// A recording can't be brought to VGGish's sample rate.
    #[error(transparent)]
    Clip(#[from] ClipError),
}

#[cfg(feature = "onnx")]
pub use with_onnx::Vggish;
#[cfg(not(feature = "onnx"))]
pub use without_onnx::Vggish;

#[cfg(not(feature = "onnx"))]
mod without_onnx {
    use super::{Clip, Path, VggishError};

    /// The network. In this build there is none.
    #[derive(Debug)]
    pub enum Vggish {}

    impl Vggish {
        /// Fails: this build can't run it.
        ///
        /// # Errors
        /// [`VggishError::NotBuilt`].
        pub fn open(path: &Path) -> Result<Self, VggishError> {
            Err(VggishError::NotBuilt { path: path.into() })
        }

        /// Of none, there is no distance.
        ///
        /// # Errors
        /// None.
        pub fn distance(&self, _: &Clip, _: &Clip) -> Result<f64, VggishError> {
            match *self {}
        }
    }
}

#[cfg(feature = "onnx")]
mod with_onnx {
    use std::fmt;

    use rten::{Dimension, Model, Value};

    use super::super::log_mel::{BANDS, FRAMES, SAMPLE_RATE, patches};
    use super::{Clip, Path, PathBuf, VggishError};

    /// The network.
    pub struct Vggish {
        model: Model,
        path: PathBuf,
        /// Shape of one patch as it takes it.
        shape: Vec<usize>,
    }

    impl fmt::Debug for Vggish {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter
                .debug_struct("Vggish")
                .field("path", &self.path)
                .finish_non_exhaustive()
        }
    }

    impl Vggish {
        /// The network of a file in the ONNX format: log mel patches to embeddings.
        ///
        /// # Errors
        /// If the file can't be read or run, or takes something else.
        pub fn open(path: &Path) -> Result<Self, VggishError> {
            let unusable = |reason: String| VggishError::Unusable {
                path: path.into(),
                reason,
            };
            let bytes = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
            let model = Model::load(bytes).map_err(|error| unusable(error.to_string()))?;
            let takes = model.input_shape(0).unwrap_or_default();
            let shape = shape_of_a_patch(&takes).ok_or_else(|| VggishError::Input {
                path: path.into(),
                takes: in_words(&takes),
            })?;
            let network = Self {
                model,
                path: path.into(),
                shape,
            };
            // A network that can't be run is better told before hours of work.
            network.embedded(vec![0.0; FRAMES * BANDS])?;
            Ok(network)
        }

        /// One minus the cosine between the two recordings' mean embeddings: 0 for what sounds the same to it, to 2.
        ///
        /// # Errors
        /// If a recording is too short, or the network fails.
        pub fn distance(&self, a: &Clip, b: &Clip) -> Result<f64, VggishError> {
            let (a, b) = (self.mean_embedding(a)?, self.mean_embedding(b)?);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let norms = (dot(&a, &a) * dot(&b, &b)).sqrt();
            Ok(1.0 - dot(&a, &b) / norms.max(f64::MIN_POSITIVE))
        }

        fn mean_embedding(&self, clip: &Clip) -> Result<Vec<f64>, VggishError> {
            let mono = clip.to_mono().resampled(SAMPLE_RATE)?;
            let patches = patches(&mono.channels()[0]);
            if patches.is_empty() {
                return Err(VggishError::TooShort {
                    seconds: clip.duration_s(),
                });
            }
            let count = patches.len() as f64;
            let mut mean = Vec::new();
            for patch in patches {
                let embedding = self.embedded(patch)?;
                mean.resize(embedding.len(), 0.0);
                for (mean, value) in mean.iter_mut().zip(embedding) {
                    *mean += f64::from(value) / count;
                }
            }
            Ok(mean)
        }

        /// What the network makes of a patch.
        fn embedded(&self, patch: Vec<f32>) -> Result<Vec<f32>, VggishError> {
            let unusable = |reason: String| VggishError::Unusable {
                path: self.path.clone(),
                reason,
            };
            let input = Value::from_shape(&self.shape, patch);
            let input = input.map_err(|error| unusable(error.to_string()))?;
            let output = self.model.run_one(input.into(), None);
            let output = output.map_err(|error| unusable(error.to_string()))?;
            let values = output.into_shape_vec::<f32, 2>();
            let (_, values) = values.map_err(|error| unusable(error.to_string()))?;
            Ok(values)
        }
    }

    /// How a network with this input takes one patch; nothing of one that takes none. Dimensions that it leaves open
    /// may be any.
    fn shape_of_a_patch(takes: &[Dimension]) -> Option<Vec<usize>> {
        let known = [
            vec![1, 1, FRAMES, BANDS],
            vec![1, FRAMES, BANDS, 1],
            vec![1, FRAMES, BANDS],
        ];
        let fits = |shape: &Vec<usize>| {
            shape.len() == takes.len()
                && shape.iter().zip(takes).all(|(size, takes)| match takes {
                    Dimension::Fixed(fixed) => fixed == size,
                    Dimension::Symbolic(_) => true,
                })
        };
        known.into_iter().find(fits)
    }

    fn in_words(takes: &[Dimension]) -> String {
        let sizes = takes.iter().map(|dimension| match dimension {
            Dimension::Fixed(size) => size.to_string(),
            Dimension::Symbolic(name) => name.clone(),
        });
        match takes.is_empty() {
            true => "nothing that it tells".into(),
            false => sizes.collect::<Vec<_>>().join(" × "),
        }
    }
}
