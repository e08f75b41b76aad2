//! Single notes: how they are named, and what can be changed of them.

/// Names a note, or all notes that it fits.
///
/// ```
/// use weft_core::instrument::NoteAddress;
///
/// // A note as the host started it, on the first channel.
/// let note = NoteAddress {
///     note_id: Some(7),
///     channel: Some(0),
///     key: Some(60),
/// };
/// assert!(NoteAddress::key(60).fits(&note) && !NoteAddress::key(61).fits(&note));
/// // What names nothing fits every note.
/// assert!(NoteAddress::default().fits(&note));
/// ```
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

    /// Every note of a MIDI channel, 0 to 15.
    pub fn channel(channel: u8) -> Self {
        Self {
            channel: Some(channel),
            ..Self::default()
        }
    }

    /// Whether both name notes of one key on one channel, or of every key and channel.
    pub(in crate::instrument) fn is_same_key(&self, other: &Self) -> bool {
        (self.channel, self.key) == (other.channel, other.key)
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
    /// The note's own slide, −1 to 1, beside its channel's: a note expression, of which
    /// [`Controls::routes`](super::Controls::routes) say what it moves.
    Timbre,
    /// The pressure on the note's own key, 0 to 1; what counts is the larger of that and the channel's.
    Pressure,
    /// dB, added to the output gain: polyphonic modulation, as all that follow.
    Gain,
    /// Semitones, added to the pitch.
    Pitch,
    /// Added to the speed.
    Time,
    /// dB an octave, added to the tilt of the spectrum.
    Brightness,
    /// Seconds, added to the smear.
    Smear,
    /// Added to the factor of contrast.
    Contrast,
    /// Added to the temperature of the network's noise.
    Density,
    /// Added to the factor of the stereo image's width.
    Width,
    /// Octaves, added to the edge of the high-pass.
    LowCut,
    /// Octaves, added to the edge of the low-pass.
    HighCut,
}

impl NoteControl {
    pub(in crate::instrument) const COUNT: usize = Self::HighCut as usize + 1;
}
