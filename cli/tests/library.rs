//! Folders of recordings that become folders of textures: in parts, killed and gone on with, and told in a summary.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use support::{fail, names, records, refuse, stderr, stdout, succeed, weft};

const FIT: &str = "fit in -o out --fit-steps 2";

/// A folder with so many recordings in `in`, called `a.wav`, `b.wav` and so on.
fn folder(count: u8) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    for (seed, name) in (0..count).zip('a'..) {
        let recording = format!("--seconds 2 --sample-rate 8000 --seed {seed} -o in/{name}.wav");
        succeed(folder.path(), &format!("synthesize rain {recording}"));
    }
    folder
}

fn entry(path: &Path, name: &str) -> Value {
    let text = fs::read(path.join(format!("out/manifest/{name}.weft.json"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn summary(path: &Path, arguments: &str) -> (Option<i32>, Value) {
    let output = weft(path, &format!("summary out --json {arguments}"));
    (output.status.code(), records(&stdout(&output))[0].clone())
}

/// How often a list of a summary has something in it.
fn counts(told: &Value) -> [usize; 3] {
    ["missing", "damaged", "unlisted"].map(|list| told[list].as_array().unwrap().len())
}

/// Cuts a file off in the middle.
fn damage(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn shards_agree_on_names_and_leave_nothing() {
    let folder = folder(5);
    let path = folder.path();
    // Two that would have the same name.
    fs::copy(path.join("in/a.wav"), path.join("in/b.au")).unwrap();
    succeed(path, &FIT.replace("out", "whole"));
    let mut written = Vec::new();
    for shard in 1..=8 {
        let said = succeed(path, &format!("{FIT} --shard {shard}/8"));
        written.push(said.contains("1 written, 0 skipped, 0 failed"));
        assert!(written[shard - 1] || said.contains("0 written, 0 skipped, 0 failed"));
    }
    assert_eq!(written.iter().filter(|&&written| written).count(), 6);
    let found = names(&path.join("out"));
    assert_eq!(found, names(&path.join("whole")));
    assert!(found.contains(&"b.au.weft".into()) && found.contains(&"b.wav.weft".into()));
    // A part is a part of whatever goes to a folder.
    let said = succeed(path, "render out -o sounds --seconds 0.5 --shard 2/3");
    assert!(said.contains("2 written"), "{said}");
    assert_eq!(names(&path.join("sounds")), ["b.au.wav", "d.wav"]);
    refuse(path, "fit in/a.wav -o a.weft --shard 1/2", "a folder");
    for (shard, told) in [
        ("0/3", "numbered from 1 to 3"),
        ("4/3", "numbered from 1 to 3"),
        ("1/0", "at least 1"),
        ("one", "second of four parts"),
    ] {
        refuse(path, &format!("{FIT} --shard {shard}"), told);
    }
}

#[test]
fn what_is_made_is_listed_and_what_is_damaged_is_made_again() {
    let folder = folder(5);
    let path = folder.path();
    succeed(path, FIT);
    let told = entry(path, "a");
    let bytes = fs::read(path.join("out/a.weft")).unwrap();
    assert_eq!(told["input"]["file"], "in/a.wav");
    assert_eq!(told["output"]["file"], "a.weft");
    assert_eq!(told["output"]["bytes"], bytes.len());
    let checksum = format!("{:08x}", crc32(&bytes));
    assert_eq!(told["output"]["crc32"], checksum);
    assert_eq!((&told["steps"], &told["seed"]), (&2.into(), &0.into()));
    assert_eq!(told["settings"]["fit_steps"], 2);
    assert!(told["seconds"].as_f64().unwrap() > 0.0 && told["quality_db"].is_number());
    assert!(told["remarks"].as_array().unwrap().is_empty());
    assert!(told["device"].is_string() && told["weft"].is_string());

    // Killed between the two files; the entry of other bytes; half a texture; an empty one; half an entry.
    fs::remove_file(path.join("out/manifest/a.weft.json")).unwrap();
    fs::copy(path.join("out/d.weft"), path.join("out/b.weft")).unwrap();
    damage(&path.join("out/c.weft"));
    fs::write(path.join("out/d.weft"), "").unwrap();
    damage(&path.join("out/manifest/e.weft.json"));
    let (code, said) = summary(path, "--inputs in");
    assert_eq!((code, counts(&said)), (Some(1), [0, 2, 3]), "{said}");
    let output = weft(path, FIT);
    let said = stdout(&output);
    assert!(output.status.success());
    assert!(said.contains("2 written, 3 skipped, 0 failed"), "{said}");
    assert_eq!(said.matches("is listed now").count(), 3, "{said}");
    let remarks = stderr(&output);
    for part in ["out/c.weft is made again: ", "out/d.weft is made again: "] {
        assert!(remarks.contains(part), "{remarks}");
    }
    assert_eq!(remarks.matches("made again").count(), 2, "{remarks}");
    let (code, said) = summary(path, "--inputs in");
    assert_eq!((code, counts(&said)), (Some(0), [0, 0, 0]), "{said}");
    // Of one that was found, what the file does not say is not known.
    assert_eq!(entry(path, "a")["input"], told["input"]);
    assert_eq!(entry(path, "a")["output"], told["output"]);
    assert!(entry(path, "a")["device"].is_null());
    assert_eq!(entry(path, "c")["device"], told["device"]);

    // A refinement is listed as well, where it goes and where it takes the place of what it began with.
    succeed(path, "refine out/c.weft -o better/ --fit-steps 2");
    assert_eq!(names(&path.join("better/manifest")), ["c.weft.json"]);
    let steps = entry(path, "c")["steps"].as_u64().unwrap();
    succeed(path, "refine out -o out --fit-steps 40 --force");
    assert!(entry(path, "c")["steps"].as_u64().unwrap() != steps);
    assert_eq!(entry(path, "c")["input"]["file"], "out/c.weft");
    let (code, said) = summary(path, "--inputs in");
    assert_eq!((code, counts(&said)), (Some(0), [0, 0, 0]), "{said}");
}

/// CRC-32, bit by bit: slow, and plainly what its definition says.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
    let sum = bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), step)
    });
    !sum
}

