//! Files that the `weft` binary reads and writes: one or many, the standard input and output, and what is left of them.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use weft_core::clip::{Clip, SampleFormat};

use support::{
    fail, folder_with_rain, heed_signals, names, pipe, records, stderr, stdout, succeed, weft,
};

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap()
}

#[test]
fn mono_and_stereo_are_written_with_plain_tags() {
    let folder = tempfile::tempdir().unwrap();
    for (format, tag, bits) in [("16", 1, 16), ("24", 1, 24), ("float", 3, 32)] {
        succeed(
            folder.path(),
            &format!("synthesize rain --seconds 0.5 --format {format} -o {format}.wav"),
        );
        let bytes = read(folder.path(), &format!("{format}.wav"));
        assert_eq!((bytes[20], bytes[21]), (tag, 0), "{format}");
        assert_eq!((bytes[34], bytes[35]), (bits, 0), "{format}");
    }
    let [fine, coarse] =
        ["float.wav", "16.wav"].map(|name| Clip::read(&folder.path().join(name)).unwrap());
    for (fine, coarse) in fine.channels().iter().zip(coarse.channels()) {
        let worst = fine.iter().zip(coarse).map(|(a, b)| (a - b).abs());
        // Rounding and dither together.
        assert!(worst.fold(0.0, f32::max) <= 1.5 / 32_768.0);
    }
}

#[test]
fn an_existing_file_is_replaced_only_by_force() {
    let folder = folder_with_rain();
    let path = folder.path();
    succeed(path, "fit in.wav --fit-steps 2 -o in.weft");
    for name in ["old.wav", "old.weft"] {
        fs::write(path.join(name), "older").unwrap();
    }
    // A fit of so many steps would take hours.
    for command in [
        "synthesize rain --seconds 0.5 -o old.wav",
        "texture in.wav --fit-steps 100000 -o old.wav",
        "fit in.wav --fit-steps 100000 -o old.weft",
        "refine in.weft --fit-steps 100000 -o old.weft",
        "render in.weft --seconds 0.5 -o old.wav",
    ] {
        fail(path, command, &["old.", "exists", "--force"]);
    }
    assert_eq!(read(path, "old.wav"), b"older");
    assert_eq!(read(path, "old.weft"), b"older");
    // Only its own sound may be given another format.
    let synthesize = "synthesize rain --seconds 0.5 -o own.wav";
    succeed(path, synthesize);
    fail(path, synthesize, &["own.wav", "exists"]);
    fail(
        path,
        &format!("{synthesize} --seed 1 --format 24"),
        &["exists"],
    );
    for format in ["24", "16", "float"] {
        succeed(path, &format!("{synthesize} --format {format}"));
    }
    fs::remove_file(path.join("own.wav")).unwrap();
    // The input stays, whatever is said.
    fail(
        path,
        "texture in.wav --force --fit-steps 100000 -o in.wav",
        &["in.wav", "input"],
    );

    for command in [
        "synthesize rain --seconds 0.5 --force -o old.wav",
        "texture in.wav --fit-steps 2 --seconds 1 --force -o old.wav",
        "render in.weft --seconds 0.5 --force -o old.wav",
    ] {
        fs::write(path.join("old.wav"), "older").unwrap();
        succeed(path, command);
        assert!(Clip::read(&path.join("old.wav")).is_ok(), "{command}");
    }
    for command in [
        "fit in.wav --fit-steps 2 --force -o old.weft",
        "refine in.weft --fit-steps 2 --force -o old.weft",
        "refine in.weft --fit-steps 2 --force -o in.weft",
    ] {
        succeed(path, command);
    }
    succeed(path, "render old.weft --seconds 0.5 -o new.wav");
    assert_eq!(
        names(path),
        ["in.wav", "in.weft", "new.wav", "old.wav", "old.weft"]
    );
}

#[cfg(unix)]
#[test]
fn signals_leave_no_half_file() {
    use std::os::unix::process::ExitStatusExt;

    let folder = folder_with_rain();
    let path = folder.path();
    succeed(path, "fit in.wav --fit-steps 2 -o in.weft");
    fs::write(path.join("old.wav"), "older").unwrap();
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let mut child = heed_signals(&mut Command::new(env!("CARGO_BIN_EXE_weft")))
            .args("render in.weft --seconds 30000 --force -o old.wav".split_whitespace())
            .current_dir(path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // The signal comes in the middle of the writing, however long it takes to get there.
        while names(path).len() == 3 {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::yield_now();
        }
        let id = libc::pid_t::try_from(child.id()).unwrap();
        // SAFETY: sends a signal to a child that has not been waited for, so that the number is still its own.
        unsafe { libc::kill(id, signal) };
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(signal), "{status}");
        assert_eq!(names(path), ["in.wav", "in.weft", "old.wav"], "{signal}");
        assert_eq!(read(path, "old.wav"), b"older");
    }
}

