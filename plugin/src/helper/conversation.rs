//! One program that makes one fit: it is asked, listened to as it speaks, and ended where nobody wants it any more, where
//! it gets nowhere, and where it is no helper of ours.

use std::io;
use std::ops::ControlFlow;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use weft_core::fit::protocol::{Decoder, DeviceKind, Message, Reply, Request};
use weft_core::fit::{FitRequest, HelperEvent};

use super::error::HelperFault;
use crate::program::{Process, Sink, last_complaint};

/// Between two looks at what it says; while it is told what to do, there is more to do.
const LOOK_PERIOD: Duration = Duration::from_millis(10);
const TALK_PERIOD: Duration = Duration::from_millis(1);
/// Bytes that are taken at one look.
const LOOK: usize = 64 * 1024;
/// The most that it may say in the course of a fit, in bytes. The largest networks have 3 MB, and there are some twenty
/// snapshots; a day in the queue has 3 MB.
const MOST_OUTPUT: usize = 128 << 20;
/// The most that it may complain of.
const MOST_COMPLAINTS: usize = 4 << 20;
/// The last of what it complains of is kept, in bytes.
const KEPT_ERRORS: usize = 4 * 1024;
/// The number of the only fit that a program is asked for.
const FIT: u32 = 1;

/// How long a helper is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until it says what it is.
    pub hello: Duration,
    /// From one thing that it says to the next, when it has got on.
    pub work: Duration,
}

/// Who listens to what is told of a fit.
pub type OnEvent<'a> = &'a mut dyn FnMut(HelperEvent) -> ControlFlow<()>;

/// Has `command`, which is shown as `program`, make a fit. A device of a kind that `is_wanted` says no to is not used.
///
/// # Errors
/// [`HelperFault`].
pub fn hold(
    command: &mut Command,
    program: &str,
    request: &FitRequest,
    patience: Patience,
    is_wanted: impl Fn(DeviceKind) -> bool,
    on_event: OnEvent<'_>,
) -> Result<(), HelperFault> {
    let started = Process::start_with_input(command);
    let (process, sink) = started.map_err(|source| HelperFault::Start {
        program: program.to_owned(),
        source,
    })?;
    let mut conversation = Conversation {
        program,
        process,
        sink,
        decoder: Decoder::default(),
        letter: Vec::new(),
        given: 0,
        said: 0,
        complained: 0,
        errors: Vec::new(),
        moved: Instant::now(),
        stage: Stage::Greeting,
        step: 0,
    };
    conversation.go(request, patience, &is_wanted, on_event)
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has not said what it is.
    Greeting,
    /// It was asked.
    Working,
    Done,
}

struct Conversation<'a> {
    program: &'a str,
    process: Process,
    sink: Sink,
    decoder: Decoder<Reply>,
    /// What it is asked, and how much of that it has taken.
    letter: Vec<u8>,
    given: usize,
    /// Bytes that it has said, and complained of.
    said: usize,
    complained: usize,
    /// The last of its complaints.
    errors: Vec<u8>,
    /// When it has got on last.
    moved: Instant,
    stage: Stage,
    /// Its last step.
    step: u32,
}

