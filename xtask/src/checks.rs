//! `cargo xtask test`: everything that says whether this checkout is good.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use weft_hosts::BUNDLE_DIR_VARIABLE;

use crate::{bundles, python, workspace_root};

/// Counts of what was checked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Tests and checks that held.
    pub passed: u64,
    /// Tests and checks that did not.
    pub failed: u64,
    /// What could not be run; the reason was printed.
    pub skipped: u64,
}

impl Tally {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// One check that passed or failed as a whole.
    fn one(passed: bool) -> Self {
        Self {
            passed: u64::from(passed),
            failed: u64::from(!passed),
            skipped: 0,
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// Prints why something is not run, and counts it.
pub fn skip(what: &str, reason: &str) -> Tally {
    println!("SKIPPED {what}: {reason}");
    Tally {
        skipped: 1,
        ..Tally::default()
    }
}

/// Runs all checks; whether none failed.
pub fn run(quick: bool) -> anyhow::Result<bool> {
    std::env::set_current_dir(workspace_root()).context("can't enter the workspace")?;
    let can_link_vst3 = can_link_vst3_host();
    let features = if can_link_vst3 {
        "weft-hosts/bundles,weft-hosts/vst3"
    } else {
        "weft-hosts/bundles"
    };
    let mut tally = Tally::default();

    headline("formatting");
    tally.add(component("rustfmt", &["fmt", "--all", "--check"])?);
    headline("lints");
    tally.add(component(
        "clippy",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            features,
            "--",
            "--deny",
            "warnings",
        ],
    )?);
    headline("documentation");
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    doc.env("RUSTDOCFLAGS", "--deny warnings");
    tally.add(Tally::one(succeeds(&mut doc)?));
    headline("tests of the workspace");
    tally.add(cargo_tests(&[], None)?);

    if quick {
        tally.add(skip("the hosts", "--quick leaves them out"));
    } else {
        headline("release bundles");
        match bundles::build() {
            Err(error) => {
                eprintln!("error: {error:#}");
                tally.add(Tally::one(false));
                tally.add(skip("the hosts", "there are no bundles to load"));
            }
            Ok(folder) => {
                tally.add(Tally::one(true));
                tally.add(host_tests(&folder, features, can_link_vst3)?);
            }
        }
    }
    println!();
    println!("{tally}");
    Ok(tally.failed == 0)
}

fn host_tests(bundles: &Path, features: &str, can_link_vst3: bool) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    headline("CLAP and VST3 hosts");
    let mut arguments = vec!["--features", features];
    let names = host_test_names()?;
    for name in &names {
        // The one that links the VST3 host's library.
        if name == "vst3" && !can_link_vst3 {
            tally.add(skip(
                "the VST3 host",
                "its library needs libxcb to link; install it with `sudo apt-get install libxcb1-dev` \
                 (Fedora: libxcb-devel) and run this again",
            ));
        } else {
            arguments.extend(["--test", name.as_str()]);
        }
    }
    tally.add(cargo_tests(&arguments, Some(bundles))?);
    headline("Python hosts");
    tally.add(python::host_tests(bundles)?);
    Ok(tally)
}

/// Names of the test programs that drive hosts: every file in `tests/tests`, so that none is forgotten.
fn host_test_names() -> anyhow::Result<Vec<String>> {
    let folder = workspace_root().join("tests/tests");
    let files = std::fs::read_dir(&folder)
        .with_context(|| format!("can't read the folder {}", folder.display()))?;
    let mut names = Vec::new();
    for file in files {
        let path = file
            .with_context(|| format!("can't read the folder {}", folder.display()))?
            .path();
        if path.extension().is_some_and(|e| e == "rs") {
            names.extend(path.file_stem().map(|s| s.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn headline(text: &str) {
    println!("\n== {text}");
}

fn cargo(arguments: &[&str]) -> Command {
    // Cargo names itself to what it runs, so that a chosen toolchain stays chosen.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

fn succeeds(command: &mut Command) -> anyhow::Result<bool> {
    let status = command
        .status()
        .with_context(|| format!("can't run {:?}", command.get_program()))?;
    Ok(status.success())
}

/// Runs a cargo command that an optional rustup component provides.
fn component(name: &str, arguments: &[&str]) -> anyhow::Result<Tally> {
    let installed = cargo(&[arguments[0], "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !installed {
        let reason = format!("install it with `rustup component add {name}`");
        return Ok(skip(name, &reason));
    }
    Ok(Tally::one(succeeds(&mut cargo(arguments))?))
}

/// Runs `cargo test` on the workspace and counts its tests.
fn cargo_tests(arguments: &[&str], bundles: Option<&Path>) -> anyhow::Result<Tally> {
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    command.args(arguments);
    if let Some(bundles) = bundles {
        command.env(BUNDLE_DIR_VARIABLE, bundles);
    }
    let mut tally = Tally::default();
    let success = for_each_line(&mut command, |line| {
        tally.add(cargo_result(line).unwrap_or_default());
    })?;
    // A test program that crashes, or does not compile, prints no result.
    if !success && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(tally)
}

/// Counts from a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`.
fn cargo_result(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |name: &str| {
        let counted = counts.split("; ").find_map(|part| part.strip_suffix(name));
        counted.and_then(|number| number.trim().parse().ok())
    };
    Some(Tally {
        passed: count(" passed")?,
        failed: count(" failed")?,
        skipped: count(" ignored")?,
    })
}

/// Runs `command`, prints its standard output as it comes, and shows each line to `read`; whether
/// it succeeded.
pub fn for_each_line(command: &mut Command, mut read: impl FnMut(&str)) -> anyhow::Result<bool> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't run {:?}", command.get_program()))?;
    let output = child.stdout.take().context("the output is not piped")?;
    let mut terminal = std::io::stdout().lock();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("can't read a test's output")?;
        let line = String::from_utf8_lossy(&line);
        writeln!(terminal, "{line}")?;
        read(&line);
    }
    Ok(child.wait().context("can't wait for a test")?.success())
}

/// Whether the libraries that the VST3 host links are there: libxcb on Linux.
fn can_link_vst3_host() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let child = Command::new(compiler)
        .args(["-x", "c", "-", "-lxcb", "-o", "/dev/null"].map(OsStr::new))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    let written = child
        .stdin
        .take()
        .is_some_and(|mut source| source.write_all(b"int main(void) { return 0; }\n").is_ok());
    written && child.wait().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_results_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered \
                    out; finished in 0.31s";
        let tally = Tally {
            passed: 12,
            failed: 3,
            skipped: 1,
        };
        assert_eq!(cargo_result(line), Some(tally));
        assert_eq!(tally.to_string(), "12 passed, 3 failed, 1 skipped");
        assert_eq!(cargo_result("test clap::loads ... ok"), None);
    }
}
