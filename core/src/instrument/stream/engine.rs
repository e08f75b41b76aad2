//! Frames to sound at the host's sample rate: what one stream needs on the audio thread.
//!
//! A stream has two clocks. The *synthesis frames* follow each other by one hop of samples, before the
//! sound is read at the speed that makes its pitch. The *texture position* moves on by any number of
//! frames of the network for each synthesis frame: that is time. What banding loses comes back from noise
//! that is addressed by synthesis frame, so that a frozen or stretched texture keeps its grain.

use std::sync::Arc;

use super::fine::FineStructure;
use super::interpolator::{Kernels, ONE, TAPS};
use super::passage::{Nodes, Passage};
use super::ring::{FrameSender, Supply, frame_ring};
use super::shaping::{Shaping, SpectralGain, TEMPERATURES};
use super::song_line::{SongLine, on_grid};
use crate::inversion::{InversionError, InversionSettings, StreamingInverter, TargetFrame};
use crate::network::FeatureStream;
use crate::network::Model;
use crate::spectrum::{ExpandScratch, FrameSpectrum};

use crate::instrument::controls::{CUT_RANGE_HZ, Quality, SMEAR_MOST_S};
use crate::inversion::PRIMING_FRAMES;

/// Frames of fine structure that wait: half a second at 48 kHz, an eighth of one two octaves up.
const FINE_FRAMES: usize = 48;
/// Feature frames that wait; at four times the speed they are used up four times as fast.
const FEATURE_FRAMES: usize = 64;
/// Hops of a locked stream after which its phases start anew, so that they don't depend on where it
/// began: 0.7 s at 48 kHz.
const SEGMENT_HOPS: i64 = 64;
/// Steps of a hop's work that come before the inverter's: bands, gains, one for each plane, hand-over.
const SHAPING_STEPS: usize = 6;

/// What a hop's frame is made with; looked at once for each hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::instrument) struct FrameControls {
    /// Texture frames for each hop that is heard at its own pitch.
    pub time: f64,
    /// Factor of all frequencies.
    pub transposition: f64,
    pub density: f32,
    pub contrast: f32,
    pub smear_s: f32,
    pub brightness: f32,
    pub low_cut_hz: f32,
    pub high_cut_hz: f32,
}

impl Default for FrameControls {
    fn default() -> Self {
        Self {
            time: 1.0,
            transposition: 1.0,
            density: 1.0,
            contrast: 1.0,
            smear_s: 0.0,
            brightness: 0.0,
            low_cut_hz: CUT_RANGE_HZ.0,
            high_cut_hz: CUT_RANGE_HZ.1,
        }
    }
}

/// What a stream starts from.
#[derive(Clone, Copy, Debug)]
pub(in crate::instrument) struct StreamStart {
    pub seed: u32,
    pub quality: Quality,
    /// Sample rate of the host in Hz.
    pub host_rate: f64,
    pub controls: FrameControls,
    pub place: Place,
}

/// Where a stream starts.
#[derive(Clone, Copy, Debug)]
pub(in crate::instrument) enum Place {
    /// Anywhere: the first synthesis frame that is heard, and its texture position.
    Free {
        frame: i64,
        position: f64,
        /// Part of the first hop that is left out: voices do the same work at different times.
        stagger: f64,
    },
    /// At a sample of the song.
    Song { sample: i64, line: SongLine },
}

/// Samples of the sound as it is made for one sample as it is heard, in fixed point.
pub(super) fn reading_step(texture_rate: u32, host_rate: f64, transposition: f64) -> u64 {
    let speed = f64::from(texture_rate) / host_rate * transposition;
    ((speed * ONE as f64).round() as u64).max(1)
}

/// One hop's sound before it is read: a stretch of the hop before, then the hop.
struct Tape {
    mid: Vec<f32>,
    side: Vec<f32>,
    /// Reading position, in fixed point; see [`Kernels::read`].
    position: u64,
    /// Synthesis hop that the tape holds.
    hop: i64,
}

