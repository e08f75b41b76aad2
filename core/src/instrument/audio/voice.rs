//! One note: its streams, its envelope, and its own settings.

use super::envelope::{Envelope, Glide, follow};
use crate::instrument::controls::{
    BRIGHTNESS_RANGE, CUT_RANGE_HZ, Controls, NoteAddress, NoteControl, PITCH_RANGE_ST,
    SMEAR_MOST_S, TIME_RANGE,
};
use crate::instrument::stream::{Engine, FrameControls, SongLine, Supply};

/// Samples between two looks at the controls. Counted from the last reset, not from block to block.
pub(super) const CONTROL_INTERVAL: usize = 16;
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

/// A voice, which lives as long as the instrument and plays one note after the other.
pub(super) struct Voice {
    pub note: NoteAddress,
    is_sounding: bool,
    pub envelope: Envelope,
    /// When its note started, counted in notes.
    pub age: u64,
    velocity: f32,
    own: [f32; NoteControl::COUNT],
    slow: [Glide; SLOW],
    fast: [Glide; FAST],
    /// The next look at the controls jumps to them: a note begins.
    fresh: bool,
    /// What was seen at the last look at the controls, if nothing has moved since: then there is nothing to
    /// work out.
    at_rest: Option<(Controls, f32)>,
    frame_controls: FrameControls,
    /// What sounds, what it takes over from, and what is to come.
    pub current: Option<Box<Engine>>,
    pub fading: Option<Box<Engine>>,
    pub inbox: Option<Inbox>,
    /// Samples of a cross-fade that are still to come.
    fade_left: usize,
    /// Newest stream that was asked for, whether it was told to the worker, and which one is there.
    pub wanted: u32,
    pub unsent: bool,
    pub has: u32,
    /// Whether that one has been heard.
    has_played: bool,
    /// Where the next stream starts, unless it follows the song.
    pub place: (i64, f64),
    /// Place in the song from which time counts, see [`SongLine`].
    pub anchor_s: (f64, f64),
    /// Time at the last look at the song.
    line_time: f64,
}

/// A stream that waits for its moment.
pub(super) struct Inbox {
    pub engine: Box<Engine>,
    pub epoch: u32,
    /// Count of the audio thread's samples at which it fits; `None`: at once.
    pub clock: Option<u64>,
}

impl Voice {
    pub fn new() -> Self {
        Self {
            note: NoteAddress::default(),
            is_sounding: false,
            envelope: Envelope::new(),
            age: 0,
            velocity: 1.0,
            own: Self::NEUTRAL,
            slow: [Glide::default(); SLOW],
            fast: [Glide::default(); FAST],
            fresh: true,
            at_rest: None,
            frame_controls: FrameControls::default(),
            current: None,
            fading: None,
            inbox: None,
            fade_left: 0,
            wanted: 0,
            unsent: false,
            has: 0,
            has_played: false,
            place: (0, 0.0),
            anchor_s: (0.0, 0.0),
            line_time: 1.0,
        }
    }

    /// Note controls that change nothing.
    const NEUTRAL: [f32; NoteControl::COUNT] = {
        let mut own = [0.0; NoteControl::COUNT];
        own[NoteControl::Volume as usize] = 1.0;
        own
    };

    /// Whether it takes part in the sound. A voice falls silent on the grid of the controls, so that its
    /// stream stops at a place that does not depend on how the host cuts its blocks.
    pub fn is_sounding(&self) -> bool {
        self.is_sounding
    }

    /// Lets it rest if its envelope has ended. Returns whether a note has ended with it.
    pub fn rest(&mut self) -> bool {
        let ends = self.is_sounding && self.envelope.is_off();
        self.is_sounding &= !ends;
        ends
    }

    /// Silent at once.
    pub fn reset(&mut self) {
        self.envelope.reset();
        self.is_sounding = false;
        // What the next stream starts from must not depend on what was played before.
        self.note = NoteAddress::default();
        self.own = Self::NEUTRAL;
        self.at_rest = None;
        self.wanted = 0;
        self.has_played = false;
        self.place = (0, 0.0);
    }

    /// Whether its note has started since the last look at the controls.
    pub fn is_fresh(&self) -> bool {
        self.fresh && self.is_sounding()
    }

    /// Keeps its place in the texture where its time has changed within a bar of a locked song.
    pub fn follow_time(&mut self, line: &SongLine) {
        if self.line_time != self.frame_controls.time {
            self.anchor_s = (line.now_s, line.position_s(0.0, self.line_time));
            self.line_time = self.frame_controls.time;
        }
    }

    /// Whether it plays another part of the texture than belongs to the song's place.
    pub fn is_off_the_song(&self) -> bool {
        self.line_time != 1.0 || self.anchor_s.0 != self.anchor_s.1
    }

    pub fn frame_controls(&self) -> &FrameControls {
        &self.frame_controls
    }

