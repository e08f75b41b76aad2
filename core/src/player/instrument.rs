//! Everybody else's door to an instrument: the host's main thread, the window, a test.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, unbounded};
use ringbuf::HeapRb;
use ringbuf::traits::Split;

use super::audio::{Player, PlayerEnds};
use super::messages::{Command, Shared, lock};
use super::worker::{Worker, WorkerEnds};
use crate::clip::Clip;
use crate::fit::{DEFAULT_STEPS, STEPS_RANGE};
use crate::network::{Model, ModelError};

/// Messages that may be on their way from the audio thread.
const MESSAGES: usize = 256;
/// Streams that may be asked for, on their way, or on their way back. Far more than there are voices.
const STREAMS: usize = 1024;
/// Samples of the capture ring: 1.4 s of stereo at 192 kHz.
const CAPTURE_RING: usize = 1 << 19;

/// What an instrument does.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Phase {
    /// There is no texture yet.
    Empty,
    /// A recording is going on.
    Capturing {
        /// Part of it that is done, 0 to 1.
        done: f32,
    },
    /// A fit is going on; its snapshots can be heard already.
    Fitting {
        /// Steps done.
        step: u32,
        /// Steps in all.
        steps: u32,
        /// Smoothed loss; not a number before the first step.
        loss: f32,
    },
    /// There is a texture, and nothing else to do.
    Playing,
}

/// What is known of the texture that plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextureInfo {
    /// Length of the capture in seconds; 0 if it was not kept.
    pub duration_s: f64,
    /// Sample rate of the capture in Hz.
    pub sample_rate: u32,
    /// Whether left and right differ.
    pub stereo: bool,
    /// Training steps done.
    pub fit_steps: u32,
    /// Smoothed loss at its end; not a number before the first step.
    pub loss: f32,
}

/// A look at an instrument.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// What it does.
    pub phase: Phase,
    /// Largest input sample since the last look, linear.
    pub input_peak: f32,
    /// Largest output sample since the last look, linear.
    pub output_peak: f32,
    /// Frames that came too late so far, and were made up from the ones before.
    pub underruns: u64,
    /// Notes that sound.
    pub voices: u32,
    /// What went wrong last, until it is cleared or a fit starts.
    pub error: Option<String>,
    /// What plays.
    pub texture: Option<TextureInfo>,
    /// Another number whenever what [`Instrument::save_state`] returns may have changed.
    pub revision: u64,
}

/// The main half of an instrument. It may be shared among all threads but the audio thread, which has the
/// [`Player`]. Dropping it cancels a fit and joins every thread.
pub struct Instrument {
    shared: Arc<Shared>,
    commands: Sender<Command>,
    worker: Option<JoinHandle<()>>,
}