/// The inverter of a stream, and in a locked stream the one that will take over with the next segment.
struct Inverters {
    current: StreamingInverter,
    next: Option<StreamingInverter>,
    next_is_running: bool,
    hops: [Vec<f32>; 4],
}

/// One stream of a texture, owned by the audio thread once it is handed over. The worker builds it, with
/// everything allocated and the first frames inverted, and takes it back to free it.
pub(in crate::instrument) struct Engine {
    id: u32,
    shaping: Arc<Shaping>,
    kernels: &'static Kernels,
    passage: Passage,
    fine: FineStructure,
    inverters: Inverters,
    tape: Tape,
    /// Synthesis frame that is being worked on, and how many of its steps are done.
    frame: i64,
    steps_done: usize,
    /// Its texture position, and its controls.
    position: f64,
    controls: FrameControls,
    host_rate: f64,
    /// Gains of the bins, and what they were made for.
    gains: Vec<f32>,
    gains_for: Option<SpectralGain>,
    features: Vec<f32>,
    bands: Vec<f32>,
    full: Vec<f32>,
    target: FrameSpectrum,
    seed: u32,
    missing: u32,
}

/// The worker's half of an [`Engine`].
pub(in crate::instrument) struct EngineFeed {
    features: FrameSender<Nodes>,
    feature_stream: FeatureStream,
    fine: FrameSender<FrameSpectrum>,
    next_fine: i64,
    seed: u32,
    scratch: ExpandScratch,
}

