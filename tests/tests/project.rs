//! The built CLAP in projects: what is saved, what comes back in another process, and instances that come
//! and go in any phase of a fit.

mod driving;
#[path = "../../core/tests/support/mutations.rs"]
mod mutations;
mod sound;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use driving::{BLOCK_SIZE, FIT_STEPS, SAMPLE_RATE, bounce, set};
use mutations::{Random, mutate};
use serde_json::json;
use sound::{assert_silent, assert_sounds};
use weft_core::procedural::{Texture, synthesize};
use weft_hosts::clap_host::{ClapPlugin, RenderMode};
use weft_hosts::measure::fingerprint;
use weft_hosts::{CLAP_BUNDLE, EventKind, Note, Render, bundle};

/// The largest state of an 8 s stereo slot, in bytes: what hosts keep for every step of their undo.
const LARGEST_SLOT: usize = 4_000_000;
/// Names the state that a test in another process is to play.
const STATE_VARIABLE: &str = "WEFT_TEST_STATE";

fn load() -> ClapPlugin {
    ClapPlugin::load(&bundle(CLAP_BUNDLE).unwrap()).unwrap()
}

fn active(mode: RenderMode) -> ClapPlugin {
    let mut plugin = load();
    activate(&mut plugin, mode, SAMPLE_RATE);
    for slot in ["A", "C"] {
        set(&mut plugin, &[(&format!("Fit Steps {slot}"), FIT_STEPS)]);
    }
    plugin
}

fn activate(plugin: &mut ClapPlugin, mode: RenderMode, sample_rate: u32) {
    driving::activate(plugin, mode, sample_rate, BLOCK_SIZE);
}

/// Captures `channels`, all of them, into the slot that plays.
fn capture(plugin: &mut ClapPlugin, channels: &[Vec<f32>], sample_rate: u32) {
    let port = plugin.capture_port().unwrap();
    driving::capture(plugin, port, channels, sample_rate);
}

fn recording(texture: Texture, seconds: f64) -> Vec<Vec<f32>> {
    synthesize(texture, 7, SAMPLE_RATE, seconds).into_channels()
}

/// A bounce of two slots, one after the other.
fn bounce_slots(plugin: &mut ClapPlugin) -> Vec<Vec<f32>> {
    plugin.reset().unwrap();
    let second = SAMPLE_RATE as usize;
    let render = Render::silent(2 * second)
        .at(0, plugin.automation("Hold", "On").unwrap())
        .at(0, plugin.automation("Slot", "A").unwrap())
        .at(second + 100, plugin.automation("Slot", "C").unwrap());
    plugin.render(&render).unwrap().channels
}

/// State of a plugin with textures in slots A and C.
fn fitted_state() -> &'static [u8] {
    static STATE: OnceLock<Vec<u8>> = OnceLock::new();
    STATE.get_or_init(|| {
        let mut plugin = active(RenderMode::Offline);
        capture(&mut plugin, &recording(Texture::Rain, 2.0), SAMPLE_RATE);
        set(&mut plugin, &[("Slot", "C")]);
        capture(&mut plugin, &recording(Texture::Fire, 1.5), SAMPLE_RATE);
        plugin.save_state().unwrap()
    })
}

/// What a state holds of the slots.
fn slots(state: &[u8]) -> String {
    // Its length comes before the JSON.
    let json = state.iter().position(|&byte| byte == b'{').unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state[json..]).unwrap();
    state["fields"]["slots"].as_str().unwrap().to_owned()
}

/// Who counts threads must be alone in this process.
static COUNTING: RwLock<()> = RwLock::new(());

fn others_may_run() -> RwLockReadGuard<'static, ()> {
    COUNTING.read().unwrap_or_else(|e| e.into_inner())
}

fn alone() -> RwLockWriteGuard<'static, ()> {
    COUNTING.write().unwrap_or_else(|e| e.into_inner())
}

/// Weft's threads in this process.
fn threads() -> usize {
    // Elsewhere than on Linux there is nothing that tells.
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return 0;
    };
    let name = |path: PathBuf| std::fs::read_to_string(path.join("comm")).unwrap_or_default();
    tasks
        .flatten()
        .filter(|task| name(task.path()).starts_with("weft"))
        .count()
}

/// As many as before are left after a removal; one that has been joined is still listed for a moment.
#[track_caller]
fn assert_threads(before: usize, removal: &str) {
    let deadline = Instant::now() + Duration::from_secs(2);
    while threads() != before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(threads(), before, "threads after a removal {removal}");
}

