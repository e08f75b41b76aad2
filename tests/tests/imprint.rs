//! *Imprint* in the built CLAP: by automation, with the real tool and with others that fail in every way.
#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tempfile::TempDir;
use weft_core::clip::Clip;
use weft_core::instrument::{Bank, Slot};
use weft_core::procedural::{Texture, synthesize};
use weft_hosts::clap::{ClapPlugin, RenderMode};
use weft_hosts::measure::{db, rms};
use weft_hosts::{CLAP_BUNDLE, Render, bundle, tool};

use common::driving::{self, BLOCK_SIZE, SAMPLE_RATE, set};
use common::sound::assert_sounds;
use common::two_slots;

/// A test that waits for so long has hung.
const FOREVER: Duration = Duration::from_secs(120);
/// Has the real tool do a few iterations instead of hundreds.
const FEW_ITERATIONS: &str = r#"
for argument; do
    shift
    case "$before" in --iterations) argument=6;; esac
    before=$argument
    set -- "$@" "$argument"
done
exec "$REAL" "$@"
"#;
/// Does not end, and neither heeds requests to.
const HANGS: &str = r#"
trap '' TERM INT HUP
sleep 1000 & echo $! > "$NOTES/fresh"
echo $$ >> "$NOTES/fresh"
mv "$NOTES/fresh" "$NOTES/processes"
echo '{"status":"progress","done":0.25,"seconds_left":90}'
wait
"#;

/// One test at a time: a program can't be started while a test beside it starts another one, which has the file of the
/// first open to be written for a moment.
static TURN: Mutex<()> = Mutex::new(());

