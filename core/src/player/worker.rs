//! The worker's half of an instrument: one thread that remembers the input, keeps the slots, has fits made,
//! builds engines and keeps their rings full.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use ringbuf::traits::Consumer;
use ringbuf::{HeapCons, HeapProd};

use super::bank::{Bank, Contents, FitPlan};
use super::builder::{Sounding, StreamBuilder};
use super::controls::Slot;
use super::engine::Engine;
use super::fitter::{FitJob, FitNews, FitStart, Fitter};
use super::memory::Memory;
use super::messages::{Command, InputNews, Shared, StreamReply, StreamRequest, lock};
use super::pace::PacedCapture;
use super::voicing::Voicing;
use crate::clip::{Capture, Clip, ClipError};
use crate::fit::FitError;
use crate::network::{Model, tidy_name};
use crate::procedural::{Texture, synthesize};

/// How long the worker sleeps when there is nothing to do: in a bounce, while something plays, and idle.
const NAP_OFFLINE: Duration = Duration::from_micros(200);
const NAP: Duration = Duration::from_millis(4);
const NAP_IDLE: Duration = Duration::from_millis(15);
/// Length and sample rate of synthesized captures.
const SYNTHESIS_S: f64 = 8.0;
const SYNTHESIS_RATE_HZ: u32 = 48_000;

/// Rings that the split hands to the worker.
pub(super) struct WorkerEnds {
    pub shared: Arc<Shared>,
    pub commands: Receiver<Command>,
    pub from_audio: HeapCons<InputNews>,
    pub requests: HeapCons<StreamRequest>,
    pub retired: HeapCons<Box<Engine>>,
    pub streams: HeapProd<StreamReply>,
    pub input: HeapCons<f32>,
}

/// A clip that was read, made or recorded, ready to be learned.
struct Prepared {
    slot: Slot,
    /// Number of the request: a later one of the same slot makes it void.
    request: u64,
    paced: Option<PacedCapture>,
    name: String,
    capture: Result<(Capture, Option<String>), ClipError>,
}

pub(super) struct Worker {
    shared: Arc<Shared>,
    commands: Receiver<Command>,
    from_audio: HeapCons<InputNews>,
    memory: Memory,
    fitter: Fitter,
    sounding: [Option<Sounding>; Slot::COUNT],
    /// Textures so far.
    textures: u64,
    /// Captures so far: they are named by that.
    captures: u32,
    /// Requests for something to be learned so far, and the newest of each slot.
    requests: u64,
    newest_request: [u64; Slot::COUNT],
    /// Where clips are made ready, off this thread: what sounds must not run dry meanwhile. In the order in
    /// which they were asked for, in which they are also taken.
    preparing: VecDeque<JoinHandle<Prepared>>,
    streams: StreamBuilder,
}

impl Worker {
    pub fn new(ends: WorkerEnds) -> Self {
        Self {
            commands: ends.commands,
            from_audio: ends.from_audio,
            memory: Memory::new(ends.input),
            fitter: Fitter::new(ends.shared.clone()),
            sounding: Default::default(),
            textures: 0,
            captures: 0,
            requests: 0,
            newest_request: [0; Slot::COUNT],
            preparing: VecDeque::new(),
            streams: StreamBuilder::new(
                ends.shared.clone(),
                ends.streams,
                ends.requests,
                ends.retired,
            ),
            shared: ends.shared,
        }
    }

