//! `weft texture`, `weft fit` and `weft refine`: what learns.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use weft_core::clip::Clip;
use weft_core::fit::{Device, DeviceError, FitError, FitEvent, FitSettings};
use weft_core::network::{Model, quality_db};
use weft_lab::fit::ChosenDevice;

use super::render::{Stretch, check_wav_length, write_stretch};
use crate::arguments::{
    BatchArguments, EffortArguments, FitArguments, RefineArguments, TextureArguments,
};
use crate::batch::{Kind, Plan};
use crate::error::CliError;
use crate::files::{read_model, read_sound, shown};
use crate::progress;
use crate::report::{Record, Report, in_words};
use crate::source::Source;

/// `weft texture`: fit and render.
pub fn texture(arguments: &TextureArguments, report: &Report) -> Result<(), CliError> {
    let TextureArguments {
        inputs,
        output,
        seconds,
        seed,
        effort,
        batch,
        shard,
    } = arguments;
    let format = output.format();
    let plan = Plan::new(inputs, Kind::Sound, &output.output(), Kind::Wav)?.sharded(shard.part)?;
    let device = chosen_device(effort, batch, report)?;
    plan.run(batch, report, |job, report| {
        let mut record = Record::new();
        let clip = read_capture(&job.input, report, &mut record)?;
        // Everything that would stop the rendering stops it now, before the fit.
        job.output.check(Some(&job.input))?;
        let channels = clip.channel_count().min(2);
        check_wav_length(format, clip.sample_rate(), channels, *seconds)?;
        let model = fit_capture(&job.input, &clip, effort, &device, report, &mut record)?;
        let source = Source::new(&model, *seed, None)?;
        let stretch = Stretch {
            seconds: *seconds,
            seed: *seed,
            is_loop: false,
        };
        write_stretch(source, stretch, &job.output, format, report, &mut record)?;
        Ok(record)
    })
}

/// `weft fit`: fit and save.
pub fn fit(arguments: &FitArguments, report: &Report) -> Result<(), CliError> {
    let FitArguments {
        inputs,
        output,
        effort,
        batch,
        shard,
    } = arguments;
    let plan = Plan::new(inputs, Kind::Sound, &output.output(), Kind::Texture)?
        .sharded(shard.part)?
        .listed_in(effort.manifest());
    let device = chosen_device(effort, batch, report)?;
    plan.run(batch, report, |job, report| {
        let mut record = Record::new();
        let clip = read_capture(&job.input, report, &mut record)?;
        job.output.check(Some(&job.input))?;
        let model = fit_capture(&job.input, &clip, effort, &device, report, &mut record)?;
        job.output.write_model(&model)?;
        say_written(&job.output.path, report, &mut record);
        Ok(record)
    })
}

/// `weft refine`: go on with the fit of a saved texture.
pub fn refine(arguments: &RefineArguments, report: &Report) -> Result<(), CliError> {
    let RefineArguments {
        models,
        output,
        effort,
        batch,
        shard,
    } = arguments;
    let settings = effort.settings();
    let plan = Plan::new(models, Kind::Texture, &output.output(), Kind::Texture)?
        .sharded(shard.part)?
        .listed_in(effort.manifest());
    let device = chosen_device(effort, batch, report)?;
    plan.run(batch, report, |job, report| {
        let mut record = Record::new();
        let start = read_model(&job.input)?;
        // A texture may be replaced by its better self.
        job.output.check(None)?;
        record.insert("device".into(), device.name.into());
        let refined = with_progress(&job.input, &settings, report, &mut record, |on_event| {
            weft_core::fit::refine_on(&*device.device, &start, &settings, on_event)
        })?;
        job.output.write_model(&refined)?;
        say_written(&job.output.path, report, &mut record);
        Ok(record)
    })
}

/// Tells that a texture was written.
fn say_written(path: &Path, report: &Report, record: &mut Record) {
    report.note(&format!("wrote {}", path.display()));
    record.insert("output".into(), shown(path).into());
    record.insert("status".into(), "written".into());
}

/// Reads a recording, checks that a texture can be learned from it, and tells what is to be said of it.
pub(super) fn read_capture(
    path: &Path,
    report: &Report,
    record: &mut Record,
) -> Result<Clip, CliError> {
    record.insert("input".into(), shown(path).into());
    let file = read_sound(path)?;
    file.clip
        .check_texture()
        .map_err(|source| CliError::Capture {
            path: path.to_path_buf(),
            source: source.into(),
        })?;
    let remarks = in_words(&file.remarks());
    for remark in &remarks {
        report.remark(&format!("{}: {remark}", path.display()));
    }
    record.insert("remarks".into(), remarks.into());
    Ok(file.clip)
}

/// Fits a network to the recording that was read from `path`, with a progress bar.
fn fit_capture(
    path: &Path,
    clip: &Clip,
    effort: &EffortArguments,
    device: &ChosenDevice,
    report: &Report,
    record: &mut Record,
) -> Result<Model, CliError> {
    let settings = effort.settings();
    record.insert("device".into(), device.name.into());
    let device: &dyn Device = &*device.device;
    with_progress(path, &settings, report, record, |on_event| {
        weft_core::fit::fit_on(device, clip, &settings, on_event)
    })
}

/// The device that files are fitted on, told where it is not the processor.
fn chosen_device(
    effort: &EffortArguments,
    batch: &BatchArguments,
    report: &Report,
) -> Result<ChosenDevice, CliError> {
    let told = *report;
    let on_failure = move |error: &DeviceError| {
        let DeviceError { device, reason } = error;
        told.remark(&format!(
            "{device} failed ({reason}): the processor goes on with the fit"
        ));
    };
    let processor = effort.processor(batch);
    let chosen = effort.device().open_for_fits(processor, on_failure)?;
    if let Some(remark) = &chosen.remark {
        report.remark(&format!("{}: {remark}", chosen.name));
    }
    Ok(chosen)
}

/// What a fit tells its caller.
type OnEvent<'a> = &'a mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>;

/// Runs a fit of what was read from `path`, with a progress bar.
fn with_progress(
    path: &Path,
    settings: &FitSettings,
    report: &Report,
    record: &mut Record,
    fit: impl FnOnce(OnEvent<'_>) -> Result<Model, FitError>,
) -> Result<Model, CliError> {
    record.insert("input".into(), shown(path).into());
    let started = Instant::now();
    let bar = progress::fit_bar(report, settings.steps);
    let mut done = 0;
    let fitted = fit(&mut |event| {
        if let FitEvent::Progress { step, steps, loss } = event {
            done = step;
            bar.set_length(steps.into());
            bar.set_position(step.into());
            bar.set_message(format!("quality {:.1} dB, ", quality_db(loss)));
        }
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    let model = fitted.map_err(|source| CliError::Capture {
        path: path.to_path_buf(),
        source,
    })?;
    let (seconds, quality) = (
        started.elapsed().as_secs_f64(),
        model.fit_record().quality_db(),
    );
    report.note(&format!(
        "fitted {} in {seconds:.1} s ({done} steps, quality {quality:.1} dB)",
        path.display(),
    ));
    record.insert("fit_seconds".into(), seconds.into());
    record.insert("steps".into(), done.into());
    record.insert("quality_db".into(), quality.into());
    Ok(model)
}
