//! Building and installing the plugin bundles.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use weft_hosts::{BUNDLE_DIR_VARIABLE, CLAP_BUNDLE, VST3_BUNDLE};

use crate::cargo::cargo;
use crate::paths::{enter_workspace, target_dir};
use crate::process::succeeds;

/// The plugin's package.
const PACKAGE: &str = "weft";
/// The command line tool, and its package.
const TOOL: &str = "weft";
const TOOL_PACKAGE: &str = "weft-cli";
/// The demo's program, and what builds it beside the plugin.
const DEMO: &str = "weft-demo";
const DEMO_PACKAGE: &str = "weft-hosts";
const DEMO_FEATURE: &str = "weft-hosts/demo";

/// Builds the release bundles and returns their folder.
///
/// The demo's program is built in the same go: Cargo joins the features of what it builds together,
/// so that one built alone would compile most dependencies a second time.
pub fn build() -> anyhow::Result<PathBuf> {
    enter_workspace()?;
    let target_dir = target_dir()?;
    let packages = [PACKAGE, DEMO_PACKAGE].map(str::to_owned);
    let arguments = [
        "--release",
        "--features",
        DEMO_FEATURE,
        "--lib",
        "--bin",
        DEMO,
    ]
    .map(str::to_owned);
    nice_plug_xtask::build(&packages, &arguments)?;
    nice_plug_xtask::bundle(&target_dir, PACKAGE, &arguments, false)?;
    remove_false_standalone()?;
    bundles_in(target_dir.join("bundled"))
}

/// Bundles the plugin as the workspace's tests have it, with its own checks, which a release leaves out, and returns
/// the folder. It is not that of the release bundles, so that nobody installs these.
///
/// Built together with the workspace and its `features`: what the tests were just built from serves here too.
pub fn build_for_tests(features: &str) -> anyhow::Result<PathBuf> {
    let mut build = cargo(&["build", "--workspace", "--lib", "--features", features]);
    if !succeeds(&mut build)? {
        bail!("the plugin can't be built");
    }
    let library = format!("{DLL_PREFIX}{PACKAGE}{DLL_SUFFIX}");
    // The bundler takes the library from there, and puts the bundles beside it.
    let target_dir = target_dir()?;
    let folder = target_dir.join("tested");
    let copy = folder.join("debug").join(&library);
    fs::create_dir_all(folder.join("debug"))
        .and_then(|()| fs::copy(target_dir.join("debug").join(&library), &copy))
        .with_context(|| format!("can't copy the library to {}", copy.display()))?;
    nice_plug_xtask::bundle(&folder, PACKAGE, &[], false)?;
    bundles_in(folder.join("bundled"))
}

/// The folder, if both bundles are in it.
fn bundles_in(folder: PathBuf) -> anyhow::Result<PathBuf> {
    for name in [CLAP_BUNDLE, VST3_BUNDLE] {
        let bundle = folder.join(name);
        if !bundle.exists() {
            bail!("the build left no {}", bundle.display());
        }
    }
    Ok(folder)
}

/// Removes what the bundler takes for a standalone plugin: it finds a program of the plugin's name,
/// which is the command line tool.
pub fn remove_false_standalone() -> anyhow::Result<()> {
    let file = target_dir()?
        .join("bundled")
        .join("Weft")
        .with_extension(std::env::consts::EXE_EXTENSION);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

/// Builds the release bundles and the demo's program and runs it, with the arguments that this
/// program was given after its command; whether the demo succeeded.
pub fn demo() -> anyhow::Result<bool> {
    // A relative path on the command line means this folder, not the workspace.
    let folder = std::env::current_dir().context("can't tell the current folder")?;
    let bundles = build()?;
    let program = target_dir()?
        .join("release")
        .join(DEMO)
        .with_extension(std::env::consts::EXE_EXTENSION);
    let status = Command::new(&program)
        .args(std::env::args_os().skip(2))
        .current_dir(folder)
        .env(BUNDLE_DIR_VARIABLE, bundles)
        .status()
        .with_context(|| format!("can't run {}", program.display()))?;
    Ok(status.success())
}

/// Where Cargo puts the command line tool that it builds with a profile.
pub fn tool_path(profile: &str) -> anyhow::Result<PathBuf> {
    let path = target_dir()?.join(profile).join(TOOL);
    Ok(path.with_extension(std::env::consts::EXE_EXTENSION))
}

/// Builds the release of the command line tool with these features of its own. By itself: together with the plugin, the plugin would be built with the
/// features that the tool asks of what both depend on, and be another one than the tests have seen.
fn build_tool(features: &str) -> anyhow::Result<PathBuf> {
    let mut build = cargo(&["build", "--release", "--package", TOOL_PACKAGE]);
    if !succeeds(build.args(["--bin", TOOL, "--features", features]))? {
        bail!("the command line tool can't be built");
    }
    tool_path("release")
}

/// Builds the release bundles and the command line tool with `features`, which makes their imprints, and where it can use
/// a graphics processor their fits, and copies them into the user's plugin folders.
pub fn install(features: &str) -> anyhow::Result<()> {
    let bundles = build()?;
    let tool = build_tool(features)?;
    for (name, folder) in [(CLAP_BUNDLE, clap_folder()?), (VST3_BUNDLE, vst3_folder()?)] {
        fs::create_dir_all(&folder)
            .with_context(|| format!("can't make the folder {}", folder.display()))?;
        let target = folder.join(name);
        replace(&bundles.join(name), &target)
            .with_context(|| format!("can't install {}", target.display()))?;
        println!("installed {}", target.display());
        install_tool(&tool, &folder)?;
    }
    println!("Let your host rescan its plugins.");
    Ok(())
}

/// Copies the tool into a folder of bundles, where they look for it.
fn install_tool(tool: &Path, folder: &Path) -> anyhow::Result<()> {
    let name = tool.file_name().context("the tool has no name")?;
    let target = folder.join(name);
    replace(tool, &target).with_context(|| format!("can't install {}", target.display()))?;
    println!("installed {}, which makes imprints", target.display());
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
