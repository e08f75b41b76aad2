//! Kinds of files, and the files of a kind in folders.

use std::fs;
use std::path::{Path, PathBuf};

use weft_core::clip::SOUND_EXTENSIONS;

use crate::error::CliError;
use crate::files;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sound in any form.
    Sound,
    /// A WAV file.
    Wav,
    /// A `.weft` file.
    Texture,
    /// Sound or a texture.
    Any,
}

impl Kind {
    /// The endings that its files have; in a folder, no others are looked at.
    pub(super) fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Sound => &SOUND_EXTENSIONS,
            Self::Wav => &["wav"],
            Self::Texture | Self::Any => &["weft"],
        }
    }

    pub(super) fn has(self, path: &Path) -> bool {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|found| {
            let sounds = if self == Self::Any {
                &SOUND_EXTENSIONS[..]
            } else {
                &[]
            };
            let mut known = self.extensions().iter().chain(sounds);
            known.any(|known| found.eq_ignore_ascii_case(known))
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound file",
            Self::Wav => "WAV file",
            Self::Texture => "Weft texture",
            Self::Any => "sound file or Weft texture",
        }
    }
}

/// The files that `inputs` name, folders by those of `kind` in them, in the order of their names. Subfolders are
/// not entered.
pub fn expand(inputs: &[PathBuf], kind: Kind) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for input in inputs {
        if files::is_standard(input) || !input.is_dir() {
            files.push(input.clone());
            continue;
        }
        let mut found = files_in(input, kind)?;
        if found.is_empty() {
            return Err(CliError::EmptyFolder {
                path: input.clone(),
                what: kind.name(),
            });
        }
        files.append(&mut found);
    }
    Ok(files)
}

/// The files of `kind` in a folder, in the order of their names; hidden ones are none.
pub fn files_in(folder: &Path, kind: Kind) -> Result<Vec<PathBuf>, CliError> {
    let failed = |source| CliError::Folder {
        path: folder.to_path_buf(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if kind.has(&path) && !name.starts_with('.') && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
