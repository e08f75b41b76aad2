//! What the plugin formats tell and ask for that nice-plug does not pass on.
//!
//! Its wrappers keep to themselves when a bounce begins, whether the main input is there at all, and
//! have no way to say that the project has changed; they read input buses that a host did not pass,
//! give the pitch wheel away unless a plugin takes two thousand parameters with it, drop values that a
//! VST3 host sets while blocks are processed, and lose count of the song where they cut a block. So each format's entry point puts a thin adapter around
//! nice-plug's object, which hands every call on and sees to those.

mod background;
mod clap;
mod clap_events;
mod vst3;
mod vst3_edits;
mod vst3_inputs;
mod vst3_view;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

pub use background::Rest;
use background::Resting;

use crate::parameters::WeftParams;
use crate::session::Session;

/// Input buses of the plugin that has most: the main input and the capture input.
const MOST_INPUT_BUSES: usize = 2;

/// What the adapters need of the plugin object that was made last.
static NEWEST: Mutex<(Weak<Session>, Weak<WeftParams>)> = Mutex::new((Weak::new(), Weak::new()));

/// Lets the adapter around the plugin object that is being made find its session and parameters.
pub fn announce(session: &Arc<Session>, params: &Arc<WeftParams>) {
    if let Ok(mut newest) = NEWEST.lock() {
        *newest = (Arc::downgrade(session), Arc::downgrade(params));
    }
}

/// Runs nice-plug's constructor, which makes a plugin object out of sight, and returns what it made
/// with the session and the parameters of that object.
fn create_with_session<T>(
    create: impl FnOnce() -> T,
) -> Option<(T, Arc<Session>, Arc<WeftParams>)> {
    /// One constructor at a time, or they could be mixed up.
    static CREATING: Mutex<()> = Mutex::new(());
    let _creating = CREATING.lock().ok()?;
    let created = create();
    let newest = NEWEST.lock().ok()?;
    Some((created, newest.0.upgrade()?, newest.1.upgrade()?))
}

/// Tells the host that its project has changed. Called off the audio thread.
type DirtyNotifier = Arc<dyn Fn() + Send + Sync>;

/// Gives nice-plug's background thread a rest.
type BackgroundRester = Arc<dyn Fn(Rest) + Send + Sync>;

/// The line between the plugin and the adapter of its format.
pub struct HostLink {
    offline: AtomicBool,
    main_input_connected: AtomicBool,
    /// The bits of an `f32`.
    sample_rate: AtomicU32,
    /// The bits of an `f64`; 0 where the host doesn't say.
    beats_per_bar: AtomicU64,
    dirty_notifier: Mutex<Option<DirtyNotifier>>,
    background_rester: Mutex<Option<BackgroundRester>>,
}

impl Default for HostLink {
    fn default() -> Self {
        Self {
            offline: AtomicBool::new(false),
            main_input_connected: AtomicBool::new(true),
            sample_rate: AtomicU32::new(0),
            beats_per_bar: AtomicU64::new(0),
            dirty_notifier: Mutex::new(None),
            background_rester: Mutex::new(None),
        }
    }
}

impl HostLink {
    /// Whether this is a bounce, in which blocks may take as long as they need. Real-time safe.
    pub fn is_offline(&self) -> bool {
        self.offline.load(Ordering::Relaxed)
    }

    /// Sets [`HostLink::is_offline`]. Real-time safe.
    pub fn set_offline(&self, offline: bool) {
        self.offline.store(offline, Ordering::Relaxed);
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

    /// Sample rate in Hz; 0 before the first activation. Real-time safe.
    pub fn sample_rate(&self) -> f32 {
        f32::from_bits(self.sample_rate.load(Ordering::Relaxed))
    }

    /// Sets [`HostLink::sample_rate`].
    pub fn set_sample_rate(&self, hz: f32) {
        self.sample_rate.store(hz.to_bits(), Ordering::Relaxed);
    }

    /// Quarter notes in a bar of the song, if the host says so. nice-plug must not know, or it would
    /// work out where bars begin wherever it cuts a block. Real-time safe.
    pub fn beats_per_bar(&self) -> Option<f64> {
        let beats = f64::from_bits(self.beats_per_bar.load(Ordering::Relaxed));
        (beats > 0.0).then_some(beats)
    }

    /// Sets [`HostLink::beats_per_bar`] from a time signature of `count` notes of which `unit` make a
    /// whole one. Real-time safe.
    pub fn set_time_signature(&self, signature: Option<(f64, f64)>) {
        let beats = match signature {
            Some((count, unit)) if count > 0.0 && unit > 0.0 => 4.0 * count / unit,
            _ => 0.0,
        };
        self.beats_per_bar.store(beats.to_bits(), Ordering::Relaxed);
    }

    /// Installs the way of giving nice-plug's background thread a rest.
    pub fn set_background_rester(&self, rester: BackgroundRester) {
        if let Ok(mut slot) = self.background_rester.lock() {
            *slot = Some(rester);
        }
    }

    /// Lets nice-plug's background thread rest until what is returned is dropped. Not for the audio
    /// thread.
    fn rest_background(&self) -> Option<Resting> {
        let rester = self.background_rester.lock().ok()?.clone()?;
        Rest::begin(|rest| rester(rest))
    }

    /// Installs the format's way of marking the project as changed.
    pub fn set_dirty_notifier(&self, notifier: Option<DirtyNotifier>) {
        if let Ok(mut slot) = self.dirty_notifier.lock() {
            *slot = notifier;
        }
    }

    /// Tells the host that what it would save has changed. Not for the audio thread.
    pub fn mark_dirty(&self) {
        let notifier = match self.dirty_notifier.lock() {
            Ok(notifier) => notifier.clone(),
            Err(_) => None,
        };
        // Not under the lock: a host may call back, to save at once for one.
        if let Some(notify) = notifier {
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
