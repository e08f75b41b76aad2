//! Streaming inversion: one frame in, one hop of sound out.

use super::phase_gradient::PhaseGradientHeap;
use super::stereo::{feasible, half_angle, joint_phases};
use super::{InversionError, sanitised, unit_or};
use crate::spectrum::{Complex32, Stft, StftScratch};

/// More iterations than this in one hop are refused: the gain has long vanished.
const MAX_ITERATIONS: usize = 64;

/// Sizes and effort of a [`StreamingInverter`].
#[derive(Debug, Clone, PartialEq)]
pub struct InversionSettings {
    /// Samples in one frame.
    pub fft_size: usize,
    /// Samples between the starts of two frames; at most a quarter of `fft_size`.
    pub hop_size: usize,
    /// Whether side magnitudes and pan are inverted beside mid.
    pub stereo: bool,
    /// Frames that wait, and are refined, behind the newest one: 1 to `fft_size / hop_size − 1`.
    pub lookahead_frames: usize,
    /// Griffin-Lim rounds over the waiting frames for each hop; 0 leaves the start phases.
    pub iterations: usize,
    /// Momentum of the rounds, 0 (plain Griffin-Lim) to 1 (fast Griffin-Lim uses 0.99).
    pub momentum: f32,
}

impl InversionSettings {
    /// The everyday setting: three frames of look-ahead and one iteration, mono.
    pub fn new(fft_size: usize, hop_size: usize) -> Self {
        Self {
            fft_size,
            hop_size,
            stereo: false,
            lookahead_frames: 3,
            iterations: 1,
            momentum: 0.0,
        }
    }

    /// The same for mid and side.
    pub fn stereo(fft_size: usize, hop_size: usize) -> Self {
        Self {
            stereo: true,
            ..Self::new(fft_size, hop_size)
        }
    }
}

/// The magnitudes of one frame.
#[derive(Debug, Clone, Copy)]
pub struct TargetFrame<'a> {
    /// Absolute index; addresses the random phases, so that a render is always the same.
    pub index: i64,
    /// Magnitudes of mid (or of the only channel), `bins` values.
    pub mid: &'a [f32],
    /// Magnitudes of side and the pan index (−1 to 1, see [`pan_index`](super::pan_index)), `bins`
    /// values each. `None` is a silent side. A mono inverter ignores them.
    pub side_pan: Option<(&'a [f32], &'a [f32])>,
}

/// One channel of one waiting frame.
#[derive(Debug, Clone)]
struct Channel {
    magnitude: Vec<f32>,
    /// Units.
    phase: Vec<Complex32>,
    /// The analysis of the last round, for momentum.
    before: Vec<Complex32>,
    /// The frame's part of the overlap-add, `fft_size` samples.
    part: Vec<f32>,
}

impl Channel {
    fn new(stft: &Stft, with_momentum: bool) -> Self {
        Self {
            magnitude: vec![0.0; stft.bins()],
            phase: vec![Complex32::new(1.0, 0.0); stft.bins()],
            before: vec![Complex32::default(); if with_momentum { stft.bins() } else { 0 }],
            part: vec![0.0; stft.fft_size()],
        }
    }
}

/// A frame that can still change.
#[derive(Debug, Clone)]
struct WaitingFrame {
    index: i64,
    rounds: usize,
    channels: Vec<Channel>,
    /// Half of the angle between mid and side, units; stereo only.
    half_angle: Vec<Complex32>,
}

