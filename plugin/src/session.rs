//! What the threads of one plugin instance share: the instrument, and what the window asks of the
//! audio thread.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use weft_core::instrument::{Instrument, Outside, Player, Slot, Status};

use crate::helper::{HelperSettings, Programs};
use crate::imprint::{ImprintSettings, Imprints};
use crate::rest::Rest;

/// The instrument, and requests of the window to the audio thread. Shared by both, and by the adapter
/// of the format.
pub struct Session {
    /// Before the instrument, which must not end on a thread of theirs.
    imprints: Imprints,
    instrument: Arc<Instrument>,
    helper: Arc<Programs>,
    capture_requested: AtomicBool,
    cancel_requested: AtomicBool,
    audio_fault: AtomicBool,
    /// Counts `process` calls, so that the window can tell a stopped host from a silent one.
    process_calls: AtomicU32,
    rest: Arc<Rest>,
}

impl Session {
    /// A fresh instance: the session, and the player that belongs on the audio thread.
    ///
    /// # Panics
    /// If the system has no thread left for the worker. nice-plug's constructors can't fail; the
    /// format adapters catch this and tell the host that there is no plugin.
    pub fn new() -> (Self, Player) {
        Self::with(ImprintSettings::default(), HelperSettings::default())
    }

    /// As [`Session::new`], with imprints and fits that are made as these settings have it.
    pub fn with(imprints: ImprintSettings, helper: HelperSettings) -> (Self, Player) {
        let rest = Arc::<Rest>::default();
        let imprints = Imprints::new(imprints, rest.clone());
        let helper = Arc::new(Programs::new(helper));
        let outside = Outside {
            errands: imprints.errands(),
            helper: Some(helper.clone()),
        };
        let (instrument, player) = Instrument::with_outside(outside)
            .expect("the system has no thread left for Weft's worker");
        let instrument = Arc::new(instrument);
        imprints.serve(&instrument);
        let session = Self {
            imprints,
            instrument,
            helper,
            capture_requested: AtomicBool::new(false),
            cancel_requested: AtomicBool::new(false),
            audio_fault: AtomicBool::new(false),
            process_calls: AtomicU32::new(0),
            rest,
        };
        (session, player)
    }

    /// The instrument. Not for the audio thread.
    pub fn instrument(&self) -> &Instrument {
        &self.instrument
    }

    /// What makes imprints.
    pub fn imprints(&self) -> &Imprints {
        &self.imprints
    }

    /// What has fits made by other programs.
    pub fn helper(&self) -> &Programs {
        &self.helper
    }

    /// Whether the host may rest the plugin.
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// Where the instrument stands; meters restart with every call. Not for the audio thread.
    pub fn status(&self) -> Status {
        self.instrument.status()
    }

    /// Asks the audio thread to record the capture input. Not for the audio thread.
    pub fn request_capture(&self) {
        self.capture_requested.store(true, Ordering::Relaxed);
        self.rest.end();
    }

    /// Stops a capture, or the fit of a slot, and the imprint that is made for it. Not for the audio thread.
    pub fn cancel(&self, slot: Slot) {
        self.imprints.cancel(slot);
        self.cancel_requested.store(true, Ordering::Relaxed);
        self.rest.end();
        self.instrument.cancel_fit(slot);
    }

    /// Takes a pending [`Session::request_capture`]. Real-time safe.
    pub fn take_capture_request(&self) -> bool {
        take(&self.capture_requested)
    }

    /// Takes a pending [`Session::cancel`]. Real-time safe.
    pub fn take_cancel_request(&self) -> bool {
        take(&self.cancel_requested)
    }

    /// Steps of the next fit of a slot. Real-time safe.
    pub fn set_fit_steps(&self, slot: Slot, steps: u32) {
        self.instrument.set_slot_fit_steps(slot, steps);
    }

    /// Shows `message` in the window until it is dismissed. Not for the audio thread.
    pub fn report_error(&self, message: String) {
        self.instrument.report_error(message);
    }

    /// Dismisses the error that the window shows. Not for the audio thread.
    pub fn clear_error(&self) {
        self.instrument.clear_error();
    }

    /// Counts one `process` call. Real-time safe.
    pub fn count_process_call(&self) {
        self.process_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// `process` calls so far, wrapping. Any thread.
    pub fn process_calls(&self) -> u32 {
        self.process_calls.load(Ordering::Relaxed)
    }

    /// Whether the audio thread has met a bug of ours and is silent until the next activation.
    /// Real-time safe.
    pub fn has_audio_fault(&self) -> bool {
        self.audio_fault.load(Ordering::Relaxed)
    }

    /// Sets [`Session::has_audio_fault`]. Real-time safe.
    pub fn set_audio_fault(&self, fault: bool) {
        self.audio_fault.store(fault, Ordering::Relaxed);
    }

    /// Runs `work` off the audio thread; a panic in it becomes an error in the window instead of
    /// the end of the host, and `None`.
    pub fn contain<T>(&self, doing: &str, work: impl FnOnce() -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(value) => Some(value),
            Err(payload) => {
                self.report_panic(doing, &*payload);
                None
            }
        }
    }

    /// Shows in the window that a panic with `payload` ended what Weft was `doing`. Not for the audio
    /// thread.
    pub fn report_panic(&self, doing: &str, payload: &(dyn Any + Send)) {
        let cause = crate::panics::message(payload);
        self.report_error(format!(
            "Internal error while {doing} ({cause}). Save under a new name and reload Weft."
        ));
    }
}

/// Takes what `flag` asks for. Real-time safe.
fn take(flag: &AtomicBool) -> bool {
    // The load keeps the cache line shared in the usual case of nothing to take.
    flag.load(Ordering::Relaxed) && flag.swap(false, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contained_panic_is_said_in_the_window() {
        let session = Session::new().0;
        let result = session.contain("testing", || -> u32 { panic!("on purpose") });
        assert_eq!(result, None);
        let error = session.status().error.unwrap_or_default();
        assert!(
            error.contains("testing") && error.contains("on purpose"),
            "{error}"
        );
    }

    #[test]
    fn a_request_is_taken_once() {
        let session = Session::new().0;
        assert!(!session.take_capture_request());
        session.request_capture();
        assert!(session.take_capture_request());
        assert!(!session.take_capture_request());
        session.cancel(Slot::A);
        assert!(session.take_cancel_request());
        assert!(!session.take_cancel_request());
    }
}
