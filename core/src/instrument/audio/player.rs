//! The audio thread's half of an instrument.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringbuf::traits::{Consumer, Producer};
use ringbuf::{HeapCons, HeapProd};

use super::envelope::EnvelopeTimes;
use super::host_lead::HostLead;
use super::limiter::Limiter;
use super::pacer::Pacer;
use super::recorder::Recorder;
use super::song::Song;
use super::voice::{CONTROL_INTERVAL, Inbox, Smoothing, Voice};
use crate::instrument::controls::{
    CaptureSettings, Controls, NoteAddress, NoteControl, Quality, Slot, Transport,
};
use crate::instrument::shared::{
    CaptureMeter, InputNews, MetersWriter, SongPaces, StreamReply, StreamRequest, TexturesReader,
    Work,
};
use crate::instrument::stream::{Engine, NoWait, Place, StreamStart, Supply};
use crate::numeric::random::Noise;

/// Notes that sound at once.
pub const POLYPHONY: usize = 16;
/// The voice of Hold comes after those of the notes.
const HOLD_VOICE: usize = POLYPHONY;
const VOICES: usize = POLYPHONY + 1;
/// Voices with a stream in readiness for the notes to come.
const STANDBY: usize = 4;
/// Seconds in which one stream takes over from another.
const CROSSFADE_S: f64 = 0.03;
/// Longest wait for the worker in a bounce: a fit of the usual length takes 8 to 14 s on two cores.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// In so much time, it waits for fits no longer than that in all: a host that goes to and fro between playing
/// and bouncing, with new fits each time, would seem to hang.
const PATIENCE_PERIOD: Duration = Duration::from_secs(60);
/// How often the audio thread looks again while it waits in a bounce.
const WAIT_STEP: Duration = Duration::from_micros(50);
/// Ended notes that the host has not asked for yet.
const ENDED_NOTES: usize = 64;
/// Stream of random numbers from which the voices' own seeds are drawn.
const VOICE_SEED_STREAM: u32 = 81;

/// The audio thread's half of an instrument: takes notes and input, and plays the texture.
///
/// [`process`](Self::process), [`reset`](Self::reset), notes and captures are real-time safe: they don't
/// allocate, lock, free or call the system, but for the waits of [`set_offline`](Self::set_offline).
pub struct Player {
    work: Arc<Work>,
    meters: MetersWriter,
    textures: TexturesReader,
    news: HeapProd<InputNews>,
    requests: HeapProd<StreamRequest>,
    retired: HeapProd<Box<Engine>>,
    streams: HeapCons<StreamReply>,
    recorder: Recorder,
    pacer: Pacer,
    sample_rate: f64,
    fade_samples: usize,
    smoothing: Smoothing,
    limiter: Limiter,
    voices: Vec<Voice>,
    /// Samples processed since the last reset.
    clock: u64,
    /// Number of the stream that was asked for last.
    epoch: u32,
    /// Notes so far.
    notes: u64,
    ended: [NoteAddress; ENDED_NOTES],
    ended_count: usize,
    song: Option<Song>,
    bar: i64,
    locked: bool,
    /// What the streams were made for: another seed, quality, slot or texture (by its number) needs new ones.
    made_for: Option<(u32, Quality, Slot, Option<NonZeroU64>)>,
    slot: Slot,
    /// All streams are to start from the beginning.
    rewind: bool,
    offline: bool,
    lead: HostLead,
    /// A host that renders faster than real time without saying so may be kept waiting until then.
    patience_until: Option<Instant>,
    /// The bounce has waited in vain, and does not wait again for any of the kind before all are done.
    ignores_commands: bool,
    ignores_fits: bool,
    /// How long it waits for fits.
    fit_patience: FitPatience,
    /// Whether it still waits for streams and frames; not after it did in vain.
    patient: bool,
}

/// Rings and values that the split hands to the audio thread.
pub(in crate::instrument) struct PlayerEnds {
    pub work: Arc<Work>,
    pub meters: MetersWriter,
    pub capture_meter: CaptureMeter,
    pub textures: TexturesReader,
    pub paces: SongPaces,
    pub news: HeapProd<InputNews>,
    pub requests: HeapProd<StreamRequest>,
    pub retired: HeapProd<Box<Engine>>,
    pub streams: HeapCons<StreamReply>,
    pub input: HeapProd<f32>,
}

