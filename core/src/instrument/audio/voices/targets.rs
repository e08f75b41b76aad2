//! What the controls of all notes and the settings of a single one come to together.

use super::modulation::Modulation;
use super::settings::NoteSettings;
use crate::instrument::controls::{
    BRIGHTNESS_RANGE, CUT_RANGE_HZ, Controls, ModulationTarget, NoteControl, PITCH_RANGE_ST,
    SMEAR_MOST_S, TIME_RANGE,
};

/// Largest volume expression, as a factor.
const VOLUME_MOST: f32 = 4.0;
/// Times below this are a freeze.
const FREEZE_BELOW: f32 = 0.05;
/// Quietest and loudest gain in dB, all of its sources together.
const GAIN_RANGE_DB: (f32, f32) = (-120.0, 24.0);
/// Cuts that are nearer than this to the edge at which they do nothing, as a part of it, do nothing.
const CUT_OFF_WITHIN: f32 = 1e-3;
/// Least power that is left to mid and side where width is to keep the level.
const LEAST_POWER: f32 = 0.01;

/// Values that glide from one look at the controls to the next.
#[derive(Clone, Copy)]
pub(super) enum Slow {
    Pitch,
    Time,
    Brightness,
    Smear,
    Contrast,
    Density,
    /// Edges in octaves over 1 Hz.
    LowCut,
    HighCut,
}
pub(super) const SLOW: usize = Slow::HighCut as usize + 1;

/// Levels that glide from sample to sample: of left, right, mid and side.
pub(super) const FAST: usize = 4;

fn finite(x: f32, default: f32) -> f32 {
    if x.is_finite() { x } else { default }
}

/// Where the slow glides go.
pub(super) fn slow_targets(
    controls: &Controls,
    own: &NoteSettings,
    key: Option<u8>,
    moved: &Modulation,
) -> [f32; SLOW] {
    let brightness = finite(controls.brightness_db_per_octave, 0.0)
        + own.get(NoteControl::Brightness)
        + moved.offset(ModulationTarget::Brightness);
    let smear_s = finite(controls.smear_s, 0.0)
        + own.get(NoteControl::Smear)
        + moved.offset(ModulationTarget::Smear);
    let contrast = finite(controls.contrast, 1.0)
        + own.get(NoteControl::Contrast)
        + moved.offset(ModulationTarget::Contrast);
    let density = finite(controls.density, 1.0)
        + own.get(NoteControl::Density)
        + moved.offset(ModulationTarget::Density);
    let (lowest_hz, highest_hz) = CUT_RANGE_HZ;
    [
        pitch_st(controls, own, key, moved),
        time(controls, own, moved),
        brightness.clamp(-BRIGHTNESS_RANGE, BRIGHTNESS_RANGE),
        smear_s.clamp(0.0, SMEAR_MOST_S),
        contrast.clamp(0.0, 2.0),
        density.clamp(0.0, 2.0),
        cut_octaves(controls.low_cut_hz, lowest_hz, own.get(NoteControl::LowCut)),
        cut_octaves(
            controls.high_cut_hz,
            highest_hz,
            own.get(NoteControl::HighCut),
        ),
    ]
}

/// Transposition in semitones.
fn pitch_st(controls: &Controls, own: &NoteSettings, key: Option<u8>, moved: &Modulation) -> f32 {
    let from_key = match key {
        Some(key) if controls.key_follow => f32::from(key) - f32::from(controls.root_key),
        _ => 0.0,
    };
    let pitch_st = finite(controls.pitch_st, 0.0)
        + finite(controls.bend_st, 0.0)
        + from_key
        + own.get(NoteControl::Tuning)
        + own.get(NoteControl::Pitch)
        + moved.bend_st()
        + moved.offset(ModulationTarget::Pitch);
    pitch_st.clamp(-PITCH_RANGE_ST, PITCH_RANGE_ST)
}

/// How fast the texture goes by.
fn time(controls: &Controls, own: &NoteSettings, moved: &Modulation) -> f32 {
    let time = finite(controls.time, 1.0) + own.get(NoteControl::Time);
    if time < FREEZE_BELOW {
        0.0
    } else {
        let octaves = moved.offset(ModulationTarget::Time);
        (time.max(TIME_RANGE.0) * octaves.exp2()).clamp(TIME_RANGE.0, TIME_RANGE.1)
    }
}