impl Engine {
    /// Builds both halves for `model`, ready to sound. On the worker: this allocates, and takes up to some
    /// hundredths of a second, in which it calls `between` again and again.
    pub fn new(
        id: u32,
        model: &Model,
        shaping: &Arc<Shaping>,
        start: &StreamStart,
        between: &mut dyn FnMut(),
    ) -> Result<(Self, EngineFeed), InversionError> {
        let front_end = &shaping.front_end;
        let stft = front_end.stft();
        let (fft_size, hop_size, bins) = (stft.fft_size(), stft.hop_size(), stft.bins());
        let width = front_end.feature_width();
        let stereo = front_end.is_stereo();
        let settings = InversionSettings {
            stereo,
            ..match start.quality {
                Quality::Eco => InversionSettings::eco(fft_size, hop_size),
                Quality::High => InversionSettings::high(fft_size, hop_size),
            }
        };
        let latency = settings.lookahead_frames as i64;
        let step = reading_step(
            front_end.sample_rate(),
            start.host_rate,
            start.controls.transposition,
        );
        let hop = (hop_size as u64 * ONE) as i128;
        // The hop to be heard first, the place in it, and the first frame that is inverted for it.
        let (heard, offset, first, locked) = match start.place {
            Place::Free { frame, stagger, .. } => {
                let offset = (stagger * hop_size as f64) as u64 * ONE;
                (frame, offset, frame - PRIMING_FRAMES, false)
            }
            Place::Song { sample, .. } => {
                let at = i128::from(sample) * i128::from(step);
                let heard = at.div_euclid(hop) as i64;
                // Samples of the hop before are read as well. The first hop of a segment is faded in over
                // the end of the segment before.
                let before = heard - 1;
                let segment = before.div_euclid(SEGMENT_HOPS)
                    - i64::from(before.rem_euclid(SEGMENT_HOPS) == 0);
                let first = segment * SEGMENT_HOPS - PRIMING_FRAMES;
                (heard, at.rem_euclid(hop) as u64, first, true)
            }
        };
        let controls = start.controls;
        let line = match &start.place {
            Place::Free { .. } => None,
            Place::Song { line, .. } => Some(line),
        };
        let hop_samples = hop_size as f64 * ONE as f64 / step as f64;
        let heard_at = -(offset as f64) / step as f64;
        let position_of = |frame: i64| match start.place {
            Place::Free {
                frame: from,
                position,
                ..
            } => position + (frame - from) as f64 * controls.time / controls.transposition,
            Place::Song { line, .. } => {
                let samples = heard_at + (frame - heard) as f64 * hop_samples;
                on_grid(line.position_s(samples, controls.time) * front_end.frame_rate())
            }
        };
        let smear_frames = (f64::from(SMEAR_MOST_S) * front_end.frame_rate()).ceil() as i64;
        let back = if controls.smear_s > 0.0 {
            smear_frames
        } else {
            0
        };
        let first_feature = position_of(first).floor() as i64 - back;
        let (feature_sender, feature_receiver) =
            frame_ring(FEATURE_FRAMES, || vec![0.0; TEMPERATURES.len() * width]);
        let (fine_sender, fine_receiver) = frame_ring(FINE_FRAMES, || FrameSpectrum::silent(bins));
        let mut feed = EngineFeed {
            features: feature_sender,
            feature_stream: FeatureStream::new(
                model.clone(),
                &TEMPERATURES,
                start.seed,
                first_feature,
            ),
            fine: fine_sender,
            next_fine: first,
            seed: start.seed,
            scratch: front_end.make_expand_scratch(),
        };
        let make_inverter = || StreamingInverter::new(settings.clone());
        let mut engine = Self {
            id,
            kernels: Kernels::get(),
            passage: Passage::new(
                feature_receiver,
                width,
                smear_frames as usize,
                first_feature,
            ),
            fine: FineStructure::new(fine_receiver, bins),
            inverters: Inverters {
                current: make_inverter()?,
                next: if locked { Some(make_inverter()?) } else { None },
                next_is_running: false,
                hops: std::array::from_fn(|_| vec![0.0; hop_size]),
            },
            tape: Tape {
                mid: vec![0.0; TAPS + hop_size],
                side: vec![0.0; TAPS + hop_size],
                position: 0,
                hop: first - latency - 1,
            },
            frame: first,
            steps_done: 0,
            position: position_of(first),
            controls,
            host_rate: start.host_rate,
            gains: vec![1.0; bins],
            gains_for: None,
            features: vec![0.0; width],
            bands: vec![0.0; front_end.bands().count()],
            full: vec![0.0; bins],
            target: FrameSpectrum::silent(bins),
            seed: start.seed,
            missing: 0,
            shaping: shaping.clone(),
        };
        // Here, missing frames are made on the spot.
        struct FromFeed<'a>(&'a mut EngineFeed);
        impl Supply for FromFeed<'_> {
            fn wait(&mut self) -> bool {
                self.0.send_frame()
            }
        }
        let mut supply = FromFeed(&mut feed);
        while engine.tape.hop < heard {
            between();
            engine.finish_hop(&mut supply);
            engine.frame += 1;
            engine.position = match line {
                Some(_) => position_of(engine.frame),
                None => engine.position + controls.time / controls.transposition,
            };
        }
        engine.tape.position = offset + Tape::START;
        engine.missing = 0;
        for _ in 0..FINE_FRAMES / 2 {
            feed.send_frame();
        }
        Ok((engine, feed))
    }

    /// Its number among all streams.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Synthesis frame that is heard next, and the texture position that goes with it: what a new stream
    /// can go on from.
    pub fn place(&self) -> (i64, f64) {
        let ahead = self.frame - self.tape.hop;
        let rate = self.controls.time / self.controls.transposition;
        (self.tape.hop, self.position - ahead as f64 * rate)
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
        let hop_size = self.inverters.hops[0].len();
        let step = reading_step(
            self.shaping.front_end.sample_rate(),
            self.host_rate,
            controls.transposition,
        );
        let end = Tape::START + hop_size as u64 * ONE;
        let mut done = 0;
        while done < mid.len() {
            if self.tape.position >= end {
                self.finish_hop(supply);
                self.begin_frame(controls, line, done, step);
                self.tape.position -= hop_size as u64 * ONE;
                continue;
            }
            let left = (end - self.tape.position).div_ceil(step) as usize;
            let count = left.min(mid.len() - done);
            self.kernels.read(
                [&self.tape.mid, &self.tape.side],
                self.tape.position,
                step,
                [&mut mid[done..done + count], &mut side[done..done + count]],
            );
            self.tape.position += count as u64 * step;
            done += count;
            self.work(end, hop_size, supply);
        }
    }

    /// Goes on to the next frame, whose sound comes after the look-ahead.
    fn begin_frame(
        &mut self,
        controls: &FrameControls,
        line: Option<&SongLine>,
        done: usize,
        step: u64,
    ) {
        self.controls = *controls;
        self.frame += 1;
        self.position = match line {
            Some(line) => {
                // Samples of the host until the frame's own first one.
                let hop_size = self.inverters.hops[0].len() as f64;
                let hops = (self.frame - self.tape.hop) as f64;
                let read = (self.tape.position - Tape::START) as f64 / ONE as f64 - hop_size;
                let samples = (hops * hop_size - read) * (ONE as f64 / step as f64);
                let position_s = line.position_s(done as f64 + samples, controls.time);
                on_grid(position_s * self.shaping.front_end.frame_rate())
            }
            None => self.position + controls.time / controls.transposition,
        };
    }

    /// Does the share of the frame's work that is due where the tape is read.
    fn work(&mut self, end: u64, hop_size: usize, supply: &mut impl Supply) {
        let steps = self.steps();
        let left = end.saturating_sub(self.tape.position) as f64 / (hop_size as u64 * ONE) as f64;
        let due = ((1.0 - left).max(0.0) * steps as f64).ceil() as usize;
        while self.steps_done < due.min(steps) {
            self.step(supply);
        }
    }

    /// Steps of the frame that is being worked on.
    fn steps(&self) -> usize {
        let inverters = &self.inverters;
        let both = 1 + usize::from(inverters.next_is_running);
        SHAPING_STEPS + both * inverters.current.steps_per_frame()
    }

    /// Does what is left of the frame, and puts the hop that is complete with it on the tape.
    fn finish_hop(&mut self, supply: &mut impl Supply) {
        while self.steps_done < self.steps() {
            self.step(supply);
        }
        self.steps_done = 0;
        self.tape.hop += 1;
        let Inverters {
            current,
            next,
            next_is_running,
            hops: [mid, side, next_mid, next_side],
        } = &mut self.inverters;
        current.finish_frame(mid, side);
        if let Some(next) = next
            && *next_is_running
        {
            next.finish_frame(next_mid, next_side);
            if self.tape.hop.rem_euclid(SEGMENT_HOPS) == 0 {
                // Equal power: the phases on both sides have nothing to do with each other.
                let turn = 0.5 * std::f32::consts::PI / mid.len() as f32;
                let pairs = mid.iter_mut().zip(side.iter_mut());
                for (i, ((m, s), (n, t))) in
                    pairs.zip(next_mid.iter().zip(next_side.iter())).enumerate()
                {
                    let (new, old) = (turn * (i as f32 + 0.5)).sin_cos();
                    *m = *m * old + n * new;
                    *s = *s * old + t * new;
                }
                std::mem::swap(current, next);
                *next_is_running = false;
            }
        }
        let tape = [(&mut self.tape.mid, mid), (&mut self.tape.side, side)];
        for (tape, hop) in tape {
            let hop_size = hop.len();
            tape.copy_within(hop_size.., 0);
            tape[TAPS..].copy_from_slice(hop);
        }
    }

    /// Does the next step of the frame.
    fn step(&mut self, supply: &mut impl Supply) {
        let step = self.steps_done;
        self.steps_done += 1;
        match step {
            0 => {
                self.take_features(supply);
                self.take_fine(supply);
            }
            1 => self.update_gains(),
            2..=4 => self.make_plane(step - 2),
            5 => self.hand_over(),
            _ => {
                let one = self.inverters.current.steps_per_frame();
                let next = (step - SHAPING_STEPS) >= one;
                if next && let Some(inverter) = &mut self.inverters.next {
                    inverter.advance();
                } else {
                    self.inverters.current.advance();
                }
            }
        }
    }

    /// Features at the frame's position, as far as they are there.
    fn take_features(&mut self, supply: &mut impl Supply) {
        let FrameControls {
            density,
            contrast,
            smear_s,
            ..
        } = self.controls;
        let passage = &mut self.passage;
        let wanted = self.position.floor() as i64 + 1;
        let mut at = self.position;
        if !passage.advance(wanted, &self.shaping, (density, contrast), supply) {
            self.missing += 1;
            self.position = self.position.min(passage.newest() as f64);
            at = passage
                .makeshift_position(self.frame, self.seed)
                .unwrap_or(self.position);
        }
        let smear = f64::from(smear_s) * self.shaping.front_end.frame_rate();
        passage.average(at, smear, &mut self.features);
        self.shaping.unshape(&mut self.features);
    }

    /// Fine structure of the frame, or something like it.
    fn take_fine(&mut self, supply: &mut impl Supply) {
        if !self.fine.advance(self.frame, supply) {
            self.missing += 1;
            let direct = self.shaping.front_end.bands().direct();
            self.fine.make_up(self.frame, self.seed, direct);
        }
    }

    fn update_gains(&mut self) {
        let gain = SpectralGain {
            brightness: self.controls.brightness,
            low_cut_hz: self.controls.low_cut_hz,
            high_cut_hz: self.controls.high_cut_hz,
            transposition: self.controls.transposition as f32,
            nyquist_hz: 0.5 * self.host_rate as f32,
        };
        if self.gains_for != Some(gain) {
            self.shaping.gains_into(&gain, &mut self.gains);
            self.gains_for = Some(gain);
        }
    }

    /// Magnitudes of mid (0) or side (1), or the pan index (2), at full resolution.
    fn make_plane(&mut self, plane: usize) {
        let front_end = &self.shaping.front_end;
        let target = &mut self.target;
        let out = [&mut target.mid, &mut target.side, &mut target.pan].into_iter();
        let fine = self.fine.planes();
        let Some((out, fine)) = out.zip(fine).nth(plane) else {
            return;
        };
        if plane >= front_end.feature_channels() {
            return;
        }
        let count = front_end.bands().count();
        let features = &self.features[plane * count..(plane + 1) * count];
        front_end.log_plane_into(plane, features, fine, &mut self.bands, &mut self.full);
        front_end.plane_into(plane, &self.full, out);
        if plane < front_end.magnitude_channels() {
            for (x, gain) in out.iter_mut().zip(&self.gains) {
                *x *= gain;
            }
        }
    }

    fn hand_over(&mut self) {
        let FrameSpectrum { mid, side, pan } = &self.target;
        let stereo = self.shaping.front_end.is_stereo();
        let target = TargetFrame {
            index: self.frame,
            mid,
            side_pan: stereo.then_some((side.as_slice(), pan.as_slice())),
        };
        let inverters = &mut self.inverters;
        inverters.current.begin_frame(target);
        if let Some(next) = &mut inverters.next {
            if self.frame.rem_euclid(SEGMENT_HOPS) == SEGMENT_HOPS - PRIMING_FRAMES {
                next.reset();
                inverters.next_is_running = true;
            }
            if inverters.next_is_running {
                next.begin_frame(target);
            }
        }
    }
}

