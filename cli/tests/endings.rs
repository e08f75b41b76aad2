//! How the `weft` binary ends where it can't go on: what it says, with which code, and what it leaves.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use support::{fail, folder_with_rain, heed_signals, names, stderr, stdout, succeed, weft};

/// A folder with `in.wav`, and in it a folder `in` with `a.weft`, `b.weft` and `c.weft`, all the same.
fn folder_with_textures() -> TempDir {
    let folder = folder_with_rain();
    let path = folder.path();
    fs::create_dir(path.join("in")).unwrap();
    succeed(path, "fit in.wav --fit-steps 2 -o in/a.weft");
    for name in ["b", "c"] {
        fs::copy(path.join("in/a.weft"), path.join(format!("in/{name}.weft"))).unwrap();
    }
    folder
}

/// `weft` in `folder`, ready to be run.
fn command(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
    command
        .args(arguments.split_whitespace())
        .current_dir(folder);
    command
}

/// Runs `weft render in -o out`, sends it `signal` in the middle of the second file, and returns what it had said.
/// What the first file becomes is there already.
#[cfg(unix)]
fn interrupted(path: &Path, arguments: &str, signal: libc::c_int) -> String {
    use std::os::unix::process::ExitStatusExt;

    let out = path.join("out");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir(&out).unwrap();
    fs::write(out.join("a.wav"), "older").unwrap();
    let arguments = format!("render in -o out --seconds 30000 {arguments}");
    let mut child = heed_signals(&mut command(path, &arguments))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let id = libc::pid_t::try_from(child.id()).unwrap();
    // However long it takes to get there; a render of so many seconds does not end by itself meanwhile.
    while names(&out).len() == 1 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    // SAFETY: sends a signal to a child that has not been waited for, so that the number is still its own.
    unsafe { libc::kill(id, signal) };
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(signal), "{output:?}");
    stdout(&output)
}

#[cfg(unix)]
#[test]
fn an_interrupted_folder_says_what_is_left_and_is_gone_on_with() {
    let folder = folder_with_textures();
    let path = folder.path();
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let said = interrupted(path, "", signal);
        let last = said.lines().last().unwrap();
        assert!(
            last.starts_with("interrupted: 0 written, 1 skipped, 0 failed, 2 left;"),
            "{said}"
        );
        assert_eq!(names(&path.join("out")), ["a.wav"]);
    }
    let said = interrupted(path, "--json", libc::SIGINT);
    let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(last["status"], "interrupted");
    assert_eq!((&last["skipped"], &last["left"]), (&1.into(), &2.into()));
    assert_eq!(interrupted(path, "--quiet", libc::SIGINT), "");

    // Nothing can be done about being killed; the next run tidies up.
    interrupted(path, "", libc::SIGKILL);
    let left = names(&path.join("out"));
    assert!(
        left.len() == 2 && left[0].starts_with(".b.wav."),
        "{left:?}"
    );
    let said = succeed(path, "render in -o out --seconds 0.5");
    assert!(said.contains("2 written, 1 skipped, 0 failed"), "{said}");
    assert_eq!(names(&path.join("out")), ["a.wav", "b.wav", "c.wav"]);
    assert_eq!(fs::read(path.join("out/a.wav")).unwrap(), b"older");
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_it_without_a_word() {
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;

    let folder = folder_with_textures();
    for arguments in [
        "render in/a.weft --seconds 30000 -o -",
        "render in/a.weft --seconds 30000 -o - --json",
        "render in/a.weft --seconds 30000 --format 16 --pitch 3 -o -",
        "texture in.wav --fit-steps 2 --seconds 30000 -o -",
    ] {
        let mut child = command(folder.path(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut header = [0; 44];
        let mut output = child.stdout.take().unwrap();
        output.read_exact(&mut header).unwrap();
        assert_eq!(&header[..4], b"RIFF");
        drop(output);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.signal(), Some(libc::SIGPIPE), "{arguments}");
        let said = stderr(&output);
        assert!(
            said.lines().all(|line| line.contains("fitted")),
            "{arguments}: {said}"
        );
    }
    for arguments in [
        "fit in.wav --fit-steps 2 -o - --quiet",
        "refine in/a.weft --fit-steps 2 -o - --quiet",
        "synthesize rain -o - --quiet",
    ] {
        let mut child = command(folder.path(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.signal(), Some(libc::SIGPIPE), "{arguments}");
        assert_eq!(stderr(&output), "", "{arguments}");
    }
}

// Other systems have no device that is always full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_told_in_its_own_words() {
    let folder = folder_with_textures();
    for arguments in [
        "render in/a.weft --seconds 1 -o -",
        "texture in.wav --fit-steps 2 --seconds 1 -o - --quiet",
        "fit in.wav --fit-steps 2 -o - --quiet",
        "synthesize rain -o -",
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = command(folder.path(), arguments)
            .stdout(full)
            .output()
            .unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments}: {said}");
        assert!(
            said.starts_with("weft: error: can't write to the standard output (No space left"),
            "{arguments}: {said}"
        );
        assert_eq!(said.lines().count(), 1, "{arguments}: {said}");
    }
}