    /// Starts a note. A voice that sounds goes over to it without a break.
    pub fn start(&mut self, note: NoteAddress, velocity: f32, age: u64) {
        self.fresh = self.envelope.is_off();
        self.note = note;
        self.age = age;
        self.velocity = if velocity.is_finite() {
            velocity.clamp(0.0, 1.0)
        } else {
            1.0
        };
        self.own = Self::NEUTRAL;
        self.at_rest = None;
        self.envelope.start();
        self.is_sounding = true;
    }

    pub fn set_own(&mut self, control: NoteControl, value: f32) {
        if value.is_finite() {
            self.own[control as usize] = value;
            self.at_rest = None;
        }
    }

    /// Looks at the controls, [`CONTROL_INTERVAL`] samples after the last time. `side_share` is the power
    /// of the texture's side channel, which width is to leave the level by.
    pub fn tick(&mut self, controls: &Controls, smoothing: &Smoothing, side_share: f32) {
        let seen = Some((*controls, side_share));
        if !self.fresh && self.at_rest == seen {
            return;
        }
        let own = |c: NoteControl| self.own[c as usize];
        let finite = |x: f32, default: f32| if x.is_finite() { x } else { default };
        let key = self.note.key.map_or(0.0, f32::from);
        let from_key = if controls.key_follow && self.note.key.is_some() {
            key - f32::from(controls.root_key)
        } else {
            0.0
        };
        let pitch = finite(controls.pitch_st, 0.0)
            + finite(controls.bend_st, 0.0)
            + from_key
            + own(NoteControl::Tuning)
            + own(NoteControl::Pitch);
        let time = finite(controls.time, 1.0) + own(NoteControl::Time);
        let time = if time < FREEZE_BELOW {
            0.0
        } else {
            time.clamp(TIME_RANGE.0, TIME_RANGE.1)
        };
        let brightness = finite(controls.brightness_db_per_octave, 0.0)
            + own(NoteControl::Brightness)
            + TIMBRE_TILT * own(NoteControl::Timbre);
        let edge = |hz: f32, default: f32, octaves: f32| {
            let hz = finite(hz, default).clamp(CUT_RANGE_HZ.0, CUT_RANGE_HZ.1);
            let (low, high) = (CUT_RANGE_HZ.0.log2(), CUT_RANGE_HZ.1.log2());
            (hz.log2() + octaves).clamp(low, high)
        };
        let targets = [
            pitch.clamp(-PITCH_RANGE_ST, PITCH_RANGE_ST),
            time,
            brightness.clamp(-BRIGHTNESS_RANGE, BRIGHTNESS_RANGE),
            (finite(controls.smear_s, 0.0) + own(NoteControl::Smear)).clamp(0.0, SMEAR_MOST_S),
            (finite(controls.contrast, 1.0) + own(NoteControl::Contrast)).clamp(0.0, 2.0),
            (finite(controls.density, 1.0) + own(NoteControl::Density)).clamp(0.0, 2.0),
            edge(
                controls.low_cut_hz,
                CUT_RANGE_HZ.0,
                own(NoteControl::LowCut),
            ),
            edge(
                controls.high_cut_hz,
                CUT_RANGE_HZ.1,
                own(NoteControl::HighCut),
            ),
        ];
        let gain_db = finite(controls.gain_db, 0.0) + own(NoteControl::Gain);
        let level = 10.0f32.powf(gain_db.clamp(-120.0, 24.0) / 20.0)
            * self.velocity
            * own(NoteControl::Volume).clamp(0.0, VOLUME_MOST);
        // Equal power, and unity in the middle.
        let angle = (0.25 + 0.25 * own(NoteControl::Pan).clamp(-1.0, 1.0)) * std::f32::consts::PI;
        let (right, left) = angle.sin_cos();
        let width = (finite(controls.width, 1.0) + own(NoteControl::Width)).clamp(0.0, 2.0);
        let mid = 1.0 / (1.0 + side_share * (width * width - 1.0)).max(0.01).sqrt();
        let levels = [
            level * left * std::f32::consts::SQRT_2,
            level * right * std::f32::consts::SQRT_2,
            mid,
            mid * width,
        ];
        let before = self.slow;
        if self.fresh {
            self.slow
                .iter_mut()
                .zip(targets)
                .for_each(|(g, t)| g.jump(t));
            self.fast
                .iter_mut()
                .zip(levels)
                .for_each(|(g, t)| g.jump(t));
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
        self.fresh = false;
        self.at_rest = seen.filter(|_| self.slow.iter().all(Glide::is_at_rest));
    }

    fn update_frame_controls(&mut self, before: &[Glide; SLOW]) {
        let value = |s: Slow| self.slow[s as usize].value();
        let moved = |s: Slow| self.fresh || before[s as usize].value() != value(s);
        let f = &mut self.frame_controls;
        f.time = f64::from(value(Slow::Time));
        f.density = value(Slow::Density);
        f.contrast = value(Slow::Contrast);
        f.smear_s = value(Slow::Smear);
        f.brightness = value(Slow::Brightness);
        if moved(Slow::Pitch) {
            f.transposition = f64::from(value(Slow::Pitch) / 12.0).exp2();
        }
        let hz = |octaves: f32, off: f32| {
            let hz = octaves.exp2();
            if (hz / off - 1.0).abs() < 1e-3 {
                off
            } else {
                hz
            }
        };
        if moved(Slow::LowCut) {
            f.low_cut_hz = hz(value(Slow::LowCut), CUT_RANGE_HZ.0);
        }
        if moved(Slow::HighCut) {
            f.high_cut_hz = hz(value(Slow::HighCut), CUT_RANGE_HZ.1);
        }
    }

    /// Settles on the controls at once, for a voice that does not sound.
    pub fn settle(&mut self, controls: &Controls, smoothing: &Smoothing) {
        self.fresh = true;
        self.tick(controls, smoothing, 0.0);
        self.fresh = true;
    }

    /// The next stream goes on where this one is.
    pub fn keep_place(&mut self) {
        // A stream that was not heard is still where it started, and might not even be there.
        if let Some(engine) = self.current.as_ref().filter(|_| self.has_played) {
            self.place = engine.place();
        }
    }

    /// Its next stream follows the song, with time counted from `anchor_s`.
    pub fn set_anchor(&mut self, anchor_s: (f64, f64)) {
        self.anchor_s = anchor_s;
        self.line_time = self.frame_controls.time;
    }

    /// Takes the stream that waits, if its moment has come. Returns one that is not needed any more.
    pub fn take_over(&mut self, clock: u64, fade_samples: usize) -> Option<Box<Engine>> {
        let due = |inbox: &Inbox| inbox.clock.is_none_or(|c| c <= clock);
        if self.fading.is_some() || !self.inbox.as_ref().is_some_and(due) {
            return None;
        }
        let inbox = self.inbox.take()?;
        self.has = inbox.epoch;
        self.has_played = false;
        let old = self.current.replace(inbox.engine);
        if self.envelope.level() == 0.0 {
            self.fade_left = 0;
            return old;
        }
        self.fade_left = fade_samples;
        self.fading = old;
        None
    }

    /// Fades out what it sounds with, as there is nothing to take over. Returns streams that are not needed
    /// any more.
    pub fn fall_silent(&mut self, fade_samples: usize) -> [Option<Box<Engine>>; 2] {
        if self.current.is_none() {
            return [None, None];
        }
        let old = self.fading.take();
        self.has_played = false;
        if self.envelope.level() == 0.0 {
            self.fade_left = 0;
            return [old, self.current.take()];
        }
        self.fade_left = fade_samples;
        self.fading = self.current.take();
        [old, None]
    }

    /// Ends a cross-fade. Returns the stream that was faded out.
    pub fn finish_fade(&mut self) -> Option<Box<Engine>> {
        self.fade_left = 0;
        self.fading.take()
    }

    /// Whether a cross-fade is done, and its old stream to be taken out.
    pub fn is_fade_over(&self) -> bool {
        self.fade_left == 0 && self.fading.is_some()
    }

    /// Adds the next samples, at most [`CONTROL_INTERVAL`], to `left` and `right`. Returns how many frames
    /// were missing.
    pub fn render(
        &mut self,
        left: &mut [f32],
        right: &mut [f32],
        line: Option<&SongLine>,
        fade_samples: usize,
        smoothing: &Smoothing,
        supply: &mut impl Supply,
    ) -> u32 {
        let count = left.len();
        let mut buffers = [[0.0f32; CONTROL_INTERVAL]; 4];
        let [mid, side, old_mid, old_side] = buffers.each_mut().map(|b| &mut b[..count]);
        let missing = match &mut self.current {
            Some(current) => {
                self.has_played = true;
                current.render(mid, side, &self.frame_controls, line, supply);
                current.take_missing()
            }
            None if self.fade_left > 0 => 0,
            None => {
                // The note goes by, and fades in when its stream is there.
                for _ in 0..count {
                    self.envelope.next();
                }
                return 0;
            }
        };
        if self.fade_left > 0 {
            if let Some(fading) = &mut self.fading {
                fading.render(old_mid, old_side, &self.frame_controls, None, supply);
            }
            for i in 0..count {
                self.fade_left = self.fade_left.saturating_sub(1);
                let left_over = self.fade_left as f32 / fade_samples as f32;
                // Two stretches of a texture are uncorrelated: equal power keeps the level.
                let (new, old) = ((1.0 - left_over).sqrt(), left_over.sqrt());
                mid[i] = mid[i] * new + old_mid[i] * old;
                side[i] = side[i] * new + old_side[i] * old;
            }
        }
        for i in 0..count {
            let envelope = self.envelope.next();
            let [l, r, m, s] = self.fast.each_mut().map(|g| g.next(smoothing.fast));
            let (mid, side) = (mid[i] * m, side[i] * s);
            left[i] += (mid + side) * (l * envelope);
            right[i] += (mid - side) * (r * envelope);
        }
        missing
    }
}
