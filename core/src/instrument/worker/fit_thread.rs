//! The thread of one fit: trains, tells of it, and rests where it is ahead of the song.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;

use crate::fit::cpu::Cpu;
use crate::fit::{
    FitError, FitEvent, FitRequest, FitStart, Helper, LeavingHelper, RelayEvent, relay,
};
use crate::instrument::bank::FitPlan;
use crate::instrument::controls::Slot;
use crate::instrument::shared::atomics::{AtomicBool, Ordering};
use crate::instrument::shared::{
    EVERYTHING, FitPaces, FitProgress, PacedCapture, PacedSteps, StageWriter, Stillness, Waker,
};
use crate::network::Model;
use crate::numeric::threads::lower_priority;

/// How long a fit that is ahead of the song sleeps before it looks again: at first, and where the song stands
/// still.
const REST: Duration = Duration::from_millis(1);
const LONGEST_REST: Duration = Duration::from_millis(50);

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
pub(super) struct SteppedNews {
    pub steps: u32,
    pub news: FitNews,
}

/// What the thread of a fit owns.
pub(super) struct FitThread {
    pub job: FitJob,
    pub request: FitRequest,
    /// Where it trains.
    pub device: Cpu,
    /// Who may train it instead.
    pub helper: Option<Arc<dyn Helper>>,
    /// Where it keeps to the song's pace.
    pub pace: Option<Arc<PacedSteps>>,
    pub is_cancelled: Arc<AtomicBool>,
    pub stage: StageWriter,
    pub paces: FitPaces,
    pub news: Sender<SteppedNews>,
    /// Wakes the worker for news.
    pub waker: Waker,
}

impl FitThread {
    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    fn send(&self, step: u32, news: FitNews) {
        // If nobody listens any more, the fit is being cancelled.
        let _ = self.news.send(SteppedNews {
            steps: step.saturating_add(1),
            news,
        });
        self.waker.wake();
    }

    /// Fits until the end or until it is cancelled. Gives way to all that sounds.
    pub fn run(self) {
        lower_priority();
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
                        self.send(step, FitNews::Snapshot(model.clone()));
                    }
                }
            }
            ControlFlow::Continue(())
        };
        let fit = || match self.helper.as_ref().filter(|helper| helper.is_there()) {
            Some(helper) => relay(&**helper, &self.device, &self.request, &mut |event| {
                self.show_helper(&event);
                match event {
                    RelayEvent::Fit(event) => on_event(event),
                    _ if self.is_cancelled() => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            }),
            None => self.request.run(&self.device, &mut on_event),
        };
        // A defect in the fit must not take the host with it.
        let result = catch_unwind(AssertUnwindSafe(fit));
        let ended = result.unwrap_or_else(|_| {
            self.stage
                .report("the fit failed unexpectedly; what was playing goes on");
            Err(FitError::Cancelled)
        });
        let capture = match &ended {
            Ok(model) => model.capture().cloned(),
            Err(_) => None,
        };
        self.send(last_step, FitNews::Ended(ended));
        if let Some(pace) = &self.pace {
            pace.reach(EVERYTHING);
        }
        // The project will want it compressed; better here than where the host saves.
        if let Some(capture) = capture.filter(|_| !self.is_cancelled()) {
            capture.packed();
        }
    }

    /// Shows how far the fit is, where no other is shown.
    fn show_progress(&self, step: u32, steps: u32, loss: f32) {
        self.show(FitProgress {
            slot: self.job.slot,
            step,
            steps,
            loss,
            ahead: None,
        });
    }

    fn show(&self, now: FitProgress) {
        let mut progress = self.stage.fit();
        let is_others = progress.is_some_and(|p| p.slot != now.slot);
        // Once it is cancelled, this is another fit's.
        if !self.is_cancelled() && !is_others {
            *progress = Some(now);
        }
    }

    /// Shows what a helper does, or that there is none any more.
    fn show_helper(&self, event: &RelayEvent<'_>) {
        let waits = |ahead| FitProgress {
            slot: self.job.slot,
            step: 0,
            steps: self.request.settings.steps,
            loss: f32::NAN,
            ahead,
        };
        match event {
            RelayEvent::Device(name) => self.stage.set_device(Some(name)),
            RelayEvent::Queued { ahead } => self.show(waits(Some(*ahead))),
            RelayEvent::Begun => self.show(waits(None)),
            RelayEvent::Left(why) => {
                self.stage.set_device(None);
                if let Some(why) = why.filter(|why| !matches!(why, LeavingHelper::Busy { .. }))
                    && !self.is_cancelled()
                {
                    self.stage
                        .report(format!("the processor goes on with the fit: {why}"));
                }
            }
            _ => {}
        }
    }

    /// Says how far the fit is, and rests where it is ahead of the song and another slot's is wanted.
    fn keep_pace(&self, step: u32) {
        let paces = &self.paces;
        let mut stillness = Stillness::default();
        let mut rest = || std::thread::sleep(stillness.next_nap(REST, LONGEST_REST));
        let Some(pace) = &self.pace else {
            while paces.is_awaited() && !self.is_cancelled() {
                rest();
            }
            return;
        };
        // The news of this step are still to come.
        pace.reach(step);
        let slot = self.job.slot;
        while !pace.is_over()
            && !self.is_cancelled()
            && !paces.is_advancing(slot)
            && paces.due(slot, pace.capture()) <= step
        {
            rest();
        }
    }
}
