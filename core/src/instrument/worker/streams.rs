//! The worker's streams: each is built when the audio thread asks for it, and fed for as long as it is out. Runs
//! on the worker thread.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Instant;

use ringbuf::traits::{Consumer, Producer};
use ringbuf::{HeapCons, HeapProd};

use crate::instrument::controls::Slot;
use crate::instrument::shared::{
    MetersReader, StageWriter, StreamReply, StreamRequest, TexturesWriter,
};
use crate::instrument::stream::{self, Engine, EngineFeed, Place, Shaping};
use crate::network::Model;

/// Frames made for one stream before the worker looks at the next one.
const FRAMES_AT_ONCE: usize = 4;
/// A stream for a song that runs on is built for a moment so many seconds after it should be done.
const SONG_LEAD_S: f64 = 0.006;
/// How fast the worker forgets how long building a stream took.
const BUILD_TIME_DECAY: f64 = 0.9;

/// What a slot's streams are made of.
struct Playable {
    model: Model,
    shaping: Arc<Shaping>,
}

/// Builds streams and feeds them.
pub(super) struct Streams {
    meters: MetersReader,
    board: TexturesWriter,
    stage: StageWriter,
    /// What the slots' streams are made of.
    textures: [Option<Playable>; Slot::COUNT],
    /// Textures so far, of all slots: a texture's number is its place among them.
    texture_count: u64,
    requests: HeapCons<StreamRequest>,
    retired: HeapCons<Box<Engine>>,
    replies: HeapProd<StreamReply>,
    /// Streams that were asked for and are not built, oldest first.
    wanted: Vec<StreamRequest>,
    /// The other halves of the streams that are out, with their numbers.
    feeds: Vec<(u32, EngineFeed)>,
    /// A stream for which the ring had no place.
    unsent: Option<StreamReply>,
    /// How long it took to build a stream lately, the longest of it, in seconds.
    build_s: f64,
}

impl Streams {
    /// With its ends of the rings to and from the audio thread.
    pub fn new(
        meters: MetersReader,
        board: TexturesWriter,
        stage: StageWriter,
        replies: HeapProd<StreamReply>,
        requests: HeapCons<StreamRequest>,
        retired: HeapCons<Box<Engine>>,
    ) -> Self {
        Self {
            meters,
            board,
            stage,
            textures: Default::default(),
            texture_count: 0,
            requests,
            retired,
            replies,
            wanted: Vec::new(),
            feeds: Vec::new(),
            unsent: None,
            build_s: 0.0,
        }
    }

    /// Takes back streams that are done with, and takes requests.
    pub fn take_news(&mut self) {
        while let Some(engine) = self.retired.try_pop() {
            self.feeds.retain(|(id, _)| *id != engine.id());
        }
        while let Some(request) = self.requests.try_pop() {
            self.wanted.retain(|r| r.voice != request.voice);
            self.wanted.push(request);
        }
    }

    /// Builds a stream if one is wanted, and fills rings. Returns whether there is more to do.
    pub fn work(&mut self) -> bool {
        let built = self.build();
        self.feed() || built
    }

    /// Builds one of the streams that were asked for. Returns whether there was one.
    fn build(&mut self) -> bool {
        self.send();
        if self.unsent.is_some() {
            return false;
        }
        let Some(mut request) = self.next_request() else {
            return false;
        };
        let Some(Playable { model, shaping }) = &self.textures[request.slot.index()] else {
            return false;
        };
        let begin = Instant::now();
        let clock = self.meet_song(&mut request);
        // Building takes a while, in which what sounds must not run dry.
        let feeds = &mut self.feeds;
        let mut between = || feeds.iter_mut().for_each(|(_, feed)| feed.top_up());
        match stream::build(request.epoch, model, shaping, &request.start, &mut between) {
            Ok((engine, feed)) => {
                self.feeds.push((request.epoch, feed));
                self.unsent = Some(StreamReply {
                    voice: request.voice,
                    epoch: request.epoch,
                    clock,
                    engine: Box::new(engine),
                });
                self.send();
            }
            Err(e) => {
                self.stage.report(e);
                // Or the audio thread would wait for its streams.
                self.board.set_number(request.slot, None);
            }
        }
        self.build_s = (self.build_s * BUILD_TIME_DECAY).max(begin.elapsed().as_secs_f64());
        true
    }

    /// The next request that can be fulfilled: one whose voice sounds already, or else the oldest.
    fn next_request(&mut self) -> Option<StreamRequest> {
        let textures = &self.textures;
        let can_be_built = |r: &StreamRequest| textures[r.slot.index()].is_some();
        let is_urgent = |r: &StreamRequest| r.urgent && can_be_built(r);
        let urgent = self.wanted.iter().position(is_urgent);
        let next = urgent.or_else(|| self.wanted.iter().position(can_be_built))?;
        Some(self.wanted.remove(next))
    }

    /// Moves a request for a place in the song on to where the song will be when the stream is built. Returns
    /// the audio thread's count of samples at which the stream fits, if only there.
    fn meet_song(&self, request: &mut StreamRequest) -> Option<u64> {
        let Place::Song { sample, line } = &mut request.start.place else {
            return None;
        };
        // A bounce stands still meanwhile; a song that runs is met further on.
        let ahead = if self.meters.is_offline() {
            0
        } else {
            let now = self.meters.clock().max(request.clock);
            let lead_s = self.build_s + SONG_LEAD_S;
            now - request.clock + (lead_s * request.start.host_rate) as u64
        };
        *sample += ahead as i64;
        line.now_s += ahead as f64 * line.rate_s;
        Some(request.clock + ahead)
    }

    /// Sends the stream that was built last, if the ring has a place for it.
    fn send(&mut self) {
        if let Some(stream) = self.unsent.take()
            && let Err(stream) = self.replies.try_push(stream)
        {
            self.unsent = Some(stream);
        }
    }

    /// Fills the rings of all streams a little. Returns whether any of them has room for more.
    fn feed(&mut self) -> bool {
        let mut busy = false;
        for (_, feed) in &mut self.feeds {
            busy |= (0..FRAMES_AT_ONCE).all(|_| feed.send_frame());
        }
        busy
    }

    /// Gives a slot the texture of `model`, or none. New streams play it. Those that are out go over to it by and
    /// by if it is a `snapshot` on the way to a better network for the capture that they play.
    pub fn play(&mut self, slot: Slot, model: Option<Model>, snapshot: bool) {
        let playable = &mut self.textures[slot.index()];
        let Some(model) = model else {
            *playable = None;
            self.board.set_number(slot, None);
            return;
        };
        let improves = snapshot
            && playable
                .as_ref()
                .is_some_and(|p| p.model.id() == model.id());
        let shaping = Arc::new(stream::shaping_for(&model));
        self.board.set_side_share(slot, shaping.side_share());
        *playable = Some(Playable {
            model: model.clone(),
            shaping,
        });
        if improves {
            // Streams of another texture may still be fading out.
            let same = |feed: &EngineFeed| feed.model().id() == model.id();
            for (_, feed) in self.feeds.iter_mut().filter(|(_, feed)| same(feed)) {
                feed.improve(model.clone());
            }
        } else {
            self.texture_count += 1;
            let number = NonZeroU64::new(self.texture_count);
            self.board.set_number(slot, number);
        }
    }
}
