//! How many jobs came to what end, and how that is told.

use super::job::Outcome;
use crate::report::{Record, Report};

/// How many jobs came to what end.
#[derive(Default)]
pub struct Tally {
    written: usize,
    skipped: usize,
    pub failed: usize,
}

impl Tally {
    pub fn add(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Written => &mut self.written,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Failed => &mut self.failed,
        } += 1;
    }

    pub fn tell(&self, report: &Report) {
        report.note(&self.words());
        report.done(&self.record());
    }

    /// Tells what a signal has left undone of so many jobs.
    pub fn tell_interrupted(&self, report: &Report, of: usize) {
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
