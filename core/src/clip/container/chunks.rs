//! Chunks of a file, walked with doubt.

use std::io::{self, Read, SeekFrom};

use symphonia::core::io::MediaSource;

/// What follows `riff` in the first 16 bytes of a W64 file.
pub(super) const WAVE64_RIFF_TAIL: [u8; 12] = [
    0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0, 0,
];
/// What follows the four letters in the name of every other chunk of a W64 file.
const WAVE64_CHUNK_TAIL: [u8; 12] = [
    0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a,
];

/// Chunks that are walked before a file is given up: far more than any program writes.
const MOST_CHUNKS: usize = 1_024;
/// Bytes that are searched for a chunk that the sizes of others don't lead to.
const SEARCHED_BYTES: u64 = 1 << 20;
/// Bytes by which writers miscount the sound: the header of a chunk, and those of a whole file without or with
/// its own first eight bytes.
const MISCOUNTS: [u64; 3] = [8, 36, 44];

/// Most bytes by which an end is off that other chunks correct.
const MOST_MISCOUNT: u64 = 64;
/// Bytes at the end of a file in which descriptions behind the sound are looked for.
const DESCRIPTIONS_BYTES: u64 = 1 << 16;

/// Names of chunks, so that one is known even if its size is wrong.
const NAMES: [&[u8; 4]; 42] = [
    b"fmt ", b"data", b"fact", b"LIST", b"JUNK", b"junk", b"bext", b"cue ", b"smpl", b"inst",
    b"iXML", b"PEAK", b"id3 ", b"ID3 ", b"PAD ", b"ds64", b"axml", b"chna", b"levl", b"_PMX",
    b"aXML", b"cart", b"DISP", b"acid", b"strc", b"umid", b"minf", b"regn", b"afsp", b"FLLR",
    b"COMM", b"SSND", b"MARK", b"INST", b"NAME", b"AUTH", b"ANNO", b"COMT", b"APPL", b"MIDI",
    b"AESD", b"CHAN",
];

/// How a container writes the names and sizes of its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sizes {
    Little32,
    Big32,
    /// W64: names of 16 bytes, sizes of 64 bits that count the name and themselves, aligned to 8 bytes.
    Little64,
}

impl Sizes {
    fn header_bytes(self) -> u64 {
        match self {
            Self::Little32 | Self::Big32 => 8,
            Self::Little64 => 24,
        }
    }

    fn alignment(self) -> u64 {
        match self {
            Self::Little32 | Self::Big32 => 2,
            Self::Little64 => 8,
        }
    }
}

/// A chunk as its header describes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    pub(super) name: [u8; 4],
    /// Offset of its contents.
    pub(super) body: u64,
    /// Bytes of its contents, as stated; `None` if the writer has not known them.
    pub(super) size: Option<u64>,
}

impl Chunk {
    fn stated_end(&self) -> Option<u64> {
        self.size.map(|size| self.body.saturating_add(size))
    }
}

/// The bytes of a file, at any place.
pub(super) struct Bytes<'s> {
    source: &'s mut dyn MediaSource,
    len: u64,
}

impl<'s> Bytes<'s> {
    pub(super) fn new(source: &'s mut dyn MediaSource) -> io::Result<Self> {
        let len = source.seek(SeekFrom::End(0))?;
        Ok(Self { source, len })
    }

