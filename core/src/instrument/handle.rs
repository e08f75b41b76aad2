//! Everybody else's door to an instrument: the host's main thread, the window, a test.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, unbounded};
use ringbuf::HeapRb;
use ringbuf::traits::Split;

use super::audio::{Player, PlayerEnds};
use super::bank::Bank;
use super::controls::Slot;
use super::shared::{
    Command, DeskWriter, Errands, MetersReader, Order, ScopeReader, Source, StageReader, Waker,
    Watch, Work, bell, desk, meters, paces, scope, stage, textures,
};
use super::status::{Phase, SlotStatus, Status};
use super::worker::{Worker, WorkerEnds};
use crate::clip::{Capture, Clip};
use crate::fit::{Effort, Helper, STEPS_RANGE};
use crate::network::{Model, ModelError};
use crate::procedural::Texture;

/// Messages that may be on their way from the audio thread.
const MESSAGES: usize = 256;
/// Streams that may be asked for, on their way, or on their way back. Far more than there are voices.
const STREAMS: usize = 1024;
/// Frames of the scope that may wait for the window: more than half a second.
const SCOPE_FRAMES: usize = 32;
/// Samples of the input's ring: 1.4 s of stereo at 192 kHz.
const INPUT_RING: usize = 1 << 19;

/// What others do for an instrument, and it knows nothing of.
pub struct Outside {
    /// Takes what the audio thread sends ([`Player::send_errand`]), as it can't do it itself.
    pub errands: Errands,
    /// Makes fits in the processor's place, but for those that begin in a bounce.
    pub helper: Option<Arc<dyn Helper>>,
}

impl Default for Outside {
    fn default() -> Self {
        Self {
            errands: Box::new(|_| ()),
            helper: None,
        }
    }
}

/// The main half of an instrument. It may be shared among all threads but the audio thread, which has the
/// [`Player`]. Dropping it cancels a fit and joins every thread.
pub struct Instrument {
    work: Arc<Work>,
    meters: MetersReader,
    stage: StageReader,
    desk: DeskWriter,
    orders: Sender<Order>,
    waker: Waker,
    /// Answers the calls of the audio thread.
    _watch: Arc<Watch>,
    /// Until somebody takes it.
    scope: Mutex<Option<ScopeReader>>,
    worker: Option<JoinHandle<()>>,
}

