//! The tool at work: what it says is read as it comes, and it is ended where nobody wants it any more, where it gets
//! nowhere, and where it is no tool of ours.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::board::Board;
use super::error::ImprintError;
use crate::program::{Process, in_short, last_complaint};

/// Between two looks at what it says. A cancellation is heeded at once.
const LOOK_PERIOD: Duration = Duration::from_millis(20);
/// Bytes that are taken at one look.
const LOOK: usize = 16 * 1024;
/// The longest line, in bytes: the tool's own have a few hundred, and a file's name.
const LONGEST_LINE: usize = 16 * 1024;
/// The most that it may say and complain of, in bytes: progress of hours, of which there are four lines a second.
const MOST_OUTPUT: usize = 4 * 1024 * 1024;
/// The last of what it complains of is kept, in bytes.
const KEPT_ERRORS: usize = 4 * 1024;

/// How a program's work ended that was not broken off.
type Outcome = Result<(), ImprintError>;

/// Runs the tool at `path`, as `command` has it, until it has done its work; its progress is shown on the `board`. It
/// is ended where the board says so, and where its work has not gone on for so long as `patience` has.
///
/// # Errors
/// Whatever kept it from doing its work.
pub fn run(path: &Path, command: &mut Command, patience: Duration, board: &Board) -> Outcome {
    let process = Process::start(command).map_err(|source| ImprintError::Start {
        path: path.to_path_buf(),
        source,
    })?;
    let mut helper = Helper {
        process,
        board,
        line: Vec::new(),
        taken: 0,
        errors: Vec::new(),
        failure: None,
        moved: Instant::now(),
    };
    loop {
        if board.is_cancelled() {
            return Err(ImprintError::Cancelled);
        }
        // In this order: what it said before it ended is all there.
        let has_ended = helper.process.has_ended();
        let is_all = helper.listen()?;
        if has_ended && is_all {
            return helper.outcome();
        }
        if helper.moved.elapsed() > patience {
            return Err(ImprintError::Silent {
                seconds: patience.as_secs_f64(),
            });
        }
        if is_all {
            thread::park_timeout(LOOK_PERIOD);
        }
    }
}

/// The tool, and what it has said.
struct Helper<'a> {
    process: Process,
    board: &'a Board,
    /// The line that is not over.
    line: Vec<u8>,
    /// Bytes so far.
    taken: usize,
    /// The last of its complaints.
    errors: Vec<u8>,
    /// What it said went wrong.
    failure: Option<String>,
    /// When its work has gone on last.
    moved: Instant,
}

impl Helper<'_> {
    /// Takes a piece of what it says and complains of. Returns whether there was no more than that.
    fn listen(&mut self) -> Result<bool, ImprintError> {
        let mut room = [0; LOOK];
        let errors = self.process.errors.take(&mut room);
        let errors = errors.map_err(ImprintError::Follow)?.bytes();
        self.errors.extend_from_slice(&room[..errors]);
        let old = self.errors.len().saturating_sub(KEPT_ERRORS);
        self.errors.drain(..old);

        let output = self.process.output.take(&mut room);
        let output = output.map_err(ImprintError::Follow)?.bytes();
        self.taken += errors + output;
        if self.taken > MOST_OUTPUT {
            return Err(ImprintError::TooMuch(MOST_OUTPUT));
        }
        for &byte in &room[..output] {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.heed(&line)?;
            } else if self.line.len() == LONGEST_LINE {
                return Err(foreign(&self.line));
            } else {
                self.line.push(byte);
            }
        }
        Ok(errors + output == 0)
    }

    /// Takes a line that it said.
    fn heed(&mut self, line: &[u8]) -> Result<(), ImprintError> {
        let Ok(Value::Object(record)) = serde_json::from_slice(line) else {
            return Err(foreign(line));
        };
        match record.get("status").and_then(Value::as_str) {
            Some("progress") => {
                let number = |name: &str| record.get(name).and_then(Value::as_f64);
                let done = number("done").unwrap_or(0.0) as f32;
                if self.board.show(done, number("seconds_left")) {
                    self.moved = Instant::now();
                }
            }
            Some("failed") => {
                let error = record.get("error").and_then(Value::as_str);
                self.failure = error.map(in_short);
            }
            // What became of the file is seen in the file.
            _ => {}
        }
        Ok(())
    }

    /// How it has ended.
    fn outcome(mut self) -> Outcome {
        let status = self.process.end();
        // Where the host has taken the status, the file tells.
        if status.is_none_or(|status| status.success()) && self.failure.is_none() {
            return Ok(());
        }
        let told = self.failure.or_else(|| last_complaint(&self.errors));
        let told = told.or_else(|| status.map(|status| format!("the tool ended with {status}")));
        Err(ImprintError::Failed(told.unwrap_or_else(|| {
            "the tool ended without a word".to_owned()
        })))
    }
}

fn foreign(line: &[u8]) -> ImprintError {
    ImprintError::Foreign(in_short(&String::from_utf8_lossy(line)))
}
