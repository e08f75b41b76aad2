//! Vorbis: what its decoder does in the wrong order is put before it in the other order.
//!
//! A stream of more than two channels couples one of them with several others, step by step. The steps are undone
//! from the last to the first (Vorbis I specification, section 4.3.5); the decoder takes them from the first on. So
//! it is given a setup header in which they are turned round.
//!
//! Which channels are silent is passed on from the first step to the last (section 4.3.4), which the decoder does
//! rightly and is then given wrongly. That makes no difference where channels that are coupled are stored together,
//! interleaved (residue type 2), as encoders do it: they are stored if any of them sounds, and what is silent is
//! multiplied by nothing.

/// Bytes of the identification header, and where it has the number of channels.
const IDENTIFICATION_BYTES: usize = 30;
const CHANNELS_AT: usize = 11;
/// First byte of headers that come with their lengths: how many there are before the last.
const LACED: u8 = 2;
/// What the setup header begins with.
const SETUP_MAGIC: &[u8] = b"\x05vorbis";
/// What each codebook begins with.
const CODEBOOK_MAGIC: u32 = 0x56_4342;
/// Most values in all books together. Encoders need less than a million; the decoder makes room for whatever a header
/// names, which takes a few bytes for gigabytes.
const MOST_VALUES: u64 = 1 << 22;
/// Longest code word, in bits.
const MOST_CODE_BITS: u32 = 32;

/// The headers with the steps of the coupling in the order in which the decoder is to take them; `None` if they
/// can stay as they are or are damaged. An error if the decoder must not see them.
pub(super) fn with_steps_turned_round(headers: &[u8]) -> Result<Option<Box<[u8]>>, &'static str> {
    let mut values = 0;
    let turned = turned_round(headers, &mut values);
    if values > MOST_VALUES {
        return Err("its Vorbis header describes more than any sound needs");
    }
    Ok(turned)
}

/// The same, with the number of values in all books that were found.
fn turned_round(headers: &[u8], values: &mut u64) -> Option<Box<[u8]>> {
    let (identification, setup_at) = match headers {
        [LACED, lengths @ ..] => {
            let mut bytes = lengths.iter();
            // A length is the sum of bytes up to one below 255.
            let mut length = || {
                let mut sum = 0;
                loop {
                    let byte = *bytes.next()?;
                    sum += usize::from(byte);
                    if byte < u8::MAX {
                        return Some(sum);
                    }
                }
            };
            let (first, second) = (length()?, length()?);
            let at = headers.len() - bytes.len();
            (at, at + first + second)
        }
        _ => (0, IDENTIFICATION_BYTES),
    };
    let channels = *headers.get(identification + CHANNELS_AT)?;
    let setup = headers.get(setup_at..)?.strip_prefix(SETUP_MAGIC)?;
    let begin = setup_at + SETUP_MAGIC.len();
    let mut turned: Box<[u8]> = headers.into();
    let mut is_turned = false;
    for steps in couplings(setup, channels, values)? {
        is_turned |= steps.count > 1;
        steps.turn_round(setup, &mut turned[begin..]);
    }
    is_turned.then_some(turned)
}

/// Where a mapping's steps of coupling stand.
struct Steps {
    /// Offset of the first in bits.
    at: usize,
    count: usize,
    /// Bits of a step: the numbers of two channels.
    bits: usize,
}

impl Steps {
    fn turn_round(&self, setup: &[u8], turned: &mut [u8]) {
        for step in 0..self.count {
            for bit in 0..self.bits {
                let from = self.at + step * self.bits + bit;
                let to = self.at + (self.count - 1 - step) * self.bits + bit;
                let value = setup[from / 8] >> (from % 8) & 1;
                let byte = &mut turned[to / 8];
                *byte = *byte & !(1 << (to % 8)) | value << (to % 8);
            }
        }
    }
}

/// The steps of each mapping in a setup header (section 4.2.4).
fn couplings(setup: &[u8], channels: u8, values: &mut u64) -> Option<Vec<Steps>> {
    let mut bits = Bits {
        bytes: setup,
        at: 0,
    };
    for _ in 0..=bits.read(8)? {
        skip_codebook(&mut bits, values)?;
        if *values > MOST_VALUES {
            return None;
        }
    }
    for _ in 0..=bits.read(6)? {
        bits.skip(16)?;
    }
    for _ in 0..=bits.read(6)? {
        skip_floor(&mut bits)?;
    }
    for _ in 0..=bits.read(6)? {
        skip_residue(&mut bits)?;
    }
    let mut couplings = Vec::new();
    for _ in 0..=bits.read(6)? {
        couplings.push(read_mapping(&mut bits, channels)?);
    }
    Some(couplings)
}

