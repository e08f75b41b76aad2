//! Frames to sound at the host's sample rate: what one stream needs on the audio thread.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{
    Async, FixedAsync, Resampler, ResamplerConstructionError, SincInterpolationParameters,
    WindowFunction,
};
use thiserror::Error;

use super::renderer::PRIMING_FRAMES;
use super::ring::{Frame, FrameReceiver, FrameSender, frame_ring};
use super::stream::FrameStream;
use crate::inversion::{InversionError, InversionSettings, StreamingInverter, TargetFrame};
use crate::network::Model;
use crate::spectrum::FrameSpectrum;

/// Frames that wait in the ring: half a second at 48 kHz.
pub(super) const RING_FRAMES: usize = 48;
/// Frames in the ring before a new engine is handed over.
const PREFILLED_FRAMES: usize = 12;
/// Samples that the resampler makes at once.
const RESAMPLER_CHUNK: usize = 64;
/// Length of the resampler's filter in samples: short enough for the audio thread.
const SINC_LENGTH: usize = 96;

/// Why a texture can't be played.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlayError {
    /// Its frames can't be inverted.
    #[error(transparent)]
    Inversion(#[from] InversionError),
    /// Its sample rate can't be converted to the host's.
    #[error("the texture's {from} Hz can't be converted to the host's {to} Hz: {source}")]
    SampleRate {
        /// Rate of the texture in Hz.
        from: u32,
        /// Rate of the host in Hz.
        to: f64,
        /// What the resampler said.
        source: ResamplerConstructionError,
    },
}

/// Samples of two channels, one behind the other, at the texture's own rate.
struct Source {
    receiver: FrameReceiver,
    inverter: StreamingInverter,
    stereo: bool,
    epoch: u32,
    /// Index of the last frame that was inverted.
    index: i64,
    /// The last frame, to go on with when the next one is missing.
    last: FrameSpectrum,
    mid: Vec<f32>,
    side: Vec<f32>,
    used: usize,
}

/// Where a texture's rate is not the host's.
struct RateConverter {
    resampler: Async<f32>,
    /// Two channels, one after the other.
    input: Vec<f32>,
    output: Vec<f32>,
    used: usize,
}

/// One stream of a texture, owned by the audio thread once it is handed over. The worker builds it, with
/// everything allocated and the first frames inverted, and takes it back to free it.
pub(super) struct Engine {
    source: Source,
    converter: Option<RateConverter>,
}

/// The worker's half of an [`Engine`].
pub(super) struct EngineFeed {
    sender: FrameSender,
    stream: FrameStream,
    epoch: u32,
}

/// What a stream starts from.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamStart {
    pub seed: u32,
    pub epoch: u32,
    /// First frame that is heard.
    pub frame: i64,
    /// Sample rate of the host in Hz.
    pub host_rate: f64,
}

impl Engine {
    /// Builds both halves for `model`, ready to sound. On the worker: this allocates.
    pub fn new(model: &Model, start: StreamStart) -> Result<(Self, EngineFeed), PlayError> {
        let stft = model.front_end().stft();
        let (fft_size, hop_size, bins) = (stft.fft_size(), stft.hop_size(), stft.bins());
        let stereo = model.is_stereo();
        let settings = InversionSettings {
            stereo,
            ..InversionSettings::new(fft_size, hop_size)
        };
        let inverter = StreamingInverter::new(settings)?;
        let (sender, receiver) = frame_ring(RING_FRAMES, bins);
        let first = start.frame - PRIMING_FRAMES;
        let latency = inverter.latency_frames() as i64;
        let mut feed = EngineFeed {
            sender,
            stream: FrameStream::new(model.clone(), start.seed, first),
            epoch: start.epoch,
        };
        let mut source = Source {
            receiver,
            inverter,
            stereo,
            epoch: start.epoch,
            index: first - 1,
            last: FrameSpectrum::silent(bins),
            mid: vec![0.0; hop_size],
            side: vec![0.0; hop_size],
            used: hop_size,
        };
        for _ in 0..PRIMING_FRAMES + latency {
            feed.send_frame();
            source.next_hop();
        }
        source.used = hop_size;
        for _ in 0..PREFILLED_FRAMES {
            feed.send_frame();
        }
        let texture_rate = model.sample_rate();
        let converter = if f64::from(texture_rate) == start.host_rate {
            None
        } else {
            let failed = |source| PlayError::SampleRate {
                from: texture_rate,
                to: start.host_rate,
                source,
            };
            Some(RateConverter::new(texture_rate, start.host_rate).map_err(failed)?)
        };
        Ok((Self { source, converter }, feed))
    }

    /// Which restart this is the stream of.
    pub fn epoch(&self) -> u32 {
        self.source.epoch
    }

    /// The frame that sounds next, were the stream started again there.
    pub fn position(&self) -> i64 {
        self.source.index + 1 - self.source.inverter.latency_frames() as i64
    }

