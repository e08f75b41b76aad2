//! How the effect passes its input on.

use std::sync::Arc;

use nice_plug::params::internals::ParamPtr;
use nice_plug::prelude::*;

use super::controls::{GAIN_RANGE_DB, switch};
use crate::text;

/// Long enough that a jump of the dry level doesn't click.
const DRY_SMOOTHING_MS: f32 = 20.0;

/// How the input is passed on, if it is: by the effect.
pub struct ThroughParams(pub Option<Through>);

/// How the input is passed on.
pub struct Through {
    /// Level of the input in the output in dB, -60 (which is off) to +12.
    pub dry: FloatParam,

    /// Nothing but the input is heard.
    pub bypass: BoolParam,
}

impl ThroughParams {
    /// The group at its defaults, if the plugin `passes_input` on.
    pub fn new(passes_input: bool) -> Self {
        Self(passes_input.then(Through::new))
    }
}

// SAFETY: the pointers are to parameters of `self`, of which nice-plug says that it lives as long as
// what is made of it, in the shared `WeftParams`; it is not moved there.
unsafe impl Params for ThroughParams {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let Some(Through { dry, bypass }) = &self.0 else {
            return Vec::new();
        };
        let params = [("dry", dry.as_ptr()), ("bypass", bypass.as_ptr())];
        params
            .map(|(id, param)| (id.to_owned(), param, String::new()))
            .into()
    }
}

impl Through {
    fn new() -> Self {
        let shown = |db: f32| match dry_gain(db) {
            0.0 => "Off".to_owned(),
            _ => format!("{db:.1} dB"),
        };
        let parsed = |text: &str| {
            if text::is(text, "off") {
                return Some(GAIN_RANGE_DB.0);
            }
            // What other programs call silence.
            if matches!(
                text::plain(text).trim_end_matches("db").trim_end(),
                "-inf" | "-∞"
            ) {
                return Some(GAIN_RANGE_DB.0);
            }
            text::parse_decibels(text)
        };
        let range = FloatRange::Linear {
            min: GAIN_RANGE_DB.0,
            max: GAIN_RANGE_DB.1,
        };
        Self {
            dry: FloatParam::new("Dry", 0.0, range)
                .with_smoother(SmoothingStyle::Linear(DRY_SMOOTHING_MS))
                .with_value_to_string(Arc::new(shown))
                .with_string_to_value(Arc::new(parsed)),
            bypass: switch("Bypass", false).make_bypass(),
        }
    }
}

/// The factor that a dry level in dB means. Real-time safe.
pub fn dry_gain(db: f32) -> f32 {
    if db <= GAIN_RANGE_DB.0 {
        0.0
    } else {
        util::db_to_gain(db)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_dry_level_is_off() {
        assert_eq!([-60.0, 0.0].map(dry_gain), [0.0, 1.0]);
    }
}
