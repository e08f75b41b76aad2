//! The fits of an instrument: one at a time, each on a thread of its own; the others wait in a queue. Fits
//! that keep to the song's pace in a bounce wait for the song instead.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, unbounded};

use super::fit_thread::{FitJob, FitNews, FitThread, SteppedNews};
use crate::fit::cpu::Cpu;
use crate::fit::{FitEvent, FitRequest, FitSettings, FitStart, Helper, fit_capture_on};
use crate::instrument::bank::FitPlan;
use crate::instrument::controls::Slot;
use crate::instrument::shared::atomics::{AtomicBool, Ordering};
use crate::instrument::shared::{
    FitPaces, FitProgress, MetersReader, PacedCapture, PacedSteps, Pending, PendingFit,
    PendingPacedFit, StageWriter, Waker,
};
use crate::numeric::threads::lower_priority;

/// A fit's thread, what it tells, and how to end it.
struct FitHandle {
    slot: Slot,
    cancel: Arc<AtomicBool>,
    news: Receiver<SteppedNews>,
    thread: JoinHandle<()>,
}

impl FitHandle {
    /// Says that nobody wants it any more. Its thread is about to end.
    fn cancel(self) -> JoinHandle<()> {
        self.cancel.store(true, Ordering::Release);
        self.thread
    }
}

/// A fit that a bounce waits for.
struct RunningFit {
    handle: FitHandle,
    pending: PendingFit,
}

/// A fit that keeps to the song's pace.
struct PacedFit {
    handle: FitHandle,
    pending: PendingPacedFit,
    pace: Arc<PacedSteps>,
    /// News that the song has not come to.
    early: VecDeque<SteppedNews>,
    /// Steps up to which the news were given out.
    given: u32,
}

impl PacedFit {
    /// The news that the song has come to.
    fn take_due(&mut self, paces: &FitPaces) -> Vec<FitNews> {
        // In this order: the news of what is reached are there.
        let due = paces.due(self.handle.slot, self.pace.capture());
        let reached = self.pace.reached();
        self.early.extend(self.handle.news.try_iter());
        self.given = due.min(reached);
        let is_due = |n: &SteppedNews| n.steps <= due;
        let count = self.early.iter().take_while(|n| is_due(n)).count();
        self.early.drain(..count).map(|n| n.news).collect()
    }
}

/// What the fits of an instrument need of it.
pub(super) struct FitterEnds {
    pub stage: StageWriter,
    pub paces: FitPaces,
    pub meters: MetersReader,
    /// Wakes the worker for news of fits.
    pub waker: Waker,
    /// Who may make them in the processor's place, in real time: of two bounces, both are to be the same.
    pub helper: Option<Arc<dyn Helper>>,
}

/// Makes the fits of an instrument.
pub(super) struct Fitter {
    ends: FitterEnds,
    queue: VecDeque<(FitJob, PendingFit)>,
    /// The fit that runs, and those that began in a bounce which is over.
    running: Vec<RunningFit>,
    /// Fits that keep to the song's pace, one for each slot at most.
    paced: Vec<PacedFit>,
    /// First snapshots that are made for jobs of the queue.
    previews: Vec<FitHandle>,
    /// Threads of fits that are over or cancelled, and about to end: after a tenth of a second at most, in
    /// which what sounds must not run dry.
    ending: Vec<JoinHandle<()>>,
}

impl Fitter {
    pub fn new(ends: FitterEnds) -> Self {
        Self {
            ends,
            queue: VecDeque::new(),
            running: Vec::new(),
            paced: Vec::new(),
            previews: Vec::new(),
            ending: Vec::new(),
        }
    }

