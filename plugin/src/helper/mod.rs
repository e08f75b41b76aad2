//! Fits that another program makes, on a graphics processor or on another machine: `weft serve`, or whatever the user's
//! command line starts. It is started for each fit, on the fit's own thread, and ended with it, whatever it does. What
//! goes over the pipe is the protocol of `weft_core::fit::protocol`; what becomes of the fit when it is lost is
//! `weft_core::fit::relay`'s business.

mod choice;
mod conversation;
mod error;
#[cfg(all(test, unix))]
mod tests;
mod words;

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use weft_core::fit::protocol::DeviceKind;
use weft_core::fit::{FitRequest, HELPER_TRIAL, Helper, HelperError, HelperEvent};

use choice::Choice;
use conversation::{OnEvent, Patience, hold};
use error::HelperFault;

use crate::program::Surroundings;

/// How long the user's own helper may take until it says what it is: another machine has to be reached first, and a
/// driver to be loaded.
const OWN_HELLO: Duration = Duration::from_secs(20);
/// The same of a tool that nobody has asked for: meanwhile, nothing is fitted.
const FOUND_HELLO: Duration = Duration::from_secs(5);
/// How long a helper may go without getting on: before its first step it analyses a capture, and may compile its code for
/// the device.
const WORK: Duration = Duration::from_secs(60);
/// Tools that are remembered to be of no use.
const MOST_REMEMBERED: usize = 16;

/// What makes the choice, on the thread of a fit.
type Choose = Arc<dyn Fn() -> Result<Choice, HelperFault> + Send + Sync>;

/// What fits are made with.
pub struct HelperSettings {
    /// In place of the user's choice.
    choose: Option<Choose>,
    /// Where what is typed in the window is kept, if there is a place for that.
    place: Option<PathBuf>,
    /// How long a helper may work before its speed is judged; as in `weft_core` where it is not given.
    trial: Option<Duration>,
    patience: Option<Patience>,
}

impl Default for HelperSettings {
    fn default() -> Self {
        // Tests that say nothing of helpers have none, whatever the user has, and change nothing of that.
        let is_users = !cfg!(test);
        let processor: Choose = Arc::new(|| Ok(Choice::Processor));
        Self {
            choose: (!is_users).then_some(processor),
            place: choice::place().filter(|_| is_users),
            trial: None,
            patience: None,
        }
    }
}

/// Has other programs make fits.
pub struct Programs {
    settings: HelperSettings,
}

impl Programs {
    /// As the settings have it.
    pub fn new(settings: HelperSettings) -> Self {
        Self { settings }
    }

    /// Whether the environment names a helper: what is typed in the window then counts for nothing.
    pub fn is_named(&self) -> bool {
        choice::named().is_some()
    }

    /// The command line that was typed in the window last, in whichever instance.
    pub fn typed(&self) -> String {
        let place = self.settings.place.as_deref();
        place.and_then(choice::read).unwrap_or_default()
    }

    /// Keeps a command line that was typed, for every instance of this user, from the next fit on. It is not kept in
    /// projects: who opens another's project must not run another's programs.
    ///
    /// # Errors
    /// What the system says.
    pub fn keep_typed(&self, line: &str) -> io::Result<()> {
        let place = self.settings.place.as_deref();
        choice::write(place.ok_or(io::ErrorKind::NotFound)?, line)
    }

    /// Who is to make the fits now.
    fn choice(&self) -> Result<Choice, HelperFault> {
        match &self.settings.choose {
            Some(choose) => choose(),
            None => Choice::of_line(&choice::named().unwrap_or_else(|| self.typed()), || {
                Surroundings::of_process().find().ok()
            }),
        }
    }

    fn hold(&self, request: &FitRequest, on_event: OnEvent<'_>) -> Result<(), HelperFault> {
        match self.choice()? {
            Choice::Processor => Err(HelperFault::Absent),
            Choice::Own(words) => {
                let (program, arguments) = words.split_first().ok_or(HelperFault::Absent)?;
                let mut command = Command::new(program);
                command.args(arguments);
                let patience = self.patience(OWN_HELLO);
                hold(&mut command, program, request, patience, |_| true, on_event)
            }
            Choice::Found(tool) => self.hold_with_found(&tool, request, on_event),
        }
    }

    /// With a tool that nobody has asked for: only where that has more than a processor.
    fn hold_with_found(
        &self,
        tool: &Path,
        request: &FitRequest,
        on_event: OnEvent<'_>,
    ) -> Result<(), HelperFault> {
        let mark = Mark::of(tool).ok_or(HelperFault::Absent)?;
        if mark.is_known() {
            return Err(HelperFault::Absent);
        }
        let mut command = Command::new(tool);
        command.arg("serve");
        let mut is_helper = false;
        let held = hold(
            &mut command,
            &tool.to_string_lossy(),
            request,
            self.patience(FOUND_HELLO),
            |kind| kind != DeviceKind::Processor,
            &mut |event| {
                is_helper |= matches!(event, HelperEvent::Device(_));
                on_event(event)
            },
        );
        match held {
            // What never was a helper is none to lose.
            Err(fault) if !is_helper && !matches!(fault, HelperFault::Cancelled) => {
                mark.remember();
                Err(HelperFault::Absent)
            }
            held => held,
        }
    }

    fn patience(&self, hello: Duration) -> Patience {
        let usual = Patience { hello, work: WORK };
        self.settings.patience.unwrap_or(usual)
    }
}

impl Helper for Programs {
    fn is_there(&self) -> bool {
        match self.choice() {
            Ok(Choice::Processor) => false,
            Ok(Choice::Found(tool)) => Mark::of(&tool).is_some_and(|mark| !mark.is_known()),
            // What is wrong with it is said when it is asked.
            Ok(Choice::Own(_)) | Err(_) => true,
        }
    }

    fn fit(
        &self,
        request: &FitRequest,
        on_event: &mut dyn FnMut(HelperEvent) -> ControlFlow<()>,
    ) -> Result<(), HelperError> {
        Ok(self.hold(request, on_event)?)
    }

    fn trial(&self) -> Duration {
        self.settings.trial.unwrap_or(HELPER_TRIAL)
    }
}

/// By what a tool is known again, as long as nobody installs another one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    path: PathBuf,
    bytes: u64,
    changed: Option<SystemTime>,
}

/// Tools that are no helpers, or none that is faster than the processor: they are asked once in a process.
static USELESS: Mutex<Vec<Mark>> = Mutex::new(Vec::new());

impl Mark {
    fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self {
            path: path.to_path_buf(),
            bytes: found.len(),
            changed: found.modified().ok(),
        })
    }

    fn is_known(&self) -> bool {
        let useless = USELESS.lock().unwrap_or_else(PoisonError::into_inner);
        useless.contains(self)
    }

    fn remember(self) {
        let mut useless = USELESS.lock().unwrap_or_else(PoisonError::into_inner);
        if useless.len() == MOST_REMEMBERED {
            useless.remove(0);
        }
        useless.push(self);
    }
}
