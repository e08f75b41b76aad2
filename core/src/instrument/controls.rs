//! What the musician holds in hand: the settings of a block, the notes, and where the host's song is.

/// How much work goes into the phases of the sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quality {
    /// One round over three frames of look-ahead: at most a fiftieth of a core for each voice.
    #[default]
    Eco,
    /// Fast Griffin-Lim over the whole window: about four times the work.
    High,
}

/// A place for a texture: an instrument has four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The first.
    #[default]
    A,
    /// The second.
    B,
    /// The third.
    C,
    /// The fourth.
    D,
}

impl Slot {
    /// Every slot.
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];
    pub(super) const COUNT: usize = Self::ALL.len();

    /// Its letter.
    pub fn letter(self) -> char {
        ['A', 'B', 'C', 'D'][self.index()]
    }

    /// Its place in [`ALL`](Self::ALL).
    pub fn index(self) -> usize {
        self as usize
    }
}

/// Settings of a block, as the host's parameters have them. A value that is not finite counts as its
/// default; others are kept within the ranges given here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// Output gain in dB.
    pub gain_db: f32,
    /// Whether loud passages are held below full scale.
    pub limiter: bool,
    /// Seconds from silence to full level after a note starts.
    pub attack_s: f32,
    /// Seconds in which the level falls by 60 dB towards the sustain level.
    pub decay_s: f32,
    /// Level of a held note, 0 to 1.
    pub sustain: f32,
    /// Seconds in which the sound falls by 60 dB after a note ends.
    pub release_s: f32,
    /// Play without notes.
    pub hold: bool,
    /// Which texture plays.
    pub slot: Slot,
    /// Which of its endless variations the texture plays.
    pub seed: u32,
    /// Transposition in semitones, [`PITCH_RANGE_ST`] either way, time unchanged.
    pub pitch_st: f32,
    /// Pitch bend in semitones, added to the pitch.
    pub bend_st: f32,
    /// How fast the texture goes by, pitch unchanged: 0 (frozen), else 0.1 to 4; 1 is as captured.
    pub time: f32,
    /// Tilt of the spectrum in dB an octave, −12 to 12.
    pub brightness_db_per_octave: f32,
    /// Seconds over which the spectrum is averaged, 0 to [`SMEAR_MOST_S`].
    pub smear_s: f32,
    /// Events against bed: factor of how far bands move from their mean, 0 to 2; 1 is as captured.
    pub contrast: f32,
    /// Temperature of the network's noise, 0 to 2; 1 is as captured.
    pub density: f32,
    /// Width of the stereo image, 0 (mono) to 2; 1 is as captured.
    pub width: f32,
    /// Edge of the high-pass in Hz, 12 dB an octave; 20 and less is off.
    pub low_cut_hz: f32,
    /// Edge of the low-pass in Hz, 12 dB an octave; 20 000 and more is off.
    pub high_cut_hz: f32,
    /// Whether notes transpose, by their distance from `root_key`.
    pub key_follow: bool,
    /// Key that plays the texture at its own pitch, 0 to 127.
    pub root_key: u8,
    /// How much work goes into the phases.
    pub quality: Quality,
    /// Whether the texture follows the host's song position while that runs.
    pub lock: bool,
    /// Tempo in beats a minute at which a locked texture has its own speed; 0: it has it at any tempo
    /// and follows the song's seconds, not its beats.
    pub lock_tempo: f32,
}

/// Transposition reaches so many semitones either way, all of its sources together.
pub const PITCH_RANGE_ST: f32 = 24.0;
/// Longest smear in seconds.
pub const SMEAR_MOST_S: f32 = 1.0;
/// Slowest and fastest time, but for 0.
pub const TIME_RANGE: (f32, f32) = (0.1, 4.0);
/// Steepest tilt in dB an octave, either way.
pub const BRIGHTNESS_RANGE: f32 = 12.0;
/// Edges of the cuts at which they do nothing, in Hz.
pub const CUT_RANGE_HZ: (f32, f32) = (20.0, 20_000.0);

