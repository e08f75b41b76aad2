//! Rest for nice-plug's background thread.
//!
//! In VST3 on Linux, nice-plug tells its window of every automated value on a thread that all instances
//! share. If the host opens or closes the window at that moment, both meet at one cell, and the loser
//! panics: the thread is gone then, and the last instance to be removed takes the host with it. So that
//! thread rests while a window opens or closes.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// The thread may have much to do, or may be gone.
const PATIENCE: Duration = Duration::from_millis(300);

/// A task for the background thread: to do nothing for a while.
pub struct Rest {
    begun: Sender<()>,
    over: Receiver<()>,
}

/// The background thread rests until this is dropped.
pub struct Resting {
    _over: Sender<()>,
}

impl Rest {
    /// Done by the background thread.
    pub fn wait(self) {
        // If nobody waits for it any more, there is nothing to rest for.
        if self.begun.send(()).is_ok() {
            let _ = self.over.recv();
        }
    }

    /// Gives `schedule` a rest to schedule, and waits until it has begun; `None` if that takes too long.
    pub fn begin(schedule: impl FnOnce(Self)) -> Option<Resting> {
        let ((begun, has_begun), (is_over, over)) = (channel(), channel());
        schedule(Self { begun, over });
        has_begun.recv_timeout(PATIENCE).ok()?;
        Some(Resting { _over: is_over })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_rests_until_it_is_told_otherwise() {
        let (done, is_done) = channel();
        let resting = Rest::begin(|rest| {
            std::thread::spawn(move || {
                rest.wait();
                done.send(()).unwrap();
            });
        });
        assert!(resting.is_some());
        assert!(is_done.recv_timeout(Duration::from_millis(20)).is_err());
        drop(resting);
        assert!(is_done.recv_timeout(Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn without_a_thread_nobody_waits_for_long() {
        let mut kept = None;
        assert!(Rest::begin(|rest| kept = Some(rest)).is_none());
        // Should it come back, it is not held up.
        kept.unwrap().wait();
    }
}
