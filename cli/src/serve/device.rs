//! What fits are made on. This is the one place that knows which devices there are for that.

use weft_core::fit::Device;
use weft_core::fit::cpu::Cpu;
use weft_core::fit::protocol::DeviceKind;
use weft_lab::DeviceChoice;

use crate::error::CliError;

/// A device that makes fits, and what it is called.
pub struct Served {
    pub device: Box<dyn Device>,
    pub kind: DeviceKind,
    pub name: String,
}

/// The device that was chosen. `Auto` never fails.
pub fn open(choice: DeviceChoice) -> Result<Served, CliError> {
    match choice {
        DeviceChoice::Auto | DeviceChoice::Cpu => Ok(processor()),
        DeviceChoice::Cuda | DeviceChoice::Metal => {
            // What keeps it from being opened at all is the better word.
            choice.open()?;
            Err(CliError::Usage(
                "fits are not made on graphics processors yet: choose `cpu` or `auto`".into(),
            ))
        }
    }
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
