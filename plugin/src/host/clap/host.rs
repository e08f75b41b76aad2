//! The host as a CLAP plugin sees it.

use std::ffi::{CStr, c_void};
use std::ptr;

use clap_sys::ext::state::{CLAP_EXT_STATE, clap_host_state};
use clap_sys::ext::tail::clap_host_tail;
use clap_sys::host::clap_host;

/// The host's side. CLAP keeps it alive for as long as the plugin.
#[derive(Clone, Copy)]
pub struct Host(*const clap_host);

// SAFETY: the struct behind the pointer does not change while a plugin lives, and of its functions
// only `request_callback`, `request_process` and, on the audio thread, a tail's `changed` are called from other
// threads than the main thread, which CLAP allows.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    /// The host behind `host`.
    ///
    /// # Safety
    /// `host` is a host that outlives what is made of it.
    pub unsafe fn new(host: *const clap_host) -> Self {
        Self(host)
    }

    /// Asks for a call of `on_main_thread`. Any thread, real-time safe.
    pub fn request_callback(self) {
        // SAFETY: the host outlives this, see `new`.
        unsafe {
            if let Some(request_callback) = (*self.0).request_callback {
                request_callback(self.0);
            }
        }
    }

    /// Asks for blocks. Any thread.
    pub fn request_process(self) {
        // SAFETY: the host outlives this, see `new`.
        unsafe {
            if let Some(request_process) = (*self.0).request_process {
                request_process(self.0);
            }
        }
    }

    /// Says that there is another tail, by the host's functions for tails, if it has any. Audio thread.
    pub fn tail_changed(self, tail: Option<&clap_host_tail>) {
        if let Some(changed) = tail.and_then(|tail| tail.changed) {
            // SAFETY: the host outlives this, see `new`.
            unsafe { changed(self.0) };
        }
    }

    /// The host's table of functions for an extension, or null. Main thread.
    pub fn extension(self, id: &CStr) -> *const c_void {
        // SAFETY: the host outlives this, see `new`.
        unsafe {
            match (*self.0).get_extension {
                Some(get_extension) => get_extension(self.0, id.as_ptr()),
                None => ptr::null(),
            }
        }
    }

    /// Says that the project has changed. Main thread.
    pub fn mark_dirty(self) {
        let state = self.extension(CLAP_EXT_STATE).cast::<clap_host_state>();
        // SAFETY: an extension's table is null or lives as long as the host, which outlives this.
        unsafe {
            if let Some(mark_dirty) = state.as_ref().and_then(|state| state.mark_dirty) {
                mark_dirty(self.0);
            }
        }
    }
}
