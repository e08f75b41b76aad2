//! Streaming inversion: one frame in, one hop of sound out.

use super::phase_gradient::PhaseGradients;
use super::stereo::{feasible, half_angle, joint_phases};
use super::{InversionError, sanitised, unit_or};
use crate::numeric::simd::dispatch;
use crate::spectrum::{Complex32, Stft, StftScratch};

const ONE: Complex32 = Complex32 { re: 1.0, im: 0.0 };
/// How far a round steps beyond the plain Griffin-Lim estimate, away from the frame's own part in it:
/// accelerates the first rounds. 0.5 to 0.7 is best on recordings, 1 and more diverges.
const OVER_RELAXATION: f32 = 0.6;
/// Rounds of the high setting.
const HIGH_ITERATIONS: usize = 5;
/// Momentum of the high setting with four overlaps: 0.4 to 0.6 is best on recordings, from 0.7 on less
/// is reached. Without the over-relaxation 0.8 is best and stays 2 dB behind.
const MOMENTUM_FOUR_OVERLAPS: f32 = 0.5;
/// The same with more overlaps, where each hop has more rounds: 0.3 to 0.4 is best with eight overlaps,
/// 0.5 diverges; with sixteen, 0.3 is best and 0.4 diverges.
const MOMENTUM_MANY_OVERLAPS: f32 = 0.3;
/// The rims of the newest windows are divided by no less than this sum of squared windows: what is
/// known there is too little to be taken at full level.
const LEAST_WEIGHT: f32 = 0.1;
/// Steps of one channel's start phases.
const START_STEPS: usize = 5;
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
    /// Share of a frame's change since its last round that is added in each round, 0 to 1 (Perraudin,
    /// Balazs & Søndergaard 2013). The more overlaps and rounds, the less of it is stable; see
    /// [`high`](Self::high).
    pub momentum: f32,
}

impl InversionSettings {
    /// The everyday setting, mono: three frames of look-ahead and one round.
    pub fn eco(fft_size: usize, hop_size: usize) -> Self {
        Self {
            fft_size,
            hop_size,
            stereo: false,
            lookahead_frames: 3,
            iterations: 1,
            momentum: 0.0,
        }
    }

    /// The best setting, mono, at about three times the cost with four overlaps and six times with
    /// eight: all frames that overlap the committed one wait, five rounds, and momentum.
    pub fn high(fft_size: usize, hop_size: usize) -> Self {
        // Sizes that can't be inverted get through to the check in `StreamingInverter::new`.
        let overlaps = fft_size.checked_div(hop_size).unwrap_or(0);
        Self {
            lookahead_frames: overlaps.saturating_sub(1),
            iterations: HIGH_ITERATIONS,
            momentum: if overlaps > 4 {
                MOMENTUM_MANY_OVERLAPS
            } else {
                MOMENTUM_FOUR_OVERLAPS
            },
            ..Self::eco(fft_size, hop_size)
        }
    }

    /// The same for mid and side.
    pub fn in_stereo(self) -> Self {
        Self {
            stereo: true,
            ..self
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
    /// What the last round found at the frame's place; empty without momentum.
    projection: Vec<Complex32>,
}

impl Channel {
    fn new(stft: &Stft, momentum: f32) -> Self {
        let remembered = if momentum > 0.0 { stft.bins() } else { 0 };
        Self {
            magnitude: vec![0.0; stft.bins()],
            phase: vec![ONE; stft.bins()],
            part: vec![0.0; stft.fft_size()],
            projection: vec![Complex32::default(); remembered],
        }
    }

    /// Magnitude and phase as complex numbers.
    fn write_spectrum(&self, spectrum: &mut [Complex32]) {
        let bins = spectrum.len();
        let (magnitude, phase) = (&self.magnitude[..bins], &self.phase[..bins]);
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    spectrum[k] = phase[k] * magnitude[k];
                }
            },
        );
    }

    /// Moves the estimate `spectrum` away from the frame's own part in it, and on in the direction in
    /// which it went since the last round.
    fn accelerate(&mut self, spectrum: &mut [Complex32], relaxation: f32, momentum: f32) {
        let bins = spectrum.len();
        let (magnitude, phase) = (&self.magnitude[..bins], &self.phase[..bins]);
        if self.projection.is_empty() {
            dispatch(
                #[inline(always)]
                || {
                    for k in 0..bins {
                        let z = spectrum[k];
                        spectrum[k] = z + (z - phase[k] * magnitude[k]) * relaxation;
                    }
                },
            );
            return;
        }
        let projection = &mut self.projection[..bins];
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    let z = spectrum[k];
                    let own = (z - phase[k] * magnitude[k]) * relaxation;
                    spectrum[k] = z + own + (z - projection[k]) * momentum;
                    projection[k] = z;
                }
            },
        );
    }
}

