//! What fits are made on. This is the one place that knows which devices there are for that.

use weft_core::fit::Device;
use weft_core::fit::cpu::Cpu;
use weft_core::fit::protocol::DeviceKind;
use weft_lab::fit::TensorDevice;
use weft_lab::{DeviceChoice, device_name};

use crate::error::CliError;

/// A device that makes fits, and what it is called.
pub struct Served {
    pub device: Box<dyn Device>,
    pub kind: DeviceKind,
    pub name: String,
}

/// The device that was chosen: of what answers, a graphics processor. `Auto` never fails. One that fails in a fit says so
/// to who asked, who goes on.
pub fn open(choice: DeviceChoice) -> Result<Served, CliError> {
    let device = choice.open()?;
    // The tensor library is slower on the processor than what is made for it.
    if device.is_cpu() {
        return Ok(processor());
    }
    let name = device_name(&device).to_uppercase();
    Ok(Served {
        device: Box::new(TensorDevice::new(device)),
        kind: DeviceKind::Graphics,
        name,
    })
}

fn processor() -> Served {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cores = match cores {
        1 => "1 core".to_owned(),
        cores => format!("{cores} cores"),
    };
    Served {
        device: Box::new(Cpu::default()),
        kind: DeviceKind::Processor,
        name: format!("processor, {cores}"),
    }
}
