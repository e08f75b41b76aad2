//! Streaming inversion: one frame in, one hop of sound out.

use super::phase_gradient::PhaseGradientHeap;
use super::stereo::{feasible, half_angle, joint_phases};
use super::{InversionError, sanitised, unit_or};
use crate::spectrum::{Complex32, Stft, StftScratch};

const ONE: Complex32 = Complex32 { re: 1.0, im: 0.0 };
/// How far a round steps beyond the plain Griffin-Lim estimate, away from the frame's own part in it:
/// accelerates the first rounds. 0.5 to 0.7 is best on recordings, 1 and more diverges.
const OVER_RELAXATION: f32 = 0.6;
/// The rims of the newest windows are divided by no less than this sum of squared windows: what is
/// known there is too little to be taken at full level.
const LEAST_WEIGHT: f32 = 0.1;
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
    /// The frame's part of the overlap-add, `fft_size` samples.
    part: Vec<f32>,
}

impl Channel {
    fn new(stft: &Stft) -> Self {
        Self {
            magnitude: vec![0.0; stft.bins()],
            phase: vec![ONE; stft.bins()],
            part: vec![0.0; stft.fft_size()],
        }
    }

    /// Makes `part` from magnitude and phase.
    fn synthesise(&mut self, stft: &Stft, spectrum: &mut [Complex32], scratch: &mut StftScratch) {
        let polar = self.phase.iter().zip(&self.magnitude);
        for (z, (&u, &a)) in spectrum.iter_mut().zip(polar) {
            *z = u * a;
        }
        stft.synthesise_frame(spectrum, &mut self.part, scratch);
    }
}

/// Phases of mid and side nearest to the estimates `m` and `s`.
fn join(
    mid: &mut Channel,
    side: &mut Channel,
    m: &[Complex32],
    s: &[Complex32],
    half: &[Complex32],
) {
    let phases = mid.phase.iter_mut().zip(&mut side.phase);
    let targets = mid.magnitude.iter().zip(&side.magnitude).zip(half);
    for (((u, v), (&m, &s)), ((&a, &b), &half)) in phases.zip(m.iter().zip(s)).zip(targets) {
        (*u, *v) = joint_phases(m, s, a, b, half, (*u, *v));
    }
}

/// A frame that can still change.
#[derive(Debug, Clone)]
struct WaitingFrame {
    index: i64,
    /// Mid and side, or the only channel.
    channels: Vec<Channel>,
    /// Half of the angle between mid and side, units; stereo only.
    half_angle: Vec<Complex32>,
}

impl WaitingFrame {
    fn new(stft: &Stft, stereo: bool) -> Self {
        Self {
            index: 0,
            channels: vec![Channel::new(stft); if stereo { 2 } else { 1 }],
            half_angle: vec![ONE; if stereo { stft.bins() } else { 0 }],
        }
    }

    fn clear(&mut self) {
        self.index = 0;
        self.half_angle.fill(ONE);
        for channel in &mut self.channels {
            channel.magnitude.fill(0.0);
            channel.phase.fill(ONE);
            channel.part.fill(0.0);
        }
    }

    /// Takes over the magnitudes, made safe and feasible. The phases stay those of an older frame until
    /// they are found; the part is emptied, so that nothing of that frame is heard.
    fn set_target(&mut self, target: TargetFrame<'_>) {
        self.index = target.index;
        let bins = self.channels[0].magnitude.len();
        assert_eq!(target.mid.len(), bins);
        for channel in &mut self.channels {
            channel.part.fill(0.0);
        }
        for (a, &b) in self.channels[0].magnitude.iter_mut().zip(target.mid) {
            *a = sanitised(b);
        }
        let [mid, side] = &mut self.channels[..] else {
            return;
        };
        if let Some((target_side, target_pan)) = target.side_pan {
            assert!(target_side.len() == bins && target_pan.len() == bins);
            for k in 0..bins {
                let pan = target_pan[k];
                let pan = if pan.is_finite() {
                    pan.clamp(-1.0, 1.0)
                } else {
                    0.0
                };
                let (a, b) = feasible(mid.magnitude[k], sanitised(target_side[k]), pan);
                mid.magnitude[k] = a;
                side.magnitude[k] = b;
                self.half_angle[k] = half_angle(a, b, pan);
            }
        } else {
            side.magnitude.fill(0.0);
            self.half_angle.fill(ONE);
        }
    }
}

