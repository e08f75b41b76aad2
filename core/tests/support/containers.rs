//! Containers of uncompressed sound, built byte by byte: as the formats demand, and as writers really do it.

/// Sample rate of the sound in them, in Hz.
pub const RATE: u32 = 8_000;

/// A chunk of a RIFF file; `size` is what its header says.
pub fn chunk_of_size(name: &[u8; 4], body: &[u8], size: u32) -> Vec<u8> {
    let mut chunk = [&name[..], &size.to_le_bytes(), body].concat();
    if body.len() % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

/// A chunk of a RIFF file.
pub fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    chunk_of_size(name, body, body.len() as u32)
}

/// A RIFF file of a kind whose first header says `size`.
pub fn riff_of_size(kind: &[u8; 4], chunks: &[Vec<u8>], size: u32) -> Vec<u8> {
    let body = chunks.concat();
    [&kind[..], &size.to_le_bytes(), b"WAVE", &body].concat()
}

/// A WAV file.
pub fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let size = 4 + chunks.iter().map(Vec::len).sum::<usize>();
    riff_of_size(b"RIFF", chunks, size as u32)
}

/// The contents of a format chunk: 16 bytes and what follows them.
pub fn format(tag: u16, channels: u16, bits: u16, more: &[u8]) -> Vec<u8> {
    let block = channels * bits.div_ceil(8);
    [
        &tag.to_le_bytes()[..],
        &channels.to_le_bytes(),
        &RATE.to_le_bytes(),
        &(RATE * u32::from(block)).to_le_bytes(),
        &block.to_le_bytes(),
        &bits.to_le_bytes(),
        more,
    ]
    .concat()
}

/// The end of an extensible format: its size, valid bits, speakers and the subformat of a tag.
pub fn extensible(size: u16, valid_bits: u16, speakers: u32, tag: u16) -> Vec<u8> {
    const TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
    [
        &size.to_le_bytes()[..],
        &valid_bits.to_le_bytes(),
        &speakers.to_le_bytes(),
        &tag.to_le_bytes(),
        &TAIL,
    ]
    .concat()
}

/// A chunk of an AIFF file; `size` is what its header says.
pub fn aiff_chunk_of_size(name: &[u8; 4], body: &[u8], size: u32) -> Vec<u8> {
    let mut chunk = [&name[..], &size.to_be_bytes(), body].concat();
    if body.len() % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

/// A chunk of an AIFF file.
pub fn aiff_chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    aiff_chunk_of_size(name, body, body.len() as u32)
}

/// An AIFF (or AIFC) file.
pub fn form(kind: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    aiff_chunk(b"FORM", &[kind.to_vec(), chunks.concat()].concat())
}

/// A common chunk; `letters` are the encoding of an AIFC file.
pub fn common(channels: u16, frames: u32, bits: u16, letters: &[u8]) -> Vec<u8> {
    let exponent = RATE.ilog2();
    let name: &[u8] = if letters.is_empty() { &[] } else { &[0, 0] };
    let body = [
        &channels.to_be_bytes()[..],
        &frames.to_be_bytes(),
        &bits.to_be_bytes(),
        &(16_383 + exponent as u16).to_be_bytes(),
        &(u64::from(RATE) << (63 - exponent)).to_be_bytes(),
        letters,
        name,
    ];
    aiff_chunk(b"COMM", &body.concat())
}

/// The contents of a sound chunk.
pub fn sound(offset: u32, block: u32, samples: &[u8]) -> Vec<u8> {
    let skipped = vec![0xa5; offset as usize];
    [
        &offset.to_be_bytes()[..],
        &block.to_be_bytes(),
        &skipped,
        samples,
    ]
    .concat()
}

/// An RF64 or BW64 file (`kind`) of a format chunk's contents and the sound; `size` is the sound's in 64 bits.
pub fn rf64(kind: &[u8; 4], format: &[u8], samples: &[u8], size: u64) -> Vec<u8> {
    let sizes = [
        &(size + 72).to_le_bytes()[..],
        &size.to_le_bytes(),
        &(size / 2).to_le_bytes(),
        &0_u32.to_le_bytes(),
    ];
    let chunks = [
        chunk(b"ds64", &sizes.concat()),
        chunk(b"fmt ", format),
        chunk_of_size(b"data", samples, u32::MAX),
    ];
    riff_of_size(kind, &chunks, u32::MAX)
}

/// A W64 file; `size` is what the sound's header says of it.
pub fn wave64(format: &[u8], samples: &[u8], size: u64) -> Vec<u8> {
    const RIFF: [u8; 12] = [
        0x2e, 0x91, 0xcf, 0x11, 0xa5, 0xd6, 0x28, 0xdb, 0x04, 0xc1, 0, 0,
    ];
    const TAIL: [u8; 12] = [
        0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a,
    ];
    let chunk = |name: &[u8; 4], body: &[u8], size: u64| {
        let padding = vec![0; body.len().wrapping_neg() % 8];
        [&name[..], &TAIL, &(size + 24).to_le_bytes(), body, &padding].concat()
    };
    let body = [
        [&b"wave"[..], &TAIL].concat(),
        chunk(b"fmt ", format, format.len() as u64),
        // A level meter's envelope, which is not used.
        chunk(b"levl", &[1, 2, 3], 3),
        chunk(b"data", samples, size),
    ]
    .concat();
    let whole = body.len() as u64 + 24;
    [&b"riff"[..], &RIFF, &whole.to_le_bytes(), &body].concat()
}
