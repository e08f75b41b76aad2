//! A lock-free ring of frames that go round, from a thread that makes them to one that must not allocate: the
//! worker's to the audio thread's.
//!
//! Frames are boxed. The receiver gives each one back when it has used it, and the sender fills it again, so that
//! none is ever allocated or freed after the ring was made. Each thread has its own end.
//!
//! ```
//! use weft_core::ring::frame_ring;
//!
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
pub struct Frame<T> {
    /// Absolute index.
    pub index: i64,
    /// What it carries; on its way back, what it carried last.
    pub data: T,
}

/// The worker's end.
pub struct FrameSender<T> {
    full: HeapProd<Box<Frame<T>>>,
    empty: HeapCons<Box<Frame<T>>>,
}

/// The audio thread's end.
pub struct FrameReceiver<T> {
    full: HeapCons<Box<Frame<T>>>,
    empty: HeapProd<Box<Frame<T>>>,
}

/// A ring of `capacity` frames, each holding what `make` makes. Allocates all of them.
///
/// ```
/// let (sender, receiver) = weft_core::ring::frame_ring(48, || vec![0.0f32; 1025]);
/// # drop((sender, receiver));
/// ```
pub fn frame_ring<T>(capacity: usize, make: impl Fn() -> T) -> (FrameSender<T>, FrameReceiver<T>) {
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

impl<T> FrameSender<T> {
    /// Lets `fill` write the next frame and sends it; `false` where all frames are out, and `fill` is not
    /// called.
    ///
    /// ```
    /// let (mut sender, mut receiver) = weft_core::ring::frame_ring(1, || 0.0f32);
    /// assert!(sender.send_with(|frame| frame.data = 1.0));
    /// assert!(!sender.send_with(|_| unreachable!("there is no room")));
    /// let frame = receiver.receive().expect("one was sent");
    /// receiver.recycle(frame);
    /// assert!(sender.send_with(|frame| frame.data = 2.0));
    /// ```
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
    /// The next frame, if there is one. Real-time safe. Give it back with [`recycle`](Self::recycle).
    ///
    /// ```
    /// let (mut sender, mut receiver) = weft_core::ring::frame_ring(4, || ());
    /// assert!(receiver.receive().is_none());
    /// sender.send_with(|frame| frame.index = -3);
    /// let frame = receiver.receive().expect("one was sent");
    /// assert_eq!(frame.index, -3);
    /// receiver.recycle(frame);
    /// ```
    pub fn receive(&mut self) -> Option<Box<Frame<T>>> {
        self.full.try_pop()
    }

    /// Gives a frame of this ring back to the sender. Real-time safe.
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
