//! Containers of plain samples beside WAV and AIFF, built byte by byte.

use super::containers::RATE;

/// Words in one of two byte orders.
pub fn words(words: &[u32], is_little: bool) -> Vec<u8> {
    let bytes = words.iter().flat_map(|word| match is_little {
        true => word.to_le_bytes(),
        false => word.to_be_bytes(),
    });
    bytes.collect()
}

/// An AU file with `note` behind its header; `size` is what that says of the sound.
pub fn au(
    encoding: u32,
    channels: usize,
    is_little: bool,
    size: u32,
    note: &[u8],
    data: &[u8],
) -> Vec<u8> {
    let magic = if is_little { b"dns." } else { b".snd" };
    let offset = 24 + note.len() as u32;
    let header = words(&[offset, size, encoding, RATE, channels as u32], is_little);
    [&magic[..], &header, note, data].concat()
}

/// A CAF file of a format, its flags, bytes and frames of a packet, channels and bits, with chunks before the
/// sound; `size` is what the sound's header says, or -1.
pub fn caf(
    letters: &[u8; 4],
    flags: u32,
    numbers: [u32; 4],
    size: i64,
    chunks: &[u8],
    data: &[u8],
) -> Vec<u8> {
    let head = [
        &f64::from(RATE).to_be_bytes()[..],
        letters,
        &words(&[flags], false),
        &words(&numbers, false),
    ];
    [
        &b"caff\0\x01\0\0desc"[..],
        &32_i64.to_be_bytes(),
        &head.concat(),
        chunks,
        b"data",
        &size.to_be_bytes(),
        &[0; 4],
        data,
    ]
    .concat()
}

/// A VOC file of blocks: a kind and contents.
pub fn voc(blocks: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"Creative Voice File\x1a\x1a\0\x14\x01\x1f\x11".to_vec();
    for (kind, contents) in blocks {
        file.push(*kind);
        file.extend(&(contents.len() as u32).to_le_bytes()[..3]);
        file.extend(contents);
    }
    file.push(0);
    file
}

/// A SPHERE file of samples of `width` bytes in a coding and an order.
pub fn sphere(coding: &str, channels: usize, width: usize, order: &str, data: &[u8]) -> Vec<u8> {
    let text = format!(
        "NIST_1A\n   1024\nchannel_count -i {channels}\nsample_rate -i {RATE}\nsample_n_bytes -i {width}\n\
         sample_byte_format -s{} {order}\nsample_coding -s{} {coding}\nend_head\n",
        order.len(),
        coding.len()
    );
    let mut file = text.into_bytes();
    file.resize(1_024, b' ');
    file.extend(data);
    file
}
