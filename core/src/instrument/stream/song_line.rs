//! The song's way through a texture: which part of it belongs to which moment. Plain numbers, for both threads.

/// Locked positions are rounded to 1/256 of a frame: the last bits of the host's clock must not be heard.
const POSITION_GRID: f64 = 256.0;
/// Offset of the grid, in its own steps: off the round numbers that positions like to take, where rounding could
/// go either way.
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

/// A position of a locked stream, in frames, rounded down to the grid.
pub(super) fn on_grid(position: f64) -> f64 {
    (position * POSITION_GRID + POSITION_OFFSET).floor() / POSITION_GRID
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texture_goes_by_with_the_song_from_its_anchor_on() {
        let line = SongLine {
            now_s: 3.0,
            rate_s: 0.01,
            anchor_s: (2.0, 7.0),
        };
        assert_eq!(line.position_s(0.0, 1.0), 8.0);
        assert_eq!(line.position_s(100.0, 0.5), 8.0);
        assert_eq!(line.position_s(-50.0, 0.0), 7.0);
    }

    #[test]
    fn the_last_bits_of_a_position_are_not_heard() {
        for position in [-3.0, 0.0, 12.25, 100_000.5] {
            let (below, above) = (on_grid(position - 1e-9), on_grid(position + 1e-9));
            assert_eq!((below, above), (position, position));
        }
    }
}
