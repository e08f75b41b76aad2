//! One file, or many: which inputs become which outputs, and how the work on them goes.

mod job;
mod kind;
mod names;
mod shard;
mod tally;

pub use job::Job;
pub use kind::{Kind, expand, files_in};
pub use shard::Shard;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::arguments::BatchArguments;
use crate::error::CliError;
use crate::files::{self, Output};
use crate::manifest::Manifest;
use crate::report::{Record, Report};
use crate::signals;
use names::output_names;
use tally::Tally;

/// All that a command has to do.
#[derive(Debug)]
pub struct Plan {
    jobs: Vec<Job>,
    /// Where the outputs go, if that is a folder: then what is there is not made again, and one failure does
    /// not end the rest.
    folder: Option<PathBuf>,
    /// What the folder says of its files, where it says something.
    manifest: Option<Manifest>,
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
            return Ok(Self {
                jobs,
                folder: None,
                manifest: None,
            });
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
            manifest: None,
        })
    }

    /// Leaves the jobs of one shard. The outputs have had their names by then, so that all shards agree on them.
    ///
    /// # Errors
    /// If there is nothing to share.
    pub fn sharded(mut self, shard: Option<Shard>) -> Result<Self, CliError> {
        let Some(shard) = shard else {
            return Ok(self);
        };
        if self.folder.is_none() {
            return Err(CliError::Usage(
                "--shard is for what goes into a folder: give -o a folder, or leave it out".into(),
            ));
        }
        // Shells of different machines may not agree on the order of what a pattern names.
        self.jobs.sort_by(|a, b| a.input.cmp(&b.input));
        self.jobs = shard.of(self.jobs);
        Ok(self)
    }

    /// Has the folder, if it is one, say what its files are: then what is there is looked at too.
    pub fn listed_in(mut self, manifest: Manifest) -> Self {
        self.manifest = self.folder.is_some().then_some(manifest);
        self
    }

    /// What is to be done.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
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
                let outcome = job.run(self.manifest.as_ref(), &report, &work);
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
