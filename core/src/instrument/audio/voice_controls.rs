//! The controls of one voice: what the musician set for all notes and for this one, and how its sound glides
//! there.

use super::glide::{Glide, follow};
use super::part::CONTROL_INTERVAL;
use crate::instrument::controls::{
    BRIGHTNESS_RANGE, CUT_RANGE_HZ, Controls, NoteControl, PITCH_RANGE_ST, SMEAR_MOST_S, TIME_RANGE,
};
use crate::instrument::stream::FrameControls;

/// Seconds in which levels follow by 63 %, sample by sample.
const LEVEL_SMOOTHING_S: f64 = 0.01;
/// Seconds in which the other controls follow by 63 %.
const CONTROL_SMOOTHING_S: f64 = 0.01;
/// Seconds in which pitch follows by 63 %: bends have to keep up with fingers.
const PITCH_SMOOTHING_S: f64 = 0.004;
/// Full timbre expression tilts by so many dB an octave.
const TIMBRE_TILT: f32 = 6.0;
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
enum Slow {
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
const SLOW: usize = Slow::HighCut as usize + 1;

/// Levels that glide from sample to sample: of left, right, mid and side.
const FAST: usize = 4;

/// How fast glides are at a sample rate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Smoothing {
    slow: f32,
    pitch: f32,
    fast: f32,
}

impl Smoothing {
    pub fn new(sample_rate: f64) -> Self {
        let interval = CONTROL_INTERVAL as f64;
        Self {
            slow: follow(CONTROL_SMOOTHING_S, interval, sample_rate),
            pitch: follow(PITCH_SMOOTHING_S, interval, sample_rate),
            fast: follow(LEVEL_SMOOTHING_S, 1.0, sample_rate),
        }
    }
}

/// The settings of a single note.
#[derive(Clone, Copy, Debug)]
struct NoteSettings([f32; NoteControl::COUNT]);

impl NoteSettings {
    /// Settings that change nothing.
    const NEUTRAL: Self = {
        let mut values = [0.0; NoteControl::COUNT];
        values[NoteControl::Volume as usize] = 1.0;
        Self(values)
    };

    fn get(&self, control: NoteControl) -> f32 {
        self.0[control as usize]
    }
}

/// Glides to what the controls and the note's own settings come to.
pub(super) struct VoiceControls {
    own: NoteSettings,
    /// How hard the note was struck, 0 to 1.
    velocity: f32,
    slow: [Glide; SLOW],
    fast: [Glide; FAST],
    /// The next look at the controls jumps to them: a note begins.
    is_fresh: bool,
    /// The controls and the side's share at the last look, if nothing moves since: then there is nothing to
    /// work out.
    at_rest: Option<(Controls, f32)>,
    frame_controls: FrameControls,
}

impl VoiceControls {
    pub fn new() -> Self {
        Self {
            own: NoteSettings::NEUTRAL,
            velocity: 1.0,
            slow: [Glide::default(); SLOW],
            fast: [Glide::default(); FAST],
            is_fresh: true,
            at_rest: None,
            frame_controls: FrameControls::default(),
        }
    }

    /// Forgets the note's own settings.
    pub fn reset(&mut self) {
        self.own = NoteSettings::NEUTRAL;
        self.at_rest = None;
    }

    /// Begins a note of this velocity, 0 to 1: where it `is_fresh`, at its controls; or else it glides there.
    pub fn start(&mut self, velocity: f32, is_fresh: bool) {
        self.reset();
        self.velocity = if velocity.is_finite() {
            velocity.clamp(0.0, 1.0)
        } else {
            1.0
        };
        self.is_fresh = is_fresh;
    }

    /// Changes a setting of the note. What is not a number changes nothing.
    pub fn set(&mut self, control: NoteControl, value: f32) {
        if value.is_finite() {
            self.own.0[control as usize] = value;
            self.at_rest = None;
        }
    }

    /// Whether the note has started since the last look at the controls.
    pub fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// What a frame is made with.
    pub fn frame_controls(&self) -> &FrameControls {
        &self.frame_controls
    }

    /// The next sample's levels: of left, right, mid and side.
    #[inline]
    pub fn next_levels(&mut self, smoothing: &Smoothing) -> [f32; FAST] {
        self.fast.each_mut().map(|g| g.next(smoothing.fast))
    }

