//! The way of a capture: it is asked for, prepared, planned, fitted, and heard; and everything else that changes
//! what a slot holds.

use std::ops::Range;

use super::fit_thread::{FitJob, FitNews};
use super::fitter::Fitter;
use super::prepare::{Judged, Preparer, Wanted, judge, judge_part};
use super::streams::Streams;
use crate::clip::{Clip, ClipError, SoundFile};
use crate::fit::{FitError, FitStart};
use crate::instrument::bank::{Bank, Contents, FitPlan};
use crate::instrument::controls::Slot;
use crate::instrument::shared::{DeskReader, PacedCapture, Pending, StageWriter, Waker};
use crate::network::{Model, tidy_name};

/// What the slots hold and what is under way for them.
pub(super) struct Slots {
    stage: StageWriter,
    desk: DeskReader,
    preparer: Preparer,
    fitter: Fitter,
    /// Captures so far: they are named by that.
    captures: u32,
}

impl Slots {
    /// With nothing in them. `fitter` makes their fits, `waker` wakes the worker when something is made.
    pub fn new(stage: StageWriter, desk: DeskReader, fitter: Fitter, waker: Waker) -> Self {
        Self {
            fitter,
            stage,
            desk,
            preparer: Preparer::new(waker),
            captures: 0,
        }
    }

    /// Asks for a texture to be learned from what was recorded.
    pub fn ask_for_recording(
        &mut self,
        slot: Slot,
        clip: Result<Clip, ClipError>,
        paced: Option<PacedCapture>,
        pending: Pending,
    ) {
        self.captures += 1;
        let wanted = Wanted {
            slot,
            name: format!("Capture {}", self.captures),
            paced,
            pending,
        };
        self.prepare(wanted, || judge(&clip?.into()));
    }

    /// Asks for a texture to be learned from what `make` reads or makes, off this thread.
    pub fn ask(
        &mut self,
        slot: Slot,
        name: String,
        pending: Pending,
        make: impl FnOnce() -> Result<SoundFile, ClipError> + Send + 'static,
    ) {
        let wanted = Wanted {
            slot,
            name,
            paced: None,
            pending,
        };
        self.prepare(wanted, || judge(&make()?));
    }

    fn prepare(
        &mut self,
        wanted: Wanted,
        make: impl FnOnce() -> Result<Judged, ClipError> + Send + 'static,
    ) {
        if let Err(e) = self.preparer.ask(wanted, make) {
            self.stage
                .report(format!("the capture can't get a thread: {e}"));
        }
    }

    /// Takes the captures that are ready, and has their fits made.
    pub fn take_prepared(&mut self) {
        while let Some((wanted, judged)) = self.preparer.next_prepared() {
            match judged {
                Ok((capture, remark)) => {
                    let contents = Contents {
                        name: tidy_name(&wanted.name),
                        capture: Some(capture),
                        remark,
                        ..Contents::default()
                    };
                    self.learn(wanted.slot, contents, wanted.paced, wanted.pending);
                }
                Err(e) => self.stage.report(e),
            }
        }
    }

    /// Has a texture learned from the capture in `contents`. What plays goes on until there is a new one.
    fn learn(
        &mut self,
        slot: Slot,
        contents: Contents,
        paced: Option<PacedCapture>,
        pending: Pending,
    ) {
        self.fitter.cancel(slot);
        {
            let mut slots = self.stage.slots();
            let old = std::mem::take(&mut slots[slot.index()]);
            let new = &mut slots[slot.index()];
            *new = contents;
            new.model = old.model.clone();
            new.before = keepsake(old);
        }
        self.stage.clear_notice();
        self.plan(slot, self.new_plan(slot, false), paced, pending);
    }

    fn new_plan(&self, slot: Slot, refines: bool) -> FitPlan {
        FitPlan {
            steps: self.desk.fit_steps(slot),
            seed: self.desk.fit_seed(),
            refines,
        }
    }

    /// Has the fit of a slot made. What is there already is heard until the fit is further.
    fn plan(&mut self, slot: Slot, plan: FitPlan, paced: Option<PacedCapture>, pending: Pending) {
        let job = {
            let mut slots = self.stage.slots();
            let contents = &mut slots[slot.index()];
            contents.plan = Some(plan);
            let (start, silent_steps) = match (&contents.capture, &contents.model) {
                (Some(capture), _) => (Some(FitStart::Capture(capture.clone())), 0),
                (None, Some(model)) if plan.refines => {
                    (Some(FitStart::Texture(Box::new(model.clone()))), 0)
                }
                (None, Some(model)) => (
                    model.capture().cloned().map(FitStart::Capture),
                    model.fit_record().steps,
                ),
                (None, None) => (None, 0),
            };
            let is_first = contents.model.is_none();
            start.map(|start| FitJob {
                slot,
                start,
                plan,
                silent_steps,
                is_first,
                paced,
            })
        };
        self.stage.changed();
        match job {
            Some(job) => self.fitter.enqueue(job, pending),
            None => {
                self.stage.slots()[slot.index()].plan = None;
                self.stage.report(FitError::NoCapture);
            }
        }
    }

    /// Goes on with the fit of a slot.
    pub fn refine(&mut self, slot: Slot, pending: Pending) {
        self.cancel(slot);
        if self.stage.slots()[slot.index()].is_empty() {
            self.stage
                .report("there is no texture to refine: capture one first");
            return;
        }
        self.stage.clear_notice();
        self.plan(slot, self.new_plan(slot, true), None, pending);
    }

