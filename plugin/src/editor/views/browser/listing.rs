//! What a folder offers.

use std::path::{Path, PathBuf};

use weft_core::clip::SOUND_EXTENSIONS;

use super::files::{EXTENSION, has_extension};

/// More entries than that are not listed: nobody scrolls so far.
const MOST_ENTRIES: usize = 5_000;

/// What a file is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Purpose {
    /// To be read into a slot.
    Load,
    /// To be written from a slot.
    Save,
}

/// A folder, and what it offers: folders first, each kind in the order of the alphabet.
pub struct Listing {
    /// The folder.
    pub folder: PathBuf,
    /// What is in it; nothing where it can't be listed.
    pub entries: Vec<Entry>,
    /// Why the folder can't be listed.
    pub error: Option<String>,
}

/// A file or a folder.
pub struct Entry {
    /// Its name in the folder that is listed.
    pub name: String,
    /// Whether it is a folder, or a link to one.
    pub is_folder: bool,
}

impl Listing {
    /// Lists `folder`.
    pub fn read(folder: PathBuf, purpose: Purpose) -> Self {
        let (entries, error) = match std::fs::read_dir(&folder) {
            Ok(listed) => (entries(listed, purpose), None),
            Err(error) => {
                let error = format!("This folder can't be listed: {error}");
                (Vec::new(), Some(error))
            }
        };
        Self {
            folder,
            entries,
            error,
        }
    }

    /// What stands in place of a list that is empty.
    pub fn empty_text(&self) -> Option<&str> {
        let empty = "There is nothing that Weft reads in this folder.";
        let empty = self.entries.is_empty().then_some(empty);
        self.error.as_deref().or(empty)
    }
}

fn entries(listed: std::fs::ReadDir, purpose: Purpose) -> Vec<Entry> {
    let offered = listed.flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Follows links, as opening would.
        let is_folder = entry.path().is_dir();
        is_offered(&name, is_folder, purpose).then_some(Entry { name, is_folder })
    });
    let mut entries: Vec<_> = offered.take(MOST_ENTRIES).collect();
    entries.sort_by_key(|entry| (!entry.is_folder, entry.name.to_lowercase()));
    entries
}

/// Whether a file or folder is listed: not if it is hidden, and not if there is no use for it.
fn is_offered(name: &str, is_folder: bool, purpose: Purpose) -> bool {
    let path = Path::new(name);
    let is_recording = SOUND_EXTENSIONS.iter().any(|e| has_extension(path, e));
    let is_useful =
        is_folder || has_extension(path, EXTENSION) || (is_recording && purpose == Purpose::Load);
    is_useful && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lists_what_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.weft", "a.WAV", "notes.txt", ".hidden.wav"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("Z")).unwrap();
        let listed = |purpose| {
            let listing = Listing::read(folder.path().to_owned(), purpose);
            assert_eq!(listing.empty_text(), None);
            let entries = listing.entries.into_iter();
            entries.map(|e| e.name).collect::<Vec<_>>()
        };
        assert_eq!(listed(Purpose::Load), ["Z", "a.WAV", "b.weft"]);
        assert_eq!(listed(Purpose::Save), ["Z", "b.weft"]);
    }

    #[test]
    fn every_kind_of_recording_is_offered_but_not_to_be_overwritten() {
        for name in [
            "a.wav", "a.AIFF", "a.aifc", "a.caf", "a.flac", "a.ogg", "a.mp3", "a.M4A",
        ] {
            assert!(is_offered(name, false, Purpose::Load), "{name}");
            assert!(!is_offered(name, false, Purpose::Save), "{name}");
        }
        assert!(!is_offered("wav", false, Purpose::Load));
        assert!(is_offered("folder.txt", true, Purpose::Save));
        assert!(!is_offered(".git", true, Purpose::Load));
    }

    #[test]
    fn a_folder_that_offers_nothing_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let empty = Listing::read(folder.path().to_owned(), Purpose::Load);
        assert!(empty.empty_text().unwrap().contains("nothing"));
        let missing = Listing::read(folder.path().join("none"), Purpose::Load);
        assert!(missing.empty_text().unwrap().contains("can't be listed"));
    }
}
