//! How often the window is drawn: as often as meters want it while anything moves, and seldom else. What the
//! user does is drawn at once in any case.

use std::time::{Duration, Instant};

use weft_core::instrument::{Phase, Status};

/// From frame to frame while meters and progress move.
const MOVING: Duration = Duration::from_millis(33);
/// And while nothing does: what begins to move may be seen so late.
const STILL: Duration = Duration::from_millis(250);
/// A meter's needle has fallen from full scale after three seconds.
const SETTLING: Duration = Duration::from_secs(4);

/// The pace of the window's frames.
#[derive(Debug, Default)]
pub struct Pace {
    /// When something has moved last, by what was seen.
    moved: Option<Instant>,
    is_still: bool,
}

impl Pace {
    /// Takes what a frame shows at `now`. It `has_news` where something is new, set, or in the making.
    pub fn see(&mut self, status: &Status, has_news: bool, now: Instant) {
        if has_news || is_moving(status) || self.moved.is_none() {
            self.moved = Some(now);
        }
        self.is_still = (self.moved).is_some_and(|moved| now.duration_since(moved) > SETTLING);
    }

    /// From this frame to the next.
    pub fn interval(&self) -> Duration {
        if self.is_still { STILL } else { MOVING }
    }
}

/// Whether something sounds, is heard, or goes on.
fn is_moving(status: &Status) -> bool {
    let goes_on = matches!(
        status.phase,
        Phase::Capturing { .. } | Phase::Fitting { .. }
    );
    goes_on || status.voices > 0 || status.output_peak > 0.0 || status.input_peak > 0.0
}

#[cfg(test)]
mod tests {
    use weft_core::instrument::Slot;

    use super::*;
    use crate::editor::test_window::TestWindow;

    #[test]
    fn the_window_is_drawn_seldom_where_nothing_moves_and_often_as_soon_as_something_does() {
        let mut window = TestWindow::instrument();
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut see = |status: &Status, has_news, at_s| {
            pace.see(status, has_news, start + Duration::from_secs(at_s));
            pace.interval()
        };
        let still = window.status.clone();
        assert_eq!(see(&still, false, 0), MOVING);
        assert_eq!(see(&still, false, 3), MOVING);
        assert_eq!(see(&still, false, 5), STILL);
        assert_eq!(see(&still, true, 6), MOVING);
        assert_eq!(see(&still, false, 60), STILL);
        window.fits(Slot::A);
        let voice = Status {
            voices: 1,
            ..still.clone()
        };
        let input = Status {
            input_peak: 1e-3,
            ..still.clone()
        };
        for (moving, at_s) in [(&window.status, 100), (&voice, 200), (&input, 300)] {
            assert_eq!(see(moving, false, at_s), MOVING);
            assert_eq!(see(&still, false, at_s + 50), STILL);
        }
    }
}
