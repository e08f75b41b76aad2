//! Which device a fit runs on, and what it does where that fails.

use weft_core::fit::cpu::Cpu;
use weft_core::fit::{self, Fallback};

use super::TensorDevice;
use crate::device::{DeviceChoice, DeviceError, device_name};

/// A device that was chosen for fits.
pub struct ChosenDevice {
    /// What it is called in what is said.
    pub name: &'static str,
    /// What is to be said of it, if anything.
    pub remark: Option<String>,
    /// The device. Where it is a graphics processor that fails, the processor goes on.
    pub device: Box<dyn fit::Device + Send + Sync>,
}

impl DeviceChoice {
    /// The device for fits: of what answers, the graphics processor, or else `processor`, which is faster than the
    /// tensor library on the same. Where a graphics processor fails in a fit, `on_failure` is told, and `processor`
    /// goes on.
    ///
    /// # Errors
    /// If the build lacks what was asked for, or no such device answers. `Auto` and `Cpu` never fail.
    pub fn open_for_fits(
        self,
        processor: Cpu,
        on_failure: impl Fn(&fit::DeviceError) + Send + Sync + 'static,
    ) -> Result<ChosenDevice, DeviceError> {
        let device = self.open()?;
        let name = device_name(&device);
        if device.is_cpu() {
            return Ok(ChosenDevice {
                name,
                remark: None,
                device: Box::new(processor),
            });
        }
        let first = TensorDevice::new(device);
        Ok(ChosenDevice {
            name,
            remark: first.remark().map(str::to_owned),
            device: Box::new(Fallback {
                first,
                then: processor,
                on_failure: Box::new(on_failure),
            }),
        })
    }
}
