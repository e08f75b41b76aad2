//! Running other programs.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::Context;

/// Runs `command`; whether it succeeded.
pub fn succeeds(command: &mut Command) -> anyhow::Result<bool> {
    let status = command
        .status()
        .with_context(|| format!("can't run {:?}", command.get_program()))?;
    Ok(status.success())
}

/// Runs `command` without a word; whether it succeeded.
pub fn succeeds_quietly(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs `command` quietly; what it wrote to its standard output, or the last line of its errors as the error.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("can't run {:?}", command.get_program()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = errors.lines().rfind(|line| !line.trim().is_empty());
    anyhow::bail!(
        "{}",
        last.unwrap_or("it failed without a message").to_owned()
    )
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
