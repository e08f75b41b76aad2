//! A part of a block: what is played from one look at the controls to the next.

use std::num::NonZeroU64;

use super::follower::LockedSong;
use crate::instrument::controls::Controls;

/// Samples between two looks at the controls. Counted from the last reset, not from block to block.
pub(super) const CONTROL_INTERVAL: usize = 16;

/// What is the same for all voices in one part of a block.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// Samples processed since the last reset, before the part's first one.
    pub clock: u64,
    /// Sample rate of the host in Hz.
    pub sample_rate: f64,
    pub controls: &'a Controls,
    /// The song, where the texture is locked to it.
    pub song: Option<LockedSong>,
    /// Number of the texture that plays, if there is one.
    pub texture: Option<NonZeroU64>,
    /// Share of the side channel in its power, 0 to 1.
    pub side_share: f32,
}

impl Part<'_> {
    /// Whether the controls are looked at. If not, the part goes on where one was cut by the end of a block
    /// or of a recording.
    pub fn is_on_grid(&self) -> bool {
        is_on_grid(self.clock)
    }
}

/// Whether the controls are looked at when so many samples are processed.
pub(super) fn is_on_grid(clock: u64) -> bool {
    clock.is_multiple_of(CONTROL_INTERVAL as u64)
}

/// Samples until the controls are looked at again, at least one.
pub(super) fn samples_to_grid(clock: u64) -> usize {
    CONTROL_INTERVAL - (clock % CONTROL_INTERVAL as u64) as usize
}
