//! A pause of nice-plug's background thread.
//!
//! In VST3 on Linux, nice-plug tells its window of every automated value on a thread that all instances
//! share. If the host opens or closes the window at that moment, both meet at one cell, and the loser
//! panics: the thread is gone then, and the last instance to be removed takes the host with it. So that
//! thread pauses while a window opens or closes.
//!
//! [`PauseTask`] is run by the background thread; a [`BackgroundPause`] is held by the main thread.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// How long the main thread waits for a pause to begin: the background thread may have much to do, or
/// may be gone.
const BEGIN_TIMEOUT: Duration = Duration::from_millis(300);

/// A task for the background thread: to do nothing for a while.
pub struct PauseTask {
    begun: Sender<()>,
    over: Receiver<()>,
}

/// The background thread does nothing until this is dropped.
pub struct BackgroundPause {
    _over: Sender<()>,
}

impl PauseTask {
    /// Waits until the pause is over. For the background thread.
    pub fn run(self) {
        // If nobody waits for the pause any more, there is nothing to pause for.
        if self.begun.send(()).is_ok() {
            let _ = self.over.recv();
        }
    }
}

impl BackgroundPause {
    /// Hands `schedule` a pause to schedule, and waits until it has begun; `None` if that takes too long.
    /// For the main thread.
    pub fn begin(schedule: impl FnOnce(PauseTask)) -> Option<Self> {
        let ((begun, has_begun), (is_over, over)) = (channel(), channel());
        schedule(PauseTask { begun, over });
        has_begun.recv_timeout(BEGIN_TIMEOUT).ok()?;
        Some(Self { _over: is_over })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_pauses_until_the_pause_is_dropped() {
        let (done, is_done) = channel();
        let pause = BackgroundPause::begin(|task| {
            std::thread::spawn(move || {
                task.run();
                done.send(()).unwrap();
            });
        });
        assert!(pause.is_some());
        assert!(is_done.recv_timeout(Duration::from_millis(20)).is_err());
        drop(pause);
        assert!(is_done.recv_timeout(Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn without_a_thread_nobody_waits_for_long() {
        let mut kept = None;
        assert!(BackgroundPause::begin(|task| kept = Some(task)).is_none());
        // Should the thread come back, it is not held up.
        kept.unwrap().run();
    }
}
