//! The watch: one thread for all instruments of the process, which rings for the audio threads. They may not
//! call the system, and so can't wake a worker; each leaves a call at its bell, and the watch looks for calls. So
//! many workers sleep, and only one thread looks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use super::atomics::{AtomicBool, Ordering};
use super::stillness::Stillness;
use super::wake::{Calls, Sleeper, Waker, bell};

/// How often it looks while an audio thread is at work: a stream that is played keeps frames for an eighth of a
/// second, even two octaves up.
const SHORTEST: Duration = Duration::from_millis(4);
/// How often where none is: a note whose stream is not there when a host goes on after a long stop waits for no
/// more than this.
const LONGEST: Duration = Duration::from_millis(50);

/// What the thread shares with those who keep the watch.
#[derive(Default)]
struct Watched {
    bells: Mutex<Vec<Calls>>,
    is_over: AtomicBool,
}

impl Watched {
    fn bells(&self) -> MutexGuard<'_, Vec<Calls>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings for all calls. Returns whether anything has moved since the last look.
    fn look(&self) -> bool {
        let mut has_moved = false;
        self.bells().retain(|calls| {
            let answer = calls.answer();
            has_moved |= answer == Some(true);
            answer.is_some()
        });
        has_moved
    }

    fn run(&self, sleeper: &Sleeper) {
        let mut stillness = Stillness::default();
        while !self.is_over.load(Ordering::Acquire) {
            if self.look() {
                stillness.end();
            }
            if sleeper.sleep(stillness.next_nap(SHORTEST, LONGEST)) {
                stillness.end();
            }
        }
    }
}

/// Keeps the watch. The thread ends, and is waited for, with the last of all that were made: the library may be
/// taken out of memory then.
pub(in crate::instrument) struct Watch {
    watched: Arc<Watched>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

/// The watch of those who came last, if any are left.
static NEWEST: Mutex<Weak<Watch>> = Mutex::new(Weak::new());

impl Watch {
    /// The process's watch, over the calls that are left with `waker` too from now on. No audio thread's.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn over(waker: &Waker) -> std::io::Result<Arc<Self>> {
        let mut newest = NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = match newest.upgrade() {
            Some(watch) => watch,
            None => Arc::new(Self::start()?),
        };
        *newest = Arc::downgrade(&watch);
        watch.watched.bells().push(waker.calls());
        watch.waker.wake();
        Ok(watch)
    }

    fn start() -> std::io::Result<Self> {
        let watched = Arc::new(Watched::default());
        let (waker, sleeper) = bell();
        let of_thread = watched.clone();
        let thread = std::thread::Builder::new()
            .name("weft-watch".into())
            .spawn(move || of_thread.run(&sleeper))?;
        Ok(Self {
            watched,
            waker,
            thread: Some(thread),
        })
    }

    /// Wakes the watch itself, which looks more often for a while.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watched.is_over.store(true, Ordering::Release);
        self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // It can't panic; if it did, there is nothing left to do.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody sleeps as long: a test that does has hung.
    const FOREVER: Duration = Duration::from_secs(3_600);

    #[test]
    fn calls_of_all_who_are_watched_are_answered_by_one_watch() {
        let bells: Vec<_> = (0..3).map(|_| bell()).collect();
        let watches: Vec<_> = (bells.iter())
            .map(|(waker, _)| Watch::over(waker).unwrap())
            .collect();
        for (waker, sleeper) in &bells {
            waker.call();
            assert!(sleeper.sleep(FOREVER));
        }
        assert!(watches.iter().all(|w| Arc::ptr_eq(w, &watches[0])));
    }

    #[test]
    fn bells_that_are_gone_are_forgotten() {
        let watched = Watched::default();
        let (stays, goes) = (bell(), bell());
        watched.bells().extend([stays.0.calls(), goes.0.calls()]);
        goes.0.call();
        drop(goes);
        assert!(!watched.look() && watched.bells().len() == 1);
        stays.0.stir();
        assert!(watched.look() && !watched.look());
    }
}
