//! A fit that a helper makes for as long as it does well, and the processor from there on.

use std::ops::ControlFlow;

use thiserror::Error;

use super::clock::{Clock, Counted};
use super::{
    Device, FitError, FitEvent, FitRequest, FitSettings, FitStart, Helper, HelperError,
    HelperEvent, estimated_s,
};
use crate::network::{FitRecord, Model};

/// How often a helper is asked for one fit: a lost one is asked once more.
const ATTEMPTS: usize = 2;
/// A helper that takes so many times as long as the device at hand is left.
const TOO_SLOW: f64 = 2.0;

/// What is told of a fit that a helper may make.
#[derive(Debug)]
#[non_exhaustive]
pub enum RelayEvent<'a> {
    /// What a fit tells.
    Fit(FitEvent<'a>),
    /// Nothing new; the fit can be broken off.
    Waiting,
    /// It is made on the helper's device of this name, or waits for that.
    Device(&'a str),
    /// It waits for so many others.
    Queued {
        /// Fits that come before.
        ahead: u32,
    },
    /// It waits no longer.
    Begun,
    /// It goes on without the helper; `None` where nobody expected one.
    Left(Option<&'a LeavingHelper>),
}

/// Why a fit goes on without its helper.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum LeavingHelper {
    /// It fails.
    #[error("{0}")]
    Failed(HelperError),
    /// Others are served for longer than the processor takes.
    #[error("it is busy for {wait_s:.0} s, and the processor takes {processor_s:.0} s")]
    Busy {
        /// Seconds until it is free, or for which it has been busy.
        wait_s: f64,
        /// Seconds that the processor takes.
        processor_s: f64,
    },
    /// The processor is faster.
    #[error("it would take {left_s:.0} s more, and the processor takes {processor_s:.0} s")]
    Slow {
        /// Seconds that it would still take.
        left_s: f64,
        /// Seconds that the processor takes.
        processor_s: f64,
    },
}

/// Makes a fit with a helper. One that is lost is asked once more for what is left of the fit; after that, and where it
/// can't or is too slow, `device` makes the rest, from the last snapshot on.
///
/// # Errors
/// [`FitError`], as the fit on `device`; `Cancelled` if `on_event` broke off.
pub fn relay(
    helper: &dyn Helper,
    device: &dyn Device,
    request: &FitRequest,
    on_event: &mut dyn FnMut(RelayEvent<'_>) -> ControlFlow<()>,
) -> Result<Model, FitError> {
    let first = request.first_model()?;
    let snapshot = FitEvent::Snapshot {
        step: 0,
        model: &first,
    };
    if on_event(RelayEvent::Fit(snapshot)).is_break() {
        return Err(FitError::Cancelled);
    }
    let mut course = Course {
        request,
        device,
        last: first,
        done: 0,
        on_event,
        leaving: None,
        processor_s: None,
    };
    for attempt in 1.. {
        let Some(rest) = course.rest() else {
            return Ok(course.last);
        };
        let error = match course.attempt(helper, &rest) {
            Ok(()) => return Ok(course.last),
            Err(error) => error,
        };
        let leaving = match (course.leaving.take(), error) {
            (Some(leaving), _) => Some(leaving),
            (None, HelperError::Cancelled) => return Err(FitError::Cancelled),
            (None, HelperError::Lost(_)) if attempt < ATTEMPTS => continue,
            (None, HelperError::Absent) => None,
            (None, error) => Some(LeavingHelper::Failed(error)),
        };
        if (course.on_event)(RelayEvent::Left(leaving.as_ref())).is_break() {
            return Err(FitError::Cancelled);
        }
        break;
    }
    course.finish()
}

/// How far a fit has come.
struct Course<'a> {
    request: &'a FitRequest,
    device: &'a dyn Device,
    /// The last snapshot, and the steps that led from the beginning of the fit to it.
    last: Model,
    done: u32,
    on_event: &'a mut dyn FnMut(RelayEvent<'_>) -> ControlFlow<()>,
    /// Why the helper was told to end, if not because the fit was.
    leaving: Option<LeavingHelper>,
    /// What the whole fit takes on `device`, once somebody has asked.
    processor_s: Option<f64>,
}

