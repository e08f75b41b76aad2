//! Sound files as other programs write them.

use libflac_rs::{Encoder, EncoderConfig};
use weft_core::clip::{Clip, SampleFormat};

/// 16-bit samples, interleaved, as integers.
fn interleaved_i16(clip: &Clip) -> Vec<i32> {
    (0..clip.len())
        .flat_map(|frame| {
            clip.channels()
                .iter()
                .map(move |samples| (samples[frame] * 32_767.0).round() as i32)
        })
        .collect()
}

/// The clip as a WAV file.
pub fn wav_bytes(clip: &Clip, format: SampleFormat) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.wav");
    clip.write_wav(&path, format).unwrap();
    std::fs::read(path).unwrap()
}

/// The clip as a 16-bit FLAC file.
pub fn flac_bytes(clip: &Clip) -> Vec<u8> {
    let config = EncoderConfig::new(clip.channel_count() as u32, 16, clip.sample_rate());
    Encoder::new(config).encode(&interleaved_i16(clip))
}

/// The clip as a 16-bit AIFF file: FORM, COMM with an 80-bit float sample rate, SSND.
pub fn aiff_bytes(clip: &Clip) -> Vec<u8> {
    let sound: Vec<u8> = interleaved_i16(clip)
        .into_iter()
        .flat_map(|sample| (sample as i16).to_be_bytes())
        .collect();
    let exponent = clip.sample_rate().ilog2();
    let common = [
        &(clip.channel_count() as u16).to_be_bytes()[..],
        &(clip.len() as u32).to_be_bytes(),
        &16_u16.to_be_bytes(),
        &(16_383 + exponent as u16).to_be_bytes(),
        &(u64::from(clip.sample_rate()) << (63 - exponent)).to_be_bytes(),
    ];
    let body = [
        b"AIFF".to_vec(),
        chunk(b"COMM", &common.concat()),
        chunk(b"SSND", &[vec![0; 8], sound].concat()),
    ];
    chunk(b"FORM", &body.concat())
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&name[..], &length, body].concat()
}
