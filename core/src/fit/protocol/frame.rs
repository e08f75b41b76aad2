//! The frame around every message, and its way back out of a stream of bytes.

use std::marker::PhantomData;

use super::checksum::checksum;
use super::{Message, ProtocolError, VERSION};

/// Every frame begins with this.
const MAGIC: [u8; 4] = *b"WEFT";
/// Bytes before a message: the magic, version, kind, length and checksum.
pub const HEADER_BYTES: usize = 16;
/// Bytes of them that the checksum covers, besides the message.
const SUMMED_BYTES: usize = 12;
/// Bytes of a message for which there is room before they have come.
const FIRST_BYTES: usize = 64 * 1024;
/// What is shown of bytes that are no frame.
const SHOWN_BYTES: usize = 60;

/// A message of a kind in its frame.
pub fn framed(kind: u16, payload: &[&[u8]]) -> Vec<u8> {
    let length: usize = payload.iter().map(|piece| piece.len()).sum();
    let mut frame = Vec::with_capacity(HEADER_BYTES + length);
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&VERSION.to_le_bytes());
    frame.extend_from_slice(&kind.to_le_bytes());
    // Nothing that is sent comes near to that length: the other end would refuse it.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    frame.extend_from_slice(&length.to_le_bytes());
    let summed: Vec<&[u8]> = [&frame[..]]
        .into_iter()
        .chain(payload.iter().copied())
        .collect();
    let sum = checksum(&summed);
    frame.extend_from_slice(&sum.to_le_bytes());
    payload
        .iter()
        .for_each(|piece| frame.extend_from_slice(piece));
    frame
}

/// What stands before a message.
struct Header {
    kind: u16,
    length: usize,
    checksum: u32,
}

/// Takes messages out of a stream of bytes, which may come in any pieces. It never holds more than the longest message
/// of the direction, and no more than twice of what has come of it.
///
/// # Examples
/// ```
/// use weft_core::fit::protocol::{Decoder, Message, Reply};
///
/// let sent = Reply::Begun { fit: 3 }.to_bytes();
/// let mut decoder = Decoder::<Reply>::default();
/// let (mut first, mut rest) = sent.split_at(7);
/// assert_eq!(decoder.take(&mut first)?.map(|reply| reply.fit()), None);
/// assert_eq!(decoder.take(&mut rest)?.map(|reply| reply.fit()), Some(3));
/// # Ok::<(), weft_core::fit::protocol::ProtocolError>(())
/// ```
pub struct Decoder<M> {
    /// What has come of the frame, or of the message where its header has been read.
    bytes: Vec<u8>,
    header: Option<(Header, [u8; HEADER_BYTES])>,
    messages: PhantomData<fn() -> M>,
}

impl<M> Default for Decoder<M> {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            header: None,
            messages: PhantomData,
        }
    }
}

impl<M: Message> Decoder<M> {
    /// Takes from the front of `bytes` what belongs to the next message, and returns that if it is all there; else all
    /// of `bytes` was taken. After an error there is nothing more to be got from that stream.
    ///
    /// # Errors
    /// [`ProtocolError`].
    pub fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<M>, ProtocolError> {
        if self.header.is_none() {
            self.gather(bytes, HEADER_BYTES);
            // What is no frame is seen at once, however short it is.
            self.check_beginning()?;
            let Some(header) = self.bytes.first_chunk().copied() else {
                return Ok(None);
            };
            self.header = Some((read::<M>(&header)?, header));
            self.bytes.clear();
        }
        let length = self.header.as_ref().map_or(0, |(header, _)| header.length);
        self.gather(bytes, length);
        if self.bytes.len() < length {
            return Ok(None);
        }
        let Some((header, raw)) = self.header.take() else {
            return Ok(None);
        };
        // Not kept: the next message may be a short one.
        let payload = std::mem::take(&mut self.bytes);
        if checksum(&[&raw[..SUMMED_BYTES], &payload]) != header.checksum {
            return Err(ProtocolError::Checksum);
        }
        M::decode(header.kind, &payload).map(Some)
    }

    /// Takes as much as is missing to `length` bytes.
    fn gather(&mut self, bytes: &mut &[u8], length: usize) {
        let missing = length.saturating_sub(self.bytes.len()).min(bytes.len());
        let (taken, rest) = bytes.split_at(missing);
        let wanted = self.bytes.len() + missing;
        if wanted > self.bytes.capacity() {
            // A length that was only claimed costs nothing.
            let room = length.min(wanted.max(2 * self.bytes.len()).max(FIRST_BYTES));
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        self.bytes.extend_from_slice(taken);
        *bytes = rest;
    }

    fn check_beginning(&self) -> Result<(), ProtocolError> {
        let known = self.bytes.len().min(MAGIC.len());
        if self.bytes[..known] == MAGIC[..known] {
            return Ok(());
        }
        let shown = &self.bytes[..self.bytes.len().min(SHOWN_BYTES)];
        let shown = String::from_utf8_lossy(shown).into_owned();
        Err(ProtocolError::Foreign(shown))
    }
}

fn read<M: Message>(bytes: &[u8; HEADER_BYTES]) -> Result<Header, ProtocolError> {
    let [_, _, _, _, v0, v1, k0, k1, l0, l1, l2, l3, sum @ ..] = *bytes;
    let found = u16::from_le_bytes([v0, v1]);
    if found != VERSION {
        return Err(ProtocolError::Version { found });
    }
    let kind = u16::from_le_bytes([k0, k1]);
    let length = u32::from_le_bytes([l0, l1, l2, l3]);
    let most = M::most_bytes(kind).ok_or(ProtocolError::Kind(kind))?;
    if length > most {
        return Err(ProtocolError::TooLong { kind, length, most });
    }
    Ok(Header {
        kind,
        length: length as usize,
        checksum: u32::from_le_bytes(sum),
    })
}
