//! Building and installing the plugin bundles.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::{target_dir, workspace_root};

/// The plugin's package.
const PACKAGE: &str = "weft";
/// File names of the bundles, as bundler.toml names them.
pub const CLAP: &str = "Weft.clap";
/// See [`CLAP`].
pub const VST3: &str = "Weft.vst3";

/// Builds the release bundles and returns their folder.
pub fn build() -> anyhow::Result<PathBuf> {
    std::env::set_current_dir(workspace_root()).context("can't enter the workspace")?;
    let target_dir = target_dir()?;
    let arguments = ["--release".to_owned()];
    nice_plug_xtask::build(&[PACKAGE.to_owned()], &arguments)?;
    nice_plug_xtask::bundle(&target_dir, PACKAGE, &arguments, false)?;
    let folder = target_dir.join("bundled");
    for name in [CLAP, VST3] {
        let bundle = folder.join(name);
        if !bundle.exists() {
            bail!("the build left no {}", bundle.display());
        }
    }
    Ok(folder)
}

/// Builds the release bundles and copies them into the user's plugin folders.
pub fn install() -> anyhow::Result<()> {
    let bundles = build()?;
    for (name, folder) in [(CLAP, clap_folder()?), (VST3, vst3_folder()?)] {
        fs::create_dir_all(&folder)
            .with_context(|| format!("can't make the folder {}", folder.display()))?;
        let target = folder.join(name);
        replace(&bundles.join(name), &target)
            .with_context(|| format!("can't install {}", target.display()))?;
        println!("installed {}", target.display());
    }
    println!("Let your host rescan its plugins.");
    Ok(())
}

fn home(variable: &str) -> anyhow::Result<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .with_context(|| format!("{variable} is not set, so there is no folder to install into"))
}

#[cfg(target_os = "macos")]
fn clap_folder() -> anyhow::Result<PathBuf> {
    Ok(home("HOME")?.join("Library/Audio/Plug-Ins/CLAP"))
}

#[cfg(target_os = "macos")]
fn vst3_folder() -> anyhow::Result<PathBuf> {
    Ok(home("HOME")?.join("Library/Audio/Plug-Ins/VST3"))
}

#[cfg(target_os = "windows")]
fn clap_folder() -> anyhow::Result<PathBuf> {
    Ok(home("LOCALAPPDATA")?.join("Programs/Common/CLAP"))
}

#[cfg(target_os = "windows")]
fn vst3_folder() -> anyhow::Result<PathBuf> {
    Ok(home("LOCALAPPDATA")?.join("Programs/Common/VST3"))
}

#[cfg(not(any(target_os = "macos", target_os = "windows")))]
fn clap_folder() -> anyhow::Result<PathBuf> {
    Ok(home("HOME")?.join(".clap"))
}

#[cfg(not(any(target_os = "macos", target_os = "windows")))]
fn vst3_folder() -> anyhow::Result<PathBuf> {
    Ok(home("HOME")?.join(".vst3"))
}

/// Copies the file or folder `source` to `target` under a temporary name first, so that a host
/// never meets half a bundle, and one that has the old library open keeps it.
fn replace(source: &Path, target: &Path) -> std::io::Result<()> {
    let fresh = target.with_extension("installing");
    remove(&fresh)?;
    copy(source, &fresh)?;
    remove(target)?;
    fs::rename(&fresh, target)
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn copy(source: &Path, target: &Path) -> std::io::Result<()> {
    if !source.is_dir() {
        return fs::copy(source, target).map(drop);
    }
    fs::create_dir(target)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        copy(&entry.path(), &target.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_bundle_replaces_the_old_one_whole() {
        let folder = std::env::temp_dir().join(format!("weft-install-{}", std::process::id()));
        let (source, target) = (folder.join("new.vst3"), folder.join("Weft.vst3"));
        fs::create_dir_all(source.join("Contents")).unwrap();
        fs::write(source.join("Contents/library"), "new").unwrap();
        fs::create_dir_all(&target).unwrap();
        fs::write(target.join("leftover"), "old").unwrap();

        replace(&source, &target).unwrap();

        assert_eq!(
            fs::read_to_string(target.join("Contents/library")).unwrap(),
            "new"
        );
        assert!(!target.join("leftover").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
