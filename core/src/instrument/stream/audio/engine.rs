//! Frames to sound at the host's sample rate: what one stream needs on the audio thread.
//!
//! A stream has two clocks. The *synthesis frames* follow each other by one hop of samples, before the
//! sound is read at the speed that makes its pitch. The *texture position* moves on by any number of
//! frames of the network for each synthesis frame: that is time. What banding loses comes back from noise
//! that is addressed by synthesis frame, so that a frozen or stretched texture keeps its fine structure.
//!
//! While a hop is read from the [`Tape`], the frame that will be heard some hops later is made by the
//! [`recipe`](super::recipe): frames from the two rings, magnitudes, inversion.

use std::sync::Arc;

use super::expansion::{Expansion, Plane};
use super::fine::FineStructure;
use super::gains::{BinGains, SpectralGain};
use super::interpolator::ONE;
use super::passage::Passage;
use super::recipe::{HopWork, Step};
use super::segments::Segments;
use super::shaping::{FrameShape, Shaping};
use super::shown_bands::add_band_powers;
use super::tape::{Tape, reading_step};
use crate::instrument::stream::song_line::{SongLine, on_grid};
use crate::instrument::stream::start::FrameControls;
use crate::instrument::stream::supply::Supply;

/// The synthesis frame that is being worked on.
pub(in crate::instrument::stream) struct SynthesisFrame {
    pub index: i64,
    /// Its place in the texture, in frames of the network.
    pub position: f64,
    /// What it is made with.
    pub controls: FrameControls,
}

/// What an [`Engine`] is put together from.
pub(in crate::instrument::stream) struct EngineParts {
    pub id: u32,
    pub seed: u32,
    /// Sample rate of the host in Hz.
    pub host_rate: f64,
    pub shaping: Arc<Shaping>,
    pub passage: Passage,
    pub fine: FineStructure,
    pub segments: Segments,
    pub tape: Tape,
    /// The frame that is worked on first.
    pub frame: SynthesisFrame,
}

/// One stream of a texture, owned by the audio thread once it is handed over. The worker builds it, with
/// everything allocated and the first frames inverted, and takes it back to free it.
pub(in crate::instrument) struct Engine {
    id: u32,
    seed: u32,
    host_rate: f64,
    shaping: Arc<Shaping>,
    frame: SynthesisFrame,
    work: HopWork,
    passage: Passage,
    fine: FineStructure,
    gains: BinGains,
    expansion: Expansion,
    segments: Segments,
    tape: Tape,
    /// Frames that were missing and that nobody has asked about.
    missing: u32,
}

impl Engine {
    /// Puts a stream together that has not inverted anything. On the worker: this allocates.
    pub(in crate::instrument::stream) fn new(parts: EngineParts) -> Self {
        let front_end = parts.shaping.front_end();
        Self {
            id: parts.id,
            seed: parts.seed,
            host_rate: parts.host_rate,
            work: HopWork::default(),
            gains: BinGains::new(front_end.stft().bins()),
            expansion: Expansion::new(front_end),
            frame: parts.frame,
            passage: parts.passage,
            fine: parts.fine,
            segments: parts.segments,
            tape: parts.tape,
            missing: 0,
            shaping: parts.shaping,
        }
    }

    /// Makes the frame at hand and goes on to the next, at `position` in the texture, without reading anything.
    /// On the worker, before the stream is handed over.
    pub(in crate::instrument::stream) fn prime(
        &mut self,
        position: impl FnOnce(&SynthesisFrame) -> f64,
        supply: &mut impl Supply,
    ) {
        self.finish_hop(supply);
        self.frame.index += 1;
        self.frame.position = position(&self.frame);
    }

    /// The stream begins `offset` (fixed point) within the hop that is complete. On the worker, before the
    /// stream is handed over.
    pub(in crate::instrument::stream) fn begin_at(&mut self, offset: u64) {
        self.tape.read_from(offset);
        self.missing = 0;
    }

    /// Synthesis hop that is complete.
    pub(in crate::instrument::stream) fn hop(&self) -> i64 {
        self.tape.hop()
    }

    /// Its number among all streams.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Synthesis frame that is heard next, and the texture position that goes with it: what a new stream
    /// can go on from.
    pub fn place(&self) -> (i64, f64) {
        let SynthesisFrame {
            index,
            position,
            controls,
        } = &self.frame;
        let ahead = index - self.tape.hop();
        let place = position - ahead as f64 * controls.frames_per_hop();
        (self.tape.hop(), place)
    }

    /// Frames that were missing since the last call.
    pub fn take_missing(&mut self) -> u32 {
        std::mem::take(&mut self.missing)
    }

    /// Reads mid and side on from where they are, at the pitch of `controls`, and does the next hop's work
    /// in step with it. `line` is where the song is at the first sample, if the stream is to follow it.
    /// Real-time safe, but for what `supply` does.
    pub fn render(
        &mut self,
        mid: &mut [f32],
        side: &mut [f32],
        controls: &FrameControls,
        line: Option<&SongLine>,
        supply: &mut impl Supply,
    ) {
        let texture_rate = self.shaping.front_end().sample_rate();
        let step = reading_step(texture_rate, self.host_rate, controls.transposition);
        let mut done = 0;
        while done < mid.len() {
            if self.tape.is_read() {
                self.finish_hop(supply);
                self.tape.read_on();
                self.begin_frame(controls, line, done, step);
                continue;
            }
            done += self.tape.read(step, [&mut mid[done..], &mut side[done..]]);
            self.work(supply);
        }
    }

