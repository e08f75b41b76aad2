//! Where things lie.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The folder of the workspace's Cargo.toml.
pub fn workspace_root() -> &'static Path {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("xtask is a folder of the workspace")
}

/// Makes it the current folder.
pub fn enter_workspace() -> anyhow::Result<()> {
    std::env::set_current_dir(workspace_root()).context("can't enter the workspace")
}

/// Cargo's target folder, from where this program itself lies: target/release/xtask.
pub fn target_dir() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("can't tell where this program lies")?;
    program
        .ancestors()
        .nth(2)
        .map(Path::to_owned)
        .with_context(|| format!("{} lies in no target folder", program.display()))
}
