//! What is known of a table's cells, kept in a file, so that a table that was broken off goes on.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::error::TableError;
use super::figures::Figures;

/// The figures of one row for one recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Name of the row.
    pub row: String,
    /// Name of the recording.
    pub recording: String,
    /// Its class.
    pub class: String,
    /// Seed of what is random.
    pub seed: u32,
    /// The figures.
    pub figures: Figures,
}

/// Outcomes, each a line of JSON in a file from the moment that it is known.
#[derive(Debug)]
pub struct Results {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    all: Vec<Outcome>,
}

impl Results {
    /// Those that the file at `path` has; it is made if it is not there. A line that can't be read, as a table
    /// that was broken off leaves one, is left out.
    ///
    /// # Errors
    /// If the file can't be read or written.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let failed = |source| TableError::File {
            path: path.into(),
            source,
        };
        let mut all: Vec<Outcome> = Vec::new();
        if path.exists() {
            let lines = BufReader::new(File::open(path).map_err(failed)?).lines();
            for line in lines {
                all.extend(serde_json::from_str::<Outcome>(&line.map_err(failed)?));
            }
        }
        // Written anew, so that half a line never stands before a whole one.
        let whole: String = all.iter().map(line).collect();
        fs::write(path, whole).map_err(failed)?;
        let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        Ok(Self {
            path: path.into(),
            state: Mutex::new(State { file, all }),
        })
    }

    /// The outcome of a row for a recording with a seed, if it is known.
    pub fn find(&self, row: &str, recording: &str, seed: u32) -> Option<Outcome> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // What was made again counts.
        let mut all = state.all.iter().rev();
        all.find(|o| o.row == row && o.recording == recording && o.seed == seed)
            .cloned()
    }

    /// Keeps an outcome.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn add(&self, outcome: Outcome) -> Result<(), TableError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let written = state.file.write_all(line(&outcome).as_bytes());
        written.map_err(|source| TableError::File {
            path: self.path.clone(),
            source,
        })?;
        state.all.push(outcome);
        Ok(())
    }
}

fn line(outcome: &Outcome) -> String {
    let json = serde_json::to_string(outcome).expect("plain names and values");
    format!("{json}\n")
}
