//! The stream of a voice: which one sounds, which one it takes over from, and which one is to come.

use super::cross_fade::CrossFade;
use super::stream_link::{Epoch, StreamLink};
use crate::instrument::audio::part::CONTROL_INTERVAL;
use crate::instrument::shared::StreamReply;
use crate::instrument::stream::{Engine, FrameControls, SongLine, Supply};

/// Plays the stream of a voice, and cross-fades to the next one.
pub(super) struct Deck {
    current: Option<Box<Engine>>,
    /// The stream that `current` takes over from.
    fading: Option<Box<Engine>>,
    fade: CrossFade,
    /// The stream that was asked for, once it has come and waits for its moment.
    arrival: Option<Arrival>,
    asked: Asked,
    /// The newest stream that was put on.
    newest: Option<Epoch>,
    /// Whether `current` was played at all.
    has_played: bool,
    /// Where the next stream starts, unless it follows the song: a synthesis frame, and its texture position.
    place: (i64, f64),
}

/// Which stream was asked for last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    /// The worker does not know of it yet.
    Unsent(Epoch),
    Sent(Epoch),
}

impl Asked {
    fn epoch(self) -> Option<Epoch> {
        match self {
            Self::Nothing => None,
            Self::Unsent(epoch) | Self::Sent(epoch) => Some(epoch),
        }
    }
}

/// A stream that waits for its moment.
struct Arrival {
    engine: Box<Engine>,
    /// Count of the audio thread's samples at which it fits; `None`: at once.
    clock: Option<u64>,
}

impl Deck {
    /// Without a stream. One takes over from another in `fade_samples` samples.
    pub fn new(fade_samples: usize) -> Self {
        Self {
            current: None,
            fading: None,
            fade: CrossFade::new(fade_samples),
            arrival: None,
            asked: Asked::Nothing,
            newest: None,
            has_played: false,
            place: (0, 0.0),
        }
    }

    /// Lets go of all streams, at once, and asks for nothing.
    pub fn clear(&mut self, link: &mut StreamLink) {
        self.reset(link);
        link.retire(self.current.take());
    }

    /// Asks for nothing, and starts from the texture's beginning with what is asked for next. The stream that
    /// sounds stays.
    pub fn reset(&mut self, link: &mut StreamLink) {
        self.asked = Asked::Nothing;
        self.has_played = false;
        self.rewind();
        self.end_fade(link);
        self.drop_arrival(link);
    }

    /// Asks for another stream. What has come before and waits is done with.
    pub fn request(&mut self, link: &mut StreamLink) {
        self.asked = Asked::Unsent(link.next_epoch());
        self.drop_arrival(link);
    }

    /// Whether any stream was asked for since the last reset.
    pub fn has_asked(&self) -> bool {
        self.asked != Asked::Nothing
    }

    /// Number of the stream for which a request is to be sent now. None is sent during a cross-fade: the
    /// stream would have to wait for its end, and miss its place in the song.
    pub fn request_to_send(&self) -> Option<Epoch> {
        match self.asked {
            Asked::Unsent(epoch) if self.fading.is_none() => Some(epoch),
            _ => None,
        }
    }

    /// Notes that the request was sent.
    pub fn set_request_sent(&mut self) {
        if let Asked::Unsent(epoch) = self.asked {
            self.asked = Asked::Sent(epoch);
        }
    }

    /// Whether the worker was asked for a stream that has not come.
    pub fn is_awaiting(&self) -> bool {
        matches!(self.asked, Asked::Sent(_)) && self.arrival.is_none() && !self.is_up_to_date()
    }

    /// Whether the stream that was put on last is the one that was asked for last.
    pub fn is_up_to_date(&self) -> bool {
        self.newest == self.asked.epoch()
    }

    /// Whether there is a stream to play.
    pub fn has_stream(&self) -> bool {
        self.current.is_some()
    }

    /// Takes a stream that has come, if it is the one that was asked for last. If it has come too late for
    /// its moment, another one is asked for.
    pub fn accept(&mut self, reply: StreamReply, clock: u64, link: &mut StreamLink) {
        let is_asked_for = self.asked.epoch().map(Epoch::get) == Some(reply.epoch);
        if !is_asked_for || self.arrival.is_some() {
            link.retire(reply.engine);
        } else if reply.clock.is_some_and(|c| c < clock) {
            // Building it took longer than the worker thought: the song is past its place.
            link.retire(reply.engine);
            self.request(link);
        } else {
            self.arrival = Some(Arrival {
                engine: reply.engine,
                clock: reply.clock,
            });
        }
    }