impl Instrument {
    /// An instrument without a texture: this half, and the audio thread's. Starts the worker thread.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use weft_core::fit::{FitSettings, fit};
    /// use weft_core::instrument::{Controls, Instrument, Slot};
    /// use weft_core::procedural::{Texture, synthesize};
    ///
    /// let recording = synthesize(Texture::Rain, 1, 8_000, 1.5);
    /// let settings = FitSettings { steps: 20, ..FitSettings::default() };
    /// let model = fit(&recording, &settings, &mut |_| ControlFlow::Continue(()))?;
    ///
    /// let (instrument, mut player) = Instrument::new()?;
    /// player.prepare(48_000.0);
    /// // As in a bounce: what was asked for is waited for.
    /// player.set_offline(true);
    /// instrument.play(Slot::A, model);
    ///
    /// let controls = Controls { hold: true, ..Controls::default() };
    /// let (silence, mut left, mut right) = ([0.0; 4_800], [0.0; 4_800], [0.0; 4_800]);
    /// player.process([&silence, &silence], [&mut left, &mut right], &controls);
    /// assert!(left.iter().any(|sample| *sample != 0.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new() -> std::io::Result<(Self, Player)> {
        Self::with_outside(Outside::default())
    }

    /// As [`new`](Self::new), with what others do for it.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn with_outside(outside: Outside) -> std::io::Result<(Self, Player)> {
        let work = Arc::new(Work::default());
        let (meters_in, capture_meter, meters) = meters();
        let (textures_in, textures_out) = textures();
        let (scope_in, scope_out) = scope(SCOPE_FRAMES);
        let (song_paces, fit_paces) = paces();
        let (stage_in, stage) = stage();
        let (desk, desk_out) = desk(Effort::default().steps());
        let (waker, sleeper) = bell();
        let watch = Watch::over(&waker)?;
        let (orders, orders_out) = unbounded();
        let (news_in, news_out) = HeapRb::new(MESSAGES).split();
        let (requests_in, requests_out) = HeapRb::new(STREAMS).split();
        let (streams_in, streams_out) = HeapRb::new(STREAMS).split();
        let (retired_in, retired_out) = HeapRb::new(STREAMS).split();
        let (input_in, input_out) = HeapRb::new(INPUT_RING).split();
        let worker = Worker::new(WorkerEnds {
            meters: meters.clone(),
            textures: textures_in,
            paces: fit_paces,
            stage: stage_in,
            desk: desk_out.clone(),
            sleeper,
            waker: waker.clone(),
            orders: orders_out,
            news: news_out,
            requests: requests_out,
            retired: retired_out,
            streams: streams_in,
            input: input_out,
            errands: outside.errands,
            helper: outside.helper,
        });
        let thread = std::thread::Builder::new()
            .name("weft-worker".into())
            .spawn(move || worker.run())?;
        let player = Player::new(PlayerEnds {
            work: work.clone(),
            waker: waker.clone(),
            watch: watch.waker(),
            meters: meters_in,
            capture_meter,
            desk: desk_out,
            textures: textures_out,
            scope: scope_in,
            paces: song_paces,
            news: news_in,
            requests: requests_in,
            retired: retired_in,
            streams: streams_out,
            input: input_in,
        });
        Ok((
            Self {
                work,
                meters,
                stage,
                desk,
                orders,
                waker,
                _watch: watch,
                scope: Mutex::new(Some(scope_out)),
                worker: Some(thread),
            },
            player,
        ))
    }

    fn command(&self, command: Command) {
        let Some(pending) = self.work.begin() else {
            self.stage
                .report("too much was asked for at once; wait a moment and try again");
            return;
        };
        if self.orders.send(Order::Do(command, pending)).is_err() {
            // The worker is gone, which only a defect in it explains.
            self.stage
                .report("Weft's worker has stopped; reload the plugin");
        }
        self.waker.wake();
    }

    /// A look at what happens. Resets the peaks.
    pub fn status(&self) -> Status {
        let Self { meters, stage, .. } = self;
        if meters.take_wait_failed() {
            stage.report(
                "the bounce waited 20 s in vain for a fit, and went on with what there was; \
                 bounce again when the fit is done",
            );
        }
        if meters.take_capture_overrun() {
            stage.report("the capture was interrupted: the computer did not keep up; try again");
        }
        let fit = stage.fit();
        let slots = stage.read_slots(|slots| {
            Slot::ALL.map(|slot| SlotStatus::of(slot, &slots[slot.index()], fit))
        });
        let playing = meters.playing();
        let slot = &slots[playing.index()];
        Status {
            phase: Phase::of(slot, meters),
            input_peak: meters.take_input_peak(),
            output_peak: meters.take_output_peak(),
            underruns: meters.underruns(),
            voices: meters.voices(),
            fit_device: stage.device(),
            error: stage.notice(),
            texture: slot.texture,
            playing,
            slots,
            revision: stage.revision(),
        }
    }

    /// What a window sees of the sound, band by band: for the first who asks, as there is one.
    pub fn take_scope(&self) -> Option<ScopeReader> {
        let mut scope = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
        scope.take()
    }

    /// Fits a network to `clip`, in the background. If it can't be fitted, the status says why, and what
    /// plays goes on.
    pub fn load_clip(&self, slot: Slot, clip: Clip, name: &str) {
        self.command(Command::Learn(slot, Source::Clip(clip, name.to_owned())));
    }

    /// Decodes a sound file and fits a network to it, in the background.
    pub fn load_file(&self, slot: Slot, path: PathBuf) {
        self.command(Command::Learn(slot, Source::File(path)));
    }

    /// Synthesizes a texture and fits a network to it, in the background.
    pub fn synthesize(&self, slot: Slot, texture: Texture, seed: u64) {
        self.command(Command::Learn(slot, Source::Synthesis(texture, seed)));
    }

    /// Fits a network to the last `duration_s` seconds of the input, as far as they are remembered.
    pub fn grab(&self, slot: Slot, duration_s: f32) {
        self.command(Command::Learn(slot, Source::Input(duration_s)));
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
        self.desk.set_fit_steps(slot, steps);
    }

    /// Seed of the fits to come.
    pub fn set_fit_seed(&self, seed: u64) {
        self.desk.set_fit_seed(seed);
    }

    /// Whether a command, a capture's hand-over or a fit is not done yet. Real-time safe.
    pub fn is_busy(&self) -> bool {
        self.work.is_any()
    }

    /// How often the worker was woken so far. It sleeps wherever there is nothing to do for it, so that an
    /// instrument that nobody plays costs next to nothing.
    pub fn wake_ups(&self) -> u64 {
        self.waker.rings()
    }

    /// Another number whenever what [`save_state`](Self::save_state) returns may have changed. Real-time safe.
    pub fn revision(&self) -> u64 {
        self.stage.revision()
    }

    /// Everything that a project has to keep.
    pub fn bank(&self) -> Bank {
        Bank {
            slots: self.stage.read_slots(Clone::clone),
        }
    }

    /// The texture of a slot, under its name; what a `.weft` file holds.
    pub fn texture(&self, slot: Slot) -> Option<Model> {
        self.stage.read_slots(|slots| {
            let contents = &slots[slot.index()];
            contents.model.as_ref().map(|m| m.named(&contents.name))
        })
    }

    /// What a slot's texture is called; empty where it has no name.
    pub fn name(&self, slot: Slot) -> String {
        self.stage
            .read_slots(|slots| slots[slot.index()].name.clone())
    }

    /// The newest capture of a slot, which its texture may still have to be fitted to.
    pub fn capture(&self, slot: Slot) -> Option<Capture> {
        self.stage
            .read_slots(|slots| slots[slot.index()].newest_capture().cloned())
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

    /// Ends the recording that goes on or waits to begin, with the next samples that are processed: what it
    /// was begun for is no longer there. A load does so by itself.
    pub fn end_recordings(&self) {
        self.desk.count_load();
    }

    /// Takes over a bank, as [`load_state`](Self::load_state) does.
    pub fn load_bank(&self, bank: Bank) {
        self.end_recordings();
        self.command(Command::Load(Box::new(bank)));
    }

    /// Plays a texture, without a fit.
    pub fn play(&self, slot: Slot, model: Model) {
        self.command(Command::Play(slot, model));
    }

    /// Shows an error of the caller's own in the status.
    pub fn report_error(&self, message: String) {
        self.stage.report(message);
    }

    /// Takes the error out of the status.
    pub fn clear_error(&self) {
        self.stage.clear_notice();
    }
}

impl Drop for Instrument {
    fn drop(&mut self) {
        // If the worker is gone already, there is nobody to tell, and joining returns at once.
        let _ = self.orders.send(Order::ShutDown);
        self.waker.wake();
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}
