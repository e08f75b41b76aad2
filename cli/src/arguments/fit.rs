//! The command lines of `weft texture`, `weft fit` and `weft refine`.

use std::path::PathBuf;

use clap::Args;

use super::shared::seconds;
use super::{BatchArguments, EffortArguments, ModelArguments, ShardArguments, WavArguments};

/// Turn a recording into an endless texture: fit and render in one go
///
/// The recording may be WAV, AIFF, CAF, AU, FLAC, OGG, Opus, MP3 or M4A, mono to surround, 8 to
/// 192 kHz, and at least one second long; 4 to 10 seconds without anything that
/// stands out work best. Of a longer file the first minute is used.
///
/// The fit takes some seconds to a minute, more for stereo and high sample rates.
/// The output has the recording's sample rate.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft texture rain.flac -o endless.wav
  weft texture rain.flac -o hour.wav --seconds 3600 --format 24
  weft texture rain.flac -o quick.wav --fit-seconds 5
  weft texture recordings -o textures/"
)]
pub struct TextureArguments {
    /// The recordings: files, folders, or - for the standard input
    #[arg(value_name = "IN", required = true)]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub output: WavArguments,
    /// Length of the output in seconds
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds)]
    pub seconds: f64,
    /// Which stretch of the texture to render
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u32,
    #[command(flatten)]
    pub effort: EffortArguments,
    #[command(flatten)]
    pub batch: BatchArguments,
    #[command(flatten)]
    pub shard: ShardArguments,
}

/// Fit a network to a recording and save it as a texture
///
/// The .weft file holds the network and the recording; 'weft render' and the plugin
/// play it at once, without another fit.
///
/// Of several recordings, or a folder of them, each becomes a file in the folder that -o names.
/// What is there already is not fitted again, unless it is damaged or --force is given: a fit of
/// many files that was broken off goes on where it was, also on several machines at once (--shard).
/// What each file is says OUT/manifest/NAME.weft.json; 'weft summary OUT' tells all of it.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft fit rain.flac -o rain.weft
  weft fit rain.flac -o quick.weft --fit-steps 300
  weft fit recordings -o textures/ --jobs 2
  weft fit recordings -o textures/ --shard 2/4"
)]
pub struct FitArguments {
    /// The recordings: files, folders, or - for the standard input
    ///
    /// Each is WAV, AIFF, CAF, AU, FLAC, OGG, Opus, MP3 or M4A, and at least one second long.
    #[arg(value_name = "IN", required = true)]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub output: ModelArguments,
    #[command(flatten)]
    pub effort: EffortArguments,
    #[command(flatten)]
    pub batch: BatchArguments,
    #[command(flatten)]
    pub shard: ShardArguments,
}

/// Go on with the fit of a saved texture
///
/// Starts from the network in the .weft file, with the recording in it: a texture that
/// is not near enough yet comes nearer, without starting over.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft refine rain.weft -o better.weft
  weft refine rain.weft -o best.weft --fit-steps 5000"
)]
pub struct RefineArguments {
    /// The textures to start from: files, folders, or - for the standard input
    #[arg(value_name = "IN.weft", required = true)]
    pub models: Vec<PathBuf>,
    #[command(flatten)]
    pub output: ModelArguments,
    #[command(flatten)]
    pub effort: EffortArguments,
    #[command(flatten)]
    pub batch: BatchArguments,
    #[command(flatten)]
    pub shard: ShardArguments,
}
