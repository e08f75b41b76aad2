//! `weft summary`.

mod rows;

use std::path::Path;

use serde_json::{Value, json};
use weft_core::clip::write_whole;

use crate::arguments::SummaryArguments;
use crate::batch::{Kind, Plan};
use crate::error::CliError;
use crate::files::{Output, shown};
use crate::report::{Record, Report, one_line};
use rows::{Row, State, Summary};

/// The table of all rows, in the folder of the textures.
const TABLE: &str = "manifest.csv";
/// How many of the worst textures are told.
const WORST: usize = 5;

/// `weft summary`: what a folder of textures holds, and whether all of it is there and whole.
pub fn summary(arguments: &SummaryArguments, report: &Report) -> Result<(), CliError> {
    let SummaryArguments { folder, inputs } = arguments;
    // As the fit has named what it makes of them.
    let output = Output {
        path: folder.join(""),
        force: false,
    };
    let plan = match inputs.as_slice() {
        [] => None,
        inputs => Some(Plan::new(inputs, Kind::Sound, &output, Kind::Texture)?),
    };
    let summary = Summary::of(folder, plan.as_ref().map_or(&[], Plan::jobs))?;
    if summary.rows.is_empty() {
        return Err(CliError::EmptyFolder {
            path: folder.clone(),
            what: "Weft texture",
        });
    }
    let path = folder.join(TABLE);
    let table = summary.to_csv().map_err(std::io::Error::from);
    table
        .and_then(|table| write_whole(&path, &table))
        .map_err(|source| CliError::Manifest {
            path: path.clone(),
            source,
        })?;
    let told = Told::of(&summary);
    report.result(&told.words(folder, &path), &told.record(folder, &path));
    match (told.missing.len(), told.damaged.len()) {
        (0, 0) => Ok(()),
        (missing, damaged) => Err(CliError::Incomplete {
            folder: folder.clone(),
            missing,
            damaged,
        }),
    }
}

/// What is told of a summary.
struct Told<'a> {
    whole: usize,
    missing: Vec<&'a Row>,
    damaged: Vec<&'a Row>,
    unlisted: Vec<&'a Row>,
    qualities: Vec<(f32, &'a Row)>,
}

impl<'a> Told<'a> {
    fn of(summary: &'a Summary) -> Self {
        Self {
            whole: summary.having(State::is_whole).len(),
            missing: summary.having(|state| *state == State::Missing),
            damaged: summary.having(|state| matches!(state, State::Damaged(_))),
            unlisted: summary.having(|state| *state == State::Unlisted),
            qualities: summary.by_quality(),
        }
    }

    /// Mean, smallest and median quality in dB, if there is any.
    fn figures(&self) -> Option<[f64; 3]> {
        let found: Vec<f64> = self
            .qualities
            .iter()
            .map(|(db, _)| f64::from(*db))
            .collect();
        let (&least, middle) = (found.first()?, found.len() / 2);
        let median = match found.len() % 2 {
            0 => (found[middle - 1] + found[middle]) / 2.0,
            _ => found[middle],
        };
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        Some([mean, least, median])
    }

    fn worst(&self) -> &[(f32, &'a Row)] {
        &self.qualities[..WORST.min(self.qualities.len())]
    }

    fn words(&self, folder: &Path, table: &Path) -> String {
        let mut lines = vec![format!(
            "{}: {} textures, {} missing, {} damaged, {} unlisted",
            folder.display(),
            self.whole,
            self.missing.len(),
            self.damaged.len(),
            self.unlisted.len()
        )];
        if let Some([mean, least, median]) = self.figures() {
            lines.push(format!(
                "quality mean {mean:.1} dB, least {least:.1} dB, median {median:.1} dB"
            ));
        }
        for (quality, row) in self.worst() {
            lines.push(format!("worst {}: {quality:.1} dB", row.model));
        }
        for row in &self.missing {
            let input = row.input.as_ref();
            let input = input.map_or(String::new(), |input| format!(", of {input}"));
            lines.push(format!("missing {}{input}", row.model));
        }
        for row in &self.damaged {
            lines.push(format!("damaged {}: {}", row.model, reason(row)));
        }
        for row in &self.unlisted {
            lines.push(format!("unlisted {}", row.model));
        }
        lines.push(format!("wrote {}", table.display()));
        let lines: Vec<String> = lines.iter().map(|line| one_line(line)).collect();
        lines.join("\n")
    }

    fn record(&self, folder: &Path, table: &Path) -> Record {
        let names = |rows: &[&Row]| -> Value { rows.iter().map(|row| row.model.clone()).collect() };
        let damaged = self.damaged.iter();
        let damaged = damaged.map(|row| json!({"model": row.model, "error": reason(row)}));
        let missing = self.missing.iter();
        let missing = missing.map(|row| json!({"model": row.model, "input": row.input}));
        let worst = self.worst().iter();
        let worst = worst.map(|(quality, row)| json!({"model": row.model, "quality_db": quality}));
        let quality = self
            .figures()
            .map(|[mean, least, median]| json!({"mean": mean, "least": least, "median": median}));
        Record::from_iter([
            ("folder".into(), shown(folder).into()),
            ("textures".into(), self.whole.into()),
            ("missing".into(), missing.collect()),
            ("damaged".into(), damaged.collect()),
            ("unlisted".into(), names(&self.unlisted)),
            ("quality_db".into(), quality.into()),
            ("worst".into(), worst.collect()),
            ("table".into(), shown(table).into()),
        ])
    }
}

/// What is wrong with a damaged texture.
fn reason(row: &Row) -> &str {
    match &row.state {
        State::Damaged(reason) => reason,
        _ => "",
    }
}
