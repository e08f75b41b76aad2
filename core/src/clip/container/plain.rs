//! Old containers of plain samples: a header, and behind it nothing but sound.
//!
//! AU (Sun and NeXT), SPHERE (NIST), IRCAM, AVR (Audio Visual Research), PAF (Ensoniq), PVF (Portable Voice Format)
//! and 8SVX (Amiga).

use super::chunks::{Bytes, Chunks, Sizes};
use super::stored::{Encoding, Stored};
use super::{Broken, Coding, Layout};

/// Bytes of the fields of an AU header with its first four.
const AU_HEADER_BYTES: u64 = 24;
/// Most that is read of a SPHERE header, whose lines say how long it is: as a rule, 1024 bytes.
const SPHERE_HEADER_BYTES: u64 = 1 << 14;
/// Bytes of the other headers.
const IRCAM_HEADER_BYTES: u64 = 1_024;
const AVR_HEADER_BYTES: u64 = 128;
const PAF_HEADER_BYTES: u64 = 2_048;
/// Most that is read of a PVF header, two short lines.
const PVF_HEADER_BYTES: u64 = 64;
/// More channels than an IRCAM file has: another byte order is meant.
const MOST_IRCAM_CHANNELS: u32 = 1_024;

/// The layout of one of these containers, which begins with `magic`; `None` if it is another one.
pub(super) fn layout(
    bytes: &mut Bytes<'_>,
    start: u64,
    magic: &[u8; 16],
) -> Result<Option<Layout>, Broken> {
    let layout = match &magic[..4] {
        b".snd" => au(bytes, start, false)?,
        // Turned round, and as DEC wrote it.
        b"dns." | b"\0ds." => au(bytes, start, true)?,
        b"NIST" if magic.starts_with(b"NIST_1A\n") => sphere(bytes, start)?,
        [0x64, 0xa3, 1..=4, 0] | [0, 1..=4, 0xa3, 0x64] => ircam(bytes, start)?,
        b"2BIT" => avr(bytes, start)?,
        b" paf" => paf(bytes, start, false)?,
        b"fap " => paf(bytes, start, true)?,
        b"PVF1" => pvf(bytes, start)?,
        b"FORM" if matches!(&magic[8..12], b"8SVX" | b"16SV") => {
            svx(bytes, start, &magic[8..12] == b"16SV")?
        }
        _ => return Ok(None),
    };
    Ok(Some(layout))
}

/// Fields of a header, in one of two byte orders.
struct Fields {
    bytes: Vec<u8>,
    is_little_endian: bool,
}

impl Fields {
    fn read(
        bytes: &mut Bytes<'_>,
        start: u64,
        count: u64,
        is_little_endian: bool,
        container: &'static str,
    ) -> Result<Self, Broken> {
        let bytes = bytes.bytes(start, count)?;
        if (bytes.len() as u64) < count {
            return Err(Broken::NoFormat { container });
        }
        Ok(Self {
            bytes,
            is_little_endian,
        })
    }

    fn u32_at(&self, at: usize) -> u32 {
        let field = [0, 1, 2, 3].map(|byte| self.bytes[at + byte]);
        match self.is_little_endian {
            true => u32::from_le_bytes(field),
            false => u32::from_be_bytes(field),
        }
    }

    fn u16_at(&self, at: usize) -> u16 {
        let field = [0, 1].map(|byte| self.bytes[at + byte]);
        match self.is_little_endian {
            true => u16::from_le_bytes(field),
            false => u16::from_be_bytes(field),
        }
    }

    fn channels_at(&self, at: usize) -> u16 {
        u16::try_from(self.u32_at(at)).unwrap_or(u16::MAX)
    }
}

