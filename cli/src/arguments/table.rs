//! The command line of `weft table`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::BatchArguments;
use super::shared::seconds;

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
  weft table recordings -o comparison --rows weft,halves --seconds 5 --jobs 0"
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
        value_enum,
        value_delimiter = ',',
        value_name = "ROW,...",
        default_value = "griffin-lim,halves,noise,weft",
        hide_possible_values = true
    )]
    pub rows: Vec<RowChoice>,
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
    #[command(flatten)]
    pub batch: BatchArguments,
}

/// The rows by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RowChoice {
    GriffinLim,
    Halves,
    Noise,
    Weft,
    Gram,
    GramAutocorrelation,
    Antognini,
    Ulyanov,
    Huzaifah,
    Mcdermott,
}