    /// Takes a job, in place of the same slot's own. The `pending` command becomes the fit.
    pub fn enqueue(&mut self, job: FitJob, pending: Pending) {
        self.cancel(job.slot);
        if let Some(capture) = job.paced
            && self.ends.meters.is_offline()
        {
            // In this order: who waits for the command hears of the fit.
            self.ends.paces.begin(job.slot, capture);
            self.start_paced(job, capture, pending.into_paced_fit());
            return;
        }
        let pending = pending.into_fit(job.slot);
        if !self.running.is_empty() && job.is_first {
            self.preview(&job);
        }
        self.queue.push_back((job, pending));
        self.start_next();
    }

    /// Has the first snapshot of a job made that has to wait: its slot need not be silent meanwhile.
    fn preview(&mut self, job: &FitJob) {
        let FitStart::Capture(capture) = &job.start else {
            return;
        };
        let (capture, settings) = (capture.clone(), settings(&job.plan));
        let cancel = Arc::new(AtomicBool::new(false));
        let (sender, news) = unbounded();
        let is_cancelled = cancel.clone();
        let waker = self.ends.waker.clone();
        let work = move || {
            lower_priority();
            let device = background_cpu(1);
            let mut on_event = |event: FitEvent<'_>| {
                if let FitEvent::Snapshot { model, .. } = event
                    && !is_cancelled.load(Ordering::Acquire)
                {
                    // If nobody listens any more, it is being cancelled.
                    let _ = sender.send(SteppedNews {
                        steps: 1,
                        news: FitNews::Snapshot(model.clone()),
                    });
                    waker.wake();
                }
                ControlFlow::Break(())
            };
            // Whatever goes wrong, the fit itself will meet it again and say so.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                fit_capture_on(&device, &capture, &settings, &mut on_event)
            }));
        };
        let thread = std::thread::Builder::new().name("weft-preview".into());
        // Without a thread, the slot waits in silence.
        if let Ok(thread) = thread.spawn(work) {
            self.previews.push(FitHandle {
                slot: job.slot,
                cancel,
                news,
                thread,
            });
        }
    }

    fn cancel_previews(&mut self, is_meant: impl Fn(Slot) -> bool) {
        for preview in self.previews.extract_if(.., |p| is_meant(p.slot)) {
            self.ending.push(preview.cancel());
        }
    }

    /// Ends the fit of a slot, whether it runs or waits.
    pub fn cancel(&mut self, slot: Slot) {
        self.cancel_previews(|previewed| previewed == slot);
        self.queue.retain(|(job, _)| job.slot != slot);
        self.end(slot);
        self.start_next();
    }

    /// Ends every fit, whether it runs or waits.
    pub fn cancel_all(&mut self) {
        self.cancel_previews(|_| true);
        self.queue.clear();
        for slot in Slot::ALL {
            self.end(slot);
        }
    }

    /// What the fits have to tell that run, wait, and are not ahead of the song; and their slots. Call
    /// [`settle`](Self::settle) when it has been taken over.
    pub fn news(&mut self) -> Vec<(Slot, FitNews)> {
        self.ending.retain(|thread| !thread.is_finished());
        let mut all = Vec::new();
        let is_offline = self.ends.meters.is_offline();
        for mut paced in std::mem::take(&mut self.paced) {
            let slot = paced.handle.slot;
            let due = paced.take_due(&self.ends.paces);
            all.extend(due.into_iter().map(|news| (slot, news)));
            if is_offline {
                self.paced.push(paced);
                continue;
            }
            // The bounce is over: the song waits for nobody any more.
            all.extend(paced.early.into_iter().map(|n| (slot, n.news)));
            paced.pace.end();
            let pending = paced.pending.leave_pace(slot);
            self.ends.paces.end(slot, paced.pace.capture());
            self.running.push(RunningFit {
                handle: paced.handle,
                pending,
            });
        }
        let running = self.running.iter().map(|fit| &fit.handle);
        let others = self.previews.iter().chain(running);
        all.extend(others.flat_map(|fit| fit.news.try_iter().map(|n| (fit.slot, n.news))));
        all
    }

    /// Tells the song how far the fits are that keep to its pace.
    pub fn settle(&self) {
        for PacedFit {
            handle,
            pace,
            given,
            ..
        } in &self.paced
        {
            self.ends.paces.settle(handle.slot, pace.capture(), *given);
        }
    }

    /// Whether the fit of a slot keeps to the song's pace.
    pub fn is_paced(&self, slot: Slot) -> bool {
        self.paced.iter().any(|paced| paced.handle.slot == slot)
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
        let is_meant = |fit: &FitHandle| fit.slot == slot;
        for fit in self.running.extract_if(.., |fit| is_meant(&fit.handle)) {
            self.ending.push(fit.handle.cancel());
            drop(fit.pending);
        }
        for fit in self.paced.extract_if(.., |fit| is_meant(&fit.handle)) {
            self.ending.push(fit.handle.cancel());
            self.ends.paces.end(slot, fit.pace.capture());
            drop(fit.pending);
        }
        self.ends
            .stage
            .fit()
            .take_if(|progress| progress.slot == slot);
    }

    fn start_next(&mut self) {
        while self.running.is_empty()
            && let Some((job, pending)) = self.queue.pop_front()
        {
            let slot = job.slot;
            self.cancel_previews(|previewed| previewed == slot);
            if let Some(handle) = self.start(job, None) {
                self.running.push(RunningFit { handle, pending });
            }
        }
    }

    fn start_paced(&mut self, job: FitJob, capture: PacedCapture, pending: PendingPacedFit) {
        let slot = job.slot;
        let pace = Arc::new(PacedSteps::new(capture));
        match self.start(job, Some(pace.clone())) {
            Some(handle) => self.paced.push(PacedFit {
                handle,
                pending,
                pace,
                early: VecDeque::new(),
                given: 0,
            }),
            None => self.ends.paces.end(slot, capture),
        }
    }

    /// Starts the thread of a fit. Without one, says so.
    fn start(&self, job: FitJob, pace: Option<Arc<PacedSteps>>) -> Option<FitHandle> {
        let slot = job.slot;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // One core is the audio thread's, but for a bounce, which waits. The result is the same.
        let spare = usize::from(!self.ends.meters.is_offline());
        let device = background_cpu(cores.saturating_sub(spare).max(1));
        let request = FitRequest {
            start: job.start.clone(),
            settings: settings(&job.plan),
        };
        let helper = self.ends.helper.clone();
        let helper = helper.filter(|_| pace.is_none() && !self.ends.meters.is_offline());
        let cancel = Arc::new(AtomicBool::new(false));
        let (sender, news) = unbounded();
        self.ends.stage.set_device(None);
        *self.ends.stage.fit() = Some(FitProgress {
            slot,
            step: 0,
            steps: request.settings.steps,
            loss: f32::NAN,
            ahead: None,
        });
        let fit = FitThread {
            job,
            request,
            device,
            helper,
            pace,
            is_cancelled: cancel.clone(),
            stage: self.ends.stage.clone(),
            paces: self.ends.paces.clone(),
            news: sender,
            waker: self.ends.waker.clone(),
        };
        let thread = std::thread::Builder::new().name("weft-fit".into());
        match thread.spawn(move || fit.run()) {
            Ok(thread) => Some(FitHandle {
                slot,
                cancel,
                news,
                thread,
            }),
            Err(e) => {
                self.ends
                    .stage
                    .fit()
                    .take_if(|progress| progress.slot == slot);
                self.ends
                    .stage
                    .report(format!("the fit can't start its thread: {e}"));
                None
            }
        }
    }
}

fn settings(plan: &FitPlan) -> FitSettings {
    FitSettings {
        steps: plan.steps,
        seed: plan.seed,
        ..FitSettings::default()
    }
}

/// The processor, on so many threads that give way to all that sounds.
fn background_cpu(threads: usize) -> Cpu {
    Cpu {
        threads,
        background: true,
    }
}