    /// Puts on the stream that has come, once its moment is there and no cross-fade is going on. Where
    /// nothing `is_audible` of the voice, it takes over at once.
    pub fn take_over(&mut self, clock: u64, is_audible: bool, link: &mut StreamLink) {
        let is_due = |arrival: &mut Arrival| arrival.clock.is_none_or(|c| c <= clock);
        if self.fading.is_some() {
            return;
        }
        let Some(arrival) = self.arrival.take_if(is_due) else {
            return;
        };
        self.newest = self.asked.epoch();
        let old = self.current.replace(arrival.engine);
        self.fade_out(old, is_audible, link);
    }

    /// Fades out what sounds, as there is nothing to take over.
    pub fn fall_silent(&mut self, is_audible: bool, link: &mut StreamLink) {
        let Some(current) = self.current.take() else {
            return;
        };
        link.retire(self.fading.take());
        self.fade_out(Some(current), is_audible, link);
    }

    fn fade_out(&mut self, old: Option<Box<Engine>>, is_audible: bool, link: &mut StreamLink) {
        self.has_played = false;
        if is_audible {
            self.fade.begin();
            self.fading = old;
        } else {
            self.fade.end();
            link.retire(old);
        }
    }

    /// Lets go of the stream that was faded out, if that is done.
    pub fn finish_fade(&mut self, link: &mut StreamLink) {
        if !self.fade.is_on() {
            self.end_fade(link);
        }
    }

    /// Ends a cross-fade at once.
    pub fn end_fade(&mut self, link: &mut StreamLink) {
        self.fade.end();
        link.retire(self.fading.take());
    }

    fn drop_arrival(&mut self, link: &mut StreamLink) {
        link.retire(self.arrival.take().map(|arrival| arrival.engine));
    }

    /// Where the next stream starts, unless it follows the song: a synthesis frame, and its texture position.
    pub fn place(&self) -> (i64, f64) {
        self.place
    }

    /// Lets the next stream go on where the current one is.
    pub fn keep_place(&mut self) {
        // A stream that was not played is still where it started, and might not even be there.
        if let Some(engine) = self.current.as_ref().filter(|_| self.has_played) {
            self.place = engine.place();
        }
    }

    /// Lets the next stream start from the texture's beginning.
    pub fn rewind(&mut self) {
        self.place = (0, 0.0);
    }

    /// Plays the next samples, at most [`CONTROL_INTERVAL`], into `mid` and `side`. Returns how many frames
    /// were missing, or `None` where there is nothing to play.
    pub fn render(
        &mut self,
        mid: &mut [f32],
        side: &mut [f32],
        controls: &FrameControls,
        line: Option<&SongLine>,
        supply: &mut impl Supply,
    ) -> Option<u32> {
        let missing = match &mut self.current {
            Some(current) => {
                self.has_played = true;
                current.render(mid, side, controls, line, supply);
                current.take_missing()
            }
            None if self.fade.is_on() => {
                mid.fill(0.0);
                side.fill(0.0);
                0
            }
            None => return None,
        };
        if self.fade.is_on() {
            self.cross_fade(mid, side, controls, supply);
        }
        Some(missing)
    }

    /// Adds the power of the newest frame, times `gain`, to `bands`.
    pub fn add_shown_bands(&self, gain: f32, bands: &mut [f32]) {
        if let Some(current) = &self.current {
            current.add_shown_bands(gain, bands);
        }
    }

