//! How loud the texture is when.

use std::sync::Arc;

use nice_plug::prelude::*;
use weft_core::instrument::{Controls, NoteControl};

use super::controls::{GAIN_RANGE_DB, seconds, share, switch};
use super::modulation::Modulated;
use super::pages::{OnPages, Page, Place};
use super::through::ThroughParams;
use crate::text;

const ATTACK_RANGE_S: (f32, f32) = (0.001, 10.0);
const DECAY_RANGE_S: (f32, f32) = (0.001, 20.0);
const RELEASE_RANGE_S: (f32, f32) = (0.001, 20.0);
/// Skew of the envelope times: with the exponent 2^-2 half of a slider's travel covers the first
/// sixteenth of the range, where envelopes are set by ear.
const ENVELOPE_SKEW: f32 = -2.0;

/// How loud the texture is when.
#[derive(Params)]
pub struct AmpParams {
    /// Output gain in dB, -60 to +12.
    #[id = "gain"]
    pub gain: FloatParam,

    /// Seconds from note-on to full level, 0.001 to 10.
    #[id = "attack"]
    pub attack: FloatParam,

    /// Seconds in which a held note falls by 60 dB towards the sustain level, 0.001 to 20.
    #[id = "decay"]
    pub decay: FloatParam,

    /// Level of a held note, 0 to 1.
    #[id = "sustain"]
    pub sustain: FloatParam,

    /// Seconds from note-off to silence, 0.001 to 20.
    #[id = "release"]
    pub release: FloatParam,

    /// Holds loud passages below full scale.
    #[id = "limiter"]
    pub limiter: BoolParam,

    /// How the effect passes its input on.
    #[nested]
    pub through: ThroughParams,
}

impl AmpParams {
    /// The group at its `defaults`; `passes_input`: the effect's.
    pub fn new(defaults: &Controls, passes_input: bool) -> Self {
        Self {
            gain: FloatParam::new(
                "Gain",
                defaults.gain_db,
                FloatRange::Linear {
                    min: GAIN_RANGE_DB.0,
                    max: GAIN_RANGE_DB.1,
                },
            )
            .with_poly_modulation_id(NoteControl::Gain as u32)
            .with_unit(" dB")
            .with_value_to_string(formatters::v2s_f32_rounded(1))
            .with_string_to_value(Arc::new(text::parse_decibels)),
            attack: envelope_time("Attack", defaults.attack_s, ATTACK_RANGE_S),
            decay: envelope_time("Decay", defaults.decay_s, DECAY_RANGE_S),
            sustain: share("Sustain", defaults.sustain, 1.0),
            release: envelope_time("Release", defaults.release_s, RELEASE_RANGE_S),
            limiter: switch("Limiter", defaults.limiter),
            through: ThroughParams::new(passes_input),
        }
    }

    /// Writes what the group means into `controls`. Real-time safe.
    pub fn write(&self, controls: &mut Controls) {
        controls.gain_db = self.gain.value();
        controls.attack_s = self.attack.value();
        controls.decay_s = self.decay.value();
        controls.sustain = self.sustain.value();
        controls.release_s = self.release.value();
        controls.limiter = self.limiter.value();
    }

    /// What hosts may modulate for each note by itself. Real-time safe.
    pub fn modulated(&self) -> [Modulated<'_>; 1] {
        [Modulated::new(NoteControl::Gain, &self.gain)]
    }
}

impl OnPages for AmpParams {
    fn offer_to<P: RemoteControlsPage>(&self, place: &mut Place<'_, P>) {
        place.offer(&self.attack, &[(Page::Amp, 0)]);
        place.offer(&self.decay, &[(Page::Amp, 1)]);
        place.offer(&self.sustain, &[(Page::Amp, 2)]);
        place.offer(&self.release, &[(Page::Amp, 3)]);
        place.offer(&self.gain, &[(Page::Play, 7), (Page::Amp, 4)]);
        place.offer(&self.limiter, &[(Page::Amp, 5)]);
    }
}

/// An envelope time in seconds.
fn envelope_time(name: &str, default_s: f32, (min, max): (f32, f32)) -> FloatParam {
    let factor = FloatRange::skew_factor(ENVELOPE_SKEW);
    seconds(name, default_s, FloatRange::Skewed { min, max, factor })
}

#[cfg(test)]
pub mod tests {
    /// The ids that projects refer to, in order.
    pub const IDS: [&str; 6] = ["gain", "attack", "decay", "sustain", "release", "limiter"];
}
