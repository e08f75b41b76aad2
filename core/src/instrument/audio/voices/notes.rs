//! The voices of the notes: which one a note gets, and which notes have ended.

use super::POLYPHONY;
use super::channels::Channels;
use super::ended_notes::EndedNotes;
use super::pedals::Pedals;
use super::stream_link::StreamLink;
use super::voice::Voice;
use crate::instrument::controls::{ChannelControl, NoteAddress, NoteControl};

/// Voices with a stream in readiness for the notes to come.
const STANDBY: usize = 4;

/// What a note starts under.
#[derive(Clone, Copy, Debug)]
pub(in crate::instrument::audio) struct NoteStart {
    /// Voices whose streams are there come first. Not where the host may be kept waiting: in a bounce, the
    /// choice must not depend on how fast the worker is.
    pub prefers_ready: bool,
    /// The texture is locked to the song: the note needs a stream from the song's place.
    pub is_locked: bool,
}

/// The voices of the notes.
pub(super) struct Notes {
    voices: Vec<Voice>,
    /// Notes so far.
    count: u64,
    ended: EndedNotes,
    pedals: Pedals,
    channels: Channels,
}

impl Notes {
    pub fn new() -> Self {
        Self {
            voices: (0..POLYPHONY as u8).map(|at| Voice::new(at, 1)).collect(),
            count: 0,
            ended: EndedNotes::new(),
            pedals: Pedals::default(),
            channels: Channels::AT_REST,
        }
    }

    pub fn voices(&self) -> &[Voice] {
        &self.voices
    }

    pub fn voices_mut(&mut self) -> &mut [Voice] {
        &mut self.voices
    }

    /// What the channels do to their notes.
    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Begins to count anew, with all pedals up and all channels at rest. The voices are reset by themselves.
    pub fn reset(&mut self) {
        self.count = 0;
        self.ended.clear();
        self.pedals = Pedals::default();
        self.channels = Channels::AT_REST;
    }

    /// Starts a note in the voice that is free, or is taken away from another note. What a pedal holds of the
    /// same key fades: a key that is struck again does not sound twice.
    pub fn start(
        &mut self,
        note: NoteAddress,
        velocity: f32,
        start: NoteStart,
        link: &mut StreamLink,
    ) {
        let is_struck_again = |v: &&mut Voice| v.is_held_by_pedal() && v.note().is_same_key(&note);
        let struck_again = self.voices.iter_mut().filter(is_struck_again);
        struck_again.for_each(Voice::release);
        let at = self.choose(start.prefers_ready);
        let voice = &mut self.voices[at];
        if voice.is_sounding() {
            self.ended.push(voice.note());
        }
        self.count += 1;
        let channel = self.channels.of(note.channel);
        voice.start(note, Some(velocity), self.count, channel);
        if start.is_locked {
            voice.request_stream(link);
        }
    }

    /// The voice for the next note: one that rests, or else the one that is taken away first.
    fn choose(&self, prefers_ready: bool) -> usize {
        let is_free = |v: &Voice| !v.is_sounding();
        let is_ready = |v: &Voice| prefers_ready && is_free(v) && v.has_stream();
        let ready = self.voices.iter().position(is_ready);
        let free = || self.voices.iter().position(is_free);
        ready.or_else(free).unwrap_or_else(|| {
            let ranks = self.voices.iter().map(Voice::stealing_rank).enumerate();
            let first = ranks.min_by(|(_, a), (_, b)| a.order(b));
            first.map_or(0, |(at, _)| at)
        })
    }

    /// Lifts the keys of the notes that fit: they end, unless a pedal holds them.
    pub fn release(&mut self, note: NoteAddress) {
        let pedals = self.pedals;
        self.fitting(note).for_each(|voice| voice.lift_key(&pedals));
    }

    /// Presses or lifts the sustain pedal of `channel`.
    pub fn set_sustain(&mut self, channel: u8, is_down: bool) {
        self.pedals.set_sustain(channel, is_down);
        let pedals = self.pedals;
        self.fitting(NoteAddress::channel(channel))
            .for_each(|voice| voice.follow_pedals(&pedals));
    }

    /// Presses or lifts the sostenuto pedal of `channel`. Pressed again without being lifted, it catches no
    /// further notes.
    pub fn set_sostenuto(&mut self, channel: u8, is_down: bool) {
        if !self.pedals.set_sostenuto(channel, is_down) {
            return;
        }
        let pedals = self.pedals;
        for voice in self.fitting(NoteAddress::channel(channel)) {
            if is_down {
                voice.catch();
            } else {
                voice.let_go(&pedals);
            }
        }
    }

    /// Changes what `channel`, or all of them, do to their notes.
    pub fn set_channel_control(
        &mut self,
        channel: Option<u8>,
        control: ChannelControl,
        value: f32,
    ) {
        self.channels.set(channel, control, value);
        for voice in self.voices.iter_mut().filter(|v| v.is_sounding()) {
            voice.follow_channel(self.channels.of(voice.note().channel));
        }
    }

    /// Ends the notes that fit at once.
    pub fn choke(&mut self, note: NoteAddress) {
        self.fitting(note).for_each(Voice::choke);
    }

