//! Notes and the song's position, from nice-plug's terms into the player's. Audio thread.

use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::{NoteEvent, Transport};
use weft_core::instrument::{self, NoteAddress, NoteControl};

/// The note, or notes, that an event is for.
pub fn address(voice_id: VoiceID, channel: Channel, key: Key) -> NoteAddress {
    NoteAddress {
        note_id: voice_id.id(),
        channel: channel.number(),
        key: key.number(),
    }
}

/// The note that goes by a host's number.
pub fn numbered(note_id: i32) -> NoteAddress {
    NoteAddress {
        note_id: Some(note_id),
        ..NoteAddress::default()
    }
}

/// The event by which a host learns that the sound of `note` has ended, `timing` samples into the
/// block.
pub fn ended<S>(note: NoteAddress, timing: u32) -> NoteEvent<S> {
    NoteEvent::VoiceTerminated {
        timing,
        voice_id: note.note_id.map_or(VoiceID::Wildcard, VoiceID::ID),
        channel: note.channel.map_or(Channel::Wildcard, Channel::Number),
        key: note.key.map_or(Key::Wildcard, Key::Number),
    }
}

/// What a note expression, or pressure on a key, changes of which notes, if it is one that Weft knows. Those of VST3
/// come another way.
pub fn expression<S>(event: &NoteEvent<S>) -> Option<(NoteAddress, NoteControl, f32)> {
    let (voice_id, channel, key, control, value) = match *event {
        NoteEvent::PolyVolume {
            voice_id,
            channel,
            key,
            gain,
            ..
        } => (voice_id, channel, key, NoteControl::Volume, gain),
        NoteEvent::PolyPan {
            voice_id,
            channel,
            key,
            pan,
            ..
        } => (voice_id, channel, key, NoteControl::Pan, pan),
        NoteEvent::PolyTuning {
            voice_id,
            channel,
            key,
            tuning,
            ..
        } => (voice_id, channel, key, NoteControl::Tuning, tuning),
        NoteEvent::PolyPressure {
            voice_id,
            channel,
            key,
            pressure,
            ..
        } => (voice_id, channel, key, NoteControl::Pressure, pressure),
        NoteEvent::PolyBrightness {
            voice_id,
            channel,
            key,
            brightness,
            ..
        } => (
            voice_id,
            channel,
            key,
            NoteControl::Timbre,
            timbre(brightness),
        ),
        // Expression itself would be a second volume, whose rest position no format defines.
        _ => return None,
    };
    value
        .is_finite()
        .then_some((address(voice_id, channel, key), control, value))
}

/// A brightness, 0 to 1, as a way from its middle.
pub fn timbre(brightness: f32) -> f32 {
    2.0 * brightness - 1.0
}

