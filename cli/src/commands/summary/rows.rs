//! All that is known of a folder of textures.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::batch::{Job, Kind, files_in};
use crate::error::CliError;
use crate::files::shown;
use crate::manifest::{Entry, Standing, entry_of, listed_names};

/// All that is known of a folder, in the order of the textures' names.
#[derive(Debug)]
pub struct Summary {
    pub rows: Vec<Row>,
}

/// One texture, or one that should be there.
#[derive(Debug)]
pub struct Row {
    /// Its file's name.
    pub model: String,
    pub state: State,
    /// What is known of it.
    pub entry: Option<Entry>,
    /// What it is made of, as far as that is known.
    pub input: Option<String>,
}

/// Whether it can be relied on.
#[derive(Debug, PartialEq, Eq)]
pub enum State {
    /// It is what was written of it.
    Listed,
    /// It is whole, and nothing is written of it.
    Unlisted,
    /// It is not there.
    Missing,
    /// It can't be used, for this reason.
    Damaged(String),
}

impl State {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Unlisted => "unlisted",
            Self::Missing => "missing",
            Self::Damaged(_) => "damaged",
        }
    }

    /// Whether there is a texture that can be used.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Listed | Self::Unlisted)
    }
}

impl Summary {
    /// That of `folder`, in which there should also be what these jobs make.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn of(folder: &Path, jobs: &[Job]) -> Result<Self, CliError> {
        let file_name = |path: &Path| path.file_name().unwrap_or_default().to_os_string();
        let there = files_in(folder, Kind::Texture)?;
        let wanted = jobs
            .iter()
            .map(|job| (file_name(&job.output.path), job.input.as_path()));
        let wanted: BTreeMap<OsString, &Path> = wanted.collect();
        let mut names: BTreeSet<OsString> = there.iter().map(|path| file_name(path)).collect();
        names.extend(wanted.keys().cloned());
        // What was made once, and is gone.
        names.extend(listed_names(folder)?);
        let rows = names.into_iter().map(|name| {
            let path = folder.join(&name);
            let (state, entry) = if path.is_file() {
                looked_at(&path)
            } else {
                (State::Missing, entry_of(&path))
            };
            let input = wanted.get(&name).map(|input| shown(input));
            let known = entry.as_ref().and_then(|entry| entry.input.as_ref());
            Row {
                input: input.or_else(|| known.map(|input| input.file.clone())),
                model: shown(&PathBuf::from(name)),
                state,
                entry,
            }
        });
        Ok(Self {
            rows: rows.collect(),
        })
    }

    /// The rows in a state that `is` it.
    pub fn having(&self, is: impl Fn(&State) -> bool) -> Vec<&Row> {
        self.rows.iter().filter(|row| is(&row.state)).collect()
    }

    /// What can be used, from the worst on; what has no quality is left out.
    pub fn by_quality(&self) -> Vec<(f32, &Row)> {
        let whole = self.having(State::is_whole);
        let mut found: Vec<(f32, &Row)> = whole
            .into_iter()
            .filter_map(|row| Some((row.entry.as_ref()?.quality_db?, row)))
            .collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found
    }

    /// The table of all rows.
    ///
    /// # Errors
    /// Never, as it is made in memory; but the library says so.
    pub fn to_csv(&self) -> csv::Result<Vec<u8>> {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record([
            "model",
            "state",
            "input",
            "bytes",
            "crc32",
            "device",
            "steps",
            "seed",
            "settings",
            "seconds",
            "quality_db",
            "remarks",
            "weft",
        ])?;
        for row in &self.rows {
            table.write_record(row.cells())?;
        }
        let flushed = table.into_inner();
        flushed.map_err(|error| csv::Error::from(error.into_error()))
    }
}

impl Row {
    fn cells(&self) -> [String; 13] {
        let entry = self.entry.as_ref();
        let of = |cell: &dyn Fn(&Entry) -> Option<String>| entry.and_then(cell).unwrap_or_default();
        let settings = |entry: &Entry| {
            let settings = entry.settings.as_ref()?.iter();
            let settings: Vec<String> = settings
                .map(|(name, value)| format!("{name}={}", plain(value)))
                .collect();
            Some(settings.join(" "))
        };
        [
            self.model.clone(),
            self.state.name().to_owned(),
            self.input.clone().unwrap_or_default(),
            of(&|entry| Some(entry.output.bytes.to_string())),
            of(&|entry| Some(entry.output.crc32.clone())),
            of(&|entry| entry.device.clone()),
            of(&|entry| Some(entry.steps.to_string())),
            of(&|entry| Some(entry.seed.to_string())),
            of(&settings),
            of(&|entry| entry.seconds.map(|seconds| format!("{seconds:.3}"))),
            of(&|entry| entry.quality_db.map(|quality| format!("{quality:.3}"))),
            of(&|entry| Some(entry.remarks.join("; "))),
            of(&|entry| Some(entry.weft.clone())),
        ]
    }
}

/// A value without the quotes of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The state of a texture that is there, and what is known of it. What can't be read is as good as damaged to whoever
/// wants to use it.
fn looked_at(path: &Path) -> (State, Option<Entry>) {
    match Standing::of(path) {
        Ok(Standing::Listed(entry)) => (State::Listed, Some(*entry)),
        Ok(Standing::Unlisted(entry)) => (State::Unlisted, Some(*entry)),
        Ok(Standing::Damaged(error)) => (State::Damaged(error.to_string()), None),
        Err(error) => (State::Damaged(error.to_string()), None),
    }
}
