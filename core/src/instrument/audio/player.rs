//! The audio thread's half of an instrument.

use std::sync::Arc;

use ringbuf::{HeapCons, HeapProd};

use super::bounce::Bounce;
use super::follower::SongFollower;
use super::limiter::Limiter;
use super::observer::Observer;
use super::outlook::Outlook;
use super::pacer::Pacer;
use super::part::{Part, samples_to_grid};
use super::recorder::Recorder;
use super::voices::{NoteStart, StreamLink, VoicePool, tail_s};
use crate::instrument::controls::{
    CaptureSettings, ChannelControl, Controls, NoteAddress, NoteControl, Transport,
};
use crate::instrument::shared::{
    CaptureMeter, DeskReader, InputNews, MetersWriter, ScopeWriter, SongPaces, StreamReply,
    StreamRequest, TexturesReader, Waker, Work,
};
use crate::instrument::stream::{Engine, NoWait};

/// The audio thread's half of an instrument: takes notes and input, and plays the texture.
///
/// [`process`](Self::process), [`reset`](Self::reset), notes and captures are real-time safe: they don't
/// allocate, lock, free or call the system, but for the waits of [`set_offline`](Self::set_offline).
pub struct Player {
    waker: Waker,
    /// Wakes the watch, which answers calls.
    watch: Waker,
    meters: MetersWriter,
    textures: TexturesReader,
    /// Sample rate of the host in Hz.
    sample_rate: f64,
    /// Samples processed since the last reset.
    clock: u64,
    bounce: Bounce,
    follower: SongFollower,
    voices: VoicePool,
    limiter: Limiter,
    recorder: Recorder,
    observer: Observer,
}

/// Rings and values that the split hands to the audio thread.
pub(in crate::instrument) struct PlayerEnds {
    pub work: Arc<Work>,
    pub waker: Waker,
    pub watch: Waker,
    pub meters: MetersWriter,
    pub capture_meter: CaptureMeter,
    pub desk: DeskReader,
    pub textures: TexturesReader,
    pub scope: ScopeWriter,
    pub paces: SongPaces,
    pub news: HeapProd<InputNews>,
    pub requests: HeapProd<StreamRequest>,
    pub retired: HeapProd<Box<Engine>>,
    pub streams: HeapCons<StreamReply>,
    pub input: HeapProd<f32>,
}

/// Sample rate in Hz until the host says its own.
const UNPREPARED_RATE_HZ: f64 = 48_000.0;

impl Player {
    pub(in crate::instrument) fn new(ends: PlayerEnds) -> Self {
        let link = StreamLink::new(
            ends.requests,
            ends.streams,
            ends.retired,
            ends.waker.clone(),
        );
        Self {
            waker: ends.waker.clone(),
            watch: ends.watch,
            meters: ends.meters,
            textures: ends.textures,
            sample_rate: 0.0,
            clock: 0,
            bounce: Bounce::new(
                ends.work.clone(),
                ends.waker.clone(),
                Pacer::new(ends.paces),
            ),
            follower: SongFollower::new(),
            voices: VoicePool::new(link),
            limiter: Limiter::new(UNPREPARED_RATE_HZ),
            recorder: Recorder::new(
                ends.work,
                ends.desk,
                ends.capture_meter,
                ends.news,
                ends.input,
                ends.waker,
            ),
            observer: Observer::new(ends.scope),
        }
    }

    /// Takes the host's sample rate in Hz. Not while processing: the main thread calls it. The texture
    /// stays.
    pub fn prepare(&mut self, sample_rate: f64) {
        // The first notes should not find anybody asleep.
        self.waker.wake();
        self.watch.wake();
        if self.sample_rate == sample_rate {
            return;
        }
        self.sample_rate = sample_rate;
        self.limiter = Limiter::new(sample_rate);
        self.recorder.prepare(sample_rate);
        self.bounce.prepare(sample_rate);
        self.follower.prepare(sample_rate);
        self.voices.prepare(sample_rate);
        self.reset();
    }

