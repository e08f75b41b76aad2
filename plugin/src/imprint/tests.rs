//! Imprints by tools that do what a test says, in a session without a host.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use weft_core::instrument::Bank;
use weft_core::procedural::{Texture, synthesize};

use super::*;
use crate::helper::HelperSettings;
use crate::program::ToolError;
use crate::program::test_support::{self, FOREVER, assert_gone, set_script, turn, wait_until};
use crate::session::Session;

const REQUEST: ImprintRequest = ImprintRequest {
    content: Slot::A,
    style: Slot::B,
    into: Slot::D,
};
/// Leaves what it is given as its content, and writes down what it was asked for.
const COPIES: &str = r#"
echo "$@" > asked
echo '{"status":"progress","done":0.5,"seconds_left":1.5}'
cp content.wav imprint.wav
echo '{"status":"written"}'
"#;
/// Does nothing for ever, with a child of its own, and neither heeds requests to end.
const HANGS: &str = r#"
trap '' TERM INT HUP
sleep 1000 & echo $! > child.part
echo $$ >> child.part
mv child.part "$NOTES/processes"
echo '{"status":"progress","done":0.25,"seconds_left":90}'
wait
"#;

/// A session with captures in the first two slots, and a folder for what a tool leaves behind.
struct Rig {
    session: Session,
    /// Keeps the instrument's audio thread from being gone.
    _player: weft_core::instrument::Player,
    folder: TempDir,
    /// Until all else is gone.
    _turn: MutexGuard<'static, ()>,
}

impl Rig {
    /// With a tool that is a shell's `script`.
    fn new(script: &str, patience: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tool = folder.path().join("weft");
        let settings = ImprintSettings {
            find_tool: Arc::new(move || Ok(tool.clone())),
            patience,
        };
        let rig = Self::with(settings, folder);
        rig.set_tool(script);
        rig
    }

    /// Puts another tool in the place of the one before, which may still run.
    fn set_tool(&self, script: &str) {
        set_script(&self.folder.path().join("weft"), script);
    }

    fn with(settings: ImprintSettings, folder: TempDir) -> Self {
        let turn = turn();
        let (session, player) = Session::with(settings, HelperSettings::default());
        session.instrument().set_fit_steps(2);
        let rig = Self {
            session,
            _player: player,
            folder,
            _turn: turn,
        };
        for (slot, texture) in [(Slot::A, Texture::Rain), (Slot::B, Texture::Fire)] {
            let clip = synthesize(texture, 1, 8_000, 1.5);
            rig.session
                .instrument()
                .load_clip(slot, clip, texture.name());
        }
        rig.rest();
        rig
    }

    fn wait(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        wait_until(what, || is_so(self));
    }

    /// Waits until nothing is in the making.
    fn rest(&self) {
        self.wait("rest", |rig| {
            rig.session.imprints().status().is_none() && !rig.session.instrument().is_busy()
        });
    }

    /// Has an imprint made; what is said of it.
    fn imprint(&self) -> Option<String> {
        self.session.imprints().begin(REQUEST);
        self.rest();
        self.session.status().error
    }

    /// Fails with `part` among its words; nothing that there was is changed.
    #[track_caller]
    fn fails(&self, part: &str) {
        let before = self.session.instrument().revision();
        let error = self.imprint().unwrap_or_default();
        assert!(error.contains(part), "{error}");
        assert_eq!(self.session.instrument().revision(), before);
        assert_eq!(self.session.instrument().capture(Slot::D), None);
    }

    /// The processes that [`HANGS`] has written down, when it has.
    fn processes(&self) -> Vec<libc::pid_t> {
        test_support::processes(self.folder.path())
    }
}

#[test]
fn what_the_tool_makes_of_two_captures_becomes_one_of_a_third_slot() {
    let rig = Rig::new(
        &format!("{COPIES}\ncp asked \"$NOTES\"; pwd > \"$NOTES/place\""),
        FOREVER,
    );
    assert_eq!(rig.imprint(), None);
    let instrument = rig.session.instrument();
    let (content, imprint) = (instrument.capture(Slot::A), instrument.capture(Slot::D));
    let [content, imprint] = [content, imprint].map(|capture| capture.unwrap().used());
    assert_eq!(
        (imprint.sample_rate(), imprint.len()),
        (content.sample_rate(), content.len())
    );
    let pairs = imprint.channels()[0].iter().zip(&content.channels()[0]);
    assert!(pairs.fold(0.0f32, |most, (a, b)| most.max((a - b).abs())) < 1e-5);
    let status = rig.session.status();
    assert_eq!(status.slots[3].name, "rain as fire");
    assert!(status.slots[3].texture.is_some(), "it was not fitted");
    let read = |name: &str| fs::read_to_string(rig.folder.path().join(name)).unwrap();
    let asked = read("asked");
    let iterations = format!("--json --iterations {}", job::ITERATIONS);
    assert!(
        asked.starts_with("transfer") && asked.contains(&iterations),
        "{asked}"
    );
    // The folder in which that was done, and which was nobody else's.
    let place = read("place");
    assert!(place.contains("weft-imprint-") && !Path::new(place.trim()).exists());
}