/// Turns a stream of magnitude frames into sound, in real time.
///
/// Frame `t` describes samples `t·hop_size .. t·hop_size + fft_size` of the signal, as in
/// [`Stft::analyse`]. Push number `t` after [`new`](Self::new) or [`reset`](Self::reset) takes frame
/// `t` and returns samples `(t − latency_frames)·hop_size ..` of it; the first `latency_frames` pushes
/// return silence. What lies before frame 0 is silence, so the signal fades in over its first
/// `fft_size − hop_size` samples as the analysis window does.
///
/// Start phases: RTPGHI (Průša & Søndergaard 2016). Refinement: real-time iterative spectrogram
/// inversion with look-ahead (Zhu, Beauregard & Wyse 2007), over-relaxed: the `latency_frames + 1`
/// newest frames are re-estimated from the sum of all frames that are there, divided by the squared
/// windows that are there.
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
    /// Whether a frame was begun and not finished, and how many of its steps are done.
    in_frame: bool,
    steps_done: usize,
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
        let channels = if settings.stereo { 2 } else { 1 };
        let waiting = WaitingFrame::new(&stft, settings.stereo);
        Ok(Self {
            scratch: stft.make_scratch(),
            start: (0..channels)
                .map(|_| PhaseGradientHeap::new(settings.fft_size, settings.hop_size))
                .collect(),
            waiting: vec![waiting; settings.lookahead_frames + 1],
            in_frame: false,
            steps_done: 0,
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
        self.in_frame = false;
        self.steps_done = 0;
        for start in &mut self.start {
            start.reset();
        }
        for frame in &mut self.waiting {
            frame.clear();
        }
        for committed in &mut self.committed {
            committed.fill(0.0);
        }
    }

    /// Takes the newest frame and writes one hop of mid and of side (`hop_size` samples each; left is
    /// mid + side, right is mid − side). `out_side` may be empty; a mono inverter fills it with
    /// silence. Magnitudes that are negative or not finite count as 0. Real-time safe.
    ///
    /// The same as [`begin_frame`](Self::begin_frame) and [`finish_frame`](Self::finish_frame) at once.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn push_frame(
        &mut self,
        frame: TargetFrame<'_>,
        out_mid: &mut [f32],
        out_side: &mut [f32],
    ) {
        self.begin_frame(frame);
        self.finish_frame(out_mid, out_side);
    }

    /// Makes `frame` the newest waiting one and leaves its work, [`steps_per_frame`](Self::steps_per_frame)
    /// steps, to [`advance`](Self::advance), so that it can be spread over the callbacks of a hop. A
    /// frame that was begun before and not finished is finished first, and its sound dropped.
    /// Real-time safe.
    ///
    /// # Panics
    /// If a slice of the frame has another length than `bins`.
    pub fn begin_frame(&mut self, frame: TargetFrame<'_>) {
        if self.in_frame {
            self.complete();
        }
        self.in_frame = true;
        self.steps_done = 0;
        // The oldest was committed with the last frame, and its first hop was returned.
        self.waiting.rotate_left(1);
        let (n, hop) = (self.settings.fft_size, self.settings.hop_size);
        for committed in &mut self.committed {
            committed.copy_within(hop.., 0);
            committed[n - hop..].fill(0.0);
        }
        self.newest().set_target(frame);
    }

    /// Steps of work that one frame takes: one for its start phases, one for each waiting frame in each
    /// iteration.
    pub fn steps_per_frame(&self) -> usize {
        1 + self.settings.iterations * self.waiting.len()
    }

    /// Does the next step of the frame that was begun; false when none is left. Real-time safe.
    pub fn advance(&mut self) -> bool {
        if !self.in_frame || self.steps_done == self.steps_per_frame() {
            return false;
        }
        match self.steps_done {
            0 => self.find_start_phases(),
            // Newest first: what it learns from its past reaches the frame that is committed next.
            step => self.refine(self.waiting.len() - 1 - (step - 1) % self.waiting.len()),
        }
        self.steps_done += 1;
        true
    }

    /// Does the steps that are left of the frame that was begun and writes the hop, as
    /// [`push_frame`](Self::push_frame) does; silence if none was begun. Real-time safe.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn finish_frame(&mut self, out_mid: &mut [f32], out_side: &mut [f32]) {
        let hop = self.settings.hop_size;
        assert_eq!(out_mid.len(), hop);
        assert!(out_side.is_empty() || out_side.len() == hop);
        if !self.in_frame {
            out_mid.fill(0.0);
            out_side.fill(0.0);
            return;
        }
        self.complete();
        out_mid.copy_from_slice(&self.committed[0][..hop]);
        if !out_side.is_empty() {
            match self.committed.get(1) {
                Some(side) => out_side.copy_from_slice(&side[..hop]),
                None => out_side.fill(0.0),
            }
        }
    }

    /// Does all steps and adds the oldest waiting frame for good: the first hop of `committed` is
    /// then complete.
    fn complete(&mut self) {
        while self.advance() {}
        for (committed, channel) in self.committed.iter_mut().zip(&self.waiting[0].channels) {
            add(committed, &channel.part);
        }
        self.in_frame = false;
    }

    fn newest(&mut self) -> &mut WaitingFrame {
        self.waiting.last_mut().expect("there is look-ahead")
    }

    /// Start phases of the newest frame, and its first part in the overlap-add.
    fn find_start_phases(&mut self) {
        let (newest, older) = self.waiting.split_last_mut().expect("there is look-ahead");
        let before = older.last().expect("there is look-ahead");
        for (c, (channel, start)) in newest.channels.iter_mut().zip(&mut self.start).enumerate() {
            start.start_phases(
                &channel.magnitude,
                &before.channels[c].phase,
                newest.index,
                c as u64,
                &mut channel.phase,
            );
        }
        // Each channel was integrated on its own; the angle between them is known.
        if let [mid, side] = &mut newest.channels[..] {
            let [m, s] = &mut self.spectra;
            m.copy_from_slice(&mid.phase);
            s.copy_from_slice(&side.phase);
            join(mid, side, m, s, &newest.half_angle);
        }
        for channel in &mut newest.channels {
            channel.synthesise(&self.stft, &mut self.spectra[0], &mut self.scratch);
        }
    }

    /// One Griffin-Lim round of one waiting frame: analyse what the sum of all frames has at its
    /// place, keep the phases.
    fn refine(&mut self, at: usize) {
        let (n, hop) = (self.settings.fft_size, self.settings.hop_size);
        let from = at * hop;
        for (c, committed) in self.committed.iter().enumerate() {
            self.samples[..n - from].copy_from_slice(&committed[from..]);
            self.samples[n - from..].fill(0.0);
            // Summed anew each time: no rounding error builds up, and silence stays exact.
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
            let weights = &self.inverse_weight[from..from + n];
            for (x, &w) in self.samples.iter_mut().zip(weights) {
                *x *= w;
            }
            self.stft
                .analyse_frame(&self.samples, &mut self.spectra[c], &mut self.scratch);
        }

        let frame = &mut self.waiting[at];
        for (spectrum, channel) in self.spectra.iter_mut().zip(&mut frame.channels) {
            let own = channel.phase.iter().zip(&channel.magnitude);
            for (z, (&u, &a)) in spectrum.iter_mut().zip(own) {
                *z += (*z - u * a) * OVER_RELAXATION;
            }
        }
        match &mut frame.channels[..] {
            [mid, side] => {
                let [m, s] = &self.spectra;
                join(mid, side, m, s, &frame.half_angle);
            }
            [mono] => {
                for (u, &z) in mono.phase.iter_mut().zip(&self.spectra[0]) {
                    *u = unit_or(z, *u);
                }
            }
            _ => unreachable!("one channel or two"),
        }
        for channel in &mut frame.channels {
            channel.synthesise(&self.stft, &mut self.spectra[0], &mut self.scratch);
        }
    }
}

fn add(sum: &mut [f32], part: &[f32]) {
    for (x, &y) in sum.iter_mut().zip(part) {
        *x += y;
    }
}

/// With all past frames present and `lookahead` frames after the oldest waiting one.
fn inverse_weight(stft: &Stft, lookahead: usize) -> Vec<f32> {
    let (n, hop) = (stft.fft_size(), stft.hop_size());
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
