//! One file, or many: which inputs become which outputs, and how the work on them goes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use weft_core::clip::SOUND_EXTENSIONS;

use crate::arguments::BatchArguments;
use crate::error::CliError;
use crate::files::{self, Output};
use crate::report::{Record, Report};
use crate::signals;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sound in any form.
    Sound,
    /// A WAV file.
    Wav,
    /// A `.weft` file.
    Texture,
    /// Sound or a texture.
    Any,
}

impl Kind {
    /// The endings that its files have; in a folder, no others are looked at.
    fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Sound => &SOUND_EXTENSIONS,
            Self::Wav => &["wav"],
            Self::Texture | Self::Any => &["weft"],
        }
    }

    fn has(self, path: &Path) -> bool {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|found| {
            let sounds = if self == Self::Any {
                &SOUND_EXTENSIONS[..]
            } else {
                &[]
            };
            let mut known = self.extensions().iter().chain(sounds);
            known.any(|known| found.eq_ignore_ascii_case(known))
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound file",
            Self::Wav => "WAV file",
            Self::Texture => "Weft texture",
            Self::Any => "sound file or Weft texture",
        }
    }
}

/// One input, and what is to be made of it.
#[derive(Debug)]
pub struct Job {
    pub input: PathBuf,
    pub output: Output,
}

/// All that a command has to do.
#[derive(Debug)]
pub struct Plan {
    jobs: Vec<Job>,
    /// Where the outputs go, if that is a folder: then what is there is not made again, and one failure does
    /// not end the rest.
    folder: Option<PathBuf>,
}

/// The files that `inputs` name, folders by those of `kind` in them, in the order of their names. Subfolders are
/// not entered.
pub fn expand(inputs: &[PathBuf], kind: Kind) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for input in inputs {
        if files::is_standard(input) || !input.is_dir() {
            files.push(input.clone());
            continue;
        }
        let failed = |source| CliError::Folder {
            path: input.clone(),
            source,
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(input).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if kind.has(&path) && !name.starts_with('.') && path.is_file() {
                found.push(path);
            }
        }
        if found.is_empty() {
            return Err(CliError::EmptyFolder {
                path: input.clone(),
                what: kind.name(),
            });
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

impl Plan {
    /// Plans what `inputs` of one kind become: the file `output`, or files of another kind in the folder `output`.
    ///
    /// # Errors
    /// If the command line makes no sense, or a folder can't be read.
    pub fn new(
        inputs: &[PathBuf],
        from: Kind,
        output: &Output,
        to: Kind,
    ) -> Result<Self, CliError> {
        let path = &output.path;
        let ends_as_folder = path.as_os_str().to_string_lossy().ends_with(['/', '\\']);
        let is_file = files::is_standard(path) || (to.has(path) && !ends_as_folder);
        // A folder that is to become a file is told by whoever reads it.
        if let ([input], true) = (inputs, is_file) {
            let jobs = vec![Job {
                input: input.clone(),
                output: output.clone(),
            }];
            return Ok(Self { jobs, folder: None });
        }
        if is_file {
            return Err(CliError::Usage(format!(
                "several files can't become one: give -o a folder instead of '{}'",
                path.display()
            )));
        }
        let is_single = matches!(inputs, [input] if files::is_standard(input) || !input.is_dir());
        if is_single && !ends_as_folder && !path.is_dir() {
            return Err(CliError::Usage(format!(
                "a {} is written: give -o a name that ends in .{}, or a folder with / at its end, \
                 instead of '{}'",
                to.name(),
                to.extensions()[0],
                path.display()
            )));
        }
        let inputs = expand(inputs, from)?;
        let names = output_names(&inputs, to.extensions()[0]);
        let jobs = inputs.into_iter().zip(names).map(|(input, name)| Job {
            input,
            output: Output {
                path: path.join(name),
                force: output.force,
            },
        });
        Ok(Self {
            jobs: jobs.collect(),
            folder: Some(path.clone()),
        })
    }

    /// Does `work` for every job.
    ///
    /// # Errors
    /// For a single file what went wrong; else how many failed.
    pub fn run(
        &self,
        batch: &BatchArguments,
        report: &Report,
        work: impl Fn(&Job, &Report) -> Result<Record, CliError> + Sync,
    ) -> Result<(), CliError> {
        let Some(folder) = &self.folder else {
            let job = &self.jobs[0];
            report.done(&work(job, report)?);
            return Ok(());
        };
        fs::create_dir_all(folder).map_err(|source| CliError::Folder {
            path: folder.clone(),
            source,
        })?;
        let threads = batch.jobs().min(self.jobs.len());
        let report = Report {
            is_parallel: threads > 1,
            ..*report
        };
        let next = AtomicUsize::new(0);
        let tally = Arc::new(Mutex::new(Tally::default()));
        let (so_far, of) = (tally.clone(), self.jobs.len());
        signals::set_last_words(move || {
            let so_far = so_far.lock().expect("counting does not panic");
            so_far.tell_interrupted(&report, of);
        });
        let go_on = || {
            while let Some(job) = self.jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let outcome = job.run(&report, &work);
                tally.lock().expect("counting does not panic").add(outcome);
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(go_on);
            }
            go_on();
        });
        // If a signal is ending all this, it has said so.
        signals::rest_if_ending();
        drop(signals::take_last_words());
        let tally = tally.lock().expect("counting does not panic");
        tally.tell(&report);
        match tally.failed {
            0 => Ok(()),
            failed => Err(CliError::SomeFailed {
                failed,
                of: self.jobs.len(),
            }),
        }
    }
}

