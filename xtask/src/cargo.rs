//! Cargo's commands, as checks.

use std::process::Command;

use crate::process::{for_each_line, succeeds, succeeds_quietly};
use crate::tally::Tally;

/// Cargo with these arguments.
pub fn cargo(arguments: &[&str]) -> Command {
    // Cargo names itself to what it runs, so that a chosen toolchain stays chosen.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Runs a command of cargo that an optional rustup component provides.
pub fn component(name: &str, arguments: &[&str]) -> anyhow::Result<Tally> {
    if !succeeds_quietly(&mut cargo(&[arguments[0], "--version"])) {
        let reason = format!("install it with `rustup component add {name}`");
        return Ok(Tally::skip(name, &reason));
    }
    Ok(Tally::one(succeeds(&mut cargo(arguments))?))
}

/// Runs a command such as `cargo test` and counts its tests, doc tests included.
pub fn tests(command: &mut Command) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let success = for_each_line(command, |line| {
        tally.add(Tally::from_cargo(line).unwrap_or_default());
    })?;
    Ok(tally.of_program(success))
}
