//! Sound of a MOV or MP4 file that needs no more than to be found: plain samples, and packets whose decoder finds
//! them more safely in a CAF file.
//!
//! Cameras and editors put sound into MOV in twenty ways (QuickTime File Format, *Sound Sample Descriptions*), and
//! pictures between its parts.

use super::atoms::{be, find, media_units, movie_units};
use super::caf;
use super::pieces::Pieces;
use super::stored::{Encoding, Stored};
use super::{Broken, Coding, Layout, MAX_READ_S, Trim};

/// Bytes of a sound description from its reserved ones to the sample rate; then those of its versions 1 and 2.
const DESCRIPTION_BYTES: usize = 28;
const DESCRIPTION_1_BYTES: usize = 44;
const DESCRIPTION_2_BYTES: usize = 64;
/// Flags of samples in a description of version 2 (CoreAudioTypes.h).
const IS_FLOAT: u64 = 1;
const IS_BIG_ENDIAN: u64 = 2;
const IS_SIGNED: u64 = 4;
/// Bytes of a full atom's version and flags.
const FLAGS_BYTES: usize = 4;
/// Bytes of the configuration of ALAC, and where it has frames of a packet, channels and the sample rate.
const ALAC_BYTES: usize = 24;
const ALAC_CHANNELS_AT: usize = 9;
const ALAC_RATE_AT: usize = 20;
/// Most packets that are told to a decoder: more than a minute has.
const MOST_PACKETS: usize = 1 << 18;

/// What the sound of a track is.
struct Description<'a> {
    letters: [u8; 4],
    channels: u16,
    bits: u16,
    /// Sample rate in Hz.
    sample_rate: u32,
    /// Flags, if it has any.
    flags: Option<u64>,
    /// Atoms that tell more.
    more: &'a [u8],
}

/// The layout of a sound `track` of a `movie` in a file of `file_bytes`; `None` if a decoder is to see the file as it
/// is.
pub(super) fn layout(
    movie: &[u8],
    track: &[u8],
    trim: Trim,
    file_bytes: u64,
) -> Result<Option<Layout>, Broken> {
    let (Some(movie_units), Some(units)) = (movie_units(movie), media_units(track)) else {
        return Ok(None);
    };
    let tables = find(track, &[b"mdia", b"minf", b"stbl"]);
    let Some(tables) = tables.and_then(|tables| Tables::read(tables, file_bytes)) else {
        return Ok(None);
    };
    let Some(description) = Description::read(tables.description, units) else {
        return Ok(None);
    };
    if description.letters == *b"alac" {
        let layout = description.alac(&tables);
        return Ok(layout.map(|layout| Layout {
            trim: trim.in_frames(layout.sample_rate.unwrap_or(units)),
            ..layout
        }));
    }
    let Some(encoding) = description.encoding()? else {
        return Ok(None);
    };
    let stored = Stored {
        channels: description.channels,
        sample_rate: description.sample_rate,
        encoding,
    };
    let trim = trim.to_the_frame(units.div_ceil(movie_units));
    let trim = trim.in_frames(stored.sample_rate);
    let (bytes, frames) = stored.unit();
    let most_frames = (MAX_READ_S * f64::from(stored.sample_rate)) as u64;
    let most_frames = most_frames.saturating_add(trim.skip) / frames;
    let most_bytes = most_frames.saturating_add(2).saturating_mul(bytes);
    let pieces = tables.pieces(bytes, frames, most_bytes);
    // Without any, the sound is in fragments.
    if pieces.len() == 0 {
        return Ok(None);
    }
    // Samples before the recording need not be read; blocks are what those before them make of them.
    let skipped = if frames == 1 { trim.skip } else { 0 };
    let begin = skipped.saturating_mul(bytes).min(pieces.len());
    let layout = stored.layout(begin..pieces.len(), "MOV")?;
    Ok(Some(Layout {
        trim: Trim {
            skip: trim.skip - skipped,
            ..trim
        },
        ..layout.in_pieces(pieces)
    }))
}