impl Player {
    pub(in crate::instrument) fn new(ends: PlayerEnds) -> Self {
        Self {
            recorder: Recorder::new(ends.work.clone(), ends.capture_meter, ends.input),
            pacer: Pacer::new(ends.paces),
            work: ends.work,
            meters: ends.meters,
            textures: ends.textures,
            news: ends.news,
            requests: ends.requests,
            retired: ends.retired,
            streams: ends.streams,
            sample_rate: 0.0,
            fade_samples: 1,
            smoothing: Smoothing::default(),
            limiter: Limiter::new(48_000.0),
            voices: (0..VOICES).map(|_| Voice::new()).collect(),
            clock: 0,
            epoch: 0,
            notes: 0,
            ended: [NoteAddress::default(); ENDED_NOTES],
            ended_count: 0,
            song: None,
            bar: 0,
            locked: false,
            made_for: None,
            slot: Slot::A,
            rewind: true,
            offline: false,
            lead: HostLead::default(),
            patience_until: None,
            ignores_commands: false,
            ignores_fits: false,
            fit_patience: FitPatience::default(),
            patient: true,
        }
    }

    /// Tells the host's sample rate in Hz. Not while processing: the main thread calls it. The texture
    /// stays.
    pub fn prepare(&mut self, sample_rate: f64) {
        if self.sample_rate == sample_rate {
            return;
        }
        self.sample_rate = sample_rate;
        self.fade_samples = (CROSSFADE_S * sample_rate).ceil() as usize;
        self.smoothing = Smoothing::new(sample_rate);
        self.limiter = Limiter::new(sample_rate);
        self.cancel_capture();
        self.recorder.prepare(sample_rate, &mut self.news);
        self.pacer.prepare(sample_rate);
        // Streams at the old rate are of no use.
        for voice in &mut self.voices {
            let Voice {
                current,
                fading,
                inbox,
                ..
            } = std::mem::replace(voice, Voice::new());
            let streams = [current, fading, inbox.map(|i| i.engine)];
            for stream in streams.into_iter().flatten() {
                retire(&mut self.retired, stream);
            }
        }
        self.epoch = self.epoch.wrapping_add(1);
        self.reset();
    }

    /// Says whether the host bounces: then [`process`](Self::process) waits for commands, fits of the slot
    /// that plays, and frames (at most 20 s for each), so that every bounce is the same. Fits of captures
    /// that are made within the bounce go on with its song instead, 200 steps a second. In real time it never
    /// waits, but for frames where the host has asked for more sound than time has gone by. A bounce begins
    /// as after a [`reset`](Self::reset), whatever was played before, and so it does where its song starts.
    pub fn set_offline(&mut self, offline: bool) {
        if self.offline != offline {
            self.offline = offline;
            self.patient = true;
            self.ignores_commands = false;
            self.ignores_fits = false;
            self.meters.set_offline(offline);
            self.pacer.set_bouncing(offline);
            if offline {
                self.reset();
            }
        }
    }

    /// Silence, no notes, and the texture back at its beginning.
    pub fn reset(&mut self) {
        for voice in &mut self.voices {
            voice.reset();
            let streams = [voice.finish_fade(), voice.inbox.take().map(|i| i.engine)];
            for stream in streams.into_iter().flatten() {
                retire(&mut self.retired, stream);
            }
        }
        self.limiter.reset();
        self.clock = 0;
        self.meters.set_clock(0);
        self.notes = 0;
        self.ended_count = 0;
        self.song = None;
        self.locked = false;
        self.patient = true;
        self.rewind = true;
        self.lead = HostLead::default();
    }

    /// Starts to record what is processed from now on, or from the moment that `settings` name. A recording
    /// that is going on is dropped.
    pub fn start_capture(&mut self, settings: CaptureSettings) {
        if self.sample_rate > 0.0 {
            self.recorder.start(settings);
        }
    }

    /// Makes a recording of the last seconds that were processed, as far as they are remembered.
    /// `settings.start` does not matter.
    pub fn grab(&mut self, settings: CaptureSettings) {
        if self.sample_rate > 0.0 {
            self.recorder
                .grab(&settings, &mut self.news, &mut self.pacer);
        }
    }

    /// Drops the recording that is going on or waits to begin, if any.
    pub fn cancel_capture(&mut self) {
        self.recorder.drop_recording();
    }

