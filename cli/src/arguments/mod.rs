//! The command line.

mod effort;
mod fit;
mod method;
mod network;
mod optimize;
mod serve;
mod shard;
mod shared;
mod summary;
mod table;
mod transfer;

pub use effort::EffortArguments;
pub use fit::{FitArguments, RefineArguments, TextureArguments};
pub use optimize::OptimizeArguments;
pub use serve::{DevicesArguments, ServeArguments};
pub use shard::ShardArguments;
pub use shared::{BatchArguments, ModelArguments, ShapeArguments, WavArguments};
pub use summary::SummaryArguments;
pub use table::{NamedRow, Row, TableArguments};
pub use transfer::TransferArguments;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use weft_core::procedural::Texture;
use weft_core::texture::score::ScoreSettings;

use crate::files::is_standard;
use shared::{sample_rate, seconds, synthesis_seconds};

const EXAMPLES: &str = "\
Examples:
  One minute of endless rain from a recording of a few seconds:
      weft texture rain.flac --seconds 60 -o endless.wav

  Fit once, then render as often and as long as you like; every seed is
  another stretch of the same texture:
      weft fit rain.flac -o rain.weft
      weft render rain.weft --seconds 600 --seed 1 -o first.wav
      weft render rain.weft --seconds 600 --seed 2 -o second.wav

  How near does it come, and how much of it is copied?
      weft score rain.flac endless.wav

  No recording at hand? Make one:
      weft synthesize surf --seconds 8 -o surf.wav

Run 'weft COMMAND --help' for more on a command.";

/// Endless, never repeating sound from a few seconds of texture.
///
/// Weft listens to a short recording of a texture (rain, a crowd, a fire, a
/// machine), fits a small network to it, and plays new sound of the same kind
/// for as long as you like. What it plays is not a loop, and not cut from the
/// recording.
#[derive(Debug, Parser)]
#[command(name = "weft", version, verbatim_doc_comment, after_help = EXAMPLES, after_long_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Print JSON: a line for each file, and of optimisations how far they are
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but errors, and what was asked for
    #[arg(long, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Texture(TextureArguments),
    Fit(FitArguments),
    Refine(RefineArguments),
    Render(RenderArguments),
    Optimize(OptimizeArguments),
    Transfer(TransferArguments),
    Synthesize(SynthesizeArguments),
    Score(ScoreArguments),
    Info(InfoArguments),
    Summary(SummaryArguments),
    Table(TableArguments),
    Serve(ServeArguments),
    Devices(DevicesArguments),
}

impl Command {
    /// Whether the standard output is for what it makes.
    pub fn writes_standard_output(&self) -> bool {
        let output = match self {
            Self::Texture(arguments) => arguments.output.output(),
            Self::Fit(arguments) => arguments.output.output(),
            Self::Refine(arguments) => arguments.output.output(),
            Self::Render(arguments) => arguments.output.output(),
            Self::Optimize(arguments) => arguments.output.output(),
            Self::Transfer(arguments) => arguments.output.output(),
            Self::Synthesize(arguments) => arguments.output.output(),
            // What is said goes elsewhere.
            Self::Serve(_) => return true,
            Self::Score(_)
            | Self::Info(_)
            | Self::Summary(_)
            | Self::Table(_)
            | Self::Devices(_) => {
                return false;
            }
        };
        is_standard(&output.path)
    }

    /// What it works on, if that is a single file.
    pub fn single_input(&self) -> Option<&Path> {
        let inputs = match self {
            Self::Texture(arguments) => &arguments.inputs,
            Self::Fit(arguments) => &arguments.inputs,
            Self::Refine(arguments) => &arguments.models,
            Self::Render(arguments) => &arguments.models,
            Self::Info(arguments) => &arguments.inputs,
            Self::Optimize(arguments) => &arguments.inputs,
            Self::Transfer(arguments) => return Some(&arguments.content),
            Self::Synthesize(_)
            | Self::Score(_)
            | Self::Summary(_)
            | Self::Table(_)
            | Self::Serve(_)
            | Self::Devices(_) => return None,
        };
        match inputs.as_slice() {
            [input] if !input.is_dir() => Some(input),
            _ => None,
        }
    }
}

