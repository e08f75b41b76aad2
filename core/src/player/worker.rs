//! The worker's half of an instrument: one thread that collects captures, runs fits (each on a thread of
//! its own), builds engines and keeps their rings full.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use ringbuf::traits::{Consumer, Observer, Producer};
use ringbuf::{HeapCons, HeapProd};

use super::engine::{Engine, EngineFeed, Place};
use super::messages::{
    CaptureDrop, CaptureNews, Command, FitProgress, Shared, StreamReply, StreamRequest, lock,
};
use super::voicing::Voicing;
use crate::clip::Clip;
use crate::fit::{FitError, FitEvent, FitSettings, fit, refine};
use crate::network::Model;

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

/// Rings that the split hands to the worker.
pub(super) struct WorkerEnds {
    pub shared: Arc<Shared>,
    pub commands: Receiver<Command>,
    pub from_audio: HeapCons<CaptureNews>,
    pub requests: HeapCons<StreamRequest>,
    pub retired: HeapCons<Box<Engine>>,
    pub streams: HeapProd<StreamReply>,
    pub capture: HeapCons<f32>,
}

/// A fit on its own thread.
struct RunningFit {
    cancel: Arc<AtomicBool>,
    news: Receiver<FitNews>,
    thread: JoinHandle<()>,
}

enum FitNews {
    Snapshot(Model),
    Ended(Result<Model, FitError>),
}

/// What a fit starts from.
enum FitStart {
    Capture(Clip),
    /// The texture that plays is to become better.
    Texture(Model),
}

struct Recording {
    sample_rate: u32,
    interleaved: Vec<f32>,
}

pub(super) struct Worker {
    ends: WorkerEnds,
    model: Option<Model>,
    /// Levels of the model.
    voicing: Option<Arc<Voicing>>,
    /// Streams that were asked for and are not built, oldest first.
    requests: Vec<StreamRequest>,
    /// The other halves of the streams that are out, with their numbers.
    feeds: Vec<(u32, EngineFeed)>,
    /// A stream for which the ring had no place.
    unsent: Option<StreamReply>,
    /// How long it took to build a stream lately, the longest of it, in seconds.
    build_s: f64,
    recording: Option<Recording>,
    /// Samples of a recording whose start has not been heard of yet.
    surplus: Vec<f32>,
    fit: Option<RunningFit>,
    /// Threads of fits that were cancelled and are about to end.
    ending: Vec<JoinHandle<()>>,
}

impl Worker {
    pub fn new(ends: WorkerEnds) -> Self {
        Self {
            ends,
            model: None,
            voicing: None,
            requests: Vec::new(),
            feeds: Vec::new(),
            unsent: None,
            build_s: 0.0,
            recording: None,
            surplus: Vec::new(),
            fit: None,
            ending: Vec::new(),
        }
    }

