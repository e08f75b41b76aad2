//! `weft serve` as a program speaks to it: the same fit as here, cancelled, queued, refused, and ended with its input.

mod support;

use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use weft_core::clip::Capture;
use weft_core::fit::cpu::Cpu;
use weft_core::fit::protocol::{Decoder, DeviceKind, Message, Reply, Request};
use weft_core::fit::{FitRequest, FitSettings, FitStart};
use weft_core::procedural::{Texture, synthesize};

/// So long that no test waits for the end.
const MANY_STEPS: u32 = 100_000;

fn request(steps: u32) -> FitRequest {
    FitRequest {
        start: FitStart::Capture(Capture::new(&synthesize(Texture::Rain, 1, 8_000, 1.5)).unwrap()),
        settings: FitSettings {
            steps,
            ..FitSettings::default()
        },
    }
}

/// The tool at work, which has said hello. Dropping it closes its input and waits for its end.
struct Serve {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    decoder: Decoder<Reply>,
    /// What was read and not taken.
    bytes: Vec<u8>,
}

impl Serve {
    /// With its queue in a folder of a test's own.
    fn start(queue: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_weft"))
            .args(["serve", "--device", "cpu"])
            .env("WEFT_QUEUE", queue)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut serve = Self {
            input: child.stdin.take(),
            output: child.stdout.take().unwrap(),
            child,
            decoder: Decoder::default(),
            bytes: Vec::new(),
        };
        let hello = serve.reply();
        assert!(matches!(
            hello,
            Some(Reply::Hello { kind: DeviceKind::Processor, device }) if device.contains("core")
        ));
        serve
    }

    fn ask(&mut self, request: &Request) {
        self.send(&request.to_bytes());
    }

    fn fit(&mut self, fit: u32, steps: u32) {
        let request = Box::new(request(steps));
        self.ask(&Request::Fit { fit, request });
    }

    fn send(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// What it says next; none when it has ended.
    fn reply(&mut self) -> Option<Reply> {
        loop {
            let mut bytes = &self.bytes[..];
            let reply = self.decoder.take(&mut bytes).unwrap();
            self.bytes = bytes.to_vec();
            if reply.is_some() {
                return reply;
            }
            let mut room = vec![0; 1 << 16];
            match self.output.read(&mut room).unwrap() {
                0 => return None,
                count => self.bytes.extend_from_slice(&room[..count]),
            }
        }
    }

    /// Passes over what it says until `is_meant`.
    #[track_caller]
    fn reply_until(&mut self, is_meant: impl Fn(&Reply) -> bool) -> Reply {
        loop {
            let reply = self.reply().expect("it ended");
            if is_meant(&reply) {
                return reply;
            }
        }
    }

    /// Closes its input; how it ends.
    fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        while self.reply().is_some() {}
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        drop(self.input.take());
        // A test that has failed leaves nobody behind.
        let _ = self.child.wait();
    }
}

