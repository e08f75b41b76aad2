//! The command line of `weft summary`.

use std::path::PathBuf;

use clap::Args;

/// Tell what a folder of textures holds, and whether all of it is there and whole
///
/// Every texture is read and compared with what 'weft fit' and 'weft refine' wrote of it in
/// OUT/manifest. OUT/manifest.csv gets a row for each. The exit code is 1 where a texture is
/// missing or damaged.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "\
Examples:
  weft summary textures
  weft summary textures --inputs recordings --json"
)]
pub struct SummaryArguments {
    /// The folder of textures
    #[arg(value_name = "OUT")]
    pub folder: PathBuf,
    /// What was fitted, as 'weft fit' was told: a folder or a file; may be given more than once
    #[arg(long, value_name = "IN")]
    pub inputs: Vec<PathBuf>,
}
