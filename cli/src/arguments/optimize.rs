//! The command line of `weft optimize`.

use std::fmt::Display;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use weft_lab::methods::{Antognini, Method, SynthesisSettings, Ulyanov};
use weft_lab::{DeviceChoice, LabError};

use super::shared::{WavArguments, optimized_seconds};
use crate::error::CliError;

/// Make a texture by a method of the papers: a spectrogram, optimised from noise
///
/// The methods:
///   antognini  Antognini, Hoffman & Weiss 2018: Gram matrices of six random networks,
///              autocorrelation, and diversity; 16 kHz, 2000 iterations
///   ulyanov    Ulyanov & Lebedev 2016: the Gram matrix of one random network with 4096
///              filters; 22.05 kHz, 300 iterations
///
/// The output is mono, at the method's sample rate. All of it is made at once, and every
/// iteration takes from a tenth of a second to seconds. Ctrl-C writes the best so far.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft optimize --method antognini fire.flac -o fire.wav
  weft optimize --method antognini clock.flac -o clock.wav --alpha 1e5 --iterations 500
  weft optimize --method antognini rain.flac -o stacked.wav --stacked --curves curves/
  weft optimize --method ulyanov rain.flac -o rain.wav --seconds 20 --seed 2"
)]
pub struct OptimizeArguments {
    /// The recording, or - for the standard input
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    #[command(flatten)]
    pub output: WavArguments,
    /// The method: antognini or ulyanov
    #[arg(long, value_enum, value_name = "METHOD", hide_possible_values = true)]
    method: MethodChoice,
    /// Iterations of L-BFGS [default: the paper's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    iterations: Option<u32>,
    /// Seed of networks, noise and phases
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Length of the output in seconds [default: the recording's]
    #[arg(long, value_name = "S", value_parser = optimized_seconds)]
    seconds: Option<f64>,
    /// Where to compute: auto, cpu, cuda or metal
    #[arg(long, value_enum, value_name = "DEVICE", default_value_t = Device::Auto, hide_possible_values = true)]
    device: Device,
    /// Write the losses as CSV and PNG into this folder, named as the output
    #[arg(long, value_name = "FOLDER")]
    pub curves: Option<PathBuf>,
    /// Filters of each network [default: 512; ulyanov: 4096]
    #[arg(long, value_name = "N")]
    filters: Option<usize>,
    /// antognini: frames that the widest filters see, 2 to 256 [default: 64]
    #[arg(long, value_name = "FRAMES")]
    widest: Option<usize>,
    /// antognini: six layers on top of each other instead of six networks
    #[arg(long)]
    stacked: bool,
    /// antognini: weight of the autocorrelation [default: 1000]
    #[arg(long, value_name = "X")]
    alpha: Option<f64>,
    /// antognini: weight of the diversity [default: 0.0001]
    #[arg(long, value_name = "X")]
    beta: Option<f64>,
    /// ulyanov: frames that a filter sees [default: 11]
    #[arg(long, value_name = "FRAMES")]
    kernel: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MethodChoice {
    Antognini,
    Ulyanov,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Device {
    Auto,
    Cpu,
    Cuda,
    Metal,
}

impl From<Device> for DeviceChoice {
    fn from(device: Device) -> Self {
        match device {
            Device::Auto => Self::Auto,
            Device::Cpu => Self::Cpu,
            Device::Cuda => Self::Cuda,
            Device::Metal => Self::Metal,
        }
    }
}

impl OptimizeArguments {
    pub fn settings(&self) -> SynthesisSettings {
        SynthesisSettings {
            seconds: self.seconds,
            iterations: self.iterations,
            seed: self.seed,
        }
    }

    pub fn device(&self) -> DeviceChoice {
        self.device.into()
    }

    /// The method with its options; fails for options of other methods, and for values that it does not take.
    pub fn method(&self) -> Result<Box<dyn Method>, CliError> {
        let usage = |error: LabError| CliError::Usage(error.to_string());
        match self.method {
            MethodChoice::Antognini => {
                self.refuse("antognini", &[("--kernel", self.kernel.is_some())])?;
                let default = Antognini::default();
                let has_widest = self.stacked && self.widest.is_some();
                self.refuse("antognini with --stacked", &[("--widest", has_widest)])?;
                let method = Antognini {
                    filters: self.filters.unwrap_or(default.filters),
                    widest: self.widest.unwrap_or(default.widest),
                    stacked: self.stacked,
                    alpha: self.alpha.unwrap_or(default.alpha),
                    beta: self.beta.unwrap_or(default.beta),
                };
                method.check().map_err(usage)?;
                Ok(Box::new(method))
            }
            MethodChoice::Ulyanov => {
                let others = [
                    ("--widest", self.widest.is_some()),
                    ("--stacked", self.stacked),
                    ("--alpha", self.alpha.is_some()),
                    ("--beta", self.beta.is_some()),
                ];
                self.refuse("ulyanov", &others)?;
                let default = Ulyanov::default();
                let method = Ulyanov {
                    filters: self.filters.unwrap_or(default.filters),
                    kernel: self.kernel.unwrap_or(default.kernel),
                };
                method.check().map_err(usage)?;
                Ok(Box::new(method))
            }
        }
    }

    /// Fails where an option was given that the method does not have.
    fn refuse(&self, method: impl Display, others: &[(&str, bool)]) -> Result<(), CliError> {
        match others.iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(CliError::Usage(format!(
                "{method} has no {option}: leave it out, or choose another method"
            ))),
            None => Ok(()),
        }
    }
}