/// What became of a job.
enum Outcome {
    Written,
    Skipped,
    Failed,
}

impl Job {
    /// Does `work`, unless its output is there already.
    fn run(
        &self,
        report: &Report,
        work: &impl Fn(&Self, &Report) -> Result<Record, CliError>,
    ) -> Outcome {
        let input = files::shown(&self.input);
        // A file is no output of itself; then the work says so.
        if self.output.is_kept() && !self.output.is_same_as(&self.input) {
            let output = files::shown(&self.output.path);
            report.note(&format!("skipped {input}: {output} is there"));
            report.done(&Record::from_iter([
                ("input".into(), input.into()),
                ("output".into(), output.into()),
                ("status".into(), "skipped".into()),
            ]));
            return Outcome::Skipped;
        }
        match work(self, report) {
            Ok(record) => {
                report.done(&record);
                Outcome::Written
            }
            Err(error) => {
                signals::rest_if_ending();
                let error = error.of(&self.input, &self.output.path);
                report.error(&error, Some(&input));
                Outcome::Failed
            }
        }
    }
}

/// How many jobs came to what end.
#[derive(Default)]
struct Tally {
    written: usize,
    skipped: usize,
    failed: usize,
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Written => &mut self.written,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Failed => &mut self.failed,
        } += 1;
    }

    fn tell(&self, report: &Report) {
        report.note(&self.words());
        report.done(&self.record());
    }

    /// Tells what a signal has left undone of so many jobs.
    fn tell_interrupted(&self, report: &Report, of: usize) {
        let left = of - self.written - self.skipped - self.failed;
        report.note(&format!(
            "interrupted: {}, {left} left; the same command goes on from here",
            self.words()
        ));
        let mut record = self.record();
        record.insert("left".into(), left.into());
        record.insert("status".into(), "interrupted".into());
        report.done(&record);
    }

    fn words(&self) -> String {
        let Self {
            written,
            skipped,
            failed,
        } = self;
        format!("{written} written, {skipped} skipped, {failed} failed")
    }

    fn record(&self) -> Record {
        let counts = [
            ("written", self.written),
            ("skipped", self.skipped),
            ("failed", self.failed),
        ];
        Record::from_iter(counts.map(|(name, count)| (name.to_owned(), count.into())))
    }
}

/// Names of the outputs: those of the inputs with another ending, behind their own one where two would be the same.
/// They are the inputs' to the byte, also where they are no text.
fn output_names(inputs: &[PathBuf], extension: &str) -> Vec<OsString> {
    let stem = |input: &Path| {
        if files::is_standard(input) {
            return files::STANDARD_NAME.into();
        }
        input.file_stem().unwrap_or_default().to_os_string()
    };
    let mut uses: BTreeMap<OsString, usize> = BTreeMap::new();
    for input in inputs {
        *uses.entry(stem(input)).or_default() += 1;
    }
    let mut taken: BTreeMap<OsString, usize> = BTreeMap::new();
    let names = inputs.iter().map(|input| {
        let mut name = stem(input);
        if uses[&name] > 1
            && let Some(file_name) = input.file_name()
        {
            name = file_name.to_os_string();
        }
        // The same name in several folders.
        let count = taken.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            name.push(format!(" {count}"));
        }
        name.push(format!(".{extension}"));
        name
    });
    names.collect()
}