impl Instrument {
    /// An instrument without a texture: this half, and the audio thread's. Starts the worker thread.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new() -> std::io::Result<(Self, Player)> {
        let shared = Arc::new(Shared::new(DEFAULT_STEPS));
        let (commands, command_receiver) = unbounded();
        let (to_worker, from_audio) = HeapRb::new(MESSAGES).split();
        let (requests_in, requests_out) = HeapRb::new(STREAMS).split();
        let (streams_in, streams_out) = HeapRb::new(STREAMS).split();
        let (retired_in, retired_out) = HeapRb::new(STREAMS).split();
        let (capture_in, capture_out) = HeapRb::new(CAPTURE_RING).split();
        let worker = Worker::new(WorkerEnds {
            shared: shared.clone(),
            commands: command_receiver,
            from_audio,
            requests: requests_out,
            retired: retired_out,
            streams: streams_in,
            capture: capture_out,
        });
        let thread = std::thread::Builder::new()
            .name("weft-worker".into())
            .spawn(move || worker.run())?;
        let player = Player::new(PlayerEnds {
            shared: shared.clone(),
            to_worker,
            requests: requests_in,
            retired: retired_in,
            streams: streams_out,
            capture: capture_in,
        });
        Ok((
            Self {
                shared,
                commands,
                worker: Some(thread),
            },
            player,
        ))
    }

    fn command(&self, command: Command) {
        self.shared.begin();
        if self.commands.send(command).is_err() {
            // The worker is gone, which only a defect in it explains.
            self.shared.done();
            self.shared
                .set_error("Weft's worker has stopped; reload the plugin");
        }
    }

    /// A look at what happens. Resets the peaks.
    pub fn status(&self) -> Status {
        let shared = &self.shared;
        if shared.wait_failed.swap(false, Ordering::Relaxed) {
            shared.set_error(
                "the bounce waited two minutes in vain for a fit, and went on with what there was; \
                 bounce again when the fit is done",
            );
        }
        let texture = lock(&shared.texture).as_ref().map(|m| TextureInfo {
            duration_s: m.capture().map_or(0.0, Clip::duration_s),
            sample_rate: m.sample_rate(),
            stereo: m.is_stereo(),
            fit_steps: m.fit_record().steps,
            loss: m.fit_record().loss,
        });
        let done = shared.capture_done.load(Ordering::Relaxed);
        let fit = *lock(&shared.fit);
        let phase = match (fit, texture) {
            _ if done >= 0.0 => Phase::Capturing { done },
            (Some(fit), _) => Phase::Fitting {
                step: fit.step,
                steps: fit.steps,
                loss: fit.loss,
            },
            (None, Some(_)) => Phase::Playing,
            (None, None) => Phase::Empty,
        };
        Status {
            phase,
            input_peak: shared.input_peak.swap(0.0, Ordering::Relaxed),
            output_peak: shared.output_peak.swap(0.0, Ordering::Relaxed),
            underruns: shared.underruns.load(Ordering::Relaxed),
            voices: shared.voices.load(Ordering::Relaxed),
            error: lock(&shared.error).clone(),
            texture,
            revision: shared.revision.load(Ordering::Acquire),
        }
    }

    /// Fits a network to `clip`, in the background. If it can't be fitted, the status says why, and what
    /// plays goes on.
    pub fn load_clip(&self, clip: Clip) {
        self.command(Command::Fit(clip));
    }

    /// Decodes a sound file and fits a network to it, in the background.
    pub fn load_file(&self, path: PathBuf) {
        self.command(Command::FitFile(path));
    }

    /// Goes on with the fit of what plays, for as many steps again as a fit has. Ends a running fit first.
    pub fn refine(&self) {
        self.command(Command::Refine);
    }

    /// Ends the running fit; its last snapshot goes on playing.
    pub fn cancel_fit(&self) {
        self.command(Command::CancelFit);
    }

    /// Training steps of the fits to come, kept within [`STEPS_RANGE`].
    pub fn set_fit_steps(&self, steps: u32) {
        let steps = steps.clamp(*STEPS_RANGE.start(), *STEPS_RANGE.end());
        self.shared.fit_steps.store(steps, Ordering::Release);
    }

    /// Seed of the fits to come.
    pub fn set_fit_seed(&self, seed: u64) {
        self.shared.fit_seed.store(seed, Ordering::Release);
    }

    /// Whether a command, a capture's hand-over or a fit is not done yet.
    pub fn is_busy(&self) -> bool {
        self.shared.pending.load(Ordering::Acquire) > 0
    }

    /// What plays, as the bytes of a `.weft` file: capture and network. `None` without a texture.
    pub fn save_state(&self) -> Option<Vec<u8>> {
        let model = lock(&self.shared.texture).clone();
        model.map(|m| m.to_bytes())
    }

    /// Plays the texture of a `.weft` file's bytes, without a fit.
    ///
    /// # Errors
    /// [`ModelError`]; then nothing changes.
    pub fn load_state(&self, bytes: &[u8]) -> Result<(), ModelError> {
        let model = Model::from_bytes(bytes)?;
        self.command(Command::Play(model));
        Ok(())
    }

    /// Plays a texture, without a fit.
    pub fn play(&self, model: Model) {
        self.command(Command::Play(model));
    }

    /// Shows an error of the caller's own in the status.
    pub fn report_error(&self, message: String) {
        self.shared.set_error(message);
    }

    /// Takes the error out of the status.
    pub fn clear_error(&self) {
        *lock(&self.shared.error) = None;
    }
}

impl Drop for Instrument {
    fn drop(&mut self) {
        // If the worker is gone already, there is nobody to tell, and joining returns at once.
        let _ = self.commands.send(Command::ShutDown);
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}
