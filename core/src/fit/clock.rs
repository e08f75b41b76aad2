//! How long a helper works, by its listener's watch.

use std::time::{Duration, Instant};

/// What a helper's time is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// It has not said what it is; how long that may take is the business of whoever waits for it.
    Nothing,
    Queue,
    Work,
}

/// How long a helper has worked and waited: without the time that its listener took.
pub struct Clock {
    pub trial: Duration,
    pub counts: Counted,
    pub worked: Duration,
    pub queued: Duration,
    resumed: Instant,
    /// Steps that it has made.
    pub step: u32,
}

impl Clock {
    pub fn new(trial: Duration) -> Self {
        Self {
            trial,
            counts: Counted::Nothing,
            worked: Duration::ZERO,
            queued: Duration::ZERO,
            resumed: Instant::now(),
            step: 0,
        }
    }

    /// Counts the time since it was resumed.
    pub fn count(&mut self) {
        let passed = self.resumed.elapsed();
        match self.counts {
            Counted::Nothing => {}
            Counted::Queue => self.queued += passed,
            Counted::Work => self.worked += passed,
        }
    }

    /// Begins to count.
    pub fn resume(&mut self) {
        self.resumed = Instant::now();
    }
}
