//! Fits in the built CLAP that a helper makes: the real tool, killed in every phase, hung, shared by two instances, and
//! ended with the instance. What names a helper is the environment, so that each test has a process of its own.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use weft_core::instrument::{Bank, Slot};
use weft_core::procedural::{Texture, synthesize};
use weft_hosts::clap::{ClapPlugin, RenderMode};
use weft_hosts::{CLAP_BUNDLE, Render, WORKER_VARIABLE, bundle, tool};

use common::driving::{self, BLOCK_SIZE, FIT_STEPS, set};
use common::sound::is_silent;
use common::two_slots;

/// A test that waits for so long has hung.
const FOREVER: Duration = Duration::from_secs(120);
/// Says to a test that this is its own process, and names the folder of its helper.
const FOLDER: &str = "WEFT_TEST_FOLDER";
/// Sample rate in Hz: fits are quick here.
const RATE: u32 = 16_000;
/// More steps than anybody waits for.
const MANY_STEPS: &str = "10000";

/// Writes down the helper's process, and those that it has.
const NOTE: &str = "echo $$ >> \"$NOTES/processes\"\n";
const REAL: &str = "\"$REAL\" serve --device cpu";

/// Has `work` done in a process of its own, in which a shell's script is the helper.
fn in_own_process(test: &str, work: impl FnOnce(&Path)) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        work(Path::new(&folder));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display();
    // Not on this output, where its results would be counted too.
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder.path())
        .env(WORKER_VARIABLE, format!("'{place}/helper' serve"))
        .env("WEFT_QUEUE", folder.path().join("queue"))
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(done.status.success(), "{}", said.concat());
}

/// Puts another helper in the place of the one before. What was written down is forgotten.
fn set_helper(folder: &Path, script: &str) {
    let fresh = folder.join("fresh");
    let head = format!(
        "#!/bin/sh\nNOTES='{}'\nREAL='{}'\n",
        folder.display(),
        tool().unwrap().display()
    );
    fs::write(&fresh, head + NOTE + script).unwrap();
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(fresh, folder.join("helper")).unwrap();
    let _ = fs::remove_file(folder.join("processes"));
}

/// The plugin in real time, with nothing in it.
fn plugin() -> ClapPlugin {
    let mut plugin = ClapPlugin::load(&bundle(CLAP_BUNDLE).unwrap()).unwrap();
    driving::activate(&mut plugin, RenderMode::Realtime, RATE, BLOCK_SIZE);
    set(
        &mut plugin,
        &[("Fit Steps A", FIT_STEPS), ("Capture", "Off")],
    );
    plugin
}

/// Captures a little rain, at the speed of a sound card.
fn capture(plugin: &mut ClapPlugin) {
    let rain = synthesize(Texture::Rain, 7, RATE, 1.1).into_channels();
    let frames = rain[0].len();
    let length = (frames as f64 / f64::from(RATE)).to_string();
    set(plugin, &[("Capture", "Off"), ("Capture Length", &length)]);
    let render = Render::silent(frames + BLOCK_SIZE)
        .feed(plugin.capture_port().unwrap(), &rain)
        .at(0, plugin.automation("Capture", "On").unwrap())
        .paced();
    plugin.render(&render).unwrap();
    set(plugin, &[("Capture", "Off")]);
}

