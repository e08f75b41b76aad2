//! One device for all fits of a user: they take tickets, and come in the order of these.
//!
//! A ticket is a file that its process keeps locked, so that the system itself takes back those of processes that have
//! died, however they did. A file beside it says how much is left of the fit. Numbers are given out behind a *door*, a
//! file that is locked for a moment.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// The environment variable that names another folder for the queues.
const VARIABLE: &str = "WEFT_QUEUE";
/// The file behind which numbers are given out.
const DOOR: &str = "door";
const TICKET: &str = "ticket";
const NOTE: &str = "note";
/// How often the door is tried, and the pause between: whoever is behind it is there for a moment, or has been stopped.
const DOOR_TRIES: usize = 200;
const DOOR_PAUSE: Duration = Duration::from_millis(5);

/// The queue for a device.
pub struct Queue {
    folder: PathBuf,
}

/// What is before a fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ahead {
    /// Fits; at least one.
    pub count: u32,
    /// Seconds that they take, if that is known.
    pub wait_s: Option<f64>,
}

impl Queue {
    /// This user's queue for a device on this machine; none where there is no place for it.
    pub fn of_user(device: &str) -> Option<Self> {
        let plain = device.chars().map(|c| match c.is_ascii_alphanumeric() {
            true => c,
            false => '-',
        });
        let name: String = plain.take(64).collect();
        let folder = match env::var_os(VARIABLE) {
            Some(named) => PathBuf::from(named),
            None => user_folder()?,
        };
        Self::at(&folder.join(name)).ok()
    }

    fn at(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_path_buf(),
        })
    }

    /// Waits at the door, and returns it locked.
    fn door(&self) -> io::Result<File> {
        let door = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.folder.join(DOOR))?;
        for _ in 0..DOOR_TRIES {
            match door.try_lock() {
                Ok(()) => return Ok(door),
                Err(TryLockError::WouldBlock) => thread::sleep(DOOR_PAUSE),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    /// Numbers that were given out and whose files are there, in order.
    fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let number = stem.and_then(|stem| stem.parse::<u64>().ok());
            numbers.extend(number.filter(|_| path.extension().is_some_and(|e| e == TICKET)));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn path(&self, number: u64, extension: &str) -> PathBuf {
        self.folder.join(format!("{number}.{extension}"))
    }

    /// Whether a ticket is somebody's. To be asked behind the door: a new one is not locked yet.
    fn is_held(&self, number: u64) -> bool {
        let Ok(file) = File::open(self.path(number, TICKET)) else {
            return false;
        };
        matches!(file.try_lock(), Err(TryLockError::WouldBlock))
    }

    fn remove(&self, number: u64) {
        for extension in [NOTE, TICKET] {
            // Somebody else may have done it.
            let _ = fs::remove_file(self.path(number, extension));
        }
    }

    /// Takes a ticket for a fit of so many steps.
    pub fn enter(&self, steps: u32) -> io::Result<Ticket> {
        let _door = self.door()?;
        let last = self.numbers()?.last().copied();
        let number = last.map_or(0, |last| last.wrapping_add(1));
        let file = File::create_new(self.path(number, TICKET))?;
        file.lock()?;
        let folder = self.folder.clone();
        let ticket = Ticket {
            queue: Self { folder },
            number,
            _file: file,
        };
        ticket.note(steps, None);
        Ok(ticket)
    }

    /// What is noted of a fit: the steps that are left, and the seconds that one takes.
    fn noted(&self, number: u64) -> Option<(u32, Option<f64>)> {
        let note = fs::read_to_string(self.path(number, NOTE)).ok()?;
        let mut words = note.split_whitespace();
        let steps = words.next()?.parse().ok()?;
        let step_s = words.next().and_then(|word| word.parse().ok());
        Some((
            steps,
            step_s.filter(|step_s: &f64| step_s.is_finite() && *step_s >= 0.0),
        ))
    }
}

/// A place in the queue, until it is dropped.
pub struct Ticket {
    queue: Queue,
    number: u64,
    /// Locked.
    _file: File,
}

impl Ticket {
    /// What is before this one; `None` where it is its turn, or nobody can tell.
    pub fn ahead(&self) -> Option<Ahead> {
        let _door = self.queue.door().ok()?;
        let numbers = self.queue.numbers().ok()?;
        let before = numbers.into_iter().filter(|number| *number < self.number);
        let (held, left): (Vec<u64>, Vec<u64>) =
            before.partition(|number| self.queue.is_held(*number));
        // Of processes that have died.
        left.into_iter()
            .for_each(|number| self.queue.remove(number));
        if held.is_empty() {
            return None;
        }
        let notes = held.iter().map(|number| self.queue.noted(*number));
        let notes: Option<Vec<_>> = notes.collect();
        // Only the one whose turn it is knows how fast the device is.
        let wait_s = notes.and_then(|notes| {
            let step_s = notes.iter().find_map(|(_, step_s)| *step_s)?;
            let steps = notes.iter().map(|(steps, _)| f64::from(*steps));
            Some(steps.sum::<f64>() * step_s)
        });
        Some(Ahead {
            count: held.len() as u32,
            wait_s,
        })
    }

    /// Notes for those who wait how many steps are left, and the seconds that one takes, if that is known.
    pub fn note(&self, steps_left: u32, step_s: Option<f64>) {
        let step_s = step_s.map_or_else(String::new, |step_s| step_s.to_string());
        // Without it, nobody knows how long it takes.
        let _ = fs::write(
            self.queue.path(self.number, NOTE),
            format!("{steps_left} {step_s}\n"),
        );
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.queue.remove(self.number);
    }
}

/// The folder that is only this user's, and only of this session.
#[cfg(unix)]
fn user_folder() -> Option<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};

    const OWNER_ONLY: u32 = 0o700;
    const OTHERS: u32 = 0o077;
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    if let Some(runtime) = runtime.filter(|path| path.is_absolute() && path.is_dir()) {
        return Some(runtime.join("weft"));
    }
    // SAFETY: the call takes nothing and always succeeds.
    let user = unsafe { libc::geteuid() };
    let folder = env::temp_dir().join(format!("weft-{user}"));
    let mut builder = fs::DirBuilder::new();
    // Where it is there already, it is looked at.
    let _ = builder.mode(OWNER_ONLY).create(&folder);
    let found = fs::symlink_metadata(&folder).ok()?;
    let is_ours = found.is_dir() && found.uid() == user && found.mode() & OTHERS == 0;
    is_ours.then_some(folder)
}

