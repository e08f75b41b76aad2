//! What becomes of the texture's spectrum.

use std::sync::Arc;

use nice_plug::prelude::*;
use weft_core::instrument::{BRIGHTNESS_RANGE, CUT_RANGE_HZ, Controls, NoteControl, SMEAR_MOST_S};

use super::controls::{seconds, share};
use super::modulation::Modulated;
use super::pages::{OnPages, Page, Place};
use crate::text;

/// Skew of the smear: half of a slider's travel covers the first quarter.
const SMEAR_SKEW: f32 = -1.0;
/// Low cuts below this, and high cuts from there on, are shown as off, and are. So close to the ends
/// of their range that the text has no other name for them.
const CUTS_OFF_HZ: (f32, f32) = (20.05, 19_995.0);

/// What becomes of the texture's spectrum.
#[derive(Params)]
pub struct SpectrumParams {
    /// Tilt in dB an octave, -12 to 12.
    #[id = "brightness"]
    pub brightness: FloatParam,

    /// Seconds over which the spectrum is averaged, 0 to 1.
    #[id = "smear"]
    pub smear: FloatParam,

    /// Events against bed, 0 to 2; 1 is as captured.
    #[id = "contrast"]
    pub contrast: FloatParam,

    /// Temperature of the network's noise, 0 to 2; 1 is as captured.
    #[id = "density"]
    pub density: FloatParam,

    /// Width of the stereo image, 0 to 2; 1 is as captured.
    #[id = "width"]
    pub width: FloatParam,

    /// Edge of the high-pass in octaves above 20 Hz, to 20 kHz; off at the lower end.
    #[id = "low_cut"]
    pub low_cut: FloatParam,

    /// Edge of the low-pass in octaves above 20 Hz, to 20 kHz; off at the upper end.
    #[id = "high_cut"]
    pub high_cut: FloatParam,
}

impl SpectrumParams {
    /// The group at its `defaults`.
    pub fn new(defaults: &Controls) -> Self {
        Self {
            brightness: FloatParam::new(
                "Brightness",
                defaults.brightness_db_per_octave,
                FloatRange::Linear {
                    min: -BRIGHTNESS_RANGE,
                    max: BRIGHTNESS_RANGE,
                },
            )
            .with_poly_modulation_id(NoteControl::Brightness as u32)
            .with_unit(" dB/oct")
            .with_value_to_string(Arc::new(|tilt| text::signed(tilt, 1)))
            .with_string_to_value(Arc::new(|text| {
                let units = [
                    ("db/oct", 1.0),
                    ("db/octave", 1.0),
                    ("dbperoctave", 1.0),
                    ("dbanoctave", 1.0),
                    ("db", 1.0),
                ];
                text::number_with_units(text, &units)
            })),
            smear: seconds(
                "Smear",
                defaults.smear_s,
                FloatRange::Skewed {
                    min: 0.0,
                    max: SMEAR_MOST_S,
                    factor: FloatRange::skew_factor(SMEAR_SKEW),
                },
            )
            .with_poly_modulation_id(NoteControl::Smear as u32),
            contrast: share("Contrast", defaults.contrast, 2.0)
                .with_poly_modulation_id(NoteControl::Contrast as u32),
            density: share("Density", defaults.density, 2.0)
                .with_poly_modulation_id(NoteControl::Density as u32),
            width: share("Width", defaults.width, 2.0)
                .with_poly_modulation_id(NoteControl::Width as u32),
            low_cut: cut("Low Cut", defaults.low_cut_hz, low_cut_hz, CUT_RANGE_HZ.0)
                .with_poly_modulation_id(NoteControl::LowCut as u32),
            high_cut: cut(
                "High Cut",
                defaults.high_cut_hz,
                high_cut_hz,
                CUT_RANGE_HZ.1,
            )
            .with_poly_modulation_id(NoteControl::HighCut as u32),
        }
    }

    /// Writes what the group means into `controls`. Real-time safe.
    pub fn write(&self, controls: &mut Controls) {
        controls.brightness_db_per_octave = self.brightness.value();
        controls.smear_s = self.smear.value();
        controls.contrast = self.contrast.value();
        controls.density = self.density.value();
        controls.width = self.width.value();
        controls.low_cut_hz = low_cut_hz(self.low_cut.value()).unwrap_or(CUT_RANGE_HZ.0);
        controls.high_cut_hz = high_cut_hz(self.high_cut.value()).unwrap_or(CUT_RANGE_HZ.1);
    }

