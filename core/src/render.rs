//! Rendering a texture to samples, outside real time: a model's frames through one inverter, on the thread
//! that asks. What plays in real time is [`instrument`](crate::instrument).

use crate::inversion::{
    InversionError, InversionSettings, PRIMING_FRAMES, StreamingInverter, TargetFrame,
};
use crate::network::{FeatureStream, Model, NodeGrid, Nodes};
use crate::numeric::fade::SineFade;
use crate::spectrum::{ExpandScratch, FrameSpectrum};

/// Rounds over the waiting frames: a file has time for more of them than the audio thread.
const ITERATIONS: usize = 4;

/// Plays a texture into buffers, for ever: sample `i` is the same however a render is cut into calls.
///
/// ```
/// use std::ops::ControlFlow;
/// use weft_core::fit::{FitSettings, fit};
/// use weft_core::procedural::{Texture, synthesize};
/// use weft_core::render::Renderer;
///
/// // Two seconds of rain; a real fit takes a hundred times as many steps.
/// let clip = synthesize(Texture::Rain, 1, 8_000, 2.0);
/// let settings = FitSettings { steps: 20, ..FitSettings::default() };
/// let model = fit(&clip, &settings, &mut |_| ControlFlow::Continue(()))?;
///
/// let mut renderer = Renderer::new(&model, 7)?;
/// assert_eq!((renderer.sample_rate(), renderer.channels()), (8_000, 2));
/// let (mut left, mut right) = (vec![0.0; 4_000], vec![0.0; 4_000]);
/// renderer.render_into(&mut [&mut left, &mut right]);
///
/// // The same seed gives the same samples, in calls of any length.
/// let mut again = Renderer::new(&model, 7)?;
/// let (mut first, mut second) = (vec![0.0; 1_001], vec![0.0; 1_001]);
/// again.render_into(&mut [&mut first, &mut second]);
/// assert!(first == left[..1_001] && second == right[..1_001]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Renderer {
    stream: FeatureStream,
    seed: u32,
    nodes: Nodes,
    scratch: ExpandScratch,
    frame: FrameSpectrum,
    inverter: StreamingInverter,
    hop: Hop,
}

/// The hop that is being given out, as mid and side.
struct Hop {
    mid: Vec<f32>,
    side: Vec<f32>,
    /// Samples that are already given out.
    used: usize,
}

impl Hop {
    /// A hop of `size` samples that are all given out.
    fn spent(size: usize) -> Self {
        Self {
            mid: vec![0.0; size],
            side: vec![0.0; size],
            used: size,
        }
    }

    /// Leaves out what is left.
    fn skip(&mut self) {
        self.used = self.mid.len();
    }

    fn is_spent(&self) -> bool {
        self.used == self.mid.len()
    }

    /// Writes what is left to the samples from `done` on of left and right (or of the only channel), as far as
    /// there is room. Returns how many samples that were.
    fn take_into(&mut self, out: &mut [&mut [f32]], done: usize) -> usize {
        let count = (self.mid.len() - self.used).min(out[0].len() - done);
        let source = self.used..self.used + count;
        let (mid, side) = (&self.mid[source.clone()], &self.side[source]);
        for (channel, sign) in out.iter_mut().zip([1.0, -1.0]) {
            let out = &mut channel[done..done + count];
            for (o, (m, s)) in out.iter_mut().zip(mid.iter().zip(side)) {
                *o = m + sign * s;
            }
        }
        self.used += count;
        count
    }
}

impl Renderer {
    /// Starts at the beginning of the texture of `seed`.
    ///
    /// # Errors
    /// [`InversionError`] if the model's frames can't be inverted.
    pub fn new(model: &Model, seed: u32) -> Result<Self, InversionError> {
        let stft = model.front_end().stft();
        let settings = InversionSettings {
            stereo: model.is_stereo(),
            apart: model.front_end().image().is_apart(),
            iterations: ITERATIONS,
            ..InversionSettings::eco(stft.fft_size(), stft.hop_size())
        };
        let stream =
            FeatureStream::new(model.clone(), NodeGrid::AS_CAPTURED, seed, -PRIMING_FRAMES);
        let mut renderer = Self {
            seed,
            nodes: stream.make_nodes(),
            scratch: model.front_end().make_expand_scratch(),
            frame: FrameSpectrum::silent(stft.bins()),
            inverter: StreamingInverter::new(settings)?,
            hop: Hop::spent(stft.hop_size()),
            stream,
        };
        for _ in 0..PRIMING_FRAMES + renderer.inverter.latency_frames() as i64 {
            renderer.next_hop();
        }
        renderer.hop.skip();
        Ok(renderer)
    }

