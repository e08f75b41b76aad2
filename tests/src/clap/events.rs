//! Events in CLAP's terms.

use clack_host::events::event_types::{
    MidiEvent, NoteExpressionEvent, NoteExpressionType, NoteOffEvent, NoteOnEvent, ParamModEvent,
    ParamValueEvent, TransportEvent, TransportFlags,
};
use clack_host::events::spaces::CoreEventSpace;
use clack_host::events::{EventFlags, EventHeader, Match};
use clack_host::prelude::*;
use clack_host::utils::{BeatTime, SecondsTime};

use crate::{BEATS_PER_BAR, Event, EventKind, Expression, HostError, Note, SongPosition, refused};

/// MIDI status of the pitch wheel.
const PITCH_BEND: u8 = 0xe0;

/// CLAP's number of a parameter.
pub(super) fn clap_id(id: u32) -> Result<ClapId, HostError> {
    ClapId::from_raw(id).ok_or_else(|| HostError::Missing(format!("parameter {id}")))
}

/// Adds `event` to the events of the block that starts at the frame `start`. `position` is where the
/// song is from the event on.
pub(super) fn push(
    buffer: &mut EventBuffer,
    event: &Event,
    start: usize,
    position: Option<SongPosition>,
) -> Result<(), HostError> {
    let time = u32::try_from(event.frame - start).map_err(refused("take an event"))?;
    match event.kind {
        EventKind::Parameter { id, value } => {
            buffer.push(&ParamValueEvent::new(
                time,
                clap_id(id)?,
                Pckn::match_all(),
                value,
            ));
        }
        EventKind::Modulation {
            id,
            note_id,
            amount,
        } => {
            let pckn = Pckn::from_raw(-1, -1, -1, note_id);
            buffer.push(&ParamModEvent::new(time, clap_id(id)?, pckn, amount));
        }
        EventKind::NoteOn { note, velocity } => {
            buffer.push(&NoteOnEvent::new(time, pckn(note), f64::from(velocity)));
        }
        EventKind::NoteOff { note } => {
            buffer.push(&NoteOffEvent::new(time, pckn(note), 0.0));
        }
        EventKind::Expression {
            note,
            expression,
            value,
        } => {
            let expression = match expression {
                Expression::Volume => NoteExpressionType::Volume,
                Expression::Pan => NoteExpressionType::Pan,
                Expression::Tuning => NoteExpressionType::Tuning,
                Expression::Brightness => NoteExpressionType::Brightness,
                Expression::Pressure => NoteExpressionType::Pressure,
            };
            buffer.push(&NoteExpressionEvent::new(
                time,
                pckn(note),
                expression,
                value,
            ));
        }
        EventKind::PitchBend { channel, position } => {
            let [low, high] = [position & 0x7f, position >> 7 & 0x7f].map(|bits| bits as u8);
            let message = [PITCH_BEND | channel & 0x0f, low, high];
            buffer.push(&MidiEvent::new(time, 0, message));
        }
        EventKind::Midi { message } => {
            buffer.push(&MidiEvent::new(time, 0, message));
        }
        EventKind::Locate { .. } => {
            let position = position.ok_or_else(|| HostError::Missing("song".into()))?;
            buffer.push(&transport(time, &position));
        }
    }
    Ok(())
}

/// CLAP's address of a note.
pub(super) fn pckn(note: Note) -> Pckn {
    let id = note.id.and_then(|id| u32::try_from(id).ok());
    Pckn::new(
        0_u16,
        u16::from(note.channel),
        u16::from(note.key),
        id.map_or(Match::All, Match::Specific),
    )
}

/// The notes that the plugin says have ended in the block that starts at the frame `start`.
pub(super) fn ended_notes(
    produced: &EventBuffer,
    start: usize,
) -> impl Iterator<Item = (usize, Note)> {
    produced.iter().filter_map(move |event| {
        let Some(CoreEventSpace::NoteEnd(end)) = event.as_core_event() else {
            return None;
        };
        let specific = |part: Match<u16>| part.into_specific().and_then(|n| u8::try_from(n).ok());
        let note = Note {
            id: end
                .note_id()
                .into_specific()
                .and_then(|id| i32::try_from(id).ok()),
            channel: specific(end.channel())?,
            key: specific(end.key())?,
        };
        Some((start + event.header().time() as usize, note))
    })
}

/// The song's position as CLAP tells it, `time` frames into a block.
pub(super) fn transport(time: u32, position: &SongPosition) -> TransportEvent {
    let no_beats = BeatTime::from_int(0);
    let no_seconds = SecondsTime::from_int(0);
    TransportEvent {
        header: EventHeader::new_core(time, EventFlags::empty()),
        flags: TransportFlags::HAS_TEMPO
            | TransportFlags::HAS_BEATS_TIMELINE
            | TransportFlags::HAS_SECONDS_TIMELINE
            | TransportFlags::HAS_TIME_SIGNATURE
            | TransportFlags::IS_PLAYING,
        song_pos_beats: BeatTime::from_float(position.beats),
        song_pos_seconds: SecondsTime::from_float(position.seconds),
        tempo: position.tempo,
        tempo_inc: 0.0,
        loop_start_beats: no_beats,
        loop_end_beats: no_beats,
        loop_start_seconds: no_seconds,
        loop_end_seconds: no_seconds,
        bar_start: BeatTime::from_float(position.bar_start),
        bar_number: position.bar_number,
        time_signature_numerator: BEATS_PER_BAR,
        time_signature_denominator: 4,
    }
}
