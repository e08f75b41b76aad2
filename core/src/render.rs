//! Rendering a texture to samples, outside real time.

use crate::inversion::{
    InversionError, InversionSettings, PRIMING_FRAMES, StreamingInverter, TargetFrame,
};
use crate::network::{FeatureStream, Model, NodeGrid, Nodes};
use crate::spectrum::{ExpandScratch, FrameSpectrum};

/// Rounds over the waiting frames: a file has time for more of them than the audio thread.
const ITERATIONS: usize = 4;

/// Plays a texture into buffers, for ever: sample `i` is the same however a render is cut into calls.
pub struct Renderer {
    stream: FeatureStream,
    seed: u32,
    nodes: Nodes,
    scratch: ExpandScratch,
    inverter: StreamingInverter,
    frame: FrameSpectrum,
    stereo: bool,
    sample_rate: u32,
    channels: usize,
    mid: Vec<f32>,
    side: Vec<f32>,
    /// Samples of `mid` and `side` that are already given out.
    used: usize,
}

impl Renderer {
    /// Starts at the beginning of the texture of `seed`.
    ///
    /// # Errors
    /// [`InversionError`] if the model's frames can't be inverted.
    pub fn new(model: &Model, seed: u32) -> Result<Self, InversionError> {
        let stft = model.front_end().stft();
        let stereo = model.is_stereo();
        let settings = InversionSettings {
            stereo,
            iterations: ITERATIONS,
            ..InversionSettings::eco(stft.fft_size(), stft.hop_size())
        };
        let hop_size = stft.hop_size();
        let stream =
            FeatureStream::new(model.clone(), NodeGrid::AS_CAPTURED, seed, -PRIMING_FRAMES);
        let mut renderer = Self {
            nodes: stream.make_nodes(),
            scratch: model.front_end().make_expand_scratch(),
            stream,
            seed,
            inverter: StreamingInverter::new(settings)?,
            frame: FrameSpectrum::silent(stft.bins()),
            stereo,
            sample_rate: model.sample_rate(),
            channels: model.output_channels(),
            mid: vec![0.0; hop_size],
            side: vec![0.0; hop_size],
            used: hop_size,
        };
        for _ in 0..PRIMING_FRAMES + renderer.inverter.latency_frames() as i64 {
            renderer.push();
        }
        Ok(renderer)
    }

    /// Samples per second, in Hz: those of the capture.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Channels, 1 or 2: those of the capture.
    pub fn channels(&self) -> usize {
        self.channels
    }

    fn push(&mut self) {
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
        let side_pan = self.stereo.then_some((side.as_slice(), pan.as_slice()));
        let target = TargetFrame {
            index,
            mid,
            side_pan,
        };
        self.inverter
            .push_frame(target, &mut self.mid, &mut self.side);
    }

    /// Fills `out`, one slice for each of [`channels`](Self::channels), all equally long.
    ///
    /// # Panics
    /// If `out` has another number of channels or unequal lengths.
    pub fn render_into(&mut self, out: &mut [&mut [f32]]) {
        assert_eq!(out.len(), self.channels, "one slice for each channel");
        let length = out[0].len();
        assert!(
            out.iter().all(|c| c.len() == length),
            "all channels are equally long"
        );
        let mut done = 0;
        while done < length {
            if self.used == self.mid.len() {
                self.push();
                self.used = 0;
            }
            let count = (self.mid.len() - self.used).min(length - done);
            let source = self.used..self.used + count;
            let (mid, side) = (&self.mid[source.clone()], &self.side[source]);
            for (channel, sign) in out.iter_mut().zip([1.0, -1.0]) {
                for (o, (m, s)) in channel[done..done + count]
                    .iter_mut()
                    .zip(mid.iter().zip(side))
                {
                    *o = m + sign * s;
                }
            }
            self.used += count;
            done += count;
        }
    }
}
