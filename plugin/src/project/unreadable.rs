//! What a project holds and this version of Weft can't read, a newer version's textures for one: kept,
//! so that saving the project here doesn't destroy it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Textures that could not be read, as the host handed them over. Not for the audio thread.
#[derive(Default)]
pub struct UnreadableTextures {
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    /// The instrument's revision when they came: as long as that stays, they are what is saved.
    revision: u64,
    encoded: String,
}

impl UnreadableTextures {
    /// Keeps `encoded` for as long as the instrument stays at `revision`.
    pub fn keep(&self, revision: u64, encoded: String) {
        *self.lock() = Some(Kept { revision, encoded });
    }

    /// What was kept, unless the instrument, which is at `revision`, has something else to save since.
    pub fn at(&self, revision: u64) -> Option<String> {
        let mut kept = self.lock();
        kept.take_if(|kept| kept.revision != revision);
        kept.as_ref().map(|kept| kept.encoded.clone())
    }

    /// Forgets what was kept.
    pub fn clear(&self) {
        *self.lock() = None;
    }

    /// The content stays whole through a panic.
    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_textures_are_kept_until_there_is_something_else_to_save() {
        let textures = UnreadableTextures::default();
        assert_eq!(textures.at(3), None);
        textures.keep(3, "newer".to_owned());
        assert_eq!(textures.at(3).as_deref(), Some("newer"));
        assert_eq!(textures.at(4), None);
        // They don't come back.
        assert_eq!(textures.at(3), None);
        textures.keep(5, "newer".to_owned());
        textures.clear();
        assert_eq!(textures.at(5), None);
    }
}
