//! The command line of `weft optimize`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use weft_lab::methods::{Antognini, Huzaifah, McDermott, SynthesisSettings, Synthesizer, Ulyanov};
use weft_lab::{DeviceChoice, LabError};

use super::network::NetworkArguments;
use super::shared::{Device, WavArguments, optimized_seconds};
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
    /// The method: antognini, ulyanov, huzaifah or mcdermott
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
    /// Filters of a network [default: antognini 512, others 4096; 64 for huzaifah's 2d]
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
    /// ulyanov, huzaifah: frames (or rows) that a filter sees [default: 11]
    #[arg(long, value_name = "FRAMES")]
    kernel: Option<usize>,
    #[command(flatten)]
    network: NetworkArguments,
    /// huzaifah: weight of each recording's Gram matrices [default: all the same]
    #[arg(long, value_name = "X,...", value_delimiter = ',')]
    weights: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MethodChoice {
    Antognini,
    Ulyanov,
    Huzaifah,
    Mcdermott,
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
        let usage = |error: LabError| CliError::Usage(error.to_string());
        let has_several = self.inputs.len() > 1;
        if has_several && self.method != MethodChoice::Huzaifah {
            return Err(CliError::Usage(
                "this method takes one recording: name one, or choose huzaifah".into(),
            ));
        }
        match self.method {
            MethodChoice::Antognini => {
                self.refuse_but(
                    "antognini",
                    &["--filters", "--widest", "--stacked", "--alpha", "--beta"],
                )?;
                if self.stacked && self.widest.is_some() {
                    return Err(no_option("antognini with --stacked", "--widest"));
                }
                let default = Antognini::default();
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
                self.refuse_but("ulyanov", &["--filters", "--kernel"])?;
                let default = Ulyanov::default();
                let method = Ulyanov {
                    filters: self.filters.unwrap_or(default.filters),
                    kernel: self.kernel.unwrap_or(default.kernel),
                };
                method.check().map_err(usage)?;
                Ok(Box::new(method))
            }
            MethodChoice::Huzaifah => {
                let others = ["--filters", "--kernel", "--weights"];
                self.refuse_but("huzaifah", &[&others, NetworkArguments::NAMES].concat())?;
                let mut method = self.network.method(Huzaifah::default());
                method.filters = self.filters;
                method.kernel = self.kernel.unwrap_or(method.kernel);
                method.check().map_err(usage)?;
                Ok(Box::new(method))
            }
            MethodChoice::Mcdermott => {
                self.refuse_but("mcdermott", &[])?;
                Ok(Box::new(McDermott::default()))
            }
        }
    }

    /// Fails where an option was given that the method does not have.
    fn refuse_but(&self, method: &str, its: &[&str]) -> Result<(), CliError> {
        let mut given = vec![
            ("--filters", self.filters.is_some()),
            ("--widest", self.widest.is_some()),
            ("--stacked", self.stacked),
            ("--alpha", self.alpha.is_some()),
            ("--beta", self.beta.is_some()),
            ("--kernel", self.kernel.is_some()),
            ("--weights", !self.weights.is_empty()),
        ];
        given.extend(self.network.given());
        let mut others = given.iter().filter(|(option, _)| !its.contains(option));
        match others.find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(no_option(method, option)),
            None => Ok(()),
        }
    }
}

fn no_option(method: &str, option: &str) -> CliError {
    CliError::Usage(format!(
        "{method} has no {option}: leave it out, or choose another method"
    ))
}
