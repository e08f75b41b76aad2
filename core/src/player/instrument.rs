//! Everybody else's door to an instrument: the host's main thread, the window, a test.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, unbounded};
use ringbuf::HeapRb;
use ringbuf::traits::Split;

use super::audio::{Player, PlayerEnds};
use super::bank::{Bank, Contents};
use super::controls::Slot;
use super::messages::{Command, FitProgress, Shared, lock};
use super::worker::{Worker, WorkerEnds};
use crate::clip::{Capture, Clip};
use crate::fit::{DEFAULT_STEPS, STEPS_RANGE};
use crate::network::{Model, ModelError};
use crate::procedural::Texture;

/// Messages that may be on their way from the audio thread.
const MESSAGES: usize = 256;
/// Streams that may be asked for, on their way, or on their way back. Far more than there are voices.
const STREAMS: usize = 1024;
/// Samples of the input's ring: 1.4 s of stereo at 192 kHz.
const INPUT_RING: usize = 1 << 19;

/// What an instrument does, as far as the slot that plays is concerned.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Phase {
    /// There is no texture yet.
    Empty,
    /// A recording waits for its level or bar.
    Waiting,
    /// A recording is going on.
    Capturing {
        /// Part of it that is done, 0 to 1.
        done: f32,
    },
    /// A fit is going on or waits for another slot's; its snapshots can be heard already.
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

/// How the fit of a slot stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FitState {
    /// It waits for another slot's to end.
    Queued {
        /// Steps in all.
        steps: u32,
    },
    /// It runs.
    Running {
        /// Steps done.
        step: u32,
        /// Steps in all.
        steps: u32,
        /// Smoothed loss; not a number before the first step.
        loss: f32,
    },
}

/// A look at a slot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SlotStatus {
    /// What its user calls the texture.
    pub name: String,
    /// What plays, if anything does.
    pub texture: Option<TextureInfo>,
    /// The fit that was asked for, if it is not done.
    pub fit: Option<FitState>,
    /// The newest capture's length in seconds, and the part of it that is used.
    pub capture_s: Option<(f64, Range<f64>)>,
    /// What is to be said of the newest capture.
    pub remark: Option<String>,
    /// Whether something was there before that [`Instrument::undo`] brings back.
    pub can_undo: bool,
}