    /// Changes a setting of the notes that fit and sound.
    pub fn control(&mut self, note: NoteAddress, control: NoteControl, value: f32) {
        self.fitting(note)
            .filter(|voice| voice.is_sounding())
            .for_each(|voice| voice.control(control, value));
    }

    fn fitting(&mut self, note: NoteAddress) -> impl Iterator<Item = &mut Voice> {
        let voices = self.voices.iter_mut();
        voices.filter(move |voice| note.fits(&voice.note()))
    }

    /// Lets the voices rest whose envelopes have ended.
    pub fn rest(&mut self) {
        for voice in &mut self.voices {
            if voice.rest() {
                self.ended.push(voice.note());
            }
        }
    }

    /// A note that has ended, each once.
    pub fn next_ended(&mut self) -> Option<NoteAddress> {
        self.ended.pop()
    }

    /// Asks for streams for some of the notes to come.
    pub fn keep_standby(&mut self, link: &mut StreamLink) {
        let is_standby = |v: &&Voice| !v.is_sounding() && v.has_asked();
        let standby = self.voices.iter().filter(is_standby).count();
        let missing = STANDBY.saturating_sub(standby);
        let unasked = self.voices.iter_mut().filter(|v| !v.has_asked());
        unasked.take(missing).for_each(|v| v.request_stream(link));
    }

    /// Asks for the streams of notes that sound, where none was asked for.
    pub fn request_missing(&mut self, link: &mut StreamLink) {
        for voice in &mut self.voices {
            if voice.is_sounding() && !voice.has_asked() {
                voice.request_stream(link);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream_link::tests::link;
    use super::*;
    use crate::instrument::controls::Controls;

    const START: NoteStart = NoteStart {
        prefers_ready: false,
        is_locked: false,
    };

    /// Starts a note of this key; the voice that has it.
    fn start(notes: &mut Notes, key: u8, link: &mut StreamLink) -> usize {
        notes.start(NoteAddress::key(key), 1.0, START, link);
        let has_key = |v: &Voice| v.is_sounding() && v.note().key == Some(key);
        notes.voices().iter().position(has_key).unwrap()
    }

    #[test]
    fn a_note_takes_a_free_voice_then_a_released_one_then_the_oldest() {
        let (mut link, _far) = link();
        let mut notes = Notes::new();
        for key in 0..POLYPHONY as u8 {
            assert_eq!(start(&mut notes, key, &mut link), usize::from(key));
        }
        notes.release(NoteAddress::key(5));
        assert_eq!(start(&mut notes, 60, &mut link), 5);
        assert_eq!(start(&mut notes, 61, &mut link), 0);
        assert_eq!(start(&mut notes, 62, &mut link), 1);
        let ended = std::iter::from_fn(|| notes.next_ended()).map(|n| n.key);
        assert_eq!(ended.collect::<Vec<_>>(), [Some(1), Some(0), Some(5)]);
    }

    #[test]
    fn what_a_pedal_holds_is_taken_after_released_notes_and_before_keys_that_are_down() {
        let (mut link, _far) = link();
        let mut notes = Notes::new();
        let last = POLYPHONY as u8 - 1;
        notes.set_sustain(0, true);
        (0..last).for_each(|key| {
            start(&mut notes, key, &mut link);
        });
        notes.release(NoteAddress::key(9));
        notes.set_sustain(0, false);
        notes.set_sustain(0, true);
        start(&mut notes, last, &mut link);
        notes.release(NoteAddress::key(5));
        notes.release(NoteAddress::key(7));
        let taken: Vec<_> = (60..64)
            .map(|key| start(&mut notes, key, &mut link))
            .collect();
        assert_eq!(taken, [9, 5, 7, 0]);
    }

    #[test]
    fn some_voices_have_streams_in_readiness_and_all_that_sound_ask_for_theirs() {
        let (mut link, _far) = link();
        let mut notes = Notes::new();
        let asked = |notes: &Notes| notes.voices().iter().filter(|v| v.has_asked()).count();
        notes.keep_standby(&mut link);
        assert_eq!(asked(&notes), STANDBY);
        for key in 0..6 {
            start(&mut notes, key, &mut link);
        }
        notes.request_missing(&mut link);
        assert_eq!(asked(&notes), 6);
        notes.keep_standby(&mut link);
        assert_eq!(asked(&notes), 6 + STANDBY);
    }

    #[test]
    fn hold_sounds_while_it_is_wanted() {
        let (mut link, _far) = link();
        let mut hold = super::super::hold::Hold::new();
        let mut controls = Controls {
            hold: true,
            ..Controls::DEFAULT
        };
        let recent = Channels::AT_REST;
        let recent = recent.recent();
        hold.follow(&controls, recent, false, &mut link);
        assert!(hold.voice().is_held() && !hold.voice().has_asked());
        hold.keep_ready(&controls, &mut link);
        assert!(hold.voice().has_asked());
        controls.hold = false;
        hold.follow(&controls, recent, false, &mut link);
        assert!(!hold.voice().is_held() && hold.voice().is_sounding());
    }
}
