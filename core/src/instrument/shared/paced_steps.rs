//! How far a fit is that keeps to the song's pace: from its thread to the worker.

use super::PacedCapture;
use super::atomics::{AtomicBool, AtomicU32, Ordering};

/// What the thread of a fit that keeps to the song's pace shares with the worker.
pub(in crate::instrument) struct PacedSteps {
    capture: PacedCapture,
    /// Steps that are done and told of; the sound before the first one counts as one.
    reached: AtomicU32,
    /// The bounce is over, and the fit goes on as any other.
    is_over: AtomicBool,
}

impl PacedSteps {
    pub fn new(capture: PacedCapture) -> Self {
        Self {
            capture,
            reached: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    /// Number of the capture.
    pub fn capture(&self) -> PacedCapture {
        self.capture
    }

    /// Steps that are done and told of.
    pub fn reached(&self) -> u32 {
        self.reached.load(Ordering::Acquire)
    }

    /// Says that so many steps are done and told of.
    pub fn reach(&self, steps: u32) {
        self.reached.store(steps, Ordering::Release);
    }

    /// Says that the bounce is over.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Whether the bounce is over.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}
