//! CAF, the container of Apple's recorders.

use std::ops::Range;

use super::chunks::Bytes;
use super::stored::{Encoding, Stored};
use super::{Broken, Coding, Layout, Trim};

/// Bytes of the file's header, of a chunk's, and of the description.
const FILE_HEADER_BYTES: u64 = 8;
const CHUNK_HEADER_BYTES: u64 = 12;
const DESCRIPTION_BYTES: u64 = 32;
/// Bytes before the sound in its chunk: a count of edits.
const EDITS_BYTES: u64 = 4;
/// Bytes of a packet table before its entries.
const TABLE_HEADER_BYTES: usize = 24;
/// Chunks that are walked before a file is given up, and bytes that are searched for one.
const MOST_CHUNKS: usize = 1_024;
const SEARCHED_BYTES: u64 = 1 << 20;
/// Most of a chunk that goes with the sound: a packet table of hours.
const MOST_CHUNK_BYTES: u64 = 16 << 20;
/// Flags of whole numbers and floats.
const IS_FLOAT: u32 = 1;
const IS_LITTLE_ENDIAN: u32 = 2;

/// What a walk over the chunks has found.
#[derive(Default)]
struct Found {
    description: Vec<u8>,
    /// Channel layout, codec's own data and packet table.
    channels: Vec<u8>,
    cookie: Vec<u8>,
    table: Vec<u8>,
    sound: Option<Range<u64>>,
}

/// CAF from offset `start`.
pub(super) fn layout(bytes: &mut Bytes<'_>, start: u64) -> Result<Layout, Broken> {
    let container = "CAF";
    let found = walk(bytes, start + FILE_HEADER_BYTES)?;
    if found.description.len() < DESCRIPTION_BYTES as usize {
        return Err(Broken::NoFormat { container });
    }
    let sound = found.sound.clone();
    let sound = sound.filter(|sound| !sound.is_empty());
    let sound = sound.ok_or(Broken::NoSound { container })?;
    let u32_at = |at: usize| be(&found.description[at..at + 4]) as u32;
    let [flags, packet_bytes, packet_frames, channels, bits] = [12, 16, 20, 24, 28].map(u32_at);
    let sample_rate = f64::from_bits(be(&found.description[..8])) as u32;
    let channels = u16::try_from(channels).unwrap_or(u16::MAX);
    if channels == 0 {
        return Err(Broken::Channels { channels });
    }
    let is_little_endian = flags & IS_LITTLE_ENDIAN != 0;
    // Samples may take more room than they have bits.
    let sample_bytes = match packet_bytes / u32::from(channels) {
        0 => bits.div_ceil(8),
        bytes => bytes,
    };
    let sample_bytes = u16::try_from(sample_bytes).unwrap_or(u16::MAX);
    let encoding = match &found.description[8..12] {
        b"lpcm" if flags & IS_FLOAT != 0 => Encoding::floats(sample_bytes, is_little_endian)?,
        b"lpcm" => Encoding::integers(sample_bytes, is_little_endian)?,
        b"ulaw" => Encoding::bytes(*b"ulaw"),
        b"alaw" => Encoding::bytes(*b"alaw"),
        b"ima4" => Encoding::blocks(Coding::Ima4),
        b"agsm" => Encoding::blocks(Coding::Gsm),
        _ => {
            let is_constant = packet_bytes > 0 && packet_frames > 0;
            let sizes = usize::from(packet_bytes == 0) + usize::from(packet_frames == 0);
            let table = if is_constant { &[] } else { &found.table[..] };
            return Ok(Layout {
                header: header(&found, used(table, sizes), sound.end - sound.start).into(),
                sound,
                sample_rate: Some(sample_rate),
                channels: Some(channels),
                trim: trim(&found.table),
                ..Layout::as_it_is(0..0, "caf")
            });
        }
    };
    let stored = Stored {
        channels,
        sample_rate,
        encoding,
    };
    Ok(Layout {
        trim: trim(&found.table),
        ..stored.layout(sound, container)?
    })
}

