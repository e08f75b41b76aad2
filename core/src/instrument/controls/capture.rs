//! Recordings of the input.

use super::Slot;

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
    pub(in crate::instrument) fn samples(&self, sample_rate: f64) -> usize {
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
