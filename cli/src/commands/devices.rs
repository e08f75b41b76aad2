//! `weft devices`: what fits can be made on.

use weft_core::clip::Capture;
use weft_core::fit::{Device, FitRequest, FitSettings, FitStart, estimated_s};
use weft_core::procedural::{Texture, synthesize};
use weft_lab::DeviceChoice;

use crate::error::CliError;
use crate::report::{Record, Report};
use crate::serve::{Served, open};

/// What is fitted to measure a device: so many seconds, at that rate, in stereo.
const MEASURED_S: f64 = 4.0;
const MEASURED_RATE_HZ: u32 = 44_100;
/// Steps of the fit that is measured, all with the fewest frames: some of its first ones are made.
const MEASURED_STEPS: u32 = 100;

/// `weft devices`: each device, whether it is there, a measured figure, and which one is chosen and why.
pub fn devices(report: &Report) -> Result<(), CliError> {
    let chosen = open(DeviceChoice::Auto)?;
    let others = [("CUDA", DeviceChoice::Cuda), ("Metal", DeviceChoice::Metal)];
    let others = others.map(|(name, choice)| (name, open(choice)));
    let is_better_there = others.iter().any(|(_, opened)| opened.is_ok());
    let processor = open(DeviceChoice::Cpu)?;
    say(
        &processor.name,
        Ok(&processor),
        chosen.name == processor.name,
        report,
    )?;
    for (name, opened) in &others {
        match opened {
            Ok(served) => say(&served.name, Ok(served), chosen.name == served.name, report)?,
            Err(error) => say(name, Err(error), false, report)?,
        }
    }
    let why = if is_better_there {
        "it is a graphics processor that answers"
    } else {
        "no graphics processor can be used"
    };
    report.note(&format!("chosen: {}, as {why}", chosen.name));
    Ok(())
}

/// Tells of one device.
fn say(
    name: &str,
    served: Result<&Served, &CliError>,
    is_chosen: bool,
    report: &Report,
) -> Result<(), CliError> {
    let mut record = Record::new();
    record.insert("device".into(), name.into());
    record.insert("chosen".into(), is_chosen.into());
    let words = match served {
        Ok(served) => {
            let steps_per_s = measure(&*served.device)?;
            record.insert("works".into(), true.into());
            record.insert("steps_per_second".into(), steps_per_s.into());
            format!("{name}: {steps_per_s:.0} of the first steps of a fit in a second")
        }
        Err(error) => {
            record.insert("works".into(), false.into());
            record.insert("reason".into(), error.to_string().into());
            format!("{name}: {error}")
        }
    };
    report.result(&words, &record);
    Ok(())
}

/// How many of the first steps of a fit it makes in a second.
fn measure(device: &dyn Device) -> Result<f64, CliError> {
    let clip = synthesize(Texture::Rain, 1, MEASURED_RATE_HZ, MEASURED_S);
    let request = FitRequest {
        start: FitStart::Capture(Capture::new(&clip)?),
        settings: FitSettings {
            steps: MEASURED_STEPS,
            ..FitSettings::default()
        },
    };
    let seconds = estimated_s(device, &request).map_err(CliError::Measure)?;
    Ok(f64::from(MEASURED_STEPS) / seconds)
}