    /// Mixes what sounds with what it takes over from.
    fn cross_fade(
        &mut self,
        mid: &mut [f32],
        side: &mut [f32],
        controls: &FrameControls,
        supply: &mut impl Supply,
    ) {
        let mut buffers = [[0.0f32; CONTROL_INTERVAL]; 2];
        let [old_mid, old_side] = buffers.each_mut().map(|b| &mut b[..mid.len()]);
        if let Some(fading) = &mut self.fading {
            fading.render(old_mid, old_side, controls, None, supply);
        }
        for i in 0..mid.len() {
            let (new, old) = self.fade.next_gains();
            mid[i] = mid[i] * new + old_mid[i] * old;
            side[i] = side[i] * new + old_side[i] * old;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream_link::tests::{engine, link};
    use super::*;
    use crate::instrument::stream::NoWait;

    const FADE_SAMPLES: usize = 32;

    /// The stream that was asked for last, as the worker would send it.
    fn reply(deck: &Deck, clock: Option<u64>) -> StreamReply {
        let epoch = deck.asked.epoch().unwrap().get();
        StreamReply {
            voice: 0,
            epoch,
            clock,
            engine: engine(epoch),
        }
    }

    /// Asks for a stream and puts it on.
    fn put_on(deck: &mut Deck, is_audible: bool, link: &mut StreamLink) {
        deck.request(link);
        deck.set_request_sent();
        deck.accept(reply(deck, None), 0, link);
        deck.take_over(0, is_audible, link);
    }

    fn play(deck: &mut Deck) -> Option<u32> {
        let mut buffers = [[0.0; CONTROL_INTERVAL]; 2];
        let [mid, side] = &mut buffers;
        deck.render(mid, side, &FrameControls::default(), None, &mut NoWait)
    }

    #[test]
    fn a_stream_is_asked_for_awaited_and_put_on() {
        let (mut link, mut far) = link();
        let mut deck = Deck::new(FADE_SAMPLES);
        assert!(!deck.has_asked() && deck.request_to_send().is_none());
        assert_eq!(play(&mut deck), None);
        deck.request(&mut link);
        assert!(deck.request_to_send().is_some() && !deck.is_awaiting());
        deck.set_request_sent();
        assert!(deck.request_to_send().is_none() && deck.is_awaiting());
        deck.accept(reply(&deck, Some(48)), 0, &mut link);
        assert!(!deck.is_awaiting());
        deck.take_over(47, false, &mut link);
        assert!(!deck.has_stream());
        deck.take_over(48, false, &mut link);
        assert!(deck.has_stream() && deck.is_up_to_date());
        assert_eq!(play(&mut deck), Some(0));
        assert!(far.retired().is_empty());
    }

    #[test]
    fn only_the_stream_that_was_asked_for_last_and_in_time_is_taken() {
        let (mut link, mut far) = link();
        let mut deck = Deck::new(FADE_SAMPLES);
        deck.request(&mut link);
        let old = reply(&deck, None);
        deck.request(&mut link);
        deck.accept(old, 0, &mut link);
        assert_eq!(far.retired(), [1]);
        deck.set_request_sent();
        deck.accept(reply(&deck, Some(15)), 16, &mut link);
        assert_eq!(far.retired(), [2]);
        // Another one is asked for, and one that came is done with when the next is asked for.
        assert_eq!(deck.request_to_send().map(Epoch::get), Some(3));
        deck.accept(reply(&deck, None), 16, &mut link);
        deck.request(&mut link);
        assert_eq!(far.retired(), [3]);
    }

    #[test]
    fn what_is_audible_is_cross_faded_and_holds_the_next_request_back() {
        let (mut link, mut far) = link();
        let mut deck = Deck::new(FADE_SAMPLES);
        put_on(&mut deck, false, &mut link);
        put_on(&mut deck, true, &mut link);
        deck.request(&mut link);
        for _ in 0..FADE_SAMPLES / CONTROL_INTERVAL {
            deck.finish_fade(&mut link);
            assert!(deck.request_to_send().is_none() && far.retired().is_empty());
            play(&mut deck);
        }
        deck.finish_fade(&mut link);
        assert_eq!(far.retired(), [1]);
        assert!(deck.request_to_send().is_some());
    }

    #[test]
    fn what_is_not_audible_is_replaced_at_once() {
        let (mut link, mut far) = link();
        let mut deck = Deck::new(FADE_SAMPLES);
        put_on(&mut deck, false, &mut link);
        put_on(&mut deck, false, &mut link);
        assert_eq!(far.retired(), [1]);
    }

    #[test]
    fn an_empty_slot_fades_out_and_leaves_no_stream() {
        let (mut link, mut far) = link();
        let mut deck = Deck::new(FADE_SAMPLES);
        put_on(&mut deck, false, &mut link);
        deck.fall_silent(true, &mut link);
        assert!(!deck.has_stream());
        for _ in 0..FADE_SAMPLES / CONTROL_INTERVAL {
            assert_eq!(play(&mut deck), Some(0));
        }
        deck.finish_fade(&mut link);
        assert_eq!(far.retired(), [1]);
        assert_eq!(play(&mut deck), None);
    }

    #[test]
    fn a_place_is_kept_only_of_a_stream_that_was_played() {
        let (mut link, mut far) = link();
        let mut deck = Deck::new(FADE_SAMPLES);
        put_on(&mut deck, false, &mut link);
        for _ in 0..200 {
            play(&mut deck);
        }
        deck.keep_place();
        let place = deck.place();
        assert!(place.0 > 0);
        put_on(&mut deck, false, &mut link);
        deck.keep_place();
        assert_eq!(deck.place(), place);
        deck.clear(&mut link);
        assert_eq!(deck.place(), (0, 0.0));
        assert_eq!(far.retired(), [1, 2]);
        assert!(!deck.has_asked() && !deck.has_stream());
    }
}