/// Render a saved texture, for any length of time
///
/// Rendering needs no more memory for hours than for seconds. Different seeds are
/// different stretches of the same texture.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft render rain.weft --seconds 60 -o rain.wav
  weft render rain.weft --seconds 60 --seed 7 --format 24 -o other.wav
  weft render rain.weft --pitch -5 --time 0.5 --loop 20 -o low.wav
  weft render rain.weft --format 16 -o - | aplay"
)]
pub struct RenderArguments {
    /// The textures, as 'weft fit' wrote them: files, folders, or - for the standard input
    #[arg(value_name = "MODEL.weft", required = true)]
    pub models: Vec<PathBuf>,
    #[command(flatten)]
    pub output: WavArguments,
    /// Length of the output in seconds
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds)]
    pub seconds: f64,
    /// Make a loop of this length in seconds instead: its end leads into its beginning
    #[arg(long = "loop", value_name = "S", value_parser = seconds, conflicts_with = "seconds")]
    pub loop_seconds: Option<f64>,
    /// Which stretch of the texture to render
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u32,
    #[command(flatten)]
    pub shape: ShapeArguments,
    #[command(flatten)]
    pub batch: BatchArguments,
    #[command(flatten)]
    pub shard: ShardArguments,
}

/// Make a recording to begin with: rain, fire, wind, crickets, clock, chimes or surf
///
/// The sound is synthesized from the seed, in stereo.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft synthesize rain -o rain.wav
  weft synthesize clock --seconds 5 --seed 3 --sample-rate 44100 -o clock.wav"
)]
pub struct SynthesizeArguments {
    /// What to synthesize: rain, fire, wind, crickets, clock, chimes or surf
    #[arg(value_name = "TEXTURE")]
    pub texture: Texture,
    #[command(flatten)]
    pub output: WavArguments,
    /// Length of the output in seconds
    #[arg(long, value_name = "S", default_value = "8", value_parser = synthesis_seconds)]
    pub seconds: f64,
    /// Another seed is another recording of the same kind
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Sample rate in Hz, 8000 to 192000
    #[arg(long, value_name = "HZ", default_value = "48000", value_parser = sample_rate)]
    pub sample_rate: u32,
}

/// Score a texture against the recording that it was made from
///
/// Both are mixed to mono and compared at 16 kHz and at the same level:
///   gram      Gram matrices of six random convolutional networks
///   autoc     autocorrelation of the spectrogram, 0.2 to 2 s: rhythm
///   stat_snr  texture statistics of cochlear envelopes: the mean of the seven below it
///   fmel      Frechet distance between 80 ms stretches of mel spectrograms
///   copy100   best correlation of 100 ms snippets with the recording: copying
///   self250   best correlation of 250 ms snippets of the second half with the first: repetition
///   drift     largest change of a band's level from the first to the last third
///
/// For comparison, '--nature' scores the second half of the recording against its first.
///
/// '--discriminate' tells how well a small network, trained on the first halves of both, tells
/// half seconds of their second halves apart:
///   auc       0.5 where it can't, 1 where it always can
///   accuracy  part of the half seconds that it took for what they are
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft score rain.flac endless.wav
  weft score rain.flac --nature
  weft score rain.flac endless.wav --discriminate
  weft score rain.flac endless.wav --json"
)]
pub struct ScoreArguments {
    /// The recording, at least two seconds
    #[arg(value_name = "REFERENCE")]
    pub reference: PathBuf,
    /// The texture made from it, at least two seconds; the first minute counts
    #[arg(value_name = "SYNTH", required_unless_present = "nature")]
    pub synthesis: Option<PathBuf>,
    /// Score the recording's own second half against its first (at least four seconds)
    #[arg(long, conflicts_with = "synthesis")]
    pub nature: bool,
    /// Tell how well a small network learns to tell the two apart, and nothing else
    #[arg(long)]
    pub discriminate: bool,
    /// Seed of the random networks and snippets
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Threads to work with; 0 means one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

impl ScoreArguments {
    pub fn settings(&self) -> ScoreSettings {
        ScoreSettings {
            seed: self.seed,
            threads: self.threads,
        }
    }
}

/// Tell what a sound file or a texture holds
///
/// Of a sound: seconds, sample rate, channels, level, and what the plugin would remark on it as
/// a capture. Of a texture: its name, the recording in it, and how near the fit came.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft info rain.flac
  weft info textures --json"
)]
pub struct InfoArguments {
    /// Sound files and textures, folders of them, or - for the standard input
    #[arg(value_name = "FILE", required = true)]
    pub inputs: Vec<PathBuf>,
}
