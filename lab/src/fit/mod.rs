//! The fit's steps on tensors: what `weft_core::fit::cpu` does on the processor, on any device of the tensor library.
//!
//! The same network, losses, draws and moves as there, stage by stage, with every gradient written by hand: the
//! library's own are wrong for some of these operations, and are taken by frozen weights as well. Inside a step
//! nothing comes back to the host; what goes to the device is drawn ahead of it.

mod choice;
mod contexts;
mod critic;
mod criticism;
mod cut;
mod distances;
mod frames;
mod indices;
mod inputs;
mod kernels;
mod layers;
mod machine;
mod network;
mod noise;
mod optimizer;
mod order;
mod parameters;
mod planes;
mod pooled;
mod seen;
mod set_table;
mod targets;
mod terms;
mod trainer;

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Device, Result};
use weft_core::fit::{self, DeviceError, Recipe, Start, StepPlan, StepTrace, Trainer};

pub use choice::ChosenDevice;

use crate::device::device_name;
use frames::KnownFrames;
use kernels::Kernels;
use machine::Machine;
use trainer::TensorTrainer;

/// A device of the tensor library that fits.
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
///
/// use weft_core::fit::{FitSettings, fit_on};
/// use weft_core::procedural::{Texture, synthesize};
/// use weft_lab::DeviceChoice;
/// use weft_lab::fit::TensorDevice;
///
/// let rain = synthesize(Texture::Rain, 1, 8_000, 1.5);
/// let settings = FitSettings { steps: 2, ..FitSettings::default() };
/// let device = TensorDevice::new(DeviceChoice::Cpu.open()?);
/// let model = fit_on(&device, &rain, &settings, &mut |_| ControlFlow::Continue(()))?;
/// assert_eq!(model.fit_record().steps, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TensorDevice {
    machine: Machine,
    remark: Option<String>,
    /// Who fits: a device has one stream of work, so that fits wait for each other.
    turn: Arc<Mutex<()>>,
    frames: Arc<KnownFrames>,
}

impl TensorDevice {
    /// This device, with operations of our own where it can have them.
    pub fn new(device: Device) -> Self {
        let (kernels, remark) = match Kernels::of(&device) {
            Ok(kernels) => (kernels, None),
            Err(error) => (None, Some(format!("slower than it could be: {error}"))),
        };
        Self {
            machine: Machine { device, kernels },
            remark,
            turn: Arc::default(),
            frames: Arc::default(),
        }
    }

    /// This device, with the library's operations alone.
    pub fn plain(device: Device) -> Self {
        Self {
            machine: Machine {
                device,
                kernels: None,
            },
            remark: None,
            turn: Arc::default(),
            frames: Arc::default(),
        }
    }

    /// The library's name for it.
    pub fn device(&self) -> &Device {
        &self.machine.device
    }

    /// A trainer, when it is its turn.
    fn start<'a>(&'a self, recipe: &'a Recipe, start: Start) -> Result<TensorTrainer<'a>> {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        TensorTrainer::new(recipe, start, &self.machine, turn)
    }

    /// What is to be said of it, if anything.
    pub fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    /// Makes these steps, and keeps all that they compute.
    ///
    /// # Errors
    /// [`DeviceError`] if the device can't go on.
    pub fn traces(
        &self,
        recipe: &Recipe,
        start: Start,
        plans: &[StepPlan],
    ) -> std::result::Result<Vec<StepTrace>, DeviceError> {
        let traced = || -> Result<Vec<StepTrace>> {
            let mut trainer = self.start(recipe, start)?;
            plans.iter().map(|plan| trainer.trace(plan)).collect()
        };
        traced().map_err(|error| failure(self.device(), &error))
    }
}

impl fit::Device for TensorDevice {
    fn trainer<'a>(
        &'a self,
        recipe: &'a Recipe,
        start: Start,
    ) -> std::result::Result<Box<dyn Trainer + 'a>, DeviceError> {
        let trainer = self.start(recipe, start);
        let mut trainer = trainer.map_err(|error| failure(self.device(), &error))?;
        trainer.prepare_ahead();
        Ok(Box::new(trainer))
    }

    /// On a graphics processor, as many as cost little more than the fewest: a short measurement tells. What fails in
    /// it fails in the fit, and is told there.
    fn step_frames(&self, recipe: &Recipe) -> Option<usize> {
        if self.device().is_cpu() {
            return None;
        }
        self.frames.get(recipe, || {
            let start = Start {
                generator: recipe.new_generator(),
                steps: 0,
            };
            let mut trainer = self.start(recipe, start).ok()?;
            frames::measure(&mut trainer).ok()
        })
    }
}

/// What the library says, as an error of the fit.
fn failure(device: &Device, error: &candle_core::Error) -> DeviceError {
    DeviceError {
        device: device_name(device).into(),
        reason: error.to_string(),
    }
}