    /// Whether a recording is going on or waits to begin.
    pub fn is_capturing(&self) -> bool {
        self.recorder.is_recording()
    }

    /// Starts a note, named by its channel and key (and number, if the host counts them), with a
    /// `velocity` of 0 to 1. Where all voices sound, the quietest of the released ones goes over to it, or
    /// else the oldest.
    pub fn note_on(&mut self, note: NoteAddress, velocity: f32) {
        let at = self.free_voice();
        if self.voices[at].is_sounding() {
            self.note_ended(self.voices[at].note);
        }
        self.notes += 1;
        let voice = &mut self.voices[at];
        voice.start(note, velocity, self.notes);
        if self.locked {
            self.request(at);
        }
    }

    fn free_voice(&self) -> usize {
        let notes = &self.voices[..POLYPHONY];
        let first = |ready: bool| {
            notes
                .iter()
                .position(|v| !v.is_sounding() && (!ready || v.current.is_some()))
        };
        // In a bounce, the choice must not depend on how fast the worker is.
        let ready = if self.may_wait() { None } else { first(true) };
        let rank = |v: &Voice| {
            let released = !v.envelope.is_held();
            let level = if released { v.envelope.level() } else { 0.0 };
            (!released, level, v.age)
        };
        let order = |a: &Voice, b: &Voice| {
            let ((a0, a1, a2), (b0, b1, b2)) = (rank(a), rank(b));
            a0.cmp(&b0).then(a1.total_cmp(&b1)).then(a2.cmp(&b2))
        };
        ready.or_else(|| first(false)).unwrap_or_else(|| {
            let stolen = notes.iter().enumerate().min_by(|a, b| order(a.1, b.1));
            stolen.map_or(0, |(at, _)| at)
        })
    }

    /// Ends the notes that fit: they fade in their release time.
    pub fn note_off(&mut self, note: NoteAddress) {
        for voice in &mut self.voices[..POLYPHONY] {
            if note.fits(&voice.note) {
                voice.envelope.release();
            }
        }
    }

    /// Ends the notes that fit at once, without their release.
    pub fn choke(&mut self, note: NoteAddress) {
        for voice in &mut self.voices[..POLYPHONY] {
            if note.fits(&voice.note) {
                voice.envelope.choke();
            }
        }
    }

    /// Ends all notes.
    pub fn all_notes_off(&mut self) {
        self.note_off(NoteAddress::default());
    }

    /// Changes a control of the notes that fit and sound. What is out of range is kept within.
    pub fn control_note(&mut self, note: NoteAddress, control: NoteControl, value: f32) {
        for voice in &mut self.voices[..POLYPHONY] {
            if voice.is_sounding() && note.fits(&voice.note) {
                voice.set_own(control, value);
            }
        }
    }

    /// Says where the song is at the next sample that is processed; `None` while it stands still. Needed
    /// once for each block of the host; in between, the player counts on.
    pub fn set_transport(&mut self, transport: Option<Transport>) {
        let jumped = match (&mut self.song, &transport) {
            (_, None) => {
                self.song = None;
                false
            }
            (None, Some(transport)) => {
                if self.offline {
                    self.reset();
                }
                self.song = Some(Song::new(transport, self.clock));
                false
            }
            (Some(song), Some(transport)) => song.follow(transport, self.clock, self.sample_rate),
        };
        if jumped && self.locked {
            // Found again with the next sample, as if the song had just started.
            self.locked = false;
        }
    }

    /// The next of the notes whose sound has ended since the last call, whether by their release or because
    /// another one took their voice.
    pub fn next_ended_note(&mut self) -> Option<NoteAddress> {
        self.ended_count = self.ended_count.checked_sub(1)?;
        Some(self.ended[self.ended_count])
    }

    fn note_ended(&mut self, note: NoteAddress) {
        // If a host never asks, the newest ones are not told.
        if let Some(place) = self.ended.get_mut(self.ended_count) {
            *place = note;
            self.ended_count += 1;
        }
    }

