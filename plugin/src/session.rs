//! What one plugin instance shares between its threads: the instrument, the window's wishes for
//! the audio thread, and what the host's side of the plugin knows.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use weft_core::player::{Instrument, Phase, Player, Status};

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
    /// The texture's bytes and the instrument's revision of which they are right: those saved last,
    /// or those just loaded, which the worker takes over a moment later; a host may save in between.
    bytes: Mutex<Option<(u64, Vec<u8>)>>,
    /// A capture or fit is under way, and the host has not been told of its result yet.
    texture_pending: AtomicBool,
    /// Somebody, usually the window, has called `status` since the last `poll`.
    status_read: AtomicBool,
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
            texture_pending: AtomicBool::new(false),
            status_read: AtomicBool::new(false),
        };
        (session, player)
    }

    /// What the format adapter of this instance reports and offers.
    pub fn host(&self) -> &HostLink {
        &self.host
    }

    /// Where the instrument stands; meters restart with every call. Not for the audio thread.
    ///
    /// Tells the host that its project has changed when a new texture has come to rest.
    pub fn status(&self) -> Status {
        let status = self.instrument.status();
        self.status_read.store(true, Ordering::Relaxed);
        match status.phase {
            Phase::Capturing { .. } | Phase::Fitting { .. } => {
                self.texture_pending.store(true, Ordering::Relaxed);
            }
            _ => {
                if !self.instrument.is_busy()
                    && take(&self.texture_pending)
                    && status.texture.is_some()
                {
                    self.host.mark_dirty();
                }
            }
        }
        status
    }

    /// Does what [`Session::status`] does for the host, unless an open window is doing so anyway,
    /// whose meters it would disturb. Not for the audio thread; call it now and then while
    /// [`Session::is_texture_pending`].
    pub fn poll(&self) {
        if !take(&self.status_read) {
            self.status();
            self.status_read.store(false, Ordering::Relaxed);
        }
    }

    /// Whether a capture or fit is under way whose result the host has not been told of yet.
    /// Real-time safe.
    pub fn is_texture_pending(&self) -> bool {
        self.texture_pending.load(Ordering::Relaxed)
    }

    /// Asks the audio thread to record the capture input. Any thread.
    pub fn request_capture(&self) {
        self.capture_requested.store(true, Ordering::Relaxed);
    }

    /// Stops a capture or a fit. Not for the audio thread.
    pub fn cancel(&self) {
        self.cancel_requested.store(true, Ordering::Relaxed);
        self.instrument.cancel_fit();
    }

    /// Goes on with the fit of what plays. Not for the audio thread.
    pub fn refine(&self) {
        self.texture_pending.store(true, Ordering::Relaxed);
        self.instrument.refine();
    }

    /// Takes a pending [`Session::request_capture`]. Real-time safe.
    pub fn take_capture_request(&self) -> bool {
        take(&self.capture_requested)
    }

    /// Takes a pending [`Session::cancel`]. Real-time safe.
    pub fn take_cancel_request(&self) -> bool {
        take(&self.cancel_requested)
    }

    /// Notes that a capture has begun. Real-time safe.
    pub fn capture_started(&self) {
        self.texture_pending.store(true, Ordering::Relaxed);
    }

    /// Steps of the next fit. Real-time safe.
    pub fn set_fit_steps(&self, steps: u32) {
        self.instrument.set_fit_steps(steps);
    }

    /// The bytes that bring the texture back, or `None` where there is none.
    pub fn save_texture(&self) -> Option<Vec<u8>> {
        let mut known = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = self.instrument.status().revision;
        if let Some((known_revision, bytes)) = known.as_ref()
            && *known_revision == revision
        {
            return Some(bytes.clone());
        }
        let bytes = self.instrument.save_state()?;
        *known = Some((revision, bytes.clone()));
        Some(bytes)
    }

    /// Plays the texture in `bytes`; if they can't be read, says so in the window and plays on.
    pub fn load_texture(&self, bytes: Vec<u8>) {
        // Hosts hand back the very state they took for every undo step of a parameter: the stream
        // goes on where it is.
        if self.save_texture().as_ref() == Some(&bytes) {
            return;
        }
        let revision = self.instrument.status().revision;
        match self.instrument.load_state(&bytes) {
            Ok(()) => {
                *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((revision, bytes));
            }
            Err(error) => {
                self.report_error(format!("The project's texture could not be read: {error}"));
            }
        }
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
