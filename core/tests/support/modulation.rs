//! Notes under modulation, from the texture's beginning.

use weft_core::instrument::{
    Controls, ModulationSource, ModulationTarget, NoteAddress, Player, Route,
};

use super::clips::RATE;
use super::host::Host;

/// A bounce of this many samples is long enough to hear what was set at its beginning.
pub const SHORT: usize = RATE as usize / 5;

/// Left and right.
pub type Sound = [Vec<f32>; 2];

/// A key of a channel.
pub fn note(channel: u8, key: u8) -> NoteAddress {
    NoteAddress {
        note_id: None,
        channel: Some(channel),
        key: Some(key),
    }
}

/// `controls` with another route of `source`.
pub fn with_route(
    mut controls: Controls,
    source: ModulationSource,
    target: ModulationTarget,
    amount: f32,
) -> Controls {
    controls.routes[source.index()] = Route { target, amount };
    controls
}

/// What is heard from the texture's beginning after `setup`.
pub fn sound(
    host: &mut Host,
    samples: usize,
    controls: &Controls,
    setup: impl Fn(&mut Player),
) -> Sound {
    host.reset();
    setup(host);
    host.play(samples, controls)
}