fn au(bytes: &mut Bytes<'_>, start: u64, is_little_endian: bool) -> Result<Layout, Broken> {
    let fields = Fields::read(bytes, start, AU_HEADER_BYTES, is_little_endian, "AU")?;
    let encoding = match fields.u32_at(12) {
        1 => Encoding::bytes(*b"ulaw"),
        bytes @ 2..=5 => Encoding::integers(bytes as u16 - 1, is_little_endian)?,
        6 => Encoding::floats(4, is_little_endian)?,
        7 => Encoding::floats(8, is_little_endian)?,
        // G.721 and G.723.
        23 => Encoding::blocks(g726(4)),
        25 => Encoding::blocks(g726(3)),
        26 => Encoding::blocks(g726(5)),
        27 => Encoding::bytes(*b"alaw"),
        other => {
            let name = match other {
                24 => "ITU ADPCM (G.722)",
                _ => "an encoding of its own",
            };
            return Err(Broken::Encoding {
                encoding: format!("{name} (AU encoding {other})"),
            });
        }
    };
    // A header that is shorter than itself or longer than the file is a mistake.
    let len = bytes.len();
    let header = Some(start + u64::from(fields.u32_at(4)));
    let header = header.filter(|begin| (start + AU_HEADER_BYTES..len).contains(begin));
    let begin = header.unwrap_or(start + AU_HEADER_BYTES);
    let stated = Some(fields.u32_at(8)).filter(|size| *size > 0);
    let end = stated.map_or(len, |size| len.min(begin + u64::from(size)));
    let stored = Stored {
        channels: fields.channels_at(20),
        sample_rate: fields.u32_at(16),
        encoding,
    };
    stored.layout(begin..end, "AU")
}

fn g726(bits: u8) -> Coding {
    Coding::G726 {
        bits,
        is_itu: false,
    }
}

fn sphere(bytes: &mut Bytes<'_>, start: u64) -> Result<Layout, Broken> {
    const CONTAINER: &str = "SPHERE";
    let header = bytes.bytes(start, SPHERE_HEADER_BYTES)?;
    let header = String::from_utf8_lossy(&header);
    let mut lines = header.lines().skip(1);
    let size = lines.next().and_then(|size| size.trim().parse().ok());
    let size: u64 = size.unwrap_or(IRCAM_HEADER_BYTES);
    let (mut channels, mut sample_rate, mut sample_bytes) = (1, None, 2);
    let (mut is_little_endian, mut coding) = (false, String::from("pcm"));
    for line in lines.take_while(|line| line.trim() != "end_head") {
        // A name, the kind of the value, and the value.
        let mut words = line.split_whitespace();
        let (Some(name), Some(value)) = (words.next(), words.nth(1)) else {
            continue;
        };
        match name {
            "channel_count" => channels = value.parse().unwrap_or(0),
            "sample_rate" => sample_rate = value.parse::<f64>().ok().map(|rate| rate as u32),
            "sample_n_bytes" => sample_bytes = value.parse().unwrap_or(0),
            "sample_byte_format" => is_little_endian = value.starts_with("01"),
            "sample_coding" => coding = value.to_string(),
            _ => {}
        }
    }
    let encoding = match coding.as_str() {
        "pcm" => Encoding::integers(sample_bytes, is_little_endian)?,
        "ulaw" | "mu-law" => Encoding::bytes(*b"ulaw"),
        "alaw" => Encoding::bytes(*b"alaw"),
        _ => {
            return Err(Broken::Encoding {
                encoding: format!("\"{}\"", coding.escape_default()),
            });
        }
    };
    let stored = Stored {
        channels,
        sample_rate: sample_rate.ok_or(Broken::SampleRate)?,
        encoding,
    };
    stored.layout(start.saturating_add(size)..bytes.len(), CONTAINER)
}

fn ircam(bytes: &mut Bytes<'_>, start: u64) -> Result<Layout, Broken> {
    const CONTAINER: &str = "IRCAM";
    let mut fields = Fields::read(bytes, start, 16, true, CONTAINER)?;
    fields.is_little_endian = (1..=MOST_IRCAM_CHANNELS).contains(&fields.u32_at(8));
    let is_little_endian = fields.is_little_endian;
    let encoding = match fields.u32_at(12) {
        1 => Encoding::integers(1, is_little_endian)?,
        2 => Encoding::integers(2, is_little_endian)?,
        3 => Encoding::integers(3, is_little_endian)?,
        4 => Encoding::floats(4, is_little_endian)?,
        8 => Encoding::floats(8, is_little_endian)?,
        0x4_0004 => Encoding::integers(4, is_little_endian)?,
        0x1_0001 => Encoding::bytes(*b"alaw"),
        0x2_0001 => Encoding::bytes(*b"ulaw"),
        other => {
            return Err(Broken::Encoding {
                encoding: format!("IRCAM encoding {other:#x}"),
            });
        }
    };
    let stored = Stored {
        channels: fields.channels_at(8),
        sample_rate: f32::from_bits(fields.u32_at(4)) as u32,
        encoding,
    };
    stored.layout(start + IRCAM_HEADER_BYTES..bytes.len(), CONTAINER)
}