#[cfg(not(unix))]
fn user_folder() -> Option<PathBuf> {
    Some(env::temp_dir().join("weft"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(ticket: &Ticket) -> u32 {
        ticket.ahead().map_or(0, |ahead| ahead.count)
    }

    #[test]
    fn who_asks_first_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::at(&folder.path().join("device")).unwrap();
        let other = Queue::at(&folder.path().join("other")).unwrap();
        let first = queue.enter(100).unwrap();
        let elsewhere = other.enter(100).unwrap();
        let second = queue.enter(50).unwrap();
        let third = queue.enter(10).unwrap();
        assert_eq!([&first, &second, &third].map(count), [0, 1, 2]);
        assert_eq!(count(&elsewhere), 0);
        // Nobody knows how fast the device is until the first has made some steps.
        assert_eq!(second.ahead().unwrap().wait_s, None);
        first.note(80, Some(0.5));
        assert_eq!(second.ahead().unwrap().wait_s, Some(40.0));
        assert_eq!(third.ahead().unwrap().wait_s, Some(65.0));
        // Who gives up is nobody's business.
        drop(second);
        assert_eq!((count(&first), count(&third)), (0, 1));
        drop(first);
        let fourth = queue.enter(1).unwrap();
        assert_eq!((count(&third), count(&fourth)), (0, 1));
        drop((third, fourth));
        assert!(queue.numbers().unwrap().is_empty());
    }

    #[test]
    fn what_dead_processes_have_left_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::at(folder.path()).unwrap();
        for name in [
            "7.ticket",
            "7.note",
            "notes.txt",
            "x.ticket",
            "18446744073709551615.note",
        ] {
            fs::write(folder.path().join(name), "garbage").unwrap();
        }
        let ticket = queue.enter(1).unwrap();
        assert_eq!((ticket.number, count(&ticket)), (8, 0));
        assert_eq!(queue.numbers().unwrap(), [8]);
        // A note that makes no sense makes the wait unknown, not wrong.
        let second = queue.enter(1).unwrap();
        for note in ["", "x", "-1 1", "1 -1", "1 nan", "1 inf"] {
            fs::write(queue.path(8, NOTE), note).unwrap();
            let ahead = second.ahead().unwrap();
            assert_eq!((ahead.count, ahead.wait_s), (1, None), "{note:?}");
        }
    }
}