    /// What hosts may modulate for each note by itself. Real-time safe.
    pub fn modulated(&self) -> [Modulated<'_>; 7] {
        [
            Modulated::new(NoteControl::Brightness, &self.brightness),
            Modulated::new(NoteControl::Smear, &self.smear),
            Modulated::new(NoteControl::Contrast, &self.contrast),
            Modulated::new(NoteControl::Density, &self.density),
            Modulated::new(NoteControl::Width, &self.width),
            Modulated::new(NoteControl::LowCut, &self.low_cut),
            Modulated::new(NoteControl::HighCut, &self.high_cut),
        ]
    }
}

impl OnPages for SpectrumParams {
    fn offer_to<P: RemoteControlsPage>(&self, place: &mut Place<'_, P>) {
        place.offer(&self.brightness, &[(Page::Play, 2)]);
        place.offer(&self.smear, &[(Page::Play, 3)]);
        place.offer(&self.contrast, &[(Page::Play, 4)]);
        place.offer(&self.density, &[(Page::Play, 5)]);
        place.offer(&self.width, &[(Page::Play, 6)]);
        place.offer(&self.low_cut, &[(Page::Sound, 2)]);
        place.offer(&self.high_cut, &[(Page::Sound, 3)]);
    }
}

/// The low cut in Hz, unless it is off, of octaves above the lowest.
fn low_cut_hz(octaves: f32) -> Option<f32> {
    let hz = CUT_RANGE_HZ.0 * octaves.exp2();
    (hz >= CUTS_OFF_HZ.0).then_some(hz)
}

/// The high cut in Hz, unless it is off, of octaves above the lowest.
fn high_cut_hz(octaves: f32) -> Option<f32> {
    let hz = CUT_RANGE_HZ.0 * octaves.exp2();
    (hz < CUTS_OFF_HZ.1).then_some(hz)
}

/// The edge of a cut. It counts octaves, so that sliders and modulation move evenly in pitch;
/// `meaning` gives the frequency, or nothing where the cut is off, which is at `off_hz`.
fn cut(name: &str, default_hz: f32, meaning: fn(f32) -> Option<f32>, off_hz: f32) -> FloatParam {
    let octaves = |hz: f32| (hz.max(CUT_RANGE_HZ.0) / CUT_RANGE_HZ.0).log2();
    FloatParam::new(
        name,
        octaves(default_hz),
        FloatRange::Linear {
            min: 0.0,
            max: octaves(CUT_RANGE_HZ.1),
        },
    )
    .with_value_to_string(Arc::new(move |octaves| {
        meaning(octaves).map_or_else(|| "Off".to_owned(), text::frequency)
    }))
    .with_string_to_value(Arc::new(move |text| {
        if text::is(text, "off") {
            return Some(octaves(off_hz));
        }
        text::parse_frequency(text).map(octaves)
    }))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The ids that projects refer to, in order.
    pub const IDS: [&str; 7] = [
        "brightness",
        "smear",
        "contrast",
        "density",
        "width",
        "low_cut",
        "high_cut",
    ];

    #[test]
    fn cuts_are_off_at_their_ends_and_move_evenly_in_pitch() {
        let SpectrumParams {
            low_cut, high_cut, ..
        } = &SpectrumParams::new(&Controls::DEFAULT);
        assert_eq!(low_cut.normalized_value_to_string(0.0, true), "Off");
        assert_eq!(high_cut.normalized_value_to_string(1.0, true), "Off");
        assert_eq!(low_cut.string_to_normalized_value("off"), Some(0.0));
        assert_eq!(high_cut.string_to_normalized_value("Off"), Some(1.0));
        for cut in [low_cut, high_cut] {
            assert_eq!(cut.normalized_value_to_string(1.0 / 3.0, true), "200 Hz");
            assert_eq!(cut.normalized_value_to_string(2.0 / 3.0, true), "2.00 kHz");
        }
        assert_eq!(low_cut_hz(0.0), None);
        assert_eq!(high_cut_hz(20.0), None);
        assert!(low_cut_hz(20.0).is_some() && high_cut_hz(0.0).is_some());
    }
}