impl Tape {
    /// Position from which a hop is read.
    /// Their neighbours on both sides are on the tape too, so the hop is heard half a kernel late.
    const START: u64 = ONE;
}

impl EngineFeed {
    /// Makes and sends one frame of each kind, as far as the rings have room; false if neither has.
    pub fn send_frame(&mut self) -> bool {
        let Self {
            features,
            feature_stream,
            fine,
            next_fine,
            seed,
            scratch,
        } = self;
        let sent = features.send_with(|frame| {
            frame.index = feature_stream.next_frame(&mut frame.data);
        });
        let front_end = feature_stream.model().front_end();
        let index = *next_fine;
        let sent_fine = fine.send_with(|frame| {
            frame.index = index;
            front_end.fine_structure_into(*seed, index, scratch, &mut frame.data);
            *next_fine += 1;
        });
        sent || sent_fine
    }

    /// What it makes frames of.
    pub fn model(&self) -> &Model {
        self.feature_stream.model()
    }

    /// Fills both rings.
    pub fn top_up(&mut self) {
        while self.send_frame() {}
    }

    /// Goes on with a better network for the same capture.
    pub fn improve(&mut self, model: Model) {
        self.feature_stream.improve(model);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::super::ring::NoWait;
    use super::*;
    use crate::fit::{FitSettings, fit};
    use crate::procedural::{Texture, synthesize};

    const RATE: u32 = 16_000;

    fn rms(x: &[f32]) -> f32 {
        (x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32).sqrt()
    }

    /// Mid of ten seconds, and how many frames were missing, where the feed makes one frame in
    /// `one_in` hops.
    fn starved(model: &Model, one_in: usize) -> (Vec<f32>, u32) {
        let start = StreamStart {
            seed: 3,
            quality: Quality::Eco,
            host_rate: f64::from(RATE),
            controls: FrameControls::default(),
            place: Place::Free {
                frame: 0,
                position: 0.0,
                stagger: 0.0,
            },
        };
        let shaping = Arc::new(Shaping::new(model));
        let (mut engine, mut feed) = Engine::new(1, model, &shaping, &start, &mut || {}).unwrap();
        let mut mid = vec![0.0; 10 * RATE as usize];
        let hop_size = model.front_end().stft().hop_size();
        let mut side = vec![0.0; hop_size];
        for (n, block) in mid.chunks_mut(hop_size).enumerate() {
            if n % one_in == 0 {
                feed.send_frame();
            }
            let side = &mut side[..block.len()];
            engine.render(block, side, &start.controls, None, &mut NoWait);
        }
        (mid, engine.take_missing())
    }

    #[test]
    fn missing_frames_are_made_up() {
        let clip = synthesize(Texture::Rain, 1, RATE, 3.0);
        let settings = FitSettings {
            steps: 150,
            ..FitSettings::default()
        };
        let model = fit(&clip, &settings, &mut |_| ControlFlow::Continue(())).unwrap();
        let (whole, missing) = starved(&model, 1);
        assert_eq!(missing, 0);
        // A worker that falls behind more and more, and one that has stopped.
        for one_in in [3, usize::MAX] {
            let (mid, missing) = starved(&model, one_in);
            println!("one frame in {one_in}: {missing} were missing");
            assert!(missing > 300, "{missing}");
            for window in mid.chunks_exact(4_000) {
                let level_db = 20.0 * (rms(window) / rms(&whole)).log10();
                assert!(level_db.abs() < 6.0, "{level_db} dB");
            }
            // No repeat: no stretch of 0.2 s comes twice.
            let piece = &mid[80_000..83_200];
            let mut most = 0.0f32;
            for shift in 4_000..40_000 {
                let other = &mid[80_000 + shift..83_200 + shift];
                let both: f32 = piece.iter().zip(other).map(|(a, b)| a * b).sum();
                most = most.max(both.abs() / (3_200.0 * rms(piece) * rms(other)));
            }
            println!("largest correlation with a later stretch: {most:.2}");
            assert!(most < 0.5, "a repeat: {most}");
        }
    }
}