/// A copy of the bundle in a folder of its own, where a tool may lie beside it.
struct Installed {
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Installed {
    /// With a tool that is a shell's `script`, if there is one.
    fn with(script: Option<&str>) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let copied = Command::new("cp")
            .arg("-R")
            .arg(bundle(CLAP_BUNDLE).unwrap())
            .arg(folder.path())
            .status();
        assert!(copied.unwrap().success());
        if let Some(script) = script {
            let (path, notes) = (folder.path().join("weft"), folder.path().display());
            let real = tool().unwrap();
            let head = format!("#!/bin/sh\nNOTES='{notes}'\nREAL='{}'\n", real.display());
            fs::write(&path, head + script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self {
            folder,
            _turn: turn,
        }
    }

    /// The plugin with rain in slot A and fire in slot C, of which slot A plays, in real time.
    fn plugin(&self) -> ClapPlugin {
        let mut plugin = ClapPlugin::load(&self.folder.path().join(CLAP_BUNDLE)).unwrap();
        plugin.load_state(two_slots::fitted_state()).unwrap();
        driving::activate(&mut plugin, RenderMode::Realtime, SAMPLE_RATE, BLOCK_SIZE);
        set(
            &mut plugin,
            &[
                ("Imprint Content", "A"),
                ("Imprint Style", "C"),
                ("Fit Steps D", "100"),
            ],
        );
        plugin
    }

    /// The tool's processes, when there are any.
    fn processes(&self, plugin: &mut ClapPlugin) -> Vec<String> {
        let path = self.folder.path().join("processes");
        play_until(plugin, "the tool", |_| path.exists());
        let noted = fs::read_to_string(path).unwrap();
        noted.lines().map(str::to_owned).collect()
    }
}

/// Plays on, block by block, until something is so.
#[track_caller]
fn play_until(plugin: &mut ClapPlugin, what: &str, mut is_so: impl FnMut(&mut ClapPlugin) -> bool) {
    let began = Instant::now();
    while !is_so(plugin) {
        assert!(began.elapsed() < FOREVER, "in vain for {what}");
        plugin.render(&Render::silent(BLOCK_SIZE)).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Begins an imprint into a slot by automation.
fn trigger(plugin: &mut ClapPlugin, slot: &str) {
    set(plugin, &[("Slot", slot), ("Imprint", "Off")]);
    set(plugin, &[("Imprint", "On")]);
    set(plugin, &[("Imprint", "Off"), ("Slot", "A")]);
}

/// What a project of the plugin would hold.
fn saved(plugin: &mut ClapPlugin) -> String {
    two_slots::slots(&plugin.save_state().unwrap())
}

/// What plays goes on.
#[track_caller]
fn assert_plays_on(plugin: &mut ClapPlugin) {
    set(plugin, &[("Hold", "On")]);
    let half_a_second = Render::silent(SAMPLE_RATE as usize / 2).paced();
    let sound = plugin.render(&half_a_second).unwrap().channels;
    let half = sound[0].len() / 2;
    assert_sounds(&sound.iter().map(|c| c[half..].to_vec()).collect::<Vec<_>>());
    set(plugin, &[("Hold", "Off")]);
}

#[track_caller]
fn assert_gone(processes: &[String]) {
    let began = Instant::now();
    let is_there = |process: &str| {
        let state = Command::new("ps")
            .args(["-o", "state=", "-p", process])
            .output();
        let state = String::from_utf8(state.unwrap().stdout).unwrap();
        !state.trim().is_empty() && !state.trim().starts_with('Z')
    };
    for process in processes {
        while is_there(process) {
            assert!(began.elapsed() < FOREVER, "{process} is still there");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The capture of a slot in a project, when its fit is done.
fn fitted_capture(slots: &str, slot: Slot) -> Option<Clip> {
    let encoded: String = serde_json::from_str(slots).unwrap();
    let bank = Bank::from_bytes(&BASE64.decode(encoded).unwrap()).unwrap();
    let texture = bank.texture(slot).filter(|_| !bank.has_unfinished_fits())?;
    Some(texture.capture()?.used())
}

/// Levels of a sound's 20 ms in dB, in mono.
fn envelope_db(clip: &Clip) -> Vec<f64> {
    let mono = clip.to_mono();
    let frames = mono.sample_rate() as usize / 50;
    let levels = mono.channels()[0].chunks_exact(frames);
    levels
        .map(|part| db(rms(&[part.to_vec()]).max(1e-6)))
        .collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let length = a.len().min(b.len());
    let centred = |x: &[f64]| {
        let mean = x[..length].iter().sum::<f64>() / length as f64;
        x[..length].iter().map(|v| v - mean).collect::<Vec<_>>()
    };
    let (a, b) = (centred(a), centred(b));
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
}

#[test]
fn one_sounds_gestures_in_anothers_matter_become_a_texture_that_plays() {
    let installed = Installed::with(Some(FEW_ITERATIONS));
    let mut plugin = installed.plugin();
    set(
        &mut plugin,
        &[("Imprint Content", "C"), ("Imprint Style", "A")],
    );
    let before = saved(&mut plugin);
    assert_eq!(
        fitted_capture(&before, Slot::D).map(|clip| clip.len()),
        None
    );
    trigger(&mut plugin, "D");
    // What plays goes on meanwhile.
    assert_plays_on(&mut plugin);
    let mut imprint = None;
    play_until(&mut plugin, "the imprint", |plugin| {
        // What a project holds is not looked at all the time.
        std::thread::sleep(Duration::from_millis(100));
        imprint = fitted_capture(&saved(plugin), Slot::D);
        imprint.is_some()
    });
    let (imprint, content) = (imprint.unwrap(), fitted_capture(&before, Slot::C).unwrap());
    assert!((imprint.duration_s() - content.duration_s()).abs() < 0.1);
    let style = fitted_capture(&before, Slot::A).unwrap();
    let of_imprint = envelope_db(&imprint);
    let [by_content, by_style] =
        [&content, &style].map(|c| correlation(&of_imprint, &envelope_db(c)));
    println!("envelope: {by_content:.2} with the content's, {by_style:.2} with the style's");
    assert!(by_content > 0.5 && by_style < by_content);
    // It is another sound than either.
    assert!(correlation(&as_numbers(&imprint), &as_numbers(&content)) < 0.999);

    set(&mut plugin, &[("Slot", "D")]);
    assert_plays_on(&mut plugin);
    assert!(plugin.dirty_marks() > 0, "the host was not told");
    // The host's project has it, and another instance plays it.
    let state = plugin.save_state().unwrap();
    drop(plugin);
    let mut again = installed.plugin();
    again.load_state(&state).unwrap();
    assert!(saved(&mut again) == two_slots::slots(&state));
    assert_plays_on(&mut again);
}

/// The samples of a sound's first channel, of which there are as many in a second as in any other's.
fn as_numbers(clip: &Clip) -> Vec<f64> {
    const RATE: f64 = 8_000.0;
    let mono = clip.to_mono();
    let step = f64::from(mono.sample_rate()) / RATE;
    let count = (mono.len() as f64 / step) as usize;
    let samples = (0..count).map(|n| f64::from(mono.channels()[0][(n as f64 * step) as usize]));
    samples.collect()
}

#[test]
fn without_a_tool_nothing_is_made_and_nothing_harmed() {
    let installed = Installed::with(None);
    let mut plugin = installed.plugin();
    let before = saved(&mut plugin);
    trigger(&mut plugin, "D");
    assert_plays_on(&mut plugin);
    assert!(saved(&mut plugin) == before);
    // A tool that comes later is found.
    fs::write(
        installed.folder.path().join("weft"),
        "#!/bin/sh\necho > \"${0}.ran\"; exit 1",
    )
    .unwrap();
    let leave = fs::Permissions::from_mode(0o755);
    fs::set_permissions(installed.folder.path().join("weft"), leave).unwrap();
    trigger(&mut plugin, "D");
    let ran = installed.folder.path().join("weft.ran");
    play_until(&mut plugin, "the tool", |_| ran.exists());
}

#[test]
fn a_tool_that_fails_harms_nothing_and_is_gone() {
    const NOTE: &str = "echo $$ > \"$NOTES/fresh\"; mv \"$NOTES/fresh\" \"$NOTES/processes\"\n";
    for script in [
        "while :; do echo garbage; done",
        "yes complaint >&2",
        "echo 'weft: error: too few cores' >&2; exit 1",
        "kill -9 $$",
        "echo no sound > imprint.wav",
    ] {
        let installed = Installed::with(Some(&format!("{NOTE}{script}")));
        let mut plugin = installed.plugin();
        let before = saved(&mut plugin);
        trigger(&mut plugin, "D");
        let processes = installed.processes(&mut plugin);
        assert_plays_on(&mut plugin);
        assert_gone(&processes);
        assert!(saved(&mut plugin) == before, "{script}");
    }
}

#[test]
fn a_tool_that_hangs_goes_with_the_project_and_with_the_instance() {
    let installed = Installed::with(Some(HANGS));
    let mut plugin = installed.plugin();
    let before = saved(&mut plugin);
    trigger(&mut plugin, "D");
    let processes = installed.processes(&mut plugin);
    assert_plays_on(&mut plugin);
    assert!(saved(&mut plugin) == before);
    // The textures of another project are not those that it was begun for.
    let mut other = installed.plugin();
    set(&mut other, &[("Slot", "B")]);
    let port = other.capture_port().unwrap();
    let recording = synthesize(Texture::Wind, 3, SAMPLE_RATE, 1.0).into_channels();
    driving::activate(&mut other, RenderMode::Offline, SAMPLE_RATE, BLOCK_SIZE);
    driving::capture(&mut other, port, &recording, SAMPLE_RATE);
    let state = other.save_state().unwrap();
    plugin.load_state(&state).unwrap();
    assert_gone(&processes);
    assert!(saved(&mut plugin) == two_slots::slots(&state));

    fs::remove_file(installed.folder.path().join("processes")).unwrap();
    trigger(&mut plugin, "D");
    let processes = installed.processes(&mut plugin);
    drop(plugin);
    assert_gone(&processes);
}
