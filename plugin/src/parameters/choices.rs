//! What parameters choose from, as hosts see it. A choice is kept in projects by its id.

use nice_plug::prelude::*;
use weft_core::instrument;

/// Ids of the parameters that choose one of several: a number in a project is none of their choices.
pub const CHOICE_IDS: [&str; 3] = ["quality", "slot", "capture_start"];

/// Which texture plays, as a choice for hosts.
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
