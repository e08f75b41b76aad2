//! WAV and its relatives: RIFF, RIFX (big-endian), RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088), and W64.

use super::chunks::{Bytes, Chunk, Chunks, Found, Sizes};
use super::{Blocks, Broken, Coding, Layout, readable};

/// Bytes of a format chunk up to its bits per sample, and without those.
const FORMAT_BYTES: u64 = 16;
const SHORT_FORMAT_BYTES: u64 = 14;
/// Most of a format chunk that is of any use: the longest, of MS ADPCM, takes 50 bytes.
const MOST_FORMAT_BYTES: u64 = 128;
/// Bytes of the extension of an MS ADPCM format: frames in a block, seven pairs of coefficients.
const MS_ADPCM_EXTENSION_BYTES: usize = 32;
/// Length of the first two chunk headers of a W64 file and of its form.
const WAVE64_FIRST_CHUNK: u64 = 40;

/// Format tags (mmreg.h of the Windows SDK).
const PCM: u16 = 1;
const MS_ADPCM: u16 = 2;
const FLOAT: u16 = 3;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;
const IMA_ADPCM: u16 = 0x11;
const GSM: u16 = 0x31;
const G721: u16 = 0x40;
const G726: [u16; 2] = [0x45, 0x64];
const MP3: u16 = 0x55;
const EXTENSIBLE: u16 = 0xfffe;

/// What follows the tag in a subformat (KSDATAFORMAT_SUBTYPE), and the same for ambisonic sound.
const SUBFORMAT_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
const AMBISONIC_TAIL: [u8; 14] = [
    0, 0, 0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0,
];

/// RIFF, RIFX, RF64 or BW64 from offset `start`, whose first bytes are `magic`.
pub(super) fn layout(bytes: &mut Bytes<'_>, start: u64, magic: &[u8]) -> Result<Layout, Broken> {
    let is_big_endian = magic.starts_with(b"RIFX");
    let word = [magic[4], magic[5], magic[6], magic[7]];
    let (sizes, size) = if is_big_endian {
        (Sizes::Big32, u32::from_be_bytes(word))
    } else {
        (Sizes::Little32, u32::from_le_bytes(word))
    };
    let stated_end = (size > 0 && size < u32::MAX).then_some(start + 8 + u64::from(size));
    let chunks = Chunks::new(bytes, sizes, [b"fmt ", b"data"], stated_end);
    from_chunks(chunks, start + 12, is_big_endian)
}

/// W64 from offset `start`.
pub(super) fn layout_64(bytes: &mut Bytes<'_>, start: u64) -> Result<Layout, Broken> {
    let chunks = Chunks::new(bytes, Sizes::Little64, [b"fmt ", b"data"], None);
    from_chunks(chunks, start + WAVE64_FIRST_CHUNK, false)
}

fn from_chunks(
    mut chunks: Chunks<'_, '_>,
    first: u64,
    is_big_endian: bool,
) -> Result<Layout, Broken> {
    let found = chunks.walk(first)?;
    let chunk = found.format.ok_or(Broken::NoFormat { container: "WAV" })?;
    let format = Format::read(chunks.bytes, &chunk, is_big_endian)?;
    let sound = sound_chunk(chunks.bytes, &found)?;
    let end = chunks.sound_end(&sound, &[])?;
    if end <= sound.body {
        return Err(Broken::NoSound { container: "WAV" });
    }
    let sound = sound.body..end;
    if format.tag == MP3 {
        return Ok(Layout::as_it_is(sound, "mp3"));
    }
    if let Some(coding) = format.coding() {
        let blocks = Blocks {
            coding,
            channels: format.channels,
            sample_rate: format.sample_rate,
        };
        return blocks.layout(sound, "WAV");
    }
    format.check()?;
    let sound = readable(sound, u64::from(format.block_bytes), format.sample_rate);
    Ok(Layout {
        header: format.header(sound.end - sound.start).into(),
        sound,
        swapped_bytes: match format.tag {
            PCM | FLOAT if is_big_endian => usize::from(format.sample_bits / 8),
            _ => 1,
        },
        sample_rate: Some(format.sample_rate),
        channels: Some(format.channels),
        ..Layout::as_it_is(0..0, "wav")
    })
}

