//! The audio thread's half of an instrument.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ringbuf::traits::{Consumer, Observer, Producer};
use ringbuf::{HeapCons, HeapProd};

use super::engine::Engine;
use super::envelope::{Envelope, SmoothGain};
use super::messages::{CaptureDrop, FromAudio, Shared};

/// Samples that are processed at once; longer blocks are cut.
const CHUNK: usize = 256;
/// Seconds in which one stream takes over from another.
const CROSSFADE_S: f64 = 0.03;
/// Longest wait for the worker in a bounce.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// How often the audio thread looks again while it waits in a bounce.
const WAIT_STEP: Duration = Duration::from_micros(50);
/// Shortest and longest recording in seconds.
pub const CAPTURE_RANGE_S: (f32, f32) = (1.0, 30.0);

/// Settings of a block, as the host's parameters have them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// Output gain in dB.
    pub gain_db: f32,
    /// Seconds from silence to full level after a note starts.
    pub attack_s: f32,
    /// Seconds in which the sound falls by 60 dB after the last note ends.
    pub release_s: f32,
    /// Play without notes.
    pub hold: bool,
    /// Which of its endless variations the texture plays.
    pub seed: u32,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            gain_db: 0.0,
            attack_s: 0.02,
            release_s: 0.3,
            hold: false,
            seed: 0,
        }
    }
}

/// A recording that is going on.
struct Recording {
    samples: usize,
    done: usize,
}

/// The audio thread's half of an instrument: takes notes and input, and plays the texture.
///
/// [`process`](Self::process), [`reset`](Self::reset), notes and captures are real-time safe: they don't
/// allocate, lock, free or call the system, but for the waits of [`set_offline`](Self::set_offline).
pub struct Player {
    shared: Arc<Shared>,
    to_worker: HeapProd<FromAudio>,
    engines: HeapCons<Box<Engine>>,
    capture: HeapProd<f32>,
    sample_rate: f64,
    /// What sounds, and what it takes over from.
    current: Option<Box<Engine>>,
    fading: Option<Box<Engine>>,
    /// Samples of a cross-fade, and how many of them are still to come.
    fade_samples: usize,
    fade_left: usize,
    /// The newest restart that was asked for, and the one that still has to be told to the worker.
    epoch: u32,
    unsent_restart: Option<(u32, i64)>,
    restart_frame: i64,
    seed: Option<u32>,
    offline: bool,
    /// The bounce has waited in vain for this many pending jobs; it does not wait for them again.
    given_up: u32,
    /// Whether it still waits for frames; not after it did in vain, until there is a new engine.
    patient: bool,
    recording: Option<Recording>,
    keys: [bool; 128],
    keys_held: u32,
    velocity: f32,
    envelope: Envelope,
    gain: SmoothGain,
    mix: [[f32; CHUNK]; 2],
    fade_mix: [[f32; CHUNK]; 2],
}

/// Rings and values that the split hands to the audio thread.
pub(super) struct PlayerEnds {
    pub shared: Arc<Shared>,
    pub to_worker: HeapProd<FromAudio>,
    pub engines: HeapCons<Box<Engine>>,
    pub capture: HeapProd<f32>,
}

impl Player {
    pub(super) fn new(ends: PlayerEnds) -> Self {
        Self {
            shared: ends.shared,
            to_worker: ends.to_worker,
            engines: ends.engines,
            capture: ends.capture,
            sample_rate: 0.0,
            current: None,
            fading: None,
            fade_samples: 1,
            fade_left: 0,
            epoch: 0,
            unsent_restart: None,
            restart_frame: 0,
            seed: None,
            offline: false,
            given_up: 0,
            patient: true,
            recording: None,
            keys: [false; 128],
            keys_held: 0,
            velocity: 1.0,
            envelope: Envelope::default(),
            gain: SmoothGain::default(),
            mix: [[0.0; CHUNK]; 2],
            fade_mix: [[0.0; CHUNK]; 2],
        }
    }

