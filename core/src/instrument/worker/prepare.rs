//! Captures in the making: clips are read, synthesized and judged on threads of their own, as what sounds must not
//! run dry meanwhile.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

use crate::clip::{Capture, Clip, ClipError};
use crate::instrument::controls::Slot;
use crate::instrument::shared::{PacedCapture, Pending};

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
    thread: JoinHandle<Result<Judged, ClipError>>,
}

/// Makes captures ready, in the order in which they were asked for.
#[derive(Default)]
pub(super) struct Preparer {
    queue: VecDeque<Preparing>,
    /// Requests so far, and the newest of each slot.
    requests: u64,
    newest: [u64; Slot::COUNT],
}

impl Preparer {
    /// Has the clip that `make` makes judged; nothing older is wanted in its slot any more. Without a thread,
    /// nothing happens but the error.
    pub fn ask(
        &mut self,
        wanted: Wanted,
        make: impl FnOnce() -> Result<Clip, ClipError> + Send + 'static,
    ) -> std::io::Result<()> {
        self.forget(wanted.slot);
        // A defect in it must not take the host with it.
        let work = move || {
            catch_unwind(AssertUnwindSafe(|| judge(make()?))).unwrap_or(Err(ClipError::Defect))
        };
        let thread = std::thread::Builder::new()
            .name("weft-prepare".into())
            .spawn(work)?;
        self.queue.push_back(Preparing {
            wanted,
            request: self.requests,
            thread,
        });
        Ok(())
    }

    /// Nothing that was asked for before is wanted in this slot any more.
    pub fn forget(&mut self, slot: Slot) {
        self.requests += 1;
        self.newest[slot.index()] = self.requests;
    }

    /// Whether any are in the making, wanted or not.
    pub fn is_making(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The oldest capture that is ready and still wanted, or why there is none.
    pub fn next_prepared(&mut self) -> Option<(Wanted, Result<Judged, ClipError>)> {
        while self.queue.front().is_some_and(|p| p.thread.is_finished())
            && let Some(preparing) = self.queue.pop_front()
        {
            let Preparing {
                wanted,
                request,
                thread,
            } = preparing;
            // What may panic was caught in it.
            let judged = thread.join().unwrap_or(Err(ClipError::Defect));
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

fn judge(clip: Clip) -> Result<Judged, ClipError> {
    clip.check_texture()?;
    let remarks: Vec<String> = clip.remarks().iter().map(ToString::to_string).collect();
    let remark = (!remarks.is_empty()).then(|| remarks.join("; "));
    Ok((Capture::new(&clip)?, remark))
}
