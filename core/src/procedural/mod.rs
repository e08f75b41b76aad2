//! Textures synthesized from a seed: fixtures, demo material and factory sounds.
//!
//! Every texture is built of events (drops, crackles, chirps, strikes) over beds of filtered noise,
//! so that it has what recordings of such sounds have: structure in time and in frequency, up to
//! the top of the band, and a stereo image. A texture is stationary from its first sample to its
//! last.

mod chimes;
mod clock;
mod crickets;
mod filter;
mod fire;
mod rain;
mod random;
mod stage;
mod surf;
mod wind;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::clip::{Clip, SAMPLE_RATES_HZ};
use random::Random;
use stage::Stage;

/// Longest texture that [`synthesize`] makes, in seconds; all of it is held in memory.
pub const MAX_SYNTHESIS_S: f64 = 600.0;

/// A kind of texture that can be synthesized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Texture {
    /// Dense rain: drops of all sizes over a hiss.
    Rain,
    /// A wood fire: crackles and pops over a rumble.
    Fire,
    /// Gusts that howl and hiss.
    Wind,
    /// A summer night's crickets.
    Crickets,
    /// A mechanical clock in a small room.
    Clock,
    /// Wind chimes of metal tubes.
    Chimes,
    /// Waves that swell, break and run out.
    Surf,
}

impl Texture {
    /// Every texture.
    pub const ALL: [Self; 7] = [
        Self::Rain,
        Self::Fire,
        Self::Wind,
        Self::Crickets,
        Self::Clock,
        Self::Chimes,
        Self::Surf,
    ];

    /// The texture's name, in lower case, as [`FromStr`] reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rain => "rain",
            Self::Fire => "fire",
            Self::Wind => "wind",
            Self::Crickets => "crickets",
            Self::Clock => "clock",
            Self::Chimes => "chimes",
            Self::Surf => "surf",
        }
    }
}

impl fmt::Display for Texture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A name that is no texture's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no texture {name:?}: choose one of {}", Texture::ALL.map(Texture::name).join(", "))]
pub struct UnknownTexture {
    /// The name.
    pub name: String,
}

impl FromStr for Texture {
    type Err = UnknownTexture;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|texture| texture.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownTexture { name: name.into() })
    }
}

/// Synthesizes `duration_s` seconds of a texture in stereo at `sample_rate` Hz.
///
/// The same arguments give the same samples; another seed gives another stretch of the same kind of
/// sound, in another place. The RMS level is -20 dBFS, and down to 12 dB less where single events
/// stand out far (a clock, chimes); no sample reaches full scale.
///
/// ```
/// use weft_core::procedural::{Texture, synthesize};
///
/// let texture: Texture = "fire".parse()?;
/// let clip = synthesize(texture, 3, 16_000, 1.5);
/// assert_eq!((clip.channel_count(), clip.len()), (2, 24_000));
/// assert!(clip.peak() < 1.0);
/// assert_eq!(clip.channels(), synthesize(texture, 3, 16_000, 1.5).channels());
/// # Ok::<(), weft_core::procedural::UnknownTexture>(())
/// ```
///
/// # Panics
///
/// If `sample_rate` lies outside [`SAMPLE_RATES_HZ`], or `duration_s` is not between 0 and
/// [`MAX_SYNTHESIS_S`].
pub fn synthesize(texture: Texture, seed: u64, sample_rate: u32, duration_s: f64) -> Clip {
    assert!(
        SAMPLE_RATES_HZ.contains(&sample_rate),
        "{sample_rate} Hz is outside {SAMPLE_RATES_HZ:?} Hz"
    );
    assert!(
        (0.0..=MAX_SYNTHESIS_S).contains(&duration_s),
        "{duration_s} s is outside 0 to {MAX_SYNTHESIS_S} s"
    );
    let mut stage = Stage::new(sample_rate, duration_s);
    // The texture is part of the seed: two textures of one seed share no random number.
    let mut random = Random::new(seed, texture as u64);
    match texture {
        Texture::Rain => rain::play(&mut stage, &mut random),
        Texture::Fire => fire::play(&mut stage, &mut random),
        Texture::Wind => wind::play(&mut stage, &mut random),
        Texture::Crickets => crickets::play(&mut stage, &mut random),
        Texture::Clock => clock::play(&mut stage, &mut random),
        Texture::Chimes => chimes::play(&mut stage, &mut random),
        Texture::Surf => surf::play(&mut stage, &mut random),
    }
    stage.finish()
}
