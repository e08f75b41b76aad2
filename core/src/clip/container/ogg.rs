//! OGG: pages of streams, which may stand one after the other in a file (RFC 3533, section 4, *chaining*).

use std::io;
use std::ops::Range;

use super::chunks::Bytes;

/// Bytes of a page's header before its table of segments, and the longest such table.
const PAGE_HEADER_BYTES: usize = 27;
const MOST_SEGMENTS: usize = 255;
/// Offsets of the flags and of the number of segments, and the flag of a stream's first page.
const FLAGS_AT: usize = 5;
const SEGMENTS_AT: usize = 26;
const FIRST_PAGE: u8 = 2;
/// What a page begins with.
pub(super) const MAGIC: &[u8; 4] = b"OggS";
/// Bytes that are read at once where pages are looked for.
const SEARCHED_BYTES: u64 = 1 << 16;
/// Links of a chain that are told apart. The last one then holds all further ones.
const MOST_LINKS: usize = 1_024;
/// Bytes that are walked: more than a minute takes in the highest rates without loss.
const WALKED_BYTES: u64 = 256 << 20;

/// Where each link of a chain lies, from offset `start` on: a group of streams that begin together.
pub(super) fn links(bytes: &mut Bytes<'_>, start: u64) -> io::Result<Vec<Range<u64>>> {
    let mut links = Vec::new();
    let (mut link, mut at, mut has_sound) = (start, start, false);
    let end = bytes.len().min(start + WALKED_BYTES);
    while at < end && links.len() + 1 < MOST_LINKS {
        let mut header = [0; PAGE_HEADER_BYTES + MOST_SEGMENTS];
        let read = bytes.read_at(at, &mut header)?;
        if read < PAGE_HEADER_BYTES || !header.starts_with(MAGIC) {
            match next_page(bytes, at + 1)? {
                Some(page) => at = page,
                None => break,
            }
            continue;
        }
        let is_first = header[FLAGS_AT] & FIRST_PAGE != 0;
        if is_first && has_sound {
            links.push(link..at);
            link = at;
        }
        has_sound = !is_first;
        let segments = usize::from(header[SEGMENTS_AT]);
        let lengths = &header[PAGE_HEADER_BYTES..PAGE_HEADER_BYTES + segments];
        let body: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        at += (PAGE_HEADER_BYTES + segments) as u64 + body;
    }
    links.push(link..bytes.len());
    Ok(links)
}

/// The next offset from `at` on at which a page may begin.
fn next_page(bytes: &mut Bytes<'_>, mut at: u64) -> io::Result<Option<u64>> {
    while at < bytes.len() {
        let block = bytes.bytes(at, SEARCHED_BYTES)?;
        if let Some(offset) = block.windows(MAGIC.len()).position(|word| word == MAGIC) {
            return Ok(Some(at + offset as u64));
        }
        if block.len() < MAGIC.len() {
            break;
        }
        at += (block.len() - MAGIC.len() + 1) as u64;
    }
    Ok(None)
}
