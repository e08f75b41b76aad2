//! Training of the network on a capture.
//!
//! A [`Recipe`] says what is fitted, a [`Device`] where, and a [`Trainer`] makes one step of it: fresh noise inputs
//! and fresh random filters, a block of frames, a comparison of the distributions of their projections with the
//! capture's (sliced Wasserstein distance: Rabin et al. 2011; as a texture loss: Heitz et al. 2021), and a move of the
//! weights, matrices by Muon (Jordan et al. 2024) and the rest by Adam. All randomness is numbered by step, and sums
//! are taken in a fixed order: the same capture, settings and seed give the same bits on one machine, whatever the
//! number of threads.
//!
//! A fit runs on the thread that calls it, and on helpers of its [`Device`]; in an instrument that is a
//! thread of its own. It may be made elsewhere: a [`FitRequest`] is all that is needed for it, a [`Helper`] somebody
//! who has it made, [`protocol`] what goes over a pipe meanwhile, and [`relay`](fn@relay) the fit that goes on here when
//! nothing more comes from there.

mod calibration;
mod clock;
pub mod cpu;
mod device;
mod draws;
mod effort;
mod error;
mod estimate;
mod fallback;
#[cfg(test)]
mod gradient_tests;
mod helper;
mod moves;
#[cfg(all(test, feature = "parity"))]
mod parity_tests;
pub mod protocol;
mod recipe;
mod relay;
mod request;
mod run;
mod schedule;
mod trace;

pub use device::{Device, Start, StepPlan, StepReport, Trainer};
pub use draws::{SEEN_FRAMES, STRETCHES_FOR_CRITIC, Side, StepDraws, stretches};
pub use effort::{Effort, LEAST_FRAMES};
pub use error::{DeviceError, FitError};
pub use estimate::estimated_s;
pub use fallback::Fallback;
pub use helper::{HELPER_TRIAL, Helper, HelperError, HelperEvent};
pub use moves::{ADAM, Adam, MUON, Muon};
pub use recipe::Recipe;
pub use relay::{LeavingHelper, RelayEvent, relay};
pub use request::{FitRequest, FitStart};
pub use trace::StepTrace;

use std::ops::ControlFlow;

use crate::clip::{Capture, Clip};
use crate::network::{FitRecord, Generator, Model};
use cpu::Cpu;
use run::run;

/// Fewest and most steps of a fit.
pub const STEPS_RANGE: std::ops::RangeInclusive<u32> = 1..=100_000;
/// Fewest and most frames of a step.
pub const STEP_FRAMES_RANGE: std::ops::RangeInclusive<usize> = LEAST_FRAMES..=LEAST_FRAMES << 6;

/// How a fit is made.
#[derive(Clone, Debug, PartialEq)]
pub struct FitSettings {
    /// Training steps at most, within [`STEPS_RANGE`]: a long fit that no longer improves ends sooner.
    pub steps: u32,
    /// Frames that the network makes in each of the last steps, within [`STEP_FRAMES_RANGE`]: the first steps
    /// have fewer, which then double. `None` for as many as suit the number of steps.
    pub step_frames: Option<usize>,
    /// Seconds after which the fit must be done: the schedule then follows whichever of time and steps is
    /// further on. A fit that counts seconds is not the same every time.
    pub max_duration_s: Option<f64>,
    /// Seed of initial weights, noise and filters.
    pub seed: u64,
}

impl Default for FitSettings {
    fn default() -> Self {
        Self {
            steps: Effort::default().steps(),
            step_frames: None,
            max_duration_s: None,
            seed: 0,
        }
    }
}

impl FitSettings {
    fn check(&self) -> Result<(), FitError> {
        if !STEPS_RANGE.contains(&self.steps) {
            return Err(FitError::Steps(self.steps));
        }
        if let Some(frames) = self.step_frames
            && !STEP_FRAMES_RANGE.contains(&frames)
        {
            return Err(FitError::StepFrames(frames));
        }
        match self.max_duration_s {
            Some(s) if !(s > 0.0 && s.is_finite()) => Err(FitError::Duration(s)),
            _ => Ok(()),
        }
    }
}

/// What a running fit tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum FitEvent<'a> {
    /// A step is done.
    Progress {
        /// Steps done.
        step: u32,
        /// Steps in all; with a time limit, as many as fit into it at the present speed.
        steps: u32,
        /// Smoothed loss: mean squared Wasserstein distance over variance; starts at about 1.
        loss: f32,
    },
    /// A playable texture. The first comes before any step, and is noise with the capture's spectrum.
    Snapshot {
        /// Steps done.
        step: u32,
        /// The texture so far.
        model: &'a Model,
    },
}