/// Plays on, block by block, until something is so.
#[track_caller]
fn play_until(plugin: &mut ClapPlugin, what: &str, mut is_so: impl FnMut(&mut ClapPlugin) -> bool) {
    let began = Instant::now();
    while !is_so(plugin) {
        assert!(began.elapsed() < FOREVER, "in vain for {what}");
        plugin.render(&Render::silent(BLOCK_SIZE)).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Steps of the texture in the first slot, when its fit is done.
fn fitted_steps(plugin: &mut ClapPlugin) -> Option<u32> {
    let slots = two_slots::slots(&plugin.save_state().unwrap());
    let encoded: String = serde_json::from_str(&slots).ok()?;
    let bank = Bank::from_bytes(&BASE64.decode(encoded).unwrap()).unwrap();
    let texture = bank
        .texture(Slot::A)
        .filter(|_| !bank.has_unfinished_fits())?;
    Some(texture.fit_record().steps)
}

/// Waits for the end of the fit; the texture has been fitted, and sounds.
#[track_caller]
fn assert_fitted(plugin: &mut ClapPlugin) {
    play_until(plugin, "the fit", |plugin| fitted_steps(plugin).is_some());
    assert!(fitted_steps(plugin).unwrap() > 0);
    assert_plays(plugin);
}

/// It sounds, as soon as the machine gets to it.
#[track_caller]
fn assert_plays(plugin: &mut ClapPlugin) {
    set(plugin, &[("Hold", "On")]);
    play_until(plugin, "a sound", |plugin| {
        let render = Render::silent(RATE as usize / 10).paced();
        !is_silent(&plugin.render(&render).unwrap().channels)
    });
    set(plugin, &[("Hold", "Off")]);
}

/// What the helper has written down of its processes.
fn processes(folder: &Path) -> Vec<String> {
    let noted = fs::read_to_string(folder.join("processes")).unwrap_or_default();
    noted.lines().map(str::to_owned).collect()
}

/// Waits until none of these is there, nor anything that they have started.
#[track_caller]
fn assert_gone(leaders: &[String]) {
    let began = Instant::now();
    let is_there = |leader: &str| {
        // A helper leads a group of its own.
        let listed = Command::new("ps")
            .args(["-e", "-o", "pgid=,state="])
            .output();
        let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
        listed.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(leader)
                && words.next().is_some_and(|state| !state.starts_with('Z'))
        })
    };
    for leader in leaders {
        while is_there(leader) {
            assert!(began.elapsed() < FOREVER, "{leader} is still there");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Weft's threads in this process; elsewhere than on Linux nothing tells.
fn threads() -> usize {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        return 0;
    };
    let name = |path: std::path::PathBuf| fs::read_to_string(path.join("comm")).unwrap_or_default();
    let names = tasks.flatten().map(|task| name(task.path()));
    names.filter(|name| name.starts_with("weft")).count()
}

#[track_caller]
fn assert_no_threads() {
    let began = Instant::now();
    while threads() > 0 {
        assert!(began.elapsed() < FOREVER, "{} threads are left", threads());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_tools_fits_are_heard_and_go_on_when_it_is_killed() {
    let test = "the_tools_fits_are_heard_and_go_on_when_it_is_killed";
    in_own_process(test, |folder| {
        let mut plugin = plugin();
        // The real one to its end, and one that dies before hello, before its first snapshot, and in the midst of them.
        let passes = |how: &str| format!("{REAL} | {{ {how}; }} 2>/dev/null\nkill -9 $$");
        for (script, starts) in [
            (format!("exec {REAL}"), 1),
            ("kill -9 $$".to_owned(), 2),
            (passes("dd bs=1 count=200"), 2),
            (passes("dd bs=1 count=200; dd bs=65536 count=40"), 2),
        ] {
            set_helper(folder, &script);
            capture(&mut plugin);
            assert_fitted(&mut plugin);
            let processes = processes(folder);
            assert_eq!(processes.len(), starts, "{script}");
            assert_gone(&processes);
        }
        drop(plugin);
        assert_no_threads();
    });
}

#[test]
fn a_helper_that_hangs_holds_nothing_up_and_goes_with_the_instance() {
    let test = "a_helper_that_hangs_holds_nothing_up_and_goes_with_the_instance";
    in_own_process(test, |folder| {
        let hangs = "trap '' TERM INT HUP; sleep 1000 & wait";
        // Before hello; and in the midst of a fit that takes longer than anybody waits.
        for script in [
            hangs.to_owned(),
            format!("{REAL} & {hangs}"),
            REAL.to_owned(),
        ] {
            set_helper(folder, &script);
            let mut plugin = plugin();
            set(&mut plugin, &[("Fit Steps A", MANY_STEPS)]);
            capture(&mut plugin);
            play_until(&mut plugin, "the helper", |_| !processes(folder).is_empty());
            // As noise with the capture's spectrum, while the helper has said nothing.
            assert_plays(&mut plugin);
            let processes = processes(folder);
            drop(plugin);
            assert_gone(&processes);
            assert_no_threads();
        }
    });
}

#[test]
fn two_instances_take_turns_and_either_may_go() {
    let test = "two_instances_take_turns_and_either_may_go";
    in_own_process(test, |folder| {
        set_helper(folder, &format!("exec {REAL}"));
        let [mut first, mut second] = [0; 2].map(|_| plugin());
        set(&mut first, &[("Fit Steps A", MANY_STEPS)]);
        capture(&mut first);
        play_until(&mut first, "the first helper", |_| {
            processes(folder).len() == 1
        });
        capture(&mut second);
        play_until(&mut second, "the second helper", |_| {
            processes(folder).len() == 2
        });
        assert_plays(&mut second);
        drop(first);
        assert_fitted(&mut second);
        drop(second);
        assert_gone(&processes(folder));
        assert_no_threads();
    });
}
