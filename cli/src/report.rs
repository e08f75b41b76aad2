//! What is said of the work, and how: in words, as JSON, or not at all.

use std::io::{self, Write};

use serde_json::{Map, Value};
use weft_core::clip::Remark;

use crate::error::CliError;

/// What a command tells of one file, by name.
pub type Record = Map<String, Value>;

/// How a command speaks.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// One line of JSON for each file instead of words.
    pub json: bool,
    /// Nothing but errors, and results that were asked for.
    pub quiet: bool,
    /// The standard output carries sound: what is said goes to the standard error.
    pub output_is_taken: bool,
    /// Several files at once: no progress bars.
    pub is_parallel: bool,
}

impl Report {
    /// Whether somebody may look at a progress bar.
    pub fn shows_progress(&self) -> bool {
        !(self.json || self.quiet || self.is_parallel)
    }

    /// Words on the way.
    pub fn note(&self, line: &str) {
        if !self.json && !self.quiet {
            self.print(&one_line(line));
        }
    }

    /// What is to be said of a recording: on the standard error, as it is no result. Programs find it in the record.
    pub fn remark(&self, line: &str) {
        if !self.json && !self.quiet {
            // Nobody listening there is no error.
            let _ = writeln!(io::stderr(), "weft: remark: {}", one_line(line));
        }
    }

    /// What became of a file, for programs; in words it was said on the way.
    pub fn done(&self, record: &Record) {
        if self.json {
            self.print(&json(record));
        }
    }

    /// What was asked for.
    pub fn result(&self, words: &str, record: &Record) {
        if self.json {
            self.print(&json(record));
        } else {
            self.print(words.trim_end());
        }
    }

    /// How far a long piece of work is, for programs: the part that is `done`, 0 to 1, and the seconds that are left,
    /// where that is known. Fails where nobody reads that any more.
    pub fn progress(&self, done: f64, seconds_left: Option<f64>) -> io::Result<()> {
        if !self.json {
            return Ok(());
        }
        let mut record = Record::new();
        record.insert("status".into(), "progress".into());
        record.insert("done".into(), done.into());
        if let Some(seconds) = seconds_left {
            record.insert("seconds_left".into(), seconds.into());
        }
        self.write(&json(&record))
    }

    /// What went wrong: one line on the standard error, and for programs a record too. `file` names what it was
    /// about, among others.
    pub fn error(&self, error: &CliError, file: Option<&str>) {
        // One line, whatever a library put into its message.
        let message = error.to_string();
        let words: Vec<&str> = message.split_whitespace().collect();
        let message = words.join(" ");
        // Nobody listening there is no error.
        let _ = writeln!(io::stderr(), "weft: error: {message}");
        if self.json {
            let mut record = Record::new();
            if let Some(file) = file {
                record.insert("input".into(), file.into());
            }
            record.insert("status".into(), "failed".into());
            record.insert("error".into(), message.into());
            self.print(&json(&record));
        }
    }

    /// A line where nobody listening is no error.
    fn print(&self, line: &str) {
        let _ = self.write(line);
    }

    /// Writes a line, which can be read at once.
    fn write(&self, line: &str) -> io::Result<()> {
        if self.output_is_taken {
            return writeln!(io::stderr(), "{line}");
        }
        let mut output = io::stdout().lock();
        writeln!(output, "{line}")?;
        output.flush()
    }
}

/// What is to be said of a recording, as the plugin says it.
pub fn in_words(remarks: &[Remark]) -> Vec<String> {
    remarks.iter().map(ToString::to_string).collect()
}

/// Words on one line, whatever a file's name holds.
pub fn one_line(words: &str) -> String {
    let escaped = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    words.chars().map(escaped).collect()
}

fn json(record: &Record) -> String {
    serde_json::to_string(record).expect("plain names and values")
}
