//! What the three sides of an instrument share: the audio thread, the worker, and everybody else.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use atomic_float::{AtomicF32, AtomicF64};

use super::engine::{Engine, StreamStart};
use crate::clip::Clip;
use crate::network::Model;

/// From the audio thread to the worker: how a recording goes.
pub(super) enum CaptureNews {
    /// The next samples of the capture ring are a recording of two channels.
    Started { sample_rate: u32 },
    /// The recording that was started has so many samples a channel, which are all in the ring.
    Ended { samples: usize },
    /// The recording that was started is to be thrown away, `samples` of it are in the ring.
    Dropped { samples: usize, why: CaptureDrop },
}

/// From the audio thread to the worker: a voice needs a stream.
#[derive(Clone, Copy)]
pub(super) struct StreamRequest {
    pub voice: u8,
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

/// Why a recording is thrown away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CaptureDrop {
    Cancelled,
    /// The worker did not keep up.
    Overrun,
}

/// From everybody else to the worker.
pub(super) enum Command {
    /// Fit a network to this clip.
    Fit(Clip),
    /// Decode this file and fit a network to it.
    FitFile(std::path::PathBuf),
    /// Go on with the fit of what plays.
    Refine,
    /// Play this texture.
    Play(Model),
    CancelFit,
    ShutDown,
}

/// What a running fit has reached.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FitProgress {
    pub step: u32,
    pub steps: u32,
    pub loss: f32,
}

/// Values that every side may look at. The mutexes are never touched by the audio thread.
pub(super) struct Shared {
    /// Sample rate of the host in Hz; 0 before it is known.
    pub host_rate: AtomicF64,
    /// Whether the host renders faster or slower than real time, and waits.
    pub offline: AtomicBool,
    /// Counts the textures to play; 0: there is none yet.
    pub texture_count: AtomicU64,
    /// The audio thread's count of samples.
    pub clock: AtomicU64,
    /// Voices that sound.
    pub voices: AtomicU32,
    /// Share of the side channel in the texture's power.
    pub side_share: AtomicF32,
    /// Commands and fits that are not done. In a bounce, the audio thread waits for zero.
    pub pending: AtomicU32,
    pub input_peak: AtomicF32,
    pub output_peak: AtomicF32,
    pub underruns: AtomicU64,
    /// A bounce has waited for the longest time in vain.
    pub wait_failed: AtomicBool,
    /// Part of the recording that is done, 0 to 1; negative without one.
    pub capture_done: AtomicF32,
    pub fit_steps: AtomicU32,
    pub fit_seed: AtomicU64,
    /// Grows with every model that takes over, and with every fit that ends.
    pub revision: AtomicU64,
    pub fit: Mutex<Option<FitProgress>>,
    pub texture: Mutex<Option<Model>>,
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
            texture_count: AtomicU64::new(0),
            clock: AtomicU64::new(0),
            voices: AtomicU32::new(0),
            side_share: AtomicF32::new(0.0),
            pending: AtomicU32::new(0),
            input_peak: AtomicF32::new(0.0),
            output_peak: AtomicF32::new(0.0),
            underruns: AtomicU64::new(0),
            wait_failed: AtomicBool::new(false),
            capture_done: AtomicF32::new(-1.0),
            fit_steps: AtomicU32::new(fit_steps),
            fit_seed: AtomicU64::new(0),
            revision: AtomicU64::new(0),
            fit: Mutex::new(None),
            texture: Mutex::new(None),
            error: Mutex::new(None),
        }
    }

    pub fn begin(&self) {
        self.pending.fetch_add(1, Ordering::AcqRel);
    }

    pub fn done(&self) {
        let before = self.pending.fetch_sub(1, Ordering::AcqRel);
        debug_assert!(before > 0);
    }

    pub fn set_error(&self, message: impl Into<String>) {
        *lock(&self.error) = Some(message.into());
    }
}
