//! The command line of `weft transfer`.

use std::path::PathBuf;

use clap::Args;
use weft_lab::DeviceChoice;
use weft_lab::methods::{SynthesisSettings, Transfer};

use super::effort::Device;
use super::network::NetworkArguments;
use super::shared::WavArguments;
use crate::error::CliError;

/// Make one recording's gestures in another's matter: a transfer of style
///
/// The content is what a random network's third layer finds in the one recording, the style the
/// Gram matrix of what its first layer finds in the other (Huzaifah & Wyse 2019). --envelopes
/// also holds the content's energy over time and over frequency (Verma & Smith 2018).
///
/// The output is mono, at 22.05 kHz, as long and as loud as the content. The parts of the loss
/// are told, and how near the output's energy envelopes come to the content's. Ctrl-C writes
/// the best so far.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft transfer --content steps.flac --style rain.flac -o wet.wav
  weft transfer --content steps.flac --style rain.flac -o wet.wav --envelopes --from noise
  weft transfer --content birds.flac --style surf.flac -o shore.wav --style-weight 1e8"
)]
pub struct TransferArguments {
    /// The recording whose gestures are kept
    #[arg(long, value_name = "A")]
    pub content: PathBuf,
    /// The recording whose matter they get
    #[arg(long, value_name = "B")]
    pub style: PathBuf,
    #[command(flatten)]
    pub output: WavArguments,
    /// Hold the content's energy over time and frequency as well, from 10 for both weights
    #[arg(long)]
    envelopes: bool,
    /// With --envelopes: weight of the energy over frequency [default: 10]
    #[arg(long, value_name = "X", requires = "envelopes")]
    gamma: Option<f64>,
    /// With --envelopes: weight of the energy over time [default: 10]
    #[arg(long, value_name = "X", requires = "envelopes")]
    delta: Option<f64>,
    /// Weight of the content [default: 1]
    #[arg(long, value_name = "X")]
    content_weight: Option<f64>,
    /// Weight of the style [default: 1e7]
    #[arg(long, value_name = "X")]
    style_weight: Option<f64>,
    /// Layer of the content, 1 to 3 [default: the deepest]
    #[arg(long, value_name = "N")]
    content_layer: Option<usize>,
    /// What to start from: content or noise
    #[arg(long, value_enum, value_name = "START", default_value_t = Start::Content, hide_possible_values = true)]
    from: Start,
    /// Filters of a layer [default: 512; the paper's 4096 take 3 GB of memory]
    #[arg(long, value_name = "N")]
    filters: Option<usize>,
    /// Frames (or rows) that a filter sees [default: 11]
    #[arg(long, value_name = "FRAMES")]
    kernel: Option<usize>,
    #[command(flatten)]
    network: NetworkArguments,
    /// Iterations of L-BFGS [default: 500]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    iterations: Option<u32>,
    /// Seed of the network, noise and phases
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Where to compute: auto, cpu, cuda or metal
    #[arg(long, value_enum, value_name = "DEVICE", default_value_t = Device::Auto, hide_possible_values = true)]
    device: Device,
    /// Write the losses as CSV and PNG into this folder, named as the output
    #[arg(long, value_name = "FOLDER")]
    pub curves: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Start {
    Content,
    Noise,
}

impl TransferArguments {
    pub fn settings(&self) -> SynthesisSettings {
        SynthesisSettings {
            seconds: None,
            iterations: self.iterations,
            seed: self.seed,
        }
    }

    pub fn device(&self) -> DeviceChoice {
        self.device.into()
    }

    /// The transfer with its options; fails for values that it does not take.
    pub fn transfer(&self) -> Result<Transfer, CliError> {
        let default = Transfer::default();
        let mut method = self.network.method(default.method);
        method.filters = self.filters.or(method.filters);
        method.kernel = self.kernel.unwrap_or(method.kernel);
        let (gamma, delta) = Transfer::ENVELOPE_WEIGHTS;
        let envelopes = (self.gamma.unwrap_or(gamma), self.delta.unwrap_or(delta));
        let transfer = Transfer {
            method,
            content_layer: self.content_layer,
            content_weight: self.content_weight.unwrap_or(default.content_weight),
            style_weight: self.style_weight.unwrap_or(default.style_weight),
            envelopes: self.envelopes.then_some(envelopes),
            from_noise: self.from == Start::Noise,
        };
        let usage = |error: weft_lab::LabError| CliError::Usage(error.to_string());
        transfer.check().map_err(usage)?;
        Ok(transfer)
    }
}
