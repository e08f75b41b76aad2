//! Programs of tests: shell scripts that take the place of others, and what is left of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes; a test that waits for so long has hung.
pub const FOREVER: Duration = Duration::from_secs(60);

/// One test at a time: a program can't be started while a test beside it starts another one, which has the file of the
/// first open to be written for a moment.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts a shell's `script` in the place of a program, which may still run. It knows its folder as `$NOTES`.
pub fn set_script(path: &Path, script: &str) {
    let fresh = path.with_extension("fresh");
    let notes = path.parent().unwrap().display();
    fs::write(&fresh, format!("#!/bin/sh\nNOTES='{notes}'\n{script}")).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(fresh, path).unwrap();
}

/// Waits until something is so.
#[track_caller]
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < FOREVER, "in vain for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process is there; one that has ended and was left to the system may be for a moment.
fn is_there(process: libc::pid_t) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat"));
    let is_dead = state.is_ok_and(|state| state.contains(") Z "));
    // SAFETY: the call takes numbers, and no signal is sent.
    !is_dead && unsafe { libc::kill(process, 0) } == 0
}

/// Waits until none of these is there.
#[track_caller]
pub fn assert_gone(processes: &[libc::pid_t]) {
    for &process in processes {
        wait_until("the end of a process", || !is_there(process));
    }
}

/// The processes that a script has written down in `processes` of its folder, when it has.
#[track_caller]
pub fn processes(folder: &Path) -> Vec<libc::pid_t> {
    let path = folder.join("processes");
    wait_until("the program", || path.exists());
    let noted = fs::read_to_string(path).unwrap();
    noted.lines().map(|line| line.parse().unwrap()).collect()
}
