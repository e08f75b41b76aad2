//! How long the audio thread waits, where it may.

use std::time::{Duration, Instant};

use crate::instrument::shared::Waker;
use crate::instrument::stream::Supply;

/// Longest wait for the worker in a bounce: a fit of the usual length takes 8 to 14 s on two cores.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// In so much time, a bounce waits for fits no longer than [`LONGEST_WAIT`] in all: a host that goes to and fro
/// between playing and bouncing, with new fits each time, would seem to hang.
const PATIENCE_PERIOD: Duration = Duration::from_secs(60);
/// How often the audio thread looks again while it waits.
const WAIT_STEP: Duration = Duration::from_micros(50);
/// It wakes the worker with the first of so many steps: the fits want the processor as well.
const STEPS_PER_CALL: u32 = 4;

/// Waits for the worker step by step, until it was for too long.
pub(super) struct Patience {
    waker: Waker,
    deadline: Option<Instant>,
    in_vain: bool,
    steps: u32,
}

impl Patience {
    /// Until `deadline`; if that is not known yet, [`LONGEST_WAIT`] from the first wait on.
    pub fn new(waker: Waker, deadline: Option<Instant>) -> Self {
        Self {
            waker,
            deadline,
            in_vain: false,
            steps: 0,
        }
    }

    /// Whether it has come to an end.
    pub fn was_in_vain(&self) -> bool {
        self.in_vain
    }
}

impl Supply for Patience {
    fn wait(&mut self) -> bool {
        let now = Instant::now();
        if self.in_vain || now > *self.deadline.get_or_insert(now + LONGEST_WAIT) {
            self.in_vain = true;
            return false;
        }
        if self.steps.is_multiple_of(STEPS_PER_CALL) {
            self.waker.wake();
        }
        self.steps = self.steps.wrapping_add(1);
        std::thread::sleep(WAIT_STEP);
        true
    }
}

/// How long fits are waited for, all waits of a [`PATIENCE_PERIOD`] together.
#[derive(Default)]
pub(super) struct FitPatience {
    /// When the period began.
    period: Option<Instant>,
    spent: Duration,
}

impl FitPatience {
    /// Until when a wait that begins now may last.
    pub fn deadline(&mut self, now: Instant) -> Instant {
        if self
            .period
            .is_none_or(|begin| now - begin >= PATIENCE_PERIOD)
        {
            (self.period, self.spent) = (Some(now), Duration::ZERO);
        }
        now + LONGEST_WAIT.saturating_sub(self.spent)
    }

    /// Counts a wait that lasted so long.
    pub fn spend(&mut self, time: Duration) {
        self.spent += time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_waits_for_fits_together_are_no_longer_than_one() {
        let mut patience = FitPatience::default();
        let begin = Instant::now();
        assert_eq!(patience.deadline(begin) - begin, LONGEST_WAIT);
        patience.spend(LONGEST_WAIT / 2);
        let later = begin + LONGEST_WAIT;
        assert_eq!(patience.deadline(later) - later, LONGEST_WAIT / 2);
        patience.spend(LONGEST_WAIT);
        assert_eq!(patience.deadline(later), later);
        let next = begin + PATIENCE_PERIOD;
        assert_eq!(patience.deadline(next) - next, LONGEST_WAIT);
    }
}
