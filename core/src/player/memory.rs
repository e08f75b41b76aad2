//! What an instrument has heard last.

use std::collections::VecDeque;

use ringbuf::HeapCons;
use ringbuf::traits::{Consumer, Observer};

use super::controls::MEMORY_S;
use crate::clip::{Clip, ClipError};

/// Samples that are taken out of the ring at once.
const CHUNK: usize = 8192;

/// The worker's end of the input: the last seconds of it, by the number of samples that came before.
pub(super) struct Memory {
    ring: HeapCons<f32>,
    sample_rate: u32,
    samples: VecDeque<[f32; 2]>,
    /// Samples that have come out of the ring.
    heard: u64,
    chunk: Vec<f32>,
}

impl Memory {
    pub fn new(ring: HeapCons<f32>) -> Self {
        Self {
            ring,
            sample_rate: 0,
            samples: VecDeque::new(),
            heard: 0,
            chunk: vec![0.0; CHUNK],
        }
    }

    /// Number of the first sample that is remembered.
    fn begin(&self) -> u64 {
        self.heard - self.samples.len() as u64
    }

    /// Takes what has come, and forgets what is too old. A recording's news may come after as much as the
    /// ring holds, so that much more is kept.
    pub fn collect(&mut self) {
        loop {
            // Both channels of a sample, or neither.
            let waiting = self.ring.occupied_len().min(CHUNK) & !1;
            let count = self.ring.pop_slice(&mut self.chunk[..waiting]);
            if count == 0 {
                break;
            }
            let pairs = self.chunk[..count].chunks_exact(2);
            self.samples.extend(pairs.map(|p| [p[0], p[1]]));
            self.heard += count as u64 / 2;
        }
        let keep =
            (MEMORY_S * f64::from(self.sample_rate)) as usize + self.ring.capacity().get() / 2;
        let old = self.samples.len().saturating_sub(keep);
        self.samples.drain(..old);
    }

    /// What came before sample number `at` is not what comes after.
    pub fn forget_before(&mut self, at: u64, sample_rate: u32) {
        let old = at.saturating_sub(self.begin()) as usize;
        self.samples.drain(..old.min(self.samples.len()));
        if sample_rate != self.sample_rate {
            // Another rate needs another amount of room.
            self.samples.shrink_to_fit();
            self.sample_rate = sample_rate;
        }
    }

    /// The samples from number `begin` to `end`, as far back as they are remembered; one channel where both
    /// are the same.
    pub fn clip(&self, begin: u64, end: u64) -> Result<Clip, ClipError> {
        let place = |at: u64| (at.saturating_sub(self.begin()) as usize).min(self.samples.len());
        let part = place(begin)..place(end).max(place(begin));
        let channel = |c: usize| self.samples.range(part.clone()).map(|s| s[c]).collect();
        let (left, right): (Vec<f32>, Vec<f32>) = (channel(0), channel(1));
        let channels = if left == right {
            vec![left]
        } else {
            vec![left, right]
        };
        Clip::new(self.sample_rate, channels)
    }

    /// The last `duration_s` seconds.
    pub fn last(&self, duration_s: f32) -> Result<Clip, ClipError> {
        let samples = (f64::from(duration_s) * f64::from(self.sample_rate)).round() as u64;
        self.clip(self.heard.saturating_sub(samples), self.heard)
    }
}
