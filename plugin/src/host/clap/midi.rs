//! MIDI messages that nice-plug leaves out, as CLAP events that it understands. Audio thread.

use std::mem::size_of;
use std::ptr;

use clap_sys::events::{
    CLAP_EVENT_NOTE_CHOKE, CLAP_EVENT_NOTE_OFF, CLAP_EVENT_PARAM_VALUE, clap_event_header,
    clap_event_midi, clap_event_note, clap_event_param_value, clap_event_type,
};
use clap_sys::id::clap_id;

const CONTROL_CHANGE: u8 = 0xb0;
const PITCH_BEND: u8 = 0xe0;
const ALL_SOUND_OFF: u8 = 120;
const RESET_ALL_CONTROLLERS: u8 = 121;
const ALL_NOTES_OFF: u8 = 123;
/// Where a pitch wheel rests.
const WHEEL_CENTRE: u16 = 8192;

/// A MIDI message as an event that nice-plug understands.
#[derive(Clone, Copy)]
pub enum Message {
    /// A value of a parameter.
    Value(clap_event_param_value),
    /// The end of notes.
    Note(clap_event_note),
}

/// What `event` means to a plugin with the bend parameter `bend`, if it is one of the messages that
/// nice-plug does not know.
pub fn translate(event: &clap_event_midi, bend: clap_id) -> Option<Message> {
    let [status, data1, data2] = event.data;
    let wheel = |position: u16| {
        Message::Value(clap_event_param_value {
            header: header_like::<clap_event_param_value>(&event.header, CLAP_EVENT_PARAM_VALUE),
            param_id: bend,
            cookie: ptr::null_mut(),
            note_id: -1,
            port_index: -1,
            channel: -1,
            key: -1,
            value: wheel_value(position),
        })
    };
    let every_note = |type_| {
        Message::Note(clap_event_note {
            header: header_like::<clap_event_note>(&event.header, type_),
            note_id: -1,
            port_index: event.port_index as i16,
            channel: i16::from(status & 0x0f),
            key: -1,
            velocity: 0.0,
        })
    };
    match (status & 0xf0, data1) {
        (PITCH_BEND, low) => {
            let position = u16::from(low & 0x7f) | u16::from(data2 & 0x7f) << 7;
            Some(wheel(position))
        }
        (CONTROL_CHANGE, ALL_SOUND_OFF) => Some(every_note(CLAP_EVENT_NOTE_CHOKE)),
        (CONTROL_CHANGE, ALL_NOTES_OFF) => Some(every_note(CLAP_EVENT_NOTE_OFF)),
        (CONTROL_CHANGE, RESET_ALL_CONTROLLERS) => Some(wheel(WHEEL_CENTRE)),
        _ => None,
    }
}

/// A wheel's position, 0 to 16383, as CLAP sees the bend parameter: 0 to 1, with the rest position at
/// exactly one half.
fn wheel_value(position: u16) -> f64 {
    let half = if position < WHEEL_CENTRE {
        WHEEL_CENTRE
    } else {
        WHEEL_CENTRE - 1
    };
    let bend = (f64::from(position) - f64::from(WHEEL_CENTRE)) / f64::from(half);
    0.5 + bend / 2.0
}

fn header_like<T>(original: &clap_event_header, type_: clap_event_type) -> clap_event_header {
    clap_event_header {
        size: size_of::<T>() as u32,
        type_,
        ..*original
    }
}

#[cfg(test)]
pub mod tests {
    use clap_sys::events::{CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI};

    use super::*;

    pub const BEND: clap_id = 77;

    fn header(time: u32) -> clap_event_header {
        clap_event_header {
            size: 0,
            time,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_: CLAP_EVENT_MIDI,
            flags: 0,
        }
    }

    /// A MIDI message at sample `time`.
    pub fn midi(time: u32, data: [u8; 3]) -> clap_event_midi {
        clap_event_midi {
            header: header(time),
            port_index: 0,
            data,
        }
    }

    fn bend_of(data: [u8; 3]) -> Option<f64> {
        match translate(&midi(3, data), BEND)? {
            Message::Value(value) => {
                assert_eq!((value.header.time, value.param_id), (3, BEND));
                assert_eq!(value.header.type_, CLAP_EVENT_PARAM_VALUE);
                assert_eq!(
                    value.header.size as usize,
                    size_of::<clap_event_param_value>()
                );
                Some(value.value)
            }
            Message::Note(_) => None,
        }
    }

    #[test]
    fn the_wheel_moves_the_bend_and_rests_in_its_middle() {
        assert_eq!(bend_of([0xe0, 0, 0]), Some(0.0));
        assert_eq!(bend_of([0xe5, 0, 64]), Some(0.5));
        assert_eq!(bend_of([0xef, 127, 127]), Some(1.0));
        assert_eq!(bend_of([0xe0, 0, 32]), Some(0.25));
        // Reset all controllers.
        assert_eq!(bend_of([0xb0, 121, 0]), Some(0.5));
    }

    #[test]
    fn all_notes_of_a_channel_end_or_are_choked() {
        for (control, type_) in [(120, CLAP_EVENT_NOTE_CHOKE), (123, CLAP_EVENT_NOTE_OFF)] {
            let Some(Message::Note(note)) = translate(&midi(9, [0xb4, control, 0]), BEND) else {
                panic!("{control}");
            };
            assert_eq!((note.header.type_, note.header.time), (type_, 9));
            assert_eq!((note.note_id, note.channel, note.key), (-1, 4, -1));
        }
    }

    #[test]
    fn other_messages_stay_what_they_are() {
        for data in [[0x90, 60, 100], [0x80, 60, 0], [0xb0, 1, 64], [0xd0, 3, 0]] {
            assert!(translate(&midi(0, data), BEND).is_none());
        }
    }
}