/// Edge of a cut in octaves over 1 Hz, `octaves` above `hz`.
fn cut_octaves(hz: f32, default_hz: f32, octaves: f32) -> f32 {
    let hz = finite(hz, default_hz).clamp(CUT_RANGE_HZ.0, CUT_RANGE_HZ.1);
    let (low, high) = (CUT_RANGE_HZ.0.log2(), CUT_RANGE_HZ.1.log2());
    (hz.log2() + octaves).clamp(low, high)
}

/// Edge of a cut in Hz; `off_hz` is where it does nothing.
pub(super) fn cut_hz(octaves: f32, off_hz: f32) -> f32 {
    let hz = octaves.exp2();
    if (hz / off_hz - 1.0).abs() < CUT_OFF_WITHIN {
        off_hz
    } else {
        hz
    }
}

/// Levels of left, right, mid and side.
pub(super) fn levels(
    controls: &Controls,
    own: &NoteSettings,
    moved: &Modulation,
    side_share: f32,
) -> [f32; FAST] {
    let gain_db = finite(controls.gain_db, 0.0)
        + own.get(NoteControl::Gain)
        + moved.offset(ModulationTarget::Gain);
    let level = 10.0f32.powf(gain_db.clamp(GAIN_RANGE_DB.0, GAIN_RANGE_DB.1) / 20.0)
        * moved.velocity_factor()
        * own.get(NoteControl::Volume).clamp(0.0, VOLUME_MOST);
    // Equal power, and unity in the middle.
    let pan = own.get(NoteControl::Pan).clamp(-1.0, 1.0);
    let (right, left) = ((0.25 + 0.25 * pan) * std::f32::consts::PI).sin_cos();
    let width = finite(controls.width, 1.0)
        + own.get(NoteControl::Width)
        + moved.offset(ModulationTarget::Width);
    let width = width.clamp(0.0, 2.0);
    let power = 1.0 + side_share * (width * width - 1.0);
    let mid = 1.0 / power.max(LEAST_POWER).sqrt();
    [
        level * left * std::f32::consts::SQRT_2,
        level * right * std::f32::consts::SQRT_2,
        mid,
        mid * width,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE_SHARE: f32 = 0.25;

    #[test]
    fn values_out_of_range_are_kept_within_and_no_numbers_are_defaults() {
        let controls = Controls {
            pitch_st: 100.0,
            time: 0.01,
            smear_s: -1.0,
            contrast: f32::NAN,
            density: 9.0,
            brightness_db_per_octave: f32::INFINITY,
            low_cut_hz: 0.0,
            ..Controls::DEFAULT
        };
        let targets = slow_targets(&controls, &NoteSettings::NEUTRAL, None, &Modulation::NONE);
        assert_eq!(targets[..6], [PITCH_RANGE_ST, 0.0, 0.0, 0.0, 1.0, 2.0]);
        assert_eq!(cut_hz(targets[Slow::LowCut as usize], 20.0), 20.0);
        assert_eq!(cut_hz(targets[Slow::HighCut as usize], 20_000.0), 20_000.0);
    }

    #[test]
    fn pan_and_width_leave_the_power_as_it_is() {
        let power = |own: &NoteSettings, controls: &Controls| {
            let [left, right, mid, side] = levels(controls, own, &Modulation::NONE, SIDE_SHARE);
            let pan = (left * left + right * right) / 2.0;
            (
                pan,
                (1.0 - SIDE_SHARE) * mid * mid + SIDE_SHARE * side * side,
            )
        };
        for step in 0..=4 {
            let mut own = NoteSettings::NEUTRAL;
            own.set(NoteControl::Pan, 0.5 * step as f32 - 1.0);
            let controls = Controls {
                width: 0.5 * step as f32,
                ..Controls::DEFAULT
            };
            let (pan, width) = power(&own, &controls);
            assert!((pan - 1.0).abs() < 1e-5 && (width - 1.0).abs() < 1e-5);
        }
    }
}