    /// Adds the power of the newest frame to `bands`, which lie side by side on a logarithmic scale over the
    /// frequencies that can be heard, where they are heard. The sum of all is the mean square of the stream's
    /// left and right. Real-time safe: one look at every bin, for a window that is open.
    pub fn add_shown_bands(&self, gain: f32, bands: &mut [f32]) {
        let stft = self.shaping.front_end().stft();
        let bin_hz = self.shaping.bins().bin_hz() * self.frame.controls.transposition as f32;
        let heard = self.shaping.front_end().image().power_gains();
        let gains = heard.map(|heard| gain * heard);
        add_band_powers(self.expansion.magnitudes(), stft, bin_hz, gains, bands);
    }

    /// Goes on to the next frame, whose sound comes after the look-ahead. `done` samples of the host's block
    /// have been read, by `step` each.
    fn begin_frame(
        &mut self,
        controls: &FrameControls,
        line: Option<&SongLine>,
        done: usize,
        step: u64,
    ) {
        let frame = &mut self.frame;
        frame.controls = *controls;
        frame.index += 1;
        frame.position = match line {
            Some(line) => {
                // Samples of the host until the frame's own first one.
                let hops = (frame.index - self.tape.hop()) as f64;
                let left = hops * self.tape.hop_size() as f64 - self.tape.samples_read();
                let samples = left * (ONE as f64 / step as f64);
                let position_s = line.position_s(done as f64 + samples, controls.time);
                on_grid(position_s * self.shaping.front_end().frame_rate())
            }
            None => frame.position + controls.frames_per_hop(),
        };
    }

    /// Does the share of the frame's work that is due where the tape is read.
    fn work(&mut self, supply: &mut impl Supply) {
        let steps = self.steps();
        let due = (self.tape.part_read() * steps as f64).ceil() as usize;
        while self.work.is_behind(due.min(steps)) {
            self.do_step(supply);
        }
    }

    /// Steps of the frame that is being worked on. Handing it over may add those of another inverter.
    fn steps(&self) -> usize {
        HopWork::steps(self.segments.steps_per_frame())
    }

    /// Does what is left of the frame, and puts the hop that is complete with it on the tape.
    fn finish_hop(&mut self, supply: &mut impl Supply) {
        while self.work.is_behind(self.steps()) {
            self.do_step(supply);
        }
        self.work.begin_anew();
        let hop = self.segments.finish_hop(self.tape.hop() + 1);
        let image = self.shaping.front_end().image();
        self.tape.write_hop(hop, image);
    }

    /// Does the next step of the frame.
    fn do_step(&mut self, supply: &mut impl Supply) {
        match self.work.next_step() {
            Step::TakeFrames => {
                self.take_features(supply);
                self.take_fine_structure(supply);
            }
            Step::UpdateGains => self.update_gains(),
            Step::MakePlane(plane) => self.make_plane(plane),
            Step::HandOver => self.hand_over(),
            Step::Invert => self.segments.advance(),
        }
    }

    /// Features at the frame's position, as far as they are there.
    fn take_features(&mut self, supply: &mut impl Supply) {
        let Self {
            frame,
            passage,
            shaping,
            ..
        } = self;
        let shape = FrameShape {
            density: frame.controls.density,
            contrast: frame.controls.contrast,
        };
        let wanted = frame.position.floor() as i64 + 1;
        let mut at = frame.position;
        if !passage.advance(wanted, shaping, shape, supply) {
            self.missing += 1;
            frame.position = frame.position.min(passage.newest() as f64);
            at = passage
                .makeshift_position(frame.index, self.seed)
                .unwrap_or(frame.position);
        }
        let smear = f64::from(frame.controls.smear_s) * shaping.front_end().frame_rate();
        let features = self.expansion.features_mut();
        passage.average(at, smear, features);
        shaping.unshape(features);
    }

    /// Fine structure of the frame, or something like it.
    fn take_fine_structure(&mut self, supply: &mut impl Supply) {
        let index = self.frame.index;
        if !self.fine.advance(index, supply) {
            self.missing += 1;
            let direct = self.shaping.front_end().bands().direct();
            self.fine.make_up(index, self.seed, direct);
        }
    }

    fn update_gains(&mut self) {
        let controls = &self.frame.controls;
        let gain = SpectralGain {
            brightness: controls.brightness,
            low_cut_hz: controls.low_cut_hz,
            high_cut_hz: controls.high_cut_hz,
            transposition: controls.transposition as f32,
            nyquist_hz: 0.5 * self.host_rate as f32,
        };
        self.gains.update(gain, self.shaping.bins());
    }

    fn make_plane(&mut self, plane: Plane) {
        self.expansion.make_plane(
            plane,
            self.shaping.front_end(),
            self.fine.plane(plane),
            self.gains.as_slice(),
        );
    }

    fn hand_over(&mut self) {
        let is_stereo = self.shaping.front_end().is_stereo();
        let target = self.expansion.target(self.frame.index, is_stereo);
        self.segments.begin_frame(target);
    }
}