    /// Processes one stretch of a block, of any length: `input` (left, right) is what captures record,
    /// `output` (left, right) is overwritten. All four are equally long.
    ///
    /// # Panics
    /// If they are not.
    pub fn process(&mut self, input: [&[f32]; 2], output: [&mut [f32]; 2], controls: &Controls) {
        let length = output[0].len();
        assert!(output[1].len() == length && input.iter().all(|x| x.len() == length));
        self.patience_until = match self.offline {
            true => None,
            false => self.lead.ask(length as f64 / self.sample_rate.max(1.0)),
        };
        let [left, right] = output;
        let peak = |x: &[f32]| x.iter().fold(0.0f32, |p, x| p.max(x.abs()));
        let input_peak = peak(input[0]).max(peak(input[1]));
        self.meters.raise_input_peak(input_peak);
        self.meters.set_playing(controls.slot);
        let (mut done, mut heard) = (0, 0);
        while done < length {
            // Everything happens on a grid that starts with the last reset, however the host cuts its
            // blocks; what follows the end of a recording does so on the sample.
            let to_tick = CONTROL_INTERVAL - (self.clock % CONTROL_INTERVAL as u64) as usize;
            let to_end = self.recorder.left().unwrap_or(to_tick).max(1);
            let count = to_tick.min(to_end).min(length - done);
            let part = done..done + count;
            done = part.end;
            let to_bar = self.samples_to_bar(part.start - heard);
            self.play(&mut left[part.clone()], &mut right[part], controls);
            // What follows the end of a recording does so on the sample; else there is no hurry.
            if self.recorder.is_recording() || done == length {
                self.hear(input.map(|x| &x[heard..done]), to_bar);
                heard = done;
            }
        }
        let sounding = self.voices.iter().filter(|v| v.is_sounding()).count();
        self.meters.set_voices(sounding);
        self.meters.set_clock(self.clock);
        let output_peak = peak(left).max(peak(right));
        self.meters.raise_output_peak(output_peak);
    }

    fn hear(&mut self, [left, right]: [&[f32]; 2], to_bar: Option<usize>) {
        if self.may_wait() {
            self.wait(|player| player.recorder.has_room(left.len()));
        }
        self.recorder
            .hear(left, right, to_bar, &mut self.news, &mut self.pacer);
    }

    /// Samples until the song's next bar, for a recording that waits for it; counted from `before` samples
    /// ago.
    fn samples_to_bar(&self, before: usize) -> Option<usize> {
        let song = self.song.filter(|_| self.recorder.waits_for_bar())?;
        let clock = self.clock.wrapping_sub(before as u64);
        Some(song.samples_to_bar(clock, self.sample_rate))
    }

    /// Plays up to the next look at the controls.
    fn play(&mut self, left: &mut [f32], right: &mut [f32], controls: &Controls) {
        left.fill(0.0);
        right.fill(0.0);
        if self.offline {
            self.wait_for_worker(controls.slot);
        }
        self.hold(controls);
        self.ask_for_streams(controls);
        let side_share = self.textures.side_share(self.slot);
        if self.clock.is_multiple_of(CONTROL_INTERVAL as u64) {
            self.rest_voices();
            self.follow_bars(controls);
            for voice in self.voices.iter_mut().filter(|v| v.is_sounding()) {
                voice.tick(controls, &self.smoothing, side_share);
            }
        } else {
            for voice in self.voices.iter_mut().filter(|v| v.is_fresh()) {
                voice.tick(controls, &self.smoothing, side_share);
            }
        }
        self.tell_requests(controls);
        self.take_streams();
        if self.may_wait() && self.patient {
            self.wait_for_streams(controls);
        }
        self.render(left, right, controls);
        self.clock += left.len() as u64;
        if self.offline {
            self.pacer.advance(left.len(), controls.slot);
        }
    }

    fn rest_voices(&mut self) {
        for at in 0..VOICES {
            if self.voices[at].rest() && at != HOLD_VOICE {
                self.note_ended(self.voices[at].note);
            }
        }
    }

    /// Hold is a note of its own, at the root key.
    fn hold(&mut self, controls: &Controls) {
        let voice = &mut self.voices[HOLD_VOICE];
        if controls.hold && !voice.envelope.is_held() {
            voice.start(NoteAddress::key(controls.root_key), 1.0, 0);
            if self.locked {
                self.request(HOLD_VOICE);
            }
        } else if !controls.hold {
            voice.envelope.release();
        }
    }

    fn is_locked(&self, controls: &Controls) -> bool {
        controls.lock && self.song.is_some()
    }

