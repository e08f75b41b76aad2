//! Atoms, of which MP4 and MOV files consist (ISO/IEC 14496-12): a size, a name, and contents.

/// Atoms that are walked at one level.
pub(super) const MOST_ATOMS: usize = 4_096;

/// Name, bytes of the header and of the whole of an atom in `left` bytes.
pub(super) fn atom_header(header: &[u8], left: u64) -> Option<([u8; 4], u64, u64)> {
    let name = header.get(4..8)?.try_into().ok()?;
    let (head, size) = match be(&header[..4]) {
        0 => (8, left),
        1 => (16, be(header.get(8..16)?)),
        size => (8, size),
    };
    (size >= head && size <= left).then_some((name, head, size))
}

/// The atoms in `contents`: name and contents of each.
pub(super) fn atoms(contents: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = contents;
    std::iter::from_fn(move || {
        let (name, head, size) = atom_header(rest, rest.len() as u64)?;
        let (atom, after) = rest.split_at(size as usize);
        rest = after;
        Some((name, &atom[head as usize..]))
    })
    .take(MOST_ATOMS)
}

/// The contents of the first atom that the names lead to, each within the one before.
pub(super) fn find<'a>(contents: &'a [u8], names: &[&[u8; 4]]) -> Option<&'a [u8]> {
    names.iter().try_fold(contents, |contents, name| {
        let mut atoms = atoms(contents);
        atoms.find(|(other, _)| other == *name).map(|(_, c)| c)
    })
}

/// Units of a movie in a second.
pub(super) fn movie_units(movie: &[u8]) -> Option<u32> {
    units_per_s(find(movie, &[b"mvhd"])?)
}

/// Units of a track's media in a second.
pub(super) fn media_units(track: &[u8]) -> Option<u32> {
    units_per_s(find(track, &[b"mdia", b"mdhd"])?)
}

/// Units in a second, of the header of a movie or of a track's media.
fn units_per_s(header: &[u8]) -> Option<u32> {
    // Two times come before it, whose width depends on the version.
    let at = if *header.first()? == 1 { 20 } else { 12 };
    let units = be(header.get(at..at + 4)?) as u32;
    (units > 0).then_some(units)
}

/// Big-endian bytes as a number.
pub(super) fn be(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
