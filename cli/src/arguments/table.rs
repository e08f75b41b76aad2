//! The command line of `weft table`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use weft_lab::DeviceChoice;
use weft_lab::methods::Synthesizer;

use super::BatchArguments;
use super::effort::Device;
use super::method::MethodArguments;
use super::shared::seconds;
use crate::error::CliError;

/// Compare methods over a folder of recordings: a row for each, a column for each figure
///
/// The recordings' classes are the folders inside FOLDER; or what a file classes.csv in it says
/// (in each line a file's name and its class).
///
/// The folder that -o names gets table.csv, table.md, table.tex and table.svg, the sounds, and
/// results.jsonl: what is in there is not made again, so that a table that was broken off goes
/// on where it was, and another row can be added.
///
/// Rows:
///   griffin-lim  the recording's own magnitudes, inverted: what inversion alone costs
///   halves       the recording's second half against its first: other real sound of its kind
///   noise        noise with the recording's spectrum: no texture at all
///   weft         a network fitted by Weft
///   gram, gram-autocorrelation, antognini  Antognini, Hoffman & Weiss with one, two and all
///                three terms of their loss; ulyanov, huzaifah, mcdermott as 'weft optimize'
///                has them: minutes to hours for each recording
/// The last four take options of 'weft optimize' behind them, as antognini:alpha=1e5:filters=128,
/// antognini:stacked or huzaifah:axis=2d:layers=1+3.
///
/// Columns, over the whole recording but for halves:
///   autocorrelation, diversity  as Table I of Antognini, Hoffman & Weiss has them
///   gram, statistics, frechet mel, copying  as 'weft score' has them
///   seconds      of work
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft table recordings -o comparison
  weft table recordings -o comparison --rows weft,halves --seconds 5 --jobs 0
  weft table recordings -o filters --rows antognini:filters=32,antognini:filters=128"
)]
pub struct TableArguments {
    /// The folder of recordings, at least two seconds each (four for halves)
    #[arg(value_name = "FOLDER")]
    pub recordings: PathBuf,
    /// The folder for the table
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// The rows, in their order
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "ROW,...",
        default_value = "griffin-lim,halves,noise,weft",
        value_parser = row
    )]
    pub rows: Vec<Row>,
    /// Most of a recording that counts, in seconds from its beginning
    #[arg(long, value_name = "S", default_value = "8", value_parser = seconds)]
    pub seconds: f64,
    /// Training steps of the row weft
    #[arg(
        long,
        value_name = "N",
        default_value_t = 2_000,
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub fit_steps: u32,
    /// Iterations of the rows that optimise, instead of their papers'
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub iterations: Option<u32>,
    /// Another seed is another attempt of every method
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u32,
    /// A file of VGGish (ONNX, mel patches to embeddings): how alike sounds are to it is a column
    #[arg(long, value_name = "FILE")]
    pub vggish: Option<PathBuf>,
    /// Where the rows that optimise compute: auto, cpu, cuda or metal
    #[arg(long, value_enum, value_name = "DEVICE", default_value_t = Device::Auto, hide_possible_values = true)]
    device: Device,
    #[command(flatten)]
    pub batch: BatchArguments,
}

impl TableArguments {
    pub fn device(&self) -> DeviceChoice {
        self.device.into()
    }
}

/// What makes a row.
#[derive(Clone, Debug)]
pub enum Row {
    /// No method of a paper, or some terms of one.
    Named(NamedRow),
    /// A method of a paper, as `weft optimize` has it.
    Method(MethodRow),
}

/// The rows that have no options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NamedRow {
    GriffinLim,
    Halves,
    Noise,
    Weft,
    Gram,
    GramAutocorrelation,
}

/// A method and its options.
#[derive(Clone, Debug)]
pub struct MethodRow {
    /// What the row is called in tables and files.
    pub name: String,
    arguments: MethodArguments,
}

impl MethodRow {
    /// The method itself; fails for options that it does not have, and for values that it does not take.
    pub fn method(&self) -> Result<Box<dyn Synthesizer>, CliError> {
        self.arguments.method(1)
    }
}

/// A row by its name, or by that of a method and its options.
fn row(text: &str) -> Result<Row, String> {
    if let Ok(named) = NamedRow::from_str(text, false) {
        return Ok(Row::Named(named));
    }
    let mut parts = text.split(':');
    let method = parts.next().unwrap_or_default();
    let options = parts.map(|option| match option.split_once('=') {
        // Commas lie between rows.
        Some((name, value)) => format!("--{name}={}", value.replace('+', ",")),
        None => format!("--{option}"),
    });
    let row = MethodRow {
        name: text.replace(':', "-"),
        arguments: MethodArguments::parsed(method, options)?,
    };
    row.method().map_err(|error| error.to_string())?;
    Ok(Row::Method(row))
}