    /// Looks at the controls, [`CONTROL_INTERVAL`] samples after the last time. `side_share` is the power
    /// of the texture's side channel, which width is to leave the level by.
    pub fn tick(
        &mut self,
        controls: &Controls,
        key: Option<u8>,
        side_share: f32,
        smoothing: &Smoothing,
    ) {
        let seen = Some((*controls, side_share));
        if !self.is_fresh && self.at_rest == seen {
            return;
        }
        let targets = slow_targets(controls, &self.own, key);
        let levels = levels(controls, &self.own, self.velocity, side_share);
        let before = self.slow;
        if self.is_fresh {
            let jump = |(glide, target): (&mut Glide, f32)| glide.jump(target);
            self.slow.iter_mut().zip(targets).for_each(jump);
            self.fast.iter_mut().zip(levels).for_each(jump);
        } else {
            for (i, (glide, target)) in self.slow.iter_mut().zip(targets).enumerate() {
                glide.set(target);
                glide.next(if i == Slow::Pitch as usize {
                    smoothing.pitch
                } else {
                    smoothing.slow
                });
            }
            self.fast.iter_mut().zip(levels).for_each(|(g, t)| g.set(t));
        }
        self.update_frame_controls(&before);
        self.is_fresh = false;
        self.at_rest = seen.filter(|_| self.slow.iter().all(Glide::is_at_rest));
    }

    fn update_frame_controls(&mut self, before: &[Glide; SLOW]) {
        let value = |s: Slow| self.slow[s as usize].value();
        let has_moved = |s: Slow| self.is_fresh || before[s as usize].value() != value(s);
        let f = &mut self.frame_controls;
        f.time = f64::from(value(Slow::Time));
        f.density = value(Slow::Density);
        f.contrast = value(Slow::Contrast);
        f.smear_s = value(Slow::Smear);
        f.brightness = value(Slow::Brightness);
        if has_moved(Slow::Pitch) {
            f.transposition = f64::from(value(Slow::Pitch) / 12.0).exp2();
        }
        if has_moved(Slow::LowCut) {
            f.low_cut_hz = cut_hz(value(Slow::LowCut), CUT_RANGE_HZ.0);
        }
        if has_moved(Slow::HighCut) {
            f.high_cut_hz = cut_hz(value(Slow::HighCut), CUT_RANGE_HZ.1);
        }
    }

    /// Settles on the controls at once, for a voice that does not sound.
    pub fn settle(&mut self, controls: &Controls, key: Option<u8>, smoothing: &Smoothing) {
        self.is_fresh = true;
        self.tick(controls, key, 0.0, smoothing);
        self.is_fresh = true;
    }
}

fn finite(x: f32, default: f32) -> f32 {
    if x.is_finite() { x } else { default }
}