impl Conversation<'_> {
    fn go(
        &mut self,
        request: &FitRequest,
        patience: Patience,
        is_wanted: &dyn Fn(DeviceKind) -> bool,
        on_event: OnEvent<'_>,
    ) -> Result<(), HelperFault> {
        let mut room = vec![0; LOOK];
        loop {
            // In this order: what it said before it ended is all there.
            let has_ended = self.process.has_ended();
            let (complained, said) = (self.complained, self.said);
            self.hear_complaints(&mut room)?;
            let count = self.listen(&mut room)?;
            let mut bytes = &room[..count];
            while let Some(reply) = self.next_reply(&mut bytes)? {
                self.heed(reply, request, is_wanted, on_event)?;
                if self.stage == Stage::Done {
                    return Ok(());
                }
            }
            let is_all = (complained, said) == (self.complained, self.said);
            if has_ended && is_all {
                return Err(self.ended());
            }
            self.speak();
            let patience = match self.stage {
                Stage::Greeting => patience.hello,
                _ => patience.work,
            };
            if self.moved.elapsed() > patience {
                return Err(HelperFault::Silent {
                    program: self.program.to_owned(),
                    seconds: patience.as_secs_f64(),
                });
            }
            self.tell(HelperEvent::Waiting, on_event)?;
            if is_all {
                let is_listening = self.given < self.letter.len();
                thread::sleep(if is_listening {
                    TALK_PERIOD
                } else {
                    LOOK_PERIOD
                });
            }
        }
    }

    /// Takes a piece of what it complains of.
    fn hear_complaints(&mut self, room: &mut [u8]) -> Result<(), HelperFault> {
        let found = self.process.errors.take(room);
        let count = found.map_err(|source| self.lost(source))?.bytes();
        self.errors.extend_from_slice(&room[..count]);
        let old = self.errors.len().saturating_sub(KEPT_ERRORS);
        self.errors.drain(..old);
        self.complained += count;
        self.check_amount(self.complained, MOST_COMPLAINTS)
    }

    /// Takes a piece of what it says; how much of `room` is filled with that.
    fn listen(&mut self, room: &mut [u8]) -> Result<usize, HelperFault> {
        let found = self.process.output.take(room);
        let count = found.map_err(|source| self.lost(source))?.bytes();
        self.said += count;
        self.check_amount(self.said, MOST_OUTPUT)?;
        Ok(count)
    }

    fn check_amount(&self, bytes: usize, most: usize) -> Result<(), HelperFault> {
        if bytes <= most {
            return Ok(());
        }
        Err(HelperFault::TooMuch {
            program: self.program.to_owned(),
            most,
        })
    }

    fn lost(&self, source: io::Error) -> HelperFault {
        HelperFault::Follow {
            program: self.program.to_owned(),
            source,
        }
    }

    /// Gives it what it has not taken yet of the letter.
    fn speak(&mut self) {
        while self.given < self.letter.len() {
            match self.sink.give(&self.letter[self.given..]) {
                Ok(0) => break,
                Ok(count) => {
                    self.given += count;
                    self.moved = Instant::now();
                }
                // It is about to end, and how it has is the better word.
                Err(_) => break,
            }
        }
    }

    fn next_reply(&mut self, bytes: &mut &[u8]) -> Result<Option<Reply>, HelperFault> {
        self.decoder
            .take(bytes)
            .map_err(|source| HelperFault::Foreign {
                program: self.program.to_owned(),
                source,
            })
    }

    fn heed(
        &mut self,
        reply: Reply,
        request: &FitRequest,
        is_wanted: &dyn Fn(DeviceKind) -> bool,
        on_event: OnEvent<'_>,
    ) -> Result<(), HelperFault> {
        let is_of_fit = reply.fit() == FIT;
        let event = match (self.stage, reply) {
            (Stage::Greeting, Reply::Hello { kind, device }) => {
                if !is_wanted(kind) {
                    return Err(HelperFault::Absent);
                }
                let request = Box::new(request.clone());
                self.letter = Request::Fit { fit: FIT, request }.to_bytes();
                self.stage = Stage::Working;
                HelperEvent::Device(device)
            }
            (_, Reply::Failed { reason, .. }) => {
                return Err(HelperFault::Refused {
                    program: self.program.to_owned(),
                    reason: crate::program::in_short(&reason),
                });
            }
            (Stage::Working, reply) if is_of_fit => match reply {
                Reply::Queued { ahead, wait_s, .. } => HelperEvent::Queued { ahead, wait_s },
                Reply::Begun { .. } => HelperEvent::Begun,
                Reply::Progress {
                    step, steps, loss, ..
                } if step > self.step => {
                    self.step = step;
                    HelperEvent::Progress { step, steps, loss }
                }
                Reply::Progress { .. } => return Err(self.out_of_turn("the same step twice")),
                Reply::Snapshot { step, texture, .. } => HelperEvent::Snapshot { step, texture },
                Reply::Done { .. } => {
                    self.stage = Stage::Done;
                    return Ok(());
                }
                _ => return Err(self.out_of_turn("hello in the midst of it")),
            },
            _ => return Err(self.out_of_turn("something before its time")),
        };
        self.moved = Instant::now();
        self.tell(event, on_event)
    }

    /// Tells of it. What a listener takes of time is not the helper's.
    fn tell(&mut self, event: HelperEvent, on_event: OnEvent<'_>) -> Result<(), HelperFault> {
        let before = Instant::now();
        let flow = on_event(event);
        self.moved += before.elapsed();
        match flow {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(HelperFault::Cancelled),
        }
    }

    fn out_of_turn(&self, what: &'static str) -> HelperFault {
        HelperFault::OutOfTurn {
            program: self.program.to_owned(),
            what,
        }
    }

    /// What is said of it where it has ended too early.
    fn ended(&mut self) -> HelperFault {
        let status = self.process.end();
        let complaint = last_complaint(&self.errors);
        HelperFault::Ended {
            program: self.program.to_owned(),
            complaint: complaint.or_else(|| status.map(|status| status.to_string())),
        }
    }
}