    /// Tells the host's sample rate in Hz. Not while processing: the main thread calls it. The texture
    /// stays.
    pub fn prepare(&mut self, sample_rate: f64) {
        self.envelope.set_sample_rate(sample_rate);
        self.gain.set_sample_rate(sample_rate);
        self.fade_samples = (CROSSFADE_S * sample_rate).ceil() as usize;
        if self.sample_rate != sample_rate {
            self.sample_rate = sample_rate;
            self.shared.host_rate.store(sample_rate, Ordering::Release);
            self.cancel_capture();
            // Streams at the old rate are of no use; this thread may free them.
            self.current = None;
            self.fading = None;
            self.restart(0);
        }
    }

    /// Says whether the host bounces: then [`process`](Self::process) waits for commands, fits and frames
    /// (at most two minutes for each), so that every bounce is the same. In real time it never waits.
    pub fn set_offline(&mut self, offline: bool) {
        if self.offline != offline {
            self.offline = offline;
            self.patient = true;
            self.shared.offline.store(offline, Ordering::Release);
        }
    }

    /// Silence, no notes, and the texture back at its beginning.
    pub fn reset(&mut self) {
        self.all_notes_off();
        self.envelope.reset();
        self.gain.reset();
        self.finish_fade();
        self.patient = true;
        self.restart(0);
    }

    /// Starts to record what is processed from now on: `duration_s` seconds, 1 to 30. A recording that
    /// is going on is dropped.
    pub fn start_capture(&mut self, duration_s: f32) {
        self.cancel_capture();
        if self.sample_rate <= 0.0 {
            return;
        }
        let (shortest, longest) = CAPTURE_RANGE_S;
        let duration_s = if duration_s.is_nan() {
            shortest
        } else {
            duration_s
        };
        let seconds = f64::from(duration_s.clamp(shortest, longest));
        let started = FromAudio::CaptureStarted {
            sample_rate: self.sample_rate.round() as u32,
        };
        if self.send(started) {
            let samples = (seconds * self.sample_rate).round() as usize;
            self.recording = Some(Recording { samples, done: 0 });
            self.shared.capture_done.store(0.0, Ordering::Relaxed);
        }
    }

    /// Drops the recording that is going on, if any.
    pub fn cancel_capture(&mut self) {
        self.drop_capture(CaptureDrop::Cancelled);
    }

    fn drop_capture(&mut self, why: CaptureDrop) {
        if let Some(Recording { done, .. }) = self.recording.take() {
            self.send(FromAudio::CaptureDropped { samples: done, why });
            self.shared.capture_done.store(-1.0, Ordering::Relaxed);
        }
    }

    /// Whether a recording is going on.
    pub fn is_capturing(&self) -> bool {
        self.recording.is_some()
    }

    /// Starts a note: `key` 0 to 127, `velocity` 0 to 1.
    pub fn note_on(&mut self, key: u8, velocity: f32) {
        if let Some(held) = self.keys.get_mut(usize::from(key)) {
            self.keys_held += u32::from(!*held);
            *held = true;
            self.velocity = if velocity.is_finite() {
                velocity.clamp(0.0, 1.0)
            } else {
                1.0
            };
        }
    }

    /// Ends a note.
    pub fn note_off(&mut self, key: u8) {
        if let Some(held) = self.keys.get_mut(usize::from(key)) {
            self.keys_held -= u32::from(*held);
            *held = false;
        }
    }

    /// Ends all notes.
    pub fn all_notes_off(&mut self) {
        self.keys = [false; 128];
        self.keys_held = 0;
    }

    /// Processes one stretch of a block, of any length: `input` (left, right) is what captures record,
    /// `output` (left, right) is overwritten. All four are equally long.
    ///
    /// # Panics
    /// If they are not.
    pub fn process(&mut self, input: [&[f32]; 2], output: [&mut [f32]; 2], controls: &Controls) {
        let length = output[0].len();
        assert!(output[1].len() == length && input.iter().all(|x| x.len() == length));
        let [left, right] = output;
        let mut done = 0;
        while done < length {
            // What follows the end of a recording or of a cross-fade does so on the sample, however
            // the host cuts its blocks.
            let recording_left = self
                .recording
                .as_ref()
                .map_or(CHUNK, |r| r.samples - r.done);
            let fade_left = self.fading.as_ref().map_or(CHUNK, |_| self.fade_left);
            let most = recording_left.min(fade_left).clamp(1, CHUNK);
            let part = done..done + most.min(length - done);
            done = part.end;
            self.play(&mut left[part.clone()], &mut right[part.clone()], controls);
            self.record(&input[0][part.clone()], &input[1][part]);
        }
    }

