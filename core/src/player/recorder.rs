//! The audio thread's end of a capture.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ringbuf::HeapProd;
use ringbuf::traits::{Observer, Producer};

use super::messages::{CaptureDrop, CaptureNews, Shared};

/// Shortest and longest recording in seconds.
pub const CAPTURE_RANGE_S: (f32, f32) = (1.0, 30.0);

/// Hands what is recorded to the worker, sample by sample.
pub(super) struct Recorder {
    shared: Arc<Shared>,
    ring: HeapProd<f32>,
    /// Samples of the recording that is going on: in all, and done.
    recording: Option<(usize, usize)>,
}

impl Recorder {
    pub fn new(shared: Arc<Shared>, ring: HeapProd<f32>) -> Self {
        Self {
            shared,
            ring,
            recording: None,
        }
    }

    pub fn is_recording(&self) -> bool {
        self.recording.is_some()
    }

    /// Samples until the recording is done.
    pub fn left(&self) -> Option<usize> {
        self.recording.map(|(samples, done)| samples - done)
    }

    /// Starts a recording of `duration_s` at `sample_rate` (Hz).
    pub fn start(
        &mut self,
        duration_s: f32,
        sample_rate: f64,
        to_worker: &mut HeapProd<CaptureNews>,
    ) {
        let (shortest, longest) = CAPTURE_RANGE_S;
        let duration_s = if duration_s.is_nan() {
            shortest
        } else {
            duration_s
        };
        let seconds = f64::from(duration_s.clamp(shortest, longest));
        let started = CaptureNews::Started {
            sample_rate: sample_rate.round() as u32,
        };
        if to_worker.try_push(started).is_ok() {
            self.recording = Some(((seconds * sample_rate).round() as usize, 0));
            self.shared.capture_done.store(0.0, Ordering::Relaxed);
        }
    }

    /// Throws the recording away, if there is one.
    pub fn drop_recording(&mut self, why: CaptureDrop, to_worker: &mut HeapProd<CaptureNews>) {
        if let Some((_, done)) = self.recording.take() {
            // If the way is full, the worker finds more samples than it expects, and drops those.
            let _ = to_worker.try_push(CaptureNews::Dropped { samples: done, why });
            self.shared.capture_done.store(-1.0, Ordering::Relaxed);
        }
    }

    /// Whether the ring has room for `samples` more of both channels.
    pub fn has_room(&self, samples: usize) -> bool {
        self.ring.vacant_len() >= 2 * samples
    }

    /// Records the next samples, no more than [`left`](Self::left).
    pub fn record(&mut self, left: &[f32], right: &[f32], to_worker: &mut HeapProd<CaptureNews>) {
        if self.recording.is_none() {
            return;
        }
        if !self.has_room(left.len()) {
            self.drop_recording(CaptureDrop::Overrun, to_worker);
            return;
        }
        let pairs = left.iter().zip(right).flat_map(|(l, r)| [*l, *r]);
        self.ring.push_iter(pairs);
        let Some((samples, done)) = &mut self.recording else {
            return;
        };
        *done += left.len();
        let (samples, done) = (*samples, *done);
        self.shared
            .capture_done
            .store(done as f32 / samples as f32, Ordering::Relaxed);
        if done >= samples {
            self.recording = None;
            self.shared.capture_done.store(-1.0, Ordering::Relaxed);
            self.shared.begin();
            if to_worker.try_push(CaptureNews::Ended { samples }).is_err() {
                self.shared.done();
            }
        }
    }
}
