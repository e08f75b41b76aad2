//! The controls of one voice: what the musician set for all notes and for this one, and how its sound glides
//! there.

use super::channels::ChannelValues;
use super::modulation::Modulation;
use super::settings::NoteSettings;
use super::targets::{FAST, SLOW, Slow, cut_hz, levels, slow_targets};
use crate::instrument::audio::glide::{Glide, follow};
use crate::instrument::audio::part::CONTROL_INTERVAL;
use crate::instrument::controls::{CUT_RANGE_HZ, Controls, NoteControl};
use crate::instrument::stream::FrameControls;

/// Seconds in which levels follow by 63 %, sample by sample.
const LEVEL_SMOOTHING_S: f64 = 0.01;
/// Seconds in which the other controls follow by 63 %.
const CONTROL_SMOOTHING_S: f64 = 0.01;
/// Seconds in which pitch follows by 63 %: bends have to keep up with fingers.
const PITCH_SMOOTHING_S: f64 = 0.004;

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

/// Glides to what the controls and the note's own settings come to.
pub(super) struct VoiceControls {
    own: NoteSettings,
    /// What the note's channel does to it.
    channel: ChannelValues,
    /// How hard the note was struck, 0 to 1, if it was.
    velocity: Option<f32>,
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
            channel: ChannelValues::AT_REST,
            velocity: None,
            slow: [Glide::default(); SLOW],
            fast: [Glide::default(); FAST],
            is_fresh: true,
            at_rest: None,
            frame_controls: FrameControls::default(),
        }
    }

    /// Forgets the note: its own settings, its channel's, and how it was struck.
    pub fn reset(&mut self) {
        self.own = NoteSettings::NEUTRAL;
        self.channel = ChannelValues::AT_REST;
        self.velocity = None;
        self.at_rest = None;
    }

    /// Begins a note of this velocity, 0 to 1, if it has any: where it `is_fresh`, at its controls; or else it
    /// glides there.
    pub fn start(&mut self, velocity: Option<f32>, channel: &ChannelValues, is_fresh: bool) {
        self.reset();
        self.channel = *channel;
        self.velocity = velocity.map(|velocity| {
            if velocity.is_finite() {
                velocity.clamp(0.0, 1.0)
            } else {
                1.0
            }
        });
        self.is_fresh = is_fresh;
    }

    /// Follows what the note's channel did.
    pub fn follow_channel(&mut self, channel: &ChannelValues) {
        if self.channel != *channel {
            self.channel = *channel;
            self.at_rest = None;
        }
    }

    /// Changes a setting of the note. What is not a number changes nothing.
    pub fn set(&mut self, control: NoteControl, value: f32) {
        if value.is_finite() {
            self.own.set(control, value);
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

    /// Factor of the texture's power at the present levels. What width moves between mid and side leaves the sum as
    /// it is.
    pub fn power_gain(&self) -> f32 {
        let [left, right, ..] = self.fast.each_ref().map(Glide::value);
        0.5 * (left * left + right * right)
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
        let moved = Modulation::of(&controls.routes, &self.own, &self.channel, self.velocity);
        let targets = slow_targets(controls, &self.own, key, &moved);
        let levels = levels(controls, &self.own, &moved, side_share);
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
        voice.start(Some(1.0), &ChannelValues::AT_REST, true);
        tick(&mut voice, &controls);
        assert_eq!(voice.frame_controls().time, 2.0);
        let transposition = voice.frame_controls().transposition;
        assert!((transposition.log2() * 12.0 - 7.0).abs() < 1e-5);
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
        voice.start(Some(1.0), &ChannelValues::AT_REST, true);
        voice.set(NoteControl::Density, -0.5);
        voice.set(NoteControl::Contrast, f32::NAN);
        tick(&mut voice, &Controls::DEFAULT);
        assert_eq!(voice.frame_controls().density, 0.5);
        assert_eq!(voice.frame_controls().contrast, 1.0);
        voice.start(Some(1.0), &ChannelValues::AT_REST, true);
        tick(&mut voice, &Controls::DEFAULT);
        assert_eq!(*voice.frame_controls(), FrameControls::default());
    }
}
