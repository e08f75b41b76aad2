//! Notes under modulation, from the texture's beginning.

use weft_core::instrument::{
    ChannelControl, Controls, ModulationSource, ModulationTarget, NoteAddress, NoteControl, Player,
    Route,
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

/// Lets go of what hands do on a channel, as the plugin does where controllers are reset: pedals, and all that moves
/// but the slide.
pub fn let_go(player: &mut Player, channel: u8) {
    player.set_sustain(channel, false);
    player.set_sostenuto(channel, false);
    for control in [
        ChannelControl::BendSt,
        ChannelControl::Wheel,
        ChannelControl::Pressure,
    ] {
        player.set_channel_control(Some(channel), control, 0.0);
    }
    player.control_note(NoteAddress::channel(channel), NoteControl::Pressure, 0.0);
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
