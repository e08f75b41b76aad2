//! `cargo xtask`: the project's own commands.

mod bundles;
mod cargo;
mod checks;
mod paths;
mod process;
mod python;
mod sanitize;
mod tally;

use std::process::ExitCode;

use checks::HostedBuild;
use clap::{Parser, Subcommand};
use sanitize::Sanitizer;
use weft_hosts::demo_options::DemoOptions;

/// Builds, shows, tests and installs Weft.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the plugin and let a real host capture and play an endless texture.
    ///
    /// Builds the release bundles, loads the CLAP in a host in this process, plays AUDIO_FILE into
    /// its capture input, triggers the capture, waits for the fit, and records what Weft plays
    /// after the input has gone silent. Leaves target/demo/capture.wav, endless.wav and weft.png
    /// (both spectrograms). The same file, seed and steps give the same samples every time.
    Demo(DemoOptions),
    /// Run every test: the one command that says whether this checkout is good.
    ///
    /// Formatting, lints, documentation, the tests of the workspace and of its documentation (model
    /// checks of what threads hand each other among them), and then the built bundles in real
    /// hosts: CLAP, VST3, and the Python hosts dawdreamer and pedalboard. The last line is
    /// `N passed, N failed, N skipped`; what is skipped is told with its reason.
    Test {
        /// Leave out the bundles and the hosts.
        #[arg(long, conflicts_with = "release")]
        quick: bool,
        /// Drive the release bundles in the hosts, as before a release: they take minutes to
        /// build. Else it is the plugin as the other tests have it, with its own checks, which a
        /// release leaves out.
        #[arg(long)]
        release: bool,
    },
    /// Run the instrument's tests under AddressSanitizer and ThreadSanitizer.
    ///
    /// Needs Linux or macOS; ThreadSanitizer also needs the sources of the standard library
    /// (`rustup component add rust-src`). What is not possible is told with its reason. Fails on a
    /// finding.
    Sanitize {
        /// The only one to run.
        sanitizer: Option<Sanitizer>,
    },
    /// Build plugin bundles into target/bundled, as in `bundle weft --release`.
    Bundle {
        /// The package and options of `cargo build`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<String>,
    },
    /// Report what the fit does on this machine's graphics processor: parity with the processor, steps and frames a
    /// second, the share of the device's peak, and fits of 1, 2, 5 and 10 seconds.
    ///
    /// Builds the report with `cuda` (on macOS with `metal`), and runs it. Its arguments are a folder for models and
    /// renderings, then recordings to fit; `--seconds 1,5` chooses how long, `--frames N` how many frames the last steps
    /// have, `--device cpu` what it runs on.
    GpuReport {
        /// A folder for the results, options, and recordings.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<String>,
    },
    /// Build the release bundles and copy them into your plugin folders, with the `weft` tool beside them, which makes
    /// their imprints and, built for a graphics processor, their fits.
    Install {
        /// Features of the tool: cuda, metal or onnx, with commas between.
        #[arg(long, default_value = "")]
        features: String,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(_) => bundles::demo(),
        Command::Test { quick, release } => checks::run(match (quick, release) {
            (true, _) => HostedBuild::None,
            (false, false) => HostedBuild::Development,
            (false, true) => HostedBuild::Release,
        }),
        Command::Sanitize { sanitizer } => sanitize::run(sanitizer),
        Command::Bundle { arguments } => nice_plug_xtask::main_with_args(
            "cargo xtask",
            std::iter::once("bundle".to_owned()).chain(arguments),
        )
        .and_then(|()| bundles::remove_false_standalone())
        .map(|()| true),
        Command::GpuReport { arguments } => {
            let feature = if cfg!(target_os = "macos") {
                "metal"
            } else {
                "cuda"
            };
            let report = [
                "run",
                "--release",
                "--package",
                "weft-lab",
                "--features",
                feature,
                "--example",
                "gpu_report",
                "--",
            ];
            process::succeeds(cargo::cargo(&report).args(arguments))
        }
        Command::Install { features } => bundles::install(&features).map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
