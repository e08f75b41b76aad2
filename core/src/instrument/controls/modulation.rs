//! Modulation: what hands do beside the keys, and what of the sound it moves.

/// What moves the sound of a note, beside its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModulationSource {
    /// The modulation wheel of the note's channel, 0 to 1.
    Wheel,
    /// The pressure on the note's channel or on its own key, whichever is more: 0 to 1.
    Pressure,
    /// How far the finger has slid on its key: the channel's and the note's own together, −1 to 1, 0 at rest.
    Slide,
    /// How hard the note was struck, 0 to 1. Hold was not struck: nothing that velocity moves is moved.
    Velocity,
}

impl ModulationSource {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::Wheel, Self::Pressure, Self::Slide, Self::Velocity];
    pub(in crate::instrument) const COUNT: usize = Self::ALL.len();

    /// Its place in [`ALL`](Self::ALL), and in the [routes](super::Controls::routes).
    pub fn index(self) -> usize {
        self as usize
    }
}

/// What a source can move. Full amount and a full source move it as far as is said here, on top of what is set;
/// the ranges of the [`Controls`](super::Controls) hold for everything together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModulationTarget {
    /// The transposition: an octave.
    Pitch,
    /// The speed: two octaves, so four times as fast or slow. What is frozen stays so.
    Time,
    /// The tilt of the spectrum: 12 dB an octave.
    Brightness,
    /// The factor of contrast: 1.
    Contrast,
    /// The temperature of the network's noise: 1.
    Density,
    /// The factor of the stereo image's width: 1.
    Width,
    /// The smear: a second.
    Smear,
    /// The level: 24 dB. By velocity, an amplitude instead: of amount `a`, what was struck with `v` has
    /// `1 − a + a·v` of the full level, and where `a` is negative, `1 − |a|·v`.
    Gain,
}

impl ModulationTarget {
    /// Every target.
    pub const ALL: [Self; 8] = [
        Self::Pitch,
        Self::Time,
        Self::Brightness,
        Self::Contrast,
        Self::Density,
        Self::Width,
        Self::Smear,
        Self::Gain,
    ];
    pub(in crate::instrument) const COUNT: usize = Self::ALL.len();

    /// Its place in [`ALL`](Self::ALL).
    pub fn index(self) -> usize {
        self as usize
    }
}

/// Where a source goes. Sources that go to the same target add up.
///
/// ```
/// use weft_core::instrument::{Controls, ModulationSource, ModulationTarget, Route};
///
/// // The wheel slows the texture down to half its speed.
/// let mut controls = Controls::DEFAULT;
/// controls.routes[ModulationSource::Wheel.index()] = Route {
///     target: ModulationTarget::Time,
///     amount: -0.5,
/// };
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Route {
    /// What is moved.
    pub target: ModulationTarget,
    /// How far: part of the target's full amount, −1 to 1; 0 moves nothing.
    pub amount: f32,
}

impl Route {
    /// Where the sources go if nobody says otherwise, by [`ModulationSource`]: velocity is loudness, and a slide
    /// tilts by 6 dB an octave, as it is heard with no wheel and no pressure. The wheel brightens, as it opens the
    /// filter of most synthesizers, and pressure swells by 6 dB; both do nothing at rest.
    pub(super) const DEFAULTS: [Self; ModulationSource::COUNT] = [
        Self::new(ModulationTarget::Brightness, 0.5),
        Self::new(ModulationTarget::Gain, 0.25),
        Self::new(ModulationTarget::Brightness, 0.5),
        Self::new(ModulationTarget::Gain, 1.0),
    ];

    const fn new(target: ModulationTarget, amount: f32) -> Self {
        Self { target, amount }
    }
}

/// What a MIDI channel does to all of its notes: to those that sound, also in their release, and to those that
/// start later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelControl {
    /// The pitch wheel, in semitones, added to the pitch; 0 at rest.
    BendSt,
    /// The modulation wheel, 0 (at rest) to 1.
    Wheel,
    /// Pressure on the channel's keys, 0 (at rest) to 1.
    Pressure,
    /// Slide, −1 to 1; 0 at rest.
    Slide,
}

impl ChannelControl {
    pub(in crate::instrument) const COUNT: usize = Self::Slide as usize + 1;
}
