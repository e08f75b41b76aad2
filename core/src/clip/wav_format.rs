//! What a WAV file says of itself, and how its samples are stored.
//!
//! Mono and stereo are written in the form that every reader knows: format tag 1 (PCM) with the 16 bytes of its
//! first definition, or tag 3 (IEEE float) with the size field and the `fact` chunk that Microsoft's *Multimedia
//! Data Standards Update* (1994) asks of every other tag. Only more channels need the extensible format, which
//! says where they belong.

use std::path::Path;

use super::{ClipError, MAX_DECODED_CHANNELS, check_sample_rate};
use crate::numeric::random::Sequence;

/// Format tag of integer samples.
const PCM: u16 = 1;
/// Format tag of float samples.
const IEEE_FLOAT: u16 = 3;
/// Format tag that is followed by another one and by speaker positions.
const EXTENSIBLE: u16 = 0xfffe;
/// What follows the tag in the extensible format's identifier, KSDATAFORMAT_SUBTYPE.
const SUBTYPE_TAIL: [u8; 14] = [
    0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71,
];
/// Speaker positions that have a bit.
const POSITIONS: usize = 18;

/// How samples are stored in a WAV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SampleFormat {
    /// 32-bit IEEE float: exact, and keeps what is above full scale.
    #[default]
    Float32,
    /// 24-bit integer: clipped at full scale. Rounded without dither, because its rounding noise
    /// (-146 dBFS) lies below that of any converter.
    Int24,
    /// 16-bit integer: clipped at full scale. Rounded with triangular dither of two steps' width, which makes the
    /// error a steady noise (-96 dBFS) whatever the sound (Lipshitz, Wannamaker & Vanderkooy 1992). The dither is
    /// numbered by channel and frame: the same sound gives the same samples.
    Int16,
}

impl SampleFormat {
    /// Bits of one stored sample.
    pub fn bits(self) -> u16 {
        match self {
            Self::Float32 => 32,
            Self::Int24 => 24,
            Self::Int16 => 16,
        }
    }

    fn tag(self) -> u16 {
        match self {
            Self::Float32 => IEEE_FLOAT,
            Self::Int24 | Self::Int16 => PCM,
        }
    }

    /// Frames of `channels` channels that fit into one WAV file, whose sizes are 32-bit byte counts.
    pub fn max_wav_frames(self, channels: usize) -> u64 {
        /// More than all the chunks before the samples take.
        const HEADER_BYTES: u64 = 128;
        let frame_bytes = u64::from(self.bits() / 8) * channels.max(1) as u64;
        (u64::from(u32::MAX) - HEADER_BYTES) / frame_bytes
    }

    /// Appends a sample's bytes. NaN becomes zero where there is none.
    pub(super) fn store(self, sample: f32, dither: &mut Sequence, bytes: &mut Vec<u8>) {
        match self {
            Self::Float32 => bytes.extend_from_slice(&sample.to_le_bytes()),
            Self::Int24 => {
                let value = nearest_integer(sample.into(), 0.0, self.bits());
                bytes.extend_from_slice(&value.to_le_bytes()[..3]);
            }
            Self::Int16 => {
                let triangular = dither.uniform() + dither.uniform() - 1.0;
                let value = nearest_integer(sample.into(), triangular, self.bits());
                bytes.extend_from_slice(&value.to_le_bytes()[..2]);
            }
        }
    }
}

/// Nearest integer of so many bits, `dither` steps beside, clipped at full scale; NaN becomes zero.
fn nearest_integer(sample: f64, dither: f64, bits: u16) -> i32 {
    let full_scale = f64::from(1_u32 << (bits - 1));
    (sample * full_scale + dither)
        .round()
        .clamp(-full_scale, full_scale - 1.0) as i32
}

/// The format of a WAV file.
#[derive(Debug, Clone, Copy)]
pub(super) struct WavFormat {
    /// In Hz.
    pub sample_rate: u32,
    /// From 1 to [`MAX_DECODED_CHANNELS`].
    pub channels: usize,
    pub samples: SampleFormat,
}

