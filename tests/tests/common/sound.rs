//! What the tests of both formats ask of a plugin's output.

use weft_hosts::measure::{db, peak, rms};

/// Below this level, in dBFS, nothing is heard.
const SILENCE_DB: f64 = -80.0;

/// Level of all channels together, in dBFS.
pub fn level_db(channels: &[Vec<f32>]) -> f64 {
    db(rms(channels))
}

/// It is loud enough to be heard, and not clipped.
#[track_caller]
pub fn assert_sounds(channels: &[Vec<f32>]) {
    let (level, peak) = (level_db(channels), peak(channels));
    assert!(level > -50.0, "the level is {level} dBFS");
    assert!(peak < 1.0, "the peak is {peak}");
}

/// Whether nothing is heard.
pub fn is_silent(channels: &[Vec<f32>]) -> bool {
    level_db(channels) < SILENCE_DB
}

/// Nothing is heard.
#[track_caller]
pub fn assert_silent(channels: &[Vec<f32>]) {
    let level = level_db(channels);
    assert!(level < SILENCE_DB, "the level is {level} dBFS");
}
