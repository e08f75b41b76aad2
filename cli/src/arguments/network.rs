//! What the network of Huzaifah & Wyse's method and transfer looks at, and how.

use clap::{Args, ValueEnum};
use weft_lab::axes::{Axis, Scale};
use weft_lab::methods::{Generation, Huzaifah};

#[derive(Clone, Debug, Args)]
pub struct NetworkArguments {
    /// huzaifah: what filters slide along: freq (bins are channels), time (frames are), or 2d
    ///
    /// freq keeps pitch in its place, time keeps time in its place, 2d keeps neither.
    #[arg(long, value_enum, value_name = "AXIS", hide_possible_values = true)]
    axis: Option<AxisChoice>,
    /// huzaifah: scale of frequency: linear, mel or constant-q [default: linear]
    #[arg(long, value_enum, value_name = "SCALE", hide_possible_values = true)]
    scale: Option<ScaleChoice>,
    /// huzaifah: layers whose Gram matrices count, as 1 or 1,3 [default: 1]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    layers: Vec<usize>,
    /// huzaifah: constants of the authors' program of 2017 or of 2021 [default: 2021]
    #[arg(long, value_enum, value_name = "YEAR", hide_possible_values = true)]
    program: Option<ProgramChoice>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AxisChoice {
    Freq,
    Time,
    #[value(name = "2d")]
    Plane,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScaleChoice {
    Linear,
    Mel,
    ConstantQ,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProgramChoice {
    #[value(name = "2017")]
    First,
    #[value(name = "2021")]
    Second,
}

impl NetworkArguments {
    /// The options' names.
    pub const NAMES: &[&str] = &["--axis", "--scale", "--layers", "--program"];

    /// Names, and whether they were given.
    pub fn given(&self) -> [(&'static str, bool); 4] {
        [
            ("--axis", self.axis.is_some()),
            ("--scale", self.scale.is_some()),
            ("--layers", !self.layers.is_empty()),
            ("--program", self.program.is_some()),
        ]
    }

    /// A method with what was given in its place.
    pub fn method(&self, mut method: Huzaifah) -> Huzaifah {
        if let Some(axis) = self.axis {
            method.axis = match axis {
                AxisChoice::Freq => Axis::Frequency,
                AxisChoice::Time => Axis::Time,
                AxisChoice::Plane => Axis::Plane,
            };
        }
        if let Some(scale) = self.scale {
            method.scale = match scale {
                ScaleChoice::Linear => Scale::Linear,
                ScaleChoice::Mel => Scale::Mel,
                ScaleChoice::ConstantQ => Scale::ConstantQ,
            };
        }
        if let Some(program) = self.program {
            method.generation = match program {
                ProgramChoice::First => Generation::First,
                ProgramChoice::Second => Generation::Second,
            };
        }
        if !self.layers.is_empty() {
            method.layers.clone_from(&self.layers);
        }
        method
    }
}
