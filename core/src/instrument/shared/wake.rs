//! Waking the worker: everybody who has something for it may, but the audio thread only where it waits anyway,
//! as this calls the system.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::atomics::{AtomicBool, Ordering, Thread, current, park_timeout};

#[derive(Default)]
struct Bell {
    /// Who sleeps, from its first sleep on.
    sleeper: OnceLock<Thread>,
    is_rung: AtomicBool,
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
        let was_rung = self.0.is_rung.swap(true, Ordering::AcqRel);
        if !was_rung && let Some(sleeper) = self.0.sleeper.get() {
            sleeper.unpark();
        }
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

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use std::thread;

    use super::*;

    /// Nobody sleeps as long: a test that does has hung.
    const FOREVER: Duration = Duration::from_secs(3_600);

    #[test]
    fn who_was_woken_does_not_fall_asleep() {
        let (waker, sleeper) = bell();
        waker.wake();
        waker.clone().wake();
        assert!(sleeper.sleep(FOREVER));
        // Two rings are one.
        assert!(!sleeper.sleep(Duration::ZERO));
    }

    #[test]
    fn what_is_seen_after_a_sleep_is_all_that_was_rung_for() {
        const MESSAGES: u32 = 2_000;
        let (waker, sleeper) = bell();
        let (sender, messages) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            for message in 0..MESSAGES {
                sender.send(message).unwrap();
                waker.wake();
                if message % 64 == 0 {
                    // Lets the other one fall asleep now and then.
                    thread::sleep(Duration::from_micros(50));
                }
            }
        });
        let mut seen = 0;
        while seen < MESSAGES {
            sleeper.sleep(FOREVER);
            seen += messages.try_iter().count() as u32;
        }
        thread.join().unwrap();
    }
}
