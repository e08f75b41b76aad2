//! Fills the cells of a table.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use weft_core::clip::{Clip, SampleFormat, SoundFile};
use weft_core::texture::score::Recording;

use super::error::TableError;
use super::figures::Figures;
use super::makers::{Made, Maker};
use super::recordings::Entry;
use super::results::{Outcome, Results};
use super::vggish::Vggish;

/// How a table is filled.
#[derive(Clone, Debug)]
pub struct TableSettings {
    /// Where the outcomes and the sounds go.
    pub folder: PathBuf,
    /// Seed of what is random in the methods.
    pub seed: u32,
    /// Longest part of a recording that counts, in seconds from its beginning.
    pub most_seconds: f64,
    /// Cells that are worked on at the same time, at least 1.
    pub jobs: usize,
    /// The network that is asked as well. What was made without it is made again.
    pub vggish: Option<Arc<Vggish>>,
}

/// What happens while a table is filled. The counts are of cells that were not known before.
#[derive(Debug)]
#[non_exhaustive]
pub enum TableEvent<'a> {
    /// A cell is known.
    Done {
        /// What came out.
        outcome: &'a Outcome,
        /// Cells so far.
        done: usize,
        /// Cells in all.
        of: usize,
    },
    /// A cell has no value.
    Failed {
        /// What went wrong.
        error: &'a TableError,
    },
}

/// Makes and scores the sound of every maker for every entry, but for those that `results` has, and keeps the
/// sounds beside it. Stops before the next cell once `is_cancelled`. What fails leaves its cell empty. Returns how
/// many did.
///
/// # Errors
/// If outcomes can't be kept.
pub fn fill(
    entries: &[Entry],
    makers: &[&dyn Maker],
    settings: &TableSettings,
    results: &Results,
    is_cancelled: &AtomicBool,
    on_event: &(dyn Fn(TableEvent<'_>) + Sync),
) -> Result<usize, TableError> {
    let cells: Vec<(&Entry, &dyn Maker)> = makers
        .iter()
        .flat_map(|maker| entries.iter().map(move |entry| (entry, *maker)))
        .filter(|(entry, maker)| {
            let known = results.find(&maker.name(), &entry.name, settings.seed);
            let lacks = |known: &Outcome| known.figures.vggish.is_none();
            known.is_none_or(|known| settings.vggish.is_some() && lacks(&known))
        })
        .collect();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failed = AtomicUsize::new(0);
    let unkept = Mutex::new(None);
    let work = || {
        while !is_cancelled.load(Ordering::Relaxed) {
            let Some(&(entry, maker)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            match cell(entry, maker, settings) {
                Ok(outcome) => {
                    if let Err(error) = results.add(outcome.clone()) {
                        *unkept.lock().unwrap_or_else(|e| e.into_inner()) = Some(error);
                        return;
                    }
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    on_event(TableEvent::Done {
                        outcome: &outcome,
                        done,
                        of: cells.len(),
                    });
                }
                Err(error) => {
                    failed.fetch_add(1, Ordering::Relaxed);
                    on_event(TableEvent::Failed { error: &error });
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..settings.jobs.min(cells.len()) {
            scope.spawn(work);
        }
        work();
    });
    match unkept.into_inner().unwrap_or_else(|e| e.into_inner()) {
        Some(error) => Err(error),
        None => Ok(failed.into_inner()),
    }
}

/// One cell: reads the recording, has the sound made, writes and scores it.
fn cell(entry: &Entry, maker: &dyn Maker, settings: &TableSettings) -> Result<Outcome, TableError> {
    let row = maker.name();
    let whole = SoundFile::read(&entry.path)?.clip;
    let recording = whole.trimmed(0.0, settings.most_seconds);
    let began = Instant::now();
    let made = maker
        .make(&recording, settings.seed)
        .map_err(|source| TableError::Make {
            path: entry.path.clone(),
            row: row.clone(),
            source: Box::new(source),
        })?;
    let seconds = began.elapsed().as_secs_f64();
    keep(&made.sound, &row, entry, settings)?;
    let mut figures = scored(&made, seconds).map_err(|source| TableError::Score {
        path: entry.path.clone(),
        row: row.clone(),
        source,
    })?;
    if let Some(vggish) = &settings.vggish {
        let distance = vggish.distance(&made.reference, &made.sound);
        figures.vggish = Some(distance.map_err(|source| TableError::Vggish {
            path: entry.path.clone(),
            row: row.clone(),
            source,
        })?);
    }
    Ok(Outcome {
        row,
        recording: entry.name.clone(),
        class: entry.class.clone(),
        seed: settings.seed,
        figures,
    })
}

fn scored(made: &Made, seconds: f64) -> Result<Figures, weft_core::texture::score::ScoreError> {
    let reference = Recording::new(&made.reference)?;
    Figures::take(&reference, &Recording::new(&made.sound)?, seconds)
}

/// Writes the sound of a cell, so that it can be heard.
fn keep(
    sound: &Clip,
    row: &str,
    entry: &Entry,
    settings: &TableSettings,
) -> Result<(), TableError> {
    let folder = settings.folder.join("sounds").join(row);
    let path = folder.join(format!("{}.wav", entry.name.replace('/', "_")));
    fs::create_dir_all(&folder).map_err(|source| TableError::File {
        path: folder.clone(),
        source,
    })?;
    Ok(sound.write_wav(&path, SampleFormat::Float32)?)
}