    /// Says whether the host bounces: then [`process`](Self::process) waits for commands, fits of the slot
    /// that plays, and frames (at most 20 s for each), so that every bounce is the same. Fits of captures
    /// that are made within the bounce go on with its song instead, 200 steps a second. In real time it never
    /// waits, but for frames where the host has asked for more sound than time has gone by. A bounce begins
    /// as after a [`reset`](Self::reset), whatever was played before, and so it does where its song starts.
    pub fn set_offline(&mut self, offline: bool) {
        if self.bounce.set_offline(offline) {
            self.meters.set_offline(offline);
            // Fits that kept to the bounce go on without it.
            self.waker.call();
            if offline {
                self.reset();
            }
        }
    }

    /// Silence, no notes, all pedals up, what channels do at rest, and the texture back at its beginning.
    pub fn reset(&mut self) {
        self.clock = 0;
        self.meters.set_clock(0);
        self.bounce.reset();
        self.follower.reset();
        self.voices.reset();
        self.limiter.reset();
        self.observer.reset();
    }

    /// Starts to record what is processed from now on, or from the moment that `settings` name. A recording
    /// that is going on is dropped; this one is when the instrument loads other contents.
    pub fn start_capture(&mut self, settings: CaptureSettings) {
        if self.sample_rate > 0.0 {
            self.recorder.start(settings);
        }
    }

    /// Gives a recording that waits to begin other settings; one that has begun goes on as it is.
    pub fn follow_capture(&mut self, settings: CaptureSettings) {
        self.recorder.follow(settings);
    }

    /// Makes a recording of the last seconds that were processed, as far as they are remembered.
    /// `settings.start` does not matter.
    pub fn grab(&mut self, settings: CaptureSettings) {
        if self.sample_rate > 0.0 {
            self.recorder.grab(&settings, &mut self.bounce);
        }
    }

    /// Sends a number to whoever takes errands
    /// ([`Outside::errands`](crate::instrument::Outside::errands)), who gets it a few milliseconds
    /// later. Returns whether there was room for it.
    pub fn send_errand(&mut self, errand: u32) -> bool {
        self.recorder.send_errand(errand)
    }

    /// Drops the recording that is going on or waits to begin, if any.
    pub fn cancel_capture(&mut self) {
        self.recorder.drop_recording();
    }

    /// Whether a recording is going on or waits to begin.
    pub fn is_capturing(&self) -> bool {
        self.recorder.is_recording() && self.recorder.is_wanted()
    }

    /// Whether a recording is going on, and has begun.
    pub fn is_recording(&self) -> bool {
        self.is_capturing() && !self.recorder.is_waiting()
    }

    /// What it does from here on if nothing comes. To be asked after [`process`](Self::process).
    pub fn outlook(&self) -> Outlook {
        if self.voices.is_any_held() || self.recorder.is_recording() {
            Outlook::Endless
        } else if self.bounce.is_offline() || !self.recorder.remembers_nothing() {
            Outlook::Listening
        } else if self.voices.sounding_count() > 0 {
            Outlook::Fading
        } else {
            Outlook::Silent
        }
    }

    /// Seconds for which a note sounds after its end, at most.
    pub fn tail_s(controls: &Controls) -> f32 {
        tail_s(controls.release_s)
    }

    /// Starts a note, named by its channel and key (and number, if the host counts them), with a
    /// `velocity` of 0 to 1. Where all voices sound, the quietest of the released ones goes over to it, or else
    /// the oldest that only a pedal holds, or else the oldest.
    pub fn note_on(&mut self, note: NoteAddress, velocity: f32) {
        let start = NoteStart {
            prefers_ready: !self.bounce.may_wait(),
            is_locked: self.follower.is_locked(),
        };
        self.voices.start_note(note, velocity, start);
    }