    /// Asks for new streams where something has changed that the old ones can't follow.
    fn ask_for_streams(&mut self, controls: &Controls) {
        let texture = self.textures.number(controls.slot);
        let made_for = Some((controls.seed, controls.quality, controls.slot, texture));
        let locked = self.is_locked(controls);
        let all = self.made_for != made_for || self.rewind;
        let found = locked && !self.locked;
        (self.made_for, self.slot) = (made_for, controls.slot);
        if found && let Some(song) = &self.song {
            self.bar = song.bar_number(self.clock, self.sample_rate);
        }
        self.locked = locked;
        if all || found {
            for at in 0..VOICES {
                let voice = &mut self.voices[at];
                if self.rewind {
                    voice.place = (0, 0.0);
                } else {
                    voice.keep_place();
                }
                if voice.is_sounding() || (all && voice.wanted != 0) {
                    self.request(at);
                }
                if texture.is_none() {
                    self.fall_silent(at);
                }
            }
            self.rewind = false;
        }
        // Streams for the next notes, and for Hold.
        let idle = |v: &&Voice| !v.is_sounding() && v.wanted != 0;
        let in_readiness = self.voices[..POLYPHONY].iter().filter(idle).count();
        if in_readiness < STANDBY {
            let new = |v: &Voice| v.wanted == 0;
            for _ in in_readiness..STANDBY {
                if let Some(at) = self.voices[..POLYPHONY].iter().position(new) {
                    self.request(at);
                }
            }
        }
        if self.voices[HOLD_VOICE].wanted == 0 && controls.hold {
            self.request(HOLD_VOICE);
        }
        for at in 0..POLYPHONY {
            let voice = &self.voices[at];
            if voice.is_sounding() && voice.wanted == 0 {
                self.request(at);
            }
        }
    }

    /// An empty slot plays: what a voice has sounded with fades out.
    fn fall_silent(&mut self, at: usize) {
        let fade = self.fade_samples;
        for old in self.voices[at].fall_silent(fade).into_iter().flatten() {
            retire(&mut self.retired, old);
        }
    }

    /// A voice needs another stream.
    fn request(&mut self, at: usize) {
        // 0 is no stream.
        self.epoch = self.epoch.wrapping_add(1).max(1);
        let voice = &mut self.voices[at];
        voice.wanted = self.epoch;
        voice.unsent = true;
        if let Some(inbox) = voice.inbox.take() {
            retire(&mut self.retired, inbox.engine);
        }
    }

    /// With another time than its own, a locked texture starts every bar anew.
    fn follow_bars(&mut self, controls: &Controls) {
        let Some(song) = self.song.filter(|_| self.locked) else {
            return;
        };
        let bar = song.bar_number(self.clock, self.sample_rate);
        let new_bar = bar != self.bar;
        self.bar = bar;
        for at in 0..VOICES {
            let voice = &mut self.voices[at];
            if !voice.is_sounding() {
                continue;
            }
            let (line, _) = song.line(
                self.clock,
                self.sample_rate,
                controls.lock_tempo,
                voice.anchor_s,
            );
            voice.follow_time(&line);
            if new_bar && voice.is_off_the_song() {
                self.request(at);
            }
        }
    }

    /// Sends what was asked for. A request that finds no room is sent the next time.
    fn tell_requests(&mut self, controls: &Controls) {
        for at in 0..VOICES {
            let voice = &mut self.voices[at];
            // A stream that came during a cross-fade would have to wait, and miss its place in the song.
            if !voice.unsent || voice.fading.is_some() {
                continue;
            }
            if !voice.is_sounding() {
                voice.settle(controls, &self.smoothing);
            }
            let frame_controls = *voice.frame_controls();
            let song = self.song.filter(|_| self.locked && voice.is_sounding());
            let (place, own) = match song {
                Some(song) => {
                    let anchor_s = (0.0, 0.0);
                    let (mut line, bar_s) =
                        song.line(self.clock, self.sample_rate, controls.lock_tempo, anchor_s);
                    if frame_controls.time != 1.0 {
                        line.anchor_s = (bar_s, bar_s);
                    }
                    voice.set_anchor(line.anchor_s);
                    let sample = song.samples_at(self.clock);
                    // A key plays the same in a bar whichever voice it gets.
                    let key = voice.note.key.map_or(0, u32::from);
                    let own = if at == HOLD_VOICE { 0 } else { 256 + key };
                    (Place::Song { sample, line }, own)
                }
                None => {
                    let (frame, position) = voice.place;
                    let own = if at == HOLD_VOICE { 0 } else { at as u32 + 1 };
                    let place = Place::Free {
                        frame,
                        position,
                        stagger: f64::from(own) / VOICES as f64,
                    };
                    (place, own)
                }
            };
            let request = StreamRequest {
                voice: at as u8,
                slot: controls.slot,
                epoch: voice.wanted,
                urgent: voice.is_sounding(),
                clock: self.clock,
                start: StreamStart {
                    seed: voice_seed(controls.seed, own),
                    quality: controls.quality,
                    host_rate: self.sample_rate,
                    controls: frame_controls,
                    place,
                },
            };
            voice.unsent = self.requests.try_push(request).is_err();
        }
    }