/// Fits a network to a capture, on one thread per core. `on_event` is told of every step and snapshot, on
/// this thread; it ends the fit by [`ControlFlow::Break`].
///
/// # Errors
/// [`FitError`]; `Cancelled` if `on_event` broke off.
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
///
/// use weft_core::fit::{FitEvent, FitSettings, fit};
/// use weft_core::procedural::{Texture, synthesize};
///
/// let rain = synthesize(Texture::Rain, 1, 8_000, 1.5);
/// let settings = FitSettings { steps: 20, ..FitSettings::default() };
/// let mut losses = Vec::new();
/// let model = fit(&rain, &settings, &mut |event| {
///     if let FitEvent::Progress { loss, .. } = event {
///         losses.push(loss);
///     }
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(model.fit_record().steps, 20);
/// assert!(losses[19] < losses[0]);
/// # Ok::<(), weft_core::fit::FitError>(())
/// ```
pub fn fit(
    clip: &Clip,
    settings: &FitSettings,
    on_event: &mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>,
) -> Result<Model, FitError> {
    fit_on(&Cpu::default(), clip, settings, on_event)
}

/// Fits a network to a capture on a device, as [`fit`] does.
///
/// # Errors
/// [`FitError`]; `Cancelled` if `on_event` broke off.
pub fn fit_on(
    device: &dyn Device,
    clip: &Clip,
    settings: &FitSettings,
    on_event: &mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>,
) -> Result<Model, FitError> {
    clip.check_texture()?;
    // What is kept is what is fitted.
    fit_capture_on(device, &Capture::new(clip)?, settings, on_event)
}

/// Fits a network to the used part of a capture on a device, as [`fit`] does.
///
/// # Errors
/// [`FitError`]; `Cancelled` if `on_event` broke off.
pub fn fit_capture_on(
    device: &dyn Device,
    capture: &Capture,
    settings: &FitSettings,
    on_event: &mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>,
) -> Result<Model, FitError> {
    let recipe = Recipe::new(&capture.used(), settings)?;
    let first = first_model(&recipe, capture);
    run(device, &recipe, &first, recipe.new_generator(), on_event)
}

/// What a fit sounds like before its first step: noise with the capture's spectrum.
fn first_model(recipe: &Recipe, capture: &Capture) -> Model {
    Model::new(
        recipe.front_end().clone(),
        recipe.new_generator().stationary(),
        Some(capture.clone()),
        FitRecord {
            steps: 0,
            loss: f32::NAN,
            critic_gap: None,
            seed: recipe.settings().seed,
        },
    )
}

/// Goes on where the fit of `model` ended, for `settings.steps` more steps, on one thread per core: the same
/// capture, the same weights, new noise. Where that comes no nearer, the result is `model` itself.
/// `settings.seed` is not used: the model's own seed goes on.
///
/// # Errors
/// [`FitError`]; `NoCapture` if the model doesn't hold what it was fitted to.
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
///
/// use weft_core::fit::{FitSettings, fit, refine};
/// use weft_core::procedural::{Texture, synthesize};
///
/// let rain = synthesize(Texture::Rain, 1, 8_000, 1.5);
/// let settings = FitSettings { steps: 20, ..FitSettings::default() };
/// let model = fit(&rain, &settings, &mut |_| ControlFlow::Continue(()))?;
/// let better = refine(&model, &settings, &mut |_| ControlFlow::Continue(()))?;
/// assert!(better.fit_record().quality_db() >= model.fit_record().quality_db());
/// // Both make the same texture: where one plays, the other may take over.
/// assert_eq!(better.id(), model.id());
/// # Ok::<(), weft_core::fit::FitError>(())
/// ```
pub fn refine(
    model: &Model,
    settings: &FitSettings,
    on_event: &mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>,
) -> Result<Model, FitError> {
    refine_on(&Cpu::default(), model, settings, on_event)
}

/// Goes on with a fit on a device, as [`refine`] does.
///
/// # Errors
/// [`FitError`]; `NoCapture` if the model doesn't hold what it was fitted to.
pub fn refine_on(
    device: &dyn Device,
    model: &Model,
    settings: &FitSettings,
    on_event: &mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>,
) -> Result<Model, FitError> {
    let (recipe, generator) = recipe_of(model, settings)?;
    run(device, &recipe, model, generator, on_event)
}

/// How the fit of `model` goes on, and with which network.
fn recipe_of(model: &Model, settings: &FitSettings) -> Result<(Recipe, Generator), FitError> {
    let capture = model.capture().ok_or(FitError::NoCapture)?;
    let settings = FitSettings {
        seed: model.fit_record().seed,
        ..settings.clone()
    };
    let recipe = Recipe::new(&capture.used(), &settings)?;
    let generator = match model.fit_record().steps {
        // Spectrum-matched noise: nothing was learned yet.
        0 => recipe.new_generator(),
        _ => model.generator().clone(),
    };
    let (network, capture) = (
        generator.feature_width(),
        recipe.front_end().feature_width(),
    );
    if network != capture {
        return Err(FitError::Mismatch { network, capture });
    }
    Ok((recipe, generator))
}
