//! How much work goes into a fit, and where it is made.

use clap::{Args, ValueEnum};
use weft_core::fit::cpu::Cpu;
use weft_core::fit::{Effort, FitSettings, STEP_FRAMES_RANGE, STEPS_RANGE};
use weft_lab::DeviceChoice;

use super::BatchArguments;
use super::shared::{MIN_SECONDS, bounded_seconds, cores};
use crate::manifest::Manifest;
use crate::report::Record;

/// Longest time that a fit may be given, in seconds: a day.
const MAX_FIT_SECONDS: f64 = 86_400.0;

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
    /// Where to fit: auto (what is fastest here), cpu, cuda or metal
    #[arg(long, value_enum, hide_default_value = true, default_value_t = Device::Auto, hide_possible_values = true)]
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

    /// What a folder is to say of the textures in it: also what was asked for, as it was asked for.
    pub fn manifest(&self) -> Manifest {
        let mut settings = Record::new();
        match (self.fit_steps, self.fit_seconds) {
            (None, None) => {
                let effort = self.effort.to_possible_value();
                let effort = effort.expect("no effort is hidden").get_name().to_owned();
                settings.insert("effort".into(), effort.into());
            }
            (steps, seconds) => {
                settings.extend(steps.map(|steps| ("fit_steps".into(), steps.into())));
                settings.extend(seconds.map(|seconds| ("fit_seconds".into(), seconds.into())));
            }
        }
        let frames = self.fit_frames;
        settings.extend(frames.map(|frames| ("fit_frames".into(), frames.into())));
        Manifest::new(settings)
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

fn fit_seconds(text: &str) -> Result<f64, String> {
    bounded_seconds(text, MIN_SECONDS, MAX_FIT_SECONDS)
}
