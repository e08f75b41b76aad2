//! `weft optimize`: the papers' own methods.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use weft_core::clip::{Clip, SampleFormat};
use weft_lab::methods::Synthesis;
use weft_lab::{Curve, CurvePoint, Device, Ending, LabError, Progress, device_name};

use super::fit::read_capture;
use super::render::{check_wav_length, say_written};
use crate::arguments::OptimizeArguments;
use crate::chart::{Chart, Line, Panel, Scale};
use crate::error::CliError;
use crate::files::{Output, STANDARD_NAME, is_standard, shown};
use crate::progress::{self, ProgressLines};
use crate::report::{Record, Report};
use crate::signals;

/// `weft optimize`: a texture of recordings by one method.
pub fn optimize(arguments: &OptimizeArguments, report: &Report) -> Result<(), CliError> {
    let method = arguments.method()?;
    let weights = arguments.weights()?;
    let output = arguments.output.single_output()?;
    for input in &arguments.inputs {
        output.check(Some(input))?;
    }
    let device = method.device(arguments.device().open()?);
    let mut record = Record::new();
    let inputs = arguments.inputs.iter();
    let clips: Vec<Clip> = inputs
        .map(|input| read_capture(input, report, &mut record))
        .collect::<Result<_, _>>()?;
    if clips.len() > 1 {
        let names = arguments.inputs.iter().map(|input| shown(input).into());
        record.insert("input".into(), Value::Array(names.collect()));
    }
    let settings = arguments.settings();
    let longest = clips.iter().map(Clip::duration_s).fold(0.0, f64::max);
    let seconds = settings.seconds.unwrap_or(longest);
    let (format, rate) = (arguments.output.format(), method.sample_rate());
    check_wav_length(format, rate, 1, seconds)?;
    // From here on, a signal keeps what there is.
    let cancel = Arc::new(AtomicBool::new(false));
    signals::catch_next(cancel.clone());
    let curves = CurveFiles::asked_for(arguments.curves.as_deref(), &output)?;
    let iterations = settings.iterations.unwrap_or_else(|| method.iterations());
    let recordings: Vec<(&Clip, f64)> = clips.iter().zip(weights).collect();
    let made = with_progress(report, iterations, |on_progress| {
        method.synthesize(&recordings, &settings, &device, &cancel, on_progress)
    });
    let made = made.map_err(|source| CliError::Method {
        path: arguments.inputs[0].clone(),
        source,
    })?;
    say_optimized(method.name(), &made, &device, report, &mut record);
    write_made(&made, curves.as_ref(), &output, format, report, &mut record)
}

