//! Calls on the main thread that the plugin asks a CLAP host for: to look after a fit, and to say that the
//! project has changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::host::Host;
use crate::link::DirtyNotifier;

/// While a capture or fit is under way, `process` asks this often for the main thread, which then
/// looks whether it has finished.
const POLL_INTERVAL_FRAMES: u32 = 12_000;

/// What the main thread is asked for.
pub struct MainThreadRequests {
    host: Host,
    /// The project has changed, and the host doesn't know yet.
    dirty: Arc<AtomicBool>,
    /// Frames since the audio thread last asked for the main thread.
    frames_since_poll: AtomicU32,
}

impl MainThreadRequests {
    /// No requests to `host` yet.
    pub fn new(host: Host) -> Self {
        Self {
            host,
            dirty: Arc::new(AtomicBool::new(false)),
            frames_since_poll: AtomicU32::new(0),
        }
    }

    /// A way of marking the project as changed, for any thread: the main thread passes it on.
    pub fn dirty_notifier(&self) -> DirtyNotifier {
        let (host, dirty) = (self.host, self.dirty.clone());
        Arc::new(move || {
            dirty.store(true, Ordering::Relaxed);
            host.request_callback();
        })
    }

    /// Asks for the main thread now and then; to be called after every block of `frames` in which something
    /// is under way. Audio thread.
    pub fn request_poll(&self, frames: u32) {
        let since_poll = self.frames_since_poll.load(Ordering::Relaxed);
        let frames = since_poll.saturating_add(frames);
        if frames >= POLL_INTERVAL_FRAMES {
            self.host.request_callback();
        }
        self.frames_since_poll
            .store(frames % POLL_INTERVAL_FRAMES, Ordering::Relaxed);
    }

    /// Tells the host that the project has changed, if it has. Main thread.
    pub fn pass_dirty_on(&self) {
        if self.dirty.swap(false, Ordering::Relaxed) {
            self.host.mark_dirty();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use clap_sys::host::clap_host;

    use super::super::tests::host;
    use super::*;

    /// Counts what it is asked for.
    unsafe extern "C" fn count(host: *const clap_host) {
        // SAFETY: the test puts a counter there.
        let counter = unsafe { &*(*host).host_data.cast::<AtomicU32>() };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    fn the_main_thread_is_asked_for_a_few_times_a_second_and_where_the_project_changes() {
        let counter = AtomicU32::new(0);
        let mut table = host();
        table.host_data = ptr::from_ref(&counter).cast_mut().cast();
        table.request_callback = Some(count);
        // SAFETY: the host lives until the end of the test.
        let requests = MainThreadRequests::new(unsafe { Host::new(&table) });
        for _ in 0..480 {
            requests.request_poll(100);
        }
        assert_eq!(counter.swap(0, Ordering::Relaxed), 4);
        requests.dirty_notifier()();
        assert_eq!(counter.load(Ordering::Relaxed), 1);
        assert!(requests.dirty.load(Ordering::Relaxed));
        // This host has nothing to mark a project with.
        requests.pass_dirty_on();
        assert!(!requests.dirty.load(Ordering::Relaxed));
    }
}
