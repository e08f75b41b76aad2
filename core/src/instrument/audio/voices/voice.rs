//! One voice, which plays one note after the other.

use super::channels::ChannelValues;
use super::controls::{Smoothing, VoiceControls};
use super::deck::Deck;
use super::envelope::{Envelope, EnvelopeTimes};
use super::pedals::Pedals;
use super::stream_link::StreamLink;
use super::{HOLD_VOICE, VOICES};
use crate::instrument::audio::follower::SongAnchor;
use crate::instrument::audio::part::{CONTROL_INTERVAL, Part};
use crate::instrument::controls::{NoteAddress, NoteControl};
use crate::instrument::shared::{StreamReply, StreamRequest};
use crate::instrument::stream::{Place, StreamStart, Supply};
use crate::numeric::random::{Noise, stream};

/// Variations of the seed that keys have in a locked song begin here, after those of free voices.
const KEY_VARIATIONS: u32 = 256;

const _: () = assert!(VOICES < KEY_VARIATIONS as usize);

/// A voice lives as long as the instrument: a note, its envelope, its controls, and its stream.
pub(super) struct Voice {
    /// Which of the [`VOICES`] it is.
    index: u8,
    note: NoteAddress,
    /// When the note started, counted in notes.
    age: u64,
    is_sounding: bool,
    /// Whether the key is down that started its note.
    is_key_down: bool,
    /// Whether the sostenuto pedal holds its note: the key was down when that was pressed.
    is_caught: bool,
    envelope: Envelope,
    controls: VoiceControls,
    deck: Deck,
    /// Where its stream holds on to the song, if it follows that.
    anchor: SongAnchor,
}

/// What keeps a note from fading, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Grip {
    Nothing,
    Pedal,
    Key,
}

/// In which order voices are taken away from their notes: the least first. Released ones come before those that
/// a pedal holds, and these before those whose keys are down; the quietest of the released and the oldest of the
/// held ones first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct StealingRank {
    grip: Grip,
    level: f32,
    age: u64,
}

impl StealingRank {
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.grip
            .cmp(&other.grip)
            .then(self.level.total_cmp(&other.level))
            .then(self.age.cmp(&other.age))
    }
}

impl Voice {
    /// A voice whose streams take over from one another in `fade_samples` samples.
    pub fn new(index: u8, fade_samples: usize) -> Self {
        Self {
            index,
            note: NoteAddress::default(),
            age: 0,
            is_sounding: false,
            is_key_down: false,
            is_caught: false,
            envelope: Envelope::new(),
            controls: VoiceControls::new(),
            deck: Deck::new(fade_samples),
            anchor: SongAnchor::default(),
        }
    }

    /// Begins anew at another sample rate: streams at the old one are of no use.
    pub fn prepare(&mut self, fade_samples: usize, link: &mut StreamLink) {
        self.deck.clear(link);
        *self = Self::new(self.index, fade_samples);
    }

    /// Is silent at once. What the next stream starts from must not depend on what was played before.
    pub fn reset(&mut self, link: &mut StreamLink) {
        self.envelope.reset();
        self.is_sounding = false;
        self.is_key_down = false;
        self.is_caught = false;
        self.note = NoteAddress::default();
        self.controls.reset();
        self.deck.reset(link);
    }

    /// Its note, or the one that it played last.
    pub fn note(&self) -> NoteAddress {
        self.note
    }

    /// Whether it takes part in the sound. A voice falls silent on the grid of the controls, so that its
    /// stream stops at a place that does not depend on how the host cuts its blocks.
    pub fn is_sounding(&self) -> bool {
        self.is_sounding
    }

    /// Whether its note is held, by its key or a pedal, and not released yet.
    pub fn is_held(&self) -> bool {
        self.envelope.is_held()
    }

    /// Whether a stream is in readiness for the next note.
    pub fn has_stream(&self) -> bool {
        self.deck.has_stream()
    }

    /// Its place among the voices that may be taken away from their notes.
    pub fn stealing_rank(&self) -> StealingRank {
        let grip = match (self.is_held(), self.is_key_down) {
            (false, _) => Grip::Nothing,
            (true, false) => Grip::Pedal,
            (true, true) => Grip::Key,
        };
        let level = match grip {
            Grip::Nothing => self.envelope.level(),
            Grip::Pedal | Grip::Key => 0.0,
        };
        StealingRank {
            grip,
            level,
            age: self.age,
        }
    }

