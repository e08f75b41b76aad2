//! How the imprint that is being made stands, and whether it is still wanted.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Between the thread that makes an imprint and everybody else.
pub struct Board {
    is_cancelled: AtomicBool,
    /// The bits of an `f32`, 0 to 1.
    done: AtomicU32,
    /// The bits of an `f32`; not a number where it is not known.
    seconds_left: AtomicU32,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            is_cancelled: AtomicBool::new(false),
            done: AtomicU32::new(0.0f32.to_bits()),
            seconds_left: AtomicU32::new(f32::NAN.to_bits()),
        }
    }
}

impl Board {
    /// Nobody wants it any more.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::SeqCst);
    }

    /// Whether nobody wants it any more.
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::SeqCst)
    }

    /// Shows what part is `done`, kept within 0 and 1, and the seconds that are left, where they are known. Returns
    /// whether that is more than before.
    pub fn show(&self, done: f32, seconds_left: Option<f64>) -> bool {
        let known = seconds_left.filter(|seconds| seconds.is_finite());
        let seconds = known.map_or(f32::NAN, |seconds| seconds.max(0.0) as f32);
        self.seconds_left
            .store(seconds.to_bits(), Ordering::Relaxed);
        let done = if done.is_nan() {
            0.0
        } else {
            done.clamp(0.0, 1.0)
        };
        let is_more = done > self.done();
        if is_more {
            self.done.store(done.to_bits(), Ordering::Relaxed);
        }
        is_more
    }

    /// The part that is done, 0 to 1.
    pub fn done(&self) -> f32 {
        f32::from_bits(self.done.load(Ordering::Relaxed))
    }

    /// The seconds that are left, where they are known.
    pub fn seconds_left(&self) -> Option<f32> {
        let seconds = f32::from_bits(self.seconds_left.load(Ordering::Relaxed));
        seconds.is_finite().then_some(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_what_rises_and_stays_in_its_range() {
        let board = Board::default();
        assert_eq!((board.done(), board.seconds_left()), (0.0, None));
        assert!(!board.show(0.0, Some(60.0)));
        assert!(board.show(0.5, Some(3.0)) && !board.show(0.5, Some(2.0)));
        assert_eq!((board.done(), board.seconds_left()), (0.5, Some(2.0)));
        assert!(!board.show(f32::NAN, Some(f64::NAN)) && !board.show(-1.0, None));
        assert_eq!((board.done(), board.seconds_left()), (0.5, None));
        assert!(board.show(1e30, Some(-5.0)));
        assert_eq!((board.done(), board.seconds_left()), (1.0, Some(0.0)));
        board.show(1e30, Some(1e300));
        assert_eq!((board.done(), board.seconds_left()), (1.0, None));
    }
}
