//! Runs the `weft` binary, as a user does.

// Every test file takes what it needs.
#![allow(dead_code)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Runs `weft` in `folder` with arguments separated by blanks.
pub fn weft(folder: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weft"))
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs `weft`, which must succeed without a word on the standard error.
pub fn succeed(folder: &Path, arguments: &str) -> String {
    let output = weft(folder, arguments);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{arguments}: {}",
        stderr(&output)
    );
    assert_eq!(stderr(&output), "", "{arguments}");
    stdout(&output)
}

/// Runs `weft`, which must fail with code 1 and one line on the standard error that holds all of
/// `parts`.
pub fn fail(folder: &Path, arguments: &str, parts: &[&str]) {
    let output = weft(folder, arguments);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{arguments}: {message}");
    assert!(
        message.starts_with("weft: error: "),
        "{arguments}: {message}"
    );
    assert_eq!(message.lines().count(), 1, "{arguments}: {message}");
    for part in parts {
        assert!(message.contains(part), "{arguments}: {message}");
    }
}

/// Runs `weft`, which must refuse the command line with code 2 and a message that holds `part`.
pub fn refuse(folder: &Path, arguments: &str, part: &str) {
    let output = weft(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments}");
    let message = stderr(&output);
    assert!(message.contains(part), "{arguments}: {message}");
}

/// A folder with `in.wav`, two seconds of rain at 16 kHz.
pub fn folder_with_rain() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    succeed(
        folder.path(),
        "synthesize rain --seconds 2 --sample-rate 16000 -o in.wav",
    );
    folder
}

/// Runs `weft` with `input` on its standard input, which must succeed; returns the standard output.
pub fn pipe(folder: &Path, arguments: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_weft"))
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", stderr(&output));
    output.stdout
}

/// The lines of what `weft` printed, each an object of JSON.
pub fn records(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    let records: Vec<Value> = lines.collect::<Result<_, _>>().unwrap();
    assert!(records.iter().all(Value::is_object), "{text}");
    records
}

/// Names of what is in `folder`, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Has `command` heed the signals that a terminal or a system ends programs by, also where whoever runs the tests
/// ignores them, as everything does that was started in the background of a script.
#[cfg(unix)]
pub fn heed_signals(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt;

    // SAFETY: between fork and exec nothing but `signal` is called, which is allowed there.
    unsafe {
        command.pre_exec(|| {
            for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
                libc::signal(signal, libc::SIG_DFL);
            }
            Ok(())
        })
    }
}