/// Plays what `a_project_sounds_the_same_in_another_process` hands over; without that, nothing is to be done.
#[test]
fn play_the_state_of_another_process() {
    let Ok(path) = std::env::var(STATE_VARIABLE) else {
        return;
    };
    let mut plugin = active(RenderMode::Offline);
    plugin.load_state(&std::fs::read(path).unwrap()).unwrap();
    println!(
        "fingerprint {:016x}",
        fingerprint(&bounce_slots(&mut plugin))
    );
}

fn fingerprint_elsewhere(state: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "play_the_state_of_another_process",
            "--nocapture",
        ])
        .env(STATE_VARIABLE, state)
        .output()
        .unwrap();
    assert!(output.status.success());
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, rest) = output.split_once("fingerprint ").expect("a fingerprint");
    rest.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_project_sounds_the_same_in_another_process() {
    let _others = others_may_run();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weft.state");
    std::fs::write(&path, fitted_state()).unwrap();
    let mut plugin = active(RenderMode::Offline);
    plugin.load_state(fitted_state()).unwrap();
    let channels = bounce_slots(&mut plugin);
    let second = SAMPLE_RATE as usize;
    for from in [second / 4, second * 5 / 4] {
        let part = channels.iter().map(|c| c[from..from + second / 2].to_vec());
        assert_sounds(&part.collect::<Vec<_>>());
    }
    let here = format!("{:016x}", fingerprint(&channels));
    println!("fingerprint of two slots {here}");
    assert_eq!(fingerprint_elsewhere(&path), here);
    // What the loaded project saves is the same again.
    assert!(slots(&plugin.save_state().unwrap()) == slots(fitted_state()));
}

#[test]
fn states_are_small_and_sound_at_once() {
    let _others = others_may_run();
    let stereo = recording(Texture::Rain, 8.0);
    let mono = vec![recording(Texture::Fire, 4.0).remove(0)];
    for (name, channels) in [("8 s stereo", stereo), ("4 s mono", mono)] {
        let mut plugin = active(RenderMode::Offline);
        capture(&mut plugin, &channels, SAMPLE_RATE);
        set(&mut plugin, &[("Hold", "On")]);
        let state = plugin.save_state().unwrap();
        let mut fresh = active(RenderMode::Realtime);
        let began = Instant::now();
        fresh.load_state(&state).unwrap();
        let loaded = began.elapsed();
        loop {
            let sound = fresh.render(&Render::silent(64)).unwrap().channels;
            if sound[0].iter().any(|x| *x != 0.0) {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "it stays silent");
        }
        let size = state.len();
        println!(
            "{name}: {size} bytes, loaded after {:.0} ms, first sample after {:.0} ms",
            1e3 * loaded.as_secs_f64(),
            1e3 * began.elapsed().as_secs_f64()
        );
        assert!(size <= LARGEST_SLOT, "{name}: {size} bytes");
    }
}

#[test]
fn states_are_saved_and_loaded_while_it_plays() {
    let _others = others_may_run();
    let second = SAMPLE_RATE as usize;
    let mut plugin = active(RenderMode::Offline);
    plugin.load_state(fitted_state()).unwrap();
    let expected = bounce_slots(&mut plugin);
    set(&mut plugin, &[("Slot", "A"), ("Hold", "Off")]);
    capture(&mut plugin, &recording(Texture::Wind, 1.5), SAMPLE_RATE);
    let states = [fitted_state().to_vec(), plugin.save_state().unwrap()];
    let known = states.each_ref().map(|state| slots(state));
    assert!(known[0] != known[1]);

    activate(&mut plugin, RenderMode::Realtime, SAMPLE_RATE);
    let keys = 57..65;
    let render = keys.fold(Render::silent(4 * second).paced(), |render, key| {
        let (note, velocity) = (Note::key(key), 0.5);
        render.at(0, EventKind::NoteOn { note, velocity })
    });
    let (mut saves, mut loads) = (0, 0);
    let mut watch = |plugin: &mut ClapPlugin| {
        let saved = plugin.save_state().unwrap();
        saves += 1;
        // Always the one or the other, never something of both.
        assert!(known.contains(&slots(&saved)));
        // Five times a second.
        if saves % 10 == 0 {
            plugin.load_state(&states[loads % 2]).unwrap();
            loads += 1;
            assert!(slots(&plugin.save_state().unwrap()) == known[(loads - 1) % 2]);
        }
    };
    let sound = plugin.render_watched(&render, &mut watch).unwrap();
    println!("{saves} saves and {loads} loads in 4 s of sound");
    assert!(saves > 20 && loads > 2);
    for quarter in 1..8 {
        let part = quarter * second / 2..(quarter + 1) * second / 2;
        assert_sounds(&sound.frames(part));
    }
    activate(&mut plugin, RenderMode::Offline, SAMPLE_RATE);
    plugin.load_state(fitted_state()).unwrap();
    assert!(bounce_slots(&mut plugin) == expected);
}

