//! What the three sides of an instrument share: the audio thread, the worker, and everybody else.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use atomic_float::{AtomicF32, AtomicF64};

use super::bank::{Bank, Contents};
use super::controls::Slot;
use super::engine::{Engine, StreamStart};
use super::pace::{PacedCapture, Paces};
use crate::clip::Clip;
use crate::network::Model;
use crate::procedural::Texture;

/// From the audio thread to the worker: what the samples in the input's ring are. Places are counted in
/// samples that went through it.
pub(super) enum InputNews {
    /// What comes from number `at` on does not follow what came before.
    Gap { at: u64, sample_rate: u32 },
    /// The samples from `begin` to `end`, which are all in the ring, are a recording.
    Recorded {
        begin: u64,
        end: u64,
        slot: Slot,
        /// Its number, if its fit is to keep to the song.
        paced: Option<PacedCapture>,
    },
}

/// From the audio thread to the worker: a voice needs a stream.
#[derive(Clone, Copy)]
pub(super) struct StreamRequest {
    pub voice: u8,
    pub slot: Slot,
    /// Newer ones of the same voice make older ones void.
    pub epoch: u32,
    /// Whether it sounds already.
    pub urgent: bool,
    /// The audio thread's count of samples, at which the stream is to start.
    pub clock: u64,
    pub start: StreamStart,
}

/// From the worker to the audio thread: a stream for a voice.
pub(super) struct StreamReply {
    pub voice: u8,
    pub epoch: u32,
    /// The audio thread's count of samples at which it fits; `None`: at any.
    pub clock: Option<u64>,
    pub engine: Box<Engine>,
}

/// From everybody else to the worker.
pub(super) enum Command {
    /// Fit a network to this clip.
    Fit(Slot, Clip, String),
    /// Decode this file and fit a network to it.
    FitFile(Slot, PathBuf),
    /// Synthesize this texture with this seed, and fit a network to it.
    Synthesize(Slot, Texture, u64),
    /// Fit a network to the last seconds of the input.
    Grab(Slot, f32),
    /// Fit a network to another part of the capture, in seconds.
    Trim(Slot, Range<f64>),
    /// Go on with the fit.
    Refine(Slot),
    CancelFit(Slot),
    /// Play this texture.
    Play(Slot, Model),
    /// Replace everything.
    Load(Box<Bank>),
    Clear(Slot),
    Copy {
        from: Slot,
        to: Slot,
    },
    /// Go back to what was there before, or forth again.
    Undo(Slot),
    Rename(Slot, String),
    ShutDown,
}

/// What a running fit has reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FitProgress {
    pub slot: Slot,
    pub step: u32,
    pub steps: u32,
    pub loss: f32,
}

/// What the audio thread has to know of a slot's texture.
#[derive(Default)]
pub(super) struct SlotTexture {
    /// Number of the texture, another one whenever its streams have to be made anew; 0: there is none.
    pub number: AtomicU64,
    /// Share of the side channel in its power.
    pub side_share: AtomicF32,
}

/// Counts what is not done: commands, whose effect nobody knows yet, and the fits of each slot that a bounce
/// waits for. One number, so that a command that becomes a fit is never missed in between.
#[derive(Default)]
pub(super) struct Work {
    counts: AtomicU64,
    /// Fits that keep to the song's pace.
    paced: AtomicU32,
}

impl Work {
    /// Bits of each count; the commands' are the lowest, then the slots' follow.
    const BITS: usize = 12;
    const MASK: u64 = (1 << Self::BITS) - 1;

    fn one_fit(slot: Slot) -> u64 {
        1 << (Self::BITS * (1 + slot.index()))
    }

    /// A command is given.
    pub fn begin(&self) {
        self.counts.fetch_add(1, Ordering::AcqRel);
    }

    /// A command is done.
    pub fn done(&self) {
        let before = self.counts.fetch_sub(1, Ordering::AcqRel);
        debug_assert!(before & Self::MASK > 0);
    }

    /// A command has become a fit.
    pub fn becomes_fit(&self, slot: Slot) {
        self.counts
            .fetch_add(Self::one_fit(slot).wrapping_sub(1), Ordering::AcqRel);
    }

    /// A command has become a fit that keeps to the song's pace.
    pub fn becomes_paced_fit(&self) {
        self.paced.fetch_add(1, Ordering::AcqRel);
        self.done();
    }

