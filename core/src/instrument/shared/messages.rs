//! Messages between the threads of an instrument; each goes one way.

use std::ops::Range;
use std::path::PathBuf;

use super::{PacedCapture, Pending};
use crate::clip::Clip;
use crate::instrument::bank::Bank;
use crate::instrument::controls::Slot;
use crate::instrument::stream::{Engine, StreamStart};
use crate::network::Model;
use crate::procedural::Texture;

/// Takes the numbers that the audio thread sends ([`Player::send_errand`](crate::instrument::Player::send_errand)), on
/// the worker's thread: it must not take long, nor end the instrument.
pub type Errands = Box<dyn FnMut(u32) + Send>;

/// From the audio thread to the worker: what the samples in the input's ring are, and errands. Places are counted in
/// samples that went through it.
pub(in crate::instrument) enum InputNews {
    /// What comes from number `at` on does not follow what came before.
    Gap { at: u64, sample_rate: u32 },
    /// The samples from `begin` to `end`, which are all in the ring, are a recording.
    Recorded {
        begin: u64,
        end: u64,
        slot: Slot,
        /// Loads before it was asked for: after another one, nobody wants it.
        loads: u32,
        /// Its number, if its fit is to keep to the song.
        paced: Option<PacedCapture>,
        pending: Pending,
    },
    /// Something for whoever made the instrument, who knows what the number means.
    Errand(u32),
}

/// From the audio thread to the worker: a voice needs a stream.
#[derive(Clone, Copy)]
pub(in crate::instrument) struct StreamRequest {
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
pub(in crate::instrument) struct StreamReply {
    pub voice: u8,
    pub epoch: u32,
    /// The audio thread's count of samples at which it fits; `None`: at any.
    pub clock: Option<u64>,
    pub engine: Box<Engine>,
}

/// What a texture is to be learned from.
pub(in crate::instrument) enum Source {
    /// This clip, under this name.
    Clip(Clip, String),
    /// The sound file at this path.
    File(PathBuf),
    /// What this synthesizer makes of this seed.
    Synthesis(Texture, u64),
    /// The last seconds of the input, so many.
    Input(f32),
}

/// From everybody else to the worker.
pub(in crate::instrument) enum Command {
    /// Fit a network to a capture.
    Learn(Slot, Source),
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
}

/// What comes through the worker's door.
pub(in crate::instrument) enum Order {
    /// A command, and its count among what is not done.
    Do(Command, Pending),
    ShutDown,
}
