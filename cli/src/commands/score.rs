//! `weft score`.

use std::path::Path;

use serde_json::Value;
use weft_core::texture::score::{self, Better, Recording, Scores};

use crate::arguments::ScoreArguments;
use crate::error::CliError;
use crate::files::read_sound;
use crate::report::{Record, Report};

/// `weft score`: how near a texture comes to its recording.
pub fn score(arguments: &ScoreArguments, report: &Report) -> Result<(), CliError> {
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
    if arguments.discriminate {
        let told = score::discriminate(&reference, &synthesis, &arguments.settings())
            .map_err(of_reference)?;
        let table = format!(
            "auc       {:.3}  0.5: can't be told apart, 1: always\naccuracy  {:.3}\n",
            told.auc, told.accuracy
        );
        report.result(&table, &to_record(serde_json::to_value(told)));
        return Ok(());
    }
    let scores =
        score::score(&reference, &synthesis, &arguments.settings()).map_err(of_reference)?;
    let table = score_table(&scores);
    report.result(&table, &to_record(serde_json::to_value(scores)));
    Ok(())
}

fn to_record(figures: serde_json::Result<Value>) -> Record {
    match figures {
        Ok(Value::Object(record)) => record,
        _ => Record::new(),
    }
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
    Recording::new(&read_sound(path)?.clip).map_err(|source| CliError::Score {
        path: path.to_path_buf(),
        source,
    })
}
