//! Parts of a file as one source: sound that is stored with pictures or other sound between it.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use symphonia::core::io::MediaSource;

/// Most parts that are told apart: more than a minute of parts of a frame each at the rates of sound.
const MOST_PIECES: usize = 1 << 20;

/// Where the parts lie.
#[derive(Debug, Clone, Default)]
pub(super) struct Pieces {
    /// Offsets in the file, each with that of its beginning in the whole.
    pieces: Vec<(u64, Range<u64>)>,
    len: u64,
}

impl Pieces {
    /// Appends a part, if it is not empty and there are not too many.
    pub(super) fn push(&mut self, piece: Range<u64>) {
        let bytes = piece.end.saturating_sub(piece.start);
        let is_full = self.pieces.len() >= MOST_PIECES;
        match self.pieces.last_mut() {
            _ if bytes == 0 => return,
            Some((_, last)) if last.end == piece.start => last.end = piece.end,
            _ if is_full => return,
            _ => self.pieces.push((self.len, piece)),
        }
        self.len += bytes;
    }

    /// Bytes of all parts together.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Where the byte at `position` of the whole lies in the file, and how many follow it there.
    fn find(&self, position: u64) -> Option<(u64, u64)> {
        let after = self.pieces.partition_point(|(at, _)| *at <= position);
        let (at, piece) = self.pieces.get(after.checked_sub(1)?)?;
        let offset = piece.start + (position - at);
        (offset < piece.end).then(|| (offset, piece.end - offset))
    }
}

/// Reads the parts of `source` as one.
pub(super) struct Joined<'a> {
    source: Box<dyn MediaSource + 'a>,
    pieces: Arc<Pieces>,
    position: u64,
}

impl<'a> Joined<'a> {
    pub(super) fn new(source: Box<dyn MediaSource + 'a>, pieces: Arc<Pieces>) -> Self {
        Self {
            source,
            pieces,
            position: 0,
        }
    }
}

impl Read for Joined<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some((offset, left)) = self.pieces.find(self.position) else {
            return Ok(0);
        };
        let count = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        self.source.seek(SeekFrom::Start(offset))?;
        let read = self.source.read(&mut buffer[..count])?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Joined<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => self.pieces.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl MediaSource for Joined<'_> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.pieces.len)
    }
}
