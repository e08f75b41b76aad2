//! The bytes of the bank, so that a host which saves often doesn't have them made anew every time.

use std::sync::{Mutex, PoisonError};

use weft_core::instrument::Instrument;

/// The bytes that bring the textures back. Not for the audio thread.
#[derive(Default)]
pub struct BankBytes {
    /// Those saved last, or those just loaded, which the worker takes over a moment later; a host may
    /// save in between. A mutex whose content stays whole through a panic.
    known: Mutex<Option<KnownBytes>>,
}

struct KnownBytes {
    /// The instrument's revision of which the bytes are right.
    revision: u64,
    bytes: Vec<u8>,
}

impl BankBytes {
    /// The bytes of `instrument`'s textures, or `None` where there are none.
    pub fn save(&self, instrument: &Instrument) -> Option<Vec<u8>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let revision = instrument.revision();
        if let Some(known) = known.as_ref()
            && known.revision == revision
        {
            return Some(known.bytes.clone());
        }
        let bytes = instrument.save_state()?;
        *known = Some(KnownBytes {
            revision,
            bytes: bytes.clone(),
        });
        Some(bytes)
    }

    /// Takes `bytes` for those of the instrument at `revision`; `None`: they are not known.
    pub fn replace(&self, revision: u64, bytes: Option<Vec<u8>>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) =
            bytes.map(|bytes| KnownBytes { revision, bytes });
    }
}
