//! `weft render`.

use weft_core::clip::{ClipError, SampleFormat};
use weft_core::render::LoopEnd;

use crate::arguments::RenderArguments;
use crate::batch::{Kind, Plan};
use crate::error::CliError;
use crate::files::{Output, read_model, shown};
use crate::progress;
use crate::report::{Record, Report};
use crate::source::Source;

/// Frames rendered and written at a time.
const BLOCK_FRAMES: usize = 4_096;

/// Longest fade between the ends of a loop, in seconds; a short loop fades over half its length.
const LOOP_FADE_S: f64 = 0.5;

/// What is rendered of a texture.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    pub seconds: f64,
    pub seed: u32,
    /// Whether its end leads into its beginning.
    pub is_loop: bool,
}

/// `weft render`: play saved textures into files.
pub fn render(arguments: &RenderArguments, report: &Report) -> Result<(), CliError> {
    let RenderArguments {
        models,
        output,
        seconds,
        loop_seconds,
        seed,
        shape,
        batch,
        shard,
    } = arguments;
    let stretch = Stretch {
        seconds: loop_seconds.unwrap_or(*seconds),
        seed: *seed,
        is_loop: loop_seconds.is_some(),
    };
    let plan =
        Plan::new(models, Kind::Texture, &output.output(), Kind::Wav)?.sharded(shard.part)?;
    plan.run(batch, report, |job, report| {
        let mut record = Record::from_iter([("input".to_owned(), shown(&job.input).into())]);
        let model = read_model(&job.input)?;
        job.output.check(Some(&job.input))?;
        let source = Source::new(&model, stretch.seed, shape.controls())?;
        let format = output.format();
        write_stretch(source, stretch, &job.output, format, report, &mut record)?;
        Ok(record)
    })
}

/// Writes a stretch of a texture into a file, block by block.
pub fn write_stretch(
    mut source: Source,
    stretch: Stretch,
    output: &Output,
    format: SampleFormat,
    report: &Report,
    record: &mut Record,
) -> Result<(), CliError> {
    let (sample_rate, channels) = (source.sample_rate(), source.channels());
    let frames = check_wav_length(format, sample_rate, channels, stretch.seconds)?;
    let mut writer = output.create_wav(sample_rate, channels, format, frames)?;
    let mut loop_end = stretch.is_loop.then(|| {
        let fade_s = LOOP_FADE_S.min(stretch.seconds / 2.0);
        let fade_frames = (fade_s * f64::from(sample_rate)) as usize;
        let mut before = vec![vec![0.0; fade_frames]; channels];
        let mut planes: Vec<&mut [f32]> = before.iter_mut().map(Vec::as_mut_slice).collect();
        source.fill(&mut planes);
        LoopEnd::new(before)
    });
    let end_at = frames - loop_end.as_ref().map_or(0, |end| end.remaining() as u64);
    let mut planes = vec![vec![0.0; BLOCK_FRAMES]; channels];
    let bar = progress::render_bar(report, frames);
    let mut done = 0;
    while done < frames {
        // No block lies on both sides of where the end begins.
        let until = if done < end_at { end_at } else { frames };
        let block_frames = (until - done).min(BLOCK_FRAMES as u64) as usize;
        let mut block: Vec<&mut [f32]> = planes
            .iter_mut()
            .map(|plane| &mut plane[..block_frames])
            .collect();
        source.fill(&mut block);
        if let Some(end) = loop_end.as_mut().filter(|_| done >= end_at) {
            end.fade_into(&mut block);
        }
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