    /// A fit no longer keeps to the song's pace.
    pub fn leaves_pace(&self, slot: Slot) {
        self.counts.fetch_add(Self::one_fit(slot), Ordering::AcqRel);
        self.paced_fit_done();
    }

    /// A fit that kept to the song's pace is done.
    pub fn paced_fit_done(&self) {
        self.paced.fetch_sub(1, Ordering::AcqRel);
    }

    /// A fit is done.
    pub fn fit_done(&self, slot: Slot) {
        self.counts.fetch_sub(Self::one_fit(slot), Ordering::AcqRel);
    }

    /// Whether anything is not done.
    pub fn is_any(&self) -> bool {
        // In this order: a command that becomes a paced fit is one of the two at any time.
        self.counts.load(Ordering::Acquire) > 0 || self.paced.load(Ordering::Acquire) > 0
    }

    /// Whether commands are not done.
    pub fn has_commands(&self) -> bool {
        self.counts.load(Ordering::Acquire) & Self::MASK > 0
    }

    /// Whether fits of any slot are not done that a bounce waits for.
    pub fn has_any_fits(&self) -> bool {
        self.counts.load(Ordering::Acquire) > Self::MASK
    }

    /// Whether fits of `slot` are not done that a bounce waits for.
    pub fn has_fits(&self, slot: Slot) -> bool {
        let fits = Self::MASK << (Self::BITS * (1 + slot.index()));
        self.counts.load(Ordering::Acquire) & fits > 0
    }
}

/// Values that every side may look at. The mutexes are never touched by the audio thread.
pub(super) struct Shared {
    /// Sample rate of the host in Hz; 0 before it is known.
    pub host_rate: AtomicF64,
    /// Whether the host renders faster or slower than real time, and waits.
    pub offline: AtomicBool,
    /// What the audio thread has to know of each slot.
    pub textures: [SlotTexture; Slot::COUNT],
    /// Slot that plays, by its index.
    pub playing: AtomicU8,
    /// The audio thread's count of samples.
    pub clock: AtomicU64,
    /// Voices that sound.
    pub voices: AtomicU32,
    /// Commands and fits that are not done.
    pub work: Work,
    pub paces: Paces,
    pub input_peak: AtomicF32,
    pub output_peak: AtomicF32,
    pub underruns: AtomicU64,
    /// A bounce has waited for the longest time in vain.
    pub wait_failed: AtomicBool,
    /// Part of the recording that is done, 0 to 1; negative without one.
    pub capture_done: AtomicF32,
    /// A recording waits for its beginning.
    pub capture_waits: AtomicBool,
    /// A recording was dropped, as the worker did not keep up.
    pub capture_overrun: AtomicBool,
    /// Steps of the fits to come, of each slot.
    pub fit_steps: [AtomicU32; Slot::COUNT],
    pub fit_seed: AtomicU64,
    /// Grows with every model that takes over, and with every fit that ends.
    pub revision: AtomicU64,
    pub fit: Mutex<Option<FitProgress>>,
    pub bank: Mutex<[Contents; Slot::COUNT]>,
    pub error: Mutex<Option<String>>,
}

/// Locks a mutex that is never held over a panic, or whose content stays whole through one.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

impl Shared {
    pub fn new(fit_steps: u32) -> Self {
        Self {
            host_rate: AtomicF64::new(0.0),
            offline: AtomicBool::new(false),
            textures: Default::default(),
            playing: AtomicU8::new(0),
            clock: AtomicU64::new(0),
            voices: AtomicU32::new(0),
            work: Work::default(),
            paces: Paces::new(),
            input_peak: AtomicF32::new(0.0),
            output_peak: AtomicF32::new(0.0),
            underruns: AtomicU64::new(0),
            wait_failed: AtomicBool::new(false),
            capture_done: AtomicF32::new(-1.0),
            capture_waits: AtomicBool::new(false),
            capture_overrun: AtomicBool::new(false),
            fit_steps: std::array::from_fn(|_| AtomicU32::new(fit_steps)),
            fit_seed: AtomicU64::new(0),
            revision: AtomicU64::new(0),
            fit: Mutex::new(None),
            bank: Mutex::default(),
            error: Mutex::new(None),
        }
    }

    pub fn set_error(&self, message: impl Into<String>) {
        *lock(&self.error) = Some(message.into());
    }
}