/// Where the song is at the beginning of the block; `None` while it stands still, or where the host
/// does not say. `beats_per_bar` is the number of quarter notes in a bar, if known.
pub fn song_position(
    transport: &Transport,
    beats_per_bar: Option<f64>,
) -> Option<instrument::Transport> {
    if !transport.playing {
        return None;
    }
    let tempo = transport.tempo.filter(|t| t.is_finite() && *t > 0.0);
    let counts_time = transport.pos_samples.is_some() || transport.pos_seconds.is_some();
    // Only what the host counts: nice-plug would derive beats from seconds as if the tempo had never
    // changed. Without a tempo, it does not count them on where it cuts a block.
    let beats = tempo
        .and(transport.pos_beats)
        .filter(|beats| beats.is_finite());
    if !counts_time && beats.is_none() {
        return None;
    }
    Some(instrument::Transport {
        samples: transport.pos_samples()?,
        beats,
        bar_start_beats: beats.and(transport.bar_start_pos_beats),
        beats_per_bar,
        tempo,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOICE: (VoiceID, Channel, Key) = (VoiceID::ID(7), Channel::Number(2), Key::Number(60));

    fn brightness(brightness: f32) -> NoteEvent<()> {
        let (voice_id, channel, key) = VOICE;
        NoteEvent::PolyBrightness {
            timing: 0,
            voice_id,
            channel,
            key,
            brightness,
        }
    }

    #[test]
    fn brightness_is_a_timbre_about_its_middle() {
        let note = address(VOICE.0, VOICE.1, VOICE.2);
        let timbre = |value| Some((note, NoteControl::Timbre, value));
        assert_eq!(expression(&brightness(0.5)), timbre(0.0));
        assert_eq!(expression(&brightness(1.0)), timbre(1.0));
        assert_eq!(expression(&brightness(f32::NAN)), None);
    }

    #[test]
    fn the_other_expressions_keep_their_units() {
        let (voice_id, channel, key) = (VoiceID::Wildcard, Channel::Wildcard, Key::Number(3));
        let events: [NoteEvent<()>; 4] = [
            NoteEvent::PolyVolume {
                timing: 0,
                voice_id,
                channel,
                key,
                gain: 4.0,
            },
            NoteEvent::PolyPan {
                timing: 0,
                voice_id,
                channel,
                key,
                pan: -1.0,
            },
            NoteEvent::PolyTuning {
                timing: 0,
                voice_id,
                channel,
                key,
                tuning: 0.5,
            },
            NoteEvent::PolyPressure {
                timing: 0,
                voice_id,
                channel,
                key,
                pressure: 0.75,
            },
        ];
        let read = events.map(|event| expression(&event));
        let note = NoteAddress::key(3);
        assert_eq!(
            read,
            [
                Some((note, NoteControl::Volume, 4.0)),
                Some((note, NoteControl::Pan, -1.0)),
                Some((note, NoteControl::Tuning, 0.5)),
                Some((note, NoteControl::Pressure, 0.75)),
            ]
        );
    }

    #[test]
    fn an_ended_note_is_named_as_the_host_knows_it() {
        let note = address(VOICE.0, VOICE.1, VOICE.2);
        let (voice_id, channel, key) = VOICE;
        let expected: NoteEvent<()> = NoteEvent::VoiceTerminated {
            timing: 5,
            voice_id,
            channel,
            key,
        };
        assert_eq!(ended(note, 5), expected);
        let (voice_id, channel, key) = (VoiceID::Wildcard, Channel::Wildcard, Key::Number(1));
        let expected: NoteEvent<()> = NoteEvent::VoiceTerminated {
            timing: 0,
            voice_id,
            channel,
            key,
        };
        assert_eq!(ended(NoteAddress::key(1), 0), expected);
    }

    #[test]
    fn a_song_has_a_position_while_it_plays() {
        let mut transport = Transport::new(48_000.0);
        assert_eq!(song_position(&transport, Some(3.0)), None);
        transport.pos_seconds = Some(2.0);
        assert_eq!(song_position(&transport, Some(3.0)), None);
        transport.playing = true;
        let position = instrument::Transport {
            samples: 96_000,
            beats: None,
            bar_start_beats: None,
            beats_per_bar: Some(3.0),
            tempo: None,
        };
        assert_eq!(song_position(&transport, Some(3.0)), Some(position));
        // A bar without beats means nothing.
        transport.tempo = Some(0.0);
        transport.bar_start_pos_beats = Some(0.0);
        assert_eq!(song_position(&transport, Some(3.0)), Some(position));
        transport.tempo = Some(90.0);
        transport.pos_beats = Some(3.0);
        let position = instrument::Transport {
            samples: 96_000,
            beats: Some(3.0),
            bar_start_beats: Some(0.0),
            beats_per_bar: Some(3.0),
            tempo: Some(90.0),
        };
        assert_eq!(song_position(&transport, Some(3.0)), Some(position));
        // Beats alone give a time only with a tempo.
        transport.pos_seconds = None;
        assert!(song_position(&transport, Some(3.0)).is_some_and(|p| p.samples == 96_000));
        transport.tempo = None;
        assert_eq!(song_position(&transport, Some(3.0)), None);
        transport.pos_beats = None;
        assert_eq!(song_position(&transport, Some(3.0)), None);
    }
}
