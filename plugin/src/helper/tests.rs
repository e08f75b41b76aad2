//! Fits by helpers that do what a test says, in a session without a host. The good one is this very program, which a
//! shell starts once more.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{MutexGuard, OnceLock};

use tempfile::TempDir;
use weft_core::clip::Clip;
use weft_core::fit::cpu::Cpu;
use weft_core::fit::protocol::{Decoder, Message, Reply, Request};
use weft_core::fit::{FitEvent, FitStart};
use weft_core::instrument::{Player, Slot};
use weft_core::network::Model;
use weft_core::procedural::{Texture, synthesize};

use super::*;
use crate::imprint::ImprintSettings;
use crate::program::test_support::{FOREVER, assert_gone, processes, set_script, turn, wait_until};
use crate::session::Session;

/// These tests ask who makes a fit, not how well.
const STEPS: u32 = 3;
/// Enough for some snapshots.
const MORE_STEPS: u32 = 24;
/// So long that no test waits for the end.
const MANY_STEPS: u32 = 100_000;

/// The helper that is this program: speaks through a descriptor of its own, as a test's output is the harness's.
const GOOD: &str = r#"WEFT_TEST_SERVES=1 exec "$EXE" --exact helper::tests::serves --nocapture 3>&1 >/dev/null 2>&1"#;
/// Says that it is started as a helper.
const SERVES: &str = "WEFT_TEST_SERVES";
/// What of [`GOOD`] a test has done otherwise: the moment of its end by `kill -9`.
const DIES: &str = "WEFT_TEST_DIES";
/// What a script that hangs writes down: its child and itself.
const NOTE: &str = r#"
trap '' TERM INT HUP
sleep 1000 & echo $! > "$NOTES/note"
echo $$ >> "$NOTES/note"
mv "$NOTES/note" "$NOTES/processes"
"#;

struct Rig {
    session: Session,
    /// Keeps the instrument's audio thread from being gone.
    player: Player,
    folder: TempDir,
    /// Until all else is gone.
    _turn: MutexGuard<'static, ()>,
}

/// How helpers are waited for and judged in a test.
#[derive(Clone, Copy)]
struct Temper {
    patience: Duration,
    trial: Duration,
}

const PATIENT: Temper = Temper {
    patience: FOREVER,
    trial: FOREVER,
};

impl Rig {
    /// With a helper that is a shell's `script`, named by the user.
    fn new(script: &str, temper: Temper) -> Self {
        Self::with(script, temper, |path| {
            Choice::Own(vec![
                path.to_string_lossy().into_owned(),
                "serve".to_owned(),
            ])
        })
    }

    fn with(script: &str, temper: Temper, choice: impl Fn(&Path) -> Choice) -> Self {
        let turn = turn();
        let folder = tempfile::tempdir().unwrap();
        let choice = choice(&folder.path().join("weft"));
        let settings = HelperSettings {
            choose: Some(Arc::new(move || Ok(choice.clone()))),
            place: None,
            trial: Some(temper.trial),
            patience: Some(Patience {
                hello: temper.patience,
                work: temper.patience,
            }),
        };
        let (session, player) = Session::with(ImprintSettings::default(), settings);
        session.instrument().set_fit_steps(STEPS);
        let rig = Self {
            session,
            player,
            folder,
            _turn: turn,
        };
        rig.set_helper(script);
        rig
    }

    fn set_helper(&self, script: &str) {
        let exe = std::env::current_exe().unwrap();
        let hello = hello(DeviceKind::Graphics);
        self.write("hello", &hello);
        let head = format!("EXE='{}'\ncd \"$NOTES\"\n", exe.display());
        set_script(&self.folder.path().join("weft"), &(head + script));
    }

    /// Puts bytes where a script finds them.
    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn begin(&self) {
        self.session.instrument().load_clip(Slot::A, rain(), "rain");
    }

    /// Has a fit made; what is said of it.
    fn fit(&self) -> Option<String> {
        self.begin();
        self.rest();
        self.session.status().error
    }

    fn rest(&self) {
        wait_until("rest", || !self.session.instrument().is_busy());
    }

    fn texture(&self) -> Model {
        self.session.instrument().texture(Slot::A).unwrap()
    }

    /// The fit comes to its end without the helper, which is told with `part`, and the texture is the processor's own.
    #[track_caller]
    fn falls_back(&self, part: &str) {
        let said = self.fit().unwrap_or_default();
        assert!(
            said.contains("the processor goes on") && said.contains(part),
            "{said}"
        );
        assert!(self.texture().to_bytes() == fitted_here(), "{part}");
        assert_eq!(self.session.status().fit_device, None);
    }
}

fn hello(kind: DeviceKind) -> Vec<u8> {
    let device = "a toaster".to_owned();
    Reply::Hello { kind, device }.to_bytes()
}