/// Turns a stream of magnitude frames into sound, in real time.
///
/// Frame `t` describes samples `t·hop_size .. t·hop_size + fft_size` of the signal, as in
/// [`Stft::analyse`]. Push number `t` after [`new`](Self::new) or [`reset`](Self::reset) takes frame
/// `t` and returns samples `(t − latency_frames)·hop_size ..` of it; the first `latency_frames` pushes
/// return silence. What lies before frame 0 is silence, so the signal fades in over its first
/// `fft_size − hop_size` samples as the analysis window does.
///
/// Start phases: [`PhaseGradientHeap`]. Refinement: real-time iterative spectrogram inversion with
/// look-ahead (Zhu, Beauregard & Wyse 2007): the `latency_frames + 1` newest frames are re-estimated
/// from the sum of all frames that are there, divided by the squared windows that are there.
///
/// All memory is allocated by [`new`](Self::new); pushing and resetting neither allocate nor lock.
pub struct StreamingInverter {
    stft: Stft,
    settings: InversionSettings,
    scratch: StftScratch,
    /// One for each channel.
    start: Vec<PhaseGradientHeap>,
    /// Oldest first; the newest is the last one.
    waiting: Vec<WaitingFrame>,
    /// For each channel: the overlap-add of the committed frames from the oldest waiting one on.
    committed: Vec<Vec<f32>>,
    /// From the oldest waiting frame's start to the newest one's end: the inverse of the sum of
    /// squared windows, relative to the full overlap.
    inverse_weight: Vec<f32>,
    samples: Vec<f32>,
    spectra: [Vec<Complex32>; 2],
}

impl StreamingInverter {
    /// Plans transforms and allocates everything.
    ///
    /// # Errors
    /// [`InversionError`] naming the setting that is out of range.
    pub fn new(settings: InversionSettings) -> Result<Self, InversionError> {
        let stft = Stft::new(settings.fft_size, settings.hop_size)?;
        let most = settings.fft_size / settings.hop_size - 1;
        if !(1..=most).contains(&settings.lookahead_frames) {
            let lookahead_frames = settings.lookahead_frames;
            return Err(InversionError::Lookahead {
                lookahead_frames,
                most,
            });
        }
        if settings.iterations > MAX_ITERATIONS {
            let iterations = settings.iterations;
            return Err(InversionError::Iterations {
                iterations,
                most: MAX_ITERATIONS,
            });
        }
        if !(0.0..=1.0).contains(&settings.momentum) {
            return Err(InversionError::Momentum {
                momentum: settings.momentum,
            });
        }
        let channels = if settings.stereo { 2 } else { 1 };
        let waiting = WaitingFrame {
            index: 0,
            rounds: 0,
            channels: vec![Channel::new(&stft, settings.momentum > 0.0); channels],
            half_angle: vec![
                Complex32::new(1.0, 0.0);
                if settings.stereo { stft.bins() } else { 0 }
            ],
        };
        Ok(Self {
            scratch: stft.make_scratch(),
            start: vec![
                PhaseGradientHeap::new(settings.fft_size, settings.hop_size, false);
                channels
            ],
            waiting: vec![waiting; settings.lookahead_frames + 1],
            committed: vec![vec![0.0; settings.fft_size]; channels],
            inverse_weight: inverse_weight(&stft, settings.lookahead_frames),
            samples: vec![0.0; settings.fft_size],
            spectra: std::array::from_fn(|_| vec![Complex32::default(); stft.bins()]),
            stft,
            settings,
        })
    }

    /// What it was made with.
    pub fn settings(&self) -> &InversionSettings {
        &self.settings
    }

    /// Frequency bins of one frame.
    pub fn bins(&self) -> usize {
        self.stft.bins()
    }

    /// Frames between a frame's push and the push that returns its first hop.
    pub fn latency_frames(&self) -> usize {
        self.settings.lookahead_frames
    }

    /// Forgets everything; the next push is frame 0 of a new signal. Real-time safe.
    pub fn reset(&mut self) {
        for start in &mut self.start {
            start.reset();
        }
        for frame in &mut self.waiting {
            frame.index = 0;
            frame.rounds = 0;
            frame.half_angle.fill(Complex32::new(1.0, 0.0));
            for channel in &mut frame.channels {
                channel.magnitude.fill(0.0);
                channel.phase.fill(Complex32::new(1.0, 0.0));
                channel.before.fill(Complex32::default());
                channel.part.fill(0.0);
            }
        }
        for committed in &mut self.committed {
            committed.fill(0.0);
        }
    }