/// What is known of a texture that plays.
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
    /// What plays: the texture of the slot that does.
    pub texture: Option<TextureInfo>,
    /// Which slot plays.
    pub playing: Slot,
    /// Every slot, in order.
    pub slots: [SlotStatus; 4],
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
        let (input_in, input_out) = HeapRb::new(INPUT_RING).split();
        let worker = Worker::new(WorkerEnds {
            shared: shared.clone(),
            commands: command_receiver,
            from_audio,
            requests: requests_out,
            retired: retired_out,
            streams: streams_in,
            input: input_out,
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
            input: input_in,
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
        self.shared.work.begin();
        if self.commands.send(command).is_err() {
            // The worker is gone, which only a defect in it explains.
            self.shared.work.done();
            self.shared
                .set_error("Weft's worker has stopped; reload the plugin");
        }
    }

    /// A look at what happens. Resets the peaks.
    pub fn status(&self) -> Status {
        let shared = &self.shared;
        if shared.wait_failed.swap(false, Ordering::Relaxed) {
            shared.set_error(
                "the bounce waited 20 s in vain for a fit, and went on with what there was; \
                 bounce again when the fit is done",
            );
        }
        if shared.capture_overrun.swap(false, Ordering::Relaxed) {
            shared
                .set_error("the capture was interrupted: the computer did not keep up; try again");
        }
        let fit = *lock(&shared.fit);
        let slots = {
            let bank = lock(&shared.bank);
            let slots = Slot::ALL.map(|slot| slot_status(slot, &bank[slot.index()], fit));
            // Not while it is locked: the worker may be about to change it.
            drop(bank);
            slots
        };
        let playing = Slot::ALL[usize::from(shared.playing.load(Ordering::Relaxed)) % 4];
        let slot = &slots[playing.index()];
        let texture = slot.texture;
        let done = shared.capture_done.load(Ordering::Relaxed);
        let phase = match (slot.fit, texture) {
            _ if shared.capture_waits.load(Ordering::Relaxed) => Phase::Waiting,
            _ if done >= 0.0 => Phase::Capturing { done },
            (Some(FitState::Running { step, steps, loss }), _) => {
                Phase::Fitting { step, steps, loss }
            }
            (Some(FitState::Queued { steps }), _) => Phase::Fitting {
                step: 0,
                steps,
                loss: f32::NAN,
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
            playing,
            slots,
            revision: shared.revision.load(Ordering::Acquire),
        }
    }

    /// Fits a network to `clip`, in the background. If it can't be fitted, the status says why, and what
    /// plays goes on.
    pub fn load_clip(&self, slot: Slot, clip: Clip, name: &str) {
        self.command(Command::Fit(slot, clip, name.to_owned()));
    }

    /// Decodes a sound file and fits a network to it, in the background.
    pub fn load_file(&self, slot: Slot, path: PathBuf) {
        self.command(Command::FitFile(slot, path));
    }

    /// Synthesizes a texture and fits a network to it, in the background.
    pub fn synthesize(&self, slot: Slot, texture: Texture, seed: u64) {
        self.command(Command::Synthesize(slot, texture, seed));
    }

    /// Fits a network to the last `duration_s` seconds of the input, as far as they are remembered.
    pub fn grab(&self, slot: Slot, duration_s: f32) {
        self.command(Command::Grab(slot, duration_s));
    }

    /// Fits a network to another part of the slot's capture, in seconds.
    pub fn trim(&self, slot: Slot, used_s: Range<f64>) {
        self.command(Command::Trim(slot, used_s));
    }

    /// Goes on with the fit of what plays, for as many steps again as a fit has. Ends a running fit first.
    pub fn refine(&self, slot: Slot) {
        self.command(Command::Refine(slot));
    }

    /// Ends the fit that runs or waits; its last snapshot goes on playing.
    pub fn cancel_fit(&self, slot: Slot) {
        self.command(Command::CancelFit(slot));
    }

    /// Empties a slot.
    pub fn clear(&self, slot: Slot) {
        self.command(Command::Clear(slot));
    }

    /// Puts into a slot what another one holds.
    pub fn copy(&self, from: Slot, to: Slot) {
        self.command(Command::Copy { from, to });
    }

    /// Brings back what the slot held before its last capture or other change of texture; called again, it
    /// brings that back.
    pub fn undo(&self, slot: Slot) {
        self.command(Command::Undo(slot));
    }

    /// Gives the slot's texture a name.
    pub fn rename(&self, slot: Slot, name: &str) {
        self.command(Command::Rename(slot, name.to_owned()));
    }

    /// Training steps of the fits to come in every slot, kept within [`STEPS_RANGE`].
    pub fn set_fit_steps(&self, steps: u32) {
        for slot in Slot::ALL {
            self.set_slot_fit_steps(slot, steps);
        }
    }

    /// Training steps of the fits to come in one slot, kept within [`STEPS_RANGE`]. Real-time safe.
    pub fn set_slot_fit_steps(&self, slot: Slot, steps: u32) {
        let steps = steps.clamp(*STEPS_RANGE.start(), *STEPS_RANGE.end());
        self.shared.fit_steps[slot.index()].store(steps, Ordering::Release);
    }

    /// Seed of the fits to come.
    pub fn set_fit_seed(&self, seed: u64) {
        self.shared.fit_seed.store(seed, Ordering::Release);
    }

    /// Whether a command, a capture's hand-over or a fit is not done yet. Real-time safe.
    pub fn is_busy(&self) -> bool {
        self.shared.work.is_any()
    }

    /// Another number whenever what [`save_state`](Self::save_state) returns may have changed. Real-time safe.
    pub fn revision(&self) -> u64 {
        self.shared.revision.load(Ordering::Acquire)
    }

    /// Everything that a project has to keep.
    pub fn bank(&self) -> Bank {
        Bank {
            slots: lock(&self.shared.bank).clone(),
        }
    }

    /// The texture of a slot, under its name; what a `.weft` file holds.
    pub fn texture(&self, slot: Slot) -> Option<Model> {
        let bank = lock(&self.shared.bank);
        let contents = &bank[slot.index()];
        contents.model.as_ref().map(|m| m.named(&contents.name))
    }

    /// The newest capture of a slot, which its texture may still have to be fitted to.
    pub fn capture(&self, slot: Slot) -> Option<Capture> {
        lock(&self.shared.bank)[slot.index()]
            .newest_capture()
            .cloned()
    }

    /// The bytes of [`bank`](Self::bank), or `None` where there is nothing to keep.
    pub fn save_state(&self) -> Option<Vec<u8>> {
        let bank = self.bank();
        (!bank.is_empty()).then(|| bank.to_bytes())
    }

    /// Takes over the bytes of a bank, or of a single `.weft` file: plays its textures without a fit, and goes
    /// on with fits that were not done.
    ///
    /// # Errors
    /// [`ModelError`]; then nothing changes.
    pub fn load_state(&self, bytes: &[u8]) -> Result<(), ModelError> {
        self.load_bank(Bank::from_bytes(bytes)?);
        Ok(())
    }

    /// Takes over a bank, as [`load_state`](Self::load_state) does.
    pub fn load_bank(&self, bank: Bank) {
        self.command(Command::Load(Box::new(bank)));
    }

    /// Plays a texture, without a fit.
    pub fn play(&self, slot: Slot, model: Model) {
        self.command(Command::Play(slot, model));
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

fn slot_status(slot: Slot, contents: &Contents, fit: Option<FitProgress>) -> SlotStatus {
    let running = fit.filter(|f| f.slot == slot);
    SlotStatus {
        name: contents.name.clone(),
        texture: contents.model.as_ref().map(|m| TextureInfo {
            duration_s: m.capture().map_or(0.0, |c| {
                let used = c.used_s();
                used.end - used.start
            }),
            sample_rate: m.sample_rate(),
            stereo: m.is_stereo(),
            fit_steps: m.fit_record().steps,
            loss: m.fit_record().loss,
        }),
        fit: contents.plan.map(|plan| match running {
            Some(FitProgress {
                step, steps, loss, ..
            }) => FitState::Running { step, steps, loss },
            None => FitState::Queued { steps: plan.steps },
        }),
        capture_s: contents
            .newest_capture()
            .map(|c| (c.clip().duration_s(), c.used_s())),
        remark: contents.remark.clone(),
        can_undo: contents.before.is_some(),
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
