//! `weft synthesize`.

use weft_core::procedural;

use super::render::say_written;
use crate::arguments::SynthesizeArguments;
use crate::error::CliError;
use crate::files::is_standard;
use crate::report::{Record, Report};

/// `weft synthesize`: a recording to begin with.
pub fn synthesize(arguments: &SynthesizeArguments, report: &Report) -> Result<(), CliError> {
    let output = arguments.output.single_output()?;
    let report = &Report {
        output_is_taken: is_standard(&output.path),
        ..*report
    };
    output.check(None)?;
    let clip = procedural::synthesize(
        arguments.texture,
        arguments.seed,
        arguments.sample_rate,
        arguments.seconds,
    );
    let (frames, channels) = (clip.len() as u64, clip.channel_count());
    let format = arguments.output.format();
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