    /// Writes left and right. Returns how many frames were missing and had to be made up from the last one.
    /// Real-time safe.
    pub fn render(&mut self, left: &mut [f32], right: &mut [f32]) -> u32 {
        match &mut self.converter {
            None => self.source.render(left, right),
            Some(converter) => converter.render(&mut self.source, left, right),
        }
    }

    /// Whether [`render`](Self::render) of `samples` samples may lack a frame.
    pub fn starves(&self, samples: usize) -> bool {
        let hop = self.source.mid.len();
        // The converter works in chunks, and may need more than its share at a time.
        let ahead = self.converter.as_ref().map_or(0, |c| c.input.len());
        let needed = self.converter.as_ref().map_or(samples, |c| {
            (samples as f64 / c.resampler.resample_ratio()).ceil() as usize + ahead
        });
        let at_hand = hop - self.source.used;
        let hops = needed.saturating_sub(at_hand).div_ceil(hop);
        hops > 0 && self.source.receiver.waiting() < hops
    }
}

impl Source {
    /// Inverts the next frame to `mid` and `side`. If it is missing, the last one goes on; returns whether
    /// that was so.
    fn next_hop(&mut self) -> bool {
        let mut frame = self.receiver.receive();
        while let Some(stale) = frame.take_if(|f| f.epoch != self.epoch) {
            self.receiver.recycle(stale);
            frame = self.receiver.receive();
        }
        self.index += 1;
        let missing = frame.is_none();
        if let Some(mut frame) = frame {
            self.index = frame.index;
            std::mem::swap(&mut self.last, &mut frame.spectrum);
            self.receiver.recycle(frame);
        }
        let FrameSpectrum { mid, side, pan } = &self.last;
        let side_pan = self.stereo.then_some((side.as_slice(), pan.as_slice()));
        let target = TargetFrame {
            index: self.index,
            mid,
            side_pan,
        };
        self.inverter
            .push_frame(target, &mut self.mid, &mut self.side);
        self.used = 0;
        missing
    }

    fn render(&mut self, left: &mut [f32], right: &mut [f32]) -> u32 {
        let (mut done, mut missing) = (0, 0);
        while done < left.len() {
            if self.used == self.mid.len() {
                missing += u32::from(self.next_hop());
            }
            let count = (self.mid.len() - self.used).min(left.len() - done);
            for i in 0..count {
                let (m, s) = (self.mid[self.used + i], self.side[self.used + i]);
                left[done + i] = m + s;
                right[done + i] = m - s;
            }
            self.used += count;
            done += count;
        }
        missing
    }
}

impl RateConverter {
    fn new(from: u32, to: f64) -> Result<Self, ResamplerConstructionError> {
        let resampler = Async::new_sinc(
            to / f64::from(from),
            1.0,
            &SincInterpolationParameters::new(SINC_LENGTH, WindowFunction::Blackman2),
            RESAMPLER_CHUNK,
            2,
            FixedAsync::Output,
        )?;
        Ok(Self {
            input: vec![0.0; 2 * resampler.input_frames_max()],
            output: vec![0.0; 2 * RESAMPLER_CHUNK],
            used: RESAMPLER_CHUNK,
            resampler,
        })
    }

    fn render(&mut self, source: &mut Source, left: &mut [f32], right: &mut [f32]) -> u32 {
        let (mut done, mut missing) = (0, 0);
        while done < left.len() {
            if self.used == RESAMPLER_CHUNK {
                missing += self.next_chunk(source);
            }
            let count = (RESAMPLER_CHUNK - self.used).min(left.len() - done);
            let (l, r) = self.output.split_at(RESAMPLER_CHUNK);
            left[done..done + count].copy_from_slice(&l[self.used..self.used + count]);
            right[done..done + count].copy_from_slice(&r[self.used..self.used + count]);
            self.used += count;
            done += count;
        }
        missing
    }

    fn next_chunk(&mut self, source: &mut Source) -> u32 {
        let needed = self.resampler.input_frames_next();
        let (left, right) = self.input[..2 * needed].split_at_mut(needed);
        let missing = source.render(left, right);
        let input = SequentialSlice::new(&self.input[..2 * needed], 2, needed);
        let output = SequentialSlice::new_mut(&mut self.output, 2, RESAMPLER_CHUNK);
        if let (Ok(input), Ok(mut output)) = (input, output) {
            // The lengths are the ones it asked for; if it fails all the same, the last chunk stays.
            let done = self
                .resampler
                .process_into_buffer(&input, &mut output, None);
            debug_assert!(done.is_ok());
        }
        self.used = 0;
        missing
    }
}

impl EngineFeed {
    /// Makes and sends one frame, if the ring has room.
    pub fn send_frame(&mut self) -> bool {
        let Self {
            sender,
            stream,
            epoch,
        } = self;
        sender.send_with(|frame: &mut Frame| {
            frame.epoch = *epoch;
            frame.index = stream.next_frame(&mut frame.spectrum);
        })
    }

    /// Goes on with a better network for the same capture.
    pub fn improve(&mut self, model: Model) {
        self.stream.improve(model);
    }
}
