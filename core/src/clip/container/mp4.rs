//! MP4 (M4A, MOV): which part of what its packets decode to is the recording.
//!
//! Encoders of AAC put a thousand or two of frames of their own before the sound. An edit list says how many
//! (ISO/IEC 14496-12, section 8.6.6), or a tag of Apple's does.

use super::atoms::{MOST_ATOMS, atom_header, atoms, be, find, media_units, movie_units};
use super::chunks::Bytes;
use super::{Broken, Layout, Trim, movie};

/// Most that is read of the description of a movie.
const MOST_MOVIE_BYTES: u64 = 64 << 20;
/// Atoms that an MP4 or MOV file begins with.
const FIRST: [&[u8; 4]; 6] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];
/// Name of the tag, and how many characters its three first numbers take.
const GAPLESS_TAG: &[u8] = b"iTunSMPB";
/// Most frames that an encoder puts before the sound.
const MOST_PRIMING: u64 = 16_384;

/// Whether a file that begins so is one.
pub(super) fn is_mp4(magic: &[u8]) -> bool {
    FIRST.iter().any(|name| magic[4..8] == **name)
}

/// The file as it is, with what of its sound is the recording.
pub(super) fn layout(bytes: &mut Bytes<'_>, start: u64) -> Result<Layout, Broken> {
    let description = movie_atom(bytes, start)?;
    if description.is_empty() {
        return Err(Broken::NoFormat { container: "MP4" });
    }
    let track = sound_track(&description);
    let trim = track.and_then(|track| trim(&description, track));
    let trim = trim.unwrap_or_default();
    if let Some(track) = track
        && let Some(layout) = movie::layout(&description, track, trim, bytes.len())?
    {
        return Ok(layout);
    }
    Ok(Layout {
        trim,
        ..Layout::as_it_is(start..bytes.len(), "m4a")
    })
}

/// The contents of the atom that describes the movie, or nothing.
fn movie_atom(bytes: &mut Bytes<'_>, start: u64) -> Result<Vec<u8>, Broken> {
    let mut at = start;
    for _ in 0..MOST_ATOMS {
        let header = bytes.bytes(at, 16)?;
        let Some((name, head, size)) = atom_header(&header, bytes.len().saturating_sub(at)) else {
            break;
        };
        if &name == b"moov" {
            return Ok(bytes.bytes(at + head, (size - head).min(MOST_MOVIE_BYTES))?);
        }
        at = at.saturating_add(size);
    }
    Ok(Vec::new())
}

/// The first track of a movie that is sound.
fn sound_track(movie: &[u8]) -> Option<&[u8]> {
    let is_sound = |track: &[u8]| {
        find(track, &[b"mdia", b"hdlr"]).is_some_and(|h| h.get(8..12) == Some(b"soun"))
    };
    let mut tracks = atoms(movie).filter(|(name, _)| name == b"trak");
    tracks.find_map(|(_, track)| is_sound(track).then_some(track))
}

/// What of a track of a movie is the recording.
fn trim(movie: &[u8], track: &[u8]) -> Option<Trim> {
    let (movie_units, units) = (movie_units(movie)?, media_units(track)?);
    let edits = find(track, &[b"edts", b"elst"]).and_then(|list| edits(list, movie_units, units));
    edits.or_else(|| tagged(movie, units))
}

/// What an edit list leaves of a track, if that is one stretch.
fn edits(list: &[u8], movie_units: u32, units: u32) -> Option<Trim> {
    let width = if *list.first()? == 1 { 8 } else { 4 };
    let (count, entries) = list.get(4..)?.split_at_checked(4)?;
    let entries = entries.chunks_exact(2 * width + 4);
    let entries = entries.take(be(count) as usize).map(|entry| {
        let (duration, begin) = entry[..2 * width].split_at(width);
        let is_empty = begin.iter().all(|byte| *byte == 0xff);
        (be(duration), (!is_empty).then(|| be(begin)))
    });
    // Empty ones only delay what follows.
    let mut kept = entries.filter_map(|(duration, begin)| begin.map(|begin| (duration, begin)));
    let (duration, skip) = kept.next()?;
    let duration = (duration > 0 && kept.next().is_none()).then_some(duration);
    let in_media = |duration: u64| {
        let duration = u128::from(duration) * u128::from(units) / u128::from(movie_units);
        u64::try_from(duration).unwrap_or(u64::MAX)
    };
    let mut trim = Trim {
        skip: i64::try_from(skip).map_or(0, |skip| skip as u64),
        units_per_s: units,
        ..Trim::default()
    };
    // A duration in coarse units says which packets there are, and not at which frame to end.
    if movie_units >= units {
        trim.length = duration.map(in_media);
    } else {
        let end = duration.map(|duration| trim.skip.saturating_add(in_media(duration)));
        trim.end_timestamp = end.map(|end| i64::try_from(end).unwrap_or(i64::MAX));
    }
    Some(trim)
}

/// What Apple's tag says: frames before the sound, frames behind it, and those of the sound.
fn tagged(movie: &[u8], units: u32) -> Option<Trim> {
    let at = movie
        .windows(GAPLESS_TAG.len())
        .position(|word| word == GAPLESS_TAG)?;
    let (_, text) =
        atoms(movie.get(at + GAPLESS_TAG.len()..)?).find(|(name, _)| name == b"data")?;
    // A kind and a language come before the text.
    let text = std::str::from_utf8(text.get(8..)?).ok()?;
    let mut numbers = text.split_whitespace().skip(1);
    let mut next = || u64::from_str_radix(numbers.next()?, 16).ok();
    let (priming, _, length) = (next()?, next()?, next()?);
    (priming <= MOST_PRIMING && length > 0).then_some(Trim {
        skip: priming,
        length: Some(length),
        units_per_s: units,
        ..Trim::default()
    })
}
