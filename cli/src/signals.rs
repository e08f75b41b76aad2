//! How the process ends where it is not by itself: signals leave no half file, and say what was done.

use std::sync::{Mutex, PoisonError};

/// What is said where a signal ends the process.
type Words = Box<dyn FnOnce() + Send>;

static LAST_WORDS: Mutex<Option<Words>> = Mutex::new(None);

/// Has `words` said if a signal ends the process from here on, until [`take_last_words`].
pub fn set_last_words(words: impl FnOnce() + Send + 'static) {
    let mut last = LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    *last = Some(Box::new(words));
}

/// Takes back what was to be said.
pub fn take_last_words() -> Option<Words> {
    let mut last = LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    last.take()
}

#[cfg(unix)]
pub use unix::{catch_next, end_as_by_broken_pipe, end_if_caught, rest_if_ending, watch};

#[cfg(unix)]
mod unix {
    use std::io::{self, IsTerminal, Write};
    use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
    use std::sync::{Arc, LazyLock, Mutex, PoisonError};
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM};
    use signal_hook::flag::register_conditional_default;
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use super::take_last_words;

    /// Whether a signal is ending the process.
    static IS_ENDING: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

    /// What the next signal sets instead of ending the process.
    static CATCH: Mutex<Option<Arc<AtomicBool>>> = Mutex::new(None);

    /// The signal that was caught, or 0.
    static CAUGHT: AtomicI32 = AtomicI32::new(0);

    /// Has the next signal set `flag` instead of ending the process, for work whose best so far is worth keeping. The
    /// one after it ends the process as ever.
    pub fn catch_next(flag: Arc<AtomicBool>) {
        *CATCH.lock().unwrap_or_else(PoisonError::into_inner) = Some(flag);
    }

    /// Ends the process by the signal that was caught, if one was: whoever started it learns so.
    pub fn end_if_caught() {
        let signal = CAUGHT.load(Ordering::SeqCst);
        if signal != 0 {
            let _ = emulate_default_handler(signal);
        }
    }

    /// From here on, an interrupt, a hang-up and a request to end remove what is half written before the process
    /// ends as the signal has it; a second one ends it at once. A signal that was ignored when the process began
    /// (`nohup`) stays ignored.
    pub fn watch() {
        let watched = [SIGINT, SIGTERM, SIGHUP].into_iter();
        let watched: Vec<i32> = watched.filter(|&signal| !is_ignored(signal)).collect();
        for &signal in &watched {
            // Without it, the first signal has to do.
            let _ = register_conditional_default(signal, IS_ENDING.clone());
        }
        // Where the system refuses, signals do what they always did.
        let Ok(mut signals) = Signals::new(watched) else {
            return;
        };
        let wait = move || {
            for signal in signals.forever() {
                let catch = CATCH.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(flag) = catch {
                    CAUGHT.store(signal, Ordering::SeqCst);
                    flag.store(true, Ordering::SeqCst);
                    continue;
                }
                IS_ENDING.store(true, Ordering::SeqCst);
                weft_core::clip::abandon_part_files();
                if let Some(words) = take_last_words() {
                    if io::stderr().is_terminal() {
                        // Off the line of a progress bar. Nobody listening there is no error.
                        let _ = writeln!(io::stderr());
                    }
                    words();
                }
                // Whoever started the process learns that it was the signal that ended it.
                let _ = emulate_default_handler(signal);
            }
        };
        let _ = thread::Builder::new()
            .name("weft-signals".into())
            .spawn(wait);
    }

    /// Where a signal is ending the process, waits for that: what fails now does so because of it.
    pub fn rest_if_ending() {
        while IS_ENDING.load(Ordering::SeqCst) {
            thread::park();
        }
    }

    /// Ends the process as a broken pipe ends most programs, without a word.
    pub fn end_as_by_broken_pipe() {
        // What is left to do if the system refuses is to end with a code.
        let _ = emulate_default_handler(SIGPIPE);
    }

    fn is_ignored(signal: i32) -> bool {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: without a new action, the call only fills in the old one, which is large enough and ours; where
        // it fails, what is read is the zeroes, which are a valid value.
        let handler = unsafe {
            libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
            action.assume_init().sa_sigaction
        };
        handler == libc::SIG_IGN
    }
}

/// Elsewhere the system ends the process; a hidden temporary file may be left.
#[cfg(not(unix))]
pub fn watch() {}

/// Elsewhere nothing is caught.
#[cfg(not(unix))]
pub fn catch_next(_: std::sync::Arc<std::sync::atomic::AtomicBool>) {}

/// Elsewhere nothing is caught.
#[cfg(not(unix))]
pub fn end_if_caught() {}

/// Elsewhere nothing is known of it.
#[cfg(not(unix))]
pub fn rest_if_ending() {}

/// Elsewhere it ends with a code.
#[cfg(not(unix))]
pub fn end_as_by_broken_pipe() {}
