//! *Imprint*: the gestures of one slot's capture in the matter of another's, which become a capture of a third. The
//! command line tool makes it (`weft transfer`), as a program of its own: what it needs is not in the plugin, and what
//! befalls it does not befall the host.
//!
//! Each instance makes one at a time, on a thread that ends with it. Whatever comes of it, the tool and its files are
//! gone when that thread is.

mod board;
mod error;
mod helper;
mod job;
mod request;
#[cfg(all(test, unix))]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::{self, JoinHandle};

use weft_core::clip::Capture;
use weft_core::instrument::{Errands, Instrument, Slot};

use crate::panics;
use crate::rest::Rest;
use board::Board;
use error::ImprintError;
pub use job::ImprintSettings;
use job::Job;
pub use request::ImprintRequest;

/// A look at the imprint that is being made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImprintStatus {
    /// What was asked for.
    pub request: ImprintRequest,
    /// The part that is done, 0 to 1.
    pub done: f32,
    /// The seconds that are left, where they are known.
    pub seconds_left: Option<f32>,
}

/// Makes imprints for one instrument. Dropping it ends the one that is being made, and waits for that.
pub struct Imprints {
    shared: Arc<Shared>,
}

/// What everybody has of it who may ask for an imprint.
struct Shared {
    settings: ImprintSettings,
    rest: Arc<Rest>,
    /// Whose captures they are, once it is there.
    instrument: OnceLock<Weak<Instrument>>,
    /// Projects that were loaded, wrapping.
    loads: AtomicU32,
    work: Mutex<Work>,
}

#[derive(Default)]
struct Work {
    /// The instance is being removed.
    is_over: bool,
    /// The last one that was begun, done or not.
    running: Option<Running>,
}

/// An imprint that is being made, or was.
struct Running {
    request: ImprintRequest,
    board: Arc<Board>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Whether somebody waits for it.
    fn is_wanted(&self) -> bool {
        !self.board.is_cancelled() && !self.thread.is_finished()
    }

    /// Has it ended at once.
    fn cancel(&self) {
        self.board.cancel();
        self.thread.thread().unpark();
    }
}

