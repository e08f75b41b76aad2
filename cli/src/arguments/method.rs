//! The methods of the papers and their options.

use clap::{Args, Parser, ValueEnum};
use weft_lab::LabError;
use weft_lab::methods::{Antognini, Huzaifah, McDermott, Synthesizer, Ulyanov};

use super::network::NetworkArguments;
use crate::error::CliError;

/// A method and what it can be set to.
#[derive(Clone, Debug, Args)]
pub struct MethodArguments {
    /// The method: antognini, ulyanov, huzaifah or mcdermott
    #[arg(long, value_enum, value_name = "METHOD", hide_possible_values = true)]
    method: MethodChoice,
    /// Filters of a network [default: antognini 512, others 4096; 64 for huzaifah's 2d]
    #[arg(long, value_name = "N")]
    filters: Option<usize>,
    /// antognini: frames that the widest filters see, 2 to 256 [default: 64]
    #[arg(long, value_name = "FRAMES")]
    widest: Option<usize>,
    /// antognini: six layers on top of each other instead of six networks
    #[arg(long)]
    stacked: bool,
    /// antognini: weight of the autocorrelation [default: 1000]
    #[arg(long, value_name = "X")]
    alpha: Option<f64>,
    /// antognini: weight of the diversity [default: 0.0001]
    #[arg(long, value_name = "X")]
    beta: Option<f64>,
    /// ulyanov, huzaifah: frames (or rows) that a filter sees [default: 11]
    #[arg(long, value_name = "FRAMES")]
    kernel: Option<usize>,
    #[command(flatten)]
    network: NetworkArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MethodChoice {
    Antognini,
    Ulyanov,
    Huzaifah,
    Mcdermott,
}

/// The arguments alone, as a command line of their own.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Alone {
    #[command(flatten)]
    arguments: MethodArguments,
}

impl MethodArguments {
    /// Those of a method's name and its options.
    pub fn parsed(method: &str, options: impl Iterator<Item = String>) -> Result<Self, String> {
        let line = [format!("--method={method}")].into_iter().chain(options);
        match Alone::try_parse_from(line) {
            Ok(alone) => Ok(alone.arguments),
            Err(error) => {
                // What follows the first line tells of a command that nobody has called.
                let text = error.to_string();
                let first = text.lines().next().unwrap_or_default();
                Err(first.trim_start_matches("error: ").into())
            }
        }
    }

    /// Whether the method takes more than one recording.
    pub fn takes_several(&self) -> bool {
        self.method == MethodChoice::Huzaifah
    }

    /// The method with its options; fails for options of other methods, and for values that it does not take.
    /// So many recordings are what it is for.
    pub fn method(&self, recordings: usize) -> Result<Box<dyn Synthesizer>, CliError> {
        let usage = |error: LabError| CliError::Usage(error.to_string());
        if recordings > 1 && !self.takes_several() {
            return Err(CliError::Usage(
                "this method takes one recording: name one, or choose huzaifah".into(),
            ));
        }
        match self.method {
            MethodChoice::Antognini => {
                self.refuse_but(
                    "antognini",
                    &["--filters", "--widest", "--stacked", "--alpha", "--beta"],
                )?;
                if self.stacked && self.widest.is_some() {
                    return Err(no_option("antognini with --stacked", "--widest"));
                }
                let default = Antognini::default();
                let method = Antognini {
                    filters: self.filters.unwrap_or(default.filters),
                    widest: self.widest.unwrap_or(default.widest),
                    stacked: self.stacked,
                    alpha: self.alpha.unwrap_or(default.alpha),
                    beta: self.beta.unwrap_or(default.beta),
                };
                method.check().map_err(usage)?;
                Ok(Box::new(method))
            }
            MethodChoice::Ulyanov => {
                self.refuse_but("ulyanov", &["--filters", "--kernel"])?;
                let default = Ulyanov::default();
                let method = Ulyanov {
                    filters: self.filters.unwrap_or(default.filters),
                    kernel: self.kernel.unwrap_or(default.kernel),
                };
                method.check().map_err(usage)?;
                Ok(Box::new(method))
            }
            MethodChoice::Huzaifah => {
                let others = ["--filters", "--kernel"];
                self.refuse_but("huzaifah", &[&others, NetworkArguments::NAMES].concat())?;
                let mut method = self.network.method(Huzaifah::default());
                method.filters = self.filters;
                method.kernel = self.kernel.unwrap_or(method.kernel);
                method.check().map_err(usage)?;
                Ok(Box::new(method))
            }
            MethodChoice::Mcdermott => {
                self.refuse_but("mcdermott", &[])?;
                Ok(Box::new(McDermott::default()))
            }
        }
    }

    /// Fails where an option was given that the method does not have.
    fn refuse_but(&self, method: &str, its: &[&str]) -> Result<(), CliError> {
        let mut given = vec![
            ("--filters", self.filters.is_some()),
            ("--widest", self.widest.is_some()),
            ("--stacked", self.stacked),
            ("--alpha", self.alpha.is_some()),
            ("--beta", self.beta.is_some()),
            ("--kernel", self.kernel.is_some()),
        ];
        given.extend(self.network.given());
        let mut others = given.iter().filter(|(option, _)| !its.contains(option));
        match others.find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(no_option(method, option)),
            None => Ok(()),
        }
    }
}

/// An option that a method does not have.
pub fn no_option(method: &str, option: &str) -> CliError {
    CliError::Usage(format!(
        "{method} has no {option}: leave it out, or choose another method"
    ))
}