/// The fit of [`Rig::begin`] as the processor makes it, in a session that has no helper.
fn fitted_here() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let (session, _player) = Session::new();
        session.instrument().set_fit_steps(STEPS);
        session.instrument().load_clip(Slot::A, rain(), "rain");
        wait_until("rest", || !session.instrument().is_busy());
        session.instrument().texture(Slot::A).unwrap().to_bytes()
    })
}

fn rain() -> Clip {
    synthesize(Texture::Rain, 1, 8_000, 1.5)
}

/// No test by itself: the helper that others start. Makes one fit as `weft serve` does.
#[test]
fn serves() {
    if std::env::var_os(SERVES).is_none() {
        return;
    }
    let dies = std::env::var(DIES).unwrap_or_default();
    let die_at = |moment: &str| {
        if dies == moment {
            // SAFETY: the call takes numbers, and ends this process only.
            unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
        }
    };
    let mut output = fs::OpenOptions::new()
        .write(true)
        .open("/dev/fd/3")
        .unwrap();
    let mut say = |reply: Reply| output.write_all(&reply.to_bytes()).unwrap();
    die_at("before hello");
    say(Reply::Hello {
        kind: DeviceKind::Graphics,
        device: "a toaster".into(),
    });
    let (mut decoder, mut room) = (Decoder::<Request>::default(), vec![0; 1 << 16]);
    let request = loop {
        let count = io::stdin().read(&mut room).unwrap();
        assert!(count > 0, "nothing is asked for");
        if let Some(Request::Fit { request, .. }) = decoder.take(&mut &room[..count]).unwrap() {
            break request;
        }
    };
    die_at("before the first snapshot");
    let (fit, mut snapshots) = (1, 0);
    // One that goes on need not come to a better one.
    let goes_on = matches!(request.start, FitStart::Texture(_));
    say(Reply::Begun { fit });
    let made = request.run(&Cpu::default(), &mut |event| {
        match event {
            FitEvent::Progress { step, steps, loss } => {
                say(Reply::Progress {
                    fit,
                    step,
                    steps,
                    loss,
                });
                if goes_on && step == 3 {
                    die_at("between snapshots");
                }
            }
            FitEvent::Snapshot { step, model } if step > 0 => {
                let texture = Box::new(model.clone());
                say(Reply::Snapshot { fit, step, texture });
                snapshots += 1;
                if snapshots == 3 {
                    die_at("between snapshots");
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    assert!(made.is_ok());
    say(Reply::Done { fit });
}

#[test]
fn a_helpers_fit_is_the_same_texture_and_its_device_is_shown() {
    let rig = Rig::new(&format!("{NOTE}echo \"$@\" > asked\n{GOOD}"), PATIENT);
    assert_eq!(rig.fit(), None);
    assert_eq!(
        rig.session.status().fit_device.as_deref(),
        Some("a toaster")
    );
    assert_eq!(rig.texture().to_bytes(), fitted_here());
    let asked = fs::read_to_string(rig.folder.path().join("asked")).unwrap();
    assert_eq!(asked.trim(), "serve");
    assert_gone(&processes(rig.folder.path()));
    // A bounce does not ask.
    fs::remove_file(rig.folder.path().join("asked")).unwrap();
    let mut rig = rig;
    rig.player.prepare(48_000.0);
    rig.player.set_offline(true);
    rig.begin();
    let (silence, mut left, mut right) = ([0.0; 480], [0.0; 480], [0.0; 480]);
    let controls = weft_core::instrument::Controls::default();
    rig.player
        .process([&silence, &silence], [&mut left, &mut right], &controls);
    rig.rest();
    assert!(!rig.folder.path().join("asked").exists());
}

#[test]
fn a_helper_that_is_killed_is_started_once_more_and_then_left() {
    for (moment, is_begun) in [
        ("before hello", false),
        ("before the first snapshot", false),
        ("between snapshots", true),
    ] {
        // Killed once, and then as good as any.
        let once = format!(
            "if mkdir again 2>/dev/null; then {DIES}='{moment}'; export {DIES}; fi\n{GOOD}"
        );
        let rig = Rig::new(&once, PATIENT);
        let steps = if is_begun { MORE_STEPS } else { STEPS };
        rig.session.instrument().set_fit_steps(steps);
        assert_eq!(rig.fit(), None, "{moment}");
        assert_eq!(
            rig.session.status().fit_device.as_deref(),
            Some("a toaster")
        );
        // Killed each time.
        rig.set_helper(&format!("{DIES}='{moment}'; export {DIES}; {GOOD}"));
        if is_begun {
            let said = rig.fit().unwrap();
            assert!(
                said.contains("the processor goes on") && said.contains("signal"),
                "{said}"
            );
            assert!(rig.texture().fit_record().steps > 0);
        } else {
            rig.falls_back("signal");
        }
    }
}

#[test]
fn what_is_no_helper_is_left_with_a_word() {
    let rig = Rig::new("", PATIENT);
    let falls_back = |script: &str, part: &str| {
        rig.set_helper(script);
        rig.falls_back(part);
    };
    // Garbage: text, noise, and a good beginning.
    falls_back("echo 'Welcome to gpubox!'; sleep 1000", "Welcome");
    falls_back("cat hello; while :; do echo garbage; done", "is no helper");
    // Too much: what goes on saying hello, and what complains for ever.
    falls_back("while :; do cat hello; done", "before its time");
    falls_back("yes complaint >&2", "said more than");
    // Ends: without a word, with one, and as a shell does that knows no such program.
    falls_back("exit 7", "exit status: 7");
    falls_back("echo 'weft: error: no driver' >&2; exit 1", "no driver");
    falls_back("exec /nowhere/weft serve", "weft");
    let failed = Reply::Failed {
        fit: 1,
        reason: "out of bread".into(),
    };
    rig.write("failed", &failed.to_bytes());
    falls_back("cat hello failed; sleep 1000", "out of bread");
    // Another release.
    let mut other = hello(DeviceKind::Graphics);
    other[4] = 9;
    rig.write("other", &other);
    falls_back("cat other; sleep 1000", "version 9");
    fs::write(rig.folder.path().join("weft"), [0; 64]).unwrap();
    rig.falls_back("can't be started");
}

#[test]
fn what_gets_nowhere_is_left_and_ended_with_all_that_it_has_started() {
    // It hangs for ever: it does not matter how soon that is found.
    let short = Temper {
        patience: Duration::from_millis(200),
        ..PATIENT
    };
    let rig = Rig::new("", short);
    let progress = |step| Reply::Progress {
        fit: 1,
        step,
        steps: STEPS,
        loss: 1.0,
    };
    rig.write("half", &hello(DeviceKind::Graphics)[..20]);
    rig.write("step", &progress(1).to_bytes());
    for script in [
        // Nothing; half a message; nothing after hello, nor after a step; and a byte at a time, for ever.
        "wait",
        "cat half; wait",
        "cat hello; wait",
        "cat hello; cat > /dev/null",
        "cat hello step; wait",
        "while read -r byte; do printf '%b' \"$byte\"; sleep 0.05; done < bytes; wait",
    ] {
        let bytes: Vec<String> = hello(DeviceKind::Graphics)
            .iter()
            .map(|byte| format!("\\0{byte:o}\n"))
            .collect();
        rig.write("bytes", bytes.concat().as_bytes());
        rig.set_helper(&format!("{NOTE}{script}"));
        rig.falls_back("got nowhere");
        // It may not have come to that.
        if rig.folder.path().join("processes").exists() {
            assert_gone(&processes(rig.folder.path()));
        }
    }
    drop(rig);
    // What gets on, but far behind the processor, is no help.
    let judged = Temper {
        trial: Duration::ZERO,
        ..PATIENT
    };
    let rig = Rig::new(&format!("{NOTE}cat hello step; wait"), judged);
    rig.write("step", &progress(1).to_bytes());
    rig.falls_back("it would take");
    assert_gone(&processes(rig.folder.path()));
}

#[test]
fn the_end_of_a_fit_and_of_the_instance_is_its_helpers_end() {
    let rig = Rig::new(&format!("{NOTE}cat hello; wait"), PATIENT);
    rig.session.instrument().set_fit_steps(MANY_STEPS);
    rig.begin();
    let first = processes(rig.folder.path());
    // It is heard while the helper is silent.
    wait_until("a sound", || {
        rig.session.instrument().texture(Slot::A).is_some()
    });
    rig.session.cancel(Slot::A);
    assert_gone(&first);
    rig.rest();
    assert_eq!(rig.session.status().error, None);
    fs::remove_file(rig.folder.path().join("processes")).unwrap();
    rig.begin();
    let second = processes(rig.folder.path());
    let Rig {
        session, player, ..
    } = rig;
    drop((session, player));
    assert_gone(&second);
}

#[test]
fn a_tool_that_nobody_has_asked_for_is_asked_once_and_never_spoken_of() {
    let found = |path: &Path| Choice::Found(path.to_path_buf());
    let note = "echo again >> asked\n";
    for script in [
        "exit 2".to_owned(),
        "echo 'error: unrecognized subcommand' >&2; exit 2".to_owned(),
        "cat processor; sleep 1000".to_owned(),
    ] {
        let rig = Rig::with("", PATIENT, found);
        rig.write("processor", &hello(DeviceKind::Processor));
        rig.set_helper(&(note.to_owned() + &script));
        for _ in 0..2 {
            assert_eq!(rig.fit(), None, "{script}");
            assert!(rig.texture().to_bytes() == fitted_here());
            assert_eq!(rig.session.status().fit_device, None);
        }
        let asked = fs::read_to_string(rig.folder.path().join("asked")).unwrap();
        assert_eq!(asked.lines().count(), 1, "{script}");
    }
    // One that has something better is used.
    let rig = Rig::with(GOOD, PATIENT, found);
    assert_eq!(rig.fit(), None);
    assert_eq!(
        rig.session.status().fit_device.as_deref(),
        Some("a toaster")
    );
}
