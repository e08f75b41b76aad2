//! What a stream starts from, and what its frames are made with: plain numbers that the audio thread sends to
//! the worker with a request for a stream.

use super::song_line::SongLine;
use crate::instrument::controls::{CUT_RANGE_HZ, Quality};

/// What a hop's frame is made with; looked at once for each hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::instrument) struct FrameControls {
    /// Texture frames for each hop that is heard at its own pitch.
    pub time: f64,
    /// Factor of all frequencies.
    pub transposition: f64,
    /// Temperature of the network's noise, 0 to 2; 1 is as captured.
    pub density: f32,
    /// Factor of how far bands move from their mean, 0 to 2; 1 is as captured.
    pub contrast: f32,
    /// Seconds over which the spectrum is averaged.
    pub smear_s: f32,
    /// Tilt of the spectrum in dB an octave.
    pub brightness: f32,
    /// Edge of the high-pass in Hz; the lower end of [`CUT_RANGE_HZ`] is off.
    pub low_cut_hz: f32,
    /// Edge of the low-pass in Hz; the upper end of [`CUT_RANGE_HZ`] is off.
    pub high_cut_hz: f32,
}

impl Default for FrameControls {
    fn default() -> Self {
        Self {
            time: 1.0,
            transposition: 1.0,
            density: 1.0,
            contrast: 1.0,
            smear_s: 0.0,
            brightness: 0.0,
            low_cut_hz: CUT_RANGE_HZ.0,
            high_cut_hz: CUT_RANGE_HZ.1,
        }
    }
}

impl FrameControls {
    /// Texture frames for each synthesis frame.
    pub(super) fn frames_per_hop(&self) -> f64 {
        self.time / self.transposition
    }
}

/// What a stream starts from.
#[derive(Clone, Copy, Debug)]
pub(in crate::instrument) struct StreamStart {
    /// Which variation of the texture it plays.
    pub seed: u32,
    pub quality: Quality,
    /// Sample rate of the host in Hz.
    pub host_rate: f64,
    /// What its first frames are made with.
    pub controls: FrameControls,
    pub place: Place,
}

/// Where a stream starts.
#[derive(Clone, Copy, Debug)]
pub(in crate::instrument) enum Place {
    /// Anywhere: the first synthesis frame that is heard, and its texture position.
    Free {
        frame: i64,
        position: f64,
        /// Part of the first hop that is left out: voices do the same work at different times.
        stagger: f64,
    },
    /// At a sample of the song.
    Song { sample: i64, line: SongLine },
}
