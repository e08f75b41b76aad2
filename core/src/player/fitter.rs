//! The fits of an instrument: one at a time, each on a thread of its own; the others wait in a queue. Fits
//! that keep to the song's pace in a bounce wait for the song instead.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::bank::FitPlan;
use super::controls::Slot;
use super::messages::{FitProgress, Shared, lock};
use super::pace::PacedCapture;
use crate::clip::Capture;
use crate::fit::{FitError, FitEvent, FitSettings, fit_capture, refine};
use crate::network::Model;

/// How long a fit that is ahead of the song sleeps before it looks again.
const REST: Duration = Duration::from_millis(1);

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
    /// The capture's number, if the fit keeps to the song's pace.
    pub paced: Option<PacedCapture>,
}

pub(super) enum FitNews {
    Snapshot(Model),
    Ended(Result<Model, FitError>),
}

/// News, and the steps before them; the sound before the first step counts as one.
struct SteppedNews {
    steps: u32,
    news: FitNews,
}

struct RunningFit {
    slot: Slot,
    cancel: Arc<AtomicBool>,
    news: Receiver<SteppedNews>,
    thread: JoinHandle<()>,
}

/// What the thread of a fit that keeps to the song's pace shares with the worker.
#[derive(Default)]
struct SharedPace {
    capture: PacedCapture,
    /// Steps that are done and told of, counted as in [`SteppedNews`].
    reached: AtomicU32,
    /// The bounce is over, and the fit goes on as any other.
    is_over: AtomicBool,
}

/// A fit that keeps to the song's pace.
struct PacedFit {
    fit: RunningFit,
    pace: Arc<SharedPace>,
    /// News that the song has not come to.
    early: VecDeque<SteppedNews>,
    /// Steps up to which the news were given out.
    given: u32,
}

impl PacedFit {
    /// The news that the song has come to.
    fn take_due(&mut self, shared: &Shared) -> Vec<FitNews> {
        // In this order: the news of what is reached are there.
        let due = shared.paces.due(self.fit.slot, self.pace.capture);
        let reached = self.pace.reached.load(Ordering::Acquire);
        self.early.extend(self.fit.news.try_iter());
        self.given = due.min(reached);
        let is_due = |n: &SteppedNews| n.steps <= due;
        let count = self.early.iter().take_while(|n| is_due(n)).count();
        self.early.drain(..count).map(|n| n.news).collect()
    }
}