    /// Takes the newest frame and writes one hop of mid and of side (`hop_size` samples each; left is
    /// mid + side, right is mid − side). `out_side` may be empty; a mono inverter fills it with
    /// silence. Magnitudes that are negative or not finite count as 0. Real-time safe.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn push_frame(
        &mut self,
        frame: TargetFrame<'_>,
        out_mid: &mut [f32],
        out_side: &mut [f32],
    ) {
        let hop = self.settings.hop_size;
        assert_eq!(out_mid.len(), hop);
        assert!(out_side.is_empty() || out_side.len() == hop);
        self.begin(frame);
        for _ in 0..self.settings.iterations {
            for waiting in 0..self.waiting.len() {
                self.refine(waiting);
            }
        }
        self.commit();
        out_mid.copy_from_slice(&self.committed[0][..hop]);
        if !out_side.is_empty() {
            match self.committed.get(1) {
                Some(side) => out_side.copy_from_slice(&side[..hop]),
                None => out_side.fill(0.0),
            }
        }
    }

    /// Makes `frame` the newest waiting one and finds its start phases.
    fn begin(&mut self, frame: TargetFrame<'_>) {
        let bins = self.stft.bins();
        assert_eq!(frame.mid.len(), bins);
        // The oldest was committed by the last push, and its first hop was returned.
        self.waiting.rotate_left(1);
        let (n, hop) = (self.stft.fft_size(), self.settings.hop_size);
        for committed in &mut self.committed {
            committed.copy_within(hop.., 0);
            committed[n - hop..].fill(0.0);
        }
        let (newest, older) = self.waiting.split_last_mut().expect("there is look-ahead");
        let before = older.last().expect("there is look-ahead");
        newest.index = frame.index;
        newest.rounds = 0;
        for (a, &target) in newest.channels[0].magnitude.iter_mut().zip(frame.mid) {
            *a = sanitised(target);
        }
        if let [mid, side] = &mut newest.channels[..] {
            if let Some((target_side, pan)) = frame.side_pan {
                assert!(target_side.len() == bins && pan.len() == bins);
                for k in 0..bins {
                    let pan = if pan[k].is_finite() {
                        pan[k].clamp(-1.0, 1.0)
                    } else {
                        0.0
                    };
                    let (m, s) = feasible(mid.magnitude[k], sanitised(target_side[k]), pan);
                    mid.magnitude[k] = m;
                    side.magnitude[k] = s;
                    newest.half_angle[k] = half_angle(m, s, pan);
                }
            } else {
                side.magnitude.fill(0.0);
                newest.half_angle.fill(Complex32::new(1.0, 0.0));
            }
        }
        for (c, (channel, start)) in newest.channels.iter_mut().zip(&mut self.start).enumerate() {
            let previous = &before.channels[c].phase;
            start.start_phases(
                &channel.magnitude,
                previous,
                frame.index,
                c as u64,
                &mut channel.phase,
            );
        }
        if let [mid, side] = &mut newest.channels[..] {
            for k in 0..bins {
                let fallback = (mid.phase[k], side.phase[k]);
                (mid.phase[k], side.phase[k]) = joint_phases(
                    fallback.0,
                    fallback.1,
                    mid.magnitude[k],
                    side.magnitude[k],
                    newest.half_angle[k],
                    fallback,
                );
            }
        }
        for channel in &mut newest.channels {
            synthesise(&self.stft, channel, &mut self.spectra[0], &mut self.scratch);
        }
    }

    /// One Griffin-Lim round of one waiting frame: analyse what the sum of all frames has at its
    /// place, keep the phases.
    fn refine(&mut self, at: usize) {
        let hop = self.settings.hop_size;
        for c in 0..self.committed.len() {
            let n = self.stft.fft_size();
            let from = at * hop;
            self.samples[..n - from].copy_from_slice(&self.committed[c][from..]);
            self.samples[n - from..].fill(0.0);
            for (other, frame) in self.waiting.iter().enumerate() {
                let part = &frame.channels[c].part;
                if other >= at {
                    let shift = (other - at) * hop;
                    add(&mut self.samples[shift..], &part[..n - shift]);
                } else {
                    let shift = (at - other) * hop;
                    add(&mut self.samples[..n - shift], &part[shift..]);
                }
            }
            for (x, &w) in self
                .samples
                .iter_mut()
                .zip(&self.inverse_weight[from..from + n])
            {
                *x *= w;
            }
            self.stft
                .analyse_frame(&self.samples, &mut self.spectra[c], &mut self.scratch);
        }
        let frame = &mut self.waiting[at];
        let momentum = if frame.rounds > 0 {
            self.settings.momentum
        } else {
            0.0
        };
        frame.rounds += 1;
        if self.settings.momentum > 0.0 {
            for (spectrum, channel) in self.spectra.iter_mut().zip(&mut frame.channels) {
                for (z, before) in spectrum.iter_mut().zip(&mut channel.before) {
                    let now = *z;
                    *z += (now - *before) * momentum;
                    *before = now;
                }
            }
        }
        match &mut frame.channels[..] {
            [mid, side] => {
                let [spectrum_mid, spectrum_side] = &self.spectra;
                for k in 0..spectrum_mid.len() {
                    (mid.phase[k], side.phase[k]) = joint_phases(
                        spectrum_mid[k],
                        spectrum_side[k],
                        mid.magnitude[k],
                        side.magnitude[k],
                        frame.half_angle[k],
                        (mid.phase[k], side.phase[k]),
                    );
                }
            }
            [mono] => {
                for (u, &z) in mono.phase.iter_mut().zip(&self.spectra[0]) {
                    *u = unit_or(z, *u);
                }
            }
            _ => unreachable!("one channel or two"),
        }
        for channel in &mut frame.channels {
            synthesise(&self.stft, channel, &mut self.spectra[0], &mut self.scratch);
        }
    }

    /// Adds the oldest waiting frame for good: the first hop of `committed` is then complete.
    fn commit(&mut self) {
        for (committed, channel) in self.committed.iter_mut().zip(&self.waiting[0].channels) {
            add(committed, &channel.part);
        }
    }
}