    /// Samples per second, in Hz: those of the capture.
    pub fn sample_rate(&self) -> u32 {
        self.stream.model().sample_rate()
    }

    /// Channels, 1 or 2: those of the capture.
    pub fn channels(&self) -> usize {
        self.stream.model().output_channels()
    }

    /// Makes the next frame and takes the hop that is complete with it.
    fn next_hop(&mut self) {
        let index = self.stream.next_frame(&mut self.nodes);
        let front_end = self.stream.model().front_end();
        front_end.expand(
            self.nodes.row(0),
            self.seed,
            index,
            &mut self.scratch,
            &mut self.frame,
        );
        let FrameSpectrum { mid, side, pan } = &self.frame;
        let stereo = self.inverter.settings().stereo;
        let target = TargetFrame {
            index,
            mid,
            side_pan: stereo.then_some((side.as_slice(), pan.as_slice())),
        };
        let Hop { mid, side, used } = &mut self.hop;
        self.inverter.push_frame(target, mid, side);
        front_end.image().place(mid, side);
        *used = 0;
    }

    /// Fills `out`, one slice for each of [`channels`](Self::channels), all equally long.
    ///
    /// # Panics
    /// If `out` has another number of channels or unequal lengths.
    pub fn render_into(&mut self, out: &mut [&mut [f32]]) {
        assert_eq!(out.len(), self.channels(), "one slice for each channel");
        let length = out[0].len();
        assert!(
            out.iter().all(|c| c.len() == length),
            "all channels are equally long"
        );
        let mut done = 0;
        while done < length {
            if self.hop.is_spent() {
                self.next_hop();
            }
            done += self.hop.take_into(out, done);
        }
    }
}

/// The end of a loop: what would follow it fades into what comes before its beginning, so that the beginning may
/// follow without a seam. The two are stretches of a texture, and uncorrelated: their powers add up.
///
/// ```
/// use weft_core::render::LoopEnd;
///
/// // A texture of which three samples came before the loop begins, and three more than the loop follow.
/// let mut end = LoopEnd::new(vec![vec![0.1, 0.2, 0.3]]);
/// let mut last = [0.7, 0.8, 0.9];
/// end.fade_into(&mut [&mut last]);
/// assert!((last[0] - 0.7).abs() < 0.1 && (last[2] - 0.3).abs() < 0.3);
/// ```
pub struct LoopEnd {
    before: Vec<Vec<f32>>,
    fade: SineFade,
    done: usize,
}

impl LoopEnd {
    /// An end that fades into `before`, what comes before the loop's beginning: one vector for each channel, all as
    /// long as the fade, in samples.
    pub fn new(before: Vec<Vec<f32>>) -> Self {
        let length = before.first().map_or(0, Vec::len);
        Self {
            before,
            fade: SineFade::over(length.max(1)),
            done: 0,
        }
    }

    /// Samples of the fade that are still to come.
    pub fn remaining(&self) -> usize {
        self.before.first().map_or(0, Vec::len) - self.done
    }

    /// Fades the next samples of what follows.
    ///
    /// # Panics
    /// If `block` is longer than [`remaining`](Self::remaining), or has other channels.
    pub fn fade_into(&mut self, block: &mut [&mut [f32]]) {
        assert_eq!(block.len(), self.before.len(), "one slice for each channel");
        for (after, before) in block.iter_mut().zip(&self.before) {
            let before = &before[self.done..self.done + after.len()];
            for (i, (after, before)) in after.iter_mut().zip(before).enumerate() {
                let (rising, falling) = self.fade.gains(self.done + i);
                *after = falling * *after + rising * before;
            }
        }
        self.done += block.first().map_or(0, |channel| channel.len());
    }
}
