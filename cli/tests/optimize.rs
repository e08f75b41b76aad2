//! `weft optimize`: the papers' methods on the command line.

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use support::{fail, names, pipe, records, refuse, succeed};

/// Small enough for a test.
const SMALL: &str = "--method antognini --filters 6 --widest 4";

/// A folder with `in.wav`, two seconds of fire at 16 kHz.
fn folder_with_fire() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fire = "synthesize fire --seconds 2 --sample-rate 16000 -o in.wav";
    succeed(folder.path(), fire);
    folder
}

fn record(folder: &Path, arguments: &str) -> Value {
    let said = succeed(folder, &format!("optimize {arguments} --json"));
    // Those before it tell of the progress.
    records(&said).pop().unwrap()
}

#[test]
fn a_method_makes_a_sound_and_tells_its_losses() {
    let folder = folder_with_fire();
    let path = folder.path();
    let said = succeed(
        path,
        &format!("optimize {SMALL} in.wav -o out.wav --iterations 5 --curves curves"),
    );
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("antognini: loss "), "{said}");
    assert!(
        lines[0].contains("(gram ") && lines[0].contains(" after 5 iterations"),
        "{said}"
    );
    assert_eq!(lines[1], "wrote curves/out.csv and curves/out.png");
    assert_eq!(lines[2], "wrote out.wav (2.0 s, 16000 Hz, mono)");
    assert_eq!(names(&path.join("curves")), ["out.csv", "out.png"]);
    let csv = fs::read_to_string(path.join("curves/out.csv")).unwrap();
    let header = "iteration,seconds,evaluations,total,gram,gram_weighted,autocorrelation,\
                  autocorrelation_weighted,diversity,diversity_weighted";
    assert_eq!(csv.lines().next(), Some(header));
    let totals: Vec<f64> = csv
        .lines()
        .skip(1)
        .map(|l| l.split(',').nth(3).unwrap().parse().unwrap())
        .collect();
    assert_eq!(totals.len(), 6);
    assert!(totals[5] < totals[0], "{totals:?}");
    let png = fs::read(path.join("curves/out.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));

    // The same again is the same to the bit, and is told to programs.
    let told = record(path, &format!("{SMALL} in.wav -o again.wav --iterations 5"));
    assert_eq!(
        fs::read(path.join("out.wav")).unwrap(),
        fs::read(path.join("again.wav")).unwrap()
    );
    assert_eq!(
        (&told["method"], &told["ending"]),
        (&"antognini".into(), &"done".into())
    );
    assert_eq!(
        (&told["iterations"], &told["status"]),
        (&5.into(), &"written".into())
    );
    assert_eq!(told["loss"].as_f64().unwrap(), totals[5]);
    assert_eq!(told["terms"]["autocorrelation"]["weight"], 1000.0);
}

#[test]
fn options_are_those_of_the_paper() {
    let folder = folder_with_fire();
    let path = folder.path();
    let told = record(
        path,
        &format!("{SMALL} --alpha 0 --beta 0.5 in.wav -o a.wav --iterations 1"),
    );
    let terms: Vec<&String> = told["terms"].as_object().unwrap().keys().collect();
    assert_eq!(terms, ["diversity", "gram"]);
    assert_eq!(told["terms"]["diversity"]["weight"], 0.5);
    let stacked = "--method antognini --filters 6 --stacked --seed 3 --seconds 1.5";
    let told = record(
        path,
        &format!("{stacked} in.wav -o b.wav --iterations 1 --device cpu"),
    );
    assert_eq!(
        (&told["seconds"], &told["device"]),
        (&1.5.into(), &"cpu".into())
    );
    let told = record(
        path,
        "--method ulyanov --filters 8 --kernel 3 in.wav -o c.wav --iterations 2",
    );
    assert_eq!(
        (&told["sample_rate_hz"], &told["iterations"]),
        (&22_050.into(), &2.into())
    );
    assert!(told["terms"]["style"]["value"].as_f64().unwrap() > 0.0);
    // Through pipes, with curves named for where the sound came from.
    let input = fs::read(path.join("in.wav")).unwrap();
    let arguments = format!("optimize {SMALL} - -o - --iterations 1 --curves piped");
    let output = pipe(path, &arguments, &input);
    assert!(output.starts_with(b"RIFF"));
    assert_eq!(names(&path.join("piped")), ["stdin.csv", "stdin.png"]);
}

#[test]
fn what_makes_no_sense_is_refused_before_any_work() {
    let folder = folder_with_fire();
    let path = folder.path();
    let with = |options: &str| format!("optimize in.wav -o out.wav {options}");
    for (options, part) in [
        ("--method gatys", "antognini, ulyanov"),
        ("", "--method"),
        ("--method antognini --kernel 3", "--kernel"),
        ("--method ulyanov --stacked", "--stacked"),
        ("--method ulyanov --alpha 1", "--alpha"),
        ("--method antognini --stacked --widest 4", "--widest"),
        ("--method antognini --widest 12", "12"),
        ("--method antognini --filters 0", "1 to 4096"),
        ("--method ulyanov --kernel 65", "1 to 64"),
        ("--method antognini --alpha nan", "alpha"),
        ("--method antognini --beta=-1", "beta"),
        ("--method antognini --iterations 0", "iterations"),
        ("--method antognini --seconds 301", "300"),
    ] {
        refuse(path, &with(options), part);
    }
    refuse(
        path,
        &format!("optimize {SMALL} in.wav -o out.flac"),
        ".wav",
    );
    if cfg!(not(feature = "cuda")) {
        fail(
            path,
            &with("--method antognini --device cuda"),
            &["--features cuda"],
        );
    }
    assert_eq!(names(path), ["in.wav"]);
}

#[test]
fn files_that_stand_in_the_way_or_hold_nothing_are_told() {
    let folder = folder_with_fire();
    let path = folder.path();
    let small = |rest: &str| format!("optimize {SMALL} --iterations 1 {rest}");
    fail(path, &small("in.wav -o in.wav"), &["is the input itself"]);
    fail(path, &small("none.wav -o out.wav"), &["none.wav"]);
    fs::write(path.join("out.wav"), "older").unwrap();
    fail(path, &small("in.wav -o out.wav"), &["out.wav", "--force"]);
    fs::create_dir(path.join("curves")).unwrap();
    fs::write(path.join("curves/new.csv"), "older").unwrap();
    fail(
        path,
        &small("in.wav -o new.wav --curves curves"),
        &["new.csv", "--force"],
    );
    fs::write(path.join("file"), "").unwrap();
    fail(
        path,
        &small("in.wav -o new.wav --curves file/curves"),
        &["file/curves"],
    );
    assert!(!path.join("new.wav").exists());
    succeed(path, &small("in.wav -o new.wav --curves curves --force"));
    assert_ne!(fs::read(path.join("curves/new.csv")).unwrap(), b"older");
    succeed(path, "synthesize rain --seconds 0.5 -o short.wav");
    fail(
        path,
        &small("short.wav -o s.wav"),
        &["short.wav", "0.500 s"],
    );
    let wide = "optimize --method antognini --filters 2 --widest 256 in.wav -o s.wav --seconds 0.5";
    fail(
        path,
        wide,
        &["in.wav", "too short for this method's filters"],
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_optimisation_writes_the_best_so_far() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};

    for signal in [libc::SIGINT, libc::SIGTERM] {
        let folder = folder_with_fire();
        let path = folder.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
        let arguments = format!(
            "optimize {SMALL} in.wav -o out.wav --iterations 100000 --curves curves --json"
        );
        command.args(arguments.split_whitespace()).current_dir(path);
        let mut child = support::heed_signals(&mut command)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // From when the folder is there, a signal is caught; so many iterations don't end by themselves meanwhile.
        while !path.join("curves").exists() {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::yield_now();
        }
        let id = libc::pid_t::try_from(child.id()).unwrap();
        // SAFETY: sends a signal to a child that has not been waited for, so that the number is still its own.
        unsafe { libc::kill(id, signal) };
        let output = child.wait_with_output().unwrap();
        // Whoever started it learns what ended it.
        assert_eq!(output.status.signal(), Some(signal), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        let told = records(&said).pop().unwrap();
        assert_eq!(told["ending"], "interrupted");
        assert!(told["iterations"].as_u64().unwrap() < 100_000);
        assert_eq!(names(path), ["curves", "in.wav", "out.wav"]);
        let sound = succeed(path, "info out.wav --json");
        assert!(
            (records(&sound)[0]["seconds"].as_f64().unwrap() - 2.0).abs() < 1e-6,
            "{sound}"
        );
    }
}