/// The overlap-add part of one channel of a frame.
fn synthesise(
    stft: &Stft,
    channel: &mut Channel,
    spectrum: &mut [Complex32],
    scratch: &mut StftScratch,
) {
    for ((z, &u), &a) in spectrum
        .iter_mut()
        .zip(&channel.phase)
        .zip(&channel.magnitude)
    {
        *z = u * a;
    }
    stft.synthesise_frame(spectrum, &mut channel.part, scratch);
}

fn add(sum: &mut [f32], part: &[f32]) {
    for (x, &y) in sum.iter_mut().zip(part) {
        *x += y;
    }
}

/// With all past frames present and `lookahead` frames after the oldest waiting one.
fn inverse_weight(stft: &Stft, lookahead: usize) -> Vec<f32> {
    let (n, hop) = (stft.fft_size(), stft.hop_size());
    // Where only the rim of the newest window reaches, the estimate is that frame's own anyway.
    const LEAST_WEIGHT: f32 = 1e-9;
    (0..n + lookahead * hop)
        .map(|i| {
            let mut weight = 0.0;
            for frame in -((n / hop) as i64)..=lookahead as i64 {
                let at = i as i64 - frame * hop as i64;
                if (0..n as i64).contains(&at) {
                    weight += stft.window()[at as usize].powi(2);
                }
            }
            stft.overlap_gain() / weight.max(LEAST_WEIGHT)
        })
        .collect()
}