impl Imprints {
    /// Makes none yet. What is done has a plugin that rests go on.
    pub fn new(settings: ImprintSettings, rest: Arc<Rest>) -> Self {
        let shared = Shared {
            settings,
            rest,
            instrument: OnceLock::new(),
            loads: AtomicU32::new(0),
            work: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Takes what the audio thread of the instrument asks for ([`ImprintRequest::to_errand`]).
    pub fn errands(&self) -> Errands {
        let shared = Arc::downgrade(&self.shared);
        Box::new(move |errand| {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let loads = shared.loads.load(Ordering::SeqCst);
            if let Some(request) = ImprintRequest::from_errand(errand, loads) {
                shared.begin(request);
            }
        })
    }

    /// Takes the instrument whose captures they are. It must not be dropped before this.
    pub fn serve(&self, instrument: &Arc<Instrument>) {
        // There is one for each.
        let _ = self.shared.instrument.set(Arc::downgrade(instrument));
    }

    /// Begins to make an imprint; what keeps it from being made is said in the status of the instrument, now or later.
    /// Not for the audio thread.
    pub fn begin(&self, request: ImprintRequest) {
        self.shared.begin(request);
    }

    /// Projects that were loaded so far, wrapping. Real-time safe.
    pub fn loads(&self) -> u32 {
        self.shared.loads.load(Ordering::SeqCst)
    }

    /// Ends what is made for the project that was there before, be it only asked for. Not for the audio thread.
    pub fn end_for_load(&self) {
        // In one with the end, or what is done at this moment would still be put into the new project.
        let work = self.shared.work();
        self.shared.loads.fetch_add(1, Ordering::SeqCst);
        if let Some(running) = &work.running {
            running.cancel();
        }
    }

    /// Ends what is made for `slot`. Not for the audio thread.
    pub fn cancel(&self, slot: Slot) {
        let work = self.shared.work();
        if let Some(running) = work.running.as_ref().filter(|r| r.request.into == slot) {
            running.cancel();
        }
    }

    /// The one that is being made, if one is. Not for the audio thread.
    pub fn status(&self) -> Option<ImprintStatus> {
        let work = self.shared.work();
        let running = work.running.as_ref().filter(|r| r.is_wanted())?;
        Some(ImprintStatus {
            request: running.request,
            done: running.board.done(),
            seconds_left: running.board.seconds_left(),
        })
    }
}

impl Drop for Imprints {
    fn drop(&mut self) {
        let running = {
            let mut work = self.shared.work();
            work.is_over = true;
            work.running.take()
        };
        if let Some(running) = running {
            running.cancel();
            // It catches its panics.
            let _ = running.thread.join();
        }
    }
}

impl Shared {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to make an imprint. This may be the worker's thread, which must never be the last that has the
    /// instrument: its owner has it for as long as `Work::is_over` is not set, which can't be while the lock is held.
    fn begin(self: &Arc<Self>, request: ImprintRequest) {
        let mut work = self.work();
        if work.is_over {
            return;
        }
        let Some(instrument) = self.instrument.get().and_then(Weak::upgrade) else {
            return;
        };
        if let Err(error) = self.begin_work(&mut work, request, &instrument) {
            instrument.report_error(error.to_string());
        }
        // Before the lock.
        drop(instrument);
    }

    fn begin_work(
        self: &Arc<Self>,
        work: &mut Work,
        request: ImprintRequest,
        instrument: &Arc<Instrument>,
    ) -> Result<(), ImprintError> {
        if work.running.as_ref().is_some_and(Running::is_wanted) {
            return Err(ImprintError::Busy);
        }
        let job = Job::new(request, instrument)?;
        let board = Arc::new(Board::default());
        let making = Making {
            job,
            request,
            before: instrument.capture(request.into),
            board: board.clone(),
            instrument: instrument.clone(),
        };
        // One that was cancelled may be about to end. Where there is no thread for this one, it is kept.
        let predecessor = Arc::new(Mutex::new(work.running.take()));
        let (shared, ending) = (self.clone(), predecessor.clone());
        let thread = thread::Builder::new()
            .name("weft-imprint".into())
            .spawn(move || {
                if let Some(running) = taken(&ending) {
                    // It catches its panics.
                    let _ = running.thread.join();
                }
                shared.run(&making);
            })
            .inspect_err(|_| work.running = taken(&predecessor))
            .map_err(ImprintError::Thread)?;
        work.running = Some(Running {
            request,
            board,
            thread,
        });
        Ok(())
    }

    /// Makes an imprint, from beginning to end. For a thread of its own.
    fn run(&self, making: &Making) {
        let Making { job, board, .. } = making;
        let made = catch_unwind(AssertUnwindSafe(|| job.make(&self.settings, board)));
        let made = made.unwrap_or_else(|payload| {
            Err(ImprintError::Defect(panics::message(&*payload).to_owned()))
        });
        // With the lock, so that no load comes in between.
        let work = self.work();
        if making.board.is_cancelled() {
            return;
        }
        let instrument = &making.instrument;
        let is_changed = instrument.capture(making.request.into) != making.before;
        match made {
            Ok(_) if is_changed => {
                let error = ImprintError::Changed(making.request.into);
                instrument.report_error(error.to_string());
            }
            Ok(clip) => instrument.load_clip(making.request.into, clip, &job.name),
            Err(error) => instrument.report_error(error.to_string()),
        }
        drop(work);
        // It is fitted, and heard, whether or not anybody plays.
        self.rest.end();
    }
}

/// What the thread of an imprint works on.
struct Making {
    job: Job,
    request: ImprintRequest,
    /// What the slot held that it is for.
    before: Option<Capture>,
    board: Arc<Board>,
    instrument: Arc<Instrument>,
}

/// What is in a place, once.
fn taken<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}
