//! The parameters a host sees: stable ids, ranges, units and text in both directions.
//!
//! An id, once released, names the same control for ever: saved projects and automation lanes refer
//! to it. Ranges may grow, never shrink.

use std::sync::Arc;

use nice_plug::prelude::*;
use weft_core::player::CAPTURE_RANGE_S;

use crate::session::Session;
use crate::state::TextureField;

/// Id of the capture trigger, which a loaded project never leaves pressed
/// (see [`Weft::filter_state`](crate::Weft)).
pub const CAPTURE_ID: &str = "capture";

const GAIN_MIN_DB: f32 = -60.0;
const GAIN_MAX_DB: f32 = 12.0;
const ATTACK_RANGE_S: (f32, f32) = (0.001, 10.0);
const ATTACK_DEFAULT_S: f32 = 0.02;
const RELEASE_RANGE_S: (f32, f32) = (0.001, 20.0);
const RELEASE_DEFAULT_S: f32 = 0.3;
const CAPTURE_DEFAULT_S: f32 = 8.0;
const SEED_MAX: i32 = 9999;
const FIT_STEPS_RANGE: (i32, i32) = (100, 10_000);
const FIT_STEPS_DEFAULT: i32 = weft_core::fit::DEFAULT_STEPS as i32;

/// Skew of the envelope times: with the exponent 2^-2 half of a slider's travel covers the first
/// sixteenth of the range, where envelopes are set by ear.
const TIME_SKEW: f32 = -2.0;

/// Every parameter of the plugin, and the texture that travels in its state.
#[derive(Params)]
pub struct WeftParams {
    /// The capture and the fitted network, as stored in the host's project.
    #[persist = "texture"]
    pub texture: TextureField,

    /// Output gain in dB, -60 to +12.
    #[id = "gain"]
    pub gain: FloatParam,

    /// Seconds from note-on to full level.
    #[id = "attack"]
    pub attack: FloatParam,

    /// Seconds from note-off to silence.
    #[id = "release"]
    pub release: FloatParam,

    /// Play without notes.
    #[id = "hold"]
    pub hold: BoolParam,

    /// Seed of the endless stream: the same seed gives the same sound.
    #[id = "seed"]
    pub seed: IntParam,

    /// Trigger: going from off to on records the capture input.
    #[id = "capture"]
    pub capture: BoolParam,

    /// Length of a capture in seconds.
    #[id = "capture_seconds"]
    pub capture_seconds: FloatParam,

    /// Optimisation steps of a fit. Read when a fit begins.
    #[id = "fit_steps"]
    pub fit_steps: IntParam,
}

impl WeftParams {
    /// Parameters at their defaults, with the texture of `session` as their persistent part.
    pub fn new(session: Arc<Session>) -> Self {
        let capture_session = session.clone();
        Self {
            texture: TextureField::new(session),
            gain: FloatParam::new(
                "Gain",
                0.0,
                FloatRange::Linear {
                    min: GAIN_MIN_DB,
                    max: GAIN_MAX_DB,
                },
            )
            .with_unit(" dB")
            .with_value_to_string(formatters::v2s_f32_rounded(1))
            .with_string_to_value(Arc::new(|text| number_with_units(text, &[("db", 1.0)]))),
            attack: envelope_time("Attack", ATTACK_DEFAULT_S, ATTACK_RANGE_S),
            release: envelope_time("Release", RELEASE_DEFAULT_S, RELEASE_RANGE_S),
            hold: BoolParam::new("Hold", false)
                .with_value_to_string(Arc::new(|on| on_off(on).to_owned()))
                .with_string_to_value(Arc::new(parse_switch)),
            seed: IntParam::new(
                "Seed",
                0,
                IntRange::Linear {
                    min: 0,
                    max: SEED_MAX,
                },
            ),
            capture: BoolParam::new("Capture", false)
                .with_value_to_string(Arc::new(|on| on_off(on).to_owned()))
                .with_string_to_value(Arc::new(parse_switch)),
            capture_seconds: FloatParam::new(
                "Capture Length",
                CAPTURE_DEFAULT_S,
                FloatRange::Linear {
                    min: CAPTURE_RANGE_S.0,
                    max: CAPTURE_RANGE_S.1,
                },
            )
            .with_unit(" s")
            .with_value_to_string(formatters::v2s_f32_rounded(2))
            .with_string_to_value(Arc::new(parse_seconds)),
            fit_steps: IntParam::new(
                "Fit Steps",
                FIT_STEPS_DEFAULT,
                IntRange::Linear {
                    min: FIT_STEPS_RANGE.0,
                    max: FIT_STEPS_RANGE.1,
                },
            )
            .with_string_to_value(Arc::new(|text| {
                number_with_units(text, &[("steps", 1.0)]).map(|steps| steps.round() as i32)
            }))
            .with_callback(Arc::new(move |steps| {
                capture_session.set_fit_steps(steps.unsigned_abs());
            })),
        }
    }
}