fn avr(bytes: &mut Bytes<'_>, start: u64) -> Result<Layout, Broken> {
    let fields = Fields::read(bytes, start, AVR_HEADER_BYTES, false, "AVR")?;
    let (bits, is_signed) = (fields.u16_at(14), fields.u16_at(16) != 0);
    let encoding = match (bits, is_signed) {
        (8, false) => Encoding::bytes(*b"raw "),
        (8 | 16, true) => Encoding::integers(bits / 8, false)?,
        _ => {
            let encoding = "AVR sound";
            return Err(Broken::Bits { bits, encoding });
        }
    };
    let stored = Stored {
        channels: 1 + u16::from(fields.u16_at(12) != 0),
        // The first byte is another field.
        sample_rate: fields.u32_at(22) & 0xff_ffff,
        encoding,
    };
    stored.layout(start + AVR_HEADER_BYTES..bytes.len(), "AVR")
}

fn paf(bytes: &mut Bytes<'_>, start: u64, is_little_endian: bool) -> Result<Layout, Broken> {
    let fields = Fields::read(bytes, start, 28, is_little_endian, "PAF")?;
    let encoding = match fields.u32_at(16) {
        0 => Encoding::integers(2, fields.u32_at(8) != 0)?,
        2 => Encoding::integers(1, false)?,
        other => {
            return Err(Broken::Encoding {
                encoding: format!("PAF encoding {other}"),
            });
        }
    };
    let stored = Stored {
        channels: fields.channels_at(20),
        sample_rate: fields.u32_at(12),
        encoding,
    };
    stored.layout(start + PAF_HEADER_BYTES..bytes.len(), "PAF")
}

/// PVF, whose second line has the number of channels, the sample rate and the bits.
fn pvf(bytes: &mut Bytes<'_>, start: u64) -> Result<Layout, Broken> {
    let container = "PVF";
    let header = bytes.bytes(start, PVF_HEADER_BYTES)?;
    let mut lines = header.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.next().zip(lines.next());
    let (first, second) = lines.ok_or(Broken::NoFormat { container })?;
    let numbers = String::from_utf8_lossy(second);
    let numbers = numbers.split_whitespace().map(|number| number.parse().ok());
    let numbers: Option<Vec<u32>> = numbers.collect();
    let Some([channels, sample_rate, bits]) = numbers.as_deref() else {
        return Err(Broken::NoFormat { container });
    };
    let narrow = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
    let stored = Stored {
        channels: narrow(*channels),
        sample_rate: *sample_rate,
        encoding: Encoding::integers(narrow(bits.div_ceil(8)), false)?,
    };
    let begin = start + (first.len() + second.len()) as u64;
    stored.layout(begin..bytes.len(), container)
}

/// 8SVX, or its relative of 16 bits.
fn svx(bytes: &mut Bytes<'_>, start: u64, is_wide: bool) -> Result<Layout, Broken> {
    const CONTAINER: &str = "8SVX";
    let mut chunks = Chunks::new(bytes, Sizes::Big32, [b"VHDR", b"BODY"], None);
    let found = chunks.walk(start + 12)?;
    let container = CONTAINER;
    let voice = found.format.ok_or(Broken::NoFormat { container })?;
    let sound = found.sound.ok_or(Broken::NoSound { container })?;
    let end = chunks.sound_end(&sound, &[])?;
    let fields = Fields::read(chunks.bytes, voice.body, 16, false, CONTAINER)?;
    if fields.bytes[15] != 0 {
        return Err(Broken::Encoding {
            encoding: "Fibonacci deltas".into(),
        });
    }
    let stored = Stored {
        channels: 1,
        sample_rate: fields.u16_at(12).into(),
        encoding: Encoding::integers(1 + u16::from(is_wide), false)?,
    };
    stored.layout(sound.body..end, CONTAINER)
}
