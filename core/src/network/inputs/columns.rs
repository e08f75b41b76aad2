//! Which columns of every time scale a run of frames needs.

use crate::network::SCALES;

/// Columns of one scale that a run of frames needs, in columns of that scale, relative to the run's start.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    first: i64,
    end: i64,
}

/// The columns that frames `0..frames` need, coarsest scale first. Every scale's two convolutions take
/// two columns off either side.
fn spans(frames: usize) -> [Span; SCALES] {
    let mut out = [Span { first: 0, end: 0 }; SCALES];
    let (mut first, mut end) = (0, frames as i64);
    for span in out.iter_mut().rev() {
        (first, end) = (first - 2, end + 2);
        *span = Span { first, end };
        (first, end) = (first.div_euclid(2), (end + 1).div_euclid(2));
    }
    out
}

/// The columns of one scale that a run of frames needs, by absolute frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The scale, counted from the coarsest.
    pub scale: usize,
    /// The first column, in columns of this scale.
    pub first: i64,
    /// How many there are.
    pub count: usize,
    /// How many of the coarser scale's doubled columns lie before the first one.
    pub skip: usize,
}

impl Columns {
    /// Of every scale, for `frames` frames from absolute frame `start` on, a multiple of 32.
    pub fn of_frames(start: i64, frames: usize) -> [Self; SCALES] {
        let spans = spans(frames);
        std::array::from_fn(|scale| {
            let Span { first, end } = spans[scale];
            let skip = match scale {
                0 => 0,
                _ => (first - 2 * (spans[scale - 1].first + 2)) as usize,
            };
            Self {
                scale,
                first: first + start / column_frames(scale),
                count: (end - first) as usize,
                skip,
            }
        })
    }

    /// The absolute columns, in order.
    pub fn indices(self) -> impl Iterator<Item = i64> {
        (0..self.count as i64).map(move |i| self.first + i)
    }

    /// Frames that one of them stands for.
    pub fn column_frames(self) -> i64 {
        column_frames(self.scale)
    }
}

/// Frames that one column of scale `s` stands for.
fn column_frames(s: usize) -> i64 {
    1 << (SCALES - 1 - s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scale_hands_on_what_the_next_one_needs() {
        for frames in [32, 192, 384, 33] {
            let columns = Columns::of_frames(64, frames);
            for pair in columns.windows(2) {
                let (coarse, fine) = (pair[0], pair[1]);
                let handed_on = 2 * (coarse.count - 4);
                assert!(fine.skip < 2 && fine.skip + fine.count <= handed_on);
                assert_eq!(fine.first - fine.skip as i64, 2 * (coarse.first + 2));
            }
            let finest = columns[SCALES - 1];
            assert_eq!((finest.first, finest.count), (62, frames + 4));
        }
    }
}
