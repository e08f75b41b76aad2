//! What the plugin may call of the host, by thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, ThreadId};

use clack_extensions::latency::{HostLatency, HostLatencyImpl};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamRescanFlags,
};
use clack_extensions::state::{HostState, HostStateImpl};
use clack_extensions::thread_check::{HostThreadCheck, HostThreadCheckImpl};
use clack_host::prelude::*;

thread_local! {
    static IS_AUDIO_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Makes the calling thread an audio thread.
pub(super) fn become_audio_thread() {
    IS_AUDIO_THREAD.set(true);
}

/// What the plugin may call from any thread.
pub(super) struct Shared {
    main_thread: ThreadId,
    callback_requested: AtomicBool,
    process_requests: AtomicU32,
}

impl Shared {
    /// For an instance whose main thread is the calling one.
    pub(super) fn of_this_thread() -> Self {
        Self {
            main_thread: thread::current().id(),
            callback_requested: AtomicBool::new(false),
            process_requests: AtomicU32::new(0),
        }
    }

    /// Whether the plugin asked to be called back on the main thread since the last time.
    pub(super) fn take_callback_request(&self) -> bool {
        self.callback_requested.swap(false, Ordering::AcqRel)
    }

    /// How often the plugin asked to be processed.
    pub(super) fn process_requests(&self) -> u32 {
        self.process_requests.load(Ordering::Acquire)
    }
}

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {}
    fn request_process(&self) {
        self.process_requests.fetch_add(1, Ordering::AcqRel);
    }
    fn request_callback(&self) {
        self.callback_requested.store(true, Ordering::Release);
    }
}

impl HostThreadCheckImpl for Shared {
    fn is_main_thread(&self) -> bool {
        thread::current().id() == self.main_thread
    }

    fn is_audio_thread(&self) -> bool {
        IS_AUDIO_THREAD.get()
    }
}

impl HostParamsImplShared for Shared {
    // A request for a flush is served by the next process call.
    fn request_flush(&self) {}
}

/// What the plugin may call from the main thread.
#[derive(Default)]
pub(super) struct MainThread {
    dirty_marks: AtomicU32,
}

impl MainThread {
    /// How often the plugin has said that its state changed.
    pub(super) fn dirty_marks(&self) -> u32 {
        self.dirty_marks.load(Ordering::Relaxed)
    }
}

impl MainThreadHandler<'_> for MainThread {}

impl HostStateImpl for MainThread {
    fn mark_dirty(&self) {
        self.dirty_marks.fetch_add(1, Ordering::Relaxed);
    }
}

impl HostLatencyImpl for MainThread {
    fn changed(&self) {}
}

impl HostParamsImplMainThread for MainThread {
    fn rescan(&self, _flags: ParamRescanFlags) {}
    fn clear(&self, _id: ClapId, _flags: ParamClearFlags) {}
}

/// The host, by what its threads give the plugin.
pub(super) struct Host;

impl HostHandlers for Host {
    type Shared<'a> = Shared;
    type MainThread<'a> = MainThread;
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _shared: &Self::Shared<'_>) {
        builder
            .register::<HostLatency>()
            .register::<HostParams>()
            .register::<HostState>()
            .register::<HostThreadCheck>();
    }
}
