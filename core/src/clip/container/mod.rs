//! The containers of sound, read tolerantly: WAV in all its forms, AIFF, CAF, AU and other old ones; and what of
//! OGG, MP4 and FLAC a decoder is to see.
//!
//! A decoder takes a container at its word and gives up where one number does not fit. Here the chunks are
//! walked with doubt: what is never used is passed over, and the bytes that are there outweigh the sizes that
//! a header names. The decoder then sees the same sound behind a header that we have written.

mod aiff;
mod atoms;
mod caf;
mod chunks;
pub(super) mod dump;
mod foreign;
mod movie;
mod mp4;
mod ogg;
mod pieces;
mod plain;
mod stored;
mod tags;
mod voc;
mod wave;
mod window;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use symphonia::core::io::MediaSource;
use thiserror::Error;

use super::MAX_READ_S;
use chunks::Bytes;
use pieces::{Joined, Pieces};
pub(super) use window::Window;

/// Bytes of an ID3v2 tag's own header, before its contents.
const ID3_HEADER_BYTES: u64 = 10;

/// Where the sound lies in a file, and the header that tells a decoder what it is.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    header: Arc<[u8]>,
    /// The parts of the file that are it, if it is not whole.
    pieces: Option<Arc<Pieces>>,
    /// Offsets of the sound in the file or in those parts, in bytes.
    sound: Range<u64>,
    /// Bytes of one sample whose byte order is not that of the header, or 1.
    swapped_bytes: usize,
    /// Sample rate in Hz, if the header names it.
    pub(super) sample_rate: Option<u32>,
    /// Number of channels, if the header names it.
    pub(super) channels: Option<u16>,
    /// File name extension of what the decoder is given.
    pub(super) extension: &'static str,
    /// What of the decoded sound is the recording.
    pub(super) trim: Trim,
    /// In which blocks the sound is stored, if we decode it ourselves: there is no header then.
    pub(super) blocks: Option<Blocks>,
}

/// Sound in blocks that we decode ourselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks {
    pub(super) coding: Coding,
    pub(super) channels: u16,
    /// Sample rate in Hz.
    pub(super) sample_rate: u32,
}

/// What the blocks are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Coding {
    /// IMA ADPCM as Apple packs it.
    Ima4,
    /// GSM 06.10, and two of its frames in one block as Microsoft packs them.
    Gsm,
    GsmPairs,
    /// G.726 (G.721, G.723) in codes of so many bits, as the ITU has it or as Sun's programs for AU files had it.
    G726 {
        bits: u8,
        is_itu: bool,
    },
    /// A MIDI sample dump in words of so many bytes.
    Dump {
        word_bytes: u8,
    },
}

impl Coding {
    /// Bytes of a block of one channel, and the frames in it.
    fn bytes_and_frames(self) -> (u16, u32) {
        match self {
            Self::Ima4 => (34, 64),
            Self::Gsm => (33, 160),
            Self::GsmPairs => (65, 320),
            // The codes that whole bytes hold.
            Self::G726 { bits, .. } => (bits.into(), 8),
            Self::Dump { word_bytes } => (
                dump::PACKET_BYTES as u16,
                (dump::SOUND_BYTES / usize::from(word_bytes)) as u32,
            ),
        }
    }
}

impl Blocks {
    /// Bytes of a block of all channels.
    pub(super) fn bytes(&self) -> u64 {
        u64::from(self.coding.bytes_and_frames().0) * u64::from(self.channels)
    }

