//! A fitted texture.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Generator;
use crate::clip::Capture;
use crate::spectrum::FrontEnd;

/// Longest name of a texture, in characters.
pub const NAME_MOST_CHARS: usize = 60;

/// How a model was fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FitRecord {
    /// Training steps done.
    pub steps: u32,
    /// Smoothed loss at the end; not a number before the first step.
    pub loss: f32,
    /// By how much the fit's critic, where it had one, told stretches of the capture from synthesized ones at
    /// the end: 0 if it could not, 2 if it was nearly sure.
    pub critic_gap: Option<f32>,
    /// Seed of the fit.
    pub seed: u64,
}

impl FitRecord {
    /// How near the texture comes to its capture in dB, a figure for users: the capture's variance over the
    /// error of the distributions of random projections. Not a number before the first step.
    pub fn quality_db(&self) -> f32 {
        quality_db(self.loss)
    }
}

/// A fit's loss as [`FitRecord::quality_db`] gives it.
pub fn quality_db(loss: f32) -> f32 {
    -10.0 * loss.log10()
}

/// Which fit a model comes from: the models of one fit make features that mean the same, so that one may take
/// over from another while it sounds.
///
/// A fit gives its first model an id; snapshots, refinements and copies keep it. Reading a file gives a new
/// one. Ids are unique in a process, and are not written to files; a process that helps with a fit needs none,
/// as its networks come back to the model that they were fitted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TextureId(u64);

impl TextureId {
    /// One that no other model of this process has.
    fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A texture that can be played: the network, the front end's constants, and the capture it was fitted
/// to. Cheap to clone; never changes.
///
/// # Examples
/// Through the bytes of a `.weft` file nothing is lost that can be heard:
/// ```
/// # use std::ops::ControlFlow;
/// # use weft_core::fit::{FitSettings, fit};
/// # use weft_core::procedural::{Texture, synthesize};
/// # let clip = synthesize(Texture::Rain, 1, 8_000, 1.5);
/// # let settings = FitSettings { steps: 2, ..FitSettings::default() };
/// # let model = fit(&clip, &settings, &mut |_| ControlFlow::Continue(()))?;
/// use weft_core::network::Model;
///
/// let bytes = model.to_bytes();
/// let back = Model::from_bytes(&bytes)?;
/// assert_eq!(back.generator(), model.generator());
/// assert_eq!(back.to_bytes(), bytes);
/// // As far as playing goes, a file that was read is another texture.
/// assert_ne!(back.id(), model.id());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Model {
    id: TextureId,
    front_end: Arc<FrontEnd>,
    generator: Arc<Generator>,
    capture: Option<Capture>,
    name: Arc<str>,
    fit: FitRecord,
}

impl Model {
    /// The first model of a fit, or one that was read.
    pub(crate) fn new(
        front_end: Arc<FrontEnd>,
        generator: Generator,
        capture: Option<Capture>,
        fit: FitRecord,
    ) -> Self {
        Self {
            id: TextureId::unique(),
            front_end,
            generator: Arc::new(generator),
            capture,
            name: "".into(),
            fit,
        }
    }

    /// A better network for the same capture. It makes the same texture: the id stays.
    pub(crate) fn refined(&self, generator: Generator, fit: FitRecord) -> Self {
        Self {
            generator: Arc::new(generator),
            fit,
            ..self.clone()
        }
    }

    /// The way from features to magnitudes.
    pub fn front_end(&self) -> &FrontEnd {
        &self.front_end
    }

    /// The network.
    pub fn generator(&self) -> &Generator {
        &self.generator
    }

    /// The recording that the network was fitted to, as it was fitted.
    pub fn capture(&self) -> Option<&Capture> {
        self.capture.as_ref()
    }

    /// What its user calls it; empty if nobody has named it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same texture under another name, of which [`NAME_MOST_CHARS`] are kept.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        Self {
            name: tidy_name(name).into(),
            ..self.clone()
        }
    }

    /// How it was fitted.
    pub fn fit_record(&self) -> FitRecord {
        self.fit
    }

    /// Sample rate of the sound, in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.front_end.sample_rate()
    }

    /// Samples between frames.
    pub fn hop_size(&self) -> usize {
        self.front_end.stft().hop_size()
    }

    /// Length of the capture's period in seconds, where it ticks.
    pub fn period_s(&self) -> Option<f64> {
        let frame_s = self.hop_size() as f64 / f64::from(self.sample_rate());
        let frames = self.generator.inputs().period();
        frames.map(|frames| frames * frame_s)
    }

    /// Which fit it comes from.
    pub fn id(&self) -> TextureId {
        self.id
    }

    /// Whether there is a side channel. A texture without one may still lie at one side.
    pub fn is_stereo(&self) -> bool {
        self.front_end.is_stereo()
    }

    /// Channels of the capture, 1 or 2.
    pub fn output_channels(&self) -> usize {
        self.front_end.output_channels()
    }

    /// The same texture without its recording.
    pub fn without_capture(&self) -> Self {
        Self {
            capture: None,
            ..self.clone()
        }
    }
}

/// A name as it is kept: one line, not too long.
pub(crate) fn tidy_name(name: &str) -> String {
    let printed = name.trim().chars().filter(|c| !c.is_control());
    printed.take(NAME_MOST_CHARS).collect()
}
