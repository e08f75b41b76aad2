//! Arguments that several commands have.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::thread;

use clap::{Args, ValueEnum};
use weft_core::clip::{SAMPLE_RATES_HZ, SampleFormat};
use weft_core::instrument::{BRIGHTNESS_RANGE, Controls, PITCH_RANGE_ST, TIME_RANGE};
use weft_core::procedural::MAX_SYNTHESIS_S;

use crate::error::CliError;
use crate::files::{Output, is_standard};

/// Shortest sound that is written, in seconds.
pub const MIN_SECONDS: f64 = 0.1;
/// Longest sound that is written, in seconds: a day.
const MAX_SECONDS: f64 = 86_400.0;
/// Longest sound that is optimised, in seconds: all its activations are held at once, some 30 MB for each second.
const MAX_OPTIMIZED_S: f64 = 300.0;

/// Where and how to write sound.
#[derive(Debug, Args)]
pub struct WavArguments {
    /// The WAV file to write, a folder, or - for the standard output
    #[arg(short = 'o', long = "output", value_name = "OUT.wav")]
    path: PathBuf,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// 32-bit float samples, 24-bit integers, or 16-bit integers with dither
    #[arg(long, value_enum, default_value_t = Format::Float)]
    format: Format,
}

impl WavArguments {
    pub fn output(&self) -> Output {
        Output {
            path: self.path.clone(),
            force: self.force,
        }
    }

    /// The output, if it names a WAV file and no folder.
    pub fn single_output(&self) -> Result<Output, CliError> {
        let is_wav = self
            .path
            .extension()
            .is_some_and(|found| found.eq_ignore_ascii_case("wav"));
        if is_wav || is_standard(&self.path) {
            return Ok(self.output());
        }
        Err(CliError::Usage(
            "a WAV file is written: give -o a name that ends in .wav".into(),
        ))
    }

    pub fn format(&self) -> SampleFormat {
        match self.format {
            Format::Float => SampleFormat::Float32,
            Format::Int24 => SampleFormat::Int24,
            Format::Int16 => SampleFormat::Int16,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Float,
    #[value(name = "24")]
    Int24,
    #[value(name = "16")]
    Int16,
}

/// Where to write textures.
#[derive(Debug, Args)]
pub struct ModelArguments {
    /// The texture to write, a folder, or - for the standard output
    #[arg(short = 'o', long = "output", value_name = "OUT.weft")]
    path: PathBuf,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

impl ModelArguments {
    pub fn output(&self) -> Output {
        Output {
            path: self.path.clone(),
            force: self.force,
        }
    }
}

/// What is done to a texture when it is played, as the plugin's parameters of these names do.
#[derive(Debug, Clone, Args)]
pub struct ShapeArguments {
    /// Transpose by so many semitones, -24 to 24; time stays
    #[arg(long, value_name = "ST", allow_negative_numbers = true, value_parser = pitch)]
    pitch: Option<f32>,
    /// How fast the texture goes by: 0 (frozen), or 0.1 to 4; pitch stays
    #[arg(long, value_name = "X", value_parser = time)]
    time: Option<f32>,
    /// Tilt of the spectrum in dB an octave, -12 to 12
    #[arg(long, value_name = "DB", allow_negative_numbers = true, value_parser = brightness)]
    brightness: Option<f32>,
    /// Width of the stereo image in percent, 0 to 200
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    width: Option<f32>,
    /// Temperature of the noise that drives the network in percent, 0 to 200
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    density: Option<f32>,
}

impl ShapeArguments {
    /// The settings, if there is one.
    pub fn controls(&self) -> Option<Controls> {
        let Self {
            pitch,
            time,
            brightness,
            width,
            density,
        } = *self;
        [pitch, time, brightness, width, density]
            .iter()
            .any(Option::is_some)
            .then(|| Controls {
                pitch_st: pitch.unwrap_or(Controls::DEFAULT.pitch_st),
                time: time.unwrap_or(Controls::DEFAULT.time),
                brightness_db_per_octave: brightness
                    .unwrap_or(Controls::DEFAULT.brightness_db_per_octave),
                width: width.map_or(Controls::DEFAULT.width, |percent| percent / 100.0),
                density: density.map_or(Controls::DEFAULT.density, |percent| percent / 100.0),
                ..Controls::DEFAULT
            })
    }
}

/// How several files are worked on.
#[derive(Debug, Args)]
pub struct BatchArguments {
    /// Files to work on at the same time; 0 means one per core
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
}

impl BatchArguments {
    /// Files at the same time, at least one.
    pub fn jobs(&self) -> usize {
        match self.jobs {
            0 => cores(),
            jobs => jobs,
        }
    }
}

pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A number of seconds within bounds; NaN is within none.
pub fn bounded_seconds(text: &str, low: f64, high: f64) -> Result<f64, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("not a number of seconds: give {low} to {high}"))?;
    if (low..=high).contains(&seconds) {
        Ok(seconds)
    } else {
        Err(format!("give {low} to {high} seconds"))
    }
}

pub fn seconds(text: &str) -> Result<f64, String> {
    bounded_seconds(text, MIN_SECONDS, MAX_SECONDS)
}

pub fn synthesis_seconds(text: &str) -> Result<f64, String> {
    bounded_seconds(text, MIN_SECONDS, MAX_SYNTHESIS_S)
}

/// A length that an optimisation holds in memory.
pub fn optimized_seconds(text: &str) -> Result<f64, String> {
    bounded_seconds(text, MIN_SECONDS, MAX_OPTIMIZED_S)
}

/// A number within bounds; NaN is within none.
fn bounded(text: &str, range: RangeInclusive<f32>) -> Result<f32, String> {
    let value: Option<f32> = text.parse().ok();
    value.filter(|value| range.contains(value)).ok_or_else(|| {
        let (low, high) = (range.start(), range.end());
        format!("give a number from {low} to {high}")
    })
}

fn pitch(text: &str) -> Result<f32, String> {
    bounded(text, -PITCH_RANGE_ST..=PITCH_RANGE_ST)
}

fn time(text: &str) -> Result<f32, String> {
    let (low, high) = TIME_RANGE;
    match bounded(text, 0.0..=high) {
        Ok(time) if time == 0.0 || time >= low => Ok(time),
        _ => Err(format!("give 0, or a number from {low} to {high}")),
    }
}

fn brightness(text: &str) -> Result<f32, String> {
    bounded(text, -BRIGHTNESS_RANGE..=BRIGHTNESS_RANGE)
}

fn percent(text: &str) -> Result<f32, String> {
    bounded(text, 0.0..=200.0)
}

pub fn sample_rate(text: &str) -> Result<u32, String> {
    let (low, high) = (SAMPLE_RATES_HZ.start(), SAMPLE_RATES_HZ.end());
    text.parse()
        .ok()
        .filter(|rate| SAMPLE_RATES_HZ.contains(rate))
        .ok_or_else(|| format!("give a whole number from {low} to {high} Hz"))
}