/// The chunk with the sound, with the size that RF64 keeps elsewhere.
fn sound_chunk(bytes: &mut Bytes<'_>, found: &Found) -> Result<Chunk, Broken> {
    let mut sound = found.sound.ok_or(Broken::NoSound { container: "WAV" })?;
    if let (None, Some(sizes)) = (sound.size, found.sizes_64) {
        let sizes = bytes.bytes(sizes.body, 16)?;
        // The whole file's size comes first, then the sound's.
        let size = sizes.get(8..16).map(|size| {
            let size = size.iter().rev();
            size.fold(0_u64, |size, byte| size << 8 | u64::from(*byte))
        });
        sound.size = size.filter(|size| *size > 0);
    }
    Ok(sound)
}

/// How the sound is stored.
#[derive(Debug)]
struct Format {
    /// The format tag, never [`EXTENSIBLE`].
    tag: u16,
    channels: u16,
    sample_rate: u32,
    /// Bytes of a frame, or of a block where samples are not stored one by one.
    block_bytes: u16,
    /// Bits that one sample takes up.
    sample_bits: u16,
    /// Speaker positions and the end of the subformat, if it is stored as extensible.
    extensible: Option<(u32, [u8; 14])>,
    /// What follows the common part, after its size.
    extension: Vec<u8>,
}

impl Format {
    fn read(bytes: &mut Bytes<'_>, chunk: &Chunk, is_big_endian: bool) -> Result<Self, Broken> {
        let size = chunk.size.unwrap_or(0);
        // A wrong size is as good as none.
        let size = match size {
            SHORT_FORMAT_BYTES => size,
            0..FORMAT_BYTES => FORMAT_BYTES,
            _ => size.min(MOST_FORMAT_BYTES),
        };
        let format = bytes.bytes(chunk.body, size)?;
        if format.len() < SHORT_FORMAT_BYTES as usize {
            return Err(Broken::NoFormat { container: "WAV" });
        }
        let u16_at = |at: usize| {
            let pair = format.get(at..at + 2).map_or([0; 2], |b| [b[0], b[1]]);
            if is_big_endian {
                u16::from_be_bytes(pair)
            } else {
                u16::from_le_bytes(pair)
            }
        };
        let u32_at = |at: usize| {
            let (first, second) = (u32::from(u16_at(at)), u32::from(u16_at(at + 2)));
            if is_big_endian {
                first << 16 | second
            } else {
                second << 16 | first
            }
        };
        let mut this = Self {
            tag: u16_at(0),
            channels: u16_at(2),
            sample_rate: u32_at(4),
            block_bytes: u16_at(12),
            sample_bits: u16_at(14),
            extensible: None,
            extension: format.get(18..).unwrap_or_default().to_vec(),
        };
        if this.tag == EXTENSIBLE {
            let tail = format.get(26..40).and_then(|tail| tail.try_into().ok());
            let tail: [u8; 14] = tail.unwrap_or(SUBFORMAT_TAIL);
            // Without a subformat it can only be integers.
            this.tag = if format.len() >= 40 { u16_at(24) } else { PCM };
            this.extensible = Some((u32_at(20), tail));
            this.extension = format.get(40..).unwrap_or_default().to_vec();
        }
        this.complete();
        Ok(this)
    }

    /// The blocks in which it is stored, if we decode those ourselves.
    fn coding(&self) -> Option<Coding> {
        let g726 = |bits, is_itu| Coding::G726 { bits, is_itu };
        match self.tag {
            GSM => Some(Coding::GsmPairs),
            G721 => Some(g726(4, false)),
            tag if G726.contains(&tag) => {
                let bits = (2..=5).find(|bits| u16::from(*bits) == self.sample_bits);
                bits.map(|bits| g726(bits, true))
            }
            _ => None,
        }
    }

    /// Fills in what writers leave out or get wrong.
    fn complete(&mut self) {
        let channels = self.channels.max(1);
        let per_channel = self.block_bytes / channels;
        let is_even = self.block_bytes.is_multiple_of(channels);
        let stored_bytes = self.sample_bits.div_ceil(8);
        self.sample_bits = match self.tag {
            // A sample takes as many whole bytes as its bits need, or more if the frames are longer.
            PCM if is_even && (stored_bytes.max(1)..=4).contains(&per_channel) => per_channel * 8,
            FLOAT if is_even && (per_channel == 4 || per_channel == 8) => per_channel * 8,
            PCM | FLOAT => stored_bytes.saturating_mul(8),
            A_LAW | MU_LAW => 8,
            tag if G726.contains(&tag) => self.sample_bits,
            _ => 4,
        };
        if matches!(self.tag, PCM | FLOAT | A_LAW | MU_LAW) {
            self.block_bytes = (self.sample_bits / 8).saturating_mul(channels);
        }
    }

