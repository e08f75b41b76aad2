//! Numbers and texts of a message, one after the other, the lowest byte first.

use super::ProtocolError;

/// Takes what a message holds, from its beginning to its end.
pub struct Fields<'a>(&'a [u8]);

fn contents(what: &str) -> ProtocolError {
    ProtocolError::Contents(what.to_owned())
}

impl<'a> Fields<'a> {
    pub fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        let too_short = || contents("it breaks off");
        let (field, rest) = self.0.split_first_chunk().ok_or_else(too_short)?;
        self.0 = rest;
        Ok(*field)
    }

    pub fn u8(&mut self) -> Result<u8, ProtocolError> {
        self.take().map(u8::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, ProtocolError> {
        self.take().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, ProtocolError> {
        self.take().map(u64::from_le_bytes)
    }

    pub fn f32(&mut self) -> Result<f32, ProtocolError> {
        self.take().map(f32::from_le_bytes)
    }

    pub fn f64(&mut self) -> Result<f64, ProtocolError> {
        self.take().map(f64::from_le_bytes)
    }

    /// A count or place that must be one of this machine's.
    pub fn size(&mut self) -> Result<usize, ProtocolError> {
        let size = usize::try_from(self.u64()?);
        size.map_err(|_| contents("a length is too great"))
    }

    /// What is left, whatever it is.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    /// What is left as a text in one line: it is going to be shown.
    pub fn rest_as_text(self) -> Result<String, ProtocolError> {
        let text = str::from_utf8(self.0).map_err(|_| contents("its text is not UTF-8"))?;
        Ok(text.chars().filter(|c| !c.is_control()).collect())
    }

    /// Fails where anything is left.
    pub fn end(self) -> Result<(), ProtocolError> {
        match self.0 {
            [] => Ok(()),
            _ => Err(contents("it is too long")),
        }
    }
}

/// The beginning of a text, of `most` bytes at most.
pub fn shortened(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}
