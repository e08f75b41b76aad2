//! What `weft optimize` and `weft transfer` say for programs while they are at work.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use support::{folder_with_rain, records, succeed};

const TRANSFER: &str = "transfer --content in.wav --style in.wav -o out.wav --filters 8 --seed 3";
const OPTIMIZE: &str = "optimize --method ulyanov in.wav -o texture.wav --filters 8 --seconds 1";

#[test]
fn progress_is_told_in_lines_that_rise_to_the_end_before_the_last() {
    let folder = folder_with_rain();
    for work in [TRANSFER, OPTIMIZE] {
        let said = succeed(folder.path(), &format!("{work} --iterations 3 --json"));
        let mut records = records(&said);
        let last = records.pop().unwrap();
        assert_eq!(last["iterations"], 3, "{said}");
        assert!(
            records.iter().all(|record| record["status"] == "progress"),
            "{said}"
        );
        let done: Vec<f64> = records
            .iter()
            .map(|r| r["done"].as_f64().unwrap())
            .collect();
        assert_eq!((done[0], *done.last().unwrap()), (0.0, 1.0), "{said}");
        assert!(done.is_sorted(), "{said}");
        // Nobody knows how long an iteration takes before the first.
        assert!(records[0].get("seconds_left").is_none(), "{said}");
        assert_eq!(records.last().unwrap()["seconds_left"], 0.0, "{said}");
        let quiet = succeed(folder.path(), &format!("{work} --iterations 1 --force"));
        assert!(!quiet.contains("progress"), "{quiet}");
    }
}

#[test]
fn a_line_can_be_read_while_the_work_goes_on_and_who_stops_reading_ends_it() {
    let folder = folder_with_rain();
    // Far more iterations than there is patience for.
    let arguments = format!("{TRANSFER} --iterations 100000 --json");
    let mut child = Command::new(env!("CARGO_BIN_EXE_weft"))
        .args(arguments.split_whitespace())
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(
        (&line["status"], &line["done"]),
        (&"progress".into(), &0.0.into())
    );
    assert!(child.try_wait().unwrap().is_none(), "it has ended");
    drop(lines);
    assert!(!child.wait().unwrap().success());
    assert!(!folder.path().join("out.wav").exists());
}
