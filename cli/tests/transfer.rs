//! `weft transfer`, and the methods of `weft optimize` that look along axes or at cochlear statistics.

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use support::{fail, names, records, refuse, succeed};

/// Small enough for a test.
const HUZAIFAH: &str = "optimize --method huzaifah --filters 6 --kernel 3 --iterations 2";
const TRANSFER: &str = "transfer --content clock.wav --style surf.wav --filters 6 --kernel 3";

/// A folder with two seconds each of a clock, of surf and of fire.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for texture in ["clock", "surf", "fire"] {
        let arguments =
            format!("synthesize {texture} --seconds 2 --sample-rate 16000 -o {texture}.wav");
        succeed(folder.path(), &arguments);
    }
    folder
}

fn record(folder: &Path, arguments: &str) -> Value {
    let said = succeed(folder, &format!("{arguments} --json"));
    // Those before it tell of the progress.
    records(&said).pop().unwrap()
}

fn terms(record: &Value) -> Vec<&str> {
    let terms = record["terms"].as_object().unwrap();
    terms.keys().map(String::as_str).collect()
}

#[test]
fn a_transfer_tells_the_parts_of_its_loss_and_is_as_long_as_the_content() {
    let folder = folder();
    let path = folder.path();
    let said = succeed(
        path,
        &format!("{TRANSFER} --envelopes -o out.wav --iterations 4 --curves curves"),
    );
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("transfer: loss "), "{said}");
    for part in [
        "style ",
        "content ",
        "range ",
        "envelope over frequency ",
        "envelope over time ",
    ] {
        assert!(lines[0].contains(part), "{part}: {said}");
    }
    assert!(
        lines[1].starts_with("the content's energy envelope: correlation "),
        "{said}"
    );
    assert_eq!(lines[2], "wrote curves/out.csv and curves/out.png");
    assert_eq!(lines[3], "wrote out.wav (2.0 s, 22050 Hz, mono)");
    assert_eq!(names(&path.join("curves")), ["out.csv", "out.png"]);

    let told = record(path, &format!("{TRANSFER} -o plain.wav --iterations 4"));
    assert_eq!(terms(&told), ["content", "range", "style"]);
    assert_eq!(
        (&told["input"], &told["style"]),
        (&"clock.wav".into(), &"surf.wav".into())
    );
    assert!(told["envelope_over_time"].as_f64().unwrap() <= 1.0);
    assert_eq!(told["terms"]["style"]["weight"], 1e7);
    let weights =
        "--envelopes --gamma 3 --delta 4 --content-weight 2 --style-weight 5 --content-layer 2";
    let told = record(
        path,
        &format!("{TRANSFER} {weights} --from noise -o weights.wav --iterations 1 --axis time"),
    );
    let weight = |name: &str| told["terms"][name]["weight"].as_f64().unwrap();
    assert_eq!(
        (
            weight("envelope over frequency"),
            weight("envelope over time")
        ),
        (3.0, 4.0)
    );
    assert_eq!((weight("content"), weight("style")), (2.0, 5.0));
}

#[test]
fn huzaifah_has_axes_scales_layers_and_programs_and_takes_several_recordings() {
    let folder = folder();
    let path = folder.path();
    for (index, options) in [
        "--axis freq --scale mel",
        "--axis time --scale constant-q",
        "--axis 2d --scale mel",
        "--layers 1,3",
        "--program 2017 --layers 2",
    ]
    .into_iter()
    .enumerate()
    {
        let told = record(
            path,
            &format!("{HUZAIFAH} {options} fire.wav -o {index}.wav"),
        );
        assert_eq!(told["method"], "huzaifah", "{options}");
        let expected: &[&str] = match options.contains("2017") {
            true => &["style"],
            false => &["range", "style"],
        };
        assert_eq!(terms(&told), expected, "{options}");
        assert_eq!(
            (&told["sample_rate_hz"], &told["seconds"]),
            (&22_050.into(), &2.0.into()),
            "{options}"
        );
    }
    // Infinite: as long as asked for.
    let told = record(
        path,
        &format!("{HUZAIFAH} fire.wav -o long.wav --seconds 3.5"),
    );
    assert_eq!(told["seconds"], 3.5);
    let several = format!("{HUZAIFAH} clock.wav fire.wav");
    let told = record(path, &format!("{several} -o both.wav --weights 3,1"));
    assert_eq!(told["input"], Value::from(vec!["clock.wav", "fire.wav"]));
    assert_eq!(told["seconds"], 2.0);
    record(path, &format!("{several} -o other.wav --weights 1,3"));
    assert_ne!(
        fs::read(path.join("both.wav")).unwrap(),
        fs::read(path.join("other.wav")).unwrap()
    );
}

#[test]
fn mcdermott_tells_every_group_of_statistics() {
    let folder = folder();
    let path = folder.path();
    let told = record(
        path,
        "optimize --method mcdermott fire.wav -o fire-again.wav --iterations 3 --device cpu",
    );
    assert_eq!(
        terms(&told),
        [
            "C1",
            "C2",
            "correlation",
            "kurtosis",
            "mean",
            "modulation",
            "skew",
            "variance"
        ]
    );
    assert_eq!(
        (&told["sample_rate_hz"], &told["device"]),
        (&20_000.into(), &"cpu".into())
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_what_to_do() {
    let folder = folder();
    let path = folder.path();
    for (arguments, part) in [
        (
            "optimize --method mcdermott --kernel 3 fire.wav -o a.wav",
            "mcdermott has no --kernel",
        ),
        (
            "optimize --method ulyanov --axis time fire.wav -o a.wav",
            "ulyanov has no --axis",
        ),
        (
            "optimize --method antognini --weights 1 fire.wav -o a.wav",
            "antognini has no --weights",
        ),
        (
            "optimize --method huzaifah --alpha 1 fire.wav -o a.wav",
            "huzaifah has no --alpha",
        ),
        (
            "optimize --method ulyanov fire.wav surf.wav -o a.wav",
            "takes one recording",
        ),
        (
            "optimize --method huzaifah --weights 1,2 fire.wav -o a.wav",
            "2 --weights for 1 recordings",
        ),
        (
            "optimize --method huzaifah --layers 4 fire.wav -o a.wav",
            "give some of 1, 2 and 3",
        ),
        (
            "transfer --content clock.wav --style surf.wav -o a.mp3",
            "ends in .wav",
        ),
        (
            "transfer --content clock.wav --style surf.wav -o a.wav --content-layer 9",
            "layer can't be 9",
        ),
        (
            "transfer --content clock.wav --style surf.wav -o a.wav --gamma 1",
            "--envelopes",
        ),
        ("transfer --content clock.wav -o a.wav", "--style"),
    ] {
        refuse(path, arguments, part);
    }
    assert!(!path.join("a.wav").exists());
    fail(
        path,
        "optimize --method mcdermott --seconds 1.5 clock.wav -o a.wav",
        &["1.50 s are too short"],
    );
    let longer = "optimize --method huzaifah --axis time --seconds 9 clock.wav -o a.wav";
    fail(path, longer, &["choose another axis"]);
}