#[test]
fn the_standard_input_and_output_stand_for_files() {
    let folder = folder_with_rain();
    let path = folder.path();
    let recording = read(path, "in.wav");
    succeed(path, "fit in.wav --fit-steps 2 -o in.weft");
    let model = pipe(path, "fit - --fit-steps 2 -o -", &recording);
    assert!(model == read(path, "in.weft"));
    for format in ["float", "24", "16"] {
        succeed(
            path,
            &format!("render in.weft --seconds 1 --force --format {format} -o out.wav"),
        );
        let render = format!("render - --seconds 1 --format {format} -o -");
        assert!(pipe(path, &render, &model) == read(path, "out.wav"));
        let texture = format!("texture - --fit-steps 2 --seconds 1 --format {format} -o -");
        assert!(pipe(path, &texture, &recording) == read(path, "out.wav"));
    }
    let refined = pipe(path, "refine - --fit-steps 2 -o -", &model);
    assert!(!refined.is_empty());
    let made = pipe(
        path,
        "synthesize rain --seconds 2 --sample-rate 16000 -o -",
        &[],
    );
    assert!(made == recording);
    let said = pipe(path, "info - --json", &recording);
    assert_eq!(
        records(&String::from_utf8(said).unwrap())[0]["kind"],
        "sound"
    );
    let said = pipe(path, "info - --json", &model);
    assert_eq!(
        records(&String::from_utf8(said).unwrap())[0]["kind"],
        "texture"
    );
    let scores = pipe(path, "score - in.wav --json", &recording);
    assert_eq!(records(&String::from_utf8(scores).unwrap()).len(), 1);
    assert_eq!(names(path), ["in.wav", "in.weft", "out.wav"]);
}

#[test]
fn folders_are_worked_through_and_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("in")).unwrap();
    for (name, seed) in [("a", 1), ("b", 2), ("c", 3)] {
        succeed(
            path,
            &format!(
                "synthesize rain --seconds 2 --sample-rate 8000 --seed {seed} -o in/{name}.wav"
            ),
        );
    }
    fs::write(path.join("in/notes.txt"), "no sound").unwrap();
    fs::write(path.join("in/.hidden.wav"), "no sound").unwrap();
    let fit = "fit in -o out --fit-steps 2";
    let said = succeed(path, fit);
    assert!(said.contains("3 written, 0 skipped, 0 failed"), "{said}");
    assert_eq!(
        names(&path.join("out")),
        ["a.weft", "b.weft", "c.weft", "manifest"]
    );

    // Several at a time give the same files; what is there is not made again.
    succeed(path, &format!("{fit} --jobs 3").replace("out", "other"));
    for name in ["a.weft", "b.weft", "c.weft"] {
        let [one, other] = ["out", "other"].map(|folder| read(path, &format!("{folder}/{name}")));
        assert!(one == other, "{name}");
    }
    fs::remove_file(path.join("out/c.weft")).unwrap();
    let said = succeed(path, fit);
    assert!(said.contains("1 written, 2 skipped, 0 failed"), "{said}");
    fs::write(path.join("out/b.weft"), "older").unwrap();

    // One that fails does not end the rest, and is told by the exit code.
    let output = weft(path, "render out -o sounds --seconds 0.5 --json");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("b.weft"), "{}", stderr(&output));
    assert!(stderr(&output).contains("1 of 3 files failed"));
    let said = records(&stdout(&output));
    let of = |file: &str| said.iter().find(|record| record["input"] == file).unwrap();
    assert_eq!(of("out/a.weft")["status"], "written");
    assert_eq!(of("out/b.weft")["status"], "failed");
    assert!(
        of("out/b.weft")["error"]
            .as_str()
            .unwrap()
            .contains("b.weft")
    );
    assert!(
        said.iter()
            .any(|record| record["written"] == 2 && record["failed"] == 1)
    );
    assert_eq!(names(&path.join("sounds")), ["a.wav", "c.wav"]);

    // Files and folders together; a folder with a slash for one file, and names that are the same.
    succeed(path, &format!("{fit} --force"));
    let said = succeed(
        path,
        "refine out/b.weft out/a.weft -o more --fit-steps 2 --quiet",
    );
    assert_eq!(said, "");
    assert_eq!(names(&path.join("more")), ["a.weft", "b.weft", "manifest"]);
    succeed(path, "fit in/a.wav -o single/ --fit-steps 2");
    assert_eq!(names(&path.join("single")), ["a.weft", "manifest"]);
    succeed(path, "render out more -o all --seconds 0.5");
    assert_eq!(names(&path.join("all")).len(), 5);
    fs::create_dir(path.join("empty")).unwrap();
    fail(path, "fit empty -o out", &["empty", "sound file"]);
}

