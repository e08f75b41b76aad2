//! What the commands do.

use std::fs;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use weft_core::clip::{Clip, ClipError, MAX_READ_S, SampleFormat, WavWriter, check_writable};
use weft_core::fit::{FitError, FitEvent, FitSettings};
use weft_core::network::{Model, quality_db};
use weft_core::procedural;
use weft_core::render::Renderer;
use weft_core::texture::score::{self, Better, Recording, Scores};

use crate::arguments::{
    EffortArguments, FitArguments, RefineArguments, RenderArguments, ScoreArguments,
    SynthesizeArguments, TextureArguments, WavArguments,
};
use crate::error::CliError;
use crate::progress;

/// Frames rendered and written at a time.
const BLOCK_FRAMES: usize = 4_096;

/// `weft texture`: fit and render.
pub fn texture(arguments: &TextureArguments) -> Result<(), CliError> {
    let clip = read_capture(&arguments.input)?;
    // Everything that would stop the rendering stops it now, before the fit.
    let output = &arguments.output;
    refuse_input_as_output(&arguments.input, &output.path)?;
    check_writable(&output.path)?;
    let channels = clip.channel_count().min(2);
    check_wav_length(output, clip.sample_rate(), channels, arguments.seconds)?;
    let model = fit_capture(&arguments.input, &clip, &arguments.effort)?;
    render_model(&model, output, arguments.seconds, arguments.seed)
}

/// `weft fit`: fit and save.
pub fn fit(arguments: &FitArguments) -> Result<(), CliError> {
    let clip = read_capture(&arguments.input)?;
    refuse_input_as_output(&arguments.input, &arguments.output)?;
    check_writable(&arguments.output)?;
    let model = fit_capture(&arguments.input, &clip, &arguments.effort)?;
    write_model(&model, &arguments.output)
}

/// `weft refine`: go on with the fit of a saved texture.
pub fn refine(arguments: &RefineArguments) -> Result<(), CliError> {
    let RefineArguments { model, output, .. } = arguments;
    let start = read_model(model)?;
    check_writable(output)?;
    let settings = arguments.effort.settings();
    let refined = with_progress(model, &settings, |on_event| {
        weft_core::fit::refine_on(&arguments.effort.device(), &start, &settings, on_event)
    })?;
    write_model(&refined, output)
}

/// `weft render`: play a saved texture into a file.
pub fn render(arguments: &RenderArguments) -> Result<(), CliError> {
    let output = &arguments.output;
    let model = read_model(&arguments.model)?;
    refuse_input_as_output(&arguments.model, &output.path)?;
    render_model(&model, output, arguments.seconds, arguments.seed)
}

/// `weft synthesize`: a recording to begin with.
pub fn synthesize(arguments: &SynthesizeArguments) -> Result<(), CliError> {
    let output = &arguments.output;
    check_writable(&output.path)?;
    let clip = procedural::synthesize(
        arguments.texture,
        arguments.seed,
        arguments.sample_rate,
        arguments.seconds,
    );
    clip.write_wav(&output.path, output.format())?;
    say_written(
        &output.path,
        clip.duration_s(),
        clip.sample_rate(),
        clip.channel_count(),
    );
    Ok(())
}

/// `weft score`: how near a texture comes to its recording.
pub fn score(arguments: &ScoreArguments) -> Result<(), CliError> {
    let of_reference = |source| CliError::Score {
        path: arguments.reference.clone(),
        source,
    };
    let recording = read_scored(&arguments.reference)?;
    let (reference, synthesis) = match &arguments.synthesis {
        Some(path) => (recording, read_scored(path)?),
        // The command line has either a second sound or --nature.
        None => recording.halves().map_err(of_reference)?,
    };
    let scores =
        score::score(&reference, &synthesis, &arguments.settings()).map_err(of_reference)?;
    if arguments.json {
        say(&serde_json::to_string(&scores).expect("finite numbers under plain names"));
    } else {
        say(score_table(&scores).trim_end());
    }
    Ok(())
}

/// One line for every figure, the parts of the statistics below their mean.
fn score_table(scores: &Scores) -> String {
    /// Most decimals of a figure; with fewer, blanks keep the points below each other.
    const DECIMALS: usize = 6;
    let mut table = String::new();
    for figure in scores.figures() {
        let better = match figure.better {
            Better::Lower => "lower is better",
            Better::Higher => "higher is better",
        };
        let decimals = match figure.unit {
            "ratio" => DECIMALS,
            "dB" => 2,
            _ => 3,
        };
        let mut line = |name: &str, value: f64| {
            let value = format!("{value:w$.decimals$}", w = 5 + decimals);
            let value = format!("{value:w$}", w = 5 + DECIMALS);
            table += &format!("{name:24} {value}  {:11}  {better}\n", figure.unit);
        };
        line(figure.name, figure.value);
        if figure.name == "stat_snr" {
            for (name, value) in scores.statistics.figures() {
                line(&format!("  {name}"), value);
            }
        }
    }
    table
}

