//! Samples as they lie in a file, behind a header of ours: AIFF-C, which knows all that are stored one by one.

use std::ops::Range;

use super::{Blocks, Broken, Coding, Layout, readable};

/// Bytes of the sound's chunk before the sound: an offset and the size of blocks.
pub(super) const SOUND_HEADER_BYTES: u64 = 8;
/// Time stamp of the one version of AIFF-C.
const VERSION: u32 = 0xa280_5140;
/// Exponent of 1.0 in an 80-bit float.
pub(super) const EXTENDED_BIAS: i32 = 16_383;

/// How samples are stored, in the letters of AIFF-C.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoding {
    /// As the decoder knows it: big-endian.
    name: [u8; 4],
    /// Bytes of one sample; of no use for blocks.
    sample_bytes: u16,
    is_little_endian: bool,
    /// The blocks that it is stored in, if it is not sample by sample.
    coding: Option<Coding>,
}

impl Encoding {
    /// Signed whole numbers of `bytes` bytes, 1 to 4.
    pub(super) fn integers(bytes: u16, is_little_endian: bool) -> Result<Self, Broken> {
        if !(1..=4).contains(&bytes) {
            return Err(Broken::Bits {
                bits: bytes.saturating_mul(8),
                encoding: "whole numbers",
            });
        }
        Ok(Self {
            name: *b"NONE",
            sample_bytes: bytes,
            is_little_endian,
            coding: None,
        })
    }

    /// Floating-point numbers of `bytes` bytes, 4 or 8.
    pub(super) fn floats(bytes: u16, is_little_endian: bool) -> Result<Self, Broken> {
        let name = match bytes {
            4 => *b"fl32",
            8 => *b"fl64",
            _ => {
                return Err(Broken::Bits {
                    bits: bytes.saturating_mul(8),
                    encoding: "floating-point numbers",
                });
            }
        };
        Ok(Self {
            name,
            sample_bytes: bytes,
            is_little_endian,
            coding: None,
        })
    }

    /// Samples of one byte: `raw ` (unsigned), `ulaw` or `alaw`.
    pub(super) fn bytes(name: [u8; 4]) -> Self {
        Self {
            name,
            sample_bytes: 1,
            is_little_endian: false,
            coding: None,
        }
    }

    /// Samples that are not stored one by one.
    pub(super) fn blocks(coding: Coding) -> Self {
        Self {
            name: [0; 4],
            sample_bytes: 1,
            is_little_endian: false,
            coding: Some(coding),
        }
    }
}

/// Sound that needs nothing but a header.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) channels: u16,
    /// Sample rate in Hz.
    pub(super) sample_rate: u32,
    pub(super) encoding: Encoding,
}

impl Stored {
    /// The blocks that it is stored in, if there are any.
    fn blocks(&self) -> Option<Blocks> {
        Some(Blocks {
            coding: self.encoding.coding?,
            channels: self.channels,
            sample_rate: self.sample_rate,
        })
    }

    /// Bytes of a frame or of a block, and the frames that it holds.
    pub(super) fn unit(&self) -> (u64, u64) {
        let frames = self
            .encoding
            .coding
            .map_or(1, |coding| coding.bytes_and_frames().1);
        (self.frame_bytes(), frames.into())
    }

    /// Bytes of a frame, or of a block.
    pub(super) fn frame_bytes(&self) -> u64 {
        match self.blocks() {
            Some(blocks) => blocks.bytes(),
            None => u64::from(self.encoding.sample_bytes) * u64::from(self.channels),
        }
    }

    /// The layout of a `container` with the samples at the offsets `sound`.
    pub(super) fn layout(
        &self,
        sound: Range<u64>,
        container: &'static str,
    ) -> Result<Layout, Broken> {
        if let Some(blocks) = self.blocks() {
            return blocks.layout(sound, container);
        }
        if self.channels == 0 {
            return Err(Broken::Channels { channels: 0 });
        }
        let sound = sound.start..sound.end.max(sound.start);
        let sound = readable(sound, self.frame_bytes(), self.sample_rate);
        if sound.is_empty() {
            return Err(Broken::NoSound { container });
        }
        Ok(Layout {
            header: self
                .header((sound.end - sound.start) / self.frame_bytes())
                .into(),
            sound,
            swapped_bytes: match self.encoding.is_little_endian {
                true => self.encoding.sample_bytes.into(),
                false => 1,
            },
            sample_rate: Some(self.sample_rate),
            channels: Some(self.channels),
            ..Layout::as_it_is(0..0, "aiff")
        })
    }

    /// An AIFF-C file up to its sound, of which `frames` follow.
    fn header(&self, frames: u64) -> Vec<u8> {
        let sound_bytes = (frames * self.frame_bytes() + SOUND_HEADER_BYTES) as u32;
        let bits = match &self.encoding.name {
            // The bits that they stand for.
            b"ulaw" | b"alaw" => 16,
            _ => self.encoding.sample_bytes * 8,
        };
        let mut common = self.channels.to_be_bytes().to_vec();
        common.extend((frames as u32).to_be_bytes());
        common.extend(bits.to_be_bytes());
        let exponent = self.sample_rate.max(1).ilog2();
        common.extend((EXTENDED_BIAS as u16 + exponent as u16).to_be_bytes());
        common.extend((u64::from(self.sample_rate) << (63 - exponent)).to_be_bytes());
        common.extend(self.encoding.name);
        // No name of the encoding: its length and a byte to make that even.
        common.extend([0, 0]);

        let mut header = b"FORM".to_vec();
        let size = 4 + 12 + 8 + common.len() as u32 + 8 + sound_bytes;
        header.extend(size.to_be_bytes());
        header.extend(b"AIFCFVER");
        header.extend(4_u32.to_be_bytes());
        header.extend(VERSION.to_be_bytes());
        header.extend(b"COMM");
        header.extend((common.len() as u32).to_be_bytes());
        header.extend(common);
        header.extend(b"SSND");
        header.extend(sound_bytes.to_be_bytes());
        header.extend([0; SOUND_HEADER_BYTES as usize]);
        header
    }
}