    /// Length of the file in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Reads from offset `at`: fewer bytes where the file ends.
    pub(super) fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.seek(SeekFrom::Start(at))?;
        let most = buffer.len() as u64;
        let mut rest = &mut *buffer;
        let read = io::copy(&mut (&mut self.source).take(most), &mut rest)?;
        Ok(read as usize)
    }

    /// `count` bytes from offset `at`, as far as they are there.
    pub(super) fn bytes(&mut self, at: u64, count: u64) -> io::Result<Vec<u8>> {
        let count = count.min(self.len.saturating_sub(at));
        let mut bytes = vec![0; count as usize];
        let read = self.read_at(at, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// The chunks of one file.
pub(super) struct Chunks<'b, 's> {
    pub(super) bytes: &'b mut Bytes<'s>,
    sizes: Sizes,
    /// The chunk that says how the sound is stored, and the one with the sound.
    wanted: [&'static [u8; 4]; 2],
    /// Where the file should end by its own first size.
    stated_end: Option<u64>,
}

/// What a walk over the chunks has found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) format: Option<Chunk>,
    pub(super) sound: Option<Chunk>,
    /// 64-bit sizes of RF64 and BW64.
    pub(super) sizes_64: Option<Chunk>,
}

impl<'b, 's> Chunks<'b, 's> {
    pub(super) fn new(
        bytes: &'b mut Bytes<'s>,
        sizes: Sizes,
        wanted: [&'static [u8; 4]; 2],
        stated_end: Option<u64>,
    ) -> Self {
        Self {
            bytes,
            sizes,
            wanted,
            stated_end,
        }
    }

    /// Walks the chunks from offset `first` until format and sound are found.
    pub(super) fn walk(&mut self, first: u64) -> io::Result<Found> {
        let mut found = Found::default();
        let (mut at, mut known_until) = (first, first);
        for _ in 0..MOST_CHUNKS {
            let missing: Vec<_> = [
                found.format.is_none().then_some(self.wanted[0]),
                found.sound.is_none().then_some(self.wanted[1]),
            ]
            .into_iter()
            .flatten()
            .collect();
            if missing.is_empty() {
                break;
            }
            let chunk = match self.chunk(at)?.filter(|chunk| self.is_likely(chunk)) {
                Some(chunk) => chunk,
                None => match self.search(known_until, &missing)? {
                    Some(chunk) => chunk,
                    None => break,
                },
            };
            known_until = chunk.body;
            at = self.after(&chunk)?;
            match &chunk.name {
                name if name == self.wanted[0] => {
                    found.format.get_or_insert(chunk);
                }
                name if name == self.wanted[1] => {
                    let end = self.sound_end(&chunk, &[])?;
                    at = end + (end - chunk.body) % 2;
                    known_until = end;
                    // An empty one before the one with the sound is passed over.
                    if end > chunk.body || at >= self.bytes.len() {
                        found.sound.get_or_insert(chunk);
                    }
                }
                b"ds64" => found.sizes_64 = Some(chunk),
                _ => {}
            }
        }
        Ok(found)
    }

    /// The chunk whose header is at `at`, if that can be one.
    fn chunk(&mut self, at: u64) -> io::Result<Option<Chunk>> {
        let mut header = [0; 24];
        let header = &mut header[..self.sizes.header_bytes() as usize];
        if at >= self.bytes.len() || self.bytes.read_at(at, header)? < header.len() {
            return Ok(None);
        }
        let name = [header[0], header[1], header[2], header[3]];
        let word = [header[4], header[5], header[6], header[7]];
        let size = match self.sizes {
            Sizes::Little32 => u64::from(u32::from_le_bytes(word)),
            Sizes::Big32 => u64::from(u32::from_be_bytes(word)),
            Sizes::Little64 => {
                if header[4..16] != WAVE64_CHUNK_TAIL {
                    return Ok(None);
                }
                let size = header[16..].iter().rev();
                let size = size.fold(0_u64, |size, byte| size << 8 | u64::from(*byte));
                size.saturating_sub(self.sizes.header_bytes())
            }
        };
        let is_unknown = name == *self.wanted[1]
            && (size == 0 || size == u64::from(u32::MAX) || size >= u64::MAX - 32);
        let is_name = name.iter().all(|byte| (0x20..0x7f).contains(byte));
        Ok(is_name.then_some(Chunk {
            name,
            body: at + self.sizes.header_bytes(),
            size: (!is_unknown).then_some(size),
        }))
    }

    /// Whether a chunk can be walked over: it lies within the file, or is one that is wanted.
    fn is_likely(&self, chunk: &Chunk) -> bool {
        self.wanted.contains(&&chunk.name)
            || chunk
                .stated_end()
                .is_some_and(|end| end <= self.bytes.len())
    }

    /// Offset of the chunk after `chunk`. Some writers forget the byte that follows an odd size.
    fn after(&mut self, chunk: &Chunk) -> io::Result<u64> {
        let size = chunk.size.unwrap_or(0);
        let unpadded = chunk.body.saturating_add(size);
        let padded = unpadded.saturating_add(size.wrapping_neg() % self.sizes.alignment());
        if padded == unpadded || self.is_boundary(padded)? || !self.is_boundary(unpadded)? {
            return Ok(padded);
        }
        Ok(unpadded)
    }

    /// Looks for a chunk of one of the `names` behind sizes that lead nowhere.
    fn search(&mut self, from: u64, names: &[&'static [u8; 4]]) -> io::Result<Option<Chunk>> {
        let bytes = self.bytes.bytes(from, SEARCHED_BYTES)?;
        let mut first = None;
        for (offset, window) in bytes.windows(4).enumerate() {
            if !names.iter().any(|name| window == *name) {
                continue;
            }
            let Some(chunk) = self.chunk(from + offset as u64)? else {
                continue;
            };
            // The same letters in a text are followed by other letters, which make a huge size.
            let fits = chunk
                .stated_end()
                .is_none_or(|end| end <= self.bytes.len() + MISCOUNTS[2]);
            if fits {
                return Ok(Some(chunk));
            }
            first.get_or_insert(chunk);
        }
        Ok(first)
    }

    /// Where the sound of a chunk ends. `stated` are ends that other parts of the file name.
    pub(super) fn sound_end(&mut self, sound: &Chunk, stated: &[u64]) -> io::Result<u64> {
        let len = self.bytes.len();
        let usable = |end: &u64| (sound.body + 1..=len).contains(end);
        let by_others: Vec<u64> = stated.iter().copied().filter(usable).collect();
        let Some(end) = sound.stated_end() else {
            // Nothing is really there if other chunks follow at once.
            if self.is_chain(sound.body)? {
                return Ok(sound.body);
            }
            return self.first_boundary(&by_others, len);
        };
        if end > len {
            let miscounted = MISCOUNTS.map(|bytes| end.saturating_sub(bytes));
            let ends: Vec<u64> = miscounted.into_iter().chain(by_others).collect();
            let ends: Vec<u64> = ends.into_iter().filter(usable).collect();
            return self.first_boundary(&ends, len);
        }
        let padded = end + (end - sound.body).wrapping_neg() % self.sizes.alignment();
        if end == len || padded >= len || self.is_boundary(padded)? || self.is_boundary(end)? {
            return Ok(end);
        }
        if let Some(other) = self.boundary_near(end, sound.body)? {
            return Ok(other);
        }
        // The file goes on as its first size says, and what follows is no chunk and no tag.
        let mut next = [0; 4];
        self.bytes.read_at(end, &mut next)?;
        let is_name = next.iter().all(|byte| (0x20..0x7f).contains(byte));
        let is_tag = next.starts_with(b"TAG") || next.starts_with(b"ID3");
        let goes_on = self
            .stated_end
            .is_some_and(|stated| stated.abs_diff(len) <= 1);
        if !goes_on || is_name || is_tag || self.is_last(padded)? || self.is_last(end)? {
            return Ok(end);
        }
        self.first_description(end)
    }

    /// Another end than `end`, if a known chunk begins there from which others lead to the end of the file: writers
    /// miscount by a header or two.
    fn boundary_near(&mut self, end: u64, begin: u64) -> io::Result<Option<u64>> {
        for bytes in 1..=MOST_MISCOUNT {
            for other in [end + bytes, end.saturating_sub(bytes)] {
                let is_miscount = MISCOUNTS.contains(&bytes);
                if other <= begin || other > self.bytes.len() {
                    continue;
                }
                if (is_miscount && other == self.bytes.len()) || self.is_known_chain(other)? {
                    return Ok(Some(other));
                }
            }
        }
        Ok(None)
    }

    /// Where the first of the descriptions behind the sound begins, from `from` on, or the end of the file.
    fn first_description(&mut self, from: u64) -> io::Result<u64> {
        let len = self.bytes.len();
        let from = from.max(len.saturating_sub(DESCRIPTIONS_BYTES));
        let tail = self.bytes.bytes(from, DESCRIPTIONS_BYTES)?;
        for (offset, window) in tail.windows(4).enumerate() {
            if NAMES.iter().any(|name| window == *name) && self.is_chain(from + offset as u64)? {
                return Ok(from + offset as u64);
            }
        }
        Ok(len)
    }

    /// Whether what stands at `at` is a chunk, whatever its name, that ends with the file.
    fn is_last(&mut self, at: u64) -> io::Result<bool> {
        let header = self.bytes.bytes(at, self.sizes.header_bytes())?;
        let Some(word) = header.get(4..8).and_then(|word| word.try_into().ok()) else {
            return Ok(false);
        };
        let size = match self.sizes {
            Sizes::Little32 => u32::from_le_bytes(word),
            Sizes::Big32 => u32::from_be_bytes(word),
            Sizes::Little64 => return Ok(false),
        };
        let end = at + self.sizes.header_bytes() + u64::from(size);
        Ok(end == self.bytes.len() || end + end % 2 == self.bytes.len())
    }

    /// Whether a chunk with a known name begins at `at`, from which others lead to the end of the file.
    fn is_known_chain(&mut self, at: u64) -> io::Result<bool> {
        let chunk = self.chunk(at)?;
        let is_known = chunk.is_some_and(|chunk| NAMES.contains(&&chunk.name));
        Ok(is_known && self.is_chain(at)?)
    }

    /// The first of `ends` at which another chunk begins, or `otherwise`.
    fn first_boundary(&mut self, ends: &[u64], otherwise: u64) -> io::Result<u64> {
        for end in ends {
            if self.is_boundary(*end)? {
                return Ok(*end);
            }
        }
        Ok(otherwise)
    }

    /// Whether a chunk begins at `at`: one with a known name, or one from which others lead to the end.
    fn is_boundary(&mut self, at: u64) -> io::Result<bool> {
        let chunk = self.chunk(at)?;
        let is_known = chunk.is_some_and(|chunk| NAMES.contains(&&chunk.name));
        Ok(is_known || self.is_chain(at)?)
    }

    /// Whether chunks lead from `at` to the end of the file.
    fn is_chain(&mut self, at: u64) -> io::Result<bool> {
        let len = self.bytes.len();
        let mut at = at;
        for _ in 0..MOST_CHUNKS {
            let Some(chunk) = self.chunk(at)? else {
                return Ok(false);
            };
            let Some(end) = chunk.stated_end().filter(|end| *end <= len) else {
                return Ok(false);
            };
            at = end + (end - chunk.body).wrapping_neg() % self.sizes.alignment();
            if at >= len {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
