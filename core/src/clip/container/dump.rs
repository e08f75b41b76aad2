//! Samples of samplers as they go over MIDI (MIDI 1.0 Detailed Specification, *Sample Dump Standard*): messages, of
//! which each has 120 bytes of sound.

use super::chunks::Bytes;
use super::pieces::Pieces;
use super::{Blocks, Broken, Coding, Layout, MAX_READ_S, Trim};

/// First and last byte of a message, and what follows the first: not real time.
const BEGIN: u8 = 0xf0;
const END: u8 = 0xf7;
const NOT_REAL_TIME: u8 = 0x7e;
/// What a message is: a header, or a packet of sound.
const HEADER: u8 = 1;
const PACKET: u8 = 2;
/// Bytes of a header.
const HEADER_BYTES: u64 = 21;
/// Bytes of a packet, and where its sound begins.
pub(in crate::clip) const PACKET_BYTES: usize = 127;
pub(in crate::clip) const SOUND_AT: usize = 5;
pub(in crate::clip) const SOUND_BYTES: usize = 120;
/// Bits of the samples that there can be.
const BITS: std::ops::RangeInclusive<u8> = 8..=28;
const BITS_PER_BYTE: u8 = 7;
/// Messages of other kinds between the packets, such as a receiver's answers, are at most so long.
const MOST_OTHER_BYTES: usize = 64;
const CONTAINER: &str = "MIDI sample dump";

/// Whether a file begins so.
pub(super) fn is_dump(magic: &[u8]) -> bool {
    magic.starts_with(&[BEGIN, NOT_REAL_TIME]) && magic[3] == HEADER
}

/// Whether a packet of sound begins so.
pub(in crate::clip) fn is_packet(message: &[u8]) -> bool {
    message.starts_with(&[BEGIN, NOT_REAL_TIME]) && message.get(3) == Some(&PACKET)
}

/// The first sample of a dump from offset `start`.
pub(super) fn layout(bytes: &mut Bytes<'_>, start: u64) -> Result<Layout, Broken> {
    let header = bytes.bytes(start, HEADER_BYTES)?;
    if header.len() < HEADER_BYTES as usize {
        return Err(Broken::NoFormat {
            container: CONTAINER,
        });
    }
    let bits = header[6];
    if !BITS.contains(&bits) {
        return Err(Broken::Bits {
            bits: bits.into(),
            encoding: CONTAINER,
        });
    }
    // Three bytes of seven bits, the lowest first.
    let number = |at: usize| (0..3).fold(0, |sum, n| sum | u32::from(header[at + n]) << (7 * n));
    let (period_ns, length) = (number(7), u64::from(number(10)));
    let sample_rate = 1_000_000_000_u32.checked_div(period_ns);
    let word_bytes = bits.div_ceil(BITS_PER_BYTE);
    let blocks = Blocks {
        coding: Coding::Dump { word_bytes },
        channels: 1,
        sample_rate: sample_rate.ok_or(Broken::SampleRate)?,
    };
    let packet_frames = (SOUND_BYTES / usize::from(word_bytes)) as u64;
    let most_frames = (MAX_READ_S * f64::from(blocks.sample_rate)) as u64;
    let pieces = packets(bytes, start + HEADER_BYTES, most_frames / packet_frames + 1)?;
    let frames = pieces.len() / PACKET_BYTES as u64 * packet_frames;
    // The last packet is filled up. A length that it does not lie in is a mistake.
    let is_right = length <= frames && frames < length + packet_frames;
    let layout = blocks.layout(0..pieces.len(), CONTAINER)?;
    Ok(Layout {
        trim: Trim {
            length: is_right.then_some(length),
            ..Trim::default()
        },
        ..layout.in_pieces(pieces)
    })
}

/// Where the packets lie, `most` of them at most.
fn packets(bytes: &mut Bytes<'_>, first: u64, most: u64) -> Result<Pieces, Broken> {
    let (mut pieces, mut at) = (Pieces::default(), first);
    while pieces.len() < most * PACKET_BYTES as u64 {
        let message = bytes.bytes(at, PACKET_BYTES as u64)?;
        if message.len() == PACKET_BYTES && is_packet(&message) {
            pieces.push(at..at + PACKET_BYTES as u64);
            at += PACKET_BYTES as u64;
            continue;
        }
        let other = message.iter().take(MOST_OTHER_BYTES);
        // The header of another sample ends this one.
        match other.clone().position(|byte| *byte == END) {
            Some(end) if message[0] == BEGIN && message.get(3) != Some(&HEADER) => {
                at += end as u64 + 1;
            }
            _ => break,
        }
    }
    Ok(pieces)
}