    /// The layout of a `container` with blocks at the offsets `sound`.
    fn layout(self, sound: Range<u64>, container: &'static str) -> Result<Layout, Broken> {
        let channels = self.channels;
        match (self.coding, channels) {
            (_, 0) => return Err(Broken::Channels { channels }),
            (Coding::Ima4, _) | (_, 1) => {}
            _ => {
                return Err(Broken::Encoding {
                    encoding: format!("speech of telephones in {channels} channels"),
                });
            }
        }
        let blocks_per_s = self.sample_rate.div_ceil(self.coding.bytes_and_frames().1);
        let sound = sound.start..sound.end.max(sound.start);
        let sound = readable(sound, self.bytes(), blocks_per_s);
        if sound.is_empty() {
            return Err(Broken::NoSound { container });
        }
        Ok(Layout {
            sample_rate: Some(self.sample_rate),
            channels: Some(channels),
            blocks: Some(self),
            ..Layout::as_it_is(sound, "")
        })
    }
}

/// What of the decoded sound is the recording: encoders put frames before it and behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Trim {
    /// Units before the recording.
    pub(super) skip: u64,
    /// Units of the recording, if they are known exactly.
    pub(super) length: Option<u64>,
    /// Time stamp from which on packets are no part of it.
    pub(super) end_timestamp: Option<i64>,
    /// Units in a second; 0 if they are frames.
    units_per_s: u32,
}

impl Trim {
    /// The same in frames of a sound of `sample_rate` Hz.
    fn in_frames(self, sample_rate: u32) -> Self {
        let end = self.end_timestamp.and_then(|end| u64::try_from(end).ok());
        let end = end.map(|end| self.frames(end, sample_rate));
        Self {
            skip: self.frames(self.skip, sample_rate),
            length: self.length.map(|length| self.frames(length, sample_rate)),
            end_timestamp: end.map(|end| i64::try_from(end).unwrap_or(i64::MAX)),
            units_per_s: 0,
        }
    }

    /// The same for sound that is not in packets, whose end is known to `most_off` units.
    fn to_the_frame(self, most_off: u32) -> Self {
        let end = self.end_timestamp.and_then(|end| u64::try_from(end).ok());
        let by_end = end.map(|end| (end.saturating_sub(self.skip)).saturating_add(most_off.into()));
        Self {
            length: self.length.or(by_end),
            end_timestamp: None,
            ..self
        }
    }

    /// `units` in frames of a sound of `sample_rate` Hz.
    pub(super) fn frames(&self, units: u64, sample_rate: u32) -> u64 {
        if self.units_per_s == 0 || self.units_per_s == sample_rate {
            return units;
        }
        let frames = u128::from(units) * u128::from(sample_rate) / u128::from(self.units_per_s);
        u64::try_from(frames).unwrap_or(u64::MAX)
    }
}

