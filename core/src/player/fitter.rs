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
    /// Nothing plays in the slot yet.
    pub is_first: bool,
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
    /// First snapshots that are made for jobs of the queue.
    previews: Vec<RunningFit>,
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
            previews: Vec::new(),
            ending: Vec::new(),
        }
    }

    /// Takes a job, in place of the same slot's own; it takes over the caller's pending job.
    pub fn enqueue(&mut self, job: FitJob) {
        self.cancel(job.slot);
        self.shared.work.becomes_fit(job.slot);
        if self.running.is_some() && job.is_first {
            self.preview(&job);
        }
        self.queue.push_back(job);
        self.start_next();
    }

    /// Has the first snapshot of a job made that has to wait: its slot need not be silent meanwhile.
    fn preview(&mut self, job: &FitJob) {
        let FitStart::Capture(capture) = &job.start else {
            return;
        };
        let (capture, settings) = (capture.clone(), settings(&job.plan, 1));
        let cancel = Arc::new(AtomicBool::new(false));
        let (sender, news) = unbounded();
        let is_cancelled = cancel.clone();
        let work = move || {
            let mut on_event = |event: FitEvent<'_>| {
                if let FitEvent::Snapshot { model, .. } = event
                    && !is_cancelled.load(Ordering::Acquire)
                {
                    // If nobody listens any more, it is being cancelled.
                    let _ = sender.send(FitNews::Snapshot(model.clone()));
                }
                ControlFlow::Break(())
            };
            // Whatever goes wrong, the fit itself will meet it again and say so.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                fit_capture(&capture, &settings, &mut on_event)
            }));
        };
        let thread = std::thread::Builder::new().name("weft-preview".into());
        // Without a thread, the slot waits in silence.
        if let Ok(thread) = thread.spawn(work) {
            self.previews.push(RunningFit {
                slot: job.slot,
                cancel,
                news,
                thread,
            });
        }
    }

    fn cancel_previews(&mut self, is_meant: impl Fn(Slot) -> bool) {
        for preview in self.previews.extract_if(.., |p| is_meant(p.slot)) {
            preview.cancel.store(true, Ordering::Release);
            self.ending.push(preview.thread);
        }
    }

    /// Ends the fit of a slot, whether it runs or waits.
    pub fn cancel(&mut self, slot: Slot) {
        self.cancel_previews(|previewed| previewed == slot);
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
        self.cancel_previews(|_| true);
        for job in self.queue.drain(..) {
            self.shared.work.fit_done(job.slot);
        }
        self.cancel_running();
    }

    /// What the running fit and those that wait have to tell, and their slots.
    pub fn news(&mut self) -> Vec<(Slot, FitNews)> {
        self.ending.retain(|thread| !thread.is_finished());
        let fits = self.previews.iter().chain(&self.running);
        fits.flat_map(|fit| fit.news.try_iter().map(|news| (fit.slot, news)))
            .collect()
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
            self.cancel_previews(|previewed| previewed == slot);
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            // One core is the audio thread's, but for a bounce, which waits. The result is the same.
            let spare = usize::from(!self.shared.offline.load(Ordering::Acquire));
            let settings = settings(&job.plan, cores.saturating_sub(spare).max(1));
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

fn settings(plan: &FitPlan, threads: usize) -> FitSettings {
    FitSettings {
        steps: plan.steps,
        seed: plan.seed,
        threads,
        max_duration_s: None,
        background: true,
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