    fn record(&mut self, left: &[f32], right: &[f32]) {
        let peak = left.iter().chain(right).fold(0.0f32, |p, x| p.max(x.abs()));
        self.shared.input_peak.fetch_max(peak, Ordering::Relaxed);
        if self.recording.is_none() {
            return;
        }
        let needed = 2 * left.len();
        if self.offline {
            self.wait(|player| player.capture.vacant_len() >= needed);
        }
        if self.capture.vacant_len() < needed {
            self.drop_capture(CaptureDrop::Overrun);
            return;
        }
        let pairs = left.iter().zip(right).flat_map(|(l, r)| [*l, *r]);
        self.capture.push_iter(pairs);
        let Some(recording) = &mut self.recording else {
            return;
        };
        recording.done += left.len();
        let (samples, done) = (recording.samples, recording.done);
        self.shared
            .capture_done
            .store(done as f32 / samples as f32, Ordering::Relaxed);
        if done >= samples {
            self.recording = None;
            self.shared.capture_done.store(-1.0, Ordering::Relaxed);
            self.shared.begin();
            if !self.send(FromAudio::CaptureEnded { samples }) {
                self.shared.done();
            }
        }
    }

    fn play(&mut self, left: &mut [f32], right: &mut [f32], controls: &Controls) {
        if self.seed != Some(controls.seed) {
            // The first seed there is starts at the beginning; another one goes on from here.
            let frame = self.position();
            self.seed = Some(controls.seed);
            self.restart(frame);
        }
        if self.offline {
            self.wait_for_worker();
        }
        self.tell_restart();
        self.take_engine();

        let open = controls.hold || self.keys_held > 0;
        let velocity = if self.keys_held > 0 {
            self.velocity
        } else {
            1.0
        };
        if !open && self.envelope.is_silent() {
            // Nothing sounds, and the texture stands still. What would fade is replaced at once.
            self.finish_fade();
            left.fill(0.0);
            right.fill(0.0);
            return;
        }
        // A cross-fade is finished first: it has the frames that it needs.
        if self.offline && self.patient && self.fading.is_none() {
            self.wait_for_engine();
        }
        if self.current.is_none() {
            left.fill(0.0);
            right.fill(0.0);
            return;
        }
        self.mix_engines(left.len());
        self.envelope
            .set_times(controls.attack_s, controls.release_s);
        self.gain.set_target(controls.gain_db);
        let mut peak = 0.0f32;
        for i in 0..left.len() {
            let level = self.envelope.next(open, velocity) * self.gain.next();
            left[i] = self.mix[0][i] * level;
            right[i] = self.mix[1][i] * level;
            peak = peak.max(left[i].abs()).max(right[i].abs());
        }
        self.shared.output_peak.fetch_max(peak, Ordering::Relaxed);
    }

    /// Sound of the engines, cross-faded, in `mix`.
    fn mix_engines(&mut self, count: usize) {
        if self.offline && self.patient {
            // Nobody feeds a stream any more for which there is another one already.
            let ready = |e: &Engine| !e.starves(count);
            self.patient =
                self.wait(|p| p.current.as_deref().is_none_or(ready) || !p.engines.is_empty());
        }
        let [left, right] = &mut self.mix;
        let Some(current) = &mut self.current else {
            return;
        };
        let missing = current.render(&mut left[..count], &mut right[..count]);
        if missing > 0 {
            self.shared
                .underruns
                .fetch_add(u64::from(missing), Ordering::Relaxed);
        }
        let Some(fading) = &mut self.fading else {
            return;
        };
        let [old_left, old_right] = &mut self.fade_mix;
        fading.render(&mut old_left[..count], &mut old_right[..count]);
        for i in 0..count {
            self.fade_left = self.fade_left.saturating_sub(1);
            let left_over = self.fade_left as f32 / self.fade_samples as f32;
            // Two stretches of a texture are uncorrelated: equal power keeps the level.
            let (new, old) = ((1.0 - left_over).sqrt(), left_over.sqrt());
            left[i] = left[i] * new + old_left[i] * old;
            right[i] = right[i] * new + old_right[i] * old;
        }
        if self.fade_left == 0 {
            self.finish_fade();
        }
    }

