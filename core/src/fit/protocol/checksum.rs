//! CRC-32 as in Ethernet and gzip.

use crc32fast::Hasher;

/// The checksum of all `pieces`, one after the other.
pub fn checksum(pieces: &[&[u8]]) -> u32 {
    let mut hasher = Hasher::new();
    for piece in pieces {
        hasher.update(piece);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_usual_one() {
        // The check value of the catalogue of such sums.
        assert_eq!(checksum(&[b"123456789"]), 0xCBF4_3926);
        assert_eq!(checksum(&[b"1234", b"", b"56789"]), 0xCBF4_3926);
        assert_eq!(checksum(&[]), 0);
    }
}
