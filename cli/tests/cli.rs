//! The `weft` binary, as a user runs it.

mod support;

use std::fs;

use weft_core::clip::{Clip, SampleFormat};
use weft_core::network::Model;

use support::{fail, folder_with_rain, names, refuse, succeed};

#[test]
fn help_and_version_succeed() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        "--help",
        "-h",
        "help",
        "texture --help",
        "fit -h",
        "render --help",
        "score --help",
        "optimize --help",
        "table --help",
        "serve --help",
        "devices --help",
    ] {
        let help = succeed(folder.path(), arguments);
        assert!(help.contains("Usage: weft"), "{arguments}: {help}");
        assert!(help.contains("Examples:"), "{arguments}: {help}");
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{arguments}: {help}"
        );
    }
    assert!(succeed(folder.path(), "synthesize --help").contains("chimes"));
    assert!(succeed(folder.path(), "--version").starts_with("weft "));
}

#[test]
fn a_senseless_command_line_is_refused_with_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let refuse = |arguments, part| refuse(folder.path(), arguments, part);
    refuse("", "Usage: weft");
    refuse("knit in.wav", "knit");
    refuse("texture", "IN");
    refuse("texture in.wav", "--output");
    refuse("texture in.wav -o out.flac", ".wav");
    refuse("texture in.wav -o out", ".wav");
    refuse("fit in.wav -o out.wav", ".weft");
    refuse("texture in.wav -o out.wav --seconds 0", "0.1");
    refuse("texture in.wav -o out.wav --seconds=-3", "-3");
    refuse("texture in.wav -o out.wav --seconds NaN", "NaN");
    refuse("texture in.wav -o out.wav --seconds inf", "86400");
    refuse("texture in.wav -o out.wav --seconds two", "two");
    refuse("texture in.wav -o out.wav --fit-steps 0", "1..=100000");
    refuse("texture in.wav -o out.wav --fit-seconds 0", "0.1");
    refuse("texture in.wav -o out.wav --seed=-1", "-1");
    refuse("texture in.wav -o out.wav --format 8", "float");
    refuse(
        "texture in.wav -o out.wav --fit-steps 9 --fit-seconds 9",
        "cannot be used with",
    );
    refuse("render model.weft --seconds 3", "--output");
    refuse("fit a.wav b.wav -o out.weft", "folder");
    refuse("fit a.wav b.wav -o -", "folder");
    refuse("synthesize rain -o folder/", ".wav");
    refuse("score in.wav", "SYNTH");
    refuse("score in.wav out.wav --nature", "cannot be used with");
    refuse("synthesize hail -o out.wav", "rain, fire");
    refuse("synthesize rain -o out.wav --seconds 601", "600");
    refuse("synthesize rain -o out.wav --sample-rate 7999", "8000");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn bad_input_is_told_in_one_line_with_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, sample_rate: u32, samples: Vec<f32>| {
        let clip = Clip::new(sample_rate, vec![samples]).unwrap();
        clip.write_wav(&path(name), SampleFormat::Float32).unwrap();
    };
    fs::create_dir(path("folder.wav")).unwrap();
    fs::write(path("empty.wav"), []).unwrap();
    fs::write(path("text.wav"), "no sound\nin here\n".repeat(100)).unwrap();
    write("short.wav", 8_000, vec![0.5; 7_999]);
    write("silent.wav", 8_000, vec![0.0; 16_000]);
    let mut broken = vec![0.5; 16_000];
    broken[4_000] = f32::NAN;
    write("nan.wav", 8_000, broken);

    for command in ["texture IN -o out.wav", "fit IN -o out.weft"] {
        let fail = |input: &str, parts: &[&str]| {
            fail(folder.path(), &command.replace("IN", input), parts);
        };
        fail("missing.wav", &["missing.wav", "no file"]);
        fail("folder.wav", &["folder.wav", "directory"]);
        fail("empty.wav", &["empty.wav", "0 bytes"]);
        fail("text.wav", &["text.wav", "not a sound file", "FLAC"]);
        fail("short.wav", &["short.wav", "1.000 s", "longer"]);
        fail("silent.wav", &["silent.wav", "silent", "level"]);
        fail("nan.wav", &["nan.wav", "NaN", "channel 1", "0.5000 s"]);
    }
    for (name, bytes) in [
        ("text.weft", "not a texture".as_bytes()),
        ("empty.weft", &[]),
        ("long.weft", &[0xff; 10_000]),
    ] {
        fs::write(path(name), bytes).unwrap();
        fail(
            folder.path(),
            &format!("render {name} --seconds 1 -o out.wav"),
            &[name],
        );
    }
    fail(
        folder.path(),
        "render missing.weft --seconds 1 -o out.wav",
        &["missing.weft"],
    );
    assert!(!path("out.wav").exists() && !path("out.weft").exists());
}

