//! What parameters choose from, as hosts see it. A choice is kept in projects by its id.

use nice_plug::prelude::*;
use weft_core::instrument::{self, ModulationTarget};

/// Ids of the parameters that choose one of several: a number in a project is none of their choices.
pub const CHOICE_IDS: [&str; 9] = [
    "quality",
    "slot",
    "capture_start",
    "wheel_to",
    "pressure_to",
    "slide_to",
    "velocity_to",
    "imprint_content",
    "imprint_style",
];

/// One of the slots, as a choice for hosts.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    #[id = "a"]
    #[name = "A"]
    A,
    /// The second.
    #[id = "b"]
    #[name = "B"]
    B,
    /// The third.
    #[id = "c"]
    #[name = "C"]
    C,
    /// The fourth.
    #[id = "d"]
    #[name = "D"]
    D,
}

impl From<Slot> for instrument::Slot {
    fn from(slot: Slot) -> Self {
        match slot {
            Slot::A => Self::A,
            Slot::B => Self::B,
            Slot::C => Self::C,
            Slot::D => Self::D,
        }
    }
}

/// When a recording begins that was triggered, as a choice for hosts.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum CaptureStart {
    /// At once.
    #[id = "now"]
    #[name = "Now"]
    Now,
    /// When the input reaches the threshold.
    #[id = "threshold"]
    #[name = "Threshold"]
    Threshold,
    /// With the song's next bar.
    #[id = "bar"]
    #[name = "Next Bar"]
    NextBar,
}

/// How much work goes into the phases, as a choice for hosts.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum Quality {
    /// For many voices.
    #[id = "eco"]
    #[name = "Eco"]
    Eco,
    /// For few.
    #[id = "high"]
    #[name = "High"]
    High,
}

impl From<Quality> for instrument::Quality {
    fn from(quality: Quality) -> Self {
        match quality {
            Quality::Eco => Self::Eco,
            Quality::High => Self::High,
        }
    }
}

/// What a source of modulation moves, as a choice for hosts.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum Target {
    /// The transposition.
    #[id = "pitch"]
    #[name = "Pitch"]
    Pitch,
    /// The speed.
    #[id = "time"]
    #[name = "Time"]
    Time,
    /// The tilt of the spectrum.
    #[id = "brightness"]
    #[name = "Brightness"]
    Brightness,
    /// Events against bed.
    #[id = "contrast"]
    #[name = "Contrast"]
    Contrast,
    /// Temperature of the network's noise.
    #[id = "density"]
    #[name = "Density"]
    Density,
    /// Width of the stereo image.
    #[id = "width"]
    #[name = "Width"]
    Width,
    /// How long events die away.
    #[id = "smear"]
    #[name = "Smear"]
    Smear,
    /// The level.
    #[id = "gain"]
    #[name = "Gain"]
    Gain,
}

impl From<Target> for ModulationTarget {
    fn from(target: Target) -> Self {
        match target {
            Target::Pitch => Self::Pitch,
            Target::Time => Self::Time,
            Target::Brightness => Self::Brightness,
            Target::Contrast => Self::Contrast,
            Target::Density => Self::Density,
            Target::Width => Self::Width,
            Target::Smear => Self::Smear,
            Target::Gain => Self::Gain,
        }
    }
}

impl From<ModulationTarget> for Target {
    fn from(target: ModulationTarget) -> Self {
        match target {
            ModulationTarget::Pitch => Self::Pitch,
            ModulationTarget::Time => Self::Time,
            ModulationTarget::Brightness => Self::Brightness,
            ModulationTarget::Contrast => Self::Contrast,
            ModulationTarget::Density => Self::Density,
            ModulationTarget::Width => Self::Width,
            ModulationTarget::Smear => Self::Smear,
            ModulationTarget::Gain => Self::Gain,
        }
    }
}