/// An envelope time: shown in ms below one second, else in s; text without a unit means seconds.
fn envelope_time(name: &str, default_s: f32, (min, max): (f32, f32)) -> FloatParam {
    FloatParam::new(
        name,
        default_s,
        FloatRange::Skewed {
            min,
            max,
            factor: FloatRange::skew_factor(TIME_SKEW),
        },
    )
    .with_value_to_string(Arc::new(|seconds| {
        if seconds < 0.9995 {
            format!("{:.0} ms", seconds * 1000.0)
        } else {
            format!("{seconds:.2} s")
        }
    }))
    .with_string_to_value(Arc::new(parse_seconds))
}

fn parse_seconds(text: &str) -> Option<f32> {
    number_with_units(
        text,
        &[("ms", 1e-3), ("seconds", 1.0), ("sec", 1.0), ("s", 1.0)],
    )
}

/// Parses a finite number with one of `units` (lower case, longest first where one ends another)
/// or none, and scales it by the unit's factor.
fn number_with_units(text: &str, units: &[(&str, f32)]) -> Option<f32> {
    let text = text.trim().to_lowercase();
    let (number, factor) = units
        .iter()
        .find_map(|&(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .unwrap_or((&text, 1.0));
    let value: f32 = number.trim().parse().ok()?;
    value.is_finite().then_some(value * factor)
}

fn on_off(on: bool) -> &'static str {
    if on { "On" } else { "Off" }
}

fn parse_switch(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> WeftParams {
        WeftParams::new(Arc::new(Session::new().0))
    }

    #[test]
    fn ids_are_the_ones_that_projects_refer_to() {
        let params = params();
        let ids: Vec<_> = params.param_map().into_iter().map(|(id, ..)| id).collect();
        assert_eq!(
            ids,
            [
                "gain",
                "attack",
                "release",
                "hold",
                "seed",
                "capture",
                "capture_seconds",
                "fit_steps"
            ]
        );
    }

    #[test]
    fn what_is_shown_can_be_typed() {
        let params = params();
        for (id, param, _) in params.param_map() {
            for position in 0..=10 {
                let normalized = position as f32 / 10.0;
                // SAFETY: the pointers live as long as `params`, which this loop borrows from.
                let (text, parsed, again) = unsafe {
                    let text = param.normalized_value_to_string(normalized, true);
                    let parsed = param.string_to_normalized_value(&text);
                    let again = parsed.map(|p| param.normalized_value_to_string(p, true));
                    (text, parsed, again)
                };
                assert_eq!(
                    again.as_ref(),
                    Some(&text),
                    "{id} at {normalized}: {parsed:?}"
                );
            }
        }
    }

    #[test]
    fn text_is_read_with_and_without_units() {
        let params = params();
        let plain = |param: &FloatParam, text: &str| {
            param
                .string_to_normalized_value(text)
                .map(|normalized| param.preview_plain(normalized))
        };
        let near = |value: Option<f32>, expected: f32| {
            value.is_some_and(|value| (value - expected).abs() < 1e-4 * expected.abs().max(1.0))
        };
        assert!(near(plain(&params.attack, "20 ms"), 0.02));
        assert!(near(plain(&params.attack, " 1.5S "), 1.5));
        assert!(near(plain(&params.attack, "2"), 2.0));
        assert!(near(plain(&params.gain, "-6 dB"), -6.0));
        assert!(near(plain(&params.capture_seconds, "12 seconds"), 12.0));
        for nonsense in ["", "loud", "NaN", "inf s", "1e99", "5 kg"] {
            assert_eq!(plain(&params.attack, nonsense), None, "{nonsense:?}");
        }
        assert_eq!(params.hold.string_to_normalized_value("yes"), Some(1.0));
        assert_eq!(params.hold.string_to_normalized_value("maybe"), None);
    }
}
