//! The reading end of a pipe from another program, from which is taken only what is there: nobody is kept waiting by a
//! program that says nothing, nor by one that it has left behind.

use std::io::{self, Read};

/// What a look into a pipe has found.
pub enum Found {
    /// So many bytes.
    Bytes(usize),
    /// Nothing yet.
    Nothing,
    /// Nobody will write any more.
    End,
}

impl Found {
    /// How many bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::Bytes(count) => count,
            Self::Nothing | Self::End => 0,
        }
    }
}

#[cfg(unix)]
mod system {
    use std::os::fd::AsRawFd;

    use super::*;

    /// The end of a pipe.
    pub struct Pipe<R>(R);

    impl<R: Read + AsRawFd> Pipe<R> {
        /// Fails where the system does not let it be read without waiting.
        pub fn new(end: R) -> io::Result<Self> {
            let fd = end.as_raw_fd();
            // SAFETY: the descriptor is open, and the calls only read and set its flags. The program's own end is
            // another one.
            let is_set = unsafe {
                let flags = libc::fcntl(fd, libc::F_GETFL);
                flags >= 0 && libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) >= 0
            };
            if is_set {
                Ok(Self(end))
            } else {
                Err(io::Error::last_os_error())
            }
        }

        /// Takes what is there, as far as there is room for it.
        pub fn take(&mut self, room: &mut [u8]) -> io::Result<Found> {
            match self.0.read(room) {
                Ok(0) => Ok(Found::End),
                Ok(count) => Ok(Found::Bytes(count)),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Found::Nothing),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(Found::Nothing),
                Err(e) => Err(e),
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::marker::PhantomData;
    use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
    use std::thread;

    use super::*;

    /// Bytes that are read at once, and pieces that may wait.
    const PIECE: usize = 4096;
    const PIECES: usize = 16;

    /// The end of a pipe, read by a thread that ends with the program.
    pub struct Pipe<R> {
        pieces: Receiver<Vec<u8>>,
        left: Vec<u8>,
        end: PhantomData<R>,
    }

    impl<R: Read + Send + 'static> Pipe<R> {
        /// Fails where the system has no thread for it.
        pub fn new(mut end: R) -> io::Result<Self> {
            let (sender, pieces) = sync_channel(PIECES);
            let read = move || {
                let mut room = [0; PIECE];
                while let Ok(count) = end.read(&mut room) {
                    if count == 0 || sender.send(room[..count].to_vec()).is_err() {
                        break;
                    }
                }
            };
            thread::Builder::new()
                .name("weft-pipe".into())
                .spawn(read)?;
            Ok(Self {
                pieces,
                left: Vec::new(),
                end: PhantomData,
            })
        }

        /// Takes what is there, as far as there is room for it.
        pub fn take(&mut self, room: &mut [u8]) -> io::Result<Found> {
            if self.left.is_empty() {
                match self.pieces.try_recv() {
                    Ok(piece) => self.left = piece,
                    Err(TryRecvError::Empty) => return Ok(Found::Nothing),
                    Err(TryRecvError::Disconnected) => return Ok(Found::End),
                }
            }
            let count = self.left.len().min(room.len());
            room[..count].copy_from_slice(&self.left[..count]);
            self.left.drain(..count);
            Ok(Found::Bytes(count))
        }
    }
}

pub use system::Pipe;
