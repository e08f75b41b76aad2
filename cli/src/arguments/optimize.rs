//! The command line of `weft optimize`.

use std::path::PathBuf;

use clap::Args;
use weft_lab::DeviceChoice;
use weft_lab::methods::{SynthesisSettings, Synthesizer};

use super::effort::Device;
use super::method::{MethodArguments, no_option};
use super::shared::{WavArguments, optimized_seconds};
use crate::error::CliError;

/// Make a texture by a method of the research literature: optimised from noise
///
/// The methods:
///   antognini  Antognini, Hoffman & Weiss 2018: Gram matrices of six random networks,
///              autocorrelation, and diversity; 16 kHz, 2000 iterations
///   ulyanov    Ulyanov & Lebedev 2016: the Gram matrix of one random network with 4096
///              filters; 22.05 kHz, 300 iterations
///   huzaifah   Huzaifah & Wyse 2019: Gram matrices of a random network along frequency, time
///              or both, on three scales, of one recording or several; 22.05 kHz, 500 iterations
///   mcdermott  McDermott & Simoncelli 2011: statistics of the auditory periphery, by their
///              gradient; 20 kHz, 200 iterations
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
  weft optimize --method ulyanov rain.flac -o rain.wav --seconds 20 --seed 2
  weft optimize --method huzaifah birds.flac -o birds.wav --axis 2d --scale constant-q
  weft optimize --method huzaifah rain.flac wind.flac -o storm.wav --weights 2,1
  weft optimize --method mcdermott fire.flac -o fire.wav"
)]
pub struct OptimizeArguments {
    /// The recording, or - for the standard input; huzaifah takes several
    #[arg(value_name = "IN", required = true)]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub output: WavArguments,
    #[command(flatten)]
    method: MethodArguments,
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
    /// huzaifah: weight of each recording's Gram matrices [default: all the same]
    #[arg(long, value_name = "X,...", value_delimiter = ',')]
    weights: Vec<f64>,
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

    /// The weights of the recordings, as many as there are.
    pub fn weights(&self) -> Result<Vec<f64>, CliError> {
        let (weights, inputs) = (self.weights.len(), self.inputs.len());
        match weights {
            0 => Ok(vec![1.0; inputs]),
            _ if weights == inputs => Ok(self.weights.clone()),
            _ => Err(CliError::Usage(format!(
                "there are {weights} --weights for {inputs} recordings: give one for each"
            ))),
        }
    }

    /// The method with its options; fails for options of other methods, and for values that it does not take.
    pub fn method(&self) -> Result<Box<dyn Synthesizer>, CliError> {
        let method = self.method.method(self.inputs.len())?;
        match self.weights.is_empty() || self.method.takes_several() {
            true => Ok(method),
            false => Err(no_option(method.name(), "--weights")),
        }
    }
}