    /// Works until told to shut down, or until nobody is left to tell.
    pub fn run(mut self) {
        loop {
            self.hear_audio();
            self.hear_prepared();
            self.hear_fit();
            let busy = self.streams.work(&self.sounding);
            let nap = if busy {
                Duration::ZERO
            } else if self.shared.offline.load(Ordering::Acquire) {
                NAP_OFFLINE
            } else if self.streams.is_idle() {
                NAP_IDLE
            } else {
                NAP
            };
            match self.commands.recv_timeout(nap) {
                Ok(Command::ShutDown) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        self.fitter.shut_down();
        for thread in self.preparing {
            // A panic in it was caught there.
            let _ = thread.join();
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            // A fit is done when it ends.
            Command::Fit(slot, clip, name) => return self.learn(slot, name, None, || Ok(clip)),
            Command::FitFile(slot, path) => {
                return self.learn(slot, file_name(&path), None, move || Clip::read(&path));
            }
            Command::Synthesize(slot, texture, seed) => {
                return self.learn(slot, capitalised(texture), None, move || {
                    Ok(synthesize(texture, seed, SYNTHESIS_RATE_HZ, SYNTHESIS_S))
                });
            }
            Command::Grab(slot, duration_s) => {
                // What is remembered may be of another sample rate by now.
                self.hear_audio();
                let clip = self.memory.last(duration_s);
                return self.learn_recording(slot, clip, None);
            }
            Command::Trim(slot, used_s) => return self.trim(slot, used_s),
            Command::Refine(slot) => return self.refine(slot),
            Command::CancelFit(slot) => self.cancel(slot),
            Command::Play(slot, model) => {
                let contents = Contents {
                    name: model.name().to_owned(),
                    model: Some(model),
                    ..Contents::default()
                };
                self.replace(slot, contents);
            }
            Command::Load(bank) => self.load(*bank),
            Command::Clear(slot) => self.replace(slot, Contents::default()),
            Command::Copy { from, to } => {
                let contents = lock(&self.shared.bank)[from.index()].clone();
                self.replace(
                    to,
                    Contents {
                        before: None,
                        plan: None,
                        ..contents
                    },
                );
            }
            Command::Undo(slot) => {
                let before = lock(&self.shared.bank)[slot.index()].before.take();
                if let Some(before) = before {
                    self.replace(slot, *before);
                }
            }
            Command::Rename(slot, name) => {
                lock(&self.shared.bank)[slot.index()].name = tidy_name(&name);
                self.changed();
            }
            Command::ShutDown => {}
        }
        self.shared.work.done();
    }

    fn hear_audio(&mut self) {
        self.memory.collect();
        while let Some(news) = self.from_audio.try_pop() {
            match news {
                InputNews::Gap { at, sample_rate } => self.memory.forget_before(at, sample_rate),
                InputNews::Recorded {
                    begin,
                    end,
                    slot,
                    paced,
                } => {
                    // They may have come since the last look.
                    self.memory.collect();
                    let clip = self.memory.clip(begin, end);
                    self.learn_recording(slot, clip, paced);
                }
            }
        }
        self.memory.forget_old();
        self.streams.hear_audio();
    }

    /// What is saved may be something else from now on.
    fn changed(&self) {
        self.shared.revision.fetch_add(1, Ordering::AcqRel);
    }

    /// Refuses what the caller's pending job was to be.
    fn refuse(&self, error: impl ToString) {
        self.shared.set_error(error.to_string());
        self.shared.work.done();
    }

    fn learn_recording(
        &mut self,
        slot: Slot,
        clip: Result<Clip, ClipError>,
        paced: Option<PacedCapture>,
    ) {
        self.captures += 1;
        let name = format!("Capture {}", self.captures);
        self.learn(slot, name, paced, || clip);
    }

    /// Has a texture learned from the clip that `make` makes, if that can be; takes over the caller's pending
    /// job.
    fn learn(
        &mut self,
        slot: Slot,
        name: String,
        paced: Option<PacedCapture>,
        make: impl FnOnce() -> Result<Clip, ClipError> + Send + 'static,
    ) {
        self.requests += 1;
        let request = self.requests;
        self.newest_request[slot.index()] = request;
        let work = move || {
            let judge = || {
                let clip = make()?;
                clip.check_texture()?;
                let remarks: Vec<String> = clip.remarks().iter().map(ToString::to_string).collect();
                let remark = (!remarks.is_empty()).then(|| remarks.join("; "));
                Ok((Capture::new(&clip)?, remark))
            };
            // A defect in it must not take the host with it.
            let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(judge));
            let capture = judged.unwrap_or(Err(ClipError::Defect));
            Prepared {
                slot,
                request,
                paced,
                name,
                capture,
            }
        };
        let thread = std::thread::Builder::new().name("weft-prepare".into());
        match thread.spawn(work) {
            Ok(thread) => self.preparing.push_back(thread),
            Err(e) => {
                self.refuse(format!("the capture can't get a thread: {e}"));
            }
        }
    }

    fn hear_prepared(&mut self) {
        while self.preparing.front().is_some_and(JoinHandle::is_finished)
            && let Some(thread) = self.preparing.pop_front()
        {
            let Ok(prepared) = thread.join() else {
                // What may panic was caught in it.
                self.refuse(ClipError::Defect);
                continue;
            };
            let Prepared {
                slot,
                request,
                paced,
                name,
                capture,
            } = prepared;
            match capture {
                _ if request != self.newest_request[slot.index()] => self.shared.work.done(),
                Ok((capture, remark)) => {
                    let contents = Contents {
                        name: tidy_name(&name),
                        capture: Some(capture),
                        remark,
                        ..Contents::default()
                    };
                    self.learn_contents(slot, contents, paced);
                }
                Err(e) => self.refuse(e),
            }
        }
    }

    /// Nothing that was asked for before is wanted in this slot any more.
    fn forget_requests(&mut self, slot: Slot) {
        self.requests += 1;
        self.newest_request[slot.index()] = self.requests;
    }

    /// Has a texture learned from the capture in `contents`. What plays goes on until there is a new one.
    fn learn_contents(&mut self, slot: Slot, contents: Contents, paced: Option<PacedCapture>) {
        self.fitter.cancel(slot);
        {
            let mut bank = lock(&self.shared.bank);
            let old = std::mem::take(&mut bank[slot.index()]);
            let new = &mut bank[slot.index()];
            *new = contents;
            new.model = old.model.clone();
            new.before = keepsake(old);
        }
        *lock(&self.shared.error) = None;
        let plan = FitPlan {
            steps: self.shared.fit_steps[slot.index()].load(Ordering::Acquire),
            seed: self.shared.fit_seed.load(Ordering::Acquire),
            refines: false,
        };
        self.plan(slot, plan, paced);
    }

    /// Has the fit of a slot made, and takes over the caller's pending job. What is there already is heard
    /// until the fit is further.
    fn plan(&mut self, slot: Slot, plan: FitPlan, paced: Option<PacedCapture>) {
        let job = {
            let mut bank = lock(&self.shared.bank);
            let contents = &mut bank[slot.index()];
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
        self.changed();
        match job {
            Some(job) => self.fitter.enqueue(job),
            None => {
                lock(&self.shared.bank)[slot.index()].plan = None;
                self.refuse(FitError::NoCapture);
            }
        }
    }

    fn refine(&mut self, slot: Slot) {
        self.cancel(slot);
        if lock(&self.shared.bank)[slot.index()].is_empty() {
            return self.refuse("there is no texture to refine: capture one first");
        }
        *lock(&self.shared.error) = None;
        let plan = FitPlan {
            steps: self.shared.fit_steps[slot.index()].load(Ordering::Acquire),
            seed: self.shared.fit_seed.load(Ordering::Acquire),
            refines: true,
        };
        self.plan(slot, plan, None);
    }

    fn trim(&mut self, slot: Slot, used_s: Range<f64>) {
        let contents = lock(&self.shared.bank)[slot.index()].clone();
        let Some(capture) = contents.newest_capture() else {
            return self.refuse("there is no capture to trim: make one first");
        };
        let trimmed = capture.trimmed(used_s.clone());
        if trimmed.as_ref() == Some(capture) {
            // A fit is not thrown away for nothing.
            return self.shared.work.done();
        }
        self.forget_requests(slot);
        match trimmed.map(|c| c.used().check_texture().map(|()| c)) {
            Some(Ok(capture)) => self.learn_contents(
                slot,
                Contents {
                    name: contents.name,
                    capture: Some(capture),
                    remark: contents.remark,
                    ..Contents::default()
                },
                None,
            ),
            Some(Err(e)) => self.refuse(e),
            None => self.refuse(format!(
                "nothing is left between {:.2} and {:.2} s: leave more of the capture",
                used_s.start, used_s.end
            )),
        }
    }

    /// Ends the fit of a slot; its last snapshot goes on playing. A capture that has come to no sound yet
    /// gives way to the texture that plays, if there is one.
    fn cancel(&mut self, slot: Slot) {
        self.forget_requests(slot);
        self.fitter.cancel(slot);
        {
            let mut bank = lock(&self.shared.bank);
            let contents = &mut bank[slot.index()];
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
        self.changed();
    }

    /// Puts something else into a slot. What was there can be brought back.
    fn replace(&mut self, slot: Slot, contents: Contents) {
        self.forget_requests(slot);
        self.fitter.cancel(slot);
        let old = std::mem::take(&mut lock(&self.shared.bank)[slot.index()]);
        self.put(
            slot,
            Contents {
                before: keepsake(old),
                ..contents
            },
        );
    }

    /// Puts what it holds into a slot, and lets its texture be heard.
    fn put(&mut self, slot: Slot, contents: Contents) {
        let model = contents.model.clone();
        lock(&self.shared.bank)[slot.index()] = contents;
        self.sound(slot, model, false);
        self.changed();
    }

    /// Replaces everything at once: somebody may be saving meanwhile.
    fn load(&mut self, bank: Bank) {
        for slot in Slot::ALL {
            self.forget_requests(slot);
        }
        self.fitter.cancel_all();
        let textures = bank.slots.each_ref().map(|s| s.model.clone());
        let plans = bank.slots.each_ref().map(|s| s.plan);
        {
            let mut slots = lock(&self.shared.bank);
            let old = std::mem::replace(&mut *slots, bank.slots);
            for (new, old) in slots.iter_mut().zip(old) {
                new.before = keepsake(old);
            }
        }
        self.changed();
        for ((slot, model), plan) in Slot::ALL.into_iter().zip(textures).zip(plans) {
            self.sound(slot, model, false);
            if let Some(plan) = plan {
                self.shared.work.begin();
                self.plan(slot, plan, None);
            }
        }
    }

    fn hear_fit(&mut self) {
        for (slot, news) in self.fitter.news() {
            match news {
                FitNews::Snapshot(model) => {
                    // Where a better network takes over inside a stream, no two bounces are the same.
                    let is_paced = self.fitter.is_paced(slot);
                    self.learned(slot, model, !is_paced);
                }
                FitNews::Ended(result) => {
                    match result {
                        Ok(model) => self.learned(slot, model, false),
                        Err(FitError::Cancelled) => {}
                        Err(e) => self.shared.set_error(e.to_string()),
                    }
                    lock(&self.shared.bank)[slot.index()].plan = None;
                    self.changed();
                    self.fitter.finish(slot);
                }
            }
        }
        self.fitter.settle();
    }

    /// A fit has come to a texture; to its last one, if that is no `snapshot`.
    fn learned(&mut self, slot: Slot, model: Model, snapshot: bool) {
        {
            let mut bank = lock(&self.shared.bank);
            let contents = &mut bank[slot.index()];
            contents.model = Some(model.clone());
            contents.capture = None;
        }
        self.sound(slot, Some(model), snapshot);
        self.changed();
    }

    /// Lets a slot's texture be heard: in new streams, or by and by in those that are out if it is a
    /// `snapshot` on the way to a better one for the same capture.
    fn sound(&mut self, slot: Slot, model: Option<Model>, snapshot: bool) {
        let shown = &self.shared.textures[slot.index()];
        let sounding = &mut self.sounding[slot.index()];
        let Some(model) = model else {
            *sounding = None;
            shown.number.store(0, Ordering::Release);
            return;
        };
        let improves = snapshot
            && sounding
                .as_ref()
                .is_some_and(|s| s.model.has_same_capture(&model));
        let voicing = Arc::new(Voicing::new(&model));
        shown
            .side_share
            .store(voicing.side_share, Ordering::Release);
        if improves {
            self.streams.improve(&model);
        } else {
            self.textures += 1;
        }
        *sounding = Some(Sounding { model, voicing });
        if !improves {
            shown.number.store(self.textures, Ordering::Release);
        }
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

/// A file's name as a texture's.
fn file_name(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn capitalised(texture: Texture) -> String {
    let mut name = texture.name().to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}
