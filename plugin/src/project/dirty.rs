//! What the host has been notified of: it has to know when its project has changed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Compares the instrument's revision with the one that the host knows of. Any thread, real-time safe.
#[derive(Debug, Default)]
pub struct DirtyTracker {
    /// Revision of the instrument that the host knows of.
    notified_revision: AtomicU64,
    /// Whether the host has been notified that something is under way.
    notified_of_work: AtomicBool,
    /// Whether the host itself is changing the instrument, by loading a project.
    loading: AtomicBool,
}

impl DirtyTracker {
    /// Whether the host has to be notified now of an instrument that is at `revision`, and `busy` or at
    /// rest: once when a change begins, and once when it has come to rest. Counts it as notified.
    pub fn take_notice(&self, revision: u64, busy: bool) -> bool {
        if busy {
            // Something new is there already; what becomes of it is for when it is done.
            let is_new = revision != self.notified_revision.load(Ordering::Relaxed)
                && !self.loading.load(Ordering::Relaxed);
            return is_new && !self.notified_of_work.swap(true, Ordering::Relaxed);
        }
        self.notified_of_work.store(false, Ordering::Relaxed);
        let notified = self.notified_revision.swap(revision, Ordering::Relaxed);
        notified != revision && !self.loading.swap(false, Ordering::Relaxed)
    }

    /// Whether something is under way or done that the host has not been notified of yet.
    pub fn is_pending(&self, revision: u64, busy: bool) -> bool {
        busy || revision != self.notified_revision.load(Ordering::Relaxed)
    }

    /// Notes that the host changes the instrument itself, by loading a project in which everything
    /// `is_finished`. It knows what it loads, but not what becomes of fits that go on.
    pub fn project_loads(&self, is_finished: bool) {
        self.loading.store(is_finished, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_noticed_when_it_begins_and_when_it_has_come_to_rest() {
        let tracker = DirtyTracker::default();
        assert!(!tracker.is_pending(0, false));
        assert!(!tracker.take_notice(0, false));
        // At work, but nothing is new yet.
        assert!(tracker.is_pending(0, true));
        assert!(!tracker.take_notice(0, true));
        let notices = [(1, true), (1, true), (2, true), (3, false), (3, false)]
            .map(|(revision, busy)| tracker.take_notice(revision, busy));
        assert_eq!(notices, [true, false, false, true, false]);
        assert!(!tracker.is_pending(3, false));
    }

    #[test]
    fn what_the_host_loads_is_no_news_to_it_but_fits_that_go_on_are() {
        let tracker = DirtyTracker::default();
        tracker.project_loads(true);
        assert!(!tracker.take_notice(1, true));
        assert!(!tracker.take_notice(1, false));
        // The next change is the user's.
        assert!(tracker.take_notice(2, false));
        tracker.project_loads(false);
        assert!(tracker.take_notice(3, true));
        assert!(tracker.take_notice(4, false));
    }
}
