//! Reads sound files as Weft does and writes what was read, for comparison with what other programs read
//! (`tests/python/sound_files.py`).
//!
//! `cargo run -p weft-core --example clip_samples -- FOLDER FILE...` writes one `FOLDER/NUMBER.f32` for every
//! FILE, numbered from 0: interleaved little-endian 32-bit floats. For each it prints a line of what there is:
//! the number, sample rate in Hz, channels and frames; or the number and why the file can't be read.

use std::path::PathBuf;

use weft_core::clip::Clip;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().unwrap_or_default();
    for (number, path) in arguments.enumerate() {
        match Clip::read(&path) {
            Ok(clip) => {
                let channels = clip.channels();
                let samples = (0..clip.len())
                    .flat_map(|frame| channels.iter().map(move |channel| channel[frame]));
                let bytes: Vec<u8> = samples.flat_map(f32::to_le_bytes).collect();
                std::fs::write(folder.join(format!("{number}.f32")), bytes)?;
                let (rate, count, frames) = (clip.sample_rate(), channels.len(), clip.len());
                println!("{number}\t{rate}\t{count}\t{frames}");
            }
            Err(error) => println!("{number}\t{error}"),
        }
    }
    Ok(())
}