impl<'a> Description<'a> {
    /// The first one of a table of them.
    fn read(table: &'a [u8], units: u32) -> Option<Self> {
        let entry = table.get(FLAGS_BYTES + 4..)?;
        let size = (be(entry.get(..4)?) as usize).min(entry.len());
        let letters = entry.get(4..8)?.try_into().ok()?;
        let body = entry.get(8..size)?;
        let fields = body.get(..DESCRIPTION_BYTES)?;
        let u16_at = |at: usize| be(&fields[at..at + 2]) as u16;
        let mut this = Self {
            letters,
            channels: u16_at(16),
            bits: u16_at(18),
            // A rate that does not fit is left out; the units of the media are it, as a rule.
            sample_rate: match u16_at(24) {
                0 => units,
                rate => rate.into(),
            },
            flags: None,
            more: &[],
        };
        let end = match u16_at(8) {
            1 => DESCRIPTION_1_BYTES,
            2 => {
                let fields = body.get(..DESCRIPTION_2_BYTES)?;
                this.sample_rate = f64::from_bits(be(&fields[32..40])) as u32;
                this.channels = u16::try_from(be(&fields[40..44])).unwrap_or(u16::MAX);
                this.bits = u16::try_from(be(&fields[48..52])).unwrap_or(u16::MAX);
                this.flags = Some(be(&fields[52..56]));
                DESCRIPTION_2_BYTES
            }
            _ => DESCRIPTION_BYTES,
        };
        // In an MP4 file of the standard, no version is longer than the first.
        let named = |at: usize| {
            let more = body.get(at..).filter(|more| find_first(more));
            more.or_else(|| body.get(DESCRIPTION_BYTES..))
        };
        this.more = named(end).unwrap_or_default();
        Some(this)
    }

