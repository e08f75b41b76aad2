//! Somebody who has fits made elsewhere than in this process.

use std::ops::ControlFlow;
use std::time::Duration;

use thiserror::Error;

use super::FitRequest;
use crate::network::Model;

/// How long a helper usually may work before its speed is judged: a driver is loaded, a capture analysed, and some steps
/// made.
pub const HELPER_TRIAL: Duration = Duration::from_secs(10);

/// What a helper tells of a fit.
#[derive(Debug)]
#[non_exhaustive]
pub enum HelperEvent {
    /// Nothing new. Told several times a second, so that the fit can be broken off.
    Waiting,
    /// This is what the fit is made on, or waits for.
    Device(String),
    /// The device is others' for now.
    Queued {
        /// Fits that come before.
        ahead: u32,
        /// Seconds that these take, if that is known.
        wait_s: Option<f64>,
    },
    /// The fit is being made.
    Begun,
    /// A step is done.
    Progress {
        /// Steps done.
        step: u32,
        /// Steps in all, as far as is known now.
        steps: u32,
        /// Smoothed loss.
        loss: f32,
    },
    /// The network so far.
    Snapshot {
        /// Steps done.
        step: u32,
        /// A texture with that network.
        texture: Box<Model>,
    },
}

/// Why a helper did not come to the end of a fit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HelperError {
    /// There is none, and nobody expects one.
    #[error("there is no helper")]
    Absent,
    /// It was lost on the way; another try may go better.
    #[error("{0}")]
    Lost(String),
    /// It can't; another try will go no better.
    #[error("{0}")]
    Refused(String),
    /// The caller broke the fit off.
    #[error("the fit was cancelled")]
    Cancelled,
}

/// Has fits made elsewhere: in another program, on another machine. What it is, is nobody's business here.
pub trait Helper: Send + Sync {
    /// Whether there may be one at all. Where there is none, a fit is made as if nobody had asked.
    fn is_there(&self) -> bool {
        true
    }

    /// Has a fit made from beginning to end, on the calling thread. The last snapshot that is told is the result; the
    /// sound before the first step is none of them. `on_event` breaks the fit off by [`ControlFlow::Break`].
    ///
    /// # Errors
    /// [`HelperError`]; `Cancelled` if `on_event` broke off.
    fn fit(
        &self,
        request: &FitRequest,
        on_event: &mut dyn FnMut(HelperEvent) -> ControlFlow<()>,
    ) -> Result<(), HelperError>;

    /// How long it may work before it is compared with the processor.
    fn trial(&self) -> Duration {
        HELPER_TRIAL
    }
}
