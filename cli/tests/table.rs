//! `weft table`.

mod support;

use std::fs;

use support::{fail, names, records, refuse, stderr, succeed, weft};

const TABLE: &str = "table recordings -o out --rows noise,halves --seconds 4";

/// Two classes of one recording each.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (class, texture) in [("rhythmic", "clock"), ("other", "rain")] {
        fs::create_dir_all(folder.path().join("recordings").join(class)).unwrap();
        let path = format!("recordings/{class}/{texture}.wav");
        let arguments = format!("synthesize {texture} --seconds 4 --sample-rate 16000 -o {path}");
        succeed(folder.path(), &arguments);
    }
    folder
}

#[test]
fn a_folder_becomes_a_table_once() {
    let folder = folder();
    let said = succeed(folder.path(), TABLE);
    for part in ["4/4", "| noise |", "| halves |", "(other, rhythmic, mean)"] {
        assert!(said.contains(part), "{said}");
    }
    let out = folder.path().join("out");
    let files = [
        "results.jsonl",
        "sounds",
        "table.csv",
        "table.md",
        "table.svg",
        "table.tex",
    ];
    assert_eq!(names(&out), files);
    let table = fs::read(out.join("table.csv")).unwrap();
    // What is known is not made again, and the table is the same.
    let said = succeed(folder.path(), TABLE);
    assert!(
        !said.contains("4/4") && said.contains("| noise |"),
        "{said}"
    );
    assert_eq!(fs::read(out.join("table.csv")).unwrap(), table);

    let said = succeed(folder.path(), &format!("{TABLE} --seed 1 --json"));
    let records = records(&said);
    assert_eq!(records.len(), 5, "{said}");
    assert!(records[0]["figures"]["gram"].as_f64().is_some());
    assert_eq!(records[4]["failed"], 0);
}

#[test]
fn a_recording_that_is_too_short_leaves_the_others() {
    let folder = folder();
    let short = "synthesize fire --seconds 1 --sample-rate 16000 -o recordings/other/fire.wav";
    succeed(folder.path(), short);
    let output = weft(folder.path(), TABLE);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("fire.wav").count(), 2, "{said}");
    assert!(said.contains("2 of 6"), "{said}");
    let text = fs::read_to_string(folder.path().join("out/results.jsonl")).unwrap();
    assert_eq!(text.lines().count(), 4);
}

#[test]
fn methods_with_options_are_rows() {
    let folder = folder();
    let rows = "noise,antognini:filters=4:widest=2,antognini:stacked:filters=4,ulyanov:filters=8";
    let line = format!("table recordings -o out --rows {rows} --seconds 3 --iterations 2 --jobs 2");
    let said = succeed(folder.path(), &line);
    for row in [
        "antognini-filters=4-widest=2-2",
        "antognini-stacked-filters=4-2",
        "ulyanov-filters=8-2",
    ] {
        assert!(said.contains(&format!("| {row} |")), "{said}");
        assert!(folder.path().join("out/sounds").join(row).is_dir());
    }
    for (row, told) in [
        ("antognini:kernel=3", "--kernel"),
        ("antognini:filters=0", "4096"),
        ("antognini:louder=3", "--louder"),
        ("huzaifah:axis=up", "up"),
        ("weft:steps=3", "weft"),
    ] {
        refuse(
            folder.path(),
            &format!("table recordings -o out --rows {row}"),
            told,
        );
    }
}

#[test]
fn a_network_that_cannot_be_run_is_told_before_anything_is_made() {
    let folder = folder();
    fs::write(folder.path().join("vggish.onnx"), "no network").unwrap();
    let told = if cfg!(feature = "onnx") {
        "ONNX"
    } else {
        "--features onnx"
    };
    fail(
        folder.path(),
        &format!("{TABLE} --vggish vggish.onnx"),
        &["vggish.onnx", told],
    );
    assert!(!folder.path().join("out").exists());
}

#[test]
fn what_cannot_be_a_table_is_told() {
    let folder = folder();
    refuse(folder.path(), "table recordings", "--output");
    refuse(
        folder.path(),
        "table recordings -o out --rows loops",
        "loops",
    );
    fs::create_dir(folder.path().join("empty")).unwrap();
    fail(
        folder.path(),
        "table empty -o out",
        &["empty", "no sound file"],
    );
    fail(folder.path(), "table none -o out", &["none"]);
}
