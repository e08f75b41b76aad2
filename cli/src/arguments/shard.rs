//! Which part of the work is done.

use clap::Args;

use crate::batch::Shard;

/// Which part of the inputs is worked on.
#[derive(Debug, Args)]
pub struct ShardArguments {
    /// Work on every N-th file from the I-th on: what other machines leave
    ///
    /// Output names are the same in every part.
    #[arg(long = "shard", value_name = "I/N")]
    pub part: Option<Shard>,
}
