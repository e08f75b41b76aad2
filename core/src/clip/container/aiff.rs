//! AIFF and AIFF-C.

use std::ops::Range;

use super::chunks::{Bytes, Chunk, Chunks, Sizes};
use super::{Broken, Layout, readable};

/// Bytes of a common chunk up to the sample rate, and with the four letters of the encoding.
const COMMON_BYTES: usize = 18;
const COMMON_BYTES_COMPRESSED: usize = 22;
/// Bytes of the sound's chunk before the sound: an offset and the size of blocks.
const SOUND_HEADER_BYTES: u64 = 8;
/// Time stamp of the one version of AIFF-C.
const VERSION: u32 = 0xa280_5140;
/// Exponent of 1.0 in an 80-bit float.
const EXTENDED_BIAS: i32 = 16_383;
/// Bits of an 80-bit float below the first of its mantissa.
const EXTENDED_FRACTION_BITS: i32 = 63;

/// Bytes of a packet of IMA ADPCM for one channel, and the frames in it.
const IMA4_PACKET_BYTES: u16 = 34;
const IMA4_PACKET_FRAMES: u32 = 64;

/// How samples are stored, in the letters of AIFF-C.
#[derive(Debug, Clone, Copy)]
struct Encoding {
    /// As the decoder knows it: big-endian.
    name: [u8; 4],
    /// Bytes of one sample, or of a packet of one channel.
    sample_bytes: u16,
    is_little_endian: bool,
}

impl Encoding {
    /// Whether samples are not stored one by one. The decoder knows that from another container.
    fn is_packets(&self) -> bool {
        self.name == *b"ima4"
    }
}

/// AIFF or AIFF-C (if `is_compressed`, as the name says) from offset `start`.
pub(super) fn layout(
    bytes: &mut Bytes<'_>,
    start: u64,
    is_compressed: bool,
) -> Result<Layout, Broken> {
    let size = bytes.bytes(start + 4, 4)?;
    let size = size
        .iter()
        .fold(0, |size, byte| size << 8 | u64::from(*byte));
    let stated_end = (size > 0 && size < u64::from(u32::MAX)).then_some(start + 8 + size);
    let mut chunks = Chunks::new(bytes, Sizes::Big32, [b"COMM", b"SSND"], stated_end);
    let found = chunks.walk(start + 12)?;
    let common = found.format.ok_or(Broken::NoFormat { container: "AIFF" })?;
    let common = Common::read(chunks.bytes, &common, is_compressed)?;
    let sound = found.sound.ok_or(Broken::NoSound { container: "AIFF" })?;
    let sound = sound_range(&mut chunks, &sound, &common)?;
    let frame_bytes = common.frame_bytes();
    let sound = readable(sound, frame_bytes, common.sample_rate);
    if sound.is_empty() {
        return Err(Broken::NoSound { container: "AIFF" });
    }
    Ok(Layout {
        header: common.header((sound.end - sound.start) / frame_bytes),
        sound,
        swapped_bytes: if common.encoding.is_little_endian {
            common.encoding.sample_bytes.into()
        } else {
            1
        },
        sample_rate: Some(common.sample_rate),
        channels: Some(common.channels),
        extension: if common.encoding.is_packets() {
            "caf"
        } else {
            "aiff"
        },
    })
}

/// Where the samples lie.
fn sound_range(
    chunks: &mut Chunks<'_, '_>,
    sound: &Chunk,
    common: &Common,
) -> Result<Range<u64>, Broken> {
    let offset = chunks.bytes.bytes(sound.body, 4)?;
    let offset = offset.iter().fold(0, |at, byte| at << 8 | u64::from(*byte));
    let begin = sound.body + SOUND_HEADER_BYTES;
    let by_frames = begin + common.frames * common.frame_bytes();
    let end = chunks.sound_end(sound, &[by_frames])?;
    // An offset is legal, if hardly ever used; one beyond the sound is a mistake.
    let begin = Some(begin + offset)
        .filter(|begin| *begin < end)
        .unwrap_or(begin);
    Ok(begin..end.max(begin))
}

/// The common chunk.
#[derive(Debug)]
struct Common {
    channels: u16,
    /// Frames as stated.
    frames: u64,
    /// Sample rate in Hz.
    sample_rate: u32,
    encoding: Encoding,
}

