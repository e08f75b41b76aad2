//! What the musician holds in hand: the settings of a block, the notes, captures, and where the host's song is.

mod capture;
mod modulation;
mod notes;
mod transport;

pub use capture::{CAPTURE_PREROLL_S, CAPTURE_RANGE_S, CaptureSettings, CaptureStart, MEMORY_S};
pub use modulation::{ChannelControl, ModulationSource, ModulationTarget, Route};
pub use notes::{NoteAddress, NoteControl};
pub use transport::Transport;

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
///
/// ```
/// use weft_core::instrument::Slot;
///
/// let letters: String = Slot::ALL.map(Slot::letter).iter().collect();
/// assert_eq!(letters, "ABCD");
/// assert_eq!(Slot::ALL[Slot::C.index()], Slot::C);
/// ```
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
///
/// ```
/// use weft_core::instrument::{Controls, Quality};
///
/// // The texture plays without notes, an octave lower and at half its speed.
/// let controls = Controls {
///     hold: true,
///     pitch_st: -12.0,
///     time: 0.5,
///     ..Controls::DEFAULT
/// };
/// assert_eq!(controls.quality, Quality::Eco);
/// ```
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
    /// Where wheel, pressure, slide and velocity go, by [`ModulationSource`].
    // The length is a plain number: with a constant's name, rustc 1.95 fails on the `..` of an update in a closure.
    pub routes: [Route; 4],
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
        routes: Route::DEFAULTS,
    };
}

impl Default for Controls {
    fn default() -> Self {
        Self::DEFAULT
    }
}
