//! Which part of a capture is used: arithmetic of a drag at one of its ends.

use std::ops::Range;

use egui::Rangef;

/// Within so many points of an end of the used part, a drag moves that end.
const HANDLE_REACH: f32 = 8.0;
/// The shortest part that can be used, in seconds.
const SHORTEST_S: f64 = weft_core::clip::MIN_CAPTURE_S;

/// Where the seconds of a capture lie on the window.
#[derive(Clone, Copy, Debug)]
pub struct TimeAxis {
    /// From the capture's beginning to its end, in points.
    pub x: Rangef,
    /// Length of the capture in seconds.
    pub duration_s: f64,
}

impl TimeAxis {
    /// Where a time in seconds lies.
    pub fn x_of(&self, s: f64) -> f32 {
        self.x.min + self.x.span() * (s / self.duration_s) as f32
    }

    /// The time in seconds at a place, kept within the capture.
    pub fn s_of(&self, x: f32) -> f64 {
        f64::from((x - self.x.min) / self.x.span()).clamp(0.0, 1.0) * self.duration_s
    }
}

/// An end of the used part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrimEnd {
    /// Where it begins.
    Start,
    /// Where it ends.
    End,
}

impl TrimEnd {
    /// The end that is meant by a press at `x`, of those at `start` and `end`; all in points.
    pub fn near(x: f32, start: f32, end: f32) -> Option<Self> {
        let (to_start, to_end) = ((x - start).abs(), (x - end).abs());
        if to_start.min(to_end) > HANDLE_REACH {
            None
        } else if to_start < to_end {
            Some(Self::Start)
        } else {
            Some(Self::End)
        }
    }

    /// Moves this end of `used_s` to `s`, as far as it leaves enough of a capture of `duration_s`; all in
    /// seconds.
    pub fn move_to(self, used_s: &mut Range<f64>, s: f64, duration_s: f64) {
        match self {
            Self::Start => used_s.start = s.min((used_s.end - SHORTEST_S).max(0.0)),
            Self::End => used_s.end = s.max((used_s.start + SHORTEST_S).min(duration_s)),
        }
    }
}

/// How much of a capture is used, as text.
pub fn length_text(used_s: &Range<f64>, duration_s: f64) -> String {
    format!("{:.2} of {duration_s:.2} s", used_s.end - used_s.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DURATION_S: f64 = 8.0;

    fn moved(end: TrimEnd, mut used_s: Range<f64>, s: f64) -> Range<f64> {
        end.move_to(&mut used_s, s, DURATION_S);
        used_s
    }

    #[test]
    fn times_and_places_are_told_from_each_other() {
        let axis = TimeAxis {
            x: Rangef::new(100.0, 500.0),
            duration_s: DURATION_S,
        };
        assert_eq!([0.0, 2.0, 8.0].map(|s| axis.x_of(s)), [100.0, 200.0, 500.0]);
        assert_eq!([100.0, 200.0, 500.0].map(|x| axis.s_of(x)), [0.0, 2.0, 8.0]);
        assert_eq!([0.0, 900.0].map(|x| axis.s_of(x)), [0.0, 8.0]);
    }

    #[test]
    fn a_press_takes_the_nearer_end_within_reach() {
        assert_eq!(TrimEnd::near(105.0, 100.0, 300.0), Some(TrimEnd::Start));
        assert_eq!(TrimEnd::near(292.0, 100.0, 300.0), Some(TrimEnd::End));
        assert_eq!(TrimEnd::near(108.5, 100.0, 300.0), None);
        // Where both are as near, the end moves: the start may be at the left edge already.
        assert_eq!(TrimEnd::near(104.0, 100.0, 108.0), Some(TrimEnd::End));
    }

    #[test]
    fn an_end_moves_but_not_past_the_other() {
        assert_eq!(moved(TrimEnd::Start, 1.0..6.0, 2.5), 2.5..6.0);
        assert_eq!(moved(TrimEnd::End, 1.0..6.0, 7.0), 1.0..7.0);
        assert_eq!(moved(TrimEnd::Start, 1.0..6.0, 7.0), 6.0 - SHORTEST_S..6.0);
        assert_eq!(moved(TrimEnd::End, 1.0..6.0, 0.0), 1.0..1.0 + SHORTEST_S);
    }

    #[test]
    fn an_end_stays_in_a_capture_that_is_shorter_than_what_can_be_used() {
        let short_s = SHORTEST_S / 2.0;
        let mut used_s = 0.0..short_s;
        TrimEnd::Start.move_to(&mut used_s, short_s, short_s);
        assert_eq!(used_s, 0.0..short_s);
        TrimEnd::End.move_to(&mut used_s, 0.0, short_s);
        assert_eq!(used_s, 0.0..short_s);
    }

    #[test]
    fn the_length_is_told_with_the_whole() {
        assert_eq!(length_text(&(1.0..5.25), DURATION_S), "4.25 of 8.00 s");
    }
}
