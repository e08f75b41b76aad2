//! Waking the worker. Everybody who has something for it rings; the audio thread only where it waits anyway, as
//! this calls the system. In real time it leaves a call behind, for which the [`watch`](super::watch) rings.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use super::atomics::{AtomicBool, AtomicU64, Ordering, Thread, current, park_timeout};

#[derive(Default)]
struct Bell {
    /// Who sleeps, from its first sleep on.
    sleeper: OnceLock<Thread>,
    is_rung: AtomicBool,
    /// Rings so far that were one each.
    rings: AtomicU64,
    /// Somebody who may not ring has something for the sleeper.
    is_called: AtomicBool,
    /// Who may not ring is at work: there may be a call soon.
    has_stirred: AtomicBool,
}

/// The bell: any number of ends that wake, and one that sleeps.
pub(in crate::instrument) fn bell() -> (Waker, Sleeper) {
    let bell = Arc::new(Bell::default());
    (Waker(bell.clone()), Sleeper(bell))
}

/// The end of those who wake.
#[derive(Clone)]
pub(in crate::instrument) struct Waker(Arc<Bell>);

impl Waker {
    /// Ends the sleep, or else the next one before it begins. Call it when what it is for can be seen.
    pub fn wake(&self) {
        self.0.ring();
    }

    /// Has the sleep ended within a few milliseconds, by the watch. Call it when what it is for can be seen.
    /// Real-time safe.
    pub fn call(&self) {
        // Always written: who takes the call then sees all that was done before it, or finds another one.
        self.0.is_called.swap(true, Ordering::AcqRel);
    }

    /// Says that the audio thread is at work. Real-time safe.
    pub fn stir(&self) {
        self.0.has_stirred.store(true, Ordering::Relaxed);
    }

    /// How often the sleep was ended, but for its length.
    pub fn rings(&self) -> u64 {
        self.0.rings.load(Ordering::Relaxed)
    }

    /// The end of the watch.
    pub fn calls(&self) -> Calls {
        Calls(Arc::downgrade(&self.0))
    }
}

impl Bell {
    fn ring(&self) {
        if self.is_rung.swap(true, Ordering::AcqRel) {
            return;
        }
        self.rings.fetch_add(1, Ordering::Relaxed);
        if let Some(sleeper) = self.sleeper.get() {
            sleeper.unpark();
        }
    }
}

/// The end of who rings for those who may not. It keeps no bell.
pub(in crate::instrument) struct Calls(Weak<Bell>);

impl Calls {
    /// Rings if there was a call. Returns whether anything has moved since the last look; `None`: the bell is
    /// gone.
    pub fn answer(&self) -> Option<bool> {
        let bell = self.0.upgrade()?;
        let is_called = bell.is_called.swap(false, Ordering::AcqRel);
        if is_called {
            bell.ring();
        }
        Some(bell.has_stirred.swap(false, Ordering::Relaxed) || is_called)
    }
}

/// The end of the one thread that sleeps.
pub(in crate::instrument) struct Sleeper(Arc<Bell>);

impl Sleeper {
    /// Sleeps until it is woken, but no longer than `longest`; not at all where it was woken since the last
    /// sleep. Returns whether it was.
    pub fn sleep(&self, longest: Duration) -> bool {
        self.0.sleeper.get_or_init(current);
        self.take_ring() || {
            park_timeout(longest);
            self.take_ring()
        }
    }

    fn take_ring(&self) -> bool {
        self.0.is_rung.swap(false, Ordering::AcqRel)
    }
}
