//! How a texture comes in.

use std::sync::Arc;

use nice_plug::prelude::*;
use weft_core::fit::Effort;
use weft_core::instrument::{self, CAPTURE_RANGE_S, CaptureSettings};

use super::choices::CaptureStart;
use super::controls::switch;
use super::pages::{OnPages, Page, Place};
use crate::text;

const LENGTH_DEFAULT_S: f32 = 8.0;
const THRESHOLD_LEAST_DBFS: f32 = -60.0;
const THRESHOLD_DEFAULT_DBFS: f32 = -40.0;
const FIT_STEPS_RANGE: (i32, i32) = (100, 10_000);
const FIT_STEPS_DEFAULT: i32 = Effort::Normal.steps() as i32;

/// Takes the steps that fits of a slot are to have.
pub type TakeSteps = Arc<dyn Fn(instrument::Slot, u32) + Send + Sync>;

/// How a texture comes in.
#[derive(Params)]
pub struct CaptureParams {
    /// Trigger: going from off to on records the capture input.
    #[id = "capture"]
    pub trigger: BoolParam,

    /// Trigger: going from off to on keeps the input of the last seconds.
    #[id = "grab"]
    pub grab: BoolParam,

    /// When a recording begins that was triggered.
    #[id = "capture_start"]
    pub start: EnumParam<CaptureStart>,

    /// Level in dBFS at which a recording that waits for one begins, -60 to 0.
    #[id = "threshold"]
    pub threshold: FloatParam,

    /// Length of a capture in seconds, 1 to 30.
    #[id = "capture_seconds"]
    pub seconds: FloatParam,

    /// How the texture of each slot is learned.
    #[nested(array)]
    pub fits: [FitParams; instrument::Slot::ALL.len()],
}

/// How the texture of a slot is learned.
#[derive(Params)]
pub struct FitParams {
    /// Optimisation steps of a fit, 100 to 10 000. Read when a fit begins.
    #[id = "fit_steps"]
    pub steps: IntParam,
}

impl CaptureParams {
    /// The group at its defaults; the steps of fits are handed on to `take_steps` as they change.
    pub fn new(take_steps: TakeSteps) -> Self {
        Self {
            trigger: switch("Capture", false),
            grab: switch("Grab", false),
            start: EnumParam::new("Capture Start", CaptureStart::Now),
            threshold: FloatParam::new(
                "Threshold",
                THRESHOLD_DEFAULT_DBFS,
                FloatRange::Linear {
                    min: THRESHOLD_LEAST_DBFS,
                    max: 0.0,
                },
            )
            .with_unit(" dBFS")
            .with_value_to_string(formatters::v2s_f32_rounded(1))
            .with_string_to_value(Arc::new(text::parse_decibels)),
            seconds: FloatParam::new(
                "Capture Length",
                LENGTH_DEFAULT_S,
                FloatRange::Linear {
                    min: CAPTURE_RANGE_S.0,
                    max: CAPTURE_RANGE_S.1,
                },
            )
            .with_unit(" s")
            .with_value_to_string(formatters::v2s_f32_rounded(2))
            .with_string_to_value(Arc::new(text::parse_seconds)),
            fits: instrument::Slot::ALL.map(|slot| FitParams::new(slot, take_steps.clone())),
        }
    }

    /// The capture for `slot` that a trigger asks for. Real-time safe.
    pub fn settings(&self, slot: instrument::Slot) -> CaptureSettings {
        CaptureSettings {
            duration_s: self.seconds.value(),
            slot,
            start: match self.start.value() {
                CaptureStart::Now => instrument::CaptureStart::Now,
                CaptureStart::Threshold => {
                    instrument::CaptureStart::Threshold(self.threshold.value())
                }
                CaptureStart::NextBar => instrument::CaptureStart::NextBar,
            },
        }
    }
}

impl OnPages for CaptureParams {
    fn offer_to<P: RemoteControlsPage>(&self, place: &mut Place<'_, P>) {
        place.offer(&self.trigger, &[(Page::Capture, 0)]);
        place.offer(&self.grab, &[(Page::Capture, 1)]);
        place.offer(&self.seconds, &[(Page::Capture, 2)]);
        place.offer(&self.start, &[(Page::Capture, 3)]);
        place.offer(&self.threshold, &[(Page::Capture, 4)]);
        for (number, fit) in (0..).zip(&self.fits) {
            place.offer(&fit.steps, &[(Page::Fit, number)]);
        }
    }
}

impl FitParams {
    fn new(slot: instrument::Slot, take_steps: TakeSteps) -> Self {
        let range = IntRange::Linear {
            min: FIT_STEPS_RANGE.0,
            max: FIT_STEPS_RANGE.1,
        };
        let name = format!("Fit Steps {}", slot.letter());
        let steps = IntParam::new(name, FIT_STEPS_DEFAULT, range)
            .with_value_to_string(Arc::new(|steps| {
                match Effort::of_steps(steps.unsigned_abs()) {
                    Some(effort) => format!("{steps} ({})", effort.name()),
                    None => steps.to_string(),
                }
            }))
            .with_string_to_value(Arc::new(parse_steps))
            .with_callback(Arc::new(move |steps| {
                take_steps(slot, steps.unsigned_abs());
            }));
        Self { steps }
    }
}

/// Steps from what was typed: a number, an effort's name, or both as they are shown.
fn parse_steps(text: &str) -> Option<i32> {
    let typed = text.trim().to_lowercase();
    let named = |effort: &&Effort| typed.trim_matches(['(', ')']) == effort.name();
    if let Some(effort) = Effort::ALL.iter().find(named) {
        return i32::try_from(effort.steps()).ok();
    }
    let number = typed.split('(').next().unwrap_or_default();
    text::number_with_units(number, &[("step", 1.0), ("steps", 1.0)])
        .map(|steps| steps.round() as i32)
}

#[cfg(test)]
pub mod tests {
    /// The ids that projects refer to, in order.
    pub const IDS: [&str; 9] = [
        "capture",
        "grab",
        "capture_start",
        "threshold",
        "capture_seconds",
        "fit_steps_1",
        "fit_steps_2",
        "fit_steps_3",
        "fit_steps_4",
    ];
}
