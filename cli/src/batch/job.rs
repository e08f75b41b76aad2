//! One input, and what becomes of it.

use std::path::PathBuf;

use crate::error::CliError;
use crate::files::{self, Output};
use crate::manifest::{FileMark, Kept, Manifest};
use crate::report::{Record, Report};
use crate::signals;

/// One input, and what is to be made of it.
#[derive(Debug)]
pub struct Job {
    pub input: PathBuf,
    pub output: Output,
}

/// What became of a job.
pub enum Outcome {
    Written,
    Skipped,
    Failed,
}

impl Job {
    /// Does `work`, unless its output is there already and nothing is wrong with it; tells what became of it, and
    /// keeps that in the manifest, where there is one.
    pub fn run(
        &self,
        manifest: Option<&Manifest>,
        report: &Report,
        work: &impl Fn(&Self, &Report) -> Result<Record, CliError>,
    ) -> Outcome {
        match self.result(manifest, report, work) {
            Ok(outcome) => outcome,
            Err(error) => {
                signals::rest_if_ending();
                let error = error.of(&self.input, &self.output.path);
                report.error(&error, Some(&files::shown(&self.input)));
                Outcome::Failed
            }
        }
    }

    fn result(
        &self,
        manifest: Option<&Manifest>,
        report: &Report,
        work: &impl Fn(&Self, &Report) -> Result<Record, CliError>,
    ) -> Result<Outcome, CliError> {
        // Of the input as it is before the work. What can't be read is told by the work.
        let input = manifest.and_then(|_| FileMark::of(&self.input).ok());
        let mut force = self.output.force;
        // A file is no output of itself; then the work says so.
        if self.output.is_kept() && !self.output.is_same_as(&self.input) {
            let kept = match manifest {
                Some(manifest) => manifest.keep(&self.output.path, input.as_ref())?,
                None => Kept::AsItIs,
            };
            match kept {
                Kept::AsItIs => return Ok(self.skip("is there", report)),
                Kept::Listed => return Ok(self.skip("is there, and is listed now", report)),
                Kept::Damaged(error) => {
                    let output = files::shown(&self.output.path);
                    report.remark(&format!("{output} is made again: {error}"));
                    force = true;
                }
            }
        }
        let job = Self {
            input: self.input.clone(),
            output: Output {
                path: self.output.path.clone(),
                force,
            },
        };
        let record = work(&job, report)?;
        if let Some(manifest) = manifest {
            manifest.list(&job.output.path, input, &record)?;
        }
        report.done(&record);
        Ok(Outcome::Written)
    }

    fn skip(&self, why: &str, report: &Report) -> Outcome {
        let input = files::shown(&self.input);
        let output = files::shown(&self.output.path);
        report.note(&format!("skipped {input}: {output} {why}"));
        report.done(&Record::from_iter([
            ("input".into(), input.into()),
            ("output".into(), output.into()),
            ("status".into(), "skipped".into()),
        ]));
        Outcome::Skipped
    }
}
