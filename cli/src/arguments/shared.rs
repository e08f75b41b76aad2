//! Arguments that several commands have.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::thread;

use clap::{Args, ValueEnum};
use weft_core::clip::{SAMPLE_RATES_HZ, SampleFormat};
use weft_core::fit::cpu::Cpu;
use weft_core::fit::{Effort, FitSettings, STEP_FRAMES_RANGE, STEPS_RANGE};
use weft_core::instrument::{BRIGHTNESS_RANGE, Controls, PITCH_RANGE_ST, TIME_RANGE};
use weft_core::procedural::MAX_SYNTHESIS_S;
use weft_lab::DeviceChoice;

use crate::error::CliError;
use crate::files::{Output, is_standard};

/// Shortest sound that is written, in seconds.
const MIN_SECONDS: f64 = 0.1;
/// Longest sound that is written, in seconds: a day.
const MAX_SECONDS: f64 = 86_400.0;
/// Longest sound that is optimised, in seconds: all its activations are held at once, some 30 MB for each second.
const MAX_OPTIMIZED_S: f64 = 300.0;
/// Longest time that a fit may be given, in seconds: a day.
const MAX_FIT_SECONDS: f64 = 86_400.0;

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

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// How much work goes into a fit.
#[derive(Debug, Args)]
pub struct EffortArguments {
    /// How much goes into it: quick, normal or thorough (some 5, 15, 60 s)
    #[arg(
        long,
        value_enum,
        default_value_t = EffortChoice::Normal,
        hide_default_value = true,
        hide_possible_values = true
    )]
    effort: EffortChoice,
    /// Training steps, instead of an effort: more come closer, to a few thousand
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32)
            .range(*STEPS_RANGE.start() as i64..=*STEPS_RANGE.end() as i64),
        conflicts_with_all = ["fit_seconds", "effort"]
    )]
    fit_steps: Option<u32>,
    /// Frames that each of the last steps compares [default: as suits N steps]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32)
            .range(*STEP_FRAMES_RANGE.start() as i64..=*STEP_FRAMES_RANGE.end() as i64),
    )]
    fit_frames: Option<u32>,
    /// Fit for B seconds instead (not the same each time)
    #[arg(long, value_name = "B", value_parser = fit_seconds, conflicts_with = "effort")]
    fit_seconds: Option<f64>,
    /// Seed of the fit itself: another one is another attempt
    #[arg(long, value_name = "N", default_value_t = 0)]
    fit_seed: u64,
    /// Where to fit: on a graphics processor where one answers, or on the one named
    #[arg(long, value_enum, default_value_t = Device::Auto)]
    device: Device,
    /// Threads to fit with, for each file; 0 means all cores
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

/// The devices by their names.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Device {
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

/// The efforts by their names.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum EffortChoice {
    Quick,
    Normal,
    Thorough,
}

impl From<EffortChoice> for Effort {
    fn from(choice: EffortChoice) -> Self {
        match choice {
            EffortChoice::Quick => Self::Quick,
            EffortChoice::Normal => Self::Normal,
            EffortChoice::Thorough => Self::Thorough,
        }
    }
}

impl EffortArguments {
    pub fn settings(&self) -> FitSettings {
        let effort = Effort::from(self.effort).steps();
        let steps = match self.fit_seconds {
            // Time ends it.
            Some(_) => *STEPS_RANGE.end(),
            None => self.fit_steps.unwrap_or(effort),
        };
        FitSettings {
            steps,
            step_frames: self.fit_frames.map(|frames| frames as usize),
            max_duration_s: self.fit_seconds,
            seed: self.fit_seed,
        }
    }

    /// Where the files are fitted.
    pub fn device(&self) -> DeviceChoice {
        self.device.into()
    }

    /// The processor, as one of the files is fitted on it.
    pub fn processor(&self, batch: &BatchArguments) -> Cpu {
        let threads = match (self.threads, batch.jobs()) {
            (0, jobs @ 2..) => (cores() / jobs).max(1),
            (threads, _) => threads,
        };
        Cpu {
            threads,
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

fn fit_seconds(text: &str) -> Result<f64, String> {
    bounded_seconds(text, MIN_SECONDS, MAX_FIT_SECONDS)
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
