//! The audio thread's ends of the rings on which streams are asked for, come, and go back.

use std::num::NonZeroU32;

use ringbuf::traits::{Consumer, Producer};
use ringbuf::{HeapCons, HeapProd};

use crate::instrument::shared::{StreamReply, StreamRequest, Waker};
use crate::instrument::stream::Engine;

/// Number of a stream among all that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(NonZeroU32);

impl Epoch {
    /// The number, as requests and replies carry it.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

/// Asks the worker for streams, takes them, and sends back those that are done with.
pub(in crate::instrument::audio) struct StreamLink {
    requests: HeapProd<StreamRequest>,
    replies: HeapCons<StreamReply>,
    retired: HeapProd<Box<Engine>>,
    newest: Epoch,
    /// Has the worker called for what was sent.
    waker: Waker,
}

impl StreamLink {
    pub fn new(
        requests: HeapProd<StreamRequest>,
        replies: HeapCons<StreamReply>,
        retired: HeapProd<Box<Engine>>,
        waker: Waker,
    ) -> Self {
        Self {
            requests,
            replies,
            retired,
            newest: Epoch(NonZeroU32::MAX),
            waker,
        }
    }

    /// A number for the next stream.
    pub(super) fn next_epoch(&mut self) -> Epoch {
        self.newest = Epoch(self.newest.0.checked_add(1).unwrap_or(NonZeroU32::MIN));
        self.newest
    }

    /// Asks for a stream. Returns whether the ring had room for that.
    pub(super) fn send(&mut self, request: StreamRequest) -> bool {
        let is_sent = self.requests.try_push(request).is_ok();
        self.waker.call();
        is_sent
    }

    /// The next of the streams that have come.
    pub(super) fn receive(&mut self) -> Option<StreamReply> {
        let reply = self.replies.try_pop();
        if reply.is_some() {
            // One more may wait for the room.
            self.waker.call();
        }
        reply
    }

    /// Sends a stream, if there is one, back to be freed. The worker made it, and made fewer than there is
    /// room for.
    pub(super) fn retire(&mut self, engine: impl Into<Option<Box<Engine>>>) {
        let Some(engine) = engine.into() else {
            return;
        };
        if let Err(engine) = self.retired.try_push(engine) {
            // Freeing it here would be worse than never.
            std::mem::forget(engine);
        }
        self.waker.call();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::ops::ControlFlow;
    use std::sync::{Arc, LazyLock};

    use ringbuf::HeapRb;
    use ringbuf::traits::Split;

    use super::*;
    use crate::fit::{FitSettings, fit};
    use crate::instrument::controls::Quality;
    use crate::instrument::shared::bell;
    use crate::instrument::stream::{FrameControls, Place, StreamStart, build, shaping_for};
    use crate::network::Model;
    use crate::procedural::{Texture, synthesize};

    /// The worker's ends of a link.
    pub struct FarEnd {
        pub requests: HeapCons<StreamRequest>,
        pub replies: HeapProd<StreamReply>,
        pub retired: HeapCons<Box<Engine>>,
    }

    impl FarEnd {
        /// Numbers of the streams that have come back.
        pub fn retired(&mut self) -> Vec<u32> {
            self.retired.pop_iter().map(|engine| engine.id()).collect()
        }
    }

    pub fn link() -> (StreamLink, FarEnd) {
        let (requests_in, requests) = HeapRb::new(32).split();
        let (replies, replies_out) = HeapRb::new(32).split();
        let (retired_in, retired) = HeapRb::new(32).split();
        let link = StreamLink::new(requests_in, replies_out, retired_in, bell().0);
        let far = FarEnd {
            requests,
            replies,
            retired,
        };
        (link, far)
    }

    /// A stream of this number, of a texture at 16 kHz, without a feed.
    pub fn engine(id: u32) -> Box<Engine> {
        static MODEL: LazyLock<Model> = LazyLock::new(|| {
            let clip = synthesize(Texture::Rain, 1, 16_000, 1.0);
            let settings = FitSettings {
                steps: 1,
                ..FitSettings::default()
            };
            fit(&clip, &settings, &mut |_| ControlFlow::Continue(())).unwrap()
        });
        let start = StreamStart {
            seed: id,
            quality: Quality::Eco,
            host_rate: 16_000.0,
            controls: FrameControls::default(),
            place: Place::Free {
                frame: 0,
                position: 0.0,
                stagger: 0.0,
            },
        };
        let shaping = Arc::new(shaping_for(&MODEL));
        let (engine, _) = build(id, &MODEL, &shaping, &start, &mut || {}).unwrap();
        Box::new(engine)
    }

    #[test]
    fn streams_are_numbered_from_1_and_never_0() {
        let (mut link, _far) = link();
        assert_eq!([1, 2], [(); 2].map(|()| link.next_epoch().get()));
        link.newest = Epoch(NonZeroU32::MAX);
        assert_eq!(link.next_epoch().get(), 1);
    }

    #[test]
    fn what_is_retired_goes_back_to_the_worker() {
        let (mut link, mut far) = link();
        link.retire(engine(7));
        assert_eq!(far.retired(), [7]);
    }
}
