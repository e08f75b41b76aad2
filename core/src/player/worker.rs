//! The worker's half of an instrument: one thread that remembers the input, keeps the slots, has fits made,
//! builds engines and keeps their rings full.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use ringbuf::traits::{Consumer, Producer};
use ringbuf::{HeapCons, HeapProd};

use super::bank::{Bank, Contents, FitPlan};
use super::controls::Slot;
use super::engine::{Engine, EngineFeed, Place};
use super::fitter::{FitJob, FitNews, FitStart, Fitter};
use super::memory::Memory;
use super::messages::{Command, InputNews, Shared, StreamReply, StreamRequest, lock};
use super::voicing::Voicing;
use crate::clip::{Capture, Clip, ClipError};
use crate::fit::FitError;
use crate::network::{Model, tidy_name};
use crate::procedural::{Texture, synthesize};

/// Frames made for one stream before the worker looks at the next one.
const FRAMES_AT_ONCE: usize = 4;
/// A stream for a song that runs on is built for a moment so many seconds after it should be done.
const SONG_LEAD_S: f64 = 0.006;
/// How fast the worker forgets how long building a stream took.
const BUILD_TIME_DECAY: f64 = 0.9;
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

/// What a slot's streams are made of.
struct Sounding {
    model: Model,
    /// Levels of the model.
    voicing: Arc<Voicing>,
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
    streams: StreamWorks,
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
            streams: StreamWorks {
                shared: ends.shared.clone(),
                requests: ends.requests,
                retired: ends.retired,
                replies: ends.streams,
                wanted: Vec::new(),
                feeds: Vec::new(),
                unsent: None,
                build_s: 0.0,
            },
            shared: ends.shared,
        }
    }

    /// Works until told to shut down, or until nobody is left to tell.
    pub fn run(mut self) {
        loop {
            self.hear_audio();
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
    }

    fn obey(&mut self, command: Command) {
        match command {
            // A fit is done when it ends.
            Command::Fit(slot, clip, name) => return self.learn(slot, Ok(clip), &name),
            Command::FitFile(slot, path) => {
                return self.learn(slot, Clip::read(&path), &file_name(&path));
            }
            Command::Synthesize(slot, texture, seed) => {
                let clip = synthesize(texture, seed, SYNTHESIS_RATE_HZ, SYNTHESIS_S);
                return self.learn(slot, Ok(clip), &capitalised(texture));
            }
            Command::Grab(slot, duration_s) => {
                // What is remembered may be of another sample rate by now.
                self.hear_audio();
                let clip = self.memory.last(duration_s);
                return self.learn_recording(slot, clip);
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
        self.shared.done();
    }

    fn hear_audio(&mut self) {
        self.memory.collect();
        while let Some(news) = self.from_audio.try_pop() {
            match news {
                InputNews::Gap { at, sample_rate } => self.memory.forget_before(at, sample_rate),
                InputNews::Recorded { begin, end, slot } => {
                    // They may have come since the last look.
                    self.memory.collect();
                    let clip = self.memory.clip(begin, end);
                    self.learn_recording(slot, clip);
                }
            }
        }
        self.streams.hear_audio();
    }

    /// What is saved may be something else from now on.
    fn changed(&self) {
        self.shared.revision.fetch_add(1, Ordering::AcqRel);
    }

    /// Refuses what the caller's pending job was to be.
    fn refuse(&self, error: impl ToString) {
        self.shared.set_error(error.to_string());
        self.shared.done();
    }

    fn learn_recording(&mut self, slot: Slot, clip: Result<Clip, ClipError>) {
        let name = format!("Capture {}", self.captures + 1);
        self.learn(slot, clip, &name);
    }

    /// Has a texture learned from `clip`, if that can be; takes over the caller's pending job.
    fn learn(&mut self, slot: Slot, clip: Result<Clip, ClipError>, name: &str) {
        let judged = clip.and_then(|clip| {
            clip.check_texture()?;
            Ok((Capture::new(&clip)?, clip.remarks()))
        });
        match judged {
            Ok((capture, remarks)) => {
                self.captures += 1;
                let remarks: Vec<String> = remarks.iter().map(ToString::to_string).collect();
                let contents = Contents {
                    name: tidy_name(name),
                    capture: Some(capture),
                    remark: (!remarks.is_empty()).then(|| remarks.join("; ")),
                    ..Contents::default()
                };
                self.learn_contents(slot, contents);
            }
            Err(e) => self.refuse(e),
        }
    }

    /// Has a texture learned from the capture in `contents`. What plays goes on until there is a new one.
    fn learn_contents(&mut self, slot: Slot, contents: Contents) {
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
            steps: self.shared.fit_steps.load(Ordering::Acquire),
            seed: self.shared.fit_seed.load(Ordering::Acquire),
            refines: false,
        };
        self.plan(slot, plan);
    }

    /// Has the fit of a slot made, and takes over the caller's pending job. What is there already is heard
    /// until the fit is further.
    fn plan(&mut self, slot: Slot, plan: FitPlan) {
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
            start.map(|start| FitJob {
                slot,
                start,
                plan,
                silent_steps,
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
            steps: self.shared.fit_steps.load(Ordering::Acquire),
            seed: self.shared.fit_seed.load(Ordering::Acquire),
            refines: true,
        };
        self.plan(slot, plan);
    }

    fn trim(&mut self, slot: Slot, used_s: Range<f64>) {
        let contents = lock(&self.shared.bank)[slot.index()].clone();
        let Some(capture) = contents.newest_capture() else {
            return self.refuse("there is no capture to trim: make one first");
        };
        let trimmed = capture.trimmed(used_s.clone());
        match trimmed.map(|c| c.used().check_texture().map(|()| c)) {
            Some(Ok(capture)) => self.learn_contents(
                slot,
                Contents {
                    name: contents.name,
                    capture: Some(capture),
                    remark: contents.remark,
                    ..Contents::default()
                },
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
            self.fitter.cancel(slot);
        }
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
                self.shared.begin();
                self.plan(slot, plan);
            }
        }
    }

    fn hear_fit(&mut self) {
        for (slot, news) in self.fitter.news() {
            match news {
                FitNews::Snapshot(model) => self.learned(slot, model, true),
                FitNews::Ended(result) => {
                    match result {
                        Ok(model) => self.learned(slot, model, false),
                        Err(FitError::Cancelled) => {}
                        Err(e) => self.shared.set_error(e.to_string()),
                    }
                    lock(&self.shared.bank)[slot.index()].plan = None;
                    self.changed();
                    self.fitter.finish();
                }
            }
        }
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
        let sign = &self.shared.textures[slot.index()];
        let sounding = &mut self.sounding[slot.index()];
        let Some(model) = model else {
            *sounding = None;
            sign.number.store(0, Ordering::Release);
            return;
        };
        let improves = snapshot
            && sounding
                .as_ref()
                .is_some_and(|s| s.model.has_same_capture(&model));
        let voicing = Arc::new(Voicing::new(&model));
        sign.side_share.store(voicing.side_share, Ordering::Release);
        if improves {
            self.streams.improve(&model);
        } else {
            self.textures += 1;
        }
        *sounding = Some(Sounding { model, voicing });
        if !improves {
            sign.number.store(self.textures, Ordering::Release);
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

/// What builds streams and feeds them.
struct StreamWorks {
    shared: Arc<Shared>,
    requests: HeapCons<StreamRequest>,
    retired: HeapCons<Box<Engine>>,
    replies: HeapProd<StreamReply>,
    /// Streams that were asked for and are not built, oldest first.
    wanted: Vec<StreamRequest>,
    /// The other halves of the streams that are out, with their numbers.
    feeds: Vec<(u32, EngineFeed)>,
    /// A stream for which the ring had no place.
    unsent: Option<StreamReply>,
    /// How long it took to build a stream lately, the longest of it, in seconds.
    build_s: f64,
}

impl StreamWorks {
    fn hear_audio(&mut self) {
        while let Some(engine) = self.retired.try_pop() {
            self.feeds.retain(|(id, _)| *id != engine.id());
        }
        while let Some(request) = self.requests.try_pop() {
            self.wanted.retain(|r| r.voice != request.voice);
            self.wanted.push(request);
        }
    }

    /// Builds a stream if one is wanted, and fills rings. Returns whether there is more to do.
    fn work(&mut self, sounding: &[Option<Sounding>; Slot::COUNT]) -> bool {
        let built = self.build(sounding);
        self.feed() || built
    }

    fn is_idle(&self) -> bool {
        self.feeds.is_empty()
    }

    /// Builds one of the streams that were asked for, those that should sound already first. Returns whether
    /// there was one.
    fn build(&mut self, sounding: &[Option<Sounding>; Slot::COUNT]) -> bool {
        self.send();
        if self.unsent.is_some() {
            return false;
        }
        let can_be_built = |r: &StreamRequest| sounding[r.slot.index()].is_some();
        let urgent = |r: &StreamRequest| r.urgent && can_be_built(r);
        let next = self.wanted.iter().position(urgent);
        let Some(next) = next.or_else(|| self.wanted.iter().position(can_be_built)) else {
            return false;
        };
        let mut request = self.wanted.remove(next);
        let Some(Sounding { model, voicing }) = &sounding[request.slot.index()] else {
            return false;
        };
        let begin = Instant::now();
        let mut clock = None;
        if let Place::Song { sample, line } = &mut request.start.place {
            let shared = &self.shared;
            // A bounce stands still meanwhile; a song that runs is met further on.
            let ahead = if shared.offline.load(Ordering::Acquire) {
                0
            } else {
                let now = shared.clock.load(Ordering::Acquire).max(request.clock);
                let lead_s = self.build_s + SONG_LEAD_S;
                now - request.clock + (lead_s * request.start.host_rate) as u64
            };
            *sample += ahead as i64;
            line.now_s += ahead as f64 * line.rate_s;
            clock = Some(request.clock + ahead);
        }
        // Building takes a while, in which what sounds must not run dry.
        let feeds = &mut self.feeds;
        let mut between = || feeds.iter_mut().for_each(|(_, feed)| feed.top_up());
        match Engine::new(request.epoch, model, voicing, &request.start, &mut between) {
            Ok((engine, feed)) => {
                self.feeds.push((request.epoch, feed));
                self.unsent = Some(StreamReply {
                    voice: request.voice,
                    epoch: request.epoch,
                    clock,
                    engine: Box::new(engine),
                });
                self.send();
            }
            Err(e) => self.shared.set_error(e.to_string()),
        }
        self.build_s = (self.build_s * BUILD_TIME_DECAY).max(begin.elapsed().as_secs_f64());
        true
    }

    fn send(&mut self) {
        if let Some(stream) = self.unsent.take()
            && let Err(stream) = self.replies.try_push(stream)
        {
            self.unsent = Some(stream);
        }
    }

    /// Fills the rings of all streams a little. Returns whether there is room for more.
    fn feed(&mut self) -> bool {
        let mut busy = false;
        for (_, feed) in &mut self.feeds {
            busy |= (0..FRAMES_AT_ONCE).all(|_| feed.send_frame());
        }
        busy
    }

    /// Goes on with a better network in the streams of the same capture.
    fn improve(&mut self, model: &Model) {
        for (_, feed) in &mut self.feeds {
            // Streams of another texture may still be fading out.
            if feed.model().has_same_capture(model) {
                feed.improve(model.clone());
            }
        }
    }
}