#[test]
fn another_recording_of_the_same_name_is_told() {
    let folder = folder(2);
    let path = folder.path();
    succeed(path, "fit in/a.wav -o out/ --fit-steps 2");
    fs::create_dir(path.join("more")).unwrap();
    fs::copy(path.join("in/b.wav"), path.join("more/a.wav")).unwrap();
    let output = weft(path, "fit more/a.wav -o out/ --fit-steps 2");
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("was made of \"in/a.wav\""), "{said}");
    // The same one in another place is the same.
    fs::rename(path.join("in/a.wav"), path.join("more/a.wav")).unwrap();
    succeed(path, "fit more/a.wav -o out/ --fit-steps 2");
    // One that was changed may be fitted again.
    fs::copy(path.join("in/b.wav"), path.join("more/a.wav")).unwrap();
    assert!(!weft(path, "fit more -o out --fit-steps 2").status.success());
    succeed(path, "fit more -o out --fit-steps 2 --force");
    succeed(path, "fit more -o out --fit-steps 2");
    assert_eq!(entry(path, "a")["input"]["file"], "more/a.wav");
}

#[test]
fn a_summary_tells_all_and_writes_a_table() {
    let folder = folder(4);
    let path = folder.path();
    fail(path, "summary out", &["out", "folder"]);
    fs::create_dir(path.join("out")).unwrap();
    fail(path, "summary out", &["out", "no Weft texture"]);
    let (code, said) = summary(path, "--inputs in");
    assert_eq!((code, counts(&said)), (Some(1), [4, 0, 0]), "{said}");

    succeed(path, FIT);
    let said = succeed(path, "summary out --inputs in");
    for part in [
        "out: 4 textures, 0 missing, 0 damaged, 0 unlisted",
        "quality mean ",
        "wrote out/manifest.csv",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(said.matches("worst ").count(), 4, "{said}");
    let (code, said) = summary(path, "");
    assert_eq!((code, &said["textures"]), (Some(0), &4.into()));
    let qualities = ["a", "b", "c", "d"].map(|name| entry(path, name)["quality_db"].as_f64());
    let mean = qualities.iter().flatten().sum::<f64>() / 4.0;
    assert!((said["quality_db"]["mean"].as_f64().unwrap() - mean).abs() < 1e-4);
    let least = qualities.into_iter().flatten().fold(f64::MAX, f64::min);
    assert!((said["quality_db"]["least"].as_f64().unwrap() - least).abs() < 1e-4);
    assert!((said["worst"][0]["quality_db"].as_f64().unwrap() - least).abs() < 1e-4);

    // One was never made, one is gone, one is damaged.
    fs::copy(path.join("in/a.wav"), path.join("in/e.wav")).unwrap();
    fs::remove_file(path.join("out/d.weft")).unwrap();
    damage(&path.join("out/b.weft"));
    let output = weft(path, "summary out --inputs in");
    assert_eq!(output.status.code(), Some(1));
    let (said, wrong) = (stdout(&output), stderr(&output));
    assert!(said.contains("missing e.weft, of in/e.wav"), "{said}");
    assert!(said.contains("missing d.weft, of in/d.wav"), "{said}");
    assert!(
        said.contains("damaged b.weft: this texture is damaged"),
        "{said}"
    );
    assert!(wrong.contains("2 missing, 1 damaged"), "{wrong}");
    let table = fs::read_to_string(path.join("out/manifest.csv")).unwrap();
    let states: Vec<&str> = table
        .lines()
        .map(|line| line.split(',').nth(1).unwrap())
        .collect();
    assert_eq!(
        states,
        ["state", "listed", "damaged", "listed", "missing", "missing"]
    );
    // Without the recordings, what was never made is not missed.
    assert_eq!(counts(&summary(path, "").1), [1, 1, 0]);
}

#[cfg(unix)]
#[test]
fn a_kill_at_any_moment_leaves_nothing_damaged_that_counts_as_done() {
    let folder = folder(12);
    let path = folder.path();
    let mut kills = 0;
    for round in 0_u64.. {
        let mut child = Command::new(env!("CARGO_BIN_EXE_weft"))
            .args(format!("{FIT} --jobs 2").split_whitespace())
            .current_dir(path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(10 + 23 * round));
        kills += usize::from(child.try_wait().unwrap().is_none());
        // SIGKILL.
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
        if path.join("out").exists() && !names(&path.join("out")).is_empty() {
            let (_, said) = summary(path, "--inputs in");
            assert_eq!(counts(&said)[1], 0, "{said}");
        }
    }
    assert!(kills > 0);
    let (code, said) = summary(path, "--inputs in");
    assert_eq!((code, counts(&said)), (Some(0), [0, 0, 0]), "{said}");
    assert_eq!(said["textures"], 12);
    // Nor anything half written.
    let parts = [names(&path.join("out")), names(&path.join("out/manifest"))].concat();
    assert!(parts.iter().all(|name| !name.starts_with('.')), "{parts:?}");
}
