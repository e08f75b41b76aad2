//! The recordings of a table, and their classes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use weft_core::clip::SOUND_EXTENSIONS;

use super::error::TableError;

/// A list of classes in a folder: a file's name and its class in each line.
const CLASSES_FILE: &str = "classes.csv";
/// The class of what has none.
const NO_CLASS: &str = "all";
/// A recording and its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// Its name in the table: its path in the folder, without the ending.
    pub name: String,
    /// Its class.
    pub class: String,
}

/// The recordings of `folder` in the order of class and name. A sub-folder is a class, and so is what
/// `classes.csv` in the folder says of a file; all others are of one class.
///
/// # Errors
/// If the folder or the list can't be read, names a file that is not there, or there is no recording.
pub fn find_recordings(folder: &Path) -> Result<Vec<Entry>, TableError> {
    let classes = read_classes(&folder.join(CLASSES_FILE))?;
    let mut entries = Vec::new();
    for path in listed(folder)? {
        if path.is_dir() {
            let class = file_name(&path);
            for path in listed(&path)?.into_iter().filter(|path| is_sound(path)) {
                entries.push(Entry {
                    name: format!("{class}/{}", stem(&path)),
                    class: class.clone(),
                    path,
                });
            }
        } else if is_sound(&path) {
            let class = classes.get(&file_name(&path));
            entries.push(Entry {
                name: stem(&path),
                class: class.map_or(NO_CLASS, String::as_str).into(),
                path,
            });
        }
    }
    let names: Vec<String> = entries.iter().map(|e| file_name(&e.path)).collect();
    if let Some(missing) = classes.keys().find(|name| !names.contains(name)) {
        return Err(TableError::Classes {
            path: folder.join(CLASSES_FILE),
            what: format!("there is no sound file {missing:?} in the folder"),
        });
    }
    if entries.is_empty() {
        return Err(TableError::Empty {
            path: folder.into(),
        });
    }
    entries.sort_by(|a, b| (&a.class, &a.name).cmp(&(&b.class, &b.name)));
    Ok(entries)
}

/// What is in a folder, but for hidden files.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, TableError> {
    let failed = |source| TableError::File {
        path: folder.into(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if !file_name(&path).starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Classes by the names of files; none where there is no list.
fn read_classes(path: &Path) -> Result<BTreeMap<String, String>, TableError> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let failed = |what: String| TableError::Classes {
        path: path.into(),
        what,
    };
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .from_path(path);
    let mut classes = BTreeMap::new();
    for line in reader.map_err(|e| failed(e.to_string()))?.records() {
        let line = line.map_err(|e| failed(e.to_string()))?;
        match line.iter().collect::<Vec<_>>()[..] {
            // The names of the columns.
            ["file", "class"] => {}
            [file, class] if !file.is_empty() && !class.is_empty() => {
                classes.insert(file.into(), class.into());
            }
            _ => return Err(failed(format!("{:?} is no such line", line.as_slice()))),
        }
    }
    Ok(classes)
}

fn is_sound(path: &Path) -> bool {
    let ending = path.extension().and_then(|e| e.to_str());
    ending.is_some_and(|e| {
        SOUND_EXTENSIONS
            .iter()
            .any(|known| e.eq_ignore_ascii_case(known))
    })
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into()
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into()
}
