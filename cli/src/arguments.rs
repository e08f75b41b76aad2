//! The command line.

use std::path::{Path, PathBuf};

use clap::builder::ArgPredicate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use weft_core::clip::{SAMPLE_RATES_HZ, SampleFormat};
use weft_core::fit::cpu::Cpu;
use weft_core::fit::{DEFAULT_STEPS, FitSettings, STEPS_RANGE};
use weft_core::procedural::{MAX_SYNTHESIS_S, Texture};
use weft_core::texture::score::ScoreSettings;

/// Shortest sound that is written, in seconds.
const MIN_SECONDS: f64 = 0.1;

/// Longest sound that is written, in seconds: a day.
const MAX_SECONDS: f64 = 86_400.0;

/// Longest time that a fit may be given, in seconds: a day.
const MAX_FIT_SECONDS: f64 = 86_400.0;

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
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Texture(TextureArguments),
    Fit(FitArguments),
    Refine(RefineArguments),
    Render(RenderArguments),
    Synthesize(SynthesizeArguments),
    Score(ScoreArguments),
}

/// Turn a recording into an endless texture: fit and render in one go
///
/// The recording may be WAV, AIFF, CAF, FLAC, OGG Vorbis, MP3 or M4A, mono to surround, 8 to
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
  weft texture rain.flac -o quick.wav --fit-seconds 5"
)]
pub struct TextureArguments {
    /// The recording
    #[arg(value_name = "IN")]
    pub input: PathBuf,
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
}

/// Fit a network to a recording and save it as a texture
///
/// The .weft file holds the network and the recording; 'weft render' and the plugin
/// play it at once, without another fit.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft fit rain.flac -o rain.weft
  weft fit rain.flac -o rain.weft --fit-steps 3000"
)]
pub struct FitArguments {
    /// The recording: WAV, AIFF, CAF, FLAC, OGG Vorbis, MP3 or M4A, at least one second
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The texture to write
    #[arg(short, long, value_name = "MODEL.weft", value_parser = weft_path)]
    pub output: PathBuf,
    #[command(flatten)]
    pub effort: EffortArguments,
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
  weft render rain.weft --seconds 60 --seed 7 --format 24 -o other.wav"
)]
pub struct RenderArguments {
    /// The texture, as 'weft fit' wrote it
    #[arg(value_name = "MODEL.weft")]
    pub model: PathBuf,
    #[command(flatten)]
    pub output: WavArguments,
    /// Length of the output in seconds
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub seconds: f64,
    /// Which stretch of the texture to render
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u32,
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
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft score rain.flac endless.wav
  weft score rain.flac --nature
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
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
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

/// Where and how to write sound.
#[derive(Debug, Args)]
pub struct WavArguments {
    /// The WAV file to write
    #[arg(short = 'o', long = "output", value_name = "OUT.wav", value_parser = wav_path)]
    pub path: PathBuf,
    /// 32-bit float samples, or 24-bit integers
    #[arg(long, value_enum, default_value_t = Format::Float)]
    format: Format,
}

impl WavArguments {
    pub fn format(&self) -> SampleFormat {
        match self.format {
            Format::Float => SampleFormat::Float32,
            Format::Int24 => SampleFormat::Int24,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Float,
    #[value(name = "24")]
    Int24,
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
  weft refine rain.weft -o better.weft --fit-steps 5000"
)]
pub struct RefineArguments {
    /// The texture to start from
    #[arg(value_name = "IN.weft")]
    pub model: PathBuf,
    /// The .weft file to write
    #[arg(short = 'o', long = "output", value_name = "OUT.weft")]
    pub output: PathBuf,
    #[command(flatten)]
    pub effort: EffortArguments,
}

/// How much work goes into a fit.
#[derive(Debug, Args)]
pub struct EffortArguments {
    /// Training steps: more come closer, up to a few thousand
    #[arg(
        long,
        value_name = "N",
        default_value_t = DEFAULT_STEPS,
        // Otherwise the default would count as given, and a time limit would stop at it.
        default_value_if("fit_seconds", ArgPredicate::IsPresent, "100000"),
        value_parser = clap::value_parser!(u32)
            .range(*STEPS_RANGE.start() as i64..=*STEPS_RANGE.end() as i64),
        conflicts_with = "fit_seconds"
    )]
    fit_steps: u32,
    /// Fit for B seconds instead (not the same each time)
    #[arg(long, value_name = "B", value_parser = fit_seconds)]
    fit_seconds: Option<f64>,
    /// Seed of the fit itself: another one is another attempt
    #[arg(long, value_name = "N", default_value_t = 0)]
    fit_seed: u64,
    /// Threads to fit with; 0 means one per core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

impl EffortArguments {
    pub fn settings(&self) -> FitSettings {
        FitSettings {
            steps: self.fit_steps,
            max_duration_s: self.fit_seconds,
            seed: self.fit_seed,
        }
    }

    pub fn device(&self) -> Cpu {
        Cpu {
            threads: self.threads,
            background: false,
        }
    }
}

/// A number of seconds within bounds; NaN is within none.
fn bounded_seconds(text: &str, low: f64, high: f64) -> Result<f64, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("not a number of seconds: give {low} to {high}"))?;
    if (low..=high).contains(&seconds) {
        Ok(seconds)
    } else {
        Err(format!("give {low} to {high} seconds"))
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    bounded_seconds(text, MIN_SECONDS, MAX_SECONDS)
}

fn synthesis_seconds(text: &str) -> Result<f64, String> {
    bounded_seconds(text, MIN_SECONDS, MAX_SYNTHESIS_S)
}

fn fit_seconds(text: &str) -> Result<f64, String> {
    bounded_seconds(text, MIN_SECONDS, MAX_FIT_SECONDS)
}

fn sample_rate(text: &str) -> Result<u32, String> {
    let (low, high) = (SAMPLE_RATES_HZ.start(), SAMPLE_RATES_HZ.end());
    text.parse()
        .ok()
        .filter(|rate| SAMPLE_RATES_HZ.contains(rate))
        .ok_or_else(|| format!("give a whole number from {low} to {high} Hz"))
}

fn path_ending_in(text: &str, extension: &str, what: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    match path.extension() {
        Some(found) if found.eq_ignore_ascii_case(extension) => Ok(path.to_path_buf()),
        _ => Err(format!(
            "{what} is written: give a name that ends in .{extension}"
        )),
    }
}

fn wav_path(text: &str) -> Result<PathBuf, String> {
    path_ending_in(text, "wav", "a WAV file")
}

fn weft_path(text: &str) -> Result<PathBuf, String> {
    path_ending_in(text, "weft", "a Weft texture")
}
