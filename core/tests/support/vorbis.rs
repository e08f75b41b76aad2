//! Vorbis, written bit by bit: the simplest streams in which channels are coupled.

use super::streams::stream;

/// Lines of the spectrum in a packet, which are as many as frames.
pub const LINES: usize = 32;
/// Least and one more than the largest of the whole numbers that a line can be.
const LEAST: i32 = -8;
const LINE_BITS: u32 = 4;

/// One packet: for each channel its lines, and whether it sounds at all.
pub type Packet = Vec<([i32; LINES], bool)>;

/// Bits, the lowest of each byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn put(&mut self, number: u32, count: u32) {
        for bit in 0..count {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((number >> bit & 1) as u8) << (self.count % 8);
            self.count += 1;
        }
    }

    /// Numbers and how many bits each takes.
    fn all(&mut self, numbers: &[(u32, u32)]) {
        for (number, count) in numbers {
            self.put(*number, *count);
        }
    }
}

/// A whole number as Vorbis has floats.
fn float(number: i32) -> u32 {
    u32::from(number < 0) << 31 | 788 << 21 | number.unsigned_abs()
}

/// The headers of a stream of three channels whose channels are coupled in these `steps`. A third book, which is
/// never used, has so many entries and dimensions, if any; the entries are a power of two.
fn headers(rate: u32, steps: &[(u32, u32)], third: Option<(u32, u32)>) -> [Vec<u8>; 3] {
    let identification = [
        &b"\x01vorbis\0\0\0\0\x03"[..],
        &rate.to_le_bytes(),
        &[0; 12],
        // Blocks of 64 frames, short or long.
        &[0x66, 1],
    ];
    let comment = [&b"\x03vorbis"[..], &[0; 8], &[1]];
    let mut setup = Bits::default();
    setup.put(1 + u32::from(third.is_some()), 8);
    // A book for classes, of which there is one, and one whose entries are whole numbers.
    setup.all(&[
        (0x56_4342, 24),
        (1, 16),
        (2, 24),
        (0, 2),
        (0, 5),
        (0, 5),
        (0, 4),
    ]);
    setup.all(&[(0x56_4342, 24), (1, 16), (1 << LINE_BITS, 24), (0, 2)]);
    for _ in 0..1 << LINE_BITS {
        setup.put(LINE_BITS - 1, 5);
    }
    setup.all(&[
        (1, 4),
        (float(LEAST), 32),
        (float(1), 32),
        (LINE_BITS - 1, 4),
        (0, 1),
    ]);
    for entry in 0..1 << LINE_BITS {
        setup.put(entry, LINE_BITS);
    }
    if let Some((entries, dimensions)) = third {
        // All code words have the same length, which takes one number to say.
        setup.all(&[(0x56_4342, 24), (dimensions, 16), (entries, 24), (1, 1)]);
        let bits = entries.ilog2();
        setup.all(&[(bits - 1, 5), (entries, bits + 1), (1, 4), (float(0), 32)]);
        setup.all(&[(float(1), 32), (0, 4), (0, 1)]);
        let side = f64::from(entries).powf(1.0 / f64::from(dimensions));
        (0..side as u32).for_each(|_| setup.put(0, 1));
    }
    setup.all(&[(0, 6), (0, 16)]);
    // A floor of two points, and a residue that is interleaved and of one part.
    setup.all(&[(0, 6), (1, 16), (0, 5), (0, 2), (5, 4)]);
    let numbers = 3 * LINES as u32;
    setup.all(&[
        (0, 6),
        (2, 16),
        (0, 24),
        (numbers, 24),
        (numbers - 1, 24),
        (0, 6),
        (0, 8),
    ]);
    setup.all(&[(1, 3), (0, 1), (1, 8)]);
    setup.all(&[(0, 6), (0, 16), (0, 1), (u32::from(!steps.is_empty()), 1)]);
    if !steps.is_empty() {
        setup.put(steps.len() as u32 - 1, 8);
    }
    for (magnitude, angle) in steps {
        setup.all(&[(*magnitude, 2), (*angle, 2)]);
    }
    setup.all(&[(0, 2), (0, 8), (0, 8), (0, 8)]);
    // One mode, of short blocks; and the end.
    setup.all(&[(0, 6), (0, 1), (0, 16), (0, 16), (0, 8), (1, 1)]);
    let setup = [b"\x05vorbis", &setup.bytes[..]].concat();
    [identification.concat(), comment.concat(), setup]
}

fn packet(channels: &Packet) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0, 1);
    for (_, sounds) in channels {
        bits.put(u32::from(*sounds), 1);
        if *sounds {
            bits.all(&[(190, 8), (210, 8)]);
        }
    }
    if channels.iter().any(|(_, sounds)| *sounds) {
        bits.put(0, 1);
        for line in 0..LINES {
            for (lines, _) in channels {
                // Code words have their upper bit first.
                let entry = (lines[line] - LEAST) as u32;
                bits.put(entry.reverse_bits() >> (u32::BITS - LINE_BITS), LINE_BITS);
            }
        }
    }
    bits.bytes
}

/// The stream in OGG.
pub fn ogg_vorbis(rate: u32, steps: &[(u32, u32)], packets: &[Packet]) -> Vec<u8> {
    ogg_vorbis_with_book(rate, steps, None, packets)
}

/// The same with a third book of so many entries and dimensions.
pub fn ogg_vorbis_with_book(
    rate: u32,
    steps: &[(u32, u32)],
    third: Option<(u32, u32)>,
    packets: &[Packet],
) -> Vec<u8> {
    let packets = packets.iter().enumerate();
    // The first one only begins what the second completes.
    let packets = packets.map(|(number, channels)| (packet(channels), (number * LINES) as u64));
    let packets: Vec<_> = packets.collect();
    stream(1, &headers(rate, steps, third), &packets)
}
