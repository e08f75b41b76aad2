//! The line between the plugin object and the adapter of its format: what a host says that nice-plug
//! does not pass on, and what the plugin asks of the host.
//!
//! Every method may be called from any thread; those marked real-time safe also from the audio thread.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::background::{BackgroundPause, PauseTask};

/// Tells the host that its project has changed. Called off the audio thread.
pub type DirtyNotifier = Arc<dyn Fn() + Send + Sync>;

/// Schedules a pause of nice-plug's background thread. Called off the audio thread.
pub type PauseScheduler = Arc<dyn Fn(PauseTask) + Send + Sync>;

/// What the adapter of a format and the plugin object know of each other.
pub struct HostLink {
    offline: AtomicBool,
    main_input_connected: AtomicBool,
    output_channels: AtomicU32,
    /// The bits of an `f32`, in Hz.
    sample_rate: AtomicU32,
    /// The bits of an `f64`; 0 where the host doesn't say.
    beats_per_bar: AtomicU64,
    dirty_notifier: Mutex<Option<DirtyNotifier>>,
    pause_scheduler: Mutex<Option<PauseScheduler>>,
}

impl Default for HostLink {
    fn default() -> Self {
        Self {
            offline: AtomicBool::new(false),
            main_input_connected: AtomicBool::new(true),
            output_channels: AtomicU32::new(0),
            sample_rate: AtomicU32::new(0),
            beats_per_bar: AtomicU64::new(0),
            dirty_notifier: Mutex::new(None),
            pause_scheduler: Mutex::new(None),
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
    /// input, nice-plug leaves in it what the host's *output* buffer happened to hold. Real-time safe.
    pub fn is_main_input_connected(&self) -> bool {
        self.main_input_connected.load(Ordering::Relaxed)
    }

    /// Sets [`HostLink::is_main_input_connected`]. Real-time safe.
    pub fn set_main_input_connected(&self, connected: bool) {
        self.main_input_connected
            .store(connected, Ordering::Relaxed);
    }

    /// Channels of the main output since the last activation; 0 before the first. A block that has fewer is
    /// none to nice-plug, which then drops its events. Real-time safe.
    pub fn output_channels(&self) -> u32 {
        self.output_channels.load(Ordering::Relaxed)
    }

    /// Sets [`HostLink::output_channels`].
    pub fn set_output_channels(&self, channels: u32) {
        self.output_channels.store(channels, Ordering::Relaxed);
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

    /// Installs the way of pausing nice-plug's background thread.
    pub fn set_pause_scheduler(&self, scheduler: PauseScheduler) {
        if let Ok(mut slot) = self.pause_scheduler.lock() {
            *slot = Some(scheduler);
        }
    }

    /// Pauses nice-plug's background thread until what is returned is dropped. For the main thread.
    pub fn pause_background(&self) -> Option<BackgroundPause> {
        let schedule = self.pause_scheduler.lock().ok()?.clone()?;
        BackgroundPause::begin(|task| schedule(task))
    }

    /// Installs the format's way of marking the project as changed, or takes it away.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_signature_gives_the_quarter_notes_of_a_bar() {
        let link = HostLink::default();
        assert_eq!(link.beats_per_bar(), None);
        link.set_time_signature(Some((7.0, 8.0)));
        assert_eq!(link.beats_per_bar(), Some(3.5));
        for unknown in [None, Some((0.0, 4.0)), Some((4.0, 0.0))] {
            link.set_time_signature(unknown);
            assert_eq!(link.beats_per_bar(), None);
        }
    }

    #[test]
    fn a_host_may_change_its_notifier_while_it_is_notified() {
        let link = Arc::new(HostLink::default());
        let notified = link.clone();
        link.set_dirty_notifier(Some(Arc::new(move || notified.set_dirty_notifier(None))));
        link.mark_dirty();
        // Nobody is there any more.
        link.mark_dirty();
    }
}
