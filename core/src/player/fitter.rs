//! The fits of an instrument: one at a time, each on a thread of its own; the others wait in a queue.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::bank::FitPlan;
use super::controls::Slot;
use super::messages::{FitProgress, Shared, lock};
use crate::clip::Capture;
use crate::fit::{FitError, FitEvent, FitSettings, fit_capture, refine};
use crate::network::Model;

/// What a fit starts from.
pub(super) enum FitStart {
    Capture(Capture),
    /// This texture is to become better.
    Texture(Box<Model>),
}

/// A fit that was asked for.
pub(super) struct FitJob {
    pub slot: Slot,
    pub start: FitStart,
    pub plan: FitPlan,
    /// Snapshots of fewer steps are not worth hearing: what plays has more.
    pub silent_steps: u32,
}

pub(super) enum FitNews {
    Snapshot(Model),
    Ended(Result<Model, FitError>),
}

struct RunningFit {
    slot: Slot,
    cancel: Arc<AtomicBool>,
    news: Receiver<FitNews>,
    thread: JoinHandle<()>,
}

pub(super) struct Fitter {
    shared: Arc<Shared>,
    queue: VecDeque<FitJob>,
    running: Option<RunningFit>,
    /// Threads of fits that are over or cancelled, and about to end: after a tenth of a second at most, in
    /// which what sounds must not run dry.
    ending: Vec<JoinHandle<()>>,
}

impl Fitter {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            queue: VecDeque::new(),
            running: None,
            ending: Vec::new(),
        }
    }

    /// Takes a job, in place of the same slot's own; it takes over the caller's pending job.
    pub fn enqueue(&mut self, job: FitJob) {
        self.cancel(job.slot);
        self.shared.work.becomes_fit(job.slot);
        self.queue.push_back(job);
        self.start_next();
    }

    /// Ends the fit of a slot, whether it runs or waits.
    pub fn cancel(&mut self, slot: Slot) {
        let waiting = self.queue.len();
        self.queue.retain(|job| job.slot != slot);
        for _ in self.queue.len()..waiting {
            self.shared.work.fit_done(slot);
        }
        if self.running.as_ref().is_some_and(|fit| fit.slot == slot) {
            self.cancel_running();
        }
        self.start_next();
    }

    /// Ends every fit, whether it runs or waits.
    pub fn cancel_all(&mut self) {
        for job in self.queue.drain(..) {
            self.shared.work.fit_done(job.slot);
        }
        self.cancel_running();
    }

    /// What the running fit has to tell, and its slot.
    pub fn news(&mut self) -> Vec<(Slot, FitNews)> {
        self.ending.retain(|thread| !thread.is_finished());
        let Some(fit) = &self.running else {
            return Vec::new();
        };
        fit.news.try_iter().map(|news| (fit.slot, news)).collect()
    }

    /// To be called when the running fit has ended and its result has been taken over.
    pub fn finish(&mut self) {
        self.end_running();
        self.start_next();
    }

    /// Ends every fit and its thread.
    pub fn shut_down(mut self) {
        self.cancel_all();
        for thread in self.ending {
            // A panic in it was caught there.
            let _ = thread.join();
        }
    }

    fn cancel_running(&mut self) {
        if let Some(fit) = &self.running {
            fit.cancel.store(true, Ordering::Release);
        }
        self.end_running();
    }

    fn end_running(&mut self) {
        if let Some(fit) = self.running.take() {
            self.ending.push(fit.thread);
            *lock(&self.shared.fit) = None;
            self.shared.work.fit_done(fit.slot);
        }
    }

    fn start_next(&mut self) {
        while self.running.is_none()
            && let Some(job) = self.queue.pop_front()
        {
            let slot = job.slot;
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            // One core is the audio thread's, but for a bounce, which waits. The result is the same.
            let spare = usize::from(!self.shared.offline.load(Ordering::Acquire));
            let settings = FitSettings {
                steps: job.plan.steps,
                seed: job.plan.seed,
                threads: cores.saturating_sub(spare).max(1),
                max_duration_s: None,
                background: true,
            };
            let cancel = Arc::new(AtomicBool::new(false));
            let (sender, news) = unbounded();
            *lock(&self.shared.fit) = Some(FitProgress {
                slot,
                step: 0,
                steps: settings.steps,
                loss: f32::NAN,
            });
            let (is_cancelled, shared) = (cancel.clone(), self.shared.clone());
            let work = move || run(&job, &settings, &is_cancelled, &shared, &sender);
            let thread = std::thread::Builder::new()
                .name("weft-fit".into())
                .spawn(work);
            match thread {
                Ok(thread) => {
                    self.running = Some(RunningFit {
                        slot,
                        cancel,
                        news,
                        thread,
                    });
                }
                Err(e) => {
                    *lock(&self.shared.fit) = None;
                    self.shared
                        .set_error(format!("the fit can't start its thread: {e}"));
                    self.shared.work.fit_done(slot);
                }
            }
        }
    }
}

fn run(
    job: &FitJob,
    settings: &FitSettings,
    cancel: &AtomicBool,
    shared: &Shared,
    news: &Sender<FitNews>,
) {
    let is_cancelled = || cancel.load(Ordering::Acquire);
    let mut on_event = |event: FitEvent<'_>| {
        if is_cancelled() {
            return ControlFlow::Break(());
        }
        match event {
            FitEvent::Progress { step, steps, loss } => {
                let slot = job.slot;
                let mut progress = lock(&shared.fit);
                // Once it is cancelled, this is another fit's.
                if !is_cancelled() {
                    *progress = Some(FitProgress {
                        slot,
                        step,
                        steps,
                        loss,
                    });
                }
            }
            FitEvent::Snapshot { model, .. } => {
                if model.fit_record().steps >= job.silent_steps {
                    // If nobody listens any more, the fit is being cancelled.
                    let _ = news.send(FitNews::Snapshot(model.clone()));
                }
            }
        }
        ControlFlow::Continue(())
    };
    let fit = || match &job.start {
        FitStart::Capture(capture) => fit_capture(capture, settings, &mut on_event),
        FitStart::Texture(model) => refine(model, settings, &mut on_event),
    };
    // A defect in the fit must not take the host with it.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(fit));
    let ended = match result {
        Ok(result) => FitNews::Ended(result),
        Err(_) => {
            shared.set_error("the fit failed unexpectedly; what was playing goes on");
            FitNews::Ended(Err(FitError::Cancelled))
        }
    };
    let capture = match &ended {
        FitNews::Ended(Ok(model)) => model.capture().cloned(),
        _ => None,
    };
    let _ = news.send(ended);
    // The project will want it compressed; better here than where the host saves.
    if let Some(capture) = capture.filter(|_| !is_cancelled()) {
        capture.packed();
    }
}
