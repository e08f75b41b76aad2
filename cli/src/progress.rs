//! Progress: bars on the standard error, which indicatif hides where that is no terminal, and lines for programs.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::Report;
use crate::signals;

/// The least time between two lines of progress for programs.
const LINE_PERIOD: Duration = Duration::from_millis(250);

/// A bar of `length` units. `template` is indicatif's.
fn bar(report: &Report, length: u64, template: &str, label: &'static str) -> ProgressBar {
    if !report.shows_progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template)
        .expect("the templates below are well formed")
        .progress_chars("━╸─");
    let bar = ProgressBar::new(length)
        .with_style(style)
        .with_prefix(label);
    // The clock goes on where a step takes long.
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// A bar for a fit: steps, and the loss as the message.
pub fn fit_bar(report: &Report, steps: u32) -> ProgressBar {
    bar(
        report,
        steps.into(),
        "{prefix} {bar:32} {pos}/{len} steps, {msg}{eta} left",
        "fitting  ",
    )
}

/// A bar for an optimisation: iterations, and the loss and the time left as the message.
pub fn optimize_bar(report: &Report, iterations: u32) -> ProgressBar {
    bar(
        report,
        iterations.into(),
        "{prefix} {bar:32} {pos}/{len} iterations, {msg}",
        "optimizing",
    )
}

/// A bar for writing sound, in frames.
pub fn render_bar(report: &Report, frames: u64) -> ProgressBar {
    bar(
        report,
        frames,
        "{prefix} {bar:32} {percent} %, {eta} left",
        "rendering",
    )
}

/// The progress of one piece of work, in lines of JSON where these are asked for.
pub struct ProgressLines<'a> {
    report: &'a Report,
    /// When the last line was written.
    written: Option<Instant>,
}

impl<'a> ProgressLines<'a> {
    /// No line yet.
    pub fn new(report: &'a Report) -> Self {
        Self {
            report,
            written: None,
        }
    }

    /// Tells that `step` of so many `steps` is done, and how many seconds are left, where that is known: a few times a
    /// second, and at the end in any case. A program that has stopped reading is gone, and nobody else wants what is
    /// made for it: then the work ends.
    pub fn tell(&mut self, step: u32, steps: u32, seconds_left: Option<f64>) {
        let is_due = self.written.is_none_or(|at| at.elapsed() >= LINE_PERIOD);
        if !is_due && step < steps {
            return;
        }
        self.written = Some(Instant::now());
        let done = f64::from(step) / f64::from(steps.max(1));
        if let Err(error) = self.report.progress(done, seconds_left)
            && error.kind() == ErrorKind::BrokenPipe
        {
            signals::end_as_by_broken_pipe();
        }
    }
}
