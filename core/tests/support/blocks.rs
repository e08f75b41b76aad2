//! Sound in blocks that Weft decodes itself, built bit by bit.

use super::containers::{RATE, aiff_chunk, chunk, common, form, format, riff, sound, wave64};
use super::plain::caf;
use super::random::Random;

/// Bits of a frame of GSM 06.10: of the filter, and of one of four parts.
const FILTER_BITS: [u32; 8] = [6, 6, 5, 5, 4, 4, 3, 3];
const PART_BITS: [u32; 17] = [7, 2, 2, 6, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3];
/// Numbers in a frame.
const NUMBERS: usize = 8 + 4 * 17;

/// The numbers of a frame of GSM 06.10 with the bits of each.
pub type GsmFrame = [(u32, u32); NUMBERS];

/// Frames of any numbers that there can be.
pub fn any_gsm_frames(count: usize) -> Vec<GsmFrame> {
    let mut random = Random::new(0x6510);
    let mut frame = || {
        let parts = PART_BITS.iter().cycle();
        let bits: Vec<u32> = FILTER_BITS
            .iter()
            .chain(parts)
            .take(NUMBERS)
            .copied()
            .collect();
        std::array::from_fn(|n| (random.below(1 << bits[n]) as u32, bits[n]))
    };
    (0..count).map(|_| frame()).collect()
}

/// Each frame in 33 bytes behind a signature, upper bits first.
pub fn gsm_frames(frames: &[GsmFrame]) -> Vec<u8> {
    let frame = |numbers: &GsmFrame| {
        let bits = [(13, 4)].into_iter().chain(*numbers);
        let bits =
            bits.flat_map(|(number, count)| (0..count).rev().map(move |bit| number >> bit & 1));
        let bits: Vec<u32> = bits.collect();
        let bytes = bits
            .chunks(8)
            .map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | *bit as u8));
        bytes.collect::<Vec<u8>>()
    };
    frames.iter().flat_map(frame).collect()
}

/// Each two frames in 65 bytes, lower bits first.
pub fn gsm_pairs(frames: &[GsmFrame]) -> Vec<u8> {
    let pair = |frames: &[GsmFrame]| {
        let numbers = frames.iter().flatten();
        let bits =
            numbers.flat_map(|(number, count)| (0..*count).map(move |bit| *number >> bit & 1));
        let bits: Vec<u32> = bits.collect();
        let bytes = bits.chunks(8).map(|bits| {
            bits.iter()
                .rev()
                .fold(0, |byte, bit| byte << 1 | *bit as u8)
        });
        bytes.collect::<Vec<u8>>()
    };
    frames.chunks_exact(2).flat_map(pair).collect()
}

/// GSM 06.10 as WAV and W64 hold it, and as AIFF-C and CAF do.
pub fn gsm_files(frames: &[GsmFrame]) -> Vec<(&'static str, Vec<u8>)> {
    let (pairs, single) = (gsm_pairs(frames), gsm_frames(frames));
    let mut head = format(0x31, 1, 0, &[2, 0, 64, 1]);
    head[12..14].copy_from_slice(&65_u16.to_le_bytes());
    let aifc = |letters: &[u8]| {
        let common = common(1, frames.len() as u32, 0, letters);
        form(
            b"AIFC",
            &[common, aiff_chunk(b"SSND", &sound(0, 0, &single))],
        )
    };
    let size = single.len() as i64 + 4;
    vec![
        (
            "WAV",
            riff(&[chunk(b"fmt ", &head), chunk(b"data", &pairs)]),
        ),
        ("W64", wave64(&head, &pairs, pairs.len() as u64)),
        ("AIFF-C, agsm", aifc(b"agsm")),
        ("AIFF-C, GSM", aifc(b"GSM ")),
        ("CAF", caf(b"agsm", 0, [33, 160, 1, 0], size, &[], &single)),
    ]
}

/// Packets of IMA ADPCM for `channels` channels as AIFF-C and CAF hold them.
pub fn ima4_files(channels: u16, packets: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let count = packets.len() / 34 / usize::from(channels);
    let common = common(channels, count as u32, 16, b"ima4");
    let aifc = form(
        b"AIFC",
        &[common, aiff_chunk(b"SSND", &sound(0, 0, packets))],
    );
    let numbers = [34 * u32::from(channels), 64, channels.into(), 0];
    let size = packets.len() as i64 + 4;
    vec![
        ("AIFF-C", aifc),
        ("CAF", caf(b"ima4", 0, numbers, size, &[], packets)),
    ]
}

/// A MIDI sample dump of words of `bits` bits, left-justified in 32; `length` is what its header says, and `between`
/// stands before every fifth packet.
pub fn sample_dump(words: &[u32], bits: u8, length: u32, between: &[u8]) -> Vec<u8> {
    let number = |x: u32| [0, 7, 14].map(|shift| (x >> shift & 0x7f) as u8);
    let period = number(1_000_000_000 / RATE);
    let loops = [[0; 3], [0; 3]].concat();
    let header = [
        &[0xf0, 0x7e, 0, 1, 0, 0, bits][..],
        &period,
        &number(length),
        &loops,
        &[0x7f, 0xf7],
    ]
    .concat();
    let bytes = usize::from(bits.div_ceil(7));
    let sound = words
        .iter()
        .flat_map(|word| (0..bytes).map(move |n| (word >> (25 - 7 * n)) as u8 & 0x7f));
    let sound: Vec<u8> = sound.collect();
    let packets = sound.chunks(120).enumerate().map(|(number, sound)| {
        let mut packet = [&[0xf0, 0x7e, 0, 2, (number % 128) as u8][..], sound].concat();
        packet.resize(125, 0);
        let sum = packet[1..].iter().fold(0, |sum, byte| sum ^ byte) & 0x7f;
        packet.extend([sum, 0xf7]);
        match number % 5 {
            0 => [between, &packet].concat(),
            _ => packet,
        }
    });
    [header, packets.collect::<Vec<_>>().concat()].concat()
}

/// Codes of `bits` bits for G.721 or G.723, lower bits first: of all sizes, and large ones so seldom that nothing
/// overflows.
pub fn any_g72x_codes(bits: usize, count: usize) -> Vec<u8> {
    let mut random = Random::new(0x721);
    let half = 1 << (bits - 1);
    let codes = (0..count).flat_map(|_| {
        let size = (0..3).map(|_| random.below(half)).min().unwrap_or(0);
        let code = if random.below(2) == 1 {
            2 * half - 1 - size
        } else {
            size
        };
        (0..bits).map(move |bit| (code >> bit & 1) as u8)
    });
    let codes: Vec<u8> = codes.collect();
    let bytes = codes
        .chunks(8)
        .map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit));
    bytes.collect()
}