impl WavFormat {
    /// Fails where the sample rate or number of channels is out of range for the file `path`.
    pub fn new(
        sample_rate: u32,
        channels: usize,
        samples: SampleFormat,
        path: &Path,
    ) -> Result<Self, ClipError> {
        check_sample_rate(sample_rate)?;
        if channels == 0 {
            return Err(ClipError::NoChannels);
        }
        // What the reader refuses is not written.
        if channels > MAX_DECODED_CHANNELS {
            return Err(ClipError::TooManyChannels {
                name: format!("{path:?}"),
                channels,
            });
        }
        Ok(Self {
            sample_rate,
            channels,
            samples,
        })
    }

    /// Fails where a file can't hold `frames` frames.
    pub fn check_frames(&self, frames: u64) -> Result<(), ClipError> {
        let max_frames = self.samples.max_wav_frames(self.channels);
        if frames <= max_frames {
            return Ok(());
        }
        Err(ClipError::TooLongForWav {
            frames,
            duration_s: frames as f64 / f64::from(self.sample_rate),
            max_frames,
        })
    }

    fn frame_bytes(&self) -> u64 {
        self.channels as u64 * u64::from(self.samples.bits() / 8)
    }

    /// Bytes of `frames` frames, without the byte that makes them even.
    pub fn data_bytes(&self, frames: u64) -> u64 {
        frames * self.frame_bytes()
    }

    /// Bytes of a file of `frames` frames.
    pub fn file_bytes(&self, frames: u64) -> u64 {
        let data = self.data_bytes(frames);
        self.header(0).len() as u64 + data + data % 2
    }

    /// Everything before the samples of a file of `frames` frames, which must fit.
    pub fn header(&self, frames: u64) -> Vec<u8> {
        let data = self.data_bytes(frames);
        let mut chunks = b"WAVE".to_vec();
        push_chunk(&mut chunks, b"fmt ", &self.format_chunk());
        if self.samples.tag() != PCM {
            push_chunk(&mut chunks, b"fact", &size(frames));
        }
        chunks.extend_from_slice(b"data");
        chunks.extend_from_slice(&size(data));
        let riff = size(chunks.len() as u64 + data + data % 2);
        [&b"RIFF"[..], &riff, &chunks].concat()
    }

    fn format_chunk(&self) -> Vec<u8> {
        let (tag, bits) = (self.samples.tag(), self.samples.bits());
        let is_extensible = self.channels > 2;
        let frame_bytes = self.frame_bytes() as u16;
        let bytes_per_second = self.sample_rate.wrapping_mul(frame_bytes.into());
        let mut chunk = Vec::new();
        chunk.extend_from_slice(&(if is_extensible { EXTENSIBLE } else { tag }).to_le_bytes());
        chunk.extend_from_slice(&(self.channels as u16).to_le_bytes());
        chunk.extend_from_slice(&self.sample_rate.to_le_bytes());
        chunk.extend_from_slice(&bytes_per_second.to_le_bytes());
        chunk.extend_from_slice(&frame_bytes.to_le_bytes());
        chunk.extend_from_slice(&bits.to_le_bytes());
        if is_extensible {
            // The first of the positions; without one for each, none.
            let positions = match self.channels {
                count @ ..=POSITIONS => (1_u32 << count) - 1,
                _ => 0,
            };
            chunk.extend_from_slice(&22_u16.to_le_bytes());
            chunk.extend_from_slice(&bits.to_le_bytes());
            chunk.extend_from_slice(&positions.to_le_bytes());
            chunk.extend_from_slice(&tag.to_le_bytes());
            chunk.extend_from_slice(&SUBTYPE_TAIL);
        } else if tag != PCM {
            chunk.extend_from_slice(&0_u16.to_le_bytes());
        }
        chunk
    }
}

fn push_chunk(bytes: &mut Vec<u8>, name: &[u8; 4], body: &[u8]) {
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(&size(body.len() as u64));
    bytes.extend_from_slice(body);
}

/// A size as the file holds it. What is written fits; see [`WavFormat::check_frames`].
fn size(bytes: u64) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}
