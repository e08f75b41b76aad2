//! VOC (Creative Labs): sound in blocks.

use super::chunks::Bytes;
use super::stored::{Encoding, Stored};
use super::{Broken, Layout};
use crate::clip::MAX_READ_S;

/// What a file begins with, and the offset of the field with its header's length.
pub(super) const MAGIC: &[u8; 16] = b"Creative Voice F";
const HEADER_LENGTH_AT: u64 = 20;
/// Blocks that are walked.
const MOST_BLOCKS: usize = 65_536;
/// Most bytes of sound that are gathered: a minute of stereo at the highest rate.
const MOST_SOUND_BYTES: usize = 4 * 192_000 * MAX_READ_S as usize;
/// Clock of the first sound cards, in Hz, of which a byte or a word is a divisor.
const CLOCK_HZ: u32 = 1_000_000;
const WIDE_CLOCK_HZ: u32 = 256_000_000;

/// VOC from offset `start`.
pub(super) fn layout(bytes: &mut Bytes<'_>, start: u64) -> Result<Layout, Broken> {
    let container = "VOC";
    let header = bytes.bytes(start + HEADER_LENGTH_AT, 2)?;
    let header = header.try_into().map(u16::from_le_bytes);
    let header = header.map_err(|_| Broken::NoFormat { container })?;
    let mut at = start + u64::from(header);
    let (mut format, mut extended) = (None, None);
    let mut sound = Vec::new();
    for _ in 0..MOST_BLOCKS {
        let head = bytes.bytes(at, 4)?;
        let [kind, low, middle, high] = head[..] else {
            break;
        };
        if kind == 0 {
            break;
        }
        let size = u64::from(u32::from_le_bytes([low, middle, high, 0]));
        let (body, end) = (at + 4, (at + 4 + size).min(bytes.len()));
        let head = bytes.bytes(body, size.min(12))?;
        let begin = match (kind, &head[..]) {
            (1, [divisor, codec, ..]) => {
                let own = Format::old(*divisor, *codec);
                format.get_or_insert(extended.take().unwrap_or(own));
                Some(body + 2)
            }
            (2, _) => Some(body),
            (8, [low, high, codec, channels, ..]) => {
                let divisor = u16::from_le_bytes([*low, *high]);
                extended = Some(Format::extended(divisor, *codec, *channels));
                None
            }
            (9, [a, b, c, d, _, channels, low, high, ..]) => {
                format.get_or_insert(Format {
                    sample_rate: u32::from_le_bytes([*a, *b, *c, *d]),
                    channels: (*channels).into(),
                    codec: u16::from_le_bytes([*low, *high]),
                });
                Some(body + 12)
            }
            _ => None,
        };
        if let Some(begin) = begin.filter(|begin| *begin < end) {
            let room = MOST_SOUND_BYTES - sound.len();
            sound.extend(bytes.bytes(begin, (end - begin).min(room as u64))?);
        }
        at = body + size;
    }
    let format = format.ok_or(Broken::NoFormat { container })?;
    let stored = format.stored()?;
    let sound_bytes = sound.len() as u64;
    let mut layout = stored.layout(0..sound_bytes, container)?;
    // All of it stands behind the header, in memory.
    let used = (layout.sound.end - layout.sound.start) as usize;
    sound.truncate(used);
    if layout.swapped_bytes > 1 {
        for sample in sound.chunks_exact_mut(layout.swapped_bytes) {
            sample.reverse();
        }
    }
    layout.header = [&layout.header[..], &sound].concat().into();
    layout.sound = 0..0;
    layout.swapped_bytes = 1;
    Ok(layout)
}

/// What a block says of the sound in it and in those that follow.
struct Format {
    /// Sample rate in Hz.
    sample_rate: u32,
    channels: u16,
    codec: u16,
}

impl Format {
    fn old(divisor: u8, codec: u8) -> Self {
        Self {
            sample_rate: CLOCK_HZ / (256 - u32::from(divisor)),
            channels: 1,
            codec: codec.into(),
        }
    }

    fn extended(divisor: u16, codec: u8, mode: u8) -> Self {
        let channels = 1 + u16::from(mode != 0);
        let divisor = u32::from(channels) * (65_536 - u32::from(divisor));
        Self {
            sample_rate: WIDE_CLOCK_HZ / divisor,
            channels,
            codec: codec.into(),
        }
    }

    fn stored(&self) -> Result<Stored, Broken> {
        let encoding = match self.codec {
            0 => Encoding::bytes(*b"raw "),
            4 => Encoding::integers(2, true)?,
            6 => Encoding::bytes(*b"alaw"),
            7 => Encoding::bytes(*b"ulaw"),
            other => {
                return Err(Broken::Encoding {
                    encoding: format!("Creative ADPCM (VOC codec {other})"),
                });
            }
        };
        Ok(Stored {
            channels: self.channels,
            sample_rate: self.sample_rate,
            encoding,
        })
    }
}
