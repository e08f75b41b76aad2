//! Textures in files: their names, and how they come into a slot and out of it.

use std::path::{Path, PathBuf};

use weft_core::instrument::Slot;
use weft_core::network::Model;

use crate::session::Session;

/// File name extension of textures.
pub const EXTENSION: &str = "weft";

/// Whether a file's name ends with `extension`, in letters of either case.
pub fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case(extension))
}

/// The file that a texture called `name` is offered to be saved as.
pub fn named_file(name: &str) -> String {
    format!("{}.{EXTENSION}", file_name(name))
}

/// A name that every file system takes.
fn file_name(name: &str) -> String {
    let printed = name.chars().map(|c| match c {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '-',
        c => c,
    });
    let name: String = printed.collect();
    let name = name.trim_matches(['.', ' ']);
    if name.is_empty() {
        "texture".to_owned()
    } else {
        name.to_owned()
    }
}

/// Puts a texture or a recording into a slot; what can't be read is told in the window.
pub fn load(session: &Session, slot: Slot, path: PathBuf) {
    if !has_extension(&path, EXTENSION) {
        return session.instrument().load_file(slot, path);
    }
    match Model::read(&path) {
        Ok(model) if model.name().is_empty() => {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            session.instrument().play(slot, model.named(&name));
        }
        Ok(model) => session.instrument().play(slot, model),
        Err(error) => session.report_error(format!("{} can't be loaded: {error}", path.display())),
    }
}

/// Writes the texture of a slot; what can't be written is told in the window.
pub fn save(session: &Session, slot: Slot, path: PathBuf) {
    let Some(model) = session.instrument().texture(slot) else {
        return session.report_error(format!("Slot {} is empty.", slot.letter()));
    };
    let path = with_extension(path);
    if let Err(error) = model.write(&path) {
        session.report_error(format!("{} can't be saved: {error}", path.display()));
    }
}

/// `path` with the extension of textures, which is added to any other.
fn with_extension(path: PathBuf) -> PathBuf {
    if has_extension(&path, EXTENSION) {
        return path;
    }
    let mut name = path.into_os_string();
    name.push(".");
    name.push(EXTENSION);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_their_texture() {
        assert_eq!(file_name("Rain, heavy"), "Rain, heavy");
        assert_eq!(file_name("a/b:c?"), "a-b-c-");
        assert_eq!(file_name(" ... "), "texture");
        assert_eq!(with_extension("rain".into()), PathBuf::from("rain.weft"));
        assert_eq!(with_extension("r.v2".into()), PathBuf::from("r.v2.weft"));
        assert_eq!(with_extension("r.WEFT".into()), PathBuf::from("r.WEFT"));
    }

    #[test]
    fn what_is_saved_can_be_loaded_and_what_cannot_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let session = Session::new().0;
        save(&session, Slot::A, folder.path().join("none"));
        assert!(session.status().error.unwrap().contains("Slot A is empty"));
        load(&session, Slot::A, folder.path().join("none.weft"));
        assert!(session.status().error.unwrap().contains("none.weft"));
    }
}
