//! The `weft` command line tool.
//!
//! Exit codes: 0 for success, 1 for a failure (told in one line on the standard error), 2 for a
//! command line that makes no sense.

mod arguments;
mod commands;
mod error;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    // clap itself exits with code 2, and with 0 for --help and --version.
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Texture(arguments) => commands::texture(&arguments),
        Command::Fit(arguments) => commands::fit(&arguments),
        Command::Refine(arguments) => commands::refine(&arguments),
        Command::Render(arguments) => commands::render(&arguments),
        Command::Synthesize(arguments) => commands::synthesize(&arguments),
        Command::Score(arguments) => commands::score(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, whatever a library put into its message.
            let message = error.to_string();
            let words: Vec<&str> = message.split_whitespace().collect();
            eprintln!("weft: error: {}", words.join(" "));
            ExitCode::FAILURE
        }
    }
}
