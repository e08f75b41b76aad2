//! What goes over a pipe between somebody who wants a fit and a program that makes it: `docs/protocol.md`.
//!
//! Bytes come from outside, whatever is at the other end: every length is bounded before it is believed, every frame
//! has a checksum, and whatever is decoded can be used. Nothing here knows of pipes or programs.

mod bytes;
mod checksum;
mod frame;
mod message;
mod reply;
mod request;

use thiserror::Error;

pub use frame::Decoder;
pub use message::Message;
pub use reply::{DeviceKind, Reply};
pub use request::Request;

/// Version of the protocol. Both ends must have the same.
pub const VERSION: u16 = 1;

/// What is wrong with bytes that came.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// They are no frame of ours at all.
    #[error("what came is none of Weft's messages, it begins with {0:?}")]
    Foreign(String),
    /// The other end is of another release.
    #[error(
        "the other end speaks version {found} of the protocol and this one {VERSION}: install the same Weft at both"
    )]
    Version {
        /// Version of the frame.
        found: u16,
    },
    /// There is no such message in this direction.
    #[error("there is no message of kind {0}")]
    Kind(u16),
    /// Longer than any message of its kind.
    #[error("a message of kind {kind} has {length} bytes, none has more than {most}")]
    TooLong {
        /// Kind of the message.
        kind: u16,
        /// Its length.
        length: u32,
        /// The greatest length of that kind.
        most: u32,
    },
    /// It was changed on the way.
    #[error("a message was damaged on its way")]
    Checksum,
    /// A whole message that says what can't be.
    #[error("a message makes no sense: {0}")]
    Contents(String),
}
