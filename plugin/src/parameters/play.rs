//! How the texture follows notes and the host's song.

use std::sync::Arc;

use nice_plug::prelude::*;
use weft_core::instrument::Controls;

use super::choices::Slot;
use super::controls::switch;
use super::pages::{OnPages, Page, Place};
use crate::text;

const SEED_MAX: i32 = 9999;
/// Slowest and fastest tempo that a song is expected to have, in beats a minute.
const LOCK_TEMPO_RANGE: (f32, f32) = (20.0, 300.0);
/// Tempos below this are off; the others below [`LOCK_TEMPO_RANGE`] count as its lower end.
const LOCK_TEMPO_OFF_BELOW: f32 = 10.0;

/// How the texture follows notes and the host's song.
#[derive(Params)]
pub struct PlayParams {
    /// Which texture plays, and where the next capture goes.
    #[id = "slot"]
    pub slot: EnumParam<Slot>,

    /// Play without notes.
    #[id = "hold"]
    pub hold: BoolParam,

    /// Whether notes transpose.
    #[id = "key_follow"]
    pub key_follow: BoolParam,

    /// Key that plays the texture at its own pitch, 0 to 127.
    #[id = "root_key"]
    pub root_key: IntParam,

    /// Seed of the endless stream, 0 to 9999: the same seed gives the same sound.
    #[id = "seed"]
    pub seed: IntParam,

    /// Whether the texture follows the host's song position.
    #[id = "lock"]
    pub lock: BoolParam,

    /// Tempo at which a locked texture has its own speed, 20 to 300 beats a minute; 0: at any.
    #[id = "lock_tempo"]
    pub lock_tempo: FloatParam,
}

impl PlayParams {
    /// The group at its `defaults`.
    pub fn new(defaults: &Controls) -> Self {
        Self {
            slot: EnumParam::new("Slot", Slot::A),
            hold: switch("Hold", defaults.hold),
            key_follow: switch("Key Follow", defaults.key_follow),
            root_key: IntParam::new(
                "Root Key",
                i32::from(defaults.root_key),
                IntRange::Linear { min: 0, max: 127 },
            )
            .with_value_to_string(Arc::new(text::key_name))
            .with_string_to_value(Arc::new(text::parse_key)),
            seed: IntParam::new(
                "Seed",
                0,
                IntRange::Linear {
                    min: 0,
                    max: SEED_MAX,
                },
            )
            .with_string_to_value(Arc::new(|text| {
                // Half a seed is none.
                let seed = text::number_with_units(text, &[])?;
                (seed.fract() == 0.0).then_some(seed as i32)
            })),
            lock: switch("Lock to Timeline", defaults.lock),
            lock_tempo: FloatParam::new(
                "Lock Tempo",
                defaults.lock_tempo,
                FloatRange::Linear {
                    min: 0.0,
                    max: LOCK_TEMPO_RANGE.1,
                },
            )
            .with_value_to_string(Arc::new(|tempo| match lock_tempo(tempo) {
                0.0 => "Off".to_owned(),
                tempo => format!("{tempo:.1} BPM"),
            }))
            .with_string_to_value(Arc::new(|text| {
                if text::is(text, "off") {
                    return Some(0.0);
                }
                text::number_with_units(text, &[("bpm", 1.0), ("beatsperminute", 1.0)])
            })),
        }
    }

    /// Writes what the group means into `controls`. Real-time safe.
    pub fn write(&self, controls: &mut Controls) {
        controls.slot = self.slot.value().into();
        controls.hold = self.hold.value();
        controls.key_follow = self.key_follow.value();
        controls.root_key = self.root_key.value().clamp(0, 127) as u8;
        controls.seed = self.seed.value().unsigned_abs();
        controls.lock = self.lock.value();
        controls.lock_tempo = lock_tempo(self.lock_tempo.value());
    }
}

impl OnPages for PlayParams {
    fn offer_to<P: RemoteControlsPage>(&self, place: &mut Place<'_, P>) {
        place.offer(&self.hold, &[(Page::Amp, 6), (Page::NotesAndSong, 0)]);
        place.offer(&self.key_follow, &[(Page::NotesAndSong, 1)]);
        place.offer(&self.root_key, &[(Page::NotesAndSong, 2)]);
        place.offer(&self.lock, &[(Page::NotesAndSong, 4)]);
        place.offer(&self.lock_tempo, &[(Page::NotesAndSong, 5)]);
        place.offer(&self.seed, &[(Page::Sound, 7), (Page::NotesAndSong, 6)]);
        place.offer(
            &self.slot,
            &[
                (Page::Amp, 7),
                (Page::NotesAndSong, 7),
                (Page::Capture, 5),
                (Page::Fit, 4),
                (Page::Imprint, 3),
            ],
        );
    }
}

/// What the lock tempo means: 0 is off, else beats a minute, 20 to 300.
fn lock_tempo(tempo: f32) -> f32 {
    if tempo < LOCK_TEMPO_OFF_BELOW {
        0.0
    } else {
        tempo.max(LOCK_TEMPO_RANGE.0)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The ids that projects refer to, in order.
    pub const IDS: [&str; 7] = [
        "slot",
        "hold",
        "key_follow",
        "root_key",
        "seed",
        "lock",
        "lock_tempo",
    ];

    #[test]
    fn a_lock_tempo_is_off_or_one_that_songs_have() {
        assert_eq!(
            [0.0, 9.9, 10.0, 20.0, 300.0].map(lock_tempo),
            [0.0, 0.0, 20.0, 20.0, 300.0]
        );
        let params = PlayParams::new(&Controls::DEFAULT);
        let tempo = &params.lock_tempo;
        assert_eq!(tempo.normalized_value_to_string(0.0, true), "Off");
        assert_eq!(tempo.normalized_value_to_string(0.4, true), "120.0 BPM");
        assert_eq!(tempo.string_to_normalized_value("off"), Some(0.0));
    }
}