/// Reads a sound file and makes it ready to be scored.
fn read_scored(path: &Path) -> Result<Recording, CliError> {
    Recording::new(&Clip::read(path)?).map_err(|source| CliError::Score {
        path: path.to_path_buf(),
        source,
    })
}

fn read_model(path: &Path) -> Result<Model, CliError> {
    Model::read(path).map_err(|source| CliError::ReadModel {
        path: path.to_path_buf(),
        source,
    })
}

fn write_model(model: &Model, path: &Path) -> Result<(), CliError> {
    model.write(path).map_err(|source| CliError::WriteModel {
        path: path.to_path_buf(),
        source,
    })?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}

/// Reads a recording and checks that a texture can be learned from it.
fn read_capture(path: &Path) -> Result<Clip, CliError> {
    let clip = Clip::read(path)?;
    clip.check_texture().map_err(|source| CliError::Capture {
        path: path.to_path_buf(),
        source: source.into(),
    })?;
    if clip.duration_s() >= MAX_READ_S {
        say(&format!(
            "using the first {MAX_READ_S} s of {}",
            path.display()
        ));
    }
    Ok(clip)
}

/// Fits a network to the recording that was read from `path`, with a progress bar.
fn fit_capture(path: &Path, clip: &Clip, effort: &EffortArguments) -> Result<Model, CliError> {
    let (device, settings) = (effort.device(), effort.settings());
    with_progress(path, &settings, |on_event| {
        weft_core::fit::fit_on(&device, clip, &settings, on_event)
    })
}

/// What a fit tells its caller.
type OnEvent<'a> = &'a mut dyn FnMut(FitEvent<'_>) -> ControlFlow<()>;

/// Runs a fit of what was read from `path`, with a progress bar.
fn with_progress(
    path: &Path,
    settings: &FitSettings,
    fit: impl FnOnce(OnEvent<'_>) -> Result<Model, FitError>,
) -> Result<Model, CliError> {
    let started = Instant::now();
    let bar = progress::fit_bar(settings.steps);
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
    let record = model.fit_record();
    say(&format!(
        "fitted {} in {:.1} s ({done} steps, quality {:.1} dB)",
        path.display(),
        started.elapsed().as_secs_f64(),
        record.quality_db(),
    ));
    Ok(model)
}

/// Renders `seconds` of a texture into a file, block by block.
fn render_model(
    model: &Model,
    output: &WavArguments,
    seconds: f64,
    seed: u32,
) -> Result<(), CliError> {
    let mut renderer = Renderer::new(model, seed)?;
    let (sample_rate, channels) = (renderer.sample_rate(), renderer.channels());
    let frames = check_wav_length(output, sample_rate, channels, seconds)?;
    let mut writer = WavWriter::create(&output.path, sample_rate, channels, output.format())?;
    let mut planes = vec![vec![0.0; BLOCK_FRAMES]; channels];
    let bar = progress::render_bar(frames);
    while writer.frames() < frames {
        let block_frames = (frames - writer.frames()).min(BLOCK_FRAMES as u64) as usize;
        let mut block: Vec<&mut [f32]> = planes
            .iter_mut()
            .map(|plane| &mut plane[..block_frames])
            .collect();
        renderer.render_into(&mut block);
        let block: Vec<&[f32]> = planes.iter().map(|plane| &plane[..block_frames]).collect();
        writer.write(&block)?;
        bar.set_position(writer.frames());
    }
    writer.finish()?;
    bar.finish_and_clear();
    let duration_s = frames as f64 / f64::from(sample_rate);
    say_written(&output.path, duration_s, sample_rate, channels);
    Ok(())
}

/// Frames in `seconds`, if a WAV file can hold them.
fn check_wav_length(
    output: &WavArguments,
    sample_rate: u32,
    channels: usize,
    seconds: f64,
) -> Result<u64, ClipError> {
    let frames = (seconds * f64::from(sample_rate)).round() as u64;
    let format: SampleFormat = output.format();
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

/// Fails if writing `output` would replace `input`.
fn refuse_input_as_output(input: &Path, output: &Path) -> Result<(), CliError> {
    // Where the output does not exist yet, it can't be the input.
    let same = fs::canonicalize(output)
        .is_ok_and(|output| fs::canonicalize(input).is_ok_and(|input| input == output));
    if same {
        return Err(CliError::OutputIsInput {
            path: output.to_path_buf(),
        });
    }
    Ok(())
}

fn say_written(path: &Path, duration_s: f64, sample_rate: u32, channels: usize) {
    let layout = if channels == 1 { "mono" } else { "stereo" };
    say(&format!(
        "wrote {} ({duration_s:.1} s, {sample_rate} Hz, {layout})",
        path.display()
    ));
}

/// A line on the standard output; nobody listening there is no error.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
