//! `weft synthesize`.

use std::fs;
use std::path::Path;

use weft_core::clip::{Clip, ClipError, SampleFormat, WavStream};
use weft_core::procedural;

use super::render::say_written;
use crate::arguments::SynthesizeArguments;
use crate::error::CliError;
use crate::report::{Record, Report};

/// `weft synthesize`: a recording to begin with.
pub fn synthesize(arguments: &SynthesizeArguments, report: &Report) -> Result<(), CliError> {
    let mut output = arguments.output.single_output()?;
    let is_kept = output.is_kept();
    if !is_kept {
        output.check(None)?;
    }
    let clip = procedural::synthesize(
        arguments.texture,
        arguments.seed,
        arguments.sample_rate,
        arguments.seconds,
    );
    let (frames, channels) = (clip.len() as u64, clip.channel_count());
    let format = arguments.output.format();
    if is_kept {
        output.force = holds_in_other_format(&output.path, &clip, format);
        output.check(None)?;
    }
    let mut writer = output.create_wav(clip.sample_rate(), channels, format, frames)?;
    let block: Vec<&[f32]> = clip.channels().iter().map(Vec::as_slice).collect();
    writer.write(&block)?;
    writer.finish()?;
    let mut record = Record::new();
    say_written(
        &output,
        frames,
        clip.sample_rate(),
        channels,
        report,
        &mut record,
    );
    report.done(&record);
    Ok(())
}

/// Whether a file is this very sound in another format than `format`: it may be given the new one, as the same
/// seed makes it anew, and nobody's recording is lost.
fn holds_in_other_format(path: &Path, clip: &Clip, format: SampleFormat) -> bool {
    let Ok(held) = fs::read(path) else {
        return false;
    };
    let formats = [
        SampleFormat::Float32,
        SampleFormat::Int24,
        SampleFormat::Int16,
    ];
    let others = formats.into_iter().filter(|&other| other != format);
    others
        .map(|other| wav_bytes(clip, other, path))
        .any(|bytes| bytes.is_ok_and(|bytes| bytes == held))
}

/// The clip as a WAV file in memory; errors call it `name`.
fn wav_bytes(clip: &Clip, format: SampleFormat, name: &Path) -> Result<Vec<u8>, ClipError> {
    let (frames, channels) = (clip.len() as u64, clip.channel_count());
    let mut bytes = Vec::new();
    let mut stream = WavStream::new(
        &mut bytes,
        name,
        clip.sample_rate(),
        channels,
        format,
        frames,
    )?;
    let block: Vec<&[f32]> = clip.channels().iter().map(Vec::as_slice).collect();
    stream.write(&block)?;
    stream.finish()?;
    Ok(bytes)
}