    /// Gives the streams that have come to their voices, and ends cross-fades.
    fn take_streams(&mut self) {
        while let Some(reply) = self.streams.try_pop() {
            let voice = &mut self.voices[usize::from(reply.voice)];
            if reply.epoch != voice.wanted || voice.inbox.is_some() {
                retire(&mut self.retired, reply.engine);
                continue;
            }
            if reply.clock.is_some_and(|c| c < self.clock) {
                // It took longer than the worker thought: the song is past it.
                retire(&mut self.retired, reply.engine);
                self.request(usize::from(reply.voice));
                continue;
            }
            voice.inbox = Some(Inbox {
                engine: reply.engine,
                epoch: reply.epoch,
                clock: reply.clock,
            });
        }
        for voice in &mut self.voices {
            if (voice.is_fade_over() || !voice.is_sounding())
                && let Some(old) = voice.finish_fade()
            {
                retire(&mut self.retired, old);
            }
            if let Some(old) = voice.take_over(self.clock, self.fade_samples) {
                retire(&mut self.retired, old);
            }
        }
    }

    fn render(&mut self, left: &mut [f32], right: &mut [f32], controls: &Controls) {
        let times = EnvelopeTimes {
            attack_s: controls.attack_s,
            decay_s: controls.decay_s,
            sustain: controls.sustain,
            release_s: controls.release_s,
        };
        let mut patience = Patience {
            until: self.patience_until,
            in_vain: false,
        };
        let waits = self.may_wait() && self.patient;
        let mut missing = 0;
        let song = self.song.filter(|_| self.locked);
        for voice in self.voices.iter_mut().filter(|v| v.is_sounding()) {
            voice.envelope.set_times(&times, self.sample_rate as f32);
            let line = song.filter(|_| voice.has == voice.wanted).map(|song| {
                song.line(
                    self.clock,
                    self.sample_rate,
                    controls.lock_tempo,
                    voice.anchor_s,
                )
                .0
            });
            let (fade, smoothing) = (self.fade_samples, &self.smoothing);
            missing += if waits {
                voice.render(left, right, line.as_ref(), fade, smoothing, &mut patience)
            } else {
                voice.render(left, right, line.as_ref(), fade, smoothing, &mut NoWait)
            };
        }
        if patience.in_vain && self.offline {
            self.patient = false;
            self.meters.tell_wait_failed();
        }
        if missing > 0 {
            self.meters.add_underruns(missing);
        }
        if controls.limiter {
            self.limiter.process(left, right);
        }
    }

    /// In a bounce: waits for commands, for what is due of the fits that keep to the song, and for other fits
    /// of the slot that plays; what they changed is heard from here on.
    fn wait_for_worker(&mut self, slot: Slot) {
        self.wait_for_commands();
        self.pacer.hear_begun();
        if self.clock.is_multiple_of(CONTROL_INTERVAL as u64) {
            self.wait_for_paced_fits();
        }
        self.wait_for_fits(slot);
    }

    fn wait_for_commands(&mut self) {
        let has_commands = |p: &mut Self| p.work.has_commands();
        if !has_commands(self) {
            self.ignores_commands = false;
        } else if !self.ignores_commands {
            self.ignores_commands = !self.wait(|p| !has_commands(p));
        }
    }

    fn wait_for_paced_fits(&mut self) {
        self.pacer.look();
        if self.pacer.is_settled() {
            return;
        }
        self.pacer.await_settled(true);
        let is_settled = self.wait(|p| p.pacer.is_settled());
        self.pacer.await_settled(false);
        if !is_settled {
            self.pacer.give_up();
        }
    }

