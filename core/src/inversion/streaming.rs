//! Streaming inversion: one frame in, one hop of sound out.

use super::InversionError;
use super::overlap::OverlapAdd;
use super::phase_gradient::StartPhases;
use super::settings::InversionSettings;
use super::steps::{FrameSteps, Step};
use super::waiting::{TargetFrame, WaitingFrame};
use crate::spectrum::{Complex32, Stft, StftScratch};

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
///
/// ```
/// use weft_core::inversion::{InversionSettings, StreamingInverter, TargetFrame};
/// use weft_core::spectrum::Stft;
///
/// // The magnitudes of a sine, an eighth of the sample rate, without its phases.
/// let (fft_size, hop_size) = (512, 128);
/// let sine: Vec<f32> = (0..8_192)
///     .map(|i| (std::f32::consts::TAU * (i % 8) as f32 / 8.0).sin())
///     .collect();
/// let spectra = Stft::new(fft_size, hop_size)?.analyse(&sine);
/// let magnitudes: Vec<f32> = spectra.iter().map(|z| z.norm()).collect();
///
/// let mut inverter = StreamingInverter::new(InversionSettings::eco(fft_size, hop_size))?;
/// let (mut hop, mut sound) = (vec![0.0; hop_size], Vec::new());
/// for (index, mid) in (0..).zip(magnitudes.chunks_exact(inverter.bins())) {
///     let frame = TargetFrame { index, mid, side_pan: None };
///     inverter.push_frame(frame, &mut hop, &mut []);
///     sound.extend_from_slice(&hop);
/// }
///
/// // A sine of the same level, once it has faded in.
/// let settled = &sound[2_048..];
/// let power = settled.iter().map(|x| x * x).sum::<f32>() / settled.len() as f32;
/// assert!((power - 0.5).abs() < 0.01, "{power}");
/// # Ok::<(), weft_core::inversion::InversionError>(())
/// ```
pub struct StreamingInverter {
    settings: InversionSettings,
    stft: Stft,
    scratch: StftScratch,
    steps: FrameSteps,
    /// One for each channel.
    start_phases: Vec<StartPhases>,
    /// Oldest first; the newest is the last one.
    waiting: Vec<WaitingFrame>,
    overlap_add: OverlapAdd,
    /// What one step hands to the next: samples of one frame, and spectra of its channels.
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
        settings.check()?;
        Ok(Self {
            scratch: stft.make_scratch(),
            steps: FrameSteps::new(&settings),
            start_phases: (0..settings.channels())
                .map(|_| StartPhases::new(settings.fft_size, settings.hop_size))
                .collect(),
            waiting: vec![WaitingFrame::new(&stft, &settings); settings.waiting_frames()],
            overlap_add: OverlapAdd::new(&stft, &settings),
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
        self.steps.end();
        for start_phases in &mut self.start_phases {
            start_phases.reset();
        }
        for frame in &mut self.waiting {
            frame.clear();
        }
        self.overlap_add.clear();
    }

    /// Takes the newest frame and writes one hop of mid and of side (`hop_size` samples each; left is
    /// mid + side, right is mid − side). `out_side` may be empty; a mono inverter fills it with
    /// silence. Magnitudes that are negative or not finite count as 0. Real-time safe.
    ///
    /// This is [`begin_frame`](Self::begin_frame) and [`finish_frame`](Self::finish_frame) at once.
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
        if self.steps.is_begun() {
            self.complete();
        }
        self.steps.begin();
        // The oldest was committed with the last frame, and its first hop was returned.
        self.waiting.rotate_left(1);
        self.overlap_add.shift();
        newest(&mut self.waiting).0.set_target(frame);
    }

    /// Steps of work that one frame takes, always the same for the same settings. No step does more than
    /// one transform of one channel, or a few sweeps over its bins, so that they take about as long.
    pub fn steps_per_frame(&self) -> usize {
        self.steps.count()
    }

    /// Does the next step of the frame that was begun; false when none is left. Real-time safe.
    pub fn advance(&mut self) -> bool {
        let Some(step) = self.steps.next() else {
            return false;
        };
        self.perform(step);
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
        if !self.steps.is_begun() {
            out_mid.fill(0.0);
            out_side.fill(0.0);
            return;
        }
        self.complete();
        for (channel, out) in [out_mid, out_side].into_iter().enumerate() {
            match self.overlap_add.first_hop(channel) {
                Some(_) if out.is_empty() => {}
                Some(samples) => out.copy_from_slice(samples),
                None => out.fill(0.0),
            }
        }
    }

    /// Does all steps and adds the oldest waiting frame for good.
    fn complete(&mut self) {
        while self.advance() {}
        self.overlap_add.commit(&self.waiting[0]);
        self.steps.end();
    }

    /// Does one step of the recipe in [`steps`](super::steps).
    fn perform(&mut self, step: Step) {
        let (start_phases, spectra) = (&mut self.start_phases, &mut self.spectra);
        let (newest, before) = newest(&mut self.waiting);
        match step {
            Step::FindGradients(channel) => {
                start_phases[channel].find_gradients(newest.channel(channel).magnitude());
            }
            Step::FindPaths(channel) => start_phases[channel].find_paths(),
            Step::IntegrateInTime(channel) => {
                newest.integrate_in_time(&start_phases[channel], before, channel);
            }
            Step::IntegrateUpward(channel) => {
                start_phases[channel].integrate_upward(newest.channel_mut(channel).phase_mut());
            }
            Step::IntegrateDownward(channel) => {
                start_phases[channel].integrate_downward(newest.channel_mut(channel).phase_mut());
            }
            Step::JoinStartPhases => newest.join_start_phases(spectra),
            Step::Project { frame, channel } => self.project(frame, channel),
            Step::KeepPhases { frame } => self.waiting[frame].keep_phases(spectra),
            Step::Synthesise { frame, channel } => self.synthesise(frame, channel),
        }
    }

    /// Transforms what the sum of all frames has at the place of one of them (Griffin & Lim 1984).
    fn project(&mut self, frame: usize, channel: usize) {
        let samples = &mut self.samples;
        self.overlap_add
            .look_at(frame, &self.waiting, channel, samples);
        self.stft
            .transform_windowed(samples, &mut self.spectra[channel], &mut self.scratch);
    }

    /// Makes one channel's part of the overlap-add from its spectrum.
    fn synthesise(&mut self, frame: usize, channel: usize) {
        let part = self.waiting[frame].channel_mut(channel).part_mut();
        self.stft
            .synthesise_frame(&mut self.spectra[channel], part, &mut self.scratch);
    }
}

/// The newest waiting frame, and the one before it.
fn newest(waiting: &mut [WaitingFrame]) -> (&mut WaitingFrame, &WaitingFrame) {
    let [.., before, newest] = waiting else {
        unreachable!("there is at least one frame of look-ahead")
    };
    (newest, before)
}