    /// Works until told to shut down, or until nobody is left to tell.
    pub fn run(mut self) {
        loop {
            self.hear_audio();
            self.hear_fit();
            self.build_stream();
            let busy = self.feed_streams() || self.has_work();
            let nap = if busy {
                Duration::ZERO
            } else if self.ends.shared.offline.load(Ordering::Acquire) {
                NAP_OFFLINE
            } else if !self.feeds.is_empty() || self.recording.is_some() {
                NAP
            } else {
                NAP_IDLE
            };
            match self.ends.commands.recv_timeout(nap) {
                Ok(Command::ShutDown) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        self.stop_fit();
        for thread in self.ending {
            // A panic in it was caught there.
            let _ = thread.join();
        }
    }

    fn obey(&mut self, command: Command) {
        let shared = self.ends.shared.clone();
        match command {
            // A fit is done when it ends.
            Command::Fit(clip) => return self.start_fit(FitStart::Capture(clip)),
            Command::Refine => {
                self.stop_fit();
                match self.model.clone() {
                    Some(model) => return self.start_fit(FitStart::Texture(model)),
                    None => shared.set_error("there is no texture to refine: capture one first"),
                }
            }
            Command::FitFile(path) => match Clip::read(&path) {
                Ok(clip) => return self.start_fit(FitStart::Capture(clip)),
                Err(e) => shared.set_error(e.to_string()),
            },
            Command::Play(model) => {
                self.stop_fit();
                self.play(model, false);
            }
            Command::CancelFit => self.stop_fit(),
            Command::ShutDown => {}
        }
        shared.done();
    }

    fn hear_audio(&mut self) {
        while let Some(message) = self.ends.from_audio.try_pop() {
            match message {
                CaptureNews::Started { sample_rate } => {
                    let interleaved = std::mem::take(&mut self.surplus);
                    self.recording = Some(Recording {
                        sample_rate,
                        interleaved,
                    });
                }
                CaptureNews::Ended { samples } => self.finish_capture(samples),
                CaptureNews::Dropped { samples, why } => {
                    self.take_recording(samples);
                    if why == CaptureDrop::Overrun {
                        let text =
                            "the capture was interrupted: the computer did not keep up; try again";
                        self.ends.shared.set_error(text);
                    }
                }
            }
        }
        self.collect(None);
        while let Some(engine) = self.ends.retired.try_pop() {
            self.feeds.retain(|(id, _)| *id != engine.id());
        }
        while let Some(request) = self.ends.requests.try_pop() {
            self.requests.retain(|r| r.voice != request.voice);
            self.requests.push(request);
        }
    }

    /// Takes what has been recorded; never more than `samples` a channel, where the recording is over.
    fn collect(&mut self, samples: Option<usize>) {
        let Some(recording) = &mut self.recording else {
            return;
        };
        let have = recording.interleaved.len();
        let waiting = self.ends.capture.occupied_len();
        let count = samples.map_or(waiting, |n| (2 * n).saturating_sub(have).min(waiting));
        recording.interleaved.resize(have + count, 0.0);
        self.ends
            .capture
            .pop_slice(&mut recording.interleaved[have..]);
    }

    /// The recording that is over after `samples` samples a channel. What was collected beyond that is the
    /// beginning of the next one, whose message is still to come.
    fn take_recording(&mut self, samples: usize) -> Option<Recording> {
        self.collect(Some(samples));
        let mut recording = self.recording.take()?;
        let end = (2 * samples).min(recording.interleaved.len());
        self.surplus = recording.interleaved.split_off(end);
        Some(recording)
    }

    fn finish_capture(&mut self, samples: usize) {
        let shared = self.ends.shared.clone();
        let Some(Recording {
            sample_rate,
            interleaved,
        }) = self.take_recording(samples)
        else {
            return shared.done();
        };
        let channel = |c: usize| {
            interleaved
                .iter()
                .skip(c)
                .step_by(2)
                .copied()
                .collect::<Vec<f32>>()
        };
        let (left, right) = (channel(0), channel(1));
        let channels = if left == right {
            vec![left]
        } else {
            vec![left, right]
        };
        match Clip::new(sample_rate, channels) {
            Ok(clip) => self.start_fit(FitStart::Capture(clip)),
            Err(e) => {
                shared.set_error(e.to_string());
                shared.done();
            }
        }
    }

    /// Starts a fit, which takes over the caller's pending job.
    fn start_fit(&mut self, start: FitStart) {
        self.stop_fit();
        let shared = self.ends.shared.clone();
        if let FitStart::Capture(clip) = &start
            && let Err(e) = clip.check_texture()
        {
            shared.set_error(e.to_string());
            return shared.done();
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let settings = FitSettings {
            steps: shared.fit_steps.load(Ordering::Acquire),
            seed: shared.fit_seed.load(Ordering::Acquire),
            // One core is the audio thread's.
            threads: cores.saturating_sub(1).max(1),
            max_duration_s: None,
            background: true,
        };
        let cancel = Arc::new(AtomicBool::new(false));
        let (sender, news) = unbounded();
        let steps = settings.steps;
        *lock(&shared.fit) = Some(FitProgress {
            step: 0,
            steps,
            loss: f32::NAN,
        });
        *lock(&shared.error) = None;
        let (fit_cancel, fit_shared) = (cancel.clone(), shared.clone());
        let work = move || run_fit(&start, &settings, &fit_cancel, &fit_shared, &sender);
        match std::thread::Builder::new()
            .name("weft-fit".into())
            .spawn(work)
        {
            Ok(thread) => {
                self.fit = Some(RunningFit {
                    cancel,
                    news,
                    thread,
                })
            }
            Err(e) => {
                *lock(&shared.fit) = None;
                shared.set_error(format!("the fit can't start its thread: {e}"));
                shared.done();
            }
        }
    }

    /// Ends the running fit, if any. Its thread ends by itself, after a tenth of a second at most, in which
    /// what sounds must not run dry.
    fn stop_fit(&mut self) {
        if let Some(fit) = self.fit.take() {
            fit.cancel.store(true, Ordering::Release);
            self.ending.retain(|thread| !thread.is_finished());
            self.ending.push(fit.thread);
            self.end_fit();
        }
    }

    fn end_fit(&mut self) {
        *lock(&self.ends.shared.fit) = None;
        self.ends.shared.revision.fetch_add(1, Ordering::AcqRel);
        self.ends.shared.done();
    }

    fn hear_fit(&mut self) {
        let Some(fit) = &self.fit else { return };
        let news: Vec<FitNews> = fit.news.try_iter().collect();
        for news in news {
            match news {
                FitNews::Snapshot(model) => self.play(model, true),
                FitNews::Ended(result) => {
                    match result {
                        Ok(model) => self.play(model, false),
                        Err(FitError::Cancelled) => {}
                        Err(e) => self.ends.shared.set_error(e.to_string()),
                    }
                    if let Some(fit) = self.fit.take() {
                        self.ending.push(fit.thread);
                        self.end_fit();
                    }
                }
            }
        }
    }

    /// Plays a model: in new streams, or by and by in those that are out if it is a `snapshot` on the way to
    /// a better one for the same capture.
    fn play(&mut self, model: Model, snapshot: bool) {
        let shared = self.ends.shared.clone();
        let improves = self
            .model
            .as_ref()
            .is_some_and(|m| m.has_same_capture(&model));
        let voicing = Voicing::new(&model);
        shared
            .side_share
            .store(voicing.side_share, Ordering::Release);
        self.voicing = Some(Arc::new(voicing));
        self.model = Some(model.clone());
        *lock(&shared.texture) = Some(model.clone());
        if improves && snapshot {
            for (_, feed) in &mut self.feeds {
                // Streams of another texture may still be fading out.
                if feed.model().has_same_capture(&model) {
                    feed.improve(model.clone());
                }
            }
        } else {
            shared.texture_count.fetch_add(1, Ordering::AcqRel);
        }
        shared.revision.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether there is a stream to build.
    fn has_work(&self) -> bool {
        self.model.is_some() && !self.requests.is_empty()
    }

    /// Builds one of the streams that were asked for, those that should sound already first.
    fn build_stream(&mut self) {
        self.send_stream();
        let (Some(model), Some(voicing)) = (&self.model, &self.voicing) else {
            return;
        };
        if self.unsent.is_some() || self.requests.is_empty() {
            return;
        }
        let urgent = self.requests.iter().position(|r| r.urgent);
        let mut request = self.requests.remove(urgent.unwrap_or(0));
        let begin = Instant::now();
        let mut clock = None;
        if let Place::Song { sample, line } = &mut request.start.place {
            let shared = &self.ends.shared;
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
                self.send_stream();
            }
            Err(e) => self.ends.shared.set_error(e.to_string()),
        }
        self.build_s = (self.build_s * BUILD_TIME_DECAY).max(begin.elapsed().as_secs_f64());
    }

    fn send_stream(&mut self) {
        if let Some(stream) = self.unsent.take()
            && let Err(stream) = self.ends.streams.try_push(stream)
        {
            self.unsent = Some(stream);
        }
    }

    /// Fills the rings of all streams a little. Returns whether there is room for more.
    fn feed_streams(&mut self) -> bool {
        let mut busy = false;
        for (_, feed) in &mut self.feeds {
            busy |= (0..FRAMES_AT_ONCE).all(|_| feed.send_frame());
        }
        busy
    }
}

fn run_fit(
    start: &FitStart,
    settings: &FitSettings,
    cancel: &AtomicBool,
    shared: &Shared,
    news: &Sender<FitNews>,
) {
    let mut on_event = |event: FitEvent<'_>| {
        match event {
            FitEvent::Progress { step, steps, loss } => {
                *lock(&shared.fit) = Some(FitProgress { step, steps, loss });
            }
            FitEvent::Snapshot { model, .. } => {
                // Nobody listens any more: the fit is being cancelled.
                let _ = news.send(FitNews::Snapshot(model.clone()));
            }
        }
        if cancel.load(Ordering::Acquire) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let fit = || match start {
        FitStart::Capture(clip) => fit(clip, settings, &mut on_event),
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
    let _ = news.send(ended);
}