impl Controls {
    /// The texture as it was captured.
    pub const DEFAULT: Self = Self {
        gain_db: 0.0,
        limiter: true,
        attack_s: 0.02,
        decay_s: 0.2,
        sustain: 1.0,
        release_s: 0.3,
        hold: false,
        slot: Slot::A,
        seed: 0,
        pitch_st: 0.0,
        bend_st: 0.0,
        time: 1.0,
        brightness_db_per_octave: 0.0,
        smear_s: 0.0,
        contrast: 1.0,
        density: 1.0,
        width: 1.0,
        low_cut_hz: CUT_RANGE_HZ.0,
        high_cut_hz: CUT_RANGE_HZ.1,
        key_follow: false,
        root_key: 60,
        quality: Quality::Eco,
        lock: false,
        lock_tempo: 0.0,
    };
}

impl Default for Controls {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// When a recording begins, once it was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum CaptureStart {
    /// At once.
    #[default]
    Now,
    /// When the input reaches a level in dBFS, [`CAPTURE_PREROLL_S`] before that.
    Threshold(f32),
    /// When the host's song begins its next bar.
    NextBar,
}

/// A recording to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CaptureSettings {
    /// Seconds, kept within [`CAPTURE_RANGE_S`].
    pub duration_s: f32,
    /// Where its texture goes.
    pub slot: Slot,
    /// When it begins.
    pub start: CaptureStart,
}

/// Shortest and longest recording in seconds.
pub const CAPTURE_RANGE_S: (f32, f32) = (1.0, 30.0);
/// What a recording that waits for a level takes of what was before, in seconds: an onset is not cut.
pub const CAPTURE_PREROLL_S: f64 = 0.01;
/// Seconds of the input that are always remembered.
pub const MEMORY_S: f64 = 30.0;

impl CaptureSettings {
    /// A recording of `duration_s` seconds for `slot`, from now on.
    pub fn now(slot: Slot, duration_s: f32) -> Self {
        Self {
            duration_s,
            slot,
            start: CaptureStart::Now,
        }
    }

    /// Its length in samples.
    pub(super) fn samples(&self, sample_rate: f64) -> usize {
        let (shortest, longest) = CAPTURE_RANGE_S;
        // NaN compares with nothing.
        let seconds = if self.duration_s > shortest {
            self.duration_s.min(longest)
        } else {
            shortest
        };
        (f64::from(seconds) * sample_rate).round() as usize
    }
}

/// Names a note, or all notes that it fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoteAddress {
    /// The host's own number of the note; `None` fits every note.
    pub note_id: Option<i32>,
    /// MIDI channel; `None` fits every channel.
    pub channel: Option<u8>,
    /// Key, 0 to 127; `None` fits every key.
    pub key: Option<u8>,
}

impl NoteAddress {
    /// Every note of a key.
    pub fn key(key: u8) -> Self {
        Self {
            key: Some(key),
            ..Self::default()
        }
    }

    /// Whether `note`, a sounding note's own address, is meant. A number fits a note that has none.
    pub fn fits(&self, note: &Self) -> bool {
        let fits =
            |asked: Option<i32>, has: Option<i32>| asked.is_none() || has.is_none() || asked == has;
        fits(self.note_id, note.note_id)
            && fits(self.channel.map(i32::from), note.channel.map(i32::from))
            && fits(self.key.map(i32::from), note.key.map(i32::from))
    }
}

/// What can be changed of a single sounding note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteControl {
    /// Gain as a factor, 0 to 4; 1 changes nothing.
    Volume,
    /// −1 (left) to 1 (right).
    Pan,
    /// Semitones, added to the pitch: a note expression.
    Tuning,
    /// −1 to 1, as tilt: a note expression, ±6 dB an octave.
    Timbre,
    /// The following are added to the control of the same name, in its unit: polyphonic modulation.
    Gain,
    /// Semitones.
    Pitch,
    /// Speed.
    Time,
    /// dB an octave.
    Brightness,
    /// Seconds.
    Smear,
    /// Factor.
    Contrast,
    /// Temperature.
    Density,
    /// Factor.
    Width,
    /// Octaves of the edge.
    LowCut,
    /// Octaves of the edge.
    HighCut,
}

impl NoteControl {
    pub(super) const COUNT: usize = Self::HighCut as usize + 1;
}

/// Where the host's song is, at the first sample of a call of `process`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transport {
    /// Samples at the host's rate from the song's beginning.
    pub samples: i64,
    /// Quarter notes from the song's beginning, if the host counts them.
    pub beats: Option<f64>,
    /// Quarter notes at which the bar began.
    pub bar_start_beats: Option<f64>,
    /// Quarter notes in a bar; 4 if the host doesn't say.
    pub beats_per_bar: Option<f64>,
    /// Beats (quarter notes) a minute.
    pub tempo: Option<f64>,
}
