//! What goes between the threads of an instrument. Every board has one writer and its own type for each
//! end; every message has one direction. Only [`stage`](mod@stage) and the list of the
//! [`watch`] have locks, and the audio thread gets no end of them.

pub(super) mod atomics;
mod desk;
mod messages;
mod meters;
mod paced_steps;
pub(super) mod paces;
mod scope;
mod stage;
mod stillness;
#[cfg(test)]
mod tests;
mod textures;
mod wake;
mod watch;
mod work;

pub(super) use desk::{DeskReader, DeskWriter, desk};
pub use messages::Errands;
pub(super) use messages::{Command, InputNews, Order, Source, StreamReply, StreamRequest};
pub(super) use meters::{CaptureMeter, MetersReader, MetersWriter, meters};
pub(super) use paced_steps::PacedSteps;
pub(super) use paces::{EVERYTHING, FitPaces, PacedCapture, SongPaces, paces};
pub use scope::{SCOPE_BANDS, ScopeFrame, ScopeReader, ScopeWatch};
pub(super) use scope::{ScopeWriter, scope};
pub(super) use stage::{FitProgress, StageReader, StageWriter, stage};
pub(super) use stillness::Stillness;
pub(super) use textures::{TexturesReader, TexturesWriter, textures};
pub(super) use wake::{Sleeper, Waker, bell};
pub(super) use watch::Watch;
pub(super) use work::{Pending, PendingFit, PendingPacedFit, Work};