    fn wait_for_fits(&mut self, slot: Slot) {
        self.ignores_fits &= self.work.has_any_fits();
        let has_fits = |p: &Self| p.work.has_fits(slot);
        if self.ignores_fits || !has_fits(self) {
            return;
        }
        let begin = Instant::now();
        let until = self.fit_patience.until(begin);
        self.wait(|p| !has_fits(p) || Instant::now() > until);
        self.fit_patience.spend(begin.elapsed());
        if has_fits(self) {
            self.ignores_fits = true;
            self.meters.tell_wait_failed();
            return;
        }
        // Frames of snapshots that nobody heard are on their way: start again where we are.
        self.made_for = None;
        self.patient = true;
    }

    /// Whether the host may be kept waiting.
    fn may_wait(&self) -> bool {
        self.offline || self.patience_until.is_some()
    }

    /// In a bounce: waits for the streams that sounding voices asked for, if there is a texture at all.
    fn wait_for_streams(&mut self, controls: &Controls) {
        let lacks = |p: &Self| {
            p.voices.iter().any(|v| {
                let waits = v.inbox.as_ref().is_some_and(|i| i.epoch == v.wanted);
                v.is_sounding() && v.has != v.wanted && !v.unsent && !waits
            })
        };
        // Somebody may empty the slot meanwhile: then none will come.
        let is_empty = |p: &Self| p.textures.number(p.slot).is_none();
        if !lacks(self) || is_empty(self) {
            return;
        }
        let came = self.wait(|player| {
            player.tell_requests(controls);
            player.take_streams();
            !lacks(player) || is_empty(player)
        });
        self.patient = came || !self.offline;
    }

    /// Waits until `done`, only ever where [`may_wait`](Self::may_wait). Returns whether it came to that.
    fn wait(&mut self, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let mut patience = Patience {
            until: self.patience_until,
            in_vain: false,
        };
        while !done(self) {
            if !patience.wait() {
                if self.offline {
                    self.meters.tell_wait_failed();
                }
                return false;
            }
        }
        true
    }
}

/// Sends a stream back to be freed. The worker made it, and made fewer than there is room for.
fn retire(retired: &mut HeapProd<Box<Engine>>, engine: Box<Engine>) {
    if let Err(engine) = retired.try_push(engine) {
        // Freeing it here would be worse than never.
        std::mem::forget(engine);
    }
}

/// Seed of a voice's own stream: variation 0 is the seed's own.
fn voice_seed(seed: u32, own: u32) -> u32 {
    if own == 0 {
        seed
    } else {
        Noise::new(seed, VOICE_SEED_STREAM).frame(0).bits(own)
    }
}

/// Who may wait does so for everything, for a while.
struct Patience {
    /// For how long; if that is not known yet, [`LONGEST_WAIT`] from the first time on.
    until: Option<Instant>,
    in_vain: bool,
}

impl Supply for Patience {
    fn wait(&mut self) -> bool {
        let now = Instant::now();
        if self.in_vain || now > *self.until.get_or_insert(now + LONGEST_WAIT) {
            self.in_vain = true;
            return false;
        }
        std::thread::sleep(WAIT_STEP);
        true
    }
}

/// How long a bounce waits for fits.
#[derive(Default)]
struct FitPatience {
    from: Option<Instant>,
    spent: Duration,
}

impl FitPatience {
    /// Until when a wait that begins now may last.
    fn until(&mut self, now: Instant) -> Instant {
        if self.from.is_none_or(|from| now - from >= PATIENCE_PERIOD) {
            (self.from, self.spent) = (Some(now), Duration::ZERO);
        }
        now + LONGEST_WAIT.saturating_sub(self.spent)
    }

    /// It lasted so long.
    fn spend(&mut self, time: Duration) {
        self.spent += time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_waits_for_fits_together_are_no_longer_than_one() {
        let mut patience = FitPatience::default();
        let begin = Instant::now();
        assert_eq!(patience.until(begin) - begin, LONGEST_WAIT);
        patience.spend(LONGEST_WAIT / 2);
        let later = begin + LONGEST_WAIT;
        assert_eq!(patience.until(later) - later, LONGEST_WAIT / 2);
        patience.spend(LONGEST_WAIT);
        assert_eq!(patience.until(later), later);
        let next = begin + PATIENCE_PERIOD;
        assert_eq!(patience.until(next) - next, LONGEST_WAIT);
    }
}
