//! The writing end of a pipe to another program, into which only goes what there is room for: nobody is kept waiting by a
//! program that does not read, nor ended by one that is gone.

use std::io::{self, Write};
use std::process::ChildStdin;

#[cfg(unix)]
mod system {
    use std::marker::PhantomData;
    use std::mem::MaybeUninit;
    use std::os::fd::AsRawFd;

    use super::*;

    /// The end of a pipe. It stays on the thread that made it.
    pub struct Sink {
        end: ChildStdin,
        /// Of the thread whose signals were set.
        thread: PhantomData<*const ()>,
    }

    impl Sink {
        /// Fails where the system does not let it be written without waiting. From here on, this thread, which must be
        /// one of our own, gets no signal for pipes that nobody reads any more: a host need not have turned that off,
        /// and would be ended by it.
        pub fn new(end: ChildStdin) -> io::Result<Self> {
            let fd = end.as_raw_fd();
            let mut signals = MaybeUninit::<libc::sigset_t>::uninit();
            // SAFETY: the descriptor is open, and the calls only read and set its flags; the program's own end is
            // another one. The set of signals is made by the first call on it before it is used, and only this thread's
            // mask is changed. Programs that are started later get an empty one from the standard library.
            let is_set = unsafe {
                libc::sigemptyset(signals.as_mut_ptr());
                libc::sigaddset(signals.as_mut_ptr(), libc::SIGPIPE);
                let flags = libc::fcntl(fd, libc::F_GETFL);
                libc::pthread_sigmask(libc::SIG_BLOCK, signals.as_ptr(), std::ptr::null_mut()) == 0
                    && flags >= 0
                    && libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) >= 0
            };
            if is_set {
                let thread = PhantomData;
                Ok(Self { end, thread })
            } else {
                Err(io::Error::last_os_error())
            }
        }

        /// Gives as much of `bytes` as there is room for; how many that were.
        pub fn give(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.end.write(bytes) {
                Ok(count) => Ok(count),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(0),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(0),
                Err(e) => Err(e),
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
    use std::thread;

    use super::*;

    /// Bytes that are written at once, and pieces that may wait.
    const PIECE: usize = 64 * 1024;
    const PIECES: usize = 4;

    /// The end of a pipe, written by a thread that ends with the program.
    pub struct Sink(SyncSender<Vec<u8>>);

    impl Sink {
        /// Fails where the system has no thread for it.
        pub fn new(mut end: ChildStdin) -> io::Result<Self> {
            let (sender, pieces) = sync_channel::<Vec<u8>>(PIECES);
            let write = move || {
                while let Ok(piece) = pieces.recv() {
                    if end.write_all(&piece).and_then(|()| end.flush()).is_err() {
                        break;
                    }
                }
            };
            thread::Builder::new()
                .name("weft-sink".into())
                .spawn(write)?;
            Ok(Self(sender))
        }

        /// Gives as much of `bytes` as there is room for; how many that were.
        pub fn give(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let piece = &bytes[..bytes.len().min(PIECE)];
            match self.0.try_send(piece.to_vec()) {
                Ok(()) => Ok(piece.len()),
                Err(TrySendError::Full(_)) => Ok(0),
                Err(TrySendError::Disconnected(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
    }
}

pub use system::Sink;