impl Course<'_> {
    /// What is still to be done.
    fn rest(&self) -> Option<FitRequest> {
        if self.done == 0 {
            return Some(self.request.clone());
        }
        let steps = self.request.settings.steps.checked_sub(self.done);
        let steps = steps.filter(|steps| *steps > 0)?;
        Some(FitRequest {
            start: FitStart::Texture(Box::new(self.last.clone())),
            settings: FitSettings {
                steps,
                ..self.request.settings.clone()
            },
        })
    }

    /// Has the helper make the `rest`.
    fn attempt(&mut self, helper: &dyn Helper, rest: &FitRequest) -> Result<(), HelperError> {
        let mut clock = Clock::new(helper.trial());
        let before = self.done;
        // A snapshot that is none of this fit's; what goes wrong then is said by the helper's error.
        let mut foreign = None;
        let result = helper.fit(rest, &mut |event| {
            clock.count();
            let flow = self.take(event, before, &mut clock, &mut foreign);
            clock.resume();
            flow
        });
        match foreign {
            Some(what) => Err(HelperError::Refused(what)),
            None => result,
        }
    }

    /// Takes what a helper tells that was asked after `before` steps.
    fn take(
        &mut self,
        event: HelperEvent,
        before: u32,
        clock: &mut Clock,
        foreign: &mut Option<String>,
    ) -> ControlFlow<()> {
        match event {
            HelperEvent::Waiting => {
                self.leave_if_slow(before, clock)?;
                (self.on_event)(RelayEvent::Waiting)
            }
            HelperEvent::Device(name) => {
                clock.counts = Counted::Work;
                (self.on_event)(RelayEvent::Device(&name))
            }
            HelperEvent::Queued { ahead, wait_s } => {
                clock.counts = Counted::Queue;
                self.leave_if_busy(wait_s, clock)?;
                (self.on_event)(RelayEvent::Queued { ahead })
            }
            HelperEvent::Begun => {
                clock.counts = Counted::Work;
                (self.on_event)(RelayEvent::Begun)
            }
            HelperEvent::Progress { step, steps, loss } => {
                clock.counts = Counted::Work;
                clock.step = step;
                self.leave_if_slow(before, clock)?;
                let (step, steps) = (before.saturating_add(step), before.saturating_add(steps));
                let progress = FitEvent::Progress { step, steps, loss };
                (self.on_event)(RelayEvent::Fit(progress))
            }
            HelperEvent::Snapshot { step, texture } => match self.learn(before, step, &texture) {
                Ok(()) => {
                    let snapshot = FitEvent::Snapshot {
                        step: self.done,
                        model: &self.last,
                    };
                    (self.on_event)(RelayEvent::Fit(snapshot))
                }
                Err(what) => {
                    *foreign = Some(what);
                    ControlFlow::Break(())
                }
            },
        }
    }

    /// Takes over the network of a snapshot after `before` and `step` steps.
    fn learn(&mut self, before: u32, step: u32, texture: &Model) -> Result<(), String> {
        let done = before.saturating_add(step);
        if !(1..=self.request.settings.steps).contains(&done) || done < self.done {
            return Err(format!("its snapshot is of step {step}"));
        }
        let (own, given) = (self.last.generator(), texture.generator());
        if given.feature_width() != own.feature_width() {
            let (own, given) = (own.feature_width(), given.feature_width());
            return Err(format!("its network makes {given} features, not {own}"));
        }
        let record = FitRecord {
            steps: self.request.steps_before().saturating_add(done),
            seed: self.last.fit_record().seed,
            ..texture.fit_record()
        };
        self.last = self.last.refined(given.clone(), record);
        self.done = done;
        Ok(())
    }

    /// Seconds that the whole fit takes on the device at hand.
    fn processor_s(&mut self) -> f64 {
        let (device, request) = (self.device, self.request);
        // What goes wrong there is nothing to prefer.
        let measure = || estimated_s(device, request).unwrap_or(f64::INFINITY);
        *self.processor_s.get_or_insert_with(measure)
    }

    /// Leaves a helper that is others' for longer than the whole fit takes here; or that was already, whatever it says.
    fn leave_if_busy(&mut self, wait_s: Option<f64>, clock: &Clock) -> ControlFlow<()> {
        let processor_s = self.processor_s();
        let waited_s = clock.queued.as_secs_f64();
        let wait_s = wait_s.unwrap_or(0.0);
        if wait_s <= processor_s && waited_s <= TOO_SLOW * processor_s {
            return ControlFlow::Continue(());
        }
        self.leaving = Some(LeavingHelper::Busy {
            wait_s: wait_s.max(waited_s),
            processor_s,
        });
        ControlFlow::Break(())
    }

    /// After its trial, leaves a helper that is slower than the device at hand by far.
    fn leave_if_slow(&mut self, before: u32, clock: &Clock) -> ControlFlow<()> {
        if clock.worked < clock.trial || clock.counts != Counted::Work {
            return ControlFlow::Continue(());
        }
        let steps = self.request.settings.steps;
        let left = f64::from(steps.saturating_sub(before.saturating_add(clock.step)));
        let step_s = clock.worked.as_secs_f64() / f64::from(clock.step.max(1));
        let left_s = step_s * left;
        let processor_s = self.processor_s() * left / f64::from(steps.max(1));
        if left_s <= TOO_SLOW * processor_s {
            return ControlFlow::Continue(());
        }
        self.leaving = Some(LeavingHelper::Slow {
            left_s,
            processor_s,
        });
        ControlFlow::Break(())
    }

    /// Makes the rest on the device at hand.
    fn finish(self) -> Result<Model, FitError> {
        let Some(rest) = self.rest() else {
            return Ok(self.last);
        };
        let Self {
            device,
            last,
            done,
            on_event,
            ..
        } = self;
        rest.run_after(&last, device, &mut |event| match event {
            // That one was heard.
            FitEvent::Snapshot { step: 0, .. } => on_event(RelayEvent::Waiting),
            FitEvent::Snapshot { step, model } => {
                let step = done.saturating_add(step);
                on_event(RelayEvent::Fit(FitEvent::Snapshot { step, model }))
            }
            FitEvent::Progress { step, steps, loss } => {
                let (step, steps) = (done.saturating_add(step), done.saturating_add(steps));
                on_event(RelayEvent::Fit(FitEvent::Progress { step, steps, loss }))
            }
        })
    }
}
