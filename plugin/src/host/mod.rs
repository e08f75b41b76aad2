//! What the plugin formats tell and ask for that nice-plug does not pass on.
//!
//! Its wrappers keep to themselves when a bounce begins, whether the main input is there at all, and
//! have no way to say that the project has changed; and they read input buses that a host did not
//! pass. So each format's entry point puts a thin adapter around nice-plug's object, which hands
//! every call on and sees to those four.

mod clap;
mod vst3;

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::session::Session;

/// Input buses of the plugin's only layout: the main input and the capture input.
const INPUT_BUSES: usize = 2;

/// The session of the plugin object that was made last.
static NEWEST_SESSION: Mutex<Weak<Session>> = Mutex::new(Weak::new());

/// Lets the adapter around the plugin object that is being made find its session.
pub fn announce(session: &Arc<Session>) {
    if let Ok(mut newest) = NEWEST_SESSION.lock() {
        *newest = Arc::downgrade(session);
    }
}

/// Runs nice-plug's constructor, which makes a plugin object out of sight, and returns what it made
/// with the session of that object.
fn create_with_session<T>(create: impl FnOnce() -> T) -> Option<(T, Arc<Session>)> {
    /// One constructor at a time, or the sessions could be mixed up.
    static CREATING: Mutex<()> = Mutex::new(());
    let _creating = CREATING.lock().ok()?;
    let created = create();
    let session = NEWEST_SESSION.lock().ok()?.upgrade()?;
    Some((created, session))
}

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

/// Whether an input bus has channels, and all of them lead somewhere: some hosts keep a bus that
/// nothing is routed to in the list, with null pointers in it.
///
/// # Safety
/// Unless null, `channels` points to `count` channel pointers.
unsafe fn is_connected(channels: *const *mut f32, count: usize) -> bool {
    if channels.is_null() || count == 0 {
        return false;
    }
    // SAFETY: by the contract above.
    unsafe { std::slice::from_raw_parts(channels, count) }
        .iter()
        .all(|channel| !channel.is_null())
}
