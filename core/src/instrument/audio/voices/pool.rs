//! All voices together: what they do in each part of a block, step by step.

use std::num::NonZeroU64;

use super::controls::Smoothing;
use super::hold::Hold;
use super::notes::{NoteStart, Notes};
use super::stream_link::StreamLink;
use super::voice::Voice;
use crate::instrument::audio::part::Part;
use crate::instrument::controls::{
    ChannelControl, Controls, NoteAddress, NoteControl, Quality, Slot,
};
use crate::instrument::stream::Supply;

/// Seconds in which one stream takes over from another.
const CROSSFADE_S: f64 = 0.03;

/// What streams are made for: where it changes, all of them are made anew.
#[derive(Clone, Copy, Debug, PartialEq)]
struct StreamsFor {
    seed: u32,
    quality: Quality,
    slot: Slot,
    /// Number of the slot's texture.
    texture: Option<NonZeroU64>,
}

/// The voices and their streams.
pub(in crate::instrument::audio) struct VoicePool {
    notes: Notes,
    hold: Hold,
    link: StreamLink,
    smoothing: Smoothing,
    /// What the streams were asked for; `None`: all of them have to be asked for anew.
    streams_for: Option<StreamsFor>,
    /// Whether all streams are to start from the texture's beginning.
    rewinds: bool,
}

/// Every voice, that of Hold last.
fn all<'a>(notes: &'a mut Notes, hold: &'a mut Hold) -> impl Iterator<Item = &'a mut Voice> {
    let notes = notes.voices_mut().iter_mut();
    notes.chain(std::iter::once(hold.voice_mut()))
}

impl VoicePool {
    pub fn new(link: StreamLink) -> Self {
        Self {
            notes: Notes::new(),
            hold: Hold::new(),
            link,
            smoothing: Smoothing::default(),
            streams_for: None,
            rewinds: true,
        }
    }

    /// Takes the host's sample rate in Hz, and begins anew.
    pub fn prepare(&mut self, sample_rate: f64) {
        let fade_samples = (CROSSFADE_S * sample_rate).ceil() as usize;
        self.smoothing = Smoothing::new(sample_rate);
        let Self {
            notes, hold, link, ..
        } = self;
        all(notes, hold).for_each(|voice| voice.prepare(fade_samples, link));
    }

    /// Silence, no notes, and the texture back at its beginning.
    pub fn reset(&mut self) {
        let Self {
            notes, hold, link, ..
        } = self;
        all(notes, hold).for_each(|voice| voice.reset(link));
        notes.reset();
        self.rewinds = true;
    }

    /// Starts a note with a `velocity` of 0 to 1.
    pub fn start_note(&mut self, note: NoteAddress, velocity: f32, start: NoteStart) {
        self.notes.start(note, velocity, start, &mut self.link);
    }

    /// Lifts the keys of the notes that fit: they end, unless a pedal holds them.
    pub fn release_notes(&mut self, note: NoteAddress) {
        self.notes.release(note);
    }

    /// Presses or lifts the sustain pedal of a MIDI channel.
    pub fn set_sustain(&mut self, channel: u8, is_down: bool) {
        self.notes.set_sustain(channel, is_down);
    }

    /// Presses or lifts the sostenuto pedal of a MIDI channel.
    pub fn set_sostenuto(&mut self, channel: u8, is_down: bool) {
        self.notes.set_sostenuto(channel, is_down);
    }

    /// Changes what a MIDI channel, or all of them, do to their notes.
    pub fn set_channel_control(
        &mut self,
        channel: Option<u8>,
        control: ChannelControl,
        value: f32,
    ) {
        self.notes.set_channel_control(channel, control, value);
        self.hold.follow_channel(self.notes.channels().recent());
    }

    /// Ends the notes that fit at once.
    pub fn choke_notes(&mut self, note: NoteAddress) {
        self.notes.choke(note);
    }

    /// Changes a setting of the notes that fit and sound.
    pub fn control_notes(&mut self, note: NoteAddress, control: NoteControl, value: f32) {
        self.notes.control(note, control, value);
    }

    /// A note that has ended, each once.
    pub fn next_ended_note(&mut self) -> Option<NoteAddress> {
        self.notes.next_ended()
    }

    /// Voices that sound.
    pub fn sounding_count(&self) -> usize {
        self.voices().filter(|v| v.is_sounding()).count()
    }

    /// Whether a note is held, by its key, a pedal or Hold.
    pub fn is_any_held(&self) -> bool {
        self.voices().any(|v| v.is_sounding() && v.is_held())
    }

    fn voices(&self) -> impl Iterator<Item = &Voice> {
        let notes = self.notes.voices().iter();
        notes.chain(std::iter::once(self.hold.voice()))
    }

