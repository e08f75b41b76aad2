//! AIFF and AIFF-C.

use std::ops::Range;

use super::chunks::{Bytes, Chunk, Chunks, Sizes};
use super::stored::{EXTENDED_BIAS, Encoding, SOUND_HEADER_BYTES, Stored};
use super::{Broken, Coding, Layout};

/// Bytes of a common chunk up to the sample rate, and with the four letters of the encoding.
const COMMON_BYTES: usize = 18;
const COMMON_BYTES_COMPRESSED: usize = 22;
/// Bits of an 80-bit float below the first of its mantissa.
const EXTENDED_FRACTION_BITS: i32 = 63;

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
    common.stored.layout(sound, "AIFF")
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
    let by_frames = begin + common.frames * common.stored.frame_bytes();
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
    /// Frames as stated.
    frames: u64,
    stored: Stored,
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
            frames: frames_high << 16 | frames_low,
            stored: Stored {
                channels,
                sample_rate,
                encoding,
            },
        })
    }
}

/// The encoding that the `letters` name, for samples of `bits` bits.
fn encoding(letters: &[u8], bits: u16) -> Result<Encoding, Broken> {
    // Samples take whole bytes, and their bits are the upper ones.
    let bytes = bits.div_ceil(8);
    match letters {
        b"NONE" | b"none" | b"twos" | b"TWOS" | [0, 0, 0, 0] => Encoding::integers(bytes, false),
        b"sowt" | b"SOWT" => Encoding::integers(bytes, true),
        b"raw " | b"RAW " => Ok(Encoding::bytes(*b"raw ")),
        b"in16" | b"IN16" => Encoding::integers(2, false),
        b"in24" | b"IN24" => Encoding::integers(3, false),
        b"in32" | b"IN32" => Encoding::integers(4, false),
        b"42ni" | b"42NI" | b"42n1" | b"42N1" => Encoding::integers(3, true),
        b"23ni" | b"23NI" => Encoding::integers(4, true),
        b"fl32" | b"FL32" => Encoding::floats(4, false),
        b"fl64" | b"FL64" => Encoding::floats(8, false),
        b"alaw" | b"ALAW" => Ok(Encoding::bytes(*b"alaw")),
        b"ulaw" | b"ULAW" => Ok(Encoding::bytes(*b"ulaw")),
        b"ima4" | b"IMA4" => Ok(Encoding::blocks(Coding::Ima4)),
        // As Apple names it, and as libsndfile does.
        b"agsm" | b"AGSM" | b"GSM " => Ok(Encoding::blocks(Coding::Gsm)),
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
