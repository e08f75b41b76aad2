//! Noise of 16 bits in the forms that files hold it in, and the check that one is read.

use weft_core::clip::Clip;

use super::containers::RATE;
use super::random::Random;

/// Frames of the sound in all files here: a little more than the shortest that can be learned.
pub const FRAMES: usize = 8_500;

/// Two channels of noise as 16-bit numbers, interleaved if there are two.
pub fn noise(channels: usize) -> Vec<i16> {
    let mut random = Random::new(0x5eed);
    let samples = (0..FRAMES * channels).map(|_| (random.next() >> 50) as i16 - 8_192);
    samples.collect()
}

/// Every sample as bytes.
pub fn bytes_of<const N: usize>(samples: &[i16], bytes: impl Fn(i16) -> [u8; N]) -> Vec<u8> {
    samples.iter().flat_map(|sample| bytes(*sample)).collect()
}

/// Little-endian samples.
pub fn little(samples: &[i16]) -> Vec<u8> {
    bytes_of(samples, i16::to_le_bytes)
}

/// Big-endian samples.
pub fn big(samples: &[i16]) -> Vec<u8> {
    bytes_of(samples, i16::to_be_bytes)
}

/// Little-endian floats.
pub fn float(samples: &[i16]) -> Vec<u8> {
    bytes_of(samples, |sample| {
        (f32::from(sample) / 32_768.0).to_le_bytes()
    })
}

/// The clip that 16-bit numbers are.
pub fn expected(samples: &[i16], channels: usize) -> Clip {
    let channel = |first: usize| {
        let samples = samples.iter().skip(first).step_by(channels);
        samples
            .map(|sample| f32::from(*sample) / 32_768.0)
            .collect()
    };
    Clip::new(RATE, (0..channels).map(channel).collect()).unwrap()
}

/// Reads `bytes` from memory and from a file; either way it must be `expected`.
#[track_caller]
pub fn assert_read(what: &str, bytes: &[u8], expected: &Clip) {
    for hint in [None, Some("wav"), Some("aif"), Some("mp3")] {
        match Clip::read_bytes(bytes, hint) {
            Ok(read) => assert!(
                read == *expected,
                "{what}: {} frames of {}",
                read.len(),
                expected.len()
            ),
            Err(error) => panic!("{what}: {error}"),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    assert!(Clip::read(&path).unwrap() == *expected, "{what} as a file");
}
