//! What one plugin instance shares between its threads: the instrument, the window's wishes for
//! the audio thread, and what the host's side of the plugin knows.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use weft_core::instrument::{Bank, Instrument, Player, Slot, Status};
use weft_core::network::ModelError;

use crate::host::HostLink;

/// Shared by the audio thread, the window and the format adapters of one plugin instance.
pub struct Session {
    instrument: Instrument,
    host: HostLink,
    capture_requested: AtomicBool,
    cancel_requested: AtomicBool,
    audio_fault: AtomicBool,
    /// Counts `process` calls, so that the window can tell a stopped host from a silent one.
    process_calls: AtomicU32,
    /// The bank's bytes and the instrument's revision of which they are right: those saved last, or
    /// those just loaded, which the worker takes over a moment later; a host may save in between.
    bytes: Mutex<Option<(u64, Vec<u8>)>>,
    /// What the project held and this version can't read, and the instrument's revision then: as long
    /// as nothing has changed, it is what is saved.
    unreadable: Mutex<Option<(u64, String)>>,
    /// Revision of the instrument that the host knows of.
    told_revision: AtomicU64,
    /// It has been told that something is under way.
    told_of_work: AtomicBool,
    /// The host has loaded a state, and the audio thread has not noticed yet.
    state_loaded: AtomicBool,
    /// The host itself is about to change the instrument.
    loading: AtomicBool,
}

impl Session {
    /// A fresh instance: the session, and the player that belongs on the audio thread.
    ///
    /// # Panics
    /// If the system has no thread left for the worker. nice-plug's constructors can't fail; the
    /// format adapters catch this and tell the host that there is no plugin.
    pub fn new() -> (Self, Player) {
        let (instrument, player) =
            Instrument::new().expect("the system has no thread left for Weft's worker");
        let session = Self {
            instrument,
            host: HostLink::default(),
            capture_requested: AtomicBool::new(false),
            cancel_requested: AtomicBool::new(false),
            audio_fault: AtomicBool::new(false),
            process_calls: AtomicU32::new(0),
            bytes: Mutex::new(None),
            unreadable: Mutex::new(None),
            told_revision: AtomicU64::new(0),
            told_of_work: AtomicBool::new(false),
            state_loaded: AtomicBool::new(false),
            loading: AtomicBool::new(false),
        };
        (session, player)
    }

    /// What the format adapter of this instance reports and offers.
    pub fn host(&self) -> &HostLink {
        &self.host
    }

    /// The instrument. Not for the audio thread.
    pub fn instrument(&self) -> &Instrument {
        &self.instrument
    }

    /// Where the instrument stands; meters restart with every call. Not for the audio thread.
    pub fn status(&self) -> Status {
        self.poll();
        self.instrument.status()
    }

    /// Tells the host that its project has changed: once when a change begins, and once when it has come
    /// to rest. Not for the audio thread; call it now and then while [`Session::is_change_pending`].
    pub fn poll(&self) {
        let revision = self.instrument.revision();
        if self.instrument.is_busy() {
            // Something new is there already; what becomes of it is told when it is done.
            let is_new = revision != self.told_revision.load(Ordering::Relaxed)
                && !self.loading.load(Ordering::Relaxed);
            if is_new && !self.told_of_work.swap(true, Ordering::Relaxed) {
                self.host.mark_dirty();
            }
            return;
        }
        self.told_of_work.store(false, Ordering::Relaxed);
        let told = self.told_revision.swap(revision, Ordering::Relaxed);
        if told != revision && !take(&self.loading) {
            self.host.mark_dirty();
        }
    }

    /// Whether something is under way or done that the host has not been told of yet. Real-time safe.
    pub fn is_change_pending(&self) -> bool {
        self.instrument.is_busy()
            || self.instrument.revision() != self.told_revision.load(Ordering::Relaxed)
    }

    /// Asks the audio thread to record the capture input. Any thread.
    pub fn request_capture(&self) {
        self.capture_requested.store(true, Ordering::Relaxed);
    }