    /// Whether it can be decoded.
    fn check(&self) -> Result<(), Broken> {
        let bits = self.sample_bits;
        if self.channels == 0 {
            return Err(Broken::Channels { channels: 0 });
        }
        let is_plain = self
            .extensible
            .is_none_or(|(_, tail)| tail == SUBFORMAT_TAIL || tail == AMBISONIC_TAIL);
        let encoding = match self.tag {
            _ if !is_plain => "a subformat of its own".into(),
            PCM if matches!(bits, 8 | 16 | 24 | 32) => return Ok(()),
            FLOAT if matches!(bits, 32 | 64) => return Ok(()),
            PCM => {
                let encoding = "whole numbers";
                return Err(Broken::Bits { bits, encoding });
            }
            FLOAT => {
                let encoding = "floating-point numbers";
                return Err(Broken::Bits { bits, encoding });
            }
            A_LAW | MU_LAW | MS_ADPCM | IMA_ADPCM => return Ok(()),
            tag => match encoding_name(tag) {
                Some(name) => format!("{name} (format {tag:#06x})"),
                None => format!("format {tag:#06x}"),
            },
        };
        Err(Broken::Encoding { encoding })
    }

    /// A WAV file up to its sound, of which `sound_bytes` follow.
    fn header(&self, sound_bytes: u64) -> Vec<u8> {
        let bytes_per_s = self.sample_rate.saturating_mul(self.block_bytes.into());
        // The positions of one or two channels are known without being named.
        let positions = self
            .extensible
            .filter(|_| self.channels > 2 && matches!(self.tag, PCM | FLOAT));
        let mut format = Vec::new();
        let tag = positions.map_or(self.tag, |_| EXTENSIBLE);
        format.extend(tag.to_le_bytes());
        format.extend(self.channels.to_le_bytes());
        format.extend(self.sample_rate.to_le_bytes());
        format.extend(bytes_per_s.to_le_bytes());
        format.extend(self.block_bytes.to_le_bytes());
        format.extend(self.sample_bits.to_le_bytes());
        let extension = match (self.tag, positions) {
            (_, Some((speakers, tail))) => {
                let mut extension = self.sample_bits.to_le_bytes().to_vec();
                extension.extend(speakers.to_le_bytes());
                extension.extend(self.tag.to_le_bytes());
                extension.extend(tail);
                extension
            }
            (MS_ADPCM, _) => self.padded_extension(MS_ADPCM_EXTENSION_BYTES),
            (IMA_ADPCM, _) => self.padded_extension(2),
            _ => Vec::new(),
        };
        format.extend((extension.len() as u16).to_le_bytes());
        format.extend(extension);

        // `readable` has seen to it that the sizes fit.
        let mut header = b"RIFF".to_vec();
        header.extend((4 + 8 + format.len() as u32 + 8 + sound_bytes as u32).to_le_bytes());
        header.extend(b"WAVEfmt ");
        header.extend((format.len() as u32).to_le_bytes());
        header.extend(format);
        header.extend(b"data");
        header.extend((sound_bytes as u32).to_le_bytes());
        header
    }

    /// The extension in exactly `count` bytes.
    fn padded_extension(&self, count: usize) -> Vec<u8> {
        let mut extension = self.extension.clone();
        extension.resize(count, 0);
        extension
    }
}

/// What a format is called that exists and can't be decoded.
fn encoding_name(tag: u16) -> Option<&'static str> {
    Some(match tag {
        0x10 => "OKI ADPCM",
        0x38 => "NMS ADPCM",
        0x45 | 0x64 => "ITU ADPCM (G.726)",
        0x65 => "ITU ADPCM (G.722)",
        0x50 => "MPEG layer 1 or 2",
        0x61 => "DVI ADPCM (Duck)",
        0x92 => "Dolby AC-3",
        0x160..=0x163 => "Windows Media Audio",
        0xff | 0x1600 | 0x1601 | 0x1610 => "AAC",
        0x674f..=0x6771 => "Vorbis in WAV",
        0xf1ac => "FLAC in WAV",
        _ => return None,
    })
}
