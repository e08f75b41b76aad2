//! Tags behind the sound, which some programs put at the end of any kind of file.

use std::io;

use super::chunks::Bytes;

/// Bytes of an ID3v1 tag and of the footer of an APE tag.
const ID3V1_BYTES: u64 = 128;
const APE_FOOTER_BYTES: u64 = 32;

/// Where the file ends without the tags behind it, none of which begins before `start`.
pub(super) fn before_tags(bytes: &mut Bytes<'_>, start: u64) -> io::Result<u64> {
    let mut end = bytes.len();
    if let Some(at) = end.checked_sub(ID3V1_BYTES).filter(|at| *at >= start)
        && bytes.bytes(at, 3)? == b"TAG"
    {
        end = at;
    }
    let Some(at) = end.checked_sub(APE_FOOTER_BYTES).filter(|at| *at >= start) else {
        return Ok(end);
    };
    let footer = bytes.bytes(at, APE_FOOTER_BYTES)?;
    if footer.len() < APE_FOOTER_BYTES as usize || !footer.starts_with(b"APETAGEX") {
        return Ok(end);
    }
    let u32_at = |at: usize| {
        let field = [0, 1, 2, 3].map(|byte| footer[at + byte]);
        u32::from_le_bytes(field)
    };
    // The size counts the footer and not the header, which some writers promise and leave out.
    let size = u64::from(u32_at(12)).max(APE_FOOTER_BYTES);
    let begin = end.saturating_sub(size).max(start);
    let header = begin
        .checked_sub(APE_FOOTER_BYTES)
        .filter(|at| *at >= start);
    match header {
        Some(header) if bytes.bytes(header, 8)? == b"APETAGEX" => Ok(header),
        _ => Ok(begin),
    }
}
