//! A header of ours before the sound of a file, as one source.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use symphonia::core::io::MediaSource;

/// Reads as a header and the bytes of a range of `source` behind it.
pub(in crate::clip) struct Window<'a> {
    header: Arc<[u8]>,
    source: Box<dyn MediaSource + 'a>,
    /// Offsets of the sound in the source.
    sound: Range<u64>,
    /// Bytes of one sample that are to be turned round, or 1.
    swapped_bytes: usize,
    /// Offset from the header's start.
    position: u64,
}

impl<'a> Window<'a> {
    pub(super) fn new(
        header: Arc<[u8]>,
        source: Box<dyn MediaSource + 'a>,
        sound: Range<u64>,
        swapped_bytes: usize,
    ) -> Self {
        Self {
            header,
            source,
            sound,
            swapped_bytes,
            position: 0,
        }
    }

    fn len(&self) -> u64 {
        self.header.len() as u64 + (self.sound.end - self.sound.start)
    }

    /// Reads of the sound, from `offset` bytes into it.
    fn read_sound(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = (self.sound.end - self.sound.start).saturating_sub(offset);
        let count = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let buffer = &mut buffer[..count];
        if self.swapped_bytes <= 1 {
            self.source
                .seek(SeekFrom::Start(self.sound.start + offset))?;
            return self.source.read(buffer);
        }
        let width = self.swapped_bytes as u64;
        let (phase, whole) = ((offset % width) as usize, self.swapped_bytes);
        self.source
            .seek(SeekFrom::Start(self.sound.start + offset - phase as u64))?;
        if phase == 0 && buffer.len() >= whole {
            let count = buffer.len() / whole * whole;
            let read = fill(&mut self.source, &mut buffer[..count])?;
            for sample in buffer[..read].chunks_exact_mut(whole) {
                sample.reverse();
            }
            return Ok(read / whole * whole);
        }
        // The rest of a sample that was begun, or the beginning of one.
        let mut sample = [0; 8];
        let sample = &mut sample[..whole];
        if fill(&mut self.source, sample)? < whole {
            return Ok(0);
        }
        sample.reverse();
        let count = buffer.len().min(whole - phase);
        buffer[..count].copy_from_slice(&sample[phase..phase + count]);
        Ok(count)
    }
}

/// Fills `buffer` as far as there is data.
fn fill(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let header_bytes = self.header.len() as u64;
        let read = if self.position < header_bytes {
            let rest = &self.header[self.position as usize..];
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            count
        } else {
            self.read_sound(self.position - header_bytes, buffer)?
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Window<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl MediaSource for Window<'_> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}