/// Looks for the chunks that are wanted.
fn walk(bytes: &mut Bytes<'_>, first: u64) -> Result<Found, Broken> {
    let (mut found, mut at) = (Found::default(), first);
    for _ in 0..MOST_CHUNKS {
        let header = bytes.bytes(at, CHUNK_HEADER_BYTES)?;
        if header.len() < CHUNK_HEADER_BYTES as usize {
            break;
        }
        let (body, size) = (at + CHUNK_HEADER_BYTES, be(&header[4..]));
        let end = body.checked_add(size).filter(|end| *end <= bytes.len());
        let contents = |bytes: &mut Bytes<'_>| bytes.bytes(body, size.min(MOST_CHUNK_BYTES));
        match &header[..4] {
            b"desc" => found.description = bytes.bytes(body, DESCRIPTION_BYTES)?,
            b"chan" => found.channels = contents(bytes)?,
            b"kuki" => found.cookie = contents(bytes)?,
            b"pakt" => found.table = contents(bytes)?,
            b"data" => {
                // Without a size, or with one that is not there, it goes on to the end.
                let end = end.filter(|_| size > EDITS_BYTES);
                let end = end.unwrap_or(bytes.len());
                found.sound = Some((body + EDITS_BYTES).min(end)..end);
                at = end;
                continue;
            }
            _ => {}
        }
        at = match (end, &header[..4]) {
            (_, b"desc") => body + DESCRIPTION_BYTES,
            (Some(end), _) => end,
            // A size that leads nowhere: the sound may still be found.
            (None, _) if found.sound.is_none() => match search(bytes, body)? {
                Some(at) => at,
                None => break,
            },
            (None, _) => break,
        };
    }
    Ok(found)
}

/// Looks for the chunk with the sound.
fn search(bytes: &mut Bytes<'_>, from: u64) -> Result<Option<u64>, Broken> {
    let block = bytes.bytes(from, SEARCHED_BYTES)?;
    let at = block.windows(4).position(|word| word == b"data");
    Ok(at.map(|at| from + at as u64))
}

/// A CAF file up to its sound, with what a decoder needs.
fn header(found: &Found, table: &[u8], sound_bytes: u64) -> Vec<u8> {
    let mut header = b"caff\0\x01\0\0".to_vec();
    let chunks: [(&[u8; 4], &[u8]); 4] = [
        (b"desc", &found.description),
        (b"chan", &found.channels),
        (b"kuki", &found.cookie),
        (b"pakt", table),
    ];
    for (name, contents) in chunks {
        if !contents.is_empty() {
            header.extend(name);
            header.extend((contents.len() as u64).to_be_bytes());
            header.extend(contents);
        }
    }
    header.extend(b"data");
    header.extend((EDITS_BYTES + sound_bytes).to_be_bytes());
    header.extend([0; EDITS_BYTES as usize]);
    header
}

/// Packets of another container.
pub(super) struct Packets<'a> {
    /// What they are, in the letters of CAF.
    pub(super) letters: [u8; 4],
    /// Sample rate in Hz.
    pub(super) sample_rate: u32,
    pub(super) channels: u32,
    pub(super) packet_frames: u32,
    /// What the codec itself needs.
    pub(super) cookie: &'a [u8],
    /// Bytes of each packet.
    pub(super) sizes: &'a [u64],
}

impl Packets<'_> {
    /// A CAF file up to its sound of `sound_bytes`.
    pub(super) fn header(&self, sound_bytes: u64) -> Vec<u8> {
        let mut description = f64::from(self.sample_rate).to_be_bytes().to_vec();
        description.extend(self.letters);
        for number in [0, 0, self.packet_frames, self.channels, 0] {
            description.extend(number.to_be_bytes());
        }
        let count = self.sizes.len() as u64;
        let mut table = count.to_be_bytes().to_vec();
        table.extend((count * u64::from(self.packet_frames)).to_be_bytes());
        // Nothing before the sound and nothing behind it.
        table.extend([0; 8]);
        for size in self.sizes {
            let groups = (u64::BITS - size.leading_zeros()).div_ceil(7).max(1);
            let group = |n: u32| (size >> (7 * n) & 0x7f) as u8;
            table.extend((0..groups).rev().map(|n| group(n) | u8::from(n > 0) << 7));
        }
        let found = Found {
            description,
            cookie: self.cookie.to_vec(),
            ..Found::default()
        };
        header(&found, &table, sound_bytes)
    }
}

/// Of a packet table, the part that its entries take up: `sizes` numbers for each packet. Some writers leave
/// room behind them.
fn used(table: &[u8], sizes: usize) -> &[u8] {
    let Some((head, entries)) = table.split_at_checked(TABLE_HEADER_BYTES) else {
        return &[];
    };
    let mut left = be(&head[..8]).saturating_mul(sizes as u64);
    // Seven bits in each byte; the last one of a number has none above.
    let end = entries.iter().position(|byte| {
        left -= u64::from(left > 0 && *byte < 0x80);
        left == 0
    });
    let end = end.map_or(entries.len(), |last| last + 1);
    &table[..TABLE_HEADER_BYTES + end]
}

/// What of the frames is the recording, as a packet table says.
fn trim(table: &[u8]) -> Trim {
    let Some(head) = table.get(..TABLE_HEADER_BYTES) else {
        return Trim::default();
    };
    let [valid, priming] = [be(&head[8..16]) as i64, i64::from(be(&head[16..20]) as i32)];
    Trim {
        skip: u64::try_from(priming).unwrap_or(0),
        length: u64::try_from(valid).ok().filter(|frames| *frames > 0),
        ..Trim::default()
    }
}

/// Big-endian bytes as a number.
fn be(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