/// Why a file whose container was recognised holds no sound to decode, in plain words.
#[derive(Debug, Error)]
pub(super) enum Broken {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("its {container} header breaks off before it says how the sound is stored")]
    NoFormat { container: &'static str },
    #[error("its {container} header is there, but no sound follows it")]
    NoSound { container: &'static str },
    #[error("it is {kind}")]
    Foreign { kind: &'static str },
    #[error("its header names {channels} channels")]
    Channels { channels: u16 },
    #[error("its header names a sample rate that is no number of Hz")]
    SampleRate,
    #[error("its sound is stored as {encoding}, which Weft can't decode")]
    Encoding { encoding: String },
    #[error("its header names {bits} bits per sample for {encoding}")]
    Bits { bits: u16, encoding: &'static str },
}

impl Layout {
    /// Looks at the start of `source` and finds where the sound lies: the parts that follow each other, none if
    /// it is no container that is known here.
    pub(super) fn find(source: &mut dyn MediaSource) -> Result<Vec<Self>, Broken> {
        let mut bytes = Bytes::new(source)?;
        let start = after_id3(&mut bytes)?;
        let mut magic = [0; 16];
        if bytes.read_at(start, &mut magic)? < 12 {
            return Ok(Vec::new());
        }
        let form = &magic[8..12];
        let layout = match &magic[..4] {
            b"RIFF" | b"RIFX" | b"RF64" | b"BW64" if form == b"WAVE" => {
                wave::layout(&mut bytes, start, &magic)?
            }
            b"riff" if magic[4..] == chunks::WAVE64_RIFF_TAIL => {
                wave::layout_64(&mut bytes, start)?
            }
            b"FORM" if form == b"AIFF" || form == b"AIFC" => {
                aiff::layout(&mut bytes, start, form == b"AIFC")?
            }
            word if word == ogg::MAGIC => {
                foreign(&mut bytes, start)?;
                let links = ogg::links(&mut bytes, start)?;
                let layouts = links.into_iter().map(|link| Self::as_it_is(link, "ogg"));
                return Ok(layouts.collect());
            }
            b"caff" => caf::layout(&mut bytes, start)?,
            b"fLaC" => {
                let end = tags::before_tags(&mut bytes, start)?;
                Self::as_it_is(start..end, "flac")
            }
            _ if dump::is_dump(&magic) => dump::layout(&mut bytes, start)?,
            _ if magic == *voc::MAGIC => voc::layout(&mut bytes, start)?,
            _ if mp4::is_mp4(&magic) => mp4::layout(&mut bytes, start)?,
            _ => match plain::layout(&mut bytes, start, &magic)? {
                Some(layout) => layout,
                None => return foreign(&mut bytes, start),
            },
        };
        Ok(vec![layout])
    }

    /// A part of the file, as it is.
    fn as_it_is(part: Range<u64>, extension: &'static str) -> Self {
        Self {
            header: Arc::default(),
            pieces: None,
            sound: part,
            swapped_bytes: 1,
            sample_rate: None,
            channels: None,
            extension,
            trim: Trim::default(),
            blocks: None,
        }
    }

    /// The same in parts of the file.
    fn in_pieces(self, pieces: Pieces) -> Self {
        Self {
            pieces: Some(Arc::new(pieces)),
            ..self
        }
    }

    /// The file as a decoder is to see it.
    pub(super) fn window<'a>(&self, source: Box<dyn MediaSource + 'a>) -> Window<'a> {
        let source = match &self.pieces {
            Some(pieces) => Box::new(Joined::new(source, pieces.clone())),
            None => source,
        };
        Window::new(
            self.header.clone(),
            source,
            self.sound.clone(),
            self.swapped_bytes,
        )
    }
}

/// No layout, or what a file is that can't be read.
fn foreign(bytes: &mut Bytes<'_>, start: u64) -> Result<Vec<Layout>, Broken> {
    match foreign::kind(&bytes.bytes(start, foreign::LOOKED_AT)?) {
        Some(kind) => Err(Broken::Foreign { kind }),
        None => Ok(Vec::new()),
    }
}

/// Offset behind an ID3v2 tag at the start, which some programs put before any kind of file.
fn after_id3(bytes: &mut Bytes<'_>) -> io::Result<u64> {
    let mut tag = [0; ID3_HEADER_BYTES as usize];
    let read = bytes.read_at(0, &mut tag)?;
    if read < tag.len() || !tag.starts_with(b"ID3") || tag[6..].iter().any(|byte| *byte > 0x7f) {
        return Ok(0);
    }
    // Seven bits in each byte.
    let size = tag[6..]
        .iter()
        .fold(0, |size, byte| size << 7 | u64::from(*byte));
    Ok(ID3_HEADER_BYTES + size)
}

/// Of the sound, what is read of it at most, in whole frames, so that its size fits any header.
fn readable(sound: Range<u64>, frame_bytes: u64, sample_rate: u32) -> Range<u64> {
    let frame_bytes = frame_bytes.max(1);
    // One frame more, so that what is read ends at the limit and not at the end of the data.
    let most_frames = (MAX_READ_S * f64::from(sample_rate)) as u64 + 1;
    let most_bytes = most_frames
        .saturating_mul(frame_bytes)
        .min(u64::from(u32::MAX / 2));
    let bytes = (sound.end - sound.start).min(most_bytes);
    sound.start..sound.start + bytes / frame_bytes * frame_bytes
}
