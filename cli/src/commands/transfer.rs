//! `weft transfer`: one recording's content in another's style.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::fit::read_capture;
use super::optimize::{CurveFiles, say_optimized, with_progress, write_made};
use super::render::check_wav_length;
use crate::arguments::TransferArguments;
use crate::error::CliError;
use crate::files::shown;
use crate::report::{Record, Report};
use crate::signals;

/// `weft transfer`: the content of one recording in the style of another.
pub fn transfer(arguments: &TransferArguments, report: &Report) -> Result<(), CliError> {
    let transfer = arguments.transfer()?;
    let output = arguments.output.single_output()?;
    for input in [&arguments.content, &arguments.style] {
        output.check(Some(input))?;
    }
    let device = arguments.device().open()?;
    let mut record = Record::new();
    let style = read_capture(&arguments.style, report, &mut record)?;
    let content = read_capture(&arguments.content, report, &mut record)?;
    record.insert("style".into(), shown(&arguments.style).into());
    let (format, rate) = (arguments.output.format(), transfer.format().sample_rate);
    check_wav_length(format, rate, 1, content.duration_s())?;
    // From here on, a signal keeps what there is.
    let cancel = Arc::new(AtomicBool::new(false));
    signals::catch_next(cancel.clone());
    let curves = CurveFiles::asked_for(arguments.curves.as_deref(), &output)?;
    let settings = arguments.settings();
    let iterations = settings.iterations.unwrap_or_else(|| transfer.iterations());
    let made = with_progress(report, iterations, |on_progress| {
        transfer.synthesize(&content, &style, &settings, &device, &cancel, on_progress)
    });
    let made = made.map_err(|source| CliError::Method {
        path: arguments.content.clone(),
        source,
    })?;
    say_optimized("transfer", &made.synthesis, &device, report, &mut record);
    let envelopes = [
        ("envelope_over_time", made.over_time),
        ("envelope_over_frequency", made.over_frequency),
    ];
    report.note(&format!(
        "the content's energy envelope: correlation {:.2} over time, {:.2} over frequency",
        made.over_time, made.over_frequency
    ));
    for (name, value) in envelopes {
        record.insert(name.into(), value.into());
    }
    let curves = curves.as_ref();
    write_made(
        &made.synthesis,
        curves,
        &output,
        format,
        report,
        &mut record,
    )
}