    /// Lifts the keys of the notes that fit: they fade in their release time, as soon as no pedal holds them.
    pub fn note_off(&mut self, note: NoteAddress) {
        self.voices.release_notes(note);
    }

    /// Ends the notes that fit at once, without their release, whatever holds them.
    pub fn choke(&mut self, note: NoteAddress) {
        self.voices.choke_notes(note);
    }

    /// Presses or lifts the sustain pedal of a MIDI `channel`, 0 to 15: while it is down, notes of the channel
    /// go on when their keys go up. On another number, nothing happens.
    pub fn set_sustain(&mut self, channel: u8, is_down: bool) {
        self.voices.set_sustain(channel, is_down);
    }

    /// Presses or lifts the sostenuto pedal of a MIDI `channel`, 0 to 15: it holds the notes of the channel whose
    /// keys are down when it is pressed, and no others. On another number, nothing happens.
    pub fn set_sostenuto(&mut self, channel: u8, is_down: bool) {
        self.voices.set_sostenuto(channel, is_down);
    }

    /// Changes what a MIDI `channel`, 0 to 15, does to its notes: to those that sound, also in their release, and
    /// to those that start later, until it is changed again. `None`: all sixteen. What is out of range is kept
    /// within; on another channel, and of what is not a number, nothing happens.
    ///
    /// Hold, and notes without a channel, follow what any channel did last.
    pub fn set_channel_control(
        &mut self,
        channel: Option<u8>,
        control: ChannelControl,
        value: f32,
    ) {
        self.voices.set_channel_control(channel, control, value);
    }

    /// Changes a control of the notes that fit and sound. What is out of range is kept within.
    pub fn control_note(&mut self, note: NoteAddress, control: NoteControl, value: f32) {
        self.voices.control_notes(note, control, value);
    }

    /// The next of the notes whose sound has ended since the last call, whether by their release or because
    /// another one took their voice.
    pub fn next_ended_note(&mut self) -> Option<NoteAddress> {
        self.voices.next_ended_note()
    }

    /// Says where the song is at the next sample that is processed; `None` while it stands still. Needed
    /// once for each block of the host; in between, the player counts on.
    pub fn set_transport(&mut self, transport: Option<Transport>) {
        let starts = transport.is_some() && !self.follower.is_running();
        if starts && self.bounce.is_offline() {
            self.reset();
        }
        self.follower.follow(transport.as_ref(), self.clock);
    }

    /// Processes one stretch of a block, of any length: `input` (left, right) is what captures record,
    /// `output` (left, right) is overwritten. All four are equally long.
    ///
    /// # Panics
    /// If they are not.
    pub fn process(&mut self, input: [&[f32]; 2], output: [&mut [f32]; 2], controls: &Controls) {
        let length = output[0].len();
        assert!(output[1].len() == length && input.iter().all(|x| x.len() == length));
        self.bounce
            .begin_block(length as f64 / self.sample_rate.max(1.0));
        self.recorder.heed_loads();
        self.meters.raise_input_peak(input);
        self.meters.set_playing(controls.slot);
        let [left, right] = output;
        let (mut played, mut recorded) = (0, 0);
        while played < length {
            let part = played..played + self.part_length(length - played);
            played = part.end;
            self.play_part(&mut left[part.clone()], &mut right[part], controls);
            // What follows the end of a recording does so on the sample; else there is no hurry.
            if self.recorder.is_recording() || played == length {
                self.record(input.map(|x| &x[recorded..played]));
                recorded = played;
            }
        }
        let sounding = self.voices.sounding_count();
        self.call_worker(sounding > 0);
        self.meters.set_voices(sounding);
        self.meters.set_clock(self.clock);
        self.meters.raise_output_peak([left, right]);
        self.observer
            .observe([left, right], self.clock, &self.voices);
    }