/// Phases of mid and side nearest to their estimates `m` and `s`, which become their spectra.
fn join(
    mid: &mut Channel,
    side: &mut Channel,
    m: &mut [Complex32],
    s: &mut [Complex32],
    half: &[Complex32],
) {
    let bins = half.len();
    let (m, s) = (&mut m[..bins], &mut s[..bins]);
    let (u, v) = (&mut mid.phase[..bins], &mut side.phase[..bins]);
    let (a, b) = (&mid.magnitude[..bins], &side.magnitude[..bins]);
    dispatch(
        #[inline(always)]
        || {
            for k in 0..bins {
                (u[k], v[k]) = joint_phases(m[k], s[k], a[k], b[k], half[k], (u[k], v[k]));
                m[k] = u[k] * a[k];
                s[k] = v[k] * b[k];
            }
        },
    );
}

/// The phase of the estimate `z`, which becomes the channel's spectrum.
fn keep_phase(channel: &mut Channel, z: &mut [Complex32]) {
    let bins = z.len();
    let (phase, magnitude) = (&mut channel.phase[..bins], &channel.magnitude[..bins]);
    dispatch(
        #[inline(always)]
        || {
            for k in 0..bins {
                phase[k] = unit_or(z[k], phase[k]);
                z[k] = phase[k] * magnitude[k];
            }
        },
    );
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
    fn new(stft: &Stft, settings: &InversionSettings) -> Self {
        let (channels, angles) = if settings.stereo {
            (2, stft.bins())
        } else {
            (1, 0)
        };
        Self {
            index: 0,
            channels: vec![Channel::new(stft, settings.momentum); channels],
            half_angle: vec![ONE; angles],
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
        let (mid, rest) = self.channels.split_first_mut().expect("there is a channel");
        let a = &mut mid.magnitude[..bins];
        dispatch(
            #[inline(always)]
            || {
                for (a, &b) in a.iter_mut().zip(target.mid) {
                    *a = sanitised(b);
                }
            },
        );
        let Some(side) = rest.first_mut() else {
            return;
        };
        let (b, half) = (&mut side.magnitude[..bins], &mut self.half_angle[..bins]);
        let Some((target_side, target_pan)) = target.side_pan else {
            b.fill(0.0);
            half.fill(ONE);
            return;
        };
        assert!(target_side.len() == bins && target_pan.len() == bins);
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    // Infinities and NaN fail the comparison.
                    let known = target_pan[k].abs() < f32::INFINITY;
                    let pan = if known { target_pan[k] } else { 0.0 };
                    let pan = pan.clamp(-1.0, 1.0);
                    (a[k], b[k]) = feasible(a[k], sanitised(target_side[k]), pan);
                    half[k] = half_angle(a[k], b[k], pan);
                }
            },
        );
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
/// windows that are there. With momentum, each round goes on in the direction in which the frame's
/// estimate went since the last one: fast Griffin-Lim (Perraudin, Balazs & Søndergaard 2013), online as
/// in Peer et al. 2023 (arXiv 2309.07043), but frame after frame, each from what the others have become.
///
/// All memory is allocated by [`new`](Self::new); pushing and resetting neither allocate nor lock.
pub struct StreamingInverter {
    stft: Stft,
    settings: InversionSettings,
    scratch: StftScratch,
    /// One for each channel.
    start: Vec<PhaseGradients>,
    /// Oldest first; the newest is the last one.
    waiting: Vec<WaitingFrame>,
    /// Whether a frame was begun and not finished, and how many of its steps are done.
    in_frame: bool,
    steps_done: usize,
    /// For each channel: the overlap-add of the committed frames from the oldest waiting one on.
    committed: Vec<Vec<f32>>,
    /// For each waiting frame: its window, divided by the sum of the squared windows of the frames that
    /// are there, relative to the full overlap.
    analysis_windows: Vec<Vec<f32>>,
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
            let momentum = settings.momentum;
            return Err(InversionError::Momentum { momentum });
        }
        let channels = if settings.stereo { 2 } else { 1 };
        let waiting = WaitingFrame::new(&stft, &settings);
        Ok(Self {
            scratch: stft.make_scratch(),
            start: (0..channels)
                .map(|_| PhaseGradients::new(settings.fft_size, settings.hop_size))
                .collect(),
            waiting: vec![waiting; settings.lookahead_frames + 1],
            in_frame: false,
            steps_done: 0,
            committed: vec![vec![0.0; settings.fft_size]; channels],
            analysis_windows: analysis_windows(&stft, settings.lookahead_frames),
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

    /// Steps of work that one frame takes, always the same for the same settings. No step does more than
    /// one transform of one channel, or a few sweeps over its bins, so that they take about as long.
    pub fn steps_per_frame(&self) -> usize {
        let channels = self.committed.len();
        let start = channels * START_STEPS + 1 + channels;
        let round = 2 * channels + 1;
        start + self.settings.iterations * self.waiting.len() * round
    }

    /// Does the next step of the frame that was begun; false when none is left. Real-time safe.
    pub fn advance(&mut self) -> bool {
        if !self.in_frame || self.steps_done == self.steps_per_frame() {
            return false;
        }
        let channels = self.committed.len();
        let newest = self.waiting.len() - 1;
        let begin = channels * START_STEPS;
        let step = self.steps_done;
        self.steps_done += 1;
        if step < begin {
            self.find_start_phases(step % channels, step / channels);
        } else if step == begin {
            self.join_start_phases();
        } else if step <= begin + channels {
            self.synthesise(newest, step - begin - 1);
        } else {
            let step = step - begin - 1 - channels;
            let (round, part) = (step / (2 * channels + 1), step % (2 * channels + 1));
            // Newest first: what it learns from its past reaches the frame that is committed next.
            let at = newest - round % self.waiting.len();
            if part < channels {
                self.analyse(at, part);
            } else if part == channels {
                self.keep_phases(at);
            } else {
                self.synthesise(at, part - channels - 1);
            }
        }
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
            dispatch(
                #[inline(always)]
                || add(committed, &channel.part),
            );
        }
        self.in_frame = false;
    }

    fn newest(&mut self) -> &mut WaitingFrame {
        self.waiting.last_mut().expect("there is look-ahead")
    }

    /// One of the [`START_STEPS`] parts of one channel's start phases.
    fn find_start_phases(&mut self, c: usize, part: usize) {
        let (newest, older) = self.waiting.split_last_mut().expect("there is look-ahead");
        let before = older.last().expect("there is look-ahead");
        let (channel, start) = (&mut newest.channels[c], &mut self.start[c]);
        match part {
            0 => start.find_gradients(&channel.magnitude),
            1 => start.find_origins(),
            2 => start.integrate_in_time(
                &before.channels[c].phase,
                newest.index,
                c as u64,
                &mut channel.phase,
            ),
            3 => start.integrate_upward(&mut channel.phase),
            _ => start.integrate_downward(&mut channel.phase),
        }
    }

    /// The newest frame's first spectra.
    fn join_start_phases(&mut self) {
        let newest = self.waiting.last_mut().expect("there is look-ahead");
        match (&mut newest.channels[..], &mut self.spectra[..]) {
            // Each channel was integrated on its own; the angle between them is known.
            ([mid, side], [m, s]) => {
                m.copy_from_slice(&mid.phase);
                s.copy_from_slice(&side.phase);
                join(mid, side, m, s, &newest.half_angle);
            }
            (channels, spectra) => channels[0].write_spectrum(&mut spectra[0]),
        }
        for (channel, spectrum) in newest.channels.iter_mut().zip(&self.spectra) {
            if !channel.projection.is_empty() {
                channel.projection.copy_from_slice(spectrum);
            }
        }
    }

    /// Makes one channel's part of the overlap-add from its spectrum.
    fn synthesise(&mut self, at: usize, c: usize) {
        let part = &mut self.waiting[at].channels[c].part;
        self.stft
            .synthesise_frame(&mut self.spectra[c], part, &mut self.scratch);
    }

    /// First part of one Griffin-Lim round of one waiting frame: analyse what the sum of all frames has
    /// at its place.
    fn analyse(&mut self, at: usize, c: usize) {
        let (n, hop) = (self.settings.fft_size, self.settings.hop_size);
        let (samples, window) = (&mut self.samples[..n], &self.analysis_windows[at][..n]);
        let (waiting, committed) = (&self.waiting, &self.committed[c][at * hop..]);
        dispatch(
            #[inline(always)]
            || {
                samples[..committed.len()].copy_from_slice(committed);
                samples[committed.len()..].fill(0.0);
                // Summed anew each time: no rounding error builds up, and silence stays exact.
                for (other, frame) in waiting.iter().enumerate() {
                    let part = &frame.channels[c].part;
                    if other >= at {
                        let shift = (other - at) * hop;
                        add(&mut samples[shift..], &part[..n - shift]);
                    } else {
                        let shift = (at - other) * hop;
                        add(&mut samples[..n - shift], &part[shift..]);
                    }
                }
                for (x, &w) in samples.iter_mut().zip(window) {
                    *x *= w;
                }
            },
        );
        self.stft
            .transform_windowed(samples, &mut self.spectra[c], &mut self.scratch);
    }

    /// Second part: keep the phases of what was found.
    fn keep_phases(&mut self, at: usize) {
        let frame = &mut self.waiting[at];
        for (spectrum, channel) in self.spectra.iter_mut().zip(&mut frame.channels) {
            channel.accelerate(spectrum, OVER_RELAXATION, self.settings.momentum);
        }
        match (&mut frame.channels[..], &mut self.spectra[..]) {
            ([mid, side], [m, s]) => join(mid, side, m, s, &frame.half_angle),
            (channels, spectra) => keep_phase(&mut channels[0], &mut spectra[0]),
        }
    }
}

#[inline(always)]
fn add(sum: &mut [f32], part: &[f32]) {
    for (x, &y) in sum.iter_mut().zip(part) {
        *x += y;
    }
}

/// For each waiting frame, with all past frames present and `lookahead` frames after the oldest
/// waiting one.
fn analysis_windows(stft: &Stft, lookahead: usize) -> Vec<Vec<f32>> {
    let (n, hop) = (stft.fft_size(), stft.hop_size());
    let weight = |at: usize| {
        let mut weight = 0.0;
        for frame in -((n / hop) as i64)..=lookahead as i64 {
            let at = at as i64 - frame * hop as i64;
            if (0..n as i64).contains(&at) {
                weight += stft.window()[at as usize].powi(2);
            }
        }
        stft.overlap_gain() / weight.max(LEAST_WEIGHT)
    };
    (0..=lookahead)
        .map(|frame| {
            let window = stft.window().iter().enumerate();
            window.map(|(i, w)| w * weight(frame * hop + i)).collect()
        })
        .collect()
}