pub(super) struct Fitter {
    shared: Arc<Shared>,
    queue: VecDeque<FitJob>,
    /// The fit that runs, and those that began in a bounce which is over.
    running: Vec<RunningFit>,
    /// Fits that keep to the song's pace, one for each slot at most.
    paced: Vec<PacedFit>,
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
            running: Vec::new(),
            paced: Vec::new(),
            previews: Vec::new(),
            ending: Vec::new(),
        }
    }

    /// Takes a job, in place of the same slot's own; it takes over the caller's pending job.
    pub fn enqueue(&mut self, job: FitJob) {
        self.cancel(job.slot);
        if let Some(capture) = job.paced
            && self.shared.offline.load(Ordering::Acquire)
        {
            // In this order: who waits for the command hears of the fit.
            self.shared.paces.begin(job.slot, capture);
            self.shared.work.becomes_paced_fit();
            self.start_paced(job, capture);
            return;
        }
        self.shared.work.becomes_fit(job.slot);
        if !self.running.is_empty() && job.is_first {
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
                    let _ = sender.send(SteppedNews {
                        steps: 1,
                        news: FitNews::Snapshot(model.clone()),
                    });
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
        self.end(slot);
        self.start_next();
    }

    /// Ends every fit, whether it runs or waits.
    pub fn cancel_all(&mut self) {
        self.cancel_previews(|_| true);
        for job in self.queue.drain(..) {
            self.shared.work.fit_done(job.slot);
        }
        for slot in Slot::ALL {
            self.end(slot);
        }
    }

    /// What the fits have to tell that run, wait, and are not ahead of the song; and their slots. Call
    /// [`settle`](Self::settle) when it has been taken over.
    pub fn news(&mut self) -> Vec<(Slot, FitNews)> {
        self.ending.retain(|thread| !thread.is_finished());
        let mut all = Vec::new();
        let is_offline = self.shared.offline.load(Ordering::Acquire);
        for mut paced in std::mem::take(&mut self.paced) {
            let slot = paced.fit.slot;
            let due = paced.take_due(&self.shared);
            all.extend(due.into_iter().map(|news| (slot, news)));
            if is_offline {
                self.paced.push(paced);
                continue;
            }
            // The bounce is over: the song waits for nobody any more.
            all.extend(paced.early.into_iter().map(|n| (slot, n.news)));
            paced.pace.is_over.store(true, Ordering::Release);
            self.shared.work.leaves_pace(slot);
            self.shared.paces.end(slot, paced.pace.capture);
            self.running.push(paced.fit);
        }
        let others = self.previews.iter().chain(&self.running);
        all.extend(others.flat_map(|fit| fit.news.try_iter().map(|n| (fit.slot, n.news))));
        all
    }

    /// Tells the song how far the fits are that keep to its pace.
    pub fn settle(&self) {
        for PacedFit {
            fit, pace, given, ..
        } in &self.paced
        {
            self.shared.paces.settle(fit.slot, pace.capture, *given);
        }
    }

    /// Whether the fit of a slot keeps to the song's pace.
    pub fn is_paced(&self, slot: Slot) -> bool {
        self.paced.iter().any(|paced| paced.fit.slot == slot)
    }

    /// To be called when the fit of a slot has ended and its result has been taken over.
    pub fn finish(&mut self, slot: Slot) {
        self.end(slot);
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

    /// Ends the running fit of a slot, if there is one.
    fn end(&mut self, slot: Slot) {
        for fit in self.running.extract_if(.., |fit| fit.slot == slot) {
            fit.cancel.store(true, Ordering::Release);
            self.shared.work.fit_done(slot);
            self.ending.push(fit.thread);
        }
        for PacedFit { fit, pace, .. } in self.paced.extract_if(.., |p| p.fit.slot == slot) {
            fit.cancel.store(true, Ordering::Release);
            self.shared.paces.end(slot, pace.capture);
            self.shared.work.paced_fit_done();
            self.ending.push(fit.thread);
        }
        lock(&self.shared.fit).take_if(|progress| progress.slot == slot);
    }

    fn start_next(&mut self) {
        while self.running.is_empty()
            && let Some(job) = self.queue.pop_front()
        {
            let slot = job.slot;
            self.cancel_previews(|previewed| previewed == slot);
            match self.start(job, None) {
                Some(fit) => self.running.push(fit),
                None => self.shared.work.fit_done(slot),
            }
        }
    }

    fn start_paced(&mut self, job: FitJob, capture: PacedCapture) {
        let slot = job.slot;
        let pace = Arc::new(SharedPace {
            capture,
            ..SharedPace::default()
        });
        match self.start(job, Some(pace.clone())) {
            Some(fit) => self.paced.push(PacedFit {
                fit,
                pace,
                early: VecDeque::new(),
                given: 0,
            }),
            None => {
                self.shared.paces.end(slot, capture);
                self.shared.work.paced_fit_done();
            }
        }
    }

    /// Starts the thread of a fit. Without one, says so.
    fn start(&self, job: FitJob, pace: Option<Arc<SharedPace>>) -> Option<RunningFit> {
        let slot = job.slot;
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
        let work = move || {
            let fit = FitThread {
                job,
                settings,
                pace,
                is_cancelled,
                shared,
                news: sender,
            };
            fit.run();
        };
        let thread = std::thread::Builder::new().name("weft-fit".into());
        match thread.spawn(work) {
            Ok(thread) => Some(RunningFit {
                slot,
                cancel,
                news,
                thread,
            }),
            Err(e) => {
                lock(&self.shared.fit).take_if(|progress| progress.slot == slot);
                self.shared
                    .set_error(format!("the fit can't start its thread: {e}"));
                None
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

/// What the thread of a fit has.
struct FitThread {
    job: FitJob,
    settings: FitSettings,
    pace: Option<Arc<SharedPace>>,
    is_cancelled: Arc<AtomicBool>,
    shared: Arc<Shared>,
    news: Sender<SteppedNews>,
}

impl FitThread {
    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    fn tell(&self, step: u32, news: FitNews) {
        // If nobody listens any more, the fit is being cancelled.
        let _ = self.news.send(SteppedNews {
            steps: step.saturating_add(1),
            news,
        });
    }

    fn run(self) {
        let mut last_step = 0;
        let mut on_event = |event: FitEvent<'_>| {
            if self.is_cancelled() {
                return ControlFlow::Break(());
            }
            match event {
                FitEvent::Progress { step, steps, loss } => {
                    last_step = step;
                    self.show_progress(step, steps, loss);
                    self.keep_pace(step);
                }
                FitEvent::Snapshot { step, model } => {
                    if model.fit_record().steps >= self.job.silent_steps {
                        self.tell(step, FitNews::Snapshot(model.clone()));
                    }
                }
            }
            ControlFlow::Continue(())
        };
        let fit = || match &self.job.start {
            FitStart::Capture(capture) => fit_capture(capture, &self.settings, &mut on_event),
            FitStart::Texture(model) => refine(model, &self.settings, &mut on_event),
        };
        // A defect in the fit must not take the host with it.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(fit));
        let ended = result.unwrap_or_else(|_| {
            self.shared
                .set_error("the fit failed unexpectedly; what was playing goes on");
            Err(FitError::Cancelled)
        });
        let capture = match &ended {
            Ok(model) => model.capture().cloned(),
            Err(_) => None,
        };
        self.tell(last_step, FitNews::Ended(ended));
        if let Some(pace) = &self.pace {
            pace.reached.store(u32::MAX, Ordering::Release);
        }
        // The project will want it compressed; better here than where the host saves.
        if let Some(capture) = capture.filter(|_| !self.is_cancelled()) {
            capture.packed();
        }
    }

    /// Shows how far the fit is, where no other is shown.
    fn show_progress(&self, step: u32, steps: u32, loss: f32) {
        let slot = self.job.slot;
        let mut progress = lock(&self.shared.fit);
        let is_others = progress.is_some_and(|p| p.slot != slot);
        // Once it is cancelled, this is another fit's.
        if !self.is_cancelled() && !is_others {
            *progress = Some(FitProgress {
                slot,
                step,
                steps,
                loss,
            });
        }
    }

    /// Says how far the fit is, and rests where it is ahead of the song and another slot's is wanted.
    fn keep_pace(&self, step: u32) {
        let paces = &self.shared.paces;
        let Some(pace) = &self.pace else {
            while paces.is_awaited() && !self.is_cancelled() {
                std::thread::sleep(REST);
            }
            return;
        };
        // The news of this step are still to come.
        pace.reached.store(step, Ordering::Release);
        let slot = self.job.slot;
        while !pace.is_over.load(Ordering::Acquire)
            && !self.is_cancelled()
            && !paces.is_advancing(slot)
            && paces.due(slot, pace.capture) <= step
        {
            std::thread::sleep(REST);
        }
    }
}