#[test]
fn what_can_t_be_begun_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ImprintSettings {
        find_tool: Arc::new(|| Err(ToolError::Nowhere)),
        patience: FOREVER,
    };
    let rig = Rig::with(settings, folder);
    rig.fails("cargo xtask install");
    let refused = |request: ImprintRequest| {
        rig.session.imprints().begin(request);
        rig.session.status().error.unwrap()
    };
    let (a, c) = (Slot::A, Slot::C);
    let of = |content, style, into| ImprintRequest {
        content,
        style,
        into,
    };
    assert!(refused(of(a, c, Slot::D)).contains("slot C has no capture"));
    assert!(refused(of(a, a, Slot::D)).contains("two slots"));
    assert!(refused(of(a, Slot::B, a)).contains("third slot"));
}

#[test]
fn what_goes_wrong_with_the_tool_is_said_and_changes_nothing() {
    let rig = Rig::new("", FOREVER);
    let fails = |script: &str, part: &str| {
        rig.set_tool(script);
        rig.fails(part);
    };
    fails(
        "echo no >&2; echo 'weft: error: too few cores' >&2; exit 1",
        "too few cores",
    );
    fails(
        "echo '{\"status\":\"failed\",\"error\":\"too short\"}'; exit 1",
        "too short",
    );
    fails("exit 7", "exit status: 7");
    fails("kill -9 $$", "signal");
    fails("exit 0", "can't be read");
    fails("echo no sound > imprint.wav", "can't be read");
    fails(
        "dd if=/dev/zero of=imprint.wav bs=1024 seek=70000 count=1 2>/dev/null",
        "71681024 bytes",
    );
    // What is no tool of ours, in one line, in lines, in lines that say nothing, and in complaints.
    fails("while :; do printf garbage; done", "garbagegarbage");
    fails("while :; do echo garbage; done", "\"garbage\"");
    fails("yes '{\"status\":\"thinking\"}'", "more than");
    fails("yes complaint >&2", "more than");
    fs::write(rig.folder.path().join("weft"), [0; 64]).unwrap();
    rig.fails("can't be started");
}

#[test]
fn a_tool_that_gets_nowhere_is_ended_with_all_that_it_has_started() {
    // It hangs for ever: it does not matter how soon that is found.
    let rig = Rig::new(HANGS, Duration::from_millis(300));
    rig.fails("got nowhere");
    // It may not have come to that.
    if rig.folder.path().join("processes").exists() {
        assert_gone(&rig.processes());
    }
    drop(rig);
    // Nor is it waited for where it has left somebody behind who still could say something.
    let left = "sleep 1000 & echo $! > \"$NOTES/processes\"; cp content.wav imprint.wav";
    let rig = Rig::new(left, FOREVER);
    assert_eq!(rig.imprint(), None);
    assert!(rig.session.instrument().capture(Slot::D).is_some());
    assert_gone(&rig.processes());
}

#[test]
fn one_is_made_at_a_time_and_shown_until_it_is_cancelled() {
    let rig = Rig::new(HANGS, FOREVER);
    let imprints = rig.session.imprints();
    imprints.begin(REQUEST);
    let shown = || {
        imprints
            .status()
            .map(|status| (status.done, status.seconds_left))
    };
    rig.wait("progress", |_| shown() == Some((0.25, Some(90.0))));
    imprints.begin(REQUEST);
    assert!(rig.session.status().error.unwrap().contains("being made"));
    rig.session.clear_error();
    let processes = rig.processes();
    // Another slot's is none of its business.
    rig.session.cancel(Slot::A);
    assert!(shown().is_some());
    rig.session.cancel(Slot::D);
    assert_eq!(shown(), None);
    // Nobody has to wait for the end of it.
    rig.set_tool(COPIES);
    assert_eq!(rig.imprint(), None);
    assert!(rig.session.instrument().capture(Slot::D).is_some());
    assert_gone(&processes);
}

#[test]
fn it_ends_with_the_instance() {
    let rig = Rig::new(HANGS, FOREVER);
    rig.session.imprints().begin(REQUEST);
    let processes = rig.processes();
    drop(rig.session);
    assert_gone(&processes);
}

#[test]
fn what_is_put_into_the_slot_meanwhile_is_kept() {
    let waits = format!(
        "touch \"$NOTES/processes\"\nwhile ! [ -e \"$NOTES/go\" ]; do sleep 0.01; done\n{COPIES}"
    );
    let rig = Rig::new(&waits, FOREVER);
    let instrument = rig.session.instrument();
    rig.session.imprints().begin(REQUEST);
    rig.processes();
    instrument.copy(Slot::B, Slot::D);
    rig.wait("the copy", |_| instrument.capture(Slot::D).is_some());
    fs::write(rig.folder.path().join("go"), "").unwrap();
    rig.rest();
    assert!(rig.session.status().error.unwrap().contains("was changed"));
    assert_eq!(instrument.capture(Slot::D), instrument.capture(Slot::B));
}

#[test]
fn another_project_ends_it_without_a_word() {
    let rig = Rig::new(HANGS, FOREVER);
    let imprints = rig.session.imprints();
    let loads = imprints.loads();
    imprints.begin(REQUEST);
    let processes = rig.processes();
    imprints.end_for_load();
    rig.session.instrument().load_bank(Bank::default());
    assert_gone(&processes);
    rig.rest();
    let status = rig.session.status();
    assert_eq!((status.error, &status.slots[3].texture), (None, &None));
    // Nor is what the audio thread has asked for before it begun.
    imprints.errands()(REQUEST.to_errand(loads));
    assert_eq!(imprints.status(), None);
    imprints.errands()(REQUEST.to_errand(imprints.loads()));
    assert!(rig.session.status().error.unwrap().contains("no capture"));
}