    /// Starts or releases the note of Hold as the controls say.
    pub fn follow_hold(&mut self, controls: &Controls, is_locked: bool) {
        let recent = self.notes.channels().recent();
        self.hold
            .follow(controls, recent, is_locked, &mut self.link);
    }

    /// Lets all streams be asked for anew with the next part, from where they are.
    pub fn renew_streams(&mut self) {
        self.streams_for = None;
    }

    /// Asks for new streams where something has changed that the old ones can't follow, or the song was just
    /// found; and for those of the notes to come.
    pub fn request_streams(&mut self, part: &Part<'_>, song_is_found: bool) {
        let Controls {
            seed,
            quality,
            slot,
            ..
        } = *part.controls;
        let streams_for = Some(StreamsFor {
            seed,
            quality,
            slot,
            texture: part.texture,
        });
        let has_changed = self.streams_for != streams_for || self.rewinds;
        self.streams_for = streams_for;
        if has_changed || song_is_found {
            self.replace_streams(part, has_changed);
        }
        let link = &mut self.link;
        self.notes.keep_standby(link);
        self.hold.keep_ready(part.controls, link);
        self.notes.request_missing(link);
    }

    /// Asks for new streams for the voices that sound; for all that have asked before, if what they asked for
    /// `has_changed`.
    fn replace_streams(&mut self, part: &Part<'_>, has_changed: bool) {
        let rewinds = std::mem::take(&mut self.rewinds);
        let Self {
            notes, hold, link, ..
        } = self;
        for voice in all(notes, hold) {
            if rewinds {
                voice.rewind();
            } else {
                voice.keep_place();
            }
            if voice.is_sounding() || (has_changed && voice.has_asked()) {
                voice.request_stream(link);
            }
            if part.texture.is_none() {
                voice.fall_silent(link);
            }
        }
    }

    /// Lets the voices rest whose envelopes have ended.
    pub fn rest(&mut self) {
        self.notes.rest();
        self.hold.voice_mut().rest();
    }

    /// Keeps to the song, if the texture is locked to it; it has begun another bar if it `begins_bar`.
    pub fn follow_song(&mut self, part: &Part<'_>, begins_bar: bool) {
        let Self {
            notes, hold, link, ..
        } = self;
        all(notes, hold).for_each(|voice| voice.follow_song(part, begins_bar, link));
    }

    /// Looks at the controls.
    pub fn tick(&mut self, part: &Part<'_>) {
        let Self {
            notes,
            hold,
            smoothing,
            ..
        } = self;
        all(notes, hold).for_each(|voice| voice.tick(part, smoothing));
    }

    /// Sends what was asked for, takes the streams that have come, and changes over to them.
    pub fn exchange_streams(&mut self, part: &Part<'_>) {
        let Self {
            notes,
            hold,
            link,
            smoothing,
            ..
        } = self;
        all(notes, hold).for_each(|voice| voice.send_request(part, smoothing, link));
        while let Some(reply) = link.receive() {
            match all(notes, hold).nth(usize::from(reply.voice)) {
                Some(voice) => voice.accept(reply, part.clock, link),
                None => link.retire(reply.engine),
            }
        }
        all(notes, hold).for_each(|voice| voice.change_streams(part.clock, link));
    }

    /// Whether a voice that sounds waits for a stream that the worker was asked for.
    pub fn lacks_streams(&self) -> bool {
        self.voices().any(Voice::lacks_stream)
    }

    /// Adds the power of what the voices that sound play to `bands`, as a window shows it.
    pub fn add_shown_bands(&self, bands: &mut [f32]) {
        self.voices()
            .filter(|voice| voice.is_sounding())
            .for_each(|voice| voice.add_shown_bands(bands));
    }

    /// Adds what the voices play to `left` and `right`. Returns how many frames were missing.
    pub fn render(
        &mut self,
        left: &mut [f32],
        right: &mut [f32],
        part: &Part<'_>,
        supply: &mut impl Supply,
    ) -> u32 {
        let Self {
            notes,
            hold,
            smoothing,
            ..
        } = self;
        all(notes, hold)
            .filter(|voice| voice.is_sounding())
            .map(|voice| voice.render([&mut *left, &mut *right], part, smoothing, supply))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use ringbuf::traits::{Consumer, Producer};

    use super::super::stream_link::tests::{FarEnd, engine, link};
    use super::*;
    use crate::instrument::audio::follower::SongFollower;
    use crate::instrument::audio::part::CONTROL_INTERVAL;
    use crate::instrument::controls::Transport;
    use crate::instrument::shared::{StreamReply, StreamRequest};
    use crate::instrument::stream::NoWait;

    const RATE_HZ: f64 = 16_000.0;
    const START: NoteStart = NoteStart {
        prefers_ready: false,
        is_locked: false,
    };

    fn pool() -> (VoicePool, FarEnd) {
        let (link, far) = link();
        let mut pool = VoicePool::new(link);
        pool.prepare(RATE_HZ);
        pool.reset();
        (pool, far)
    }

    /// A part on the grid of the controls, where a texture plays.
    fn part(clock: u64, controls: &Controls) -> Part<'_> {
        Part {
            clock,
            sample_rate: RATE_HZ,
            controls,
            song: None,
            texture: NonZeroU64::new(1),
            side_share: 0.0,
        }
    }

