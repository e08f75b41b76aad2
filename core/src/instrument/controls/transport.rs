//! The host's song.

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