#[test]
fn an_unfinished_fit_goes_on_when_the_project_is_opened() {
    let _others = others_may_run();
    let mut plugin = active(RenderMode::Realtime);
    set(&mut plugin, &[("Fit Steps A", "2000")]);
    capture(&mut plugin, &recording(Texture::Rain, 2.0), SAMPLE_RATE);
    // The worker hears of the capture a moment later.
    let unfinished = loop {
        let state = plugin.save_state().unwrap();
        if slots(&state).len() > 10_000 {
            break state;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    drop(plugin);
    let finished = |state: &[u8]| {
        let mut plugin = active(RenderMode::Offline);
        plugin.load_state(state).unwrap();
        let sound = bounce(&mut plugin, SAMPLE_RATE as usize);
        assert_sounds(&sound);
        (plugin.save_state().unwrap(), sound)
    };
    let (state, sound) = finished(&unfinished);
    assert!(state != unfinished);
    let (again, same) = finished(&state);
    assert!(
        again == state && same == sound,
        "the fit was done only once"
    );
}

/// Brings a plugin into a phase of a fit.
type Reach<'a> = &'a dyn Fn(&mut ClapPlugin);

#[test]
fn it_can_be_removed_in_any_phase_of_a_fit() {
    let _alone = alone();
    let kept = active(RenderMode::Realtime);
    let before = threads();
    let rain = recording(Texture::Rain, 1.5);
    let phases: [(&str, Reach); 5] = [
        ("before", &|_| {}),
        ("during the capture", &|plugin| {
            set(plugin, &[("Capture", "On")]);
        }),
        ("at its start", &|plugin| {
            capture(plugin, &rain, SAMPLE_RATE);
        }),
        ("while snapshots take over", &|plugin| {
            capture(plugin, &rain, SAMPLE_RATE);
            set(plugin, &[("Hold", "On")]);
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_millis(700) {
                plugin.render(&Render::silent(BLOCK_SIZE).paced()).unwrap();
            }
        }),
        ("after", &|plugin| {
            activate(plugin, RenderMode::Offline, SAMPLE_RATE);
            set(plugin, &[("Fit Steps A", FIT_STEPS)]);
            capture(plugin, &rain, SAMPLE_RATE);
        }),
    ];
    for (name, reach) in phases {
        let mut plugin = active(RenderMode::Realtime);
        set(&mut plugin, &[("Fit Steps A", "5000"), ("Capture", "Off")]);
        reach(&mut plugin);
        drop(plugin);
        assert_threads(before, name);
    }
    drop(kept);
}

#[test]
fn instances_can_be_removed_in_either_order() {
    let _others = others_may_run();
    for first_goes_first in [true, false] {
        let mut pair: Vec<ClapPlugin> = (0..2)
            .map(|_| {
                let mut plugin = active(RenderMode::Offline);
                plugin.load_state(fitted_state()).unwrap();
                plugin
            })
            .collect();
        let removed = pair.remove(usize::from(!first_goes_first));
        drop(removed);
        assert_sounds(&bounce(&mut pair[0], SAMPLE_RATE as usize));
    }
}

#[test]
fn fifty_instances_come_and_go() {
    let _alone = alone();
    let before = threads();
    let mut instances: Vec<ClapPlugin> = (0..50)
        .map(|i| {
            let mut plugin = active(RenderMode::Offline);
            if i % 3 == 0 {
                plugin.load_state(fitted_state()).unwrap();
            }
            plugin
        })
        .collect();
    for (i, plugin) in instances.iter_mut().enumerate() {
        let sound = bounce(plugin, 9_600);
        if i % 3 == 0 {
            assert_sounds(&sound);
        } else {
            assert_silent(&sound);
        }
    }
    // Every other one first.
    let mut at = 0;
    instances.retain(|_| {
        at += 1;
        at % 2 == 0
    });
    drop(instances);
    assert_threads(before, "of fifty");
}

#[test]
fn it_goes_on_through_changes_of_rate_and_rest() {
    let _others = others_may_run();
    let mut plugin = active(RenderMode::Offline);
    plugin.load_state(fitted_state()).unwrap();
    let expected = bounce(&mut plugin, 9_600);
    for rate in [44_100, 96_000, 8_000, 192_000, SAMPLE_RATE] {
        activate(&mut plugin, RenderMode::Offline, rate);
        assert_sounds(&bounce(&mut plugin, rate as usize / 2));
        // A state may come while nothing is active.
        plugin.deactivate().unwrap();
        plugin.load_state(fitted_state()).unwrap();
        plugin.save_state().unwrap();
        activate(&mut plugin, RenderMode::Offline, rate);
    }
    assert!(bounce(&mut plugin, 9_600) == expected);
}

#[test]
fn what_was_heard_can_be_grabbed_by_automation() {
    let _others = others_may_run();
    let mut plugin = active(RenderMode::Offline);
    let rain = recording(Texture::Rain, 3.0);
    set(&mut plugin, &[("Capture Length", "2"), ("Grab", "Off")]);
    let port = plugin.capture_port().unwrap();
    let frames = rain[0].len();
    let render = Render::silent(frames).feed(port, &rain);
    plugin.render(&render).unwrap();
    set(&mut plugin, &[("Grab", "On")]);
    assert_sounds(&bounce(&mut plugin, SAMPLE_RATE as usize));
    assert!(plugin.dirty_marks() > 0, "the host was not told");
}

/// The JSON of a state, and what comes before it: its length.
fn read_json(state: &[u8]) -> (serde_json::Value, usize) {
    let begin = state.iter().position(|&byte| byte == b'{').unwrap();
    (serde_json::from_slice(&state[begin..]).unwrap(), begin)
}

#[test]
fn values_that_can_not_be_do_not_spoil_the_state_that_is_saved_next() {
    let _others = others_may_run();
    let mut plugin = active(RenderMode::Offline);
    let state = plugin.save_state().unwrap();
    let (json, begin) = read_json(&state);
    assert_eq!(begin, size_of::<u64>());
    let names: Vec<String> = json["params"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert!(names.len() > 30);
    for name in names {
        let numbers = [1e308, -1e308, 1e30, -1e30, f64::from(f32::MAX)];
        let floats = numbers.map(|number| json!({ "f32": number }));
        let integers = [60, -1, i32::MAX, i32::MIN].map(|number| json!({ "i32": number }));
        let others = [json!({ "string": "60" }), json!({ "bool": true })];
        for value in floats.into_iter().chain(integers).chain(others) {
            let mut json = json.clone();
            json["params"][&name] = value.clone();
            let text = json.to_string();
            let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
            bytes.extend(text.as_bytes());
            // It may be refused.
            let taken = plugin.load_state(&bytes).is_ok();
            bounce(&mut plugin, BLOCK_SIZE);
            let saved = plugin.save_state().unwrap();
            assert!(
                plugin.load_state(&saved).is_ok(),
                "{name} of {value}, taken: {taken}"
            );
        }
    }
}

/// `WEFT_FUZZ_S=600` makes it longer.
#[test]
fn states_of_any_bytes_do_no_harm() {
    let _others = others_may_run();
    let seconds = std::env::var("WEFT_FUZZ_S").ok();
    let seconds = seconds.and_then(|s| s.parse().ok()).unwrap_or(3.0);
    let whole = fitted_state().to_vec();
    // Without its textures, a state is small, and every part of it is hit more often.
    let small = active(RenderMode::Offline).save_state().unwrap();
    let corpus = [whole.clone(), small];
    let mut plugin = active(RenderMode::Offline);
    let mut random = Random::new(0x5eed);
    let (mut tried, mut taken) = (0, 0);
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < seconds {
        let mut bytes = corpus[random.below(corpus.len())].clone();
        for _ in 0..1 + random.below(4) {
            mutate(&mut bytes, &corpus, &mut random);
        }
        taken += usize::from(plugin.load_state(&bytes).is_ok());
        tried += 1;
        if random.below(16) == 0 {
            let sound = bounce(&mut plugin, BLOCK_SIZE);
            assert!(sound.iter().flatten().all(|x| x.is_finite()));
            let saved = plugin.save_state().unwrap();
            assert!(
                plugin.load_state(&saved).is_ok(),
                "its own state is refused"
            );
        }
    }
    println!("{tried} states in {seconds} s, {taken} taken");
    plugin.load_state(&whole).unwrap();
    set(&mut plugin, &[("Gain", "0 dB"), ("Slot", "A")]);
    assert!(
        bounce(&mut plugin, BLOCK_SIZE)[0]
            .iter()
            .all(|x| x.is_finite())
    );
}