#[test]
fn it_makes_the_same_fits_as_any_other() {
    let queue = tempfile::tempdir().unwrap();
    let mut serve = Serve::start(queue.path());
    let ignored = &mut |_: weft_core::fit::FitEvent<'_>| ControlFlow::Continue(());
    for (fit, steps) in [(3, 20), (4, 10)] {
        serve.fit(fit, steps);
        let (mut last, mut step) = (None, 0);
        loop {
            let reply = serve.reply().unwrap();
            assert_eq!(reply.fit(), fit);
            match reply {
                Reply::Snapshot { texture, .. } => last = Some(texture),
                Reply::Progress {
                    step: s, steps: of, ..
                } => {
                    assert!(s > step && of == steps);
                    step = s;
                }
                Reply::Done { .. } => break,
                Reply::Begun { .. } => assert!(last.is_none()),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(step, steps);
        let here = request(steps).run(&Cpu::default(), ignored).unwrap();
        let (there, here) = (last.unwrap().to_bytes(), here.without_capture().to_bytes());
        assert!(there == here);
    }
    assert_eq!(serve.end(), Some(0));
}

#[test]
fn a_fit_that_nobody_wants_ends_and_so_does_one_whose_asker_is_gone() {
    let queue = tempfile::tempdir().unwrap();
    let mut serve = Serve::start(queue.path());
    serve.fit(1, MANY_STEPS);
    serve.reply_until(|reply| matches!(reply, Reply::Progress { .. }));
    serve.ask(&Request::Cancel { fit: 1 });
    let failed = serve.reply_until(|reply| matches!(reply, Reply::Failed { .. }));
    assert!(matches!(failed, Reply::Failed { fit: 1, reason } if reason.contains("cancelled")));
    // The next one is not meant.
    serve.fit(2, MANY_STEPS);
    serve.reply_until(|reply| matches!(reply, Reply::Progress { fit: 2, .. }));
    assert_eq!(serve.end(), Some(0));
    // Nor is anything left in the queue.
    let left: Vec<_> = walk(queue.path());
    assert_eq!(left, ["door"]);
}

/// Names of the files in the folders of a folder.
fn walk(folder: &Path) -> Vec<String> {
    let folders = std::fs::read_dir(folder).unwrap();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    files
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn several_take_turns_in_the_order_of_asking_and_the_dead_are_passed_over() {
    let queue = tempfile::tempdir().unwrap();
    let [mut first, mut second, mut third] = [0; 3].map(|_| Serve::start(queue.path()));
    first.fit(1, MANY_STEPS);
    first.reply_until(|reply| matches!(reply, Reply::Progress { .. }));
    second.fit(1, MANY_STEPS);
    let is_queued = |place: u32| move |reply: &Reply| matches!(reply, Reply::Queued { ahead, .. } if *ahead == place);
    second.reply_until(is_queued(1));
    third.fit(1, 5);
    third.reply_until(is_queued(2));
    // How long that takes is known when the first one has said how fast it is.
    second.reply_until(
        |reply| matches!(reply, Reply::Queued { wait_s: Some(wait), .. } if *wait > 0.0),
    );
    // Killed, with no chance to leave the queue by itself.
    first.child.kill().unwrap();
    second.reply_until(|reply| matches!(reply, Reply::Begun { .. }));
    third.reply_until(is_queued(1));
    assert_eq!(second.end(), Some(0));
    third.reply_until(|reply| matches!(reply, Reply::Done { .. }));
    assert_eq!(third.end(), Some(0));
}

#[test]
fn what_can_t_be_read_or_fitted_is_refused_with_words() {
    let queue = tempfile::tempdir().unwrap();
    let mut serve = Serve::start(queue.path());
    serve.send(b"make me a texture\n");
    let failed = serve.reply_until(|reply| matches!(reply, Reply::Failed { .. }));
    assert!(matches!(failed, Reply::Failed { fit: 0, reason } if reason.contains("make me")));
    assert_eq!(serve.end(), Some(1));
    // A capture that is too short comes to nothing, and the next to something.
    let mut serve = Serve::start(queue.path());
    let short = FitRequest {
        start: FitStart::Capture(Capture::new(&synthesize(Texture::Rain, 1, 8_000, 0.1)).unwrap()),
        ..request(5)
    };
    serve.ask(&Request::Fit {
        fit: 1,
        request: Box::new(short),
    });
    serve.reply_until(|reply| matches!(reply, Reply::Failed { fit: 1, .. }));
    serve.fit(2, 5);
    serve.reply_until(|reply| matches!(reply, Reply::Done { fit: 2 }));
    assert_eq!(serve.end(), Some(0));
}

#[test]
fn devices_are_listed_with_a_figure_or_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let words = support::succeed(folder.path(), "devices");
    assert!(
        words.contains("processor") && words.contains("in a second"),
        "{words}"
    );
    assert!(words.contains("chosen: processor"), "{words}");
    let lines = support::succeed(folder.path(), "devices --json");
    let records: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 3);
    assert!(records[0]["works"] == true && records[0]["chosen"] == true);
    assert!(records[0]["steps_per_second"].as_f64().unwrap() > 0.0);
    if !cfg!(feature = "cuda") {
        let reason = records[1]["reason"].as_str().unwrap();
        assert!(reason.contains("--features cuda"), "{reason}");
    }
}
