//! Files that appear whole or not at all.

#[cfg(unix)]
use std::ffi::OsStr;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
#[cfg(unix)]
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names that are tried for a temporary file before giving up.
const MAX_ATTEMPTS: u32 = 1_000;

/// How names of temporary files end.
const ENDING: &str = ".part";

/// The temporary files of this process.
struct Pending {
    paths: Vec<PathBuf>,
    /// The process is about to end: nothing is begun or put in its place any more.
    is_abandoned: bool,
}

static PENDING: Mutex<Pending> = Mutex::new(Pending {
    paths: Vec::new(),
    is_abandoned: false,
});

fn pending() -> MutexGuard<'static, Pending> {
    // Nothing in here panics half way.
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every temporary file of this process, and lets none be made or finished from now on: what a handler
/// of signals calls before it ends the process. Files that are already in their place stay.
pub fn abandon_part_files() {
    let mut pending = pending();
    pending.is_abandoned = true;
    for path in pending.paths.drain(..) {
        // The process ends either way.
        let _ = fs::remove_file(path);
    }
}

fn abandoned() -> io::Error {
    io::Error::new(io::ErrorKind::Interrupted, "the program is being ended")
}

/// The place of a file that is being written: a hidden temporary file beside the target, which
/// [`finish`](Self::finish) puts in the target's place. Dropped without, it removes the temporary file.
///
/// Whoever writes closes the file before either: Windows neither moves nor removes open files.
pub(crate) struct PartFile {
    temporary: PathBuf,
    target: PathBuf,
    /// Holds the lock on the temporary file that says that somebody is at work on it.
    #[cfg(unix)]
    _at_work: Option<File>,
}

impl PartFile {
    /// Makes an empty temporary file beside `path`, or beside what it links to. What processes that were killed
    /// have left of the same file is removed.
    ///
    /// # Errors
    ///
    /// If `path` is something else than a regular file that may be written, or its folder can't be written.
    pub fn beside(path: &Path) -> io::Result<(File, Self)> {
        let target = replaceable_target(path)?;
        let name = target
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it does not name a file"))?
            .to_os_string();
        #[cfg(unix)]
        remove_leftovers(&target, &name);
        let mut pending = pending();
        if pending.is_abandoned {
            return Err(abandoned());
        }
        let mut attempt = 0;
        loop {
            let mut hidden = OsString::from(".");
            hidden.push(&name);
            hidden.push(format!(".{}-{attempt}{ENDING}", process::id()));
            let temporary = target.with_file_name(hidden);
            let new = OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&temporary);
            match new {
                Ok(file) => {
                    pending.paths.push(temporary.clone());
                    let place = Self {
                        temporary,
                        target,
                        #[cfg(unix)]
                        _at_work: lock(&file),
                    };
                    return Ok((file, place));
                }
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && attempt < MAX_ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Where the temporary file is.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Where the file is to be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Puts the file in its place; an older one is replaced in one step.
    ///
    /// # Errors
    ///
    /// If the system refuses; what was there before is then still there.
    pub fn finish(self) -> io::Result<()> {
        let pending = pending();
        if pending.is_abandoned {
            return Err(abandoned());
        }
        let moved = fs::rename(&self.temporary, &self.target);
        // Dropping takes the lock again.
        drop(pending);
        moved
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        let mut pending = pending();
        pending.paths.retain(|path| *path != self.temporary);
        // After `finish` nothing is left to remove, and a failure to remove harms nobody.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Locks a file for as long as what is returned lives; `None` where the system has no locks for it.
#[cfg(unix)]
fn lock(file: &File) -> Option<File> {
    let held = file.try_clone().ok()?;
    held.try_lock().is_ok().then_some(held)
}

/// Removes the temporary files for `target`, called `name`, that nobody is at work on: their processes were killed,
/// and the system has lifted their locks. What can't be removed is in nobody's way.
#[cfg(unix)]
fn remove_leftovers(target: &Path, name: &OsStr) {
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if is_temporary_of(entry.file_name().as_bytes(), name.as_bytes())
            && let Ok(file) = OpenOptions::new().write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether `name` is what [`PartFile::beside`] calls a temporary file for `target`.
#[cfg(unix)]
fn is_temporary_of(name: &[u8], target: &[u8]) -> bool {
    let numbers = name
        .strip_prefix(b".")
        .and_then(|name| name.strip_prefix(target))
        .and_then(|name| name.strip_prefix(b"."))
        .and_then(|name| name.strip_suffix(ENDING.as_bytes()));
    numbers.is_some_and(|numbers| {
        let parts: Vec<&[u8]> = numbers.split(|&byte| byte == b'-').collect();
        let is_number = |part: &&[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
        parts.len() == 2 && parts.iter().all(is_number)
    })
}

/// Writes a file that appears whole or not at all: beside its place first. An older one is replaced in one step.
///
/// # Errors
/// If the system refuses; what was there before is then still there.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (mut file, place) = PartFile::beside(path)?;
    let written = file.write_all(bytes);
    // Closed before it is moved.
    drop(file);
    written.and_then(|()| place.finish())
}

/// Whether a file can be written at `path`, found out by making and removing a temporary file beside
/// it: worth knowing before minutes of work. What is at the path stays as it is.
///
/// # Errors
///
/// If `path` is not a regular file that may be written, or its folder can't be written.
pub fn check_writable(path: &Path) -> Result<(), super::ClipError> {
    // Closed before its place is given up.
    PartFile::beside(path)
        .map(|(file, place)| {
            drop(file);
            drop(place);
        })
        .map_err(|source| super::ClipError::Write {
            path: path.to_path_buf(),
            source,
        })
}

/// Where a file for `path` has to go: `path` itself, or what it links to. Fails where renaming
/// over it would replace something that is no regular file (a device, a directory), or a file that
/// may not be written.
fn replaceable_target(path: &Path) -> io::Result<PathBuf> {
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path.to_path_buf()),
        Err(error) => return Err(error),
    };
    if !fs::metadata(&target)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it exists and is not a regular file",
        ));
    }
    OpenOptions::new().append(true).open(&target)?;
    Ok(target)
}
