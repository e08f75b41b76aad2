//! The lock-free way of the frames from the worker to the audio thread.
//!
//! Frames are boxed and go round: the audio thread gives each one back when it has used it, so that none
//! is ever allocated or freed there.

use ringbuf::traits::{Consumer, Observer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

use crate::spectrum::FrameSpectrum;

/// One magnitude frame on its way.
pub(super) struct Frame {
    /// Absolute index in the texture.
    pub index: i64,
    /// Which restart of the stream it belongs to.
    pub epoch: u32,
    pub spectrum: FrameSpectrum,
}

/// The worker's end.
pub(super) struct FrameSender {
    full: HeapProd<Box<Frame>>,
    empty: HeapCons<Box<Frame>>,
}

/// The audio thread's end.
pub(super) struct FrameReceiver {
    full: HeapCons<Box<Frame>>,
    empty: HeapProd<Box<Frame>>,
}

/// A ring of `capacity` frames of `bins` bins.
pub(super) fn frame_ring(capacity: usize, bins: usize) -> (FrameSender, FrameReceiver) {
    let (full_in, full_out) = HeapRb::new(capacity).split();
    // Every frame fits into either direction: giving one back never fails.
    let (mut empty_in, empty_out) = HeapRb::new(capacity).split();
    for _ in 0..capacity {
        let frame = Frame {
            index: 0,
            epoch: 0,
            spectrum: FrameSpectrum::silent(bins),
        };
        let fits = empty_in.try_push(Box::new(frame));
        debug_assert!(fits.is_ok());
    }
    (
        FrameSender {
            full: full_in,
            empty: empty_out,
        },
        FrameReceiver {
            full: full_out,
            empty: empty_in,
        },
    )
}

impl FrameSender {
    /// Lets `fill` write the next frame and sends it, if there is room.
    pub fn send_with(&mut self, fill: impl FnOnce(&mut Frame)) -> bool {
        let Some(mut frame) = self.empty.try_pop() else {
            return false;
        };
        fill(&mut frame);
        let sent = self.full.try_push(frame);
        debug_assert!(sent.is_ok(), "there are no more frames than places");
        true
    }
}

impl FrameReceiver {
    /// The next frame, if there is one. Give it back with [`recycle`](Self::recycle).
    pub fn receive(&mut self) -> Option<Box<Frame>> {
        self.full.try_pop()
    }

    /// Gives a frame back to the worker.
    pub fn recycle(&mut self, frame: Box<Frame>) {
        let kept = self.empty.try_push(frame);
        debug_assert!(kept.is_ok(), "there are no more frames than places");
    }

    /// Frames that are waiting.
    pub fn waiting(&self) -> usize {
        self.full.occupied_len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_in_order_from_another_thread_and_go_round() {
        let (mut sender, mut receiver) = frame_ring(4, 3);
        let worker = std::thread::spawn(move || {
            let mut next = 0;
            while next < 10_000 {
                let sent = sender.send_with(|frame| {
                    frame.index = next;
                    frame.spectrum.mid.fill(next as f32);
                });
                if sent {
                    next += 1
                } else {
                    std::thread::yield_now()
                }
            }
        });
        let mut expected = 0;
        while expected < 10_000 {
            if let Some(frame) = receiver.receive() {
                assert_eq!(frame.index, expected);
                assert_eq!(frame.spectrum.mid, [expected as f32; 3]);
                receiver.recycle(frame);
                expected += 1;
            } else {
                std::thread::yield_now();
            }
        }
        worker.join().unwrap();
        assert_eq!(receiver.waiting(), 0);
    }

    #[test]
    fn a_full_ring_takes_no_more() {
        let (mut sender, mut receiver) = frame_ring(2, 1);
        assert!(sender.send_with(|f| f.index = 1) && sender.send_with(|f| f.index = 2));
        assert!(!sender.send_with(|_| unreachable!("there is no room")));
        let first = receiver.receive().unwrap();
        assert_eq!(first.index, 1);
        receiver.recycle(first);
        assert!(sender.send_with(|f| f.index = 3));
    }
}
