//! Where a fit is computed.
//!
//! A [`Device`] makes a [`Trainer`] for a [`Recipe`], and the fit asks that for one step after the other. How
//! fast it learns, when it shows what it has and when it is over is the schedule's; at which levels a network
//! is kept is the recipe's. So all that a device brings is the step itself.

use super::error::DeviceError;
use super::recipe::Recipe;
use crate::network::Generator;

/// What a fit starts from.
#[derive(Clone, Debug)]
pub struct Start {
    /// The network before the first step.
    pub generator: Generator,
    /// Steps that led to it. The random numbers of a step are numbered by all steps before it.
    pub steps: u32,
}

/// What one step is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepPlan {
    /// How far the weights move, from 0; rates of a fit are below 0.01.
    pub learning_rate: f32,
    /// Frames that the network makes, [`LEAST_FRAMES`](super::LEAST_FRAMES) and more. The loss of few frames is
    /// noisier, and larger for the same network.
    pub frames: usize,
    /// Weight of the distance of contexts' moments, from 0, against that of random projections.
    pub context_weight: f32,
    /// Where a critic learns beside the network: how strong its gradient is, as a part of the other losses'
    /// on the same frames. At 0 it learns, and is not heard.
    pub critic_weight: Option<f32>,
}

/// What came of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The mean squared Wasserstein distance over the capture's variance; about 1 at the start.
    pub loss: f32,
    /// By how much the critic's verdicts on the capture have lately been above those on the synthesis, if it
    /// has learned: 0 where it can't tell them apart, 2 where it is nearly sure.
    pub critic_gap: Option<f32>,
}

/// Something that can train a network.
///
/// # Examples
/// A device that counts its steps:
/// ```
/// use std::cell::Cell;
/// use std::ops::ControlFlow;
///
/// use weft_core::fit::cpu::Cpu;
/// use weft_core::fit::{Device, DeviceError, FitSettings, Recipe, Start, StepPlan, StepReport, Trainer, fit_on};
/// use weft_core::network::Generator;
/// use weft_core::procedural::{Texture, synthesize};
///
/// #[derive(Default)]
/// struct Counting {
///     cpu: Cpu,
///     steps: Cell<u32>,
/// }
///
/// struct CountingTrainer<'a>(&'a Cell<u32>, Box<dyn Trainer + 'a>);
///
/// impl Device for Counting {
///     fn trainer<'a>(
///         &'a self,
///         recipe: &'a Recipe,
///         start: Start,
///     ) -> Result<Box<dyn Trainer + 'a>, DeviceError> {
///         let inner = self.cpu.trainer(recipe, start)?;
///         Ok(Box::new(CountingTrainer(&self.steps, inner)))
///     }
/// }
///
/// impl Trainer for CountingTrainer<'_> {
///     fn step(&mut self, plan: StepPlan) -> Result<StepReport, DeviceError> {
///         self.0.set(self.0.get() + 1);
///         self.1.step(plan)
///     }
///
///     fn snapshot(&mut self) -> Result<Generator, DeviceError> {
///         self.1.snapshot()
///     }
/// }
///
/// let clip = synthesize(Texture::Rain, 1, 8_000, 1.5);
/// let settings = FitSettings { steps: 3, ..FitSettings::default() };
/// let device = Counting::default();
/// fit_on(&device, &clip, &settings, &mut |_| ControlFlow::Continue(()))?;
/// assert_eq!(device.steps.get(), 3);
/// # Ok::<(), weft_core::fit::FitError>(())
/// ```
pub trait Device {
    /// A trainer of `recipe` that goes on from `start`.
    ///
    /// # Errors
    /// [`DeviceError`] if the device can't start.
    fn trainer<'a>(
        &'a self,
        recipe: &'a Recipe,
        start: Start,
    ) -> Result<Box<dyn Trainer + 'a>, DeviceError>;

    /// Frames of the last steps of a fit whose settings say nothing of them: what a fast device does with its speed is
    /// frames. Where this is none, a fit has as many as suit its steps.
    fn step_frames(&self, recipe: &Recipe) -> Option<usize> {
        let _ = recipe;
        None
    }
}

/// A fit on its way.
pub trait Trainer {
    /// One step.
    ///
    /// # Errors
    /// [`DeviceError`] if the device can't go on.
    fn step(&mut self, plan: StepPlan) -> Result<StepReport, DeviceError>;

    /// The network as it is now, in the precision that it is trained in.
    ///
    /// # Errors
    /// [`DeviceError`] if the device can't go on.
    fn snapshot(&mut self) -> Result<Generator, DeviceError>;
}
