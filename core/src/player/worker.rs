//! The worker's half of an instrument: one thread that collects captures, runs fits (each on a thread of
//! its own), builds engines and keeps their rings full.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use ringbuf::traits::{Consumer, Observer, Producer};
use ringbuf::{HeapCons, HeapProd};

use super::engine::{Engine, EngineFeed, StreamStart};
use super::messages::{CaptureDrop, Command, FitProgress, FromAudio, Shared, lock};
use crate::clip::Clip;
use crate::fit::{FitError, FitEvent, FitSettings, fit, refine};
use crate::network::Model;

/// Frames made before the worker looks at its messages again.
const FRAMES_AT_ONCE: usize = 8;
/// How long the worker sleeps when there is nothing to do: in a bounce, while something plays, and idle.
const NAP_OFFLINE: Duration = Duration::from_micros(200);
const NAP: Duration = Duration::from_millis(4);
const NAP_IDLE: Duration = Duration::from_millis(15);

/// Rings that the split hands to the worker.
pub(super) struct WorkerEnds {
    pub shared: Arc<Shared>,
    pub commands: Receiver<Command>,
    pub from_audio: HeapCons<FromAudio>,
    pub engines: HeapProd<Box<Engine>>,
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

/// What the audio thread asked for last.
#[derive(Clone, Copy)]
struct Wanted {
    epoch: u32,
    seed: u32,
    frame: i64,
}

struct Recording {
    sample_rate: u32,
    interleaved: Vec<f32>,
}

pub(super) struct Worker {
    ends: WorkerEnds,
    model: Option<Model>,
    wanted: Option<Wanted>,
    feed: Option<EngineFeed>,
    /// An engine for which the ring had no place.
    unsent: Option<Box<Engine>>,
    recording: Option<Recording>,
    /// Samples of a recording whose start has not been heard of yet.
    surplus: Vec<f32>,
    fit: Option<RunningFit>,
}

impl Worker {
    pub fn new(ends: WorkerEnds) -> Self {
        Self {
            ends,
            model: None,
            wanted: None,
            feed: None,
            unsent: None,
            recording: None,
            surplus: Vec::new(),
            fit: None,
        }
    }

    /// Works until told to shut down, or until nobody is left to tell.
    pub fn run(mut self) {
        loop {
            self.hear_audio();
            self.hear_fit();
            let busy = self.feed_engine();
            let nap = if busy {
                Duration::ZERO
            } else if self.ends.shared.offline.load(Ordering::Acquire) {
                NAP_OFFLINE
            } else if self.feed.is_some() || self.recording.is_some() {
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
                self.play(model);
            }
            Command::CancelFit => self.stop_fit(),
            Command::ShutDown => {}
        }
        shared.done();
    }

    fn hear_audio(&mut self) {
        while let Some(message) = self.ends.from_audio.try_pop() {
            match message {
                FromAudio::Restart { epoch, seed, frame } => {
                    self.wanted = Some(Wanted { epoch, seed, frame });
                    self.build_engine();
                }
                FromAudio::CaptureStarted { sample_rate } => {
                    let interleaved = std::mem::take(&mut self.surplus);
                    self.recording = Some(Recording {
                        sample_rate,
                        interleaved,
                    });
                }
                FromAudio::CaptureEnded { samples } => self.finish_capture(samples),
                FromAudio::CaptureDropped { samples, why } => {
                    self.take_recording(samples);
                    if why == CaptureDrop::Overrun {
                        let text =
                            "the capture was interrupted: the computer did not keep up; try again";
                        self.ends.shared.set_error(text);
                    }
                }
                FromAudio::Retired(engine) => drop(engine),
            }
        }
        self.collect(None);
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

    /// Ends the running fit, if any, and waits for its thread: less than a step.
    fn stop_fit(&mut self) {
        if let Some(fit) = self.fit.take() {
            fit.cancel.store(true, Ordering::Release);
            // A panic in it was caught there; what plays goes on.
            let _ = fit.thread.join();
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
                FitNews::Snapshot(model) => self.play(model),
                FitNews::Ended(result) => {
                    match result {
                        Ok(model) => self.play(model),
                        Err(FitError::Cancelled) => {}
                        Err(e) => self.ends.shared.set_error(e.to_string()),
                    }
                    if let Some(fit) = self.fit.take() {
                        let _ = fit.thread.join();
                        self.end_fit();
                    }
                }
            }
        }
    }

    /// Plays a model: by and by where it is a better one for the same capture, as a new stream otherwise.
    fn play(&mut self, model: Model) {
        let shared = self.ends.shared.clone();
        let improves = self
            .model
            .as_ref()
            .is_some_and(|m| m.has_same_capture(&model));
        self.model = Some(model.clone());
        *lock(&shared.texture) = Some(model.clone());
        match &mut self.feed {
            Some(feed) if improves => feed.improve(model),
            _ => self.build_engine(),
        }
        shared.has_texture.store(true, Ordering::Release);
        shared.revision.fetch_add(1, Ordering::AcqRel);
    }

    /// Builds an engine for what was asked for last, if everything is known.
    fn build_engine(&mut self) {
        let host_rate = self.ends.shared.host_rate.load(Ordering::Acquire);
        let (Some(model), Some(wanted)) = (&self.model, self.wanted) else {
            return;
        };
        if host_rate <= 0.0 {
            return;
        }
        let Wanted { epoch, seed, frame } = wanted;
        match Engine::new(
            model,
            StreamStart {
                seed,
                epoch,
                frame,
                host_rate,
            },
        ) {
            Ok((engine, feed)) => {
                self.feed = Some(feed);
                self.unsent = Some(Box::new(engine));
                self.send_engine();
            }
            Err(e) => self.ends.shared.set_error(e.to_string()),
        }
    }

    fn send_engine(&mut self) {
        if let Some(engine) = self.unsent.take()
            && let Err(engine) = self.ends.engines.try_push(engine)
        {
            self.unsent = Some(engine);
        }
    }

    /// Fills the ring of the newest engine a little. Returns whether there is room for more.
    fn feed_engine(&mut self) -> bool {
        self.send_engine();
        let Some(feed) = &mut self.feed else {
            return false;
        };
        (0..FRAMES_AT_ONCE).all(|_| feed.send_frame())
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