impl Common {
    fn read(bytes: &mut Bytes<'_>, chunk: &Chunk, is_compressed: bool) -> Result<Self, Broken> {
        let common = bytes.bytes(chunk.body, COMMON_BYTES_COMPRESSED as u64)?;
        if common.len() < COMMON_BYTES {
            return Err(Broken::NoFormat { container: "AIFF" });
        }
        let u16_at = |at: usize| u16::from_be_bytes([common[at], common[at + 1]]);
        let channels = u16_at(0);
        if channels == 0 {
            return Err(Broken::Channels { channels });
        }
        let bits = u16_at(6);
        // A plain AIFF file has no letters there, but another chunk.
        let letters = common.get(COMMON_BYTES..COMMON_BYTES_COMPRESSED);
        let letters = letters.filter(|_| is_compressed);
        let encoding = encoding(letters.unwrap_or(b"NONE"), bits)?;
        let [frames_high, frames_low] = [u16_at(2), u16_at(4)].map(u64::from);
        let sample_rate = extended(&common[8..18]).ok_or(Broken::SampleRate)?;
        Ok(Self {
            channels,
            frames: frames_high << 16 | frames_low,
            sample_rate,
            encoding,
        })
    }

    fn frame_bytes(&self) -> u64 {
        u64::from(self.encoding.sample_bytes) * u64::from(self.channels)
    }

    /// A CAF file up to its sound, of which `packets` follow.
    fn packet_header(&self, packets: u64) -> Vec<u8> {
        let channels = u32::from(self.channels);
        let mut header = b"caff\0\x01\0\0desc".to_vec();
        header.extend(32_u64.to_be_bytes());
        header.extend(f64::from(self.sample_rate).to_be_bytes());
        header.extend(self.encoding.name);
        header.extend(0_u32.to_be_bytes());
        header.extend((channels * u32::from(self.encoding.sample_bytes)).to_be_bytes());
        header.extend(IMA4_PACKET_FRAMES.to_be_bytes());
        header.extend(channels.to_be_bytes());
        header.extend(0_u32.to_be_bytes());
        header.extend(b"data");
        // A count of edits comes before the sound.
        header.extend((4 + packets * self.frame_bytes()).to_be_bytes());
        header.extend(0_u32.to_be_bytes());
        header
    }

    /// An AIFF-C file up to its sound, of which `frames` (or packets) follow.
    fn header(&self, frames: u64) -> Vec<u8> {
        if self.encoding.is_packets() {
            return self.packet_header(frames);
        }
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

/// The encoding that the `letters` name, for samples of `bits` bits.
fn encoding(letters: &[u8], bits: u16) -> Result<Encoding, Broken> {
    let integers = |bytes: u16, is_little_endian| {
        if !(1..=4).contains(&bytes) {
            let encoding = "whole numbers";
            return Err(Broken::Bits { bits, encoding });
        }
        Ok(Encoding {
            name: *b"NONE",
            sample_bytes: bytes,
            is_little_endian,
        })
    };
    let named = |name, sample_bytes| {
        Ok(Encoding {
            name,
            sample_bytes,
            is_little_endian: false,
        })
    };
    // Samples take whole bytes, and their bits are the upper ones.
    let bytes = bits.div_ceil(8);
    match letters {
        b"NONE" | b"none" | b"twos" | b"TWOS" | [0, 0, 0, 0] => integers(bytes, false),
        b"sowt" | b"SOWT" => integers(bytes, true),
        b"raw " | b"RAW " => named(*b"raw ", 1),
        b"in16" | b"IN16" => integers(2, false),
        b"in24" | b"IN24" => integers(3, false),
        b"in32" | b"IN32" => integers(4, false),
        b"42ni" | b"42NI" | b"42n1" | b"42N1" => integers(3, true),
        b"23ni" | b"23NI" => integers(4, true),
        b"fl32" | b"FL32" => named(*b"fl32", 4),
        b"fl64" | b"FL64" => named(*b"fl64", 8),
        b"alaw" | b"ALAW" => named(*b"alaw", 1),
        b"ulaw" | b"ULAW" => named(*b"ulaw", 1),
        b"ima4" | b"IMA4" => named(*b"ima4", IMA4_PACKET_BYTES),
        other => Err(Broken::Encoding {
            encoding: format!("\"{}\"", other.escape_ascii()),
        }),
    }
}

/// An 80-bit float as a sample rate in whole Hz, if it is one.
fn extended(bytes: &[u8]) -> Option<u32> {
    let (exponent, mantissa) = bytes.split_at_checked(2)?;
    let exponent = i32::from(u16::from_be_bytes(exponent.try_into().ok()?));
    let mantissa = u64::from_be_bytes(mantissa.try_into().ok()?);
    let power = exponent - EXTENDED_BIAS - EXTENDED_FRACTION_BITS;
    let value = mantissa as f64 * f64::from(power).exp2();
    (1.0..f64::from(u32::MAX))
        .contains(&value)
        .then_some(value as u32)
}
