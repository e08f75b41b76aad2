//! Which helper makes the fits: the user's own, or the tool that lies beside the plugin.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::HelperFault;
use super::words::words;

/// The environment variable by which a user names a helper: a whole command line, or [`OFF`].
const VARIABLE: &str = "WEFT_WORKER";
/// In place of a command line: no helper.
const OFF: &str = "off";
/// Where what was typed in the window is kept, in the folder for users' settings.
const FOLDER: &str = "weft";
const FILE: &str = "worker";
/// Bytes of the longest command line.
const LONGEST_LINE: usize = 4096;

/// Who is to make the fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The processor.
    Processor,
    /// What this command line starts, which the user has given.
    Own(Vec<String>),
    /// The tool at this place, if it has something better than the processor.
    Found(PathBuf),
}

impl Choice {
    /// What a command line makes of it; an empty one leaves it to what is `found`.
    ///
    /// # Errors
    /// If it is none.
    pub fn of_line(
        line: &str,
        found: impl FnOnce() -> Option<PathBuf>,
    ) -> Result<Self, HelperFault> {
        let words = words(line).ok_or_else(|| HelperFault::Command(line.to_owned()))?;
        Ok(match words.first().map(String::as_str) {
            None => found().map_or(Self::Processor, Self::Found),
            Some(OFF) if words.len() == 1 => Self::Processor,
            Some(_) => Self::Own(words),
        })
    }
}

/// The command line that the environment names, be it an empty one.
pub fn named() -> Option<String> {
    std::env::var_os(VARIABLE).map(|line| line.to_string_lossy().into_owned())
}

/// Where what was typed in the window is kept.
pub fn place() -> Option<PathBuf> {
    settings_folder().map(|folder| folder.join(FOLDER).join(FILE))
}

/// The command line that is kept in a file.
pub fn read(path: &Path) -> Option<String> {
    let mut line = String::new();
    let file = File::open(path).ok()?;
    file.take(LONGEST_LINE as u64)
        .read_to_string(&mut line)
        .ok()?;
    Some(line.trim().to_owned())
}

/// Keeps a command line in a file; an empty one is kept by taking the file away.
pub fn write(path: &Path, line: &str) -> io::Result<()> {
    let line = line.trim();
    if line.is_empty() {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    if line.len() >= LONGEST_LINE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, format!("{line}\n"))
}

/// The folder for what a user's programs keep as their settings.
fn settings_folder() -> Option<PathBuf> {
    let folder = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    if cfg!(windows) {
        folder("APPDATA")
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_own_comes_before_what_is_found() {
        let tool = || Some(PathBuf::from("/plugins/weft"));
        let of = |line| Choice::of_line(line, tool).unwrap();
        assert_eq!(of(" "), Choice::Found("/plugins/weft".into()));
        assert_eq!(of("off"), Choice::Processor);
        let own = ["ssh", "gpubox", "weft", "serve"].map(str::to_owned);
        assert_eq!(of("ssh gpubox weft serve"), Choice::Own(own.to_vec()));
        assert_eq!(Choice::of_line("", || None).unwrap(), Choice::Processor);
        let error = Choice::of_line("'weft serve", tool).unwrap_err();
        assert!(error.to_string().contains("close its quotes"));
    }

    #[test]
    fn what_was_typed_is_kept_until_it_is_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weft/worker");
        assert_eq!(read(&path), None);
        write(&path, " ssh gpubox weft serve ").unwrap();
        assert_eq!(read(&path).unwrap(), "ssh gpubox weft serve");
        assert!(write(&path, &"x".repeat(LONGEST_LINE)).is_err());
        assert_eq!(read(&path).unwrap(), "ssh gpubox weft serve");
        write(&path, "").unwrap();
        write(&path, "").unwrap();
        assert_eq!(read(&path), None);
    }
}