    /// Starts a note, whose `channel` does this to it; of no velocity if it was not struck. A voice that sounds
    /// goes over to it without a break.
    pub fn start(
        &mut self,
        note: NoteAddress,
        velocity: Option<f32>,
        age: u64,
        channel: &ChannelValues,
    ) {
        self.controls
            .start(velocity, channel, self.envelope.is_off());
        self.note = note;
        self.age = age;
        self.envelope.start();
        self.is_sounding = true;
        self.is_key_down = true;
        self.is_caught = false;
    }

    /// Ends the note, whatever holds it; it fades in its release time.
    pub fn release(&mut self) {
        self.is_key_down = false;
        self.is_caught = false;
        self.envelope.release();
    }

    /// The key goes up. The note ends, unless a pedal holds it.
    pub fn lift_key(&mut self, pedals: &Pedals) {
        self.is_key_down = false;
        self.follow_pedals(pedals);
    }

    /// The sostenuto pedal goes down, and holds the note if its key is down.
    pub fn catch(&mut self) {
        self.is_caught = self.is_key_down && self.is_held();
    }

    /// The sostenuto pedal goes up. The note ends, unless its key or the other pedal holds it.
    pub fn let_go(&mut self, pedals: &Pedals) {
        self.is_caught = false;
        self.follow_pedals(pedals);
    }

    /// Ends the note if neither its key nor a pedal holds it any longer.
    pub fn follow_pedals(&mut self, pedals: &Pedals) {
        if !(self.is_key_down || self.is_caught || pedals.sustains(self.note.channel)) {
            self.envelope.release();
        }
    }

    /// Whether nothing but a pedal holds its note.
    pub fn is_held_by_pedal(&self) -> bool {
        self.is_held() && !self.is_key_down
    }

    /// Ends the note at once, without its release.
    pub fn choke(&mut self) {
        self.is_key_down = false;
        self.is_caught = false;
        self.envelope.choke();
    }

    /// Changes a setting of the note.
    pub fn control(&mut self, control: NoteControl, value: f32) {
        self.controls.set(control, value);
    }

    /// Follows what the note's channel did.
    pub fn follow_channel(&mut self, channel: &ChannelValues) {
        self.controls.follow_channel(channel);
    }

    /// Lets the voice rest if its envelope has ended. Returns whether a note has ended with it.
    pub fn rest(&mut self) -> bool {
        let ends = self.is_sounding && self.envelope.is_off();
        self.is_sounding &= !ends;
        ends
    }

    /// Looks at the controls, if the voice sounds; between two points of their grid, only if its note has just
    /// started.
    pub fn tick(&mut self, part: &Part<'_>, smoothing: &Smoothing) {
        if self.is_sounding && (part.is_on_grid() || self.controls.is_fresh()) {
            self.controls
                .tick(part.controls, self.note.key, part.side_share, smoothing);
        }
    }

    /// Asks for another stream.
    pub fn request_stream(&mut self, link: &mut StreamLink) {
        self.deck.request(link);
    }

    /// Whether any stream was asked for since the last reset.
    pub fn has_asked(&self) -> bool {
        self.deck.has_asked()
    }

    /// Whether it sounds, and waits for a stream that the worker was asked for.
    pub fn lacks_stream(&self) -> bool {
        self.is_sounding && self.deck.is_awaiting()
    }

    /// Lets the next stream go on where the current one is.
    pub fn keep_place(&mut self) {
        self.deck.keep_place();
    }

    /// Lets the next stream start from the texture's beginning.
    pub fn rewind(&mut self) {
        self.deck.rewind();
    }

    /// Fades out what sounds, as an empty slot plays.
    pub fn fall_silent(&mut self, link: &mut StreamLink) {
        self.deck.fall_silent(self.is_audible(), link);
    }

    fn is_audible(&self) -> bool {
        self.envelope.level() != 0.0
    }

    /// Keeps its place in the song, which has begun another bar if it `begins_bar`: with another time than its
    /// own, a locked texture starts every bar anew.
    pub fn follow_song(&mut self, part: &Part<'_>, begins_bar: bool, link: &mut StreamLink) {
        let Some(song) = part.song.filter(|_| self.is_sounding) else {
            return;
        };
        let time = self.controls.frame_controls().time;
        self.anchor.follow_time(&song, time);
        if begins_bar && self.anchor.is_off_the_song() {
            self.deck.request(link);
        }
    }

