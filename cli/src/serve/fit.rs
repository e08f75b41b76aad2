//! One fit: it waits for its turn, is made, and is told of.

use std::io::Write;
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use weft_core::fit::protocol::Reply;
use weft_core::fit::{FitError, FitEvent, FitRequest};

use super::device::Served;
use super::input::Input;
use super::queue::{Queue, Ticket};
use super::say;
use crate::error::CliError;

/// Between two looks at the queue.
const LOOK_PERIOD: Duration = Duration::from_millis(20);
/// The place in the queue is said again after so long.
const QUEUE_PERIOD: Duration = Duration::from_secs(1);
/// Between two words of progress: a window shows no more, and a device may make thousands of steps in a second.
const PROGRESS_PERIOD: Duration = Duration::from_millis(20);
/// Between two notes for those who wait.
const NOTE_PERIOD: Duration = Duration::from_millis(500);

/// Makes a fit when it is its turn, and tells of it. Fails where nobody listens any more.
pub fn make(
    fit: u32,
    request: &FitRequest,
    served: &Served,
    queue: Option<&Queue>,
    input: &Input,
    output: &mut dyn Write,
) -> Result<(), CliError> {
    // Where the queue can't be used, nobody is waited for.
    let ticket = queue.and_then(|queue| queue.enter(request.settings.steps).ok());
    let mut making = Making {
        fit,
        input,
        output,
        ticket,
        told: None,
        noted: None,
        began: Instant::now(),
    };
    if !making.wait_for_turn()? {
        return making.fail("it was cancelled");
    }
    making.say(Reply::Begun { fit })?;
    making.began = Instant::now();
    let mut lost = None;
    let made = request.run(&*served.device, &mut |event| match making.tell(event) {
        Ok(true) => ControlFlow::Continue(()),
        Ok(false) => ControlFlow::Break(()),
        Err(error) => {
            lost = Some(error);
            ControlFlow::Break(())
        }
    });
    match (lost, made) {
        (Some(error), _) => Err(error),
        (None, Ok(_)) => making.say(Reply::Done { fit }),
        (None, Err(FitError::Cancelled)) => making.fail("it was cancelled"),
        (None, Err(error)) => making.fail(&error.to_string()),
    }
}

struct Making<'a> {
    fit: u32,
    input: &'a Input,
    output: &'a mut dyn Write,
    ticket: Option<Ticket>,
    /// When progress was told, and noted, last.
    told: Option<Instant>,
    noted: Option<Instant>,
    /// When the fit began.
    began: Instant,
}

/// Whether it is time again, or for the first time.
fn is_due(last: Option<Instant>, period: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= period)
}

impl Making<'_> {
    fn say(&mut self, reply: Reply) -> Result<(), CliError> {
        say(self.output, &reply)
    }

    fn fail(&mut self, reason: &str) -> Result<(), CliError> {
        let reason = reason.to_owned();
        let fit = self.fit;
        self.say(Reply::Failed { fit, reason })
    }

    /// Waits until nobody is before it. Whether the fit is still wanted then.
    fn wait_for_turn(&mut self) -> Result<bool, CliError> {
        let (fit, mut last, mut said) = (self.fit, None, None);
        loop {
            if !self.input.wants(fit) {
                return Ok(false);
            }
            let Some(ahead) = self.ticket.as_ref().and_then(Ticket::ahead) else {
                return Ok(true);
            };
            if last != Some(ahead.count) || is_due(said, QUEUE_PERIOD) {
                self.say(Reply::Queued {
                    fit,
                    ahead: ahead.count,
                    wait_s: ahead.wait_s,
                })?;
                (last, said) = (Some(ahead.count), Some(Instant::now()));
            }
            thread::sleep(LOOK_PERIOD);
        }
    }

    /// Tells of the fit. Whether it is still wanted.
    fn tell(&mut self, event: FitEvent<'_>) -> Result<bool, CliError> {
        let fit = self.fit;
        if !self.input.wants(fit) {
            return Ok(false);
        }
        match event {
            FitEvent::Progress { step, steps, loss } => {
                if is_due(self.noted, NOTE_PERIOD)
                    && let Some(ticket) = &self.ticket
                {
                    let step_s = self.began.elapsed().as_secs_f64() / f64::from(step.max(1));
                    ticket.note(steps.saturating_sub(step), Some(step_s));
                    self.noted = Some(Instant::now());
                }
                if step == steps || is_due(self.told, PROGRESS_PERIOD) {
                    self.told = Some(Instant::now());
                    self.say(Reply::Progress {
                        fit,
                        step,
                        steps,
                        loss,
                    })?;
                }
            }
            // Who asks has that one already.
            FitEvent::Snapshot { step: 0, .. } => {}
            FitEvent::Snapshot { step, model } => {
                let texture = Box::new(model.clone());
                self.say(Reply::Snapshot { fit, step, texture })?;
            }
            _ => {}
        }
        Ok(true)
    }
}