/// Where the slow glides go.
fn slow_targets(controls: &Controls, own: &NoteSettings, key: Option<u8>) -> [f32; SLOW] {
    let brightness = finite(controls.brightness_db_per_octave, 0.0)
        + own.get(NoteControl::Brightness)
        + TIMBRE_TILT * own.get(NoteControl::Timbre);
    let smear_s = finite(controls.smear_s, 0.0) + own.get(NoteControl::Smear);
    let contrast = finite(controls.contrast, 1.0) + own.get(NoteControl::Contrast);
    let density = finite(controls.density, 1.0) + own.get(NoteControl::Density);
    let (lowest_hz, highest_hz) = CUT_RANGE_HZ;
    [
        pitch_st(controls, own, key),
        time(controls, own),
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
fn pitch_st(controls: &Controls, own: &NoteSettings, key: Option<u8>) -> f32 {
    let from_key = match key {
        Some(key) if controls.key_follow => f32::from(key) - f32::from(controls.root_key),
        _ => 0.0,
    };
    let pitch_st = finite(controls.pitch_st, 0.0)
        + finite(controls.bend_st, 0.0)
        + from_key
        + own.get(NoteControl::Tuning)
        + own.get(NoteControl::Pitch);
    pitch_st.clamp(-PITCH_RANGE_ST, PITCH_RANGE_ST)
}

/// How fast the texture goes by.
fn time(controls: &Controls, own: &NoteSettings) -> f32 {
    let time = finite(controls.time, 1.0) + own.get(NoteControl::Time);
    if time < FREEZE_BELOW {
        0.0
    } else {
        time.clamp(TIME_RANGE.0, TIME_RANGE.1)
    }
}

/// Edge of a cut in octaves over 1 Hz, `octaves` above `hz`.
fn cut_octaves(hz: f32, default_hz: f32, octaves: f32) -> f32 {
    let hz = finite(hz, default_hz).clamp(CUT_RANGE_HZ.0, CUT_RANGE_HZ.1);
    let (low, high) = (CUT_RANGE_HZ.0.log2(), CUT_RANGE_HZ.1.log2());
    (hz.log2() + octaves).clamp(low, high)
}

/// Edge of a cut in Hz; `off_hz` is where it does nothing.
fn cut_hz(octaves: f32, off_hz: f32) -> f32 {
    let hz = octaves.exp2();
    if (hz / off_hz - 1.0).abs() < CUT_OFF_WITHIN {
        off_hz
    } else {
        hz
    }
}

/// Levels of left, right, mid and side.
fn levels(controls: &Controls, own: &NoteSettings, velocity: f32, side_share: f32) -> [f32; FAST] {
    let gain_db = finite(controls.gain_db, 0.0) + own.get(NoteControl::Gain);
    let level = 10.0f32.powf(gain_db.clamp(GAIN_RANGE_DB.0, GAIN_RANGE_DB.1) / 20.0)
        * velocity
        * own.get(NoteControl::Volume).clamp(0.0, VOLUME_MOST);
    // Equal power, and unity in the middle.
    let pan = own.get(NoteControl::Pan).clamp(-1.0, 1.0);
    let (right, left) = ((0.25 + 0.25 * pan) * std::f32::consts::PI).sin_cos();
    let width = (finite(controls.width, 1.0) + own.get(NoteControl::Width)).clamp(0.0, 2.0);
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

    fn tick(voice: &mut VoiceControls, controls: &Controls) {
        voice.tick(controls, Some(67), SIDE_SHARE, &Smoothing::new(48_000.0));
    }

    #[test]
    fn a_fresh_note_begins_at_its_controls_and_glides_from_there() {
        let mut voice = VoiceControls::new();
        let controls = Controls {
            time: 2.0,
            key_follow: true,
            ..Controls::DEFAULT
        };
        voice.start(1.0, true);
        tick(&mut voice, &controls);
        assert_eq!(voice.frame_controls().time, 2.0);
        assert_eq!(voice.frame_controls().transposition, (7.0f64 / 12.0).exp2());
        let half = Controls {
            time: 0.5,
            ..controls
        };
        tick(&mut voice, &half);
        let time = voice.frame_controls().time;
        assert!(time > 1.5 && time < 2.0, "{time}");
        (0..1_000).for_each(|_| tick(&mut voice, &half));
        assert_eq!(voice.frame_controls().time, 0.5);
    }

    #[test]
    fn settings_of_a_note_last_as_long_as_the_note() {
        let mut voice = VoiceControls::new();
        voice.start(1.0, true);
        voice.set(NoteControl::Density, -0.5);
        voice.set(NoteControl::Contrast, f32::NAN);
        tick(&mut voice, &Controls::DEFAULT);
        assert_eq!(voice.frame_controls().density, 0.5);
        assert_eq!(voice.frame_controls().contrast, 1.0);
        voice.start(1.0, true);
        tick(&mut voice, &Controls::DEFAULT);
        assert_eq!(*voice.frame_controls(), FrameControls::default());
    }

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
        let targets = slow_targets(&controls, &NoteSettings::NEUTRAL, None);
        assert_eq!(targets[..6], [PITCH_RANGE_ST, 0.0, 0.0, 0.0, 1.0, 2.0]);
        assert_eq!(cut_hz(targets[Slow::LowCut as usize], 20.0), 20.0);
        assert_eq!(cut_hz(targets[Slow::HighCut as usize], 20_000.0), 20_000.0);
    }

    #[test]
    fn pan_and_width_leave_the_power_as_it_is() {
        let power = |own: &NoteSettings, controls: &Controls| {
            let [left, right, mid, side] = levels(controls, own, 1.0, SIDE_SHARE);
            let pan = (left * left + right * right) / 2.0;
            (
                pan,
                (1.0 - SIDE_SHARE) * mid * mid + SIDE_SHARE * side * side,
            )
        };
        for step in 0..=4 {
            let mut own = NoteSettings::NEUTRAL;
            own.0[NoteControl::Pan as usize] = 0.5 * step as f32 - 1.0;
            let controls = Controls {
                width: 0.5 * step as f32,
                ..Controls::DEFAULT
            };
            let (pan, width) = power(&own, &controls);
            assert!((pan - 1.0).abs() < 1e-5 && (width - 1.0).abs() < 1e-5);
        }
    }
}