// Other systems refuse names that are no text.
#[cfg(target_os = "linux")]
#[test]
fn any_name_is_kept_and_told_on_one_line() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;

    let folder = folder_with_rain();
    let path = folder.path();
    fs::create_dir(path.join("in")).unwrap();
    // Two that are no text differ by what can't be shown.
    let stems: [&[u8]; 5] = [
        b"a b",
        "\u{fc}".as_bytes(),
        b"new\nline",
        b"x\xfe",
        b"x\xff",
    ];
    let names = |ending: &str| -> Vec<OsString> {
        let mut names: Vec<OsString> = stems
            .iter()
            .map(|stem| OsStr::from_bytes(&[stem, ending.as_bytes()].concat()).to_owned())
            .collect();
        names.sort();
        names
    };
    for name in names(".wav") {
        fs::copy(path.join("in.wav"), path.join("in").join(name)).unwrap();
    }
    let said = succeed(path, "fit in -o out --fit-steps 2");
    let mut found: Vec<OsString> = fs::read_dir(path.join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "manifest")
        .collect();
    found.sort();
    assert_eq!(found, names(".weft"));
    assert_eq!(
        fs::read_dir(path.join("out/manifest")).unwrap().count(),
        stems.len()
    );
    succeed(path, "summary out --inputs in");
    // A line for each fit and each file, and how many there were.
    assert_eq!(said.lines().count(), 2 * stems.len() + 1, "{said}");
    assert!(said.contains("new\\nline.weft"), "{said}");
}

#[test]
fn info_tells_what_a_file_holds() {
    let folder = folder_with_rain();
    let path = folder.path();
    succeed(path, "fit in.wav --fit-steps 2 -o rain.weft");
    let clipped: Vec<f32> = (0..16_000)
        .map(|n| (1.5 * (n as f32 * 0.02).sin()).clamp(-1.0, 1.0))
        .collect();
    let clip = |samples| Clip::new(8_000, vec![samples]).unwrap();
    clip(clipped)
        .write_wav(&path.join("clipped.wav"), SampleFormat::Float32)
        .unwrap();
    clip(vec![0.0; 16_000])
        .write_wav(&path.join("silent.wav"), SampleFormat::Float32)
        .unwrap();

    let said = succeed(path, "info in.wav rain.weft clipped.wav silent.wav --json");
    let said = records(&said);
    let [sound, texture, clipped, silent] = said.as_slice() else {
        panic!("{said:?}");
    };
    for record in [sound, texture] {
        assert_eq!(record["seconds"], 2.0);
        assert_eq!(record["sample_rate_hz"], 16_000);
        assert_eq!(record["channels"], 2);
        assert!(record["bytes"].as_u64().unwrap() > 10_000);
        assert!(record["peak_dbfs"].as_f64().unwrap() < 0.1);
        assert!(record["remarks"].as_array().unwrap().is_empty());
    }
    assert_eq!(sound["name"], "in");
    assert_eq!(texture["fit_steps"], 2);
    assert!(texture["quality_db"].is_f64() && texture["period_s"].is_null());
    assert!(clipped["remarks"][0].as_str().unwrap().contains("clipped"));
    assert!(silent["unusable"].as_str().unwrap().contains("silent"));

    // So short that what happens seldom is hardly in it.
    succeed(path, "synthesize rain --seconds 1.5 -o short.wav");
    for arguments in [
        "info short.wav",
        "fit short.wav --fit-steps 2 -o short.weft",
        "info short.weft",
    ] {
        let output = weft(path, &format!("{arguments} --json"));
        assert_eq!(output.status.code(), Some(0), "{arguments}");
        let said = &records(&stdout(&output))[0]["remarks"];
        assert_eq!(said.as_array().unwrap().len(), 1, "{said}");
        assert!(said[0].as_str().unwrap().contains("only 1.5 s"), "{said}");
    }

    // In words too, and a fit says the same.
    let said = succeed(path, "info clipped.wav");
    for part in [
        "clipped.wav",
        "2.000 s",
        "8000 Hz",
        "dBFS",
        "lower its level",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // What is said of a recording is no result: the standard output begins with what came of it.
    let output = weft(path, "fit clipped.wav -o out.weft --fit-steps 2");
    assert!(output.status.success());
    let (said, remarked) = (stdout(&output), stderr(&output));
    assert!(said.starts_with("fitted clipped.wav in "), "{said}");
    assert!(
        remarked.starts_with("weft: remark: clipped.wav: ") && remarked.contains("is clipped in"),
        "{remarked}"
    );
    assert_eq!(remarked.lines().count(), 1, "{remarked}");
    let quiet = "fit clipped.wav -o out.weft --fit-steps 2 --force --quiet";
    assert_eq!(succeed(path, quiet), "");
    let said = succeed(
        path,
        "fit clipped.wav -o out.weft --fit-steps 2 --force --json",
    );
    let said = &records(&said)[0];
    assert_eq!(said["output"], "out.weft");
    assert_eq!(said["remarks"].as_array().unwrap().len(), 1);
    assert_eq!(said["steps"], 2);
    let output = weft(path, "info none.wav in.wav --json");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(records(&stdout(&output))[1]["kind"], "sound");
}
