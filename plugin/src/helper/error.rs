//! Why a helper did not come to the end of a fit, in words for the window.

use std::io;

use thiserror::Error;
use weft_core::fit::HelperError;
use weft_core::fit::protocol::ProtocolError;

/// Why a helper did not come to the end of a fit.
#[derive(Debug, Error)]
pub enum HelperFault {
    /// The user's command line is none.
    #[error("{0:?} is no command line: close its quotes, or leave it empty")]
    Command(String),
    /// It does not start.
    #[error("{program:?} can't be started ({source}): check the helper's command line")]
    Start {
        /// What was to be started.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// It can't be followed.
    #[error("{program:?} can't be followed: {source}")]
    Follow {
        /// What was started.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// It has got nowhere.
    #[error("{program:?} has got nowhere for {seconds:.0} s and was ended")]
    Silent {
        /// What was started.
        program: String,
        /// For so long.
        seconds: f64,
    },
    /// It ended before it was done.
    #[error("{program:?} ended before it was done{}", told(.complaint.as_deref()))]
    Ended {
        /// What was started.
        program: String,
        /// The last that it complained of, or how it ended.
        complaint: Option<String>,
    },
    /// It says what no helper says.
    #[error("{program:?} is no helper of this Weft: {source}")]
    Foreign {
        /// What was started.
        program: String,
        /// What is wrong with what it says.
        source: ProtocolError,
    },
    /// It says what makes no sense at that place.
    #[error("{program:?} said {what} and was ended")]
    OutOfTurn {
        /// What was started.
        program: String,
        /// What it said.
        what: &'static str,
    },
    /// It does not stop.
    #[error("{program:?} said more than {most} bytes and was ended")]
    TooMuch {
        /// What was started.
        program: String,
        /// So much may be said.
        most: usize,
    },
    /// It can't make the fit.
    #[error("{program:?} can't make it: {reason}")]
    Refused {
        /// What was started.
        program: String,
        /// Why.
        reason: String,
    },
    /// There is none, or it is no better than the processor at hand, and nobody has asked for it.
    #[error("there is no helper")]
    Absent,
    /// Nobody wants the fit any more.
    #[error("the fit was cancelled")]
    Cancelled,
}

fn told(complaint: Option<&str>) -> String {
    complaint.map_or_else(String::new, |complaint| format!(": {complaint}"))
}

impl From<HelperFault> for HelperError {
    fn from(fault: HelperFault) -> Self {
        match &fault {
            HelperFault::Absent => Self::Absent,
            HelperFault::Cancelled => Self::Cancelled,
            HelperFault::Command(_)
            | HelperFault::Start { .. }
            | HelperFault::Refused { .. }
            | HelperFault::Foreign {
                source: ProtocolError::Version { .. },
                ..
            } => Self::Refused(fault.to_string()),
            HelperFault::Follow { .. }
            | HelperFault::Silent { .. }
            | HelperFault::Ended { .. }
            | HelperFault::Foreign { .. }
            | HelperFault::OutOfTurn { .. }
            | HelperFault::TooMuch { .. } => Self::Lost(fault.to_string()),
        }
    }
}
