//! `weft table`.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use clap::ValueEnum;
use serde_json::Value;
use weft_lab::methods::{Antognini, Huzaifah, McDermott, Synthesizer, Ulyanov};
use weft_lab::table::{
    GriffinLim, Halves, Maker, MatchedNoise, Optimized, Results, Summary, TableError, TableEvent,
    TableSettings, Weft, fill, find_recordings, to_csv, to_latex, to_markdown, to_svg,
};

use crate::arguments::{RowChoice, TableArguments};
use crate::error::CliError;
use crate::report::{Record, Report};

/// Where outcomes are kept.
const RESULTS_FILE: &str = "results.jsonl";

/// `weft table`: methods compared over a folder of recordings.
pub fn table(arguments: &TableArguments, report: &Report) -> Result<(), CliError> {
    let entries = find_recordings(&arguments.recordings)?;
    let mut makers: Vec<Box<dyn Maker>> = Vec::new();
    for row in &arguments.rows {
        let maker = maker(*row, arguments);
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

fn maker(row: RowChoice, arguments: &TableArguments) -> Box<dyn Maker> {
    let name = row.to_possible_value();
    let name = name.map_or_else(String::new, |name| name.get_name().into());
    let optimized = |method: Box<dyn Synthesizer + Send + Sync>| -> Box<dyn Maker> {
        Box::new(Optimized {
            name: name.clone(),
            method,
            iterations: arguments.iterations,
        })
    };
    match row {
        RowChoice::GriffinLim => Box::new(GriffinLim),
        RowChoice::Halves => Box::new(Halves),
        RowChoice::Noise => Box::new(MatchedNoise),
        RowChoice::Weft => Box::new(Weft {
            steps: arguments.fit_steps,
        }),
        RowChoice::Gram => optimized(Box::new(antognini(0.0, 0.0))),
        RowChoice::GramAutocorrelation => {
            optimized(Box::new(antognini(Antognini::default().alpha, 0.0)))
        }
        RowChoice::Antognini => optimized(Box::<Antognini>::default()),
        RowChoice::Ulyanov => optimized(Box::<Ulyanov>::default()),
        RowChoice::Huzaifah => optimized(Box::<Huzaifah>::default()),
        RowChoice::Mcdermott => optimized(Box::<McDermott>::default()),
    }
}

/// The method with only some terms of its loss.
fn antognini(alpha: f64, beta: f64) -> Antognini {
    Antognini {
        alpha,
        beta,
        ..Antognini::default()
    }
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
