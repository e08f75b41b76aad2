//! Captures in the making: clips are read, synthesized and judged on threads of their own, as what sounds must not
//! run dry meanwhile.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::clip::{Capture, ClipError, Remark, SoundFile};
use crate::instrument::controls::Slot;
use crate::instrument::shared::{PacedCapture, Pending, Waker};

/// Something to be learned, from when it was asked for until it is a fit.
pub(super) struct Wanted {
    pub slot: Slot,
    pub name: String,
    /// The capture's number, if its fit is to keep to the song's pace.
    pub paced: Option<PacedCapture>,
    pub pending: Pending,
}

/// A clip that can be learned, and what is to be said of it.
pub(super) type Judged = (Capture, Option<String>);

struct Preparing {
    wanted: Wanted,
    /// Number of the request: a later one of the same slot makes it void.
    request: u64,
    judged: Receiver<Result<Judged, ClipError>>,
    thread: JoinHandle<()>,
}

/// Makes captures ready, in the order in which they were asked for.
pub(super) struct Preparer {
    /// Wakes the worker for what is ready.
    waker: Waker,
    queue: VecDeque<Preparing>,
    /// Requests so far, and the newest of each slot.
    requests: u64,
    newest: [u64; Slot::COUNT],
}

impl Preparer {
    /// With nothing to do. `waker` wakes the worker when a capture is ready.
    pub fn new(waker: Waker) -> Self {
        Self {
            waker,
            queue: VecDeque::new(),
            requests: 0,
            newest: Default::default(),
        }
    }

    /// Has the capture made that `make` makes and judges; nothing older is wanted in its slot any more. Without a
    /// thread, nothing happens but the error.
    pub fn ask(
        &mut self,
        wanted: Wanted,
        make: impl FnOnce() -> Result<Judged, ClipError> + Send + 'static,
    ) -> std::io::Result<()> {
        self.forget(wanted.slot);
        // A defect in it must not take the host with it.
        let (sender, judged) = bounded(1);
        let waker = self.waker.clone();
        let work = move || {
            let made = catch_unwind(AssertUnwindSafe(make));
            // If nobody listens any more, nobody wants it.
            let _ = sender.send(made.unwrap_or(Err(ClipError::Defect)));
            waker.wake();
        };
        let thread = std::thread::Builder::new()
            .name("weft-prepare".into())
            .spawn(work)?;
        self.queue.push_back(Preparing {
            wanted,
            request: self.requests,
            judged,
            thread,
        });
        Ok(())
    }

    /// Nothing that was asked for before is wanted in this slot any more.
    pub fn forget(&mut self, slot: Slot) {
        self.requests += 1;
        self.newest[slot.index()] = self.requests;
    }

    /// The oldest capture that is ready and still wanted, or why there is none.
    pub fn next_prepared(&mut self) -> Option<(Wanted, Result<Judged, ClipError>)> {
        while let Some(front) = self.queue.front() {
            let judged = match front.judged.try_recv() {
                Ok(judged) => judged,
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => Err(ClipError::Defect),
            };
            let Preparing {
                wanted,
                request,
                thread,
                ..
            } = self.queue.pop_front()?;
            // It has nothing left to do, and what may panic was caught in it.
            let _ = thread.join();
            if request == self.newest[wanted.slot.index()] {
                return Some((wanted, judged));
            }
        }
        None
    }

    /// Ends every thread.
    pub fn shut_down(self) {
        for preparing in self.queue {
            // A panic in it was caught there.
            let _ = preparing.thread.join();
        }
    }
}

/// Judges what was read, recorded or made.
pub(super) fn judge(file: &SoundFile) -> Result<Judged, ClipError> {
    file.clip.check_texture()?;
    Ok((Capture::of_file(file)?, in_words(&file.remarks())))
}

/// Judges a part of a capture.
pub(super) fn judge_part(part: Capture) -> Result<Judged, ClipError> {
    part.used().check_texture()?;
    let remark = in_words(&part.remarks());
    Ok((part, remark))
}

fn in_words(remarks: &[Remark]) -> Option<String> {
    let remarks: Vec<String> = remarks.iter().map(ToString::to_string).collect();
    (!remarks.is_empty()).then(|| remarks.join("; "))
}
