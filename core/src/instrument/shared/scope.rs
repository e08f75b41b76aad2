//! What a window sees of the sound: bands and levels, from the audio thread to whoever looks.
//!
//! Bounded and lock-free. The audio thread writes a frame now and then while somebody watches, and does none of
//! the work while nobody does; what finds no room is dropped.

use std::sync::Arc;

use ringbuf::traits::{Consumer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

use super::atomics::{AtomicU32, Ordering};

/// Bands of a [`ScopeFrame`]: nearly ten to an octave.
pub const SCOPE_BANDS: usize = 96;

/// A look at the sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScopeFrame {
    /// Samples processed since the last reset, at the end of what the frame shows.
    pub clock: u64,
    /// Power of bands that divide the octaves of [`CUT_RANGE_HZ`](crate::instrument::CUT_RANGE_HZ) evenly, lowest
    /// first; their sum is the mean square of left and right.
    pub bands: [f32; SCOPE_BANDS],
    /// Largest sample of left and right since the last frame, linear.
    pub peak: [f32; 2],
    /// Root mean square of left and right since the last frame, linear.
    pub rms: [f32; 2],
}

impl ScopeFrame {
    /// Silence at `clock`.
    pub const fn silent(clock: u64) -> Self {
        Self {
            clock,
            bands: [0.0; SCOPE_BANDS],
            peak: [0.0; 2],
            rms: [0.0; 2],
        }
    }
}

/// A way for as many as `capacity` frames: the audio thread's end, and the window's.
pub(in crate::instrument) fn scope(capacity: usize) -> (ScopeWriter, ScopeReader) {
    let (frames_in, frames_out) = HeapRb::new(capacity).split();
    let watchers = Arc::new(AtomicU32::new(0));
    (
        ScopeWriter {
            frames: frames_in,
            watchers: watchers.clone(),
        },
        ScopeReader {
            frames: frames_out,
            watchers,
        },
    )
}

/// The audio thread's end. Everything is real-time safe.
pub(in crate::instrument) struct ScopeWriter {
    frames: HeapProd<ScopeFrame>,
    watchers: Arc<AtomicU32>,
}

impl ScopeWriter {
    /// Whether anybody looks: else there is no need to make a frame.
    pub fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    /// Sends a frame. It is dropped if nobody watches, or if whoever does is too slow for it. Returns whether it
    /// was sent.
    pub fn push(&mut self, frame: &ScopeFrame) -> bool {
        self.is_watched() && self.frames.try_push(*frame).is_ok()
    }
}

/// The window's end.
pub struct ScopeReader {
    frames: HeapCons<ScopeFrame>,
    watchers: Arc<AtomicU32>,
}

impl ScopeReader {
    /// Has frames sent until the watch is dropped. What was left over from an earlier watch is forgotten.
    pub fn watch(&mut self) -> ScopeWatch {
        if self.watchers.load(Ordering::Relaxed) == 0 {
            self.frames.clear();
        }
        self.watchers.fetch_add(1, Ordering::Relaxed);
        ScopeWatch {
            watchers: self.watchers.clone(),
        }
    }

    /// The oldest frame that has come and was not read.
    pub fn next_frame(&mut self) -> Option<ScopeFrame> {
        self.frames.try_pop()
    }
}

/// Somebody looks at the sound, for as long as this lives.
#[must_use = "frames are sent only while the watch lives"]
pub struct ScopeWatch {
    watchers: Arc<AtomicU32>,
}

impl Drop for ScopeWatch {
    fn drop(&mut self) {
        self.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}
