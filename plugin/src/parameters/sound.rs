//! Where in pitch and time the texture is played.

use std::sync::Arc;

use nice_plug::prelude::*;
use weft_core::instrument::{Controls, NoteControl, PITCH_RANGE_ST, TIME_RANGE};

use super::choices::Quality;
use super::modulation::Modulated;
use super::pages::{OnPages, Page, Place};
use crate::text;

const BEND_RANGE_DEFAULT_ST: i32 = 2;
/// Bends smaller than one of a wheel's 8192 steps count as none: automation of a wheel at rest that a host recorded
/// may be half a step off the middle of the range.
const WHEEL_STEP: f32 = 1.0 / 8192.0;
/// Skew of the time about its middle, which is the captured speed: below 1, a slider moves slower
/// there than at its ends. Half speed is at a fifth of the travel, double speed at seven tenths.
const TIME_SKEW: f32 = -0.415;
/// Times below this freeze: the leftmost two hundredths of a slider. The others below
/// [`TIME_RANGE`] count as its lower end.
const FREEZE_BELOW: f32 = 0.05;

/// Where in pitch and time the texture is played.
#[derive(Params)]
pub struct SoundParams {
    /// Transposition in semitones, -24 to 24, time unchanged.
    #[id = "pitch"]
    pub pitch: FloatParam,

    /// How fast the texture goes by, 0 to 4; [`speed`] says what that means.
    #[id = "time"]
    pub time: FloatParam,

    /// How much work goes into the phases.
    #[id = "quality"]
    pub quality: EnumParam<Quality>,

    /// Pitch bend, -1 to 1 of the bend range: a setting like all others, beside the pitch wheel.
    #[id = "bend"]
    pub bend: FloatParam,

    /// Semitones of a full bend, 0 to 24.
    #[id = "bend_range"]
    pub bend_range: IntParam,
}

impl SoundParams {
    /// The group at its `defaults`.
    pub fn new(defaults: &Controls) -> Self {
        Self {
            pitch: FloatParam::new(
                "Pitch",
                defaults.pitch_st,
                FloatRange::Linear {
                    min: -PITCH_RANGE_ST,
                    max: PITCH_RANGE_ST,
                },
            )
            .with_poly_modulation_id(NoteControl::Pitch as u32)
            .with_unit(" st")
            .with_value_to_string(Arc::new(|semitones| text::signed(semitones, 2)))
            .with_string_to_value(Arc::new(text::parse_semitones)),
            time: time(defaults.time),
            quality: EnumParam::new("Quality", Quality::Eco),
            bend: FloatParam::new(
                "Pitch Bend",
                0.0,
                FloatRange::Linear {
                    min: -1.0,
                    max: 1.0,
                },
            )
            .with_value_to_string(Arc::new(|bend| {
                format!("{} %", text::signed(bend * 100.0, 0))
            }))
            .with_string_to_value(Arc::new(text::parse_percent)),
            bend_range: IntParam::new(
                "Bend Range",
                BEND_RANGE_DEFAULT_ST,
                IntRange::Linear {
                    min: 0,
                    max: PITCH_RANGE_ST as i32,
                },
            )
            .with_unit(" st")
            .with_string_to_value(Arc::new(|text| {
                text::parse_semitones(text).map(|semitones| semitones.round() as i32)
            })),
        }
    }

    /// Writes what the group means into `controls`. Real-time safe.
    pub fn write(&self, controls: &mut Controls) {
        let bend = match self.bend.value() {
            rest if rest.abs() < WHEEL_STEP => 0.0,
            bent => bent,
        };
        controls.pitch_st = self.pitch.value();
        controls.time = speed(self.time.value());
        controls.quality = self.quality.value().into();
        controls.bend_st = bend * self.bend_range.value() as f32;
    }

    /// What hosts may modulate for each note by itself. Real-time safe.
    pub fn modulated(&self) -> [Modulated<'_>; 2] {
        [
            Modulated::new(NoteControl::Pitch, &self.pitch),
            Modulated::with_meaning(NoteControl::Time, &self.time, speed),
        ]
    }
}

impl OnPages for SoundParams {
    fn offer_to<P: RemoteControlsPage>(&self, place: &mut Place<'_, P>) {
        place.offer(&self.pitch, &[(Page::Play, 0), (Page::Sound, 0)]);
        place.offer(&self.time, &[(Page::Play, 1), (Page::Sound, 1)]);
        place.offer(&self.bend, &[(Page::Sound, 4)]);
        place.offer(
            &self.bend_range,
            &[(Page::Sound, 5), (Page::NotesAndSong, 3)],
        );
        place.offer(&self.quality, &[(Page::Sound, 6)]);
    }
}

fn time(default: f32) -> FloatParam {
    FloatParam::new(
        "Time",
        default,
        FloatRange::SymmetricalSkewed {
            min: 0.0,
            max: TIME_RANGE.1,
            factor: FloatRange::skew_factor(TIME_SKEW),
            center: 1.0,
        },
    )
    .with_poly_modulation_id(NoteControl::Time as u32)
    .with_value_to_string(Arc::new(|time| match speed(time) {
        0.0 => "Freeze".to_owned(),
        speed => format!("×{speed:.2}"),
    }))
    .with_string_to_value(Arc::new(parse_speed))
}

/// What the time parameter means: 0 is frozen, else the speed, 0.1 to 4 times that of the capture.
pub fn speed(time: f32) -> f32 {
    if time < FREEZE_BELOW {
        0.0
    } else {
        time.max(TIME_RANGE.0)
    }
}

fn parse_speed(text: &str) -> Option<f32> {
    if text::is(text, "freeze") {
        return Some(0.0);
    }
    let text = text::plain(text);
    let number = text.strip_prefix(['×', 'x', '*']).unwrap_or(&text);
    let units = [
        ("×", 1.0),
        ("x", 1.0),
        ("times", 1.0),
        ("%", 0.01),
        ("percent", 0.01),
    ];
    text::number_with_units(number, &units)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The ids that projects refer to, in order.
    pub const IDS: [&str; 5] = ["pitch", "time", "quality", "bend", "bend_range"];

    #[test]
    fn the_time_has_the_captured_speed_in_its_middle_and_freezes_on_its_left() {
        let params = SoundParams::new(&Controls::DEFAULT);
        let time = &params.time;
        let at = |normalized: f32| speed(time.preview_plain(normalized));
        assert_eq!((at(0.0), at(0.5), at(1.0)), (0.0, 1.0, 4.0));
        assert_eq!([0.0, 0.049].map(speed), [0.0; 2]);
        assert_eq!([0.05, 0.09, 0.1].map(speed), [0.1; 3]);
        let text =
            |plain: f32| time.normalized_value_to_string(time.preview_normalized(plain), true);
        assert_eq!(
            [0.0, 0.07, 1.0, 2.5].map(text),
            ["Freeze", "×0.10", "×1.00", "×2.50"]
        );
        for typed in ["0.5", "x0.5", "×0.5", "0.5x", "50 %"] {
            let normalized = time.string_to_normalized_value(typed).unwrap();
            assert!((at(normalized) - 0.5).abs() < 1e-5, "{typed}");
        }
        assert_eq!(time.string_to_normalized_value("FREEZE"), Some(0.0));
    }
}