    /// Says that there are blocks; where anything `sounds`, its streams may have room for frames.
    fn call_worker(&self, sounds: bool) {
        self.waker.stir();
        if sounds && self.bounce.is_offline() {
            // It may call the system, and the bounce is the faster for it.
            self.waker.wake();
        } else if sounds {
            self.waker.call();
        }
    }

    /// Samples of the next part of a block, of which `left` are still to come. Everything happens on a grid
    /// that starts with the last reset, however the host cuts its blocks; what follows the end of a recording
    /// does so on the sample.
    fn part_length(&self, left: usize) -> usize {
        let to_grid = samples_to_grid(self.clock);
        let to_end = self.recorder.samples_left().unwrap_or(to_grid).max(1);
        to_grid.min(to_end).min(left)
    }

    /// Plays one part of a block.
    fn play_part(&mut self, left: &mut [f32], right: &mut [f32], controls: &Controls) {
        left.fill(0.0);
        right.fill(0.0);
        self.wait_for_worker(controls);
        self.voices.follow_hold(controls, self.follower.is_locked());
        let song_is_found = self.follower.lock(controls.lock, self.clock);
        let part = self.part(controls);
        self.voices.request_streams(&part, song_is_found);
        if part.is_on_grid() {
            let begins_bar = self.follower.takes_new_bar(self.clock);
            self.voices.rest();
            self.voices.follow_song(&part, begins_bar);
        }
        self.voices.tick(&part);
        self.voices.exchange_streams(&part);
        self.wait_for_streams(&part);
        self.render(left, right, &part);
        if controls.limiter {
            self.limiter.process(left, right);
        }
        self.clock += left.len() as u64;
        self.bounce.advance(left.len(), controls.slot);
    }

    /// In a bounce: waits for what the worker has to do; what it changed is heard from here on.
    fn wait_for_worker(&mut self, controls: &Controls) {
        let Self {
            bounce,
            meters,
            voices,
            ..
        } = self;
        if bounce.wait_for_worker(controls.slot, self.clock, meters) {
            voices.renew_streams();
        }
    }

    fn part<'a>(&self, controls: &'a Controls) -> Part<'a> {
        Part {
            clock: self.clock,
            sample_rate: self.sample_rate,
            controls,
            song: self.follower.locked(self.clock, controls.lock_tempo),
            texture: self.textures.number(controls.slot),
            side_share: self.textures.side_share(controls.slot),
        }
    }

    /// Where the host may be kept waiting: waits for the streams that sounding voices asked for.
    fn wait_for_streams(&mut self, part: &Part<'_>) {
        let Self {
            bounce,
            meters,
            voices,
            textures,
            ..
        } = self;
        // Somebody may empty the slot meanwhile: then none will come.
        let is_done = |voices: &VoicePool| {
            !voices.lacks_streams() || textures.number(part.controls.slot).is_none()
        };
        if bounce.waits_for_streams() && !is_done(voices) {
            bounce.wait_for_streams(meters, || {
                voices.exchange_streams(part);
                is_done(voices)
            });
        }
    }

    /// Adds what the voices play.
    fn render(&mut self, left: &mut [f32], right: &mut [f32], part: &Part<'_>) {
        let mut patience = self.bounce.frame_patience();
        let missing = match &mut patience {
            Some(patience) => self.voices.render(left, right, part, patience),
            None => self.voices.render(left, right, part, &mut NoWait),
        };
        self.bounce.end_frames(patience, &self.meters);
        if missing > 0 {
            self.meters.add_underruns(missing);
        }
    }

    /// Hands the last samples that were processed to the recorder.
    fn record(&mut self, input: [&[f32]; 2]) {
        let Self {
            bounce,
            meters,
            recorder,
            follower,
            ..
        } = self;
        let count = input[0].len();
        let to_bar = if recorder.waits_for_bar() {
            follower.samples_to_bar(self.clock.wrapping_sub(count as u64))
        } else {
            None
        };
        bounce.wait_for_room(meters, || recorder.has_room(count));
        recorder.record(input, to_bar, bounce);
    }
}
