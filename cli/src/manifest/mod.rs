//! What a folder of textures says of them: beside each, in a folder of its own, a file that tells what it was made of
//! and how, with a checksum of its bytes.
//!
//! There is no file that processes share: any number of them, on any number of machines, may write into one folder.
//! What is written of a texture is written after it, so that a process that is killed leaves at most a texture
//! of which nothing is written; the next one reads that and lists it, or makes it again.

mod entry;

pub use entry::{Entry, FileMark};

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use weft_core::clip::write_whole;
use weft_core::network::{Model, ModelError};

use crate::error::CliError;
use crate::files::{read_model, shown};
use crate::report::Record;

/// The folder in that of the textures.
const FOLDER: &str = "manifest";
/// How the name of a texture's entry goes on after the texture's.
const ENDING: &str = ".json";
/// How a command lists the textures that it makes.
#[derive(Debug)]
pub struct Manifest {
    /// What was asked of their fits.
    settings: Record,
}

/// What is to be done about a texture that is there.
#[derive(Debug)]
pub enum Kept {
    /// Nothing.
    AsItIs,
    /// Nothing any more: it was whole, and is listed now.
    Listed,
    /// It can't be used.
    Damaged(ModelError),
}

impl Manifest {
    /// Of fits with these settings.
    pub fn new(settings: Record) -> Self {
        Self { settings }
    }

    /// Looks at a texture that is there, and lists it if it is whole and nothing was written of it, or of other bytes.
    ///
    /// # Errors
    /// If it was made of something else than `input`, can't be read, or not be listed.
    pub fn keep(&self, model: &Path, input: Option<&FileMark>) -> Result<Kept, CliError> {
        match Standing::of(model)? {
            Standing::Listed(entry) => match (entry.input, input) {
                (Some(its), Some(input)) if !its.is_same_as(input) => Err(CliError::OtherInput {
                    path: model.to_path_buf(),
                    input: its.file,
                }),
                _ => Ok(Kept::AsItIs),
            },
            Standing::Unlisted(mut entry) => {
                entry.input = input.cloned();
                write(model, &entry)?;
                Ok(Kept::Listed)
            }
            Standing::Damaged(error) => Ok(Kept::Damaged(error)),
        }
    }

    /// Lists a texture that was just made of `input`, of which `told` was said.
    ///
    /// # Errors
    /// If what is there now is no texture, or it can't be listed.
    pub fn list(
        &self,
        model: &Path,
        input: Option<FileMark>,
        told: &Record,
    ) -> Result<(), CliError> {
        // From the file itself: what is listed has been read.
        let mut entry = Entry::of(model, &read_model(model)?)?;
        entry.input = input;
        entry.add(told, &self.settings);
        write(model, &entry)
    }
}

/// How a texture that is there stands to what is written of it.
#[derive(Debug)]
pub enum Standing {
    /// It is what was written of it, to the byte.
    Listed(Box<Entry>),
    /// It is whole, and nothing that is true was written of it: this would be.
    Unlisted(Box<Entry>),
    /// It can't be used.
    Damaged(ModelError),
}

impl Standing {
    /// That of the texture at `path`.
    ///
    /// # Errors
    /// If it can't be read at all, or was made by a newer Weft: then it is not for us to say.
    pub fn of(path: &Path) -> Result<Self, CliError> {
        let read = |source| CliError::reading(path, source);
        let mark = FileMark::of(path).map_err(|source| {
            let path = path.to_path_buf();
            read(ModelError::Io { path, source })
        })?;
        if let Some(entry) = entry_of(path)
            && entry.output.is_same_as(&mark)
        {
            return Ok(Self::Listed(Box::new(entry)));
        }
        match Model::read(path) {
            Ok(model) => Ok(Self::Unlisted(Box::new(Entry::of(path, &model)?))),
            Err(error @ (ModelError::Io { .. } | ModelError::Newer { .. })) => Err(read(error)),
            Err(error) => Ok(Self::Damaged(error)),
        }
    }
}

/// Where what is written of the texture at `model` is.
fn entry_path(model: &Path) -> PathBuf {
    let mut name = model.file_name().unwrap_or_default().to_os_string();
    name.push(ENDING);
    model.with_file_name(FOLDER).join(name)
}

/// What is written of the texture at `model`, if that can be read.
pub fn entry_of(model: &Path) -> Option<Entry> {
    let text = fs::read(entry_path(model)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Writes what is known of the texture at `model`.
fn write(model: &Path, entry: &Entry) -> Result<(), CliError> {
    let path = entry_path(model);
    let mut text = serde_json::to_vec_pretty(entry).expect("plain names and values");
    text.push(b'\n');
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| write_whole(&path, &text))
        .map_err(|source| CliError::Manifest { path, source })
}

/// Names of the textures that something is written of.
pub fn listed_names(folder: &Path) -> Result<Vec<OsString>, CliError> {
    let manifest = folder.join(FOLDER);
    let failed = |source| CliError::Folder {
        path: manifest.clone(),
        source,
    };
    let mut names = Vec::new();
    // Folders of older versions have none.
    if !manifest.exists() {
        return Ok(names);
    }
    for entry in fs::read_dir(&manifest).map_err(failed)? {
        let path = PathBuf::from(entry.map_err(failed)?.file_name());
        let is_entry = path.extension().is_some_and(|found| found == "json");
        if is_entry && !shown(&path).starts_with('.') {
            names.extend(path.file_stem().map(OsString::from));
        }
    }
    names.sort();
    Ok(names)
}