    /// Takes the pool to where it plays.
    fn begin(pool: &mut VoicePool, part: &Part<'_>) {
        pool.request_streams(part, false);
        pool.tick(part);
        pool.exchange_streams(part);
    }

    fn requests(far: &mut FarEnd) -> Vec<StreamRequest> {
        far.requests.pop_iter().collect()
    }

    fn answer(far: &mut FarEnd, request: &StreamRequest) {
        let reply = StreamReply {
            voice: request.voice,
            epoch: request.epoch,
            clock: None,
            engine: engine(request.epoch),
        };
        assert!(far.replies.try_push(reply).is_ok());
    }

    #[test]
    fn a_note_asks_for_its_stream_and_plays_it() {
        let (mut pool, mut far) = pool();
        let part = part(0, &Controls::DEFAULT);
        pool.start_note(NoteAddress::key(60), 1.0, START);
        begin(&mut pool, &part);
        let asked = requests(&mut far);
        let urgent: Vec<_> = asked.iter().filter(|r| r.urgent).collect();
        assert!(urgent.len() == 1 && urgent[0].voice == 0 && pool.lacks_streams());
        let mut sound = [[0.0f32; CONTROL_INTERVAL]; 2];
        let [left, right] = &mut sound;
        assert_eq!(pool.render(left, right, &part, &mut NoWait), 0);
        assert_eq!(*left, [0.0; CONTROL_INTERVAL]);
        answer(&mut far, urgent[0]);
        pool.exchange_streams(&part);
        assert!(!pool.lacks_streams());
        pool.render(left, right, &part, &mut NoWait);
        assert!(left.iter().any(|x| *x != 0.0));
    }

    #[test]
    fn another_seed_needs_new_streams_and_the_same_one_does_not() {
        let (mut pool, mut far) = pool();
        begin(&mut pool, &part(0, &Controls::DEFAULT));
        let before = requests(&mut far);
        begin(&mut pool, &part(16, &Controls::DEFAULT));
        assert!(requests(&mut far).is_empty());
        let other = Controls {
            seed: 1,
            ..Controls::DEFAULT
        };
        begin(&mut pool, &part(32, &other));
        let after = requests(&mut far);
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.voice, after.voice);
            assert!(before.start.seed != after.start.seed && before.epoch != after.epoch);
        }
        // What was asked for before comes too late.
        answer(&mut far, &before[0]);
        pool.exchange_streams(&part(48, &other));
        assert_eq!(far.retired(), [before[0].epoch]);
    }

    #[test]
    fn a_key_plays_the_same_in_a_locked_song_whichever_voice_it_gets() {
        let (mut pool, mut far) = pool();
        let mut follower = SongFollower::new();
        follower.prepare(RATE_HZ);
        let transport = Transport {
            samples: 4_000,
            beats: None,
            bar_start_beats: None,
            beats_per_bar: None,
            tempo: None,
        };
        follower.follow(Some(&transport), 0);
        follower.lock(true, 0);
        let part = Part {
            song: follower.locked(0, 0.0),
            ..part(0, &Controls::DEFAULT)
        };
        for key in [60, 61, 60] {
            pool.start_note(NoteAddress::key(key), 1.0, START);
        }
        begin(&mut pool, &part);
        let asked = requests(&mut far);
        let seeds: Vec<_> = asked.iter().take(3).map(|r| r.start.seed).collect();
        assert!(seeds[0] == seeds[2] && seeds[0] != seeds[1]);
    }

    #[test]
    fn the_stream_of_hold_is_the_seeds_own() {
        let (mut pool, mut far) = pool();
        let controls = Controls {
            hold: true,
            seed: 9,
            ..Controls::DEFAULT
        };
        pool.follow_hold(&controls, false);
        begin(&mut pool, &part(0, &controls));
        let asked = requests(&mut far);
        let own: Vec<_> = asked.iter().filter(|r| r.start.seed == 9).collect();
        assert!(own.len() == 1 && own[0].urgent);
    }
}
