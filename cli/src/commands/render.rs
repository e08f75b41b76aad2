//! `weft render`.

use weft_core::clip::{ClipError, SampleFormat};
use weft_core::network::Model;
use weft_core::render::Renderer;

use crate::arguments::RenderArguments;
use crate::batch::{Kind, Plan};
use crate::error::CliError;
use crate::files::{Output, read_model, shown};
use crate::progress;
use crate::report::{Record, Report};

/// Frames rendered and written at a time.
const BLOCK_FRAMES: usize = 4_096;

/// `weft render`: play saved textures into files.
pub fn render(arguments: &RenderArguments, report: &Report) -> Result<(), CliError> {
    let RenderArguments {
        models,
        output,
        seconds,
        seed,
        batch,
    } = arguments;
    let plan = Plan::new(models, Kind::Texture, &output.output(), Kind::Wav)?;
    plan.run(batch, report, |job, report| {
        let mut record = Record::from_iter([("input".to_owned(), shown(&job.input).into())]);
        let model = read_model(&job.input)?;
        job.output.check(Some(&job.input))?;
        let format = output.format();
        render_model(
            &model,
            &job.output,
            format,
            *seconds,
            *seed,
            report,
            &mut record,
        )?;
        Ok(record)
    })
}

/// Renders `seconds` of a texture into a file, block by block.
pub fn render_model(
    model: &Model,
    output: &Output,
    format: SampleFormat,
    seconds: f64,
    seed: u32,
    report: &Report,
    record: &mut Record,
) -> Result<(), CliError> {
    let mut renderer = Renderer::new(model, seed)?;
    let (sample_rate, channels) = (renderer.sample_rate(), renderer.channels());
    let frames = check_wav_length(format, sample_rate, channels, seconds)?;
    let mut writer = output.create_wav(sample_rate, channels, format, frames)?;
    let mut planes = vec![vec![0.0; BLOCK_FRAMES]; channels];
    let bar = progress::render_bar(report, frames);
    let mut done = 0;
    while done < frames {
        let block_frames = (frames - done).min(BLOCK_FRAMES as u64) as usize;
        let mut block: Vec<&mut [f32]> = planes
            .iter_mut()
            .map(|plane| &mut plane[..block_frames])
            .collect();
        renderer.render_into(&mut block);
        let block: Vec<&[f32]> = planes.iter().map(|plane| &plane[..block_frames]).collect();
        writer.write(&block)?;
        done += block_frames as u64;
        bar.set_position(done);
    }
    writer.finish()?;
    bar.finish_and_clear();
    say_written(output, frames, sample_rate, channels, report, record);
    Ok(())
}

/// Frames in `seconds`, if a WAV file can hold them.
pub fn check_wav_length(
    format: SampleFormat,
    sample_rate: u32,
    channels: usize,
    seconds: f64,
) -> Result<u64, ClipError> {
    let frames = (seconds * f64::from(sample_rate)).round() as u64;
    let max_frames = format.max_wav_frames(channels);
    if frames > max_frames {
        return Err(ClipError::TooLongForWav {
            frames,
            duration_s: seconds,
            max_frames,
        });
    }
    Ok(frames)
}

/// Tells that a sound was written.
pub fn say_written(
    output: &Output,
    frames: u64,
    sample_rate: u32,
    channels: usize,
    report: &Report,
    record: &mut Record,
) {
    let duration_s = frames as f64 / f64::from(sample_rate);
    let layout = if channels == 1 { "mono" } else { "stereo" };
    report.note(&format!(
        "wrote {} ({duration_s:.1} s, {sample_rate} Hz, {layout})",
        output.path.display()
    ));
    record.insert("output".into(), shown(&output.path).into());
    record.insert("seconds".into(), duration_s.into());
    record.insert("sample_rate_hz".into(), sample_rate.into());
    record.insert("channels".into(), channels.into());
    record.insert("status".into(), "written".into());
}
