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

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame that holds its clock everywhere.
    fn frame(clock: u64) -> ScopeFrame {
        ScopeFrame {
            clock,
            bands: [clock as f32; SCOPE_BANDS],
            peak: [clock as f32; 2],
            rms: [clock as f32; 2],
        }
    }

    #[test]
    fn frames_arrive_whole_and_in_order_from_another_thread() {
        let (mut writer, mut reader) = scope(8);
        let watch = reader.watch();
        let audio = std::thread::spawn(move || {
            let mut sent = 0;
            for clock in 1..=20_000 {
                sent += u64::from(writer.push(&frame(clock)));
            }
            sent
        });
        let (mut came, mut last) = (0, 0);
        loop {
            // Read before the look at the ring: what came in between is seen the next time round.
            let is_over = audio.is_finished();
            while let Some(seen) = reader.next_frame() {
                assert!(seen.clock > last && seen == frame(seen.clock));
                (came, last) = (came + 1, seen.clock);
            }
            if is_over {
                break;
            }
            std::thread::yield_now();
        }
        assert_eq!(came, audio.join().unwrap());
        drop(watch);
    }

    #[test]
    fn nothing_is_written_while_nobody_watches() {
        let (mut writer, mut reader) = scope(4);
        assert!(!writer.is_watched() && !writer.push(&ScopeFrame::silent(1)));
        let (first, second) = (reader.watch(), reader.watch());
        drop(first);
        assert!(writer.is_watched() && writer.push(&frame(2)) && writer.push(&frame(3)));
        assert_eq!(reader.next_frame(), Some(frame(2)));
        drop(second);
        assert!(!writer.is_watched() && !writer.push(&frame(4)));
        // A window that opens later doesn't see the past.
        let _watch = reader.watch();
        assert_eq!(reader.next_frame(), None);
        assert!(writer.push(&frame(5)));
        assert_eq!(reader.next_frame(), Some(frame(5)));
    }

    #[test]
    fn a_full_ring_drops_what_comes_and_keeps_what_is_there() {
        let (mut writer, mut reader) = scope(2);
        let _watch = reader.watch();
        let sent = [1, 2, 3, 4].map(|clock| writer.push(&frame(clock)));
        assert_eq!(sent, [true, true, false, false]);
        assert_eq!(reader.next_frame(), Some(frame(1)));
        assert!(writer.push(&frame(5)));
        assert_eq!(reader.next_frame(), Some(frame(2)));
        assert_eq!(reader.next_frame(), Some(frame(5)));
        assert_eq!(reader.next_frame(), None);
        // The window may be gone before the instrument.
        drop(reader);
        assert!(writer.push(&frame(6)) && writer.push(&frame(7)) && !writer.push(&frame(8)));
    }
}
