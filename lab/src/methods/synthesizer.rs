//! All methods in one shape, whatever they optimise.

use std::sync::atomic::AtomicBool;

use candle_core::Device;
use weft_core::clip::Clip;

use super::method::{Method, Synthesis, SynthesisSettings, synthesize};
use crate::error::LabError;
use crate::optimize::Progress;

/// A method that makes a texture of a recording, or of several.
pub trait Synthesizer: Send + Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// Sample rate of what it makes, in Hz.
    fn sample_rate(&self) -> u32;

    /// Iterations of L-BFGS if none are asked for.
    fn iterations(&self) -> u32;

    /// Where it computes if it is given `device`.
    fn device(&self, device: Device) -> Device {
        device
    }

    /// Makes a texture of recordings with their weights. What `cancel` breaks off ends with the best so far.
    ///
    /// # Errors
    /// If nothing can be learned from a recording, there are more than the method takes, one or the result is too
    /// short, or a tensor can't be made on the device.
    fn synthesize(
        &self,
        recordings: &[(&Clip, f64)],
        settings: &SynthesisSettings,
        device: &Device,
        cancel: &AtomicBool,
        on_progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<Synthesis, LabError>;
}

impl<M: Method + Send + Sync> Synthesizer for M {
    fn name(&self) -> &'static str {
        Method::name(self)
    }

    fn sample_rate(&self) -> u32 {
        self.format().sample_rate
    }

    fn iterations(&self) -> u32 {
        Method::iterations(self)
    }

    fn synthesize(
        &self,
        recordings: &[(&Clip, f64)],
        settings: &SynthesisSettings,
        device: &Device,
        cancel: &AtomicBool,
        on_progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<Synthesis, LabError> {
        let clip = single(recordings)?;
        synthesize(self, clip, settings, device, cancel, on_progress)
    }
}

/// The one recording of a method that has no use for more.
pub(super) fn single<'a>(recordings: &[(&'a Clip, f64)]) -> Result<&'a Clip, LabError> {
    match recordings {
        [(clip, _)] => Ok(clip),
        _ => Err(LabError::Setting {
            name: "the number of recordings",
            value: recordings.len().to_string(),
            allowed: "this method takes one; huzaifah takes several",
        }),
    }
}