    /// Sends the engine that was faded out back to be freed. If the way is full, it waits here.
    fn finish_fade(&mut self) {
        self.fade_left = 0;
        if let Some(engine) = self.fading.take()
            && let Err(FromAudio::Retired(engine)) =
                self.to_worker.try_push(FromAudio::Retired(engine))
        {
            self.fading = Some(engine);
        }
    }

    /// Takes over a new engine, once the last cross-fade is done.
    fn take_engine(&mut self) {
        while self.fading.is_none() {
            let Some(engine) = self.engines.try_pop() else {
                return;
            };
            let stale = engine.epoch() != self.epoch;
            if stale {
                // Goes back the way a faded one does.
                self.fading = Some(engine);
                self.finish_fade();
                continue;
            }
            self.patient = true;
            self.fading = self.current.replace(engine);
            self.fade_left = self.fade_samples;
            if self.fading.is_none() || self.envelope.is_silent() {
                self.finish_fade();
            }
        }
    }

    /// The frame that sounds next: where the stream is, or where the one that is to come starts.
    fn position(&self) -> i64 {
        match &self.current {
            Some(engine) if engine.epoch() == self.epoch => engine.position(),
            _ => self.restart_frame,
        }
    }

    /// Asks for a new stream from `frame` on.
    fn restart(&mut self, frame: i64) {
        self.epoch = self.epoch.wrapping_add(1);
        self.restart_frame = frame;
        self.unsent_restart = Some((self.epoch, frame));
        self.tell_restart();
    }

    fn tell_restart(&mut self) {
        let Some(seed) = self.seed else { return };
        if let Some((epoch, frame)) = self.unsent_restart
            && self.send(FromAudio::Restart { epoch, seed, frame })
        {
            self.unsent_restart = None;
        }
    }

    /// Whether the message went out. It holds nothing that would have to be freed.
    fn send(&mut self, message: FromAudio) -> bool {
        self.to_worker.try_push(message).is_ok()
    }

    /// In a bounce: waits for commands and fits; what they changed is heard from here on.
    fn wait_for_worker(&mut self) {
        let pending = self.shared.pending.load(Ordering::Acquire);
        if pending == 0 {
            self.given_up = 0;
            return;
        }
        if pending == self.given_up {
            return;
        }
        if !self.wait(|p| p.shared.pending.load(Ordering::Acquire) == 0) {
            self.given_up = self.shared.pending.load(Ordering::Acquire);
            return;
        }
        // Frames of snapshots that nobody heard are in the ring: start again where we are.
        self.restart(self.position());
    }

    /// In a bounce: waits for the engine that was asked for, if there is a texture at all.
    fn wait_for_engine(&mut self) {
        self.patient = self.wait(|player| {
            player.tell_restart();
            player.take_engine();
            let fresh = player
                .current
                .as_ref()
                .is_some_and(|e| e.epoch() == player.epoch);
            fresh || !player.shared.has_texture.load(Ordering::Acquire)
        });
    }

    /// Waits until `done`, only ever in a bounce. Returns whether it came to that.
    fn wait(&mut self, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let start = Instant::now();
        while !done(self) {
            if start.elapsed() > LONGEST_WAIT {
                self.shared.wait_failed.store(true, Ordering::Relaxed);
                return false;
            }
            std::thread::sleep(WAIT_STEP);
        }
        true
    }
}
