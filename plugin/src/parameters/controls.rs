//! The kinds of controls that several groups have.

use std::sync::Arc;

use nice_plug::prelude::*;

use crate::text;

/// Quietest and loudest gain in dB.
pub const GAIN_RANGE_DB: (f32, f32) = (-60.0, 12.0);

/// A control that is on or off.
pub fn switch(name: &str, default: bool) -> BoolParam {
    BoolParam::new(name, default)
        .with_value_to_string(Arc::new(|on| text::on_off(on).to_owned()))
        .with_string_to_value(Arc::new(text::parse_switch))
}

/// A part of one, or of what was captured, in percent.
pub fn share(name: &str, default: f32, max: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: 0.0, max })
        .with_value_to_string(Arc::new(text::percent))
        .with_string_to_value(Arc::new(text::parse_percent))
}

/// A time: shown in ms below one second, else in s; text without a unit means seconds.
pub fn seconds(name: &str, default_s: f32, range: FloatRange) -> FloatParam {
    FloatParam::new(name, default_s, range)
        .with_value_to_string(Arc::new(text::seconds))
        .with_string_to_value(Arc::new(text::parse_seconds))
}