#[test]
fn an_output_that_cannot_be_written_fails_before_the_fit() {
    let folder = folder_with_rain();
    fs::create_dir(folder.path().join("folder.wav")).unwrap();
    fs::create_dir(folder.path().join("folder.weft")).unwrap();
    // A fit of so many steps would take hours.
    for arguments in [
        "texture in.wav -o nowhere/out.wav --fit-steps 100000",
        "texture in.wav -o folder.wav --fit-steps 100000",
        "texture in.wav -o out.wav --seconds 86400 --fit-steps 100000",
        "texture in.wav -o in.wav --fit-steps 100000",
        "fit in.wav -o nowhere/out.weft --fit-steps 100000",
        "fit in.wav -o folder.weft --fit-steps 100000",
        "synthesize rain -o nowhere/out.wav",
    ] {
        fail(folder.path(), arguments, &[]);
    }
    assert_eq!(
        names(folder.path()),
        ["folder.wav", "folder.weft", "in.wav"]
    );
}

#[test]
fn synthesize_is_repeatable() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let said = succeed(
        folder.path(),
        "synthesize chimes --seconds 1.5 --seed 3 -o a.wav",
    );
    assert!(said.contains("a.wav (1.5 s, 48000 Hz, stereo)"), "{said}");
    succeed(
        folder.path(),
        "synthesize chimes --seconds 1.5 --seed 3 -o b.wav",
    );
    succeed(
        folder.path(),
        "synthesize chimes --seconds 1.5 --seed 4 -o c.wav",
    );
    succeed(
        folder.path(),
        "synthesize chimes --seconds 1.5 --seed 3 --format 24 -o d.wav",
    );
    assert!(read("a.wav") == read("b.wav"));
    assert!(read("a.wav") != read("c.wav"));
    assert!(read("d.wav").len() < read("a.wav").len());
    assert_eq!(names(folder.path()), ["a.wav", "b.wav", "c.wav", "d.wav"]);
}