    /// Sends what was asked for, if it can be sent now. Where the ring has no room, it is sent the next time.
    pub fn send_request(&mut self, part: &Part<'_>, smoothing: &Smoothing, link: &mut StreamLink) {
        let Some(epoch) = self.deck.request_to_send() else {
            return;
        };
        if !self.is_sounding {
            self.controls
                .settle(part.controls, self.note.key, smoothing);
        }
        let request = StreamRequest {
            voice: self.index,
            slot: part.controls.slot,
            epoch: epoch.get(),
            urgent: self.is_sounding,
            clock: part.clock,
            start: self.stream_start(part),
        };
        if link.send(request) {
            self.deck.set_request_sent();
        }
    }

    /// What the next stream starts from: at the song's place if the voice follows that.
    fn stream_start(&mut self, part: &Part<'_>) -> StreamStart {
        let controls = *self.controls.frame_controls();
        let song = part.song.filter(|_| self.is_sounding);
        let variation = self.variation(song.is_some());
        let place = match song {
            Some(song) => {
                let line = song.starting_line(controls.time);
                self.anchor = SongAnchor::new(line.anchor_s, controls.time);
                Place::Song {
                    sample: song.sample(),
                    line,
                }
            }
            None => {
                let (frame, position) = self.deck.place();
                Place::Free {
                    frame,
                    position,
                    stagger: f64::from(variation) / VOICES as f64,
                }
            }
        };
        StreamStart {
            seed: voice_seed(part.controls.seed, variation),
            quality: part.controls.quality,
            host_rate: part.sample_rate,
            controls,
            place,
        }
    }

    /// Which variation of the seed it plays: Hold the seed's own, and no two voices the same.
    fn variation(&self, follows_song: bool) -> u32 {
        if self.index == HOLD_VOICE {
            0
        } else if follows_song {
            // A key plays the same in a bar whichever voice it gets.
            KEY_VARIATIONS + self.note.key.map_or(0, u32::from)
        } else {
            u32::from(self.index) + 1
        }
    }

    /// Takes a stream that has come for it.
    pub fn accept(&mut self, reply: StreamReply, clock: u64, link: &mut StreamLink) {
        self.deck.accept(reply, clock, link);
    }

    /// Ends a cross-fade that is done, and puts on the stream that has come if its moment is there.
    pub fn change_streams(&mut self, clock: u64, link: &mut StreamLink) {
        if self.is_sounding {
            self.deck.finish_fade(link);
        } else {
            self.deck.end_fade(link);
        }
        self.deck.take_over(clock, self.is_audible(), link);
    }

    /// Adds the power of its newest frame to `bands`, at its level.
    pub fn add_shown_bands(&self, bands: &mut [f32]) {
        let envelope = self.envelope.level();
        let gain = envelope * envelope * self.controls.power_gain();
        self.deck.add_shown_bands(gain, bands);
    }

    /// Adds the next samples, at most [`CONTROL_INTERVAL`], to `left` and `right`. Returns how many frames
    /// were missing.
    pub fn render(
        &mut self,
        [left, right]: [&mut [f32]; 2],
        part: &Part<'_>,
        smoothing: &Smoothing,
        supply: &mut impl Supply,
    ) -> u32 {
        let times = EnvelopeTimes::of(part.controls);
        self.envelope.set_times(&times, part.sample_rate as f32);
        let song = part.song.filter(|_| self.deck.is_up_to_date());
        let line = song.map(|song| song.line(self.anchor.places_s()));
        let count = left.len();
        let mut buffers = [[0.0f32; CONTROL_INTERVAL]; 2];
        let [mid, side] = buffers.each_mut().map(|b| &mut b[..count]);
        let controls = self.controls.frame_controls();
        let missing = self.deck.render(mid, side, controls, line.as_ref(), supply);
        let Some(missing) = missing else {
            // The note goes by, and fades in when its stream is there.
            for _ in 0..count {
                self.envelope.next();
            }
            return 0;
        };
        for i in 0..count {
            let envelope = self.envelope.next();
            let [l, r, m, s] = self.controls.next_levels(smoothing);
            let (mid, side) = (mid[i] * m, side[i] * s);
            left[i] += (mid + side) * (l * envelope);
            right[i] += (mid - side) * (r * envelope);
        }
        missing
    }
}

/// Seed of a voice's own stream: variation 0 is the seed's own.
fn voice_seed(seed: u32, variation: u32) -> u32 {
    if variation == 0 {
        seed
    } else {
        Noise::new(seed, stream::VOICE_SEED)
            .frame(0)
            .bits(variation)
    }
}
