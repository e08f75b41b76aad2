//! What wheel, pressure, slide and velocity come to for one note.

use super::channels::ChannelValues;
use super::settings::NoteSettings;
use crate::instrument::controls::{
    BRIGHTNESS_RANGE, ChannelControl, Controls, ModulationSource, ModulationTarget, NoteControl,
    Route, SMEAR_MOST_S,
};

/// How far a full source of full amount moves each target, by [`ModulationTarget`]: semitones, octaves of the
/// speed, dB an octave, three factors, seconds, dB.
const FULL: [f32; ModulationTarget::COUNT] = [
    12.0,
    2.0,
    BRIGHTNESS_RANGE,
    1.0,
    1.0,
    1.0,
    SMEAR_MOST_S,
    24.0,
];

/// How far the sources move each target, for one note.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Modulation {
    offsets: [f32; ModulationTarget::COUNT],
    /// Factor of the amplitude.
    velocity: f32,
    bend_st: f32,
}

impl Modulation {
    /// Nothing is moved.
    #[cfg(test)]
    pub const NONE: Self = Self {
        offsets: [0.0; ModulationTarget::COUNT],
        velocity: 1.0,
        bend_st: 0.0,
    };

    /// What moves along `routes`: the note's `own` settings, what its `channel` does, and how it was struck.
    pub fn of(
        routes: &[Route; ModulationSource::COUNT],
        own: &NoteSettings,
        channel: &ChannelValues,
        velocity: Option<f32>,
    ) -> Self {
        let mut moved = Self {
            offsets: [0.0; ModulationTarget::COUNT],
            velocity: 1.0,
            bend_st: channel.get(ChannelControl::BendSt),
        };
        for source in ModulationSource::ALL {
            let Route { target, .. } = routes[source.index()];
            let amount = amount(routes, source);
            if (source, target) == (ModulationSource::Velocity, ModulationTarget::Gain) {
                moved.velocity = velocity.map_or(1.0, |velocity| factor(amount, velocity));
            } else {
                let value = value(source, own, channel, velocity);
                moved.offsets[target.index()] += FULL[target.index()] * (amount * value);
            }
        }
        moved
    }

    /// How far `target` is moved, in its own unit; the speed by octaves.
    pub fn offset(&self, target: ModulationTarget) -> f32 {
        self.offsets[target.index()]
    }

    /// Factor of the amplitude, as the note was struck.
    pub fn velocity_factor(&self) -> f32 {
        self.velocity
    }

    /// How far the channel's pitch wheel transposes.
    pub fn bend_st(&self) -> f32 {
        self.bend_st
    }
}

/// The amount of a source's route, −1 to 1.
fn amount(routes: &[Route; ModulationSource::COUNT], source: ModulationSource) -> f32 {
    let amount = |routes: &[Route; ModulationSource::COUNT]| routes[source.index()].amount;
    match amount(routes) {
        asked if asked.is_finite() => asked.clamp(-1.0, 1.0),
        _ => amount(&Controls::DEFAULT.routes),
    }
}

/// Factor of the amplitude of what was struck with `velocity`: 1 at full velocity and a positive amount, or at
/// none and a negative one.
fn factor(amount: f32, velocity: f32) -> f32 {
    let way = if amount < 0.0 {
        1.0 - velocity
    } else {
        velocity
    };
    (1.0 - amount.abs()) + amount.abs() * way
}

/// Where a source is, −1 or 0 to 1.
fn value(
    source: ModulationSource,
    own: &NoteSettings,
    channel: &ChannelValues,
    velocity: Option<f32>,
) -> f32 {
    match source {
        ModulationSource::Wheel => channel.get(ChannelControl::Wheel),
        ModulationSource::Pressure => own
            .get(NoteControl::Pressure)
            .clamp(0.0, 1.0)
            .max(channel.get(ChannelControl::Pressure)),
        ModulationSource::Slide => {
            (channel.get(ChannelControl::Slide) + own.get(NoteControl::Timbre)).clamp(-1.0, 1.0)
        }
        ModulationSource::Velocity => velocity.unwrap_or(0.0),
    }
}