#[test]
fn a_texture_end_to_end() {
    let folder = folder_with_rain();
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let clip = |name: &str| Clip::read(&folder.path().join(name)).unwrap();
    let texture = "texture in.wav --fit-steps 3 --seconds 3";

    let said = succeed(folder.path(), &format!("{texture} --seed 1 -o a.wav"));
    assert!(said.contains("(3 steps, quality "), "{said}");
    assert!(said.contains("wrote a.wav (3.0 s, 16000 Hz, "), "{said}");
    let a = clip("a.wav");
    assert_eq!((a.sample_rate(), a.len()), (16_000, 48_000));
    a.check_texture().unwrap();

    // The same seed is the same file, with any number of threads; another is another.
    succeed(
        folder.path(),
        &format!("{texture} --seed 1 --threads 1 -o b.wav"),
    );
    assert!(read("a.wav") == read("b.wav"));
    succeed(folder.path(), &format!("{texture} --seed 2 -o c.wav"));
    assert!(read("a.wav") != read("c.wav"));

    // Fitting and rendering apart is the same as both in one, and a longer render begins alike.
    succeed(folder.path(), "fit in.wav --fit-steps 3 -o in.weft");
    succeed(
        folder.path(),
        "render in.weft --seconds 3 --seed 1 -o d.wav",
    );
    assert!(read("a.wav") == read("d.wav"));
    succeed(
        folder.path(),
        "render in.weft --seconds 4 --seed 1 -o e.wav",
    );
    assert!(clip("e.wav").trimmed(0.0, 3.0) == a);
    succeed(
        folder.path(),
        "render in.weft --seconds 3 --seed 1 --format 24 -o f.wav",
    );
    let coarse = clip("f.wav");
    for (fine, coarse) in a.channels().iter().zip(coarse.channels()) {
        assert!(fine.iter().zip(coarse).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    // A texture goes on from where it stood.
    let said = succeed(folder.path(), "refine in.weft --fit-steps 30 -o more.weft");
    assert!(said.contains("(30 steps, quality "), "{said}");
    let more = Model::read(&folder.path().join("more.weft")).unwrap();
    assert!(more.fit_record().steps > 3);

    // A damaged texture is told apart from a foreign one, and harms nothing.
    let mut bytes = read("in.weft");
    bytes.truncate(bytes.len() / 2);
    fs::write(folder.path().join("half.weft"), bytes).unwrap();
    fail(
        folder.path(),
        "render half.weft --seconds 3 -o a.wav",
        &["half.weft"],
    );
    assert!(read("a.wav") == read("d.wav"));
    assert!(
        names(folder.path())
            .iter()
            .all(|name| !name.contains(".part"))
    );
}

#[test]
fn a_fit_can_be_given_a_time() {
    let folder = folder_with_rain();
    let said = succeed(folder.path(), "fit in.wav --fit-seconds 0.5 -o in.weft");
    let steps: u32 = said
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(" steps"))
        .and_then(|(steps, _)| steps.parse().ok())
        .unwrap();
    assert!((1..100_000).contains(&steps), "{said}");
}

#[test]
fn a_texture_is_scored_against_its_recording() {
    let folder = folder_with_rain();
    succeed(
        folder.path(),
        "synthesize rain --seconds 2 --seed 1 -o other.wav",
    );
    let table = succeed(folder.path(), "score in.wav other.wav");
    let names: Vec<&str> = table
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(names.len(), 14, "{table}");
    for (line, name) in table.lines().zip(&names) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(words[1].parse::<f64>().is_ok(), "{line}");
        let direction = words[3..].join(" ");
        assert!(
            ["lower is better", "higher is better"].contains(&direction.as_str()),
            "{line}"
        );
        assert!(!name.is_empty() && line.chars().count() <= 100, "{line}");
    }

    // As JSON, the same figures under the same names.
    let json = succeed(folder.path(), "score in.wav other.wav --json");
    assert_eq!(json.lines().count(), 1, "{json}");
    let values: serde_json::Value = serde_json::from_str(&json).unwrap();
    for (name, line) in names.iter().zip(table.lines()) {
        let value = values.get(name).or(values["statistics_db"].get(name));
        let printed: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        let value = value.and_then(serde_json::Value::as_f64).unwrap();
        assert!((value - printed).abs() < 0.01, "{name}: {value}, {line}");
    }

    fail(folder.path(), "score in.wav --nature", &["in.wav", "4 s"]);
    succeed(folder.path(), "synthesize surf --seconds 1.9 -o short.wav");
    fail(
        folder.path(),
        "score in.wav short.wav",
        &["short.wav", "1.900 s", "2 s"],
    );
    let silent = Clip::new(16_000, vec![vec![0.0; 48_000]]).unwrap();
    silent
        .write_wav(&folder.path().join("silent.wav"), SampleFormat::Float32)
        .unwrap();
    fail(
        folder.path(),
        "score silent.wav in.wav",
        &["silent.wav", "silent", "level"],
    );
    fail(folder.path(), "score in.wav none.wav", &["none.wav"]);
}
