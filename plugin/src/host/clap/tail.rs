//! The length of the tail, of which a CLAP host wants to hear when it changes.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_host_tail};

use super::host::Host;

/// The length of the tail as the host knows it.
pub struct ToldTail {
    /// The host's functions for tails, once it has asked for ours; else null.
    host: AtomicPtr<clap_host_tail>,
    samples: AtomicU32,
}

impl ToldTail {
    /// The host knows of no tail.
    pub fn new() -> Self {
        Self {
            host: AtomicPtr::new(ptr::null_mut()),
            samples: AtomicU32::new(0),
        }
    }

    /// The host is interested in tails: from now on it is told when there is another. Main thread.
    pub fn begin(&self, host: Host) {
        let table = host.extension(CLAP_EXT_TAIL).cast::<clap_host_tail>();
        self.host.store(table.cast_mut(), Ordering::Release);
    }

    /// Tells the host of a tail that it does not know. Audio thread.
    pub fn tell(&self, host: Host, samples: u32) {
        if self.samples.swap(samples, Ordering::Relaxed) != samples {
            // SAFETY: an extension's table is null or lives as long as the host, which outlives the adapter.
            let table = unsafe { self.host.load(Ordering::Acquire).as_ref() };
            host.tail_changed(table);
        }
    }
}