    /// How plain samples or blocks are stored; `None` if they are neither.
    fn encoding(&self) -> Result<Option<Encoding>, Broken> {
        let bytes = self.bits.div_ceil(8);
        let is_little = || {
            let turned =
                find(self.more, &[b"wave", b"enda"]).or_else(|| find(self.more, &[b"enda"]));
            turned.is_some_and(|turned| turned.last() == Some(&1))
        };
        Ok(Some(match &self.letters {
            b"raw " if bytes <= 1 => Encoding::bytes(*b"raw "),
            b"raw " | b"twos" | b"NONE" => Encoding::integers(bytes, false)?,
            b"sowt" => Encoding::integers(bytes, true)?,
            b"in24" => Encoding::integers(3, is_little())?,
            b"in32" => Encoding::integers(4, is_little())?,
            b"fl32" => Encoding::floats(4, is_little())?,
            b"fl64" => Encoding::floats(8, is_little())?,
            b"ulaw" | b"alaw" => Encoding::bytes(self.letters),
            b"ima4" => Encoding::blocks(Coding::Ima4),
            b"agsm" => Encoding::blocks(Coding::Gsm),
            b"lpcm" => match self.flags {
                Some(flags) if flags & IS_FLOAT != 0 => {
                    Encoding::floats(bytes, flags & IS_BIG_ENDIAN == 0)?
                }
                Some(flags) if flags & IS_SIGNED != 0 => {
                    Encoding::integers(bytes, flags & IS_BIG_ENDIAN == 0)?
                }
                Some(_) if bytes == 1 => Encoding::bytes(*b"raw "),
                _ => return Ok(None),
            },
            // ISO/IEC 23003-5: flags of the order, and bits.
            b"ipcm" | b"fpcm" => match find(self.more, &[b"pcmC"]) {
                Some([_, _, _, _, flags, bits, ..]) => {
                    let (bytes, is_little) = (u16::from(bits.div_ceil(8)), flags & 1 == 1);
                    match &self.letters {
                        b"ipcm" => Encoding::integers(bytes, is_little)?,
                        _ => Encoding::floats(bytes, is_little)?,
                    }
                }
                _ => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }

    /// ALAC in a CAF file of our own.
    fn alac(&self, tables: &Tables<'_>) -> Option<Layout> {
        let nested = find(self.more, &[b"wave", b"alac"]).or_else(|| find(self.more, &[b"alac"]));
        let cookie = nested?.get(FLAGS_BYTES..)?;
        let fields = cookie.get(..ALAC_BYTES)?;
        let packet_frames = be(&fields[..4]) as u32;
        let channels = u16::from(fields[ALAC_CHANNELS_AT]);
        let sample_rate = be(&fields[ALAC_RATE_AT..]) as u32;
        let (pieces, sizes) = tables.packets();
        let sound = 0..pieces.len();
        if sound.is_empty() || packet_frames == 0 {
            return None;
        }
        let packets = caf::Packets {
            letters: self.letters,
            sample_rate,
            channels: channels.into(),
            packet_frames,
            cookie,
            sizes: &sizes,
        };
        let layout = Layout {
            header: packets.header(sound.end).into(),
            sample_rate: Some(sample_rate),
            channels: Some(channels),
            ..Layout::as_it_is(sound, "caf")
        };
        Some(layout.in_pieces(pieces))
    }
}

/// Whether an atom with a name stands at the beginning.
fn find_first(atoms: &[u8]) -> bool {
    let name = atoms.get(4..8);
    name.is_none_or(|name| name.iter().all(u8::is_ascii_graphic))
}

/// Tables of a track: where its samples lie. What they call samples are frames, or packets.
struct Tables<'a> {
    description: &'a [u8],
    /// First chunk of each run of chunks that have the same number of samples, counted from 1, and that number.
    runs: &'a [u8],
    /// Offsets of chunks, and the bytes of one.
    offsets: &'a [u8],
    offset_bytes: usize,
    /// Bytes of each sample, if all are of the same size, or 0 and those of each.
    sample_bytes: u64,
    sizes: &'a [u8],
    file_bytes: u64,
}

impl<'a> Tables<'a> {
    fn read(tables: &'a [u8], file_bytes: u64) -> Option<Self> {
        let entries = |name, skipped: usize| find(tables, &[name])?.get(skipped..);
        let (offsets, offset_bytes) = match entries(b"stco", 8) {
            Some(offsets) => (offsets, 4),
            None => (entries(b"co64", 8)?, 8),
        };
        let sizes = entries(b"stsz", FLAGS_BYTES)?;
        Some(Self {
            description: entries(b"stsd", 0)?,
            runs: entries(b"stsc", 8)?,
            offsets,
            offset_bytes,
            sample_bytes: be(sizes.get(..4)?),
            sizes: sizes.get(8..)?,
            file_bytes,
        })
    }

    /// Offset of each chunk and the number of samples in it.
    fn chunks(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut runs = self.runs.chunks_exact(12).peekable();
        let mut samples = 0;
        let offsets = self.offsets.chunks_exact(self.offset_bytes);
        offsets.zip(1_u64..).map(move |(offset, number)| {
            while let Some(run) = runs.next_if(|run| be(&run[..4]) <= number) {
                samples = be(&run[4..8]);
            }
            (be(offset), samples)
        })
    }

    /// The size of each sample in its order, if they differ.
    fn listed_sizes(&self) -> impl Iterator<Item = u64> {
        self.sizes.chunks_exact(4).map(be)
    }

    /// The parts with samples of which `frames` take `bytes`, `most_bytes` at most.
    fn pieces(&self, bytes: u64, frames: u64, most_bytes: u64) -> Pieces {
        let (mut pieces, mut listed) = (Pieces::default(), self.listed_sizes());
        for (offset, samples) in self.chunks() {
            let size = match self.sample_bytes {
                0 => listed.by_ref().take(samples as usize).sum(),
                // One for each frame, whatever is said of its size.
                size if size <= 1 || (frames == 1 && size < bytes) => samples / frames * bytes,
                size => samples.saturating_mul(size),
            };
            if offset >= self.file_bytes || pieces.len() >= most_bytes {
                break;
            }
            pieces.push(offset..offset.saturating_add(size).min(self.file_bytes));
        }
        pieces
    }

    /// The parts with packets, and the size of each packet.
    fn packets(&self) -> (Pieces, Vec<u64>) {
        let (mut pieces, mut listed, mut sizes) =
            (Pieces::default(), self.listed_sizes(), Vec::new());
        for (offset, samples) in self.chunks() {
            let mut at = offset;
            for _ in 0..samples {
                let size = match self.sample_bytes {
                    0 => listed.next(),
                    size => Some(size),
                };
                let end = size.and_then(|size| at.checked_add(size));
                let end = end.filter(|end| *end <= self.file_bytes && sizes.len() < MOST_PACKETS);
                let Some(end) = end else {
                    return (pieces, sizes);
                };
                pieces.push(at..end);
                sizes.push(end - at);
                at = end;
            }
        }
        (pieces, sizes)
    }
}
