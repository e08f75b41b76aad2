//! What the plugin formats tell and ask for that nice-plug does not pass on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// How the host renders, as far as its format has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RenderMode {
    /// Nothing heard yet: what nice-plug knew at activation counts.
    Unknown,
    /// Blocks have deadlines.
    Realtime,
    /// A bounce: blocks may take as long as they need.
    Offline,
}

/// Tells the host that its project has changed. Called off the audio thread.
type DirtyNotifier = Box<dyn Fn() + Send + Sync>;

/// The line between the plugin and the adapter of its format.
pub struct HostLink {
    render_mode: AtomicU8,
    main_input_connected: AtomicBool,
    dirty_notifier: Mutex<Option<DirtyNotifier>>,
}

impl Default for HostLink {
    fn default() -> Self {
        Self {
            render_mode: AtomicU8::new(RenderMode::Unknown as u8),
            main_input_connected: AtomicBool::new(true),
            dirty_notifier: Mutex::new(None),
        }
    }
}

impl HostLink {
    /// The render mode of the current block. Real-time safe.
    pub fn render_mode(&self) -> RenderMode {
        match self.render_mode.load(Ordering::Relaxed) {
            mode if mode == RenderMode::Realtime as u8 => RenderMode::Realtime,
            mode if mode == RenderMode::Offline as u8 => RenderMode::Offline,
            _ => RenderMode::Unknown,
        }
    }

    /// Sets [`HostLink::render_mode`]. Real-time safe.
    pub fn set_render_mode(&self, mode: RenderMode) {
        self.render_mode.store(mode as u8, Ordering::Relaxed);
    }

    /// Whether the main buffer of the current block holds input. Where a host hands over no main
    /// input, nice-plug leaves in it what the host's *output* buffer happened to hold.
    pub fn is_main_input_connected(&self) -> bool {
        self.main_input_connected.load(Ordering::Relaxed)
    }

    /// Sets [`HostLink::is_main_input_connected`]. Real-time safe.
    pub fn set_main_input_connected(&self, connected: bool) {
        self.main_input_connected
            .store(connected, Ordering::Relaxed);
    }

    /// Installs the format's way of marking the project as changed.
    pub fn set_dirty_notifier(&self, notifier: Option<DirtyNotifier>) {
        if let Ok(mut slot) = self.dirty_notifier.lock() {
            *slot = notifier;
        }
    }

    /// Tells the host that what it would save has changed. Not for the audio thread.
    pub fn mark_dirty(&self) {
        if let Ok(notifier) = self.dirty_notifier.lock()
            && let Some(notify) = notifier.as_ref()
        {
            notify();
        }
    }
}
