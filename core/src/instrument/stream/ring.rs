//! The lock-free way of frames from the worker to the audio thread.
//!
//! Frames are boxed and go round: the audio thread gives each one back when it has used it, so that none
//! is ever allocated or freed there. Each thread has its own end.
//!
//! ```ignore (a room of the crate's own; the same lines are a test below)
//! let (mut sender, mut receiver) = frame_ring(2, || [0.0f32; 3]);
//! // On the worker: writes into a frame that has come back, if there is one.
//! assert!(sender.send_with(|frame| {
//!     frame.index = 7;
//!     frame.data[0] = 0.5;
//! }));
//! // On the audio thread.
//! let frame = receiver.receive().expect("one was sent");
//! assert_eq!((frame.index, frame.data[0]), (7, 0.5));
//! receiver.recycle(frame);
//! ```

use ringbuf::traits::{Consumer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

/// One frame on its way.
pub(super) struct Frame<T> {
    /// Absolute index.
    pub index: i64,
    pub data: T,
}

/// The worker's end.
pub(super) struct FrameSender<T> {
    full: HeapProd<Box<Frame<T>>>,
    empty: HeapCons<Box<Frame<T>>>,
}

/// The audio thread's end.
pub(super) struct FrameReceiver<T> {
    full: HeapCons<Box<Frame<T>>>,
    empty: HeapProd<Box<Frame<T>>>,
}

/// A ring of `capacity` frames, each holding what `make` makes.
pub(super) fn frame_ring<T>(
    capacity: usize,
    make: impl Fn() -> T,
) -> (FrameSender<T>, FrameReceiver<T>) {
    let (full_in, full_out) = HeapRb::new(capacity).split();
    // Every frame fits into either direction: giving one back never fails.
    let (mut empty_in, empty_out) = HeapRb::new(capacity).split();
    for _ in 0..capacity {
        let frame = Frame {
            index: 0,
            data: make(),
        };
        let kept = empty_in.try_push(Box::new(frame));
        debug_assert!(kept.is_ok());
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

/// Whether missing frames are waited for.
pub(in crate::instrument) trait Supply {
    /// Called while a frame is missing. `false`: go on without it.
    fn wait(&mut self) -> bool;
}

/// Real time: nobody waits.
pub(in crate::instrument) struct NoWait;

impl Supply for NoWait {
    fn wait(&mut self) -> bool {
        false
    }
}

impl<T> FrameSender<T> {
    /// Lets `fill` write the next frame and sends it, if there is room.
    pub fn send_with(&mut self, fill: impl FnOnce(&mut Frame<T>)) -> bool {
        let Some(mut frame) = self.empty.try_pop() else {
            return false;
        };
        fill(&mut frame);
        let sent = self.full.try_push(frame);
        debug_assert!(sent.is_ok(), "there are no more frames than places");
        true
    }
}

impl<T> FrameReceiver<T> {
    /// The next frame, if there is one. Give it back with [`recycle`](Self::recycle).
    pub fn receive(&mut self) -> Option<Box<Frame<T>>> {
        self.full.try_pop()
    }

    /// Gives a frame back to the worker.
    pub fn recycle(&mut self, frame: Box<Frame<T>>) {
        let kept = self.empty.try_push(frame);
        debug_assert!(kept.is_ok(), "there are no more frames than places");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_above_holds() {
        let (mut sender, mut receiver) = frame_ring(2, || [0.0f32; 3]);
        assert!(sender.send_with(|frame| {
            frame.index = 7;
            frame.data[0] = 0.5;
        }));
        let frame = receiver.receive().expect("one was sent");
        assert_eq!((frame.index, frame.data[0]), (7, 0.5));
        receiver.recycle(frame);
    }

    #[test]
    fn frames_arrive_in_order_from_another_thread_and_go_round() {
        let (mut sender, mut receiver) = frame_ring(4, || [0.0f32; 3]);
        let worker = std::thread::spawn(move || {
            let mut next = 0;
            while next < 10_000 {
                let sent = sender.send_with(|frame| {
                    frame.index = next;
                    frame.data = [next as f32; 3];
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
                assert_eq!(frame.data, [expected as f32; 3]);
                receiver.recycle(frame);
                expected += 1;
            } else {
                std::thread::yield_now();
            }
        }
        worker.join().unwrap();
        assert!(receiver.receive().is_none());
    }

    #[test]
    fn a_full_ring_takes_no_more() {
        let (mut sender, mut receiver) = frame_ring(2, || ());
        assert!(sender.send_with(|f| f.index = 1) && sender.send_with(|f| f.index = 2));
        assert!(!sender.send_with(|_| unreachable!("there is no room")));
        let first = receiver.receive().unwrap();
        assert_eq!(first.index, 1);
        receiver.recycle(first);
        assert!(sender.send_with(|f| f.index = 3));
    }
}
