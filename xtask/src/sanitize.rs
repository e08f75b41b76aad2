//! `cargo xtask sanitize`: the instrument's tests, compiled so that wrong accesses and data races are found.
//!
//! Sanitizers are an unstable part of the compiler. A nightly compiler takes them as it is; a stable one takes them
//! when `RUSTC_BOOTSTRAP` is set. AddressSanitizer gets along with a standard library that knows nothing of it;
//! ThreadSanitizer does not, as it would miss what the library's locks and channels order: for that one the library
//! is compiled too.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use clap::ValueEnum;

use crate::cargo::{cargo, tests};
use crate::paths::{enter_workspace, target_dir};
use crate::process::output;
use crate::tally::Tally;

/// What looks at every access to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sanitizer {
    /// Memory that is not there (any more), and memory that is never freed.
    Address,
    /// Accesses of two threads that nothing orders.
    Thread,
}

/// Cargo's names of the tests that run: those in which threads hand each other something. `session` is not among
/// them: it has the kernel catch system calls, and sanitizers make some.
const TESTS: [&str; 6] = [
    "instrument",
    "captures",
    "controls",
    "notes",
    "slots",
    "states",
];
/// The core's own tests that run.
const LIBRARY_TESTS: &str = "instrument";

/// Seconds after which a test has hung: ThreadSanitizer makes fits about twenty times slower.
const HUNG_S: &str = "1800";

/// Targets for which Rust ships the sanitizers.
const TARGETS: [&str; 4] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];

/// Runs one sanitizer or all; whether none found anything.
pub fn run(only: Option<Sanitizer>) -> anyhow::Result<bool> {
    enter_workspace()?;
    let compiler = Compiler::of_cargo()?;
    println!("{} for {}", compiler.version, compiler.host);
    let mut tally = Tally::default();
    for sanitizer in [Sanitizer::Address, Sanitizer::Thread] {
        if only.is_none_or(|only| only == sanitizer) {
            tally.add(sanitizer.run(&compiler)?);
        }
    }
    println!();
    println!("{tally}");
    Ok(tally.failed == 0)
}

impl Sanitizer {
    fn title(self) -> &'static str {
        match self {
            Self::Address => "AddressSanitizer",
            Self::Thread => "ThreadSanitizer",
        }
    }

    /// The compiler's name of it.
    fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Thread => "thread",
        }
    }

    fn run(self, compiler: &Compiler) -> anyhow::Result<Tally> {
        println!("\n== {}", self.title());
        if let Err(reason) = self.is_possible(compiler) {
            return Ok(Tally::skip(self.title(), &reason));
        }
        let mut tally = Tally::default();
        let library = ["--lib", LIBRARY_TESTS].map(str::to_owned).to_vec();
        let programs = TESTS.iter().flat_map(|name| ["--test", *name]);
        for selection in [library, programs.map(str::to_owned).collect()] {
            let mut command = self.test_command(compiler)?;
            command.args(&selection);
            // A bounce waits for a fit only so long, and all of this is slow: one test at a time.
            command.args(["--", "--test-threads", "1"]);
            println!("cargo test -p weft-core {}", selection.join(" "));
            tally.add(tests(&mut command)?);
        }
        match tally.failed {
            0 => println!("{} found nothing in {} tests", self.title(), tally.passed),
            failed => println!(
                "{}: {failed} failed; what it found, if it is that, is told above",
                self.title()
            ),
        }
        Ok(tally)
    }

    /// Whether the toolchain has what it takes.
    ///
    /// # Errors
    /// What is missing, and what to do about it.
    fn is_possible(self, compiler: &Compiler) -> Result<(), String> {
        if !TARGETS.contains(&compiler.host.as_str()) {
            return Err(format!(
                "Rust ships it for {} only, and this is {}",
                TARGETS.join(", "),
                compiler.host
            ));
        }
        if self == Self::Thread && !compiler.has_library_sources() {
            return Err(format!(
                "the standard library has to be compiled with it, and its sources are not at {}; \
                 install them with `rustup component add rust-src` (`rustup toolchain install nightly -c \
                 rust-src`) and run this again (`cargo +nightly xtask sanitize`)",
                compiler.library_sources().display()
            ));
        }
        Ok(())
    }

    /// `cargo test` of the core, compiled with it.
    fn test_command(self, compiler: &Compiler) -> anyhow::Result<Command> {
        let mut command = cargo(&["test", "-p", "weft-core", "--no-fail-fast"]);
        // A target that is named keeps build scripts and macros out of it.
        command.args(["--target", &compiler.host, "--target-dir"]);
        command.arg(target_dir()?.join("sanitize").join(self.name()));
        if self == Self::Thread {
            command.arg("-Zbuild-std");
        }
        command.env("RUSTFLAGS", format!("-Zsanitizer={}", self.name()));
        command.env("WEFT_HUNG_S", HUNG_S);
        if !compiler.is_nightly() {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        Ok(command)
    }
}

/// The compiler that cargo uses.
struct Compiler {
    version: String,
    host: String,
    sysroot: PathBuf,
}

impl Compiler {
    fn of_cargo() -> anyhow::Result<Self> {
        let rustc = || Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        let about = output(rustc().arg("-vV"))?;
        let sysroot = output(rustc().args(["--print", "sysroot"]))?;
        let host = about.lines().find_map(|line| line.strip_prefix("host: "));
        Ok(Self {
            version: about.lines().next().unwrap_or_default().to_owned(),
            host: host.context("rustc does not tell its host")?.to_owned(),
            sysroot: sysroot.trim().into(),
        })
    }

    fn is_nightly(&self) -> bool {
        self.version.contains("nightly") || self.version.contains("dev")
    }

    /// Where rustup puts the standard library's sources.
    fn library_sources(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib/src/rust/library")
    }

    fn has_library_sources(&self) -> bool {
        self.library_sources().join("Cargo.lock").exists()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiler(host: &str) -> Compiler {
        Compiler {
            version: "rustc 1.95.0 (59807616e 2026-04-14)".into(),
            host: host.into(),
            sysroot: "no such folder".into(),
        }
    }

    #[test]
    fn what_is_missing_is_told() {
        let windows = compiler("x86_64-pc-windows-msvc");
        let reason = Sanitizer::Address.is_possible(&windows).unwrap_err();
        assert!(reason.contains("x86_64-pc-windows-msvc"), "{reason}");
        let linux = compiler("x86_64-unknown-linux-gnu");
        assert_eq!(Sanitizer::Address.is_possible(&linux), Ok(()));
        let reason = Sanitizer::Thread.is_possible(&linux).unwrap_err();
        assert!(reason.contains("rust-src"), "{reason}");
    }

    #[test]
    fn the_tests_that_run_exist() {
        for name in TESTS {
            let file = crate::paths::workspace_root().join(format!("core/tests/{name}.rs"));
            assert!(file.exists(), "{}", file.display());
        }
    }
}
