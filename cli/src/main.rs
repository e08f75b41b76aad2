//! The `weft` command line tool.
//!
//! Exit codes: 0 for success, 1 for a failure (told in one line on the standard error; of several files, some
//! may be written), 2 for a command line that makes no sense. Where a signal ends it, or nobody reads the sound that
//! it writes any more, it ends by that signal (in a shell 130, 143, 129 or 141).

mod arguments;
mod batch;
mod chart;
mod commands;
mod error;
mod files;
mod manifest;
mod progress;
mod report;
mod serve;
mod signals;
mod source;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use report::Report;

fn main() -> ExitCode {
    // clap itself exits with code 2, and with 0 for --help and --version.
    let arguments = Arguments::parse();
    signals::watch();
    let report = Report {
        json: arguments.json,
        quiet: arguments.quiet,
        output_is_taken: arguments.command.writes_standard_output(),
        is_parallel: false,
    };
    let result = match &arguments.command {
        Command::Texture(arguments) => commands::texture(arguments, &report),
        Command::Fit(arguments) => commands::fit(arguments, &report),
        Command::Refine(arguments) => commands::refine(arguments, &report),
        Command::Render(arguments) => commands::render(arguments, &report),
        Command::Optimize(arguments) => commands::optimize(arguments, &report),
        Command::Transfer(arguments) => commands::transfer(arguments, &report),
        Command::Synthesize(arguments) => commands::synthesize(arguments, &report),
        Command::Score(arguments) => commands::score(arguments, &report),
        Command::Info(arguments) => commands::info(arguments, &report),
        Command::Table(arguments) => commands::table(arguments, &report),
        Command::Summary(arguments) => commands::summary(arguments, &report),
        Command::Serve(arguments) => serve::serve(arguments.device()),
        Command::Devices(_) => commands::devices(&report),
    };
    match result {
        Ok(()) => {
            signals::end_if_caught();
            ExitCode::SUCCESS
        }
        Err(error) => {
            signals::rest_if_ending();
            if error.is_broken_pipe() {
                signals::end_as_by_broken_pipe();
            } else {
                let input = arguments.command.single_input().map(files::shown);
                report.error(&error, input.as_deref());
            }
            error.exit_code().into()
        }
    }
}
