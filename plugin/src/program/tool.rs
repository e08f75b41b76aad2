//! Where the command line tool is, which makes imprints: its methods need libraries that the plugin must not name.

use std::env;
use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use thiserror::Error;

/// The environment variable by which a user names the tool.
const VARIABLE: &str = "WEFT_TOOL";
/// The tool's name, but for what the system adds.
const NAME: &str = "weft";
/// What the folders of plugins end with that are folders.
const BUNDLE_EXTENSIONS: [&str; 2] = ["clap", "vst3"];

/// Why there is no tool.
#[derive(Debug, Error)]
pub enum ToolError {
    /// The user's own is not there.
    #[error(
        "WEFT_TOOL names {0:?}, which is no program: name Weft's command line tool, or take WEFT_TOOL away"
    )]
    NotThere(PathBuf),
    /// It is nowhere.
    #[error(
        "an imprint needs Weft's command line tool, which is not there: run `cargo xtask install`, or name it in WEFT_TOOL"
    )]
    Nowhere,
}

/// Where the host says that it found the library.
static TOLD: OnceLock<PathBuf> = OnceLock::new();

/// Takes down where a host says that it found the library.
pub fn note_library(path: &Path) {
    // Of several places, the first is as good as any.
    let _ = TOLD.set(path.to_path_buf());
}

/// What a tool is looked for by.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// What the user named.
    named: Option<OsString>,
    /// This library itself.
    library: Option<PathBuf>,
    /// Folders with programs, as the system lists them.
    folders: Option<OsString>,
}

impl Surroundings {
    /// This process's.
    pub fn of_process() -> Self {
        let library = own_path().or_else(|| TOLD.get().cloned());
        Self {
            named: env::var_os(VARIABLE).filter(|path| !path.is_empty()),
            library: library.and_then(|path| std::path::absolute(path).ok()),
            folders: env::var_os("PATH"),
        }
    }

    /// The tool: the one that the user names, or else beside the library, beside its bundle, or among the programs.
    pub fn find(&self) -> Result<PathBuf, ToolError> {
        if let Some(named) = &self.named {
            let path = PathBuf::from(named);
            return match std::path::absolute(&path) {
                Ok(path) if self.is_tool(&path) => Ok(path),
                _ => Err(ToolError::NotThere(path)),
            };
        }
        let mut candidates = self.candidates().into_iter();
        candidates
            .find(|path| self.is_tool(path))
            .ok_or(ToolError::Nowhere)
    }

    fn candidates(&self) -> Vec<PathBuf> {
        let is_bundle = |path: &&Path| {
            let extension = path.extension().unwrap_or_default();
            BUNDLE_EXTENSIONS.iter().any(|e| extension == *e)
        };
        let library = self.library.as_deref();
        let beside = library.and_then(Path::parent);
        let bundle = library.and_then(|library| library.ancestors().skip(1).find(is_bundle));
        let beside_bundle = bundle.and_then(Path::parent);
        let listed = self.folders.iter().flat_map(env::split_paths);
        // Another folder's program is run only where that folder was named in full.
        let listed = listed.filter(|folder| folder.is_absolute());
        let own = [beside, beside_bundle].into_iter().flatten();
        (own.map(Path::to_path_buf).chain(listed))
            .map(|folder| folder.join(format!("{NAME}{EXE_SUFFIX}")))
            .collect()
    }

    /// Whether a path leads to a program. Where the system takes `Weft` and `weft` for the same, the library itself may
    /// seem to be one.
    fn is_tool(&self, path: &Path) -> bool {
        let is_library = || {
            let library = self.library.as_deref().map(fs::canonicalize);
            matches!((library, fs::canonicalize(path)), (Some(Ok(a)), Ok(b)) if a == b)
        };
        fs::metadata(path).is_ok_and(|found| found.is_file() && may_be_run(&found)) && !is_library()
    }
}

#[cfg(unix)]
fn may_be_run(file: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;

    /// Leave to run a file, of its owner, its group or anybody.
    const RUN: u32 = 0o111;
    file.permissions().mode() & RUN != 0
}

#[cfg(not(unix))]
fn may_be_run(_: &fs::Metadata) -> bool {
    true
}

/// The file from which this code was loaded.
#[cfg(unix)]
fn own_path() -> Option<PathBuf> {
    use std::ffi::{CStr, OsStr};
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;

    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: the address is one of this library's, and the call fills in the description, which is ours; all zeroes
    // are a valid one. The name that it leads to is the loader's and stays for as long as this code does.
    let name = unsafe {
        if libc::dladdr((&raw const TOLD).cast(), info.as_mut_ptr()) == 0 {
            return None;
        }
        let name = info.assume_init().dli_fname;
        if name.is_null() {
            return None;
        }
        CStr::from_ptr(name)
    };
    Some(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}

/// Elsewhere the host has to say it.
#[cfg(not(unix))]
fn own_path() -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a file at `path`, which may be run.
    fn program(path: &Path) -> PathBuf {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        path.to_path_buf()
    }

    fn tool() -> String {
        format!("{NAME}{EXE_SUFFIX}")
    }

    #[test]
    fn the_users_own_comes_first_and_then_what_lies_nearest() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let library = program(&path("plugins/Weft.vst3/Contents/x86_64-linux/Weft.so"));
        let programs = env::join_paths([PathBuf::from("programs"), path("none"), path("programs")]);
        let mut around = Surroundings {
            named: None,
            library: Some(library.clone()),
            folders: Some(programs.unwrap()),
        };
        assert!(matches!(around.find(), Err(ToolError::Nowhere)));
        let places = [
            "programs",
            "plugins",
            "plugins/Weft.vst3/Contents/x86_64-linux",
        ];
        for place in places {
            let placed = program(&path(place).join(tool()));
            assert_eq!(around.find().unwrap(), placed);
        }
        let own = program(&path("own tool"));
        around.named = Some(own.clone().into());
        assert_eq!(around.find().unwrap(), own);
        // It is not passed over for another one.
        fs::remove_file(&own).unwrap();
        assert!(matches!(around.find(), Err(ToolError::NotThere(path)) if path == own));
    }

    #[test]
    fn a_clap_that_is_a_file_has_it_beside_itself_and_is_not_it() {
        let folder = tempfile::tempdir().unwrap();
        let library = program(&folder.path().join("Weft.clap"));
        let around = |library: &Path| Surroundings {
            library: Some(library.to_path_buf()),
            ..Surroundings::default()
        };
        assert!(around(&library).find().is_err());
        let tool = program(&folder.path().join(tool()));
        assert_eq!(around(&library).find().unwrap(), tool);
        assert!(around(&tool).find().is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_can_t_be_run_is_no_tool() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        fs::write(&plain, "").unwrap();
        for path in [plain.as_path(), folder.path(), Path::new("/nowhere")] {
            let around = Surroundings {
                named: Some(path.into()),
                ..Surroundings::default()
            };
            assert!(matches!(around.find(), Err(ToolError::NotThere(_))));
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_library_knows_where_it_lies() {
        // Here it is the program of the tests.
        let own = fs::canonicalize(own_path().unwrap()).unwrap();
        assert_eq!(own, fs::canonicalize(env::current_exe().unwrap()).unwrap());
    }
}
