//! `weft table`.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use weft_lab::methods::Antognini;
use weft_lab::table::{
    GriffinLim, Halves, Maker, MatchedNoise, Optimized, Results, Summary, TableError, TableEvent,
    TableSettings, Vggish, Weft, fill, find_recordings, to_csv, to_latex, to_markdown, to_svg,
};

use crate::arguments::{NamedRow, Row, TableArguments};
use crate::error::CliError;
use crate::report::{Record, Report};

/// Where outcomes are kept.
const RESULTS_FILE: &str = "results.jsonl";

/// `weft table`: methods compared over a folder of recordings.
pub fn table(arguments: &TableArguments, report: &Report) -> Result<(), CliError> {
    let entries = find_recordings(&arguments.recordings)?;
    let vggish = arguments.vggish.as_deref().map(Vggish::open).transpose()?;
    let mut makers: Vec<Box<dyn Maker>> = Vec::new();
    for row in &arguments.rows {
        let maker = maker(row, arguments)?;
        // A row that is named twice is one row.
        if makers.iter().all(|other| other.name() != maker.name()) {
            makers.push(maker);
        }
    }
    let makers: Vec<&dyn Maker> = makers.iter().map(AsRef::as_ref).collect();
    let folder = &arguments.output;
    fs::create_dir_all(folder).map_err(|source| CliError::Folder {
        path: folder.clone(),
        source,
    })?;
    let results = Results::open(&folder.join(RESULTS_FILE))?;
    let settings = TableSettings {
        folder: folder.clone(),
        seed: arguments.seed,
        most_seconds: arguments.seconds,
        jobs: arguments.batch.jobs(),
        vggish: vggish.map(Arc::new),
    };
    // A signal ends the process; what is known by then is in the results.
    let failed = fill(
        &entries,
        &makers,
        &settings,
        &results,
        &AtomicBool::new(false),
        &|event| tell(&event, report),
    )?;
    let names: Vec<String> = makers.iter().map(|maker| maker.name()).collect();
    let summary = Summary::new(&names, &entries, arguments.seed, &results);
    let markdown = to_markdown(&summary);
    write(
        folder,
        "table.csv",
        &to_csv(&names, &entries, arguments.seed, &results),
    )?;
    write(folder, "table.md", &markdown)?;
    write(folder, "table.tex", &to_latex(&summary))?;
    write(folder, "table.svg", &to_svg(&summary))?;
    let mut record = Record::new();
    record.insert("output".into(), folder.display().to_string().into());
    record.insert("failed".into(), failed.into());
    report.result(&markdown, &record);
    match failed {
        0 => Ok(()),
        failed => Err(CliError::SomeFailed {
            failed,
            of: entries.len() * names.len(),
        }),
    }
}

fn maker(row: &Row, arguments: &TableArguments) -> Result<Box<dyn Maker>, CliError> {
    let optimized = |name: &str, method| -> Box<dyn Maker> {
        Box::new(Optimized {
            name: name.into(),
            method,
            iterations: arguments.iterations,
            device: arguments.device(),
        })
    };
    let antognini = |alpha| Antognini {
        alpha,
        beta: 0.0,
        ..Antognini::default()
    };
    Ok(match row {
        Row::Named(NamedRow::GriffinLim) => Box::new(GriffinLim),
        Row::Named(NamedRow::Halves) => Box::new(Halves),
        Row::Named(NamedRow::Noise) => Box::new(MatchedNoise),
        Row::Named(NamedRow::Weft) => Box::new(Weft {
            steps: arguments.fit_steps,
        }),
        Row::Named(NamedRow::Gram) => optimized("gram", Box::new(antognini(0.0))),
        Row::Named(NamedRow::GramAutocorrelation) => {
            let method = antognini(Antognini::default().alpha);
            optimized("gram-autocorrelation", Box::new(method))
        }
        Row::Method(row) => {
            // Better told once than for each cell.
            arguments.device().open()?;
            optimized(&row.name, row.method()?)
        }
    })
}

/// Tells of a cell as soon as it is known.
fn tell(event: &TableEvent<'_>, report: &Report) {
    match event {
        TableEvent::Done { outcome, done, of } => {
            let (row, recording) = (&outcome.row, &outcome.recording);
            let seconds = outcome.figures.seconds;
            report.note(&format!("{done}/{of} {row} {recording} ({seconds:.1} s)"));
            if let Ok(Value::Object(record)) = serde_json::to_value(outcome) {
                report.done(&record);
            }
        }
        TableEvent::Failed { error } => report.remark(&error.to_string()),
        _ => {}
    }
}

/// Writes a file of the table's, whatever was there.
fn write(folder: &Path, name: &str, text: &str) -> Result<(), TableError> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(|source| TableError::File { path, source })
}
