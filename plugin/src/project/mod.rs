//! The textures inside the host's project: read when the host saves, played when the host loads; and
//! what the host knows of them.
//!
//! Saving, loading and notifying run on the main thread. [`Project::is_change_pending`] and
//! [`Project::take_state_loaded`] are for the audio thread too.

mod bytes;
mod dirty;
mod migrate;
#[cfg(test)]
mod tests;
mod unreadable;
mod version;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use nice_plug::params::persist::PersistentField;
use weft_core::instrument::Bank;
use weft_core::network::ModelError;

use crate::link::HostLink;
use crate::session::Session;
use bytes::BankBytes;
use dirty::DirtyTracker;
pub use migrate::migrate;
use unreadable::UnreadableTextures;
pub use version::StateVersion;

/// The persistent part of the parameters. It keeps no texture itself: a save asks the instrument for
/// the bank's bytes of that moment, a load hands them on at once, in any phase of a fit.
///
/// Stored as base64, since nice-plug keeps its state as JSON; empty where there is no texture.
pub struct Project {
    session: Arc<Session>,
    link: Arc<HostLink>,
    bytes: BankBytes,
    unreadable: UnreadableTextures,
    dirty: DirtyTracker,
    /// The host has loaded a state, and the audio thread has not noticed yet.
    state_loaded: AtomicBool,
}

impl Project {
    /// The project with the textures of `session`; the host behind `link` is notified of its changes.
    pub fn new(session: Arc<Session>, link: Arc<HostLink>) -> Self {
        Self {
            session,
            link,
            bytes: BankBytes::default(),
            unreadable: UnreadableTextures::default(),
            dirty: DirtyTracker::default(),
            state_loaded: AtomicBool::new(false),
        }
    }

    /// The session whose textures these are.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Tells the host that its project has changed: once when a change begins, and once when it has come
    /// to rest. For the main thread; to be called now and then while [`Project::is_change_pending`].
    pub fn poll(&self) {
        let instrument = self.session.instrument();
        // In this order: what a worker that comes to rest in between has done is not noticed yet, and
        // pending.
        let revision = instrument.revision();
        let busy = instrument.is_busy();
        if self.dirty.take_notice(revision, busy) {
            self.link.mark_dirty();
        }
    }

    /// Whether something is under way or done that the host does not know of yet. Real-time safe.
    pub fn is_change_pending(&self) -> bool {
        let instrument = self.session.instrument();
        let busy = instrument.is_busy();
        self.dirty.is_pending(instrument.revision(), busy)
    }

    /// Notes that the host has loaded a state, the parameters included.
    pub fn set_state_loaded(&self) {
        self.state_loaded.store(true, Ordering::Relaxed);
    }

    /// Takes a pending [`Project::set_state_loaded`]. Real-time safe.
    pub fn take_state_loaded(&self) -> bool {
        // The load keeps the cache line shared in the usual case of nothing to take.
        self.state_loaded.load(Ordering::Relaxed)
            && self.state_loaded.swap(false, Ordering::Relaxed)
    }

    /// Says in the window that the host handed over a state which is not Weft's.
    pub fn report_unreadable_state(&self) {
        self.session.report_error(
            "The project's state for Weft is damaged or not Weft's. What was playing goes on; go \
             back to an earlier version of the project."
                .to_owned(),
        );
    }

    /// What is to be saved.
    fn save(&self) -> String {
        let instrument = self.session.instrument();
        self.unreadable
            .at(instrument.revision())
            .or_else(|| {
                self.bytes
                    .save(instrument)
                    .map(|bytes| BASE64.encode(bytes))
            })
            .unwrap_or_default()
    }

    /// Plays what was saved; if it can't be read, says so in the window and plays on.
    fn load(&self, encoded: &str) {
        self.unreadable.clear();
        // A project saved before the first capture.
        if encoded.is_empty() {
            return self.load_empty();
        }
        let refusal = match BASE64.decode(encoded) {
            Ok(bytes) => match self.load_bank(bytes) {
                Ok(()) => return,
                Err(error) => format!("The project's textures could not be read: {error}"),
            },
            Err(error) => format!(
                "The project's textures are damaged ({error}). Capture again, or go back to an \
                 earlier version of the project."
            ),
        };
        self.session.report_error(refusal);
        let instrument = self.session.instrument();
        // Nor is what can't be read recorded over.
        self.end_recordings();
        // Where there are textures, these are what is to be saved.
        if instrument.bank().is_empty() {
            self.unreadable
                .keep(instrument.revision(), encoded.to_owned());
        }
    }

    /// Plays the textures in `bytes`.
    fn load_bank(&self, bytes: Vec<u8>) -> Result<(), ModelError> {
        // Hosts hand back the very state they took for every undo step of a parameter: the stream
        // goes on where it is.
        if self.bytes.save(self.session.instrument()).as_ref() == Some(&bytes) {
            return Ok(());
        }
        let bank = Bank::from_bytes(&bytes)?;
        self.replace(bank, Some(bytes));
        Ok(())
    }

    /// Takes over a project without textures.
    fn load_empty(&self) {
        if !self.session.instrument().bank().is_empty() {
            self.replace(Bank::default(), None);
        }
    }

    fn replace(&self, bank: Bank, bytes: Option<Vec<u8>>) {
        let instrument = self.session.instrument();
        self.dirty.project_loads(!bank.has_unfinished_fits());
        self.bytes.replace(instrument.revision(), bytes);
        self.end_recordings();
        instrument.load_bank(bank);
    }

    /// Ends what was begun to be captured or imprinted for the project that was there before, be it only asked for.
    fn end_recordings(&self) {
        self.session.take_capture_request();
        self.session.imprints().end_for_load();
        self.session.instrument().end_recordings();
    }
}

impl PersistentField<'_, String> for Project {
    fn set(&self, encoded: String) {
        self.set_state_loaded();
        self.session
            .contain("loading textures", || self.load(&encoded));
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&String) -> R,
    {
        let encoded = self
            .session
            .contain("saving the textures", || self.save())
            .unwrap_or_default();
        f(&encoded)
    }
}
