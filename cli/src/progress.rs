//! Progress bars on the standard error; indicatif hides them where that is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::report::Report;

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