#[test]
fn a_sound_on_the_standard_output_is_never_mixed_with_words() {
    let folder = folder_with_textures();
    for arguments in [
        "render none.weft -o - --json",
        "texture none.wav -o - --json",
        "fit none.wav -o - --json",
        "refine none.weft -o - --json",
    ] {
        let output = weft(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        assert!(output.stdout.is_empty(), "{arguments}");
        let said = stderr(&output);
        let record: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        assert_eq!(record["status"], "failed");
        assert!(record["input"].as_str().unwrap().starts_with("none."));
    }
}

#[test]
fn places_that_cannot_be_written_are_told_before_the_work() {
    let folder = folder_with_textures();
    let path = folder.path();
    let before = names(path);
    // What lies below a file can't be written by anybody. Fits of so many steps would take hours.
    for arguments in [
        "texture in.wav --fit-steps 100000 -o in/a.weft/out.wav",
        "fit in.wav --fit-steps 100000 -o in/a.weft/out.weft",
        "fit in.wav --fit-steps 100000 -o in/a.weft/out/",
        "render in -o in.wav/out",
        "render in/a.weft -o in.wav/out.wav",
        "refine in --fit-steps 100000 -o in.wav/",
        "synthesize rain -o in.wav/out.wav",
    ] {
        let outside = arguments.rsplit(' ').next().unwrap();
        fail(path, arguments, &[outside.trim_end_matches('/'), "check"]);
    }
    assert_eq!(names(path), before);
    // Folders that are not there yet are made.
    succeed(path, "render in -o new/folder/ --seconds 0.5");
    assert_eq!(names(&path.join("new/folder")).len(), 3);
}

#[test]
fn a_file_never_becomes_itself() {
    let folder = folder_with_textures();
    let path = folder.path();
    fs::create_dir(path.join("sounds")).unwrap();
    fs::copy(path.join("in.wav"), path.join("sounds/x.wav")).unwrap();
    let sound = fs::read(path.join("in.wav")).unwrap();
    for arguments in [
        "texture sounds -o sounds --fit-steps 100000",
        "texture sounds -o sounds/ --fit-steps 100000 --force",
        "texture sounds/x.wav -o sounds/../sounds/ --fit-steps 100000",
    ] {
        let output = weft(path, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        let said = stderr(&output);
        assert!(said.contains("is the input itself"), "{arguments}: {said}");
        assert!(said.contains("1 of 1 files failed"), "{arguments}: {said}");
    }
    assert!(fs::read(path.join("sounds/x.wav")).unwrap() == sound);
    assert_eq!(names(&path.join("sounds")), ["x.wav"]);

    // A texture may become its better self, but only by force.
    let texture = fs::read(path.join("in/a.weft")).unwrap();
    let output = weft(path, "refine in -o in --fit-steps 100000");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--force"), "{}", stderr(&output));
    assert!(fs::read(path.join("in/a.weft")).unwrap() == texture);
    let said = succeed(path, "refine in -o in --fit-steps 30 --force");
    assert!(said.contains("3 written, 0 skipped, 0 failed"), "{said}");
    assert!(fs::read(path.join("in/a.weft")).unwrap() != texture);
}

#[test]
fn every_failure_names_its_file_and_what_to_do() {
    let folder = folder_with_textures();
    let path = folder.path();
    let texture = fs::read(path.join("in/a.weft")).unwrap();
    fs::create_dir(path.join("folder.weft")).unwrap();
    // Broken off in its header and behind it.
    for (name, bytes) in [("short.weft", 200), ("half.weft", texture.len() / 2)] {
        fs::write(path.join(name), &texture[..bytes]).unwrap();
    }
    fs::write(path.join("other.weft"), "something else").unwrap();
    for command in ["render IN -o out.wav", "refine IN -o out.weft", "info IN"] {
        for (name, parts) in [
            ("none.weft", ["can't read", "check its name"]),
            ("short.weft", ["is damaged", "another copy"]),
            ("half.weft", ["is damaged", "another copy"]),
            ("other.weft", ["no Weft texture", "choose"]),
        ] {
            let parts = [&format!("{name:?}"), parts[0], parts[1]];
            fail(path, &command.replace("IN", name), &parts);
        }
    }
    fail(
        path,
        "render folder.weft -o out.wav",
        &["\"folder.weft\"", "check"],
    );
    // Among others too, where the failure itself knows of no file.
    let output = weft(path, "render in -o out --seconds 86400");
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    for name in ["in/a.weft", "in/b.weft", "in/c.weft"] {
        let line = said.lines().find(|line| line.contains(name)).unwrap();
        assert!(line.contains("shorter stretch"), "{said}");
    }
    assert_eq!(said.lines().count(), 4, "{said}");
    assert!(names(&path.join("out")).is_empty());
}

#[test]
fn every_command_speaks_json_and_knows_to_be_quiet() {
    let folder = folder_with_textures();
    let path = folder.path();
    for (arguments, lines, is_asked_for) in [
        ("synthesize rain --seconds 2 -o out.wav", 1, false),
        (
            "texture in.wav --fit-steps 2 --seconds 2 -o out.wav",
            1,
            false,
        ),
        ("fit in.wav --fit-steps 2 -o out.weft", 1, false),
        ("refine in/a.weft --fit-steps 2 -o out.weft", 1, false),
        ("render in/a.weft --seconds 2 -o out.wav", 1, false),
        ("render in --seconds 1 -o out", 4, false),
        ("info in.wav", 1, true),
        ("info in in.wav", 4, true),
        ("score in.wav in.wav", 1, true),
    ] {
        let force = if is_asked_for { "" } else { "--force" };
        for quiet in ["", "--quiet"] {
            let said = succeed(path, &format!("{arguments} {force} --json {quiet}"));
            assert_eq!(said.lines().count(), lines, "{arguments}: {said}");
            for line in said.lines() {
                let record: Value = serde_json::from_str(line).unwrap();
                assert!(record.is_object(), "{line}");
            }
        }
        let said = succeed(path, &format!("{arguments} {force} --quiet"));
        assert_eq!(said.is_empty(), !is_asked_for, "{arguments}: {said}");
    }
    for arguments in ["info none.wav", "fit none.wav -o out.weft --force"] {
        let output = weft(path, &format!("{arguments} --json --quiet"));
        assert_eq!(output.status.code(), Some(1));
        let record: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(record["status"], "failed");
        assert_eq!(record["input"], "none.wav");
    }
}
