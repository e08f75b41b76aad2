//! The song's way through a texture.

/// Locked positions are rounded to 1/256 of a frame: the last bits of the host's clock must not be heard.
const POSITION_GRID: f64 = 256.0;
/// Off the round numbers that positions like to take, where rounding could go either way.
const POSITION_OFFSET: f64 = 0.37;

/// Where the song is, and which part of the texture belongs there; both in seconds of the texture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::instrument) struct SongLine {
    /// Seconds from the song's beginning, at the sample that comes next.
    pub now_s: f64,
    /// Seconds in a sample of the host.
    pub rate_s: f64,
    /// A place in the song and the place in the texture that it has: time counts from there.
    pub anchor_s: (f64, f64),
}

impl SongLine {
    /// Place in the texture `samples` of the host from now, in seconds.
    pub fn position_s(&self, samples: f64, time: f64) -> f64 {
        let (song, position) = self.anchor_s;
        position + (self.now_s + samples * self.rate_s - song) * time
    }
}

/// A locked position, in frames.
pub(super) fn on_grid(position: f64) -> f64 {
    ((position * POSITION_GRID + POSITION_OFFSET).floor()) / POSITION_GRID
}
