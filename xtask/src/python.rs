//! The host tests in Python: an environment of their own, with pinned packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use weft_hosts::BUNDLE_DIR_VARIABLE;

use crate::paths::{target_dir, workspace_root};
use crate::process::{for_each_line, output, succeeds_quietly};
use crate::tally::Tally;

/// What the skips are counted under.
const WHAT: &str = "the Python hosts (dawdreamer, pedalboard)";

/// Interpreters to try, the one that a user would get first. The packages have wheels for these
/// versions only.
const INTERPRETERS: &[&str] = &[
    "python3",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python",
];

/// Runs the tests in tests/python against the bundles.
pub fn host_tests(bundles: &Path) -> anyhow::Result<Tally> {
    let tests = workspace_root().join("tests/python");
    let python = match environment(&tests.join("requirements.txt")) {
        Ok(python) => python,
        Err(reason) => return Ok(Tally::skip(WHAT, &format!("{reason:#}"))),
    };
    let mut tally = Tally::default();
    // Each host gets a process of its own, so that one's crash leaves the other's results.
    for module in ["test_dawdreamer", "test_pedalboard"] {
        let mut command = Command::new(&python);
        command
            .arg(tests.join("run.py"))
            .arg(module)
            .env(BUNDLE_DIR_VARIABLE, bundles)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1");
        let mut counted = Tally::default();
        let success = for_each_line(&mut command, |line| {
            counted.add(Tally::from_python(line).unwrap_or_default());
        })?;
        tally.add(counted.of_program(success));
    }
    Ok(tally)
}

/// The interpreter of an environment in which the packages of `requirements` are installed.
///
/// # Errors
/// The reason why there is none, and what to do about it.
fn environment(requirements: &Path) -> anyhow::Result<PathBuf> {
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("can't read {}", requirements.display()))?;
    let folder = target_dir()?.join("venv");
    let python = if cfg!(windows) {
        folder.join("Scripts/python.exe")
    } else {
        folder.join("bin/python")
    };
    let installed = folder.join("installed-requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) && works(&python) {
        return Ok(python);
    }
    let interpreters: Vec<_> = INTERPRETERS
        .iter()
        .filter(|name| works(Path::new(name)))
        .collect();
    anyhow::ensure!(
        !interpreters.is_empty(),
        "there is no Python 3.10 or newer with venv; install it, on Debian and Ubuntu with \
         `sudo apt-get install python3 python3-venv`, and run this again"
    );
    let mut failure = String::new();
    for interpreter in interpreters {
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("can't remove {}", folder.display()))?;
        }
        println!("installing the packages of tests/python/requirements.txt with {interpreter}");
        let made =
            output(Command::new(interpreter).args(["-m", "venv"]).arg(&folder)).and_then(|_| {
                output(
                    Command::new(&python)
                        .args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:"])
                        .args(["--disable-pip-version-check", "--requirement"])
                        .arg(requirements),
                )
            });
        let imported = made.and_then(|_| {
            output(Command::new(&python).args(["-c", "import dawdreamer, pedalboard, numpy"]))
        });
        match imported {
            Ok(_) => {
                fs::write(&installed, &wanted)
                    .with_context(|| format!("can't write {}", installed.display()))?;
                return Ok(python);
            }
            Err(error) => failure = format!("with {interpreter}: {error:#}"),
        }
    }
    anyhow::bail!(
        "its packages could not be installed ({failure}). They need a connection to the package \
         index and Python 3.10 to 3.13; run `pip install -r tests/python/requirements.txt` to see \
         more"
    )
}

/// Whether this is a Python that can make environments and is new enough.
fn works(python: &Path) -> bool {
    succeeds_quietly(Command::new(python).args([
        "-c",
        "import sys, venv, ensurepip; assert sys.version_info >= (3, 10)",
    ]))
}