/// Section 3.2.1.
fn skip_codebook(bits: &mut Bits<'_>, values: &mut u64) -> Option<()> {
    if bits.read(24)? != CODEBOOK_MAGIC {
        return None;
    }
    let (dimensions, entries) = (bits.read(16)?, bits.read(24)?);
    *values += u64::from(entries) * u64::from(dimensions.max(1));
    let is_ordered = bits.read(1)? == 1;
    if is_ordered {
        let first = bits.read(5)? + 1;
        let mut left = entries;
        for _ in first..=MOST_CODE_BITS {
            if left == 0 {
                break;
            }
            left = left.checked_sub(bits.read(width(left))?)?;
        }
    } else {
        let is_sparse = bits.read(1)? == 1;
        for _ in 0..entries {
            if !is_sparse || bits.read(1)? == 1 {
                bits.skip(5)?;
            }
        }
    }
    let kind = bits.read(4)?;
    if kind == 0 {
        return Some(());
    }
    bits.skip(64)?;
    let value_bits = u64::from(bits.read(4)?) + 1;
    bits.skip(1)?;
    let listed = match kind {
        1 => u64::from(grid(entries, dimensions)?),
        2 => u64::from(entries) * u64::from(dimensions),
        _ => return None,
    };
    bits.skip(listed * value_bits)
}

/// How many values in each of the `dimensions` make at most so many `entries`.
fn grid(entries: u32, dimensions: u32) -> Option<u32> {
    if dimensions <= 1 {
        return (dimensions == 1).then_some(entries);
    }
    let fits = |side: u64| side.saturating_pow(dimensions) <= u64::from(entries);
    let side = (1..).take_while(|side| fits(*side)).last();
    side.map(|side| side as u32)
}

/// Sections 6.2.1 and 7.2.2.
fn skip_floor(bits: &mut Bits<'_>) -> Option<()> {
    match bits.read(16)? {
        0 => {
            bits.skip(8 + 16 + 16 + 6 + 8)?;
            let books = u64::from(bits.read(4)?) + 1;
            bits.skip(8 * books)
        }
        1 => {
            let partitions = bits.read(5)?;
            let classes: Option<Vec<_>> = (0..partitions).map(|_| bits.read(4)).collect();
            let classes = classes?;
            let mut dimensions = Vec::new();
            for _ in 0..classes.iter().max().map_or(0, |most| most + 1) {
                dimensions.push(u64::from(bits.read(3)?) + 1);
                let subclasses = bits.read(2)?;
                bits.skip(if subclasses > 0 { 8 } else { 0 })?;
                bits.skip(8 << subclasses)?;
            }
            bits.skip(2)?;
            let position_bits = u64::from(bits.read(4)?);
            let positions = classes.iter().map(|class| dimensions[*class as usize]);
            bits.skip(position_bits * positions.sum::<u64>())
        }
        _ => None,
    }
}

/// Section 8.6.1.
fn skip_residue(bits: &mut Bits<'_>) -> Option<()> {
    bits.skip(16 + 24 + 24 + 24)?;
    let classifications = bits.read(6)? + 1;
    bits.skip(8)?;
    let mut books = 0;
    for _ in 0..classifications {
        let low = bits.read(3)?;
        let high = if bits.read(1)? == 1 { bits.read(5)? } else { 0 };
        books += u64::from(low.count_ones() + high.count_ones());
    }
    bits.skip(8 * books)
}

fn read_mapping(bits: &mut Bits<'_>, channels: u8) -> Option<Steps> {
    bits.skip(16)?;
    let submaps = if bits.read(1)? == 1 {
        bits.read(4)? + 1
    } else {
        1
    };
    let count = if bits.read(1)? == 1 {
        bits.read(8)? + 1
    } else {
        0
    };
    let steps = Steps {
        at: bits.at,
        count: count as usize,
        bits: 2 * width(u32::from(channels.checked_sub(1)?)) as usize,
    };
    bits.skip((steps.count * steps.bits) as u64)?;
    bits.skip(2)?;
    if submaps > 1 {
        bits.skip(4 * u64::from(channels))?;
    }
    bits.skip(24 * u64::from(submaps))?;
    Some(steps)
}

/// Bits that a number takes (section 9.2.1, ilog).
fn width(number: u32) -> u32 {
    u32::BITS - number.leading_zeros()
}

/// Bits of a packet, the lowest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next `count` bits, at most 32.
    fn read(&mut self, count: u32) -> Option<u32> {
        let mut number = 0;
        for bit in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            number |= u32::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Some(number)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        let end = self.at as u64 + count;
        let is_there = end <= 8 * self.bytes.len() as u64;
        self.at = if is_there { end as usize } else { self.at };
        is_there.then_some(())
    }
}
