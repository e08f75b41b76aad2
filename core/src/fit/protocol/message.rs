//! What both directions have in common.

use super::ProtocolError;

/// What can be sent over a pipe, in one direction.
pub trait Message: Sized {
    /// Bytes of the longest message of a kind, without those of its frame; none where there is no such kind.
    fn most_bytes(kind: u16) -> Option<u32>;

    /// A message of this kind.
    ///
    /// # Errors
    /// [`ProtocolError`].
    fn decode(kind: u16, payload: &[u8]) -> Result<Self, ProtocolError>;

    /// The message in its frame, ready to be sent.
    fn to_bytes(&self) -> Vec<u8>;
}