    /// Stops a capture, or the fit of a slot. Not for the audio thread.
    pub fn cancel(&self, slot: Slot) {
        self.cancel_requested.store(true, Ordering::Relaxed);
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

    /// Notes that the host has loaded a state, the parameters included.
    pub fn state_loaded(&self) {
        self.state_loaded.store(true, Ordering::Relaxed);
    }

    /// Takes a pending [`Session::state_loaded`]. Real-time safe.
    pub fn take_state_loaded(&self) -> bool {
        take(&self.state_loaded)
    }

    /// Steps of the next fit of a slot. Real-time safe.
    pub fn set_fit_steps(&self, slot: Slot, steps: u32) {
        self.instrument.set_slot_fit_steps(slot, steps);
    }

    /// The bytes that bring the textures back, or `None` where there are none.
    pub fn save_bank(&self) -> Option<Vec<u8>> {
        let mut known = lock(&self.bytes);
        let revision = self.instrument.revision();
        if let Some((known_revision, bytes)) = known.as_ref()
            && *known_revision == revision
        {
            return Some(bytes.clone());
        }
        let bytes = self.instrument.save_state()?;
        *known = Some((revision, bytes.clone()));
        Some(bytes)
    }

    /// Takes over the textures in `bytes`; if they can't be read, says so in the window and plays on.
    ///
    /// # Errors
    /// Why they can't be read.
    pub fn load_bank(&self, bytes: Vec<u8>) -> Result<(), ModelError> {
        *lock(&self.unreadable) = None;
        // Hosts hand back the very state they took for every undo step of a parameter: the stream
        // goes on where it is.
        if self.save_bank().as_ref() == Some(&bytes) {
            return Ok(());
        }
        match Bank::from_bytes(&bytes) {
            Ok(bank) => {
                self.take_over(bank, Some(bytes));
                Ok(())
            }
            Err(error) => {
                self.report_error(format!("The project's textures could not be read: {error}"));
                Err(error)
            }
        }
    }

    /// Takes over a project without textures.
    pub fn load_empty(&self) {
        *lock(&self.unreadable) = None;
        if !self.instrument.bank().is_empty() {
            self.take_over(Bank::default(), None);
        }
    }

    fn take_over(&self, bank: Bank, bytes: Option<Vec<u8>>) {
        // The host knows what it loads, but not what becomes of fits that go on.
        self.loading
            .store(!bank.has_unfinished_fits(), Ordering::Relaxed);
        *lock(&self.bytes) = bytes.map(|bytes| (self.instrument.revision(), bytes));
        self.instrument.load_bank(bank);
    }

    /// Keeps what can't be read, a newer version's for one, so that saving the project here doesn't
    /// destroy it. Where there are textures, these are what is to be saved.
    pub fn keep_unreadable(&self, encoded: String) {
        if self.instrument.bank().is_empty() {
            *lock(&self.unreadable) = Some((self.instrument.revision(), encoded));
        }
    }

    /// What [`Session::keep_unreadable`] was given, unless there is something else to save since then.
    pub fn unreadable(&self) -> Option<String> {
        let revision = self.instrument.revision();
        let mut kept = lock(&self.unreadable);
        if kept.as_ref().is_some_and(|(then, _)| *then != revision) {
            *kept = None;
        }
        kept.as_ref().map(|(_, encoded)| encoded.clone())
    }

    /// Says in the window that the host handed over a state which is not Weft's.
    pub fn report_unreadable_state(&self) {
        self.report_error(
            "The project's state for Weft is damaged or not Weft's. What was playing goes on; go \
             back to an earlier version of the project."
                .to_owned(),
        );
    }

    /// Shows `message` in the window until it is dismissed.
    pub fn report_error(&self, message: String) {
        self.instrument.report_error(message);
    }

    /// Dismisses the error that the window shows.
    pub fn clear_error(&self) {
        self.instrument.clear_error();
    }

    /// Counts one `process` call. Real-time safe.
    pub fn count_process_call(&self) {
        self.process_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// `process` calls so far, wrapping.
    pub fn process_calls(&self) -> u32 {
        self.process_calls.load(Ordering::Relaxed)
    }

    /// Whether the audio thread has met a bug of ours and is silent until the next activation.
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
                let cause = panic_message(&*payload);
                self.report_error(format!(
                    "Internal error while {doing} ({cause}). Save under a new name and reload Weft."
                ));
                None
            }
        }
    }
}

/// Locks a mutex whose content stays whole through a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(flag: &AtomicBool) -> bool {
    // The load keeps the cache line shared in the usual case of nothing to take.
    flag.load(Ordering::Relaxed) && flag.swap(false, Ordering::Relaxed)
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