    /// Has the texture learned from another part of its capture, in seconds.
    pub fn trim(&mut self, slot: Slot, used_s: Range<f64>, pending: Pending) {
        let contents = self.stage.slots()[slot.index()].clone();
        let Some(capture) = contents.newest_capture() else {
            self.stage
                .report("there is no capture to trim: make one first");
            return;
        };
        let trimmed = capture.trimmed(used_s.clone());
        if trimmed.as_ref() == Some(capture) {
            // A fit is not thrown away for nothing.
            return;
        }
        let Some(part) = trimmed else {
            self.preparer.forget(slot);
            self.stage.report(format!(
                "nothing is left between {:.2} and {:.2} s: leave more of the capture",
                used_s.start, used_s.end
            ));
            return;
        };
        let wanted = Wanted {
            slot,
            name: contents.name,
            paced: None,
            pending,
        };
        self.prepare(wanted, || judge_part(part));
    }

    /// Ends the fit of a slot; its last snapshot goes on playing. A capture that has come to no sound yet
    /// gives way to the texture that plays, if there is one.
    pub fn cancel(&mut self, slot: Slot) {
        self.preparer.forget(slot);
        self.fitter.cancel(slot);
        {
            let mut slots = self.stage.slots();
            let contents = &mut slots[slot.index()];
            if contents.plan.take().is_none() {
                return;
            }
            if contents.capture.is_some()
                && contents.model.is_some()
                && let Some(before) = contents.before.take()
            {
                *contents = *before;
            }
        }
        self.stage.changed();
    }

    /// Puts a texture into a slot.
    pub fn play(&mut self, slot: Slot, model: Model, streams: &mut Streams) {
        let contents = Contents {
            name: model.name().to_owned(),
            model: Some(model),
            ..Contents::default()
        };
        self.replace(slot, contents, streams);
    }

    /// Empties a slot.
    pub fn clear(&mut self, slot: Slot, streams: &mut Streams) {
        self.replace(slot, Contents::default(), streams);
    }

    /// Puts into a slot what another one holds.
    pub fn copy(&mut self, from: Slot, to: Slot, streams: &mut Streams) {
        let contents = self.stage.slots()[from.index()].clone();
        let contents = Contents {
            before: None,
            plan: None,
            ..contents
        };
        self.replace(to, contents, streams);
    }

    /// Brings back what was there before.
    pub fn undo(&mut self, slot: Slot, streams: &mut Streams) {
        let before = self.stage.slots()[slot.index()].before.take();
        if let Some(before) = before {
            self.replace(slot, *before, streams);
        }
    }

    /// Gives a slot's texture another name.
    pub fn rename(&mut self, slot: Slot, name: &str) {
        self.stage.slots()[slot.index()].name = tidy_name(name);
        self.stage.changed();
    }

    /// Puts something else into a slot. What was there can be brought back.
    fn replace(&mut self, slot: Slot, contents: Contents, streams: &mut Streams) {
        self.preparer.forget(slot);
        self.fitter.cancel(slot);
        let model = contents.model.clone();
        {
            let held = &mut self.stage.slots()[slot.index()];
            let old = std::mem::take(held);
            *held = Contents {
                before: keepsake(old),
                ..contents
            };
        }
        streams.play(slot, model, false);
        self.stage.changed();
    }

    /// Replaces everything at once: somebody may be saving meanwhile. Goes on with the fits that were not done,
    /// as parts of the `pending` command.
    pub fn load(&mut self, bank: Bank, pending: &Pending, streams: &mut Streams) {
        for slot in Slot::ALL {
            self.preparer.forget(slot);
        }
        self.fitter.cancel_all();
        let textures = bank.slots.each_ref().map(|s| s.model.clone());
        let plans = bank.slots.each_ref().map(|s| s.plan);
        {
            let mut slots = self.stage.slots();
            let old = std::mem::replace(&mut *slots, bank.slots);
            for (new, old) in slots.iter_mut().zip(old) {
                new.before = keepsake(old);
            }
        }
        self.stage.changed();
        for ((slot, model), plan) in Slot::ALL.into_iter().zip(textures).zip(plans) {
            streams.play(slot, model, false);
            if let Some(plan) = plan {
                self.plan(slot, plan, None, pending.another());
            }
        }
    }

    /// Lets be heard what the fits have come to.
    pub fn take_fit_news(&mut self, streams: &mut Streams) {
        for (slot, news) in self.fitter.news() {
            match news {
                FitNews::Snapshot(model) => {
                    // Where a better network takes over inside a stream, no two bounces are the same.
                    let is_paced = self.fitter.is_paced(slot);
                    self.learned(slot, model, !is_paced, streams);
                }
                FitNews::Ended(result) => {
                    match result {
                        Ok(model) => self.learned(slot, model, false, streams),
                        Err(FitError::Cancelled) => {}
                        Err(e) => self.stage.report(e),
                    }
                    self.stage.slots()[slot.index()].plan = None;
                    self.stage.changed();
                    self.fitter.finish(slot);
                }
            }
        }
        self.fitter.settle();
    }

    /// A fit has come to a texture; to its last one, if that is no `snapshot`.
    fn learned(&mut self, slot: Slot, model: Model, snapshot: bool, streams: &mut Streams) {
        {
            let contents = &mut self.stage.slots()[slot.index()];
            contents.model = Some(model.clone());
            contents.capture = None;
        }
        streams.play(slot, Some(model), snapshot);
        self.stage.changed();
    }

    /// Ends every thread.
    pub fn shut_down(self) {
        self.fitter.shut_down();
        self.preparer.shut_down();
    }
}

/// What is remembered of what a slot held before: without what was there before that.
fn keepsake(old: Contents) -> Option<Box<Contents>> {
    let old = Contents {
        plan: None,
        before: None,
        ..old
    };
    (!old.is_empty()).then(|| Box::new(old))
}