/// Runs an optimisation of so many iterations, with a progress bar, or lines of progress for programs.
pub(super) fn with_progress<T>(
    report: &Report,
    iterations: u32,
    run: impl FnOnce(&mut dyn FnMut(&Progress<'_>)) -> Result<T, LabError>,
) -> Result<T, LabError> {
    let bar = progress::optimize_bar(report, iterations);
    bar.set_message("starting");
    let mut lines = ProgressLines::new(report);
    let made = run(&mut |progress| {
        let point = progress.point;
        let seconds_left = (point.iteration > 0).then_some(progress.seconds_left);
        lines.tell(point.iteration, progress.iterations, seconds_left);
        bar.set_position(point.iteration.into());
        let left = match point.iteration {
            0 => String::new(),
            _ => format!(", {} left", in_clock_time(progress.seconds_left)),
        };
        bar.set_message(format!("loss {:.2e}{left}", point.total));
        if point.iteration == progress.iterations {
            bar.set_message("inverting");
        }
    });
    bar.finish_and_clear();
    made
}

/// Writes what was made, and its curves where they were asked for.
pub(super) fn write_made(
    made: &Synthesis,
    curves: Option<&CurveFiles>,
    output: &Output,
    format: SampleFormat,
    report: &Report,
    record: &mut Record,
) -> Result<(), CliError> {
    if let Some(files) = curves {
        files.write(&made.curve)?;
        report.note(&format!(
            "wrote {} and {}",
            files.csv.display(),
            files.png.display()
        ));
        record.insert(
            "curves".into(),
            vec![shown(&files.csv), shown(&files.png)].into(),
        );
    }
    let (frames, rate) = (made.clip.len() as u64, made.clip.sample_rate());
    let mut writer = output.create_wav(rate, 1, format, frames)?;
    writer.write(&[&made.clip.channels()[0]])?;
    writer.finish()?;
    say_written(output, frames, rate, 1, report, record);
    report.done(record);
    Ok(())
}

/// Seconds as minutes and seconds.
fn in_clock_time(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {} s", seconds % 60),
    }
}

/// Tells how the optimisation went.
pub(super) fn say_optimized(
    method: &str,
    made: &Synthesis,
    device: &Device,
    report: &Report,
    record: &mut Record,
) {
    let best = &made.best;
    let (ending, why) = match made.ending {
        Ending::Done => ("done", ""),
        Ending::Converged => ("converged", ", as nothing lower could be found"),
        Ending::Cancelled => ("interrupted", ", as it was interrupted"),
    };
    let done = made.curve.points.last().map_or(0, |last| last.iteration);
    report.note(&format!(
        "{}: loss {:.3e} ({}) after {done} iterations in {:.1} s{why}",
        method,
        best.total,
        in_terms(best),
        made.optimize_s,
    ));
    let terms = best.terms.iter().map(|term| {
        let told = [("value", term.value), ("weight", term.weight)];
        let told = told.map(|(name, value)| (name.to_owned(), Value::from(value)));
        (
            term.name.to_owned(),
            Value::Object(told.into_iter().collect()),
        )
    });
    let told: [(&str, Value); 9] = [
        ("method", method.into()),
        ("device", device_name(device).into()),
        ("ending", ending.into()),
        ("iterations", done.into()),
        ("best_iteration", best.iteration.into()),
        ("loss", best.total.into()),
        ("terms", Value::Object(terms.collect())),
        ("optimize_seconds", made.optimize_s.into()),
        ("invert_seconds", made.invert_s.into()),
    ];
    for (name, value) in told {
        record.insert(name.into(), value);
    }
}

/// The parts of a loss in words.
fn in_terms(point: &CurvePoint) -> String {
    let terms = point.terms.iter();
    let terms: Vec<String> = terms
        .map(|t| format!("{} {:.3e}", t.name, t.value))
        .collect();
    terms.join(", ")
}

/// Where the curves go.
pub(super) struct CurveFiles {
    csv: PathBuf,
    png: PathBuf,
}

impl CurveFiles {
    /// [`new`](Self::new), if a folder was named.
    pub(super) fn asked_for(
        folder: Option<&Path>,
        sound: &Output,
    ) -> Result<Option<Self>, CliError> {
        folder.map(|folder| Self::new(folder, sound)).transpose()
    }

    /// Files in `folder`, which is made where there is none, named as the sound. Fails where they exist and may not be
    /// replaced: worth knowing before minutes of work.
    fn new(folder: &Path, sound: &Output) -> Result<Self, CliError> {
        fs::create_dir_all(folder).map_err(|source| CliError::Folder {
            path: folder.to_path_buf(),
            source,
        })?;
        let name = match sound.path.file_stem() {
            Some(stem) if !is_standard(&sound.path) => stem.to_os_string(),
            _ => STANDARD_NAME.into(),
        };
        let file = |extension: &str| folder.join(&name).with_added_extension(extension);
        let files = Self {
            csv: file("csv"),
            png: file("png"),
        };
        for path in [&files.csv, &files.png] {
            let output = Output {
                path: path.clone(),
                force: sound.force,
            };
            output.check(None)?;
        }
        Ok(files)
    }

    fn write(&self, curve: &Curve) -> Result<(), CliError> {
        let failed = |path: &Path, source| CliError::Curves {
            path: path.to_path_buf(),
            source,
        };
        fs::write(&self.csv, curve.to_csv()).map_err(|e| failed(&self.csv, e))?;
        let png = chart(curve).to_png().map_err(|e| failed(&self.png, e))?;
        fs::write(&self.png, png).map_err(|e| failed(&self.png, e))
    }
}

/// The loss and its weighted terms, and beside it the part of the loss that each term is (Antognini et al., Fig. 4).
fn chart(curve: &Curve) -> Chart {
    let points = |value: &dyn Fn(&CurvePoint) -> Option<f64>| -> Vec<(f64, f64)> {
        let points = curve.points.iter();
        let points = points.filter_map(|p| Some((f64::from(p.iteration), value(p)?)));
        points.collect()
    };
    let weighted = |point: &CurvePoint, name: &str| {
        let term = point.terms.iter().find(|term| term.name == name)?;
        Some(term.weight * term.value)
    };
    let mut losses = vec![Line {
        name: "total",
        points: points(&|p| Some(p.total)),
    }];
    let mut shares = vec![Line {
        name: "",
        points: Vec::new(),
    }];
    for name in curve.terms() {
        losses.push(Line {
            name,
            points: points(&|p| weighted(p, name)),
        });
        shares.push(Line {
            name,
            points: points(&|p| Some(weighted(p, name)? / p.total)),
        });
    }
    Chart {
        panels: vec![
            Panel {
                title: "loss",
                x: "iteration",
                y: Scale::Logarithmic,
                lines: losses,
            },
            Panel {
                title: "share of the loss",
                x: "iteration",
                y: Scale::Unit,
                lines: shares,
            },
        ],
    }
}
