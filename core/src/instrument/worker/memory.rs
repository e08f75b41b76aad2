//! The last seconds of an instrument's input. Runs on the worker thread.

use std::collections::VecDeque;

use ringbuf::HeapCons;
use ringbuf::traits::{Consumer, Observer};

use crate::clip::{Clip, ClipError};
use crate::instrument::controls::MEMORY_S;

/// Samples that are taken out of the ring at once.
const CHUNK: usize = 8192;

/// The worker's end of the input: the last seconds of it, by the number of samples that came before.
pub(super) struct Memory {
    ring: HeapCons<f32>,
    sample_rate: u32,
    samples: VecDeque<[f32; 2]>,
    /// Samples (of both channels at once) that have come out of the ring.
    received: u64,
    chunk: Vec<f32>,
}

impl Memory {
    /// Remembers what comes out of `ring`, left and right in turn. Allocates.
    pub fn new(ring: HeapCons<f32>) -> Self {
        Self {
            ring,
            sample_rate: 0,
            samples: VecDeque::new(),
            received: 0,
            chunk: vec![0.0; CHUNK],
        }
    }

    /// Number of the first sample that is remembered.
    fn begin(&self) -> u64 {
        self.received - self.samples.len() as u64
    }

    /// Takes what has come, but no more than the ring holds at once: a bounce may be as fast as this is.
    pub fn collect(&mut self) {
        let mut left = self.ring.occupied_len();
        loop {
            // Both channels of a sample, or neither.
            let waiting = left.min(CHUNK) & !1;
            let count = self.ring.pop_slice(&mut self.chunk[..waiting]);
            if count == 0 {
                break;
            }
            left -= count;
            let pairs = self.chunk[..count].chunks_exact(2);
            self.samples.extend(pairs.map(|p| [p[0], p[1]]));
            self.received += count as u64 / 2;
        }
    }

    /// Forgets what is too old for any recording to come. Only to be called when all news were taken: a recording
    /// that is among them, or another sample rate, may need more.
    pub fn forget_old(&mut self) {
        let keep = (MEMORY_S * f64::from(self.sample_rate)).ceil() as usize;
        let old = self.samples.len().saturating_sub(keep);
        self.samples.drain(..old);
    }

    /// Forgets what came before sample number `at`, which what comes after does not follow.
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
        self.clip(self.received.saturating_sub(samples), self.received)
    }
}

#[cfg(test)]
mod tests {
    use ringbuf::HeapRb;
    use ringbuf::traits::{Producer, Split};

    use super::*;

    const RATE: u32 = 8_000;

    #[test]
    fn what_came_before_the_news_of_it_is_not_forgotten() {
        let (mut input, ring) = HeapRb::new(1 << 12).split();
        let mut memory = Memory::new(ring);
        let seconds = MEMORY_S as usize;
        let input_samples: Vec<f32> = (0..RATE as usize * seconds).map(|i| i as f32).collect();
        // Its sample rate comes only after all of it.
        for part in input_samples.chunks(1 << 11) {
            input.push_iter(part.iter().flat_map(|x| [*x, -x]));
            memory.collect();
        }
        memory.forget_before(0, RATE);
        memory.forget_old();
        let clip = memory.clip(0, input_samples.len() as u64).unwrap();
        assert_eq!(
            (clip.sample_rate(), clip.len()),
            (RATE, input_samples.len())
        );
        assert!(clip.channels()[0] == input_samples);

        // The last thirty seconds stay.
        input.push_iter([0.5f32; 2000].into_iter());
        memory.collect();
        memory.forget_old();
        let clip = memory.last(60.0).unwrap();
        assert_eq!(clip.len(), input_samples.len());
        assert!(clip.channels()[0][..7_000] == input_samples[1_000..8_000]);
    }
}
