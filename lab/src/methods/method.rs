//! What the methods that optimise a spectrogram have in common.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use candle_core::Device;
use weft_core::clip::Clip;
use weft_core::numeric::random::Sequence;

use crate::curve::{Curve, CurvePoint};
use crate::error::LabError;
use crate::lbfgs::{Bounds, LbfgsSettings};
use crate::objective::Objective;
use crate::optimize::{Ending, OptimizeSettings, Progress, optimize};
use crate::spectrogram::{GriffinLim, Image, SpectrogramFormat};

/// Index of the start's noise among what a seed draws; the networks have the ones from 0 on.
pub(super) const START_INDEX: u64 = 1 << 32;

/// A method that brings down a loss of a spectrogram.
pub trait Method {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// What it sees of a sound.
    fn format(&self) -> SpectrogramFormat;

    /// Iterations of L-BFGS, as its paper has them.
    fn iterations(&self) -> u32;

    /// Iterations of Griffin-Lim, as its paper has them.
    fn griffin_lim_iterations(&self) -> usize;

    /// What the image's values lie between.
    fn bounds(&self) -> Bounds;

    /// Whether the recording is brought to a peak of 1 before, and the result back to the recording's level.
    fn normalizes(&self) -> bool;

    /// The loss of images of `rows` rows against `target`.
    ///
    /// # Errors
    /// If target or images are too short for its filters, a setting is out of range, or memory lacks.
    fn objective(
        &self,
        target: &Image,
        rows: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Box<dyn Objective>, LabError>;

    /// The image of `rows` rows that it starts from; `random` is the seed's.
    fn start(&self, target: &Image, rows: usize, random: &mut Sequence) -> Image;
}

/// What is made of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SynthesisSettings {
    /// Length of the sound in seconds; the recording's if there is none.
    pub seconds: Option<f64>,
    /// Iterations of L-BFGS; the paper's if there are none.
    pub iterations: Option<u32>,
    /// Seed of networks, start and first phases.
    pub seed: u64,
}

/// A sound that a method made, and how.
#[derive(Clone, Debug)]
pub struct Synthesis {
    /// The sound, mono, at the method's sample rate.
    pub clip: Clip,
    /// The spectrogram that it was made from.
    pub image: Image,
    /// The loss all along.
    pub curve: Curve,
    /// The loss of what was taken.
    pub best: CurvePoint,
    /// Why the optimisation ended.
    pub ending: Ending,
    /// Time that the optimisation took, in seconds.
    pub optimize_s: f64,
    /// Time that the inversion took, in seconds.
    pub invert_s: f64,
}

/// Makes a texture of `clip` by a method: its spectrogram is optimised from noise, and inverted. What `cancel` breaks
/// off ends with the best so far.
///
/// # Errors
/// If nothing can be learned from the clip ([`Clip::check_texture`]), it or the result is too short for the method's
/// filters, or a tensor can't be made on the device.
pub fn synthesize(
    method: &dyn Method,
    clip: &Clip,
    settings: &SynthesisSettings,
    device: &Device,
    cancel: &AtomicBool,
    on_progress: &mut dyn FnMut(&Progress<'_>),
) -> Result<Synthesis, LabError> {
    let mono = usable_mono(clip)?;
    let level = if method.normalizes() {
        mono.peak()
    } else {
        1.0
    };
    let format = method.format();
    let target = format.image(&scaled(mono, 1.0 / level)?)?;
    let seconds = settings.seconds.unwrap_or_else(|| clip.duration_s());
    let rows = format.rows_for(seconds);
    let began = Instant::now();
    let mut objective = method.objective(&target, rows, settings.seed, device)?;
    let mut random = Sequence::new(settings.seed, START_INDEX);
    let start = method.start(&target, rows, &mut random);
    let optimize_settings = OptimizeSettings {
        iterations: settings.iterations.unwrap_or_else(|| method.iterations()),
        lbfgs: LbfgsSettings {
            bounds: method.bounds(),
            ..LbfgsSettings::default()
        },
    };
    let optimized = optimize(
        objective.as_mut(),
        start,
        device,
        &optimize_settings,
        cancel,
        on_progress,
    )?;
    let optimize_s = began.elapsed().as_secs_f64();
    let how = GriffinLim::fast(method.griffin_lim_iterations(), settings.seed);
    let clip = scaled(format.sound(&optimized.image, seconds, &how)?, level)?;
    Ok(Synthesis {
        clip,
        image: optimized.image,
        curve: optimized.curve,
        best: optimized.best,
        ending: optimized.ending,
        optimize_s,
        invert_s: began.elapsed().as_secs_f64() - optimize_s,
    })
}

/// A clip's channels in one.
///
/// # Errors
/// If nothing can be learned from the clip, or its channels cancel out.
pub(super) fn usable_mono(clip: &Clip) -> Result<Clip, LabError> {
    clip.check_texture()?;
    let mono = clip.to_mono();
    mono.check_texture()?;
    Ok(mono)
}

/// A clip with all samples times `gain`.
pub(super) fn scaled(clip: Clip, gain: f32) -> Result<Clip, LabError> {
    let sample_rate = clip.sample_rate();
    let mut channels = clip.into_channels();
    channels.iter_mut().flatten().for_each(|x| *x *= gain);
    Ok(Clip::new(sample_rate, channels)?)
}

/// Fails for a target or images of fewer rows than filters see.
pub(super) fn check_rows(
    format: &SpectrogramFormat,
    target: &Image,
    rows: usize,
    least: usize,
) -> Result<(), LabError> {
    let fewest = rows.min(target.rows());
    if fewest < least {
        return Err(LabError::TooShort {
            seconds: format.seconds_of(fewest),
            least: format.seconds_of(least),
        });
    }
    Ok(())
}
