//! `cargo xtask test`: everything that says whether this checkout is good.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use weft_hosts::{BUNDLE_DIR_VARIABLE, TOOL_VARIABLE, WORKER_VARIABLE};

use crate::cargo::{cargo, component, tests};
use crate::paths::{enter_workspace, workspace_root};
use crate::process::succeeds;
use crate::tally::Tally;
use crate::{bundles, python};

/// The build of the plugin that hosts load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostedBuild {
    /// None: the hosts are left out.
    None,
    /// The one that the workspace's tests have, with its own checks, which a release leaves out.
    Development,
    /// The release.
    Release,
}

/// Runs all checks; whether none failed.
pub fn run(hosted: HostedBuild) -> anyhow::Result<bool> {
    enter_workspace()?;
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
    // The public pages last: they are the ones that stay in target/doc.
    headline("documentation of private items");
    tally.add(documentation(&["--document-private-items"])?);
    headline("documentation");
    tally.add(documentation(&[])?);
    headline("tests of the workspace, and of its documentation");
    tally.add(tests(&mut cargo(&[
        "test",
        "--workspace",
        "--no-fail-fast",
    ]))?);

    tally.add(match hosted {
        HostedBuild::None => Tally::skip("the hosts", "--quick leaves them out"),
        HostedBuild::Development => {
            headline("development bundles");
            hosts(bundles::build_for_tests(features), features, can_link_vst3)?
        }
        HostedBuild::Release => {
            headline("release bundles");
            hosts(bundles::build(), features, can_link_vst3)?
        }
    });
    println!();
    println!("{tally}");
    Ok(tally.failed == 0)
}

/// Builds the workspace's pages; a warning is a failure.
fn documentation(arguments: &[&str]) -> anyhow::Result<Tally> {
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    doc.args(arguments).env("RUSTDOCFLAGS", "--deny warnings");
    Ok(Tally::one(succeeds(&mut doc)?))
}

/// Drives bundles in hosts, if they could be built.
fn hosts(
    bundles: anyhow::Result<PathBuf>,
    features: &str,
    can_link_vst3: bool,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::one(bundles.is_ok());
    match bundles {
        Err(error) => {
            eprintln!("error: {error:#}");
            tally.add(Tally::skip("the hosts", "there are no bundles to load"));
        }
        Ok(folder) => tally.add(host_tests(&folder, features, can_link_vst3)?),
    }
    Ok(tally)
}

fn host_tests(bundles: &Path, features: &str, can_link_vst3: bool) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    headline("CLAP and VST3 hosts");
    let mut command = cargo(&[
        "test",
        "--workspace",
        "--no-fail-fast",
        "--features",
        features,
    ]);
    command.env(BUNDLE_DIR_VARIABLE, bundles);
    // The workspace's tests have just built it.
    command.env(TOOL_VARIABLE, bundles::tool_path("debug")?);
    command.env(WORKER_VARIABLE, "off");
    for name in host_test_names()? {
        // The only one that links the VST3 host's library.
        if name == "vst3" && !can_link_vst3 {
            tally.add(Tally::skip(
                "the VST3 host",
                "its library needs libxcb to link; install it with `sudo apt-get install libxcb1-dev` \
                 (Fedora: libxcb-devel) and run this again",
            ));
        } else {
            command.args(["--test", name.as_str()]);
        }
    }
    tally.add(tests(&mut command)?);
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

/// Tells what comes next.
fn headline(text: &str) {
    println!("\n== {text}");
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
