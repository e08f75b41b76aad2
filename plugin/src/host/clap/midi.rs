//! MIDI messages that nice-plug leaves out, as system-exclusive messages of our own, which it hands on: what is
//! meant for all notes of a channel. Audio thread.

use std::mem::size_of;
use std::ptr;

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI, CLAP_EVENT_MIDI_SYSEX, clap_event_header,
    clap_event_midi, clap_event_midi_sysex,
};

use crate::channel_messages::{Bytes, ChannelMessage};

const NOTE_OFF: u8 = 0x80;
const NOTE_ON: u8 = 0x90;
const KEY_PRESSURE: u8 = 0xa0;
const CONTROL_CHANGE: u8 = 0xb0;
const CHANNEL_PRESSURE: u8 = 0xd0;
const PITCH_BEND: u8 = 0xe0;

/// A channel's message as an event that nice-plug understands.
#[derive(Clone, Copy)]
pub struct ChannelEvent {
    bytes: Bytes,
    event: clap_event_midi_sysex,
}

impl ChannelEvent {
    /// `message` at the time of the event with `header`. It can't be read before
    /// [`header`](Self::header) is called.
    pub fn new(message: ChannelMessage, header: &clap_event_header) -> Self {
        let bytes = message.bytes();
        let event = clap_event_midi_sysex {
            header: clap_event_header {
                size: size_of::<clap_event_midi_sysex>() as u32,
                type_: CLAP_EVENT_MIDI_SYSEX,
                ..*header
            },
            port_index: 0,
            buffer: ptr::null(),
            size: bytes.len() as u32,
        };
        Self { bytes, event }
    }

    /// The event, good until this is moved.
    pub fn header(&mut self) -> *const clap_event_header {
        self.event.buffer = self.bytes.as_ptr();
        &raw const self.event.header
    }
}

/// The MIDI message by which a host says `message`, at the beginning of a block, where that is a controller's.
pub fn event(message: ChannelMessage) -> Option<clap_event_midi> {
    let (channel, controller, value) = message.controller()?;
    Some(clap_event_midi {
        header: clap_event_header {
            size: size_of::<clap_event_midi>() as u32,
            time: 0,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_: CLAP_EVENT_MIDI,
            flags: 0,
        },
        port_index: 0,
        data: [CONTROL_CHANGE | channel, controller, value],
    })
}

/// What `event` means to a channel, if it is one of the messages that nice-plug does not know.
pub fn translate(event: &clap_event_midi) -> Option<ChannelMessage> {
    let [status, data1, data2] = event.data;
    let [data1, data2] = [data1, data2].map(|byte| byte & 0x7f);
    let channel = status & 0x0f;
    match status & 0xf0 {
        PITCH_BEND => ChannelMessage::of_wheel(channel, u16::from(data1) | u16::from(data2) << 7),
        CHANNEL_PRESSURE => ChannelMessage::of_pressure(channel, data1),
        CONTROL_CHANGE => ChannelMessage::of_controller(channel, data1, data2),
        _ => None,
    }
}

/// Whether `event` is for notes: begins or ends them, or moves something of theirs.
pub fn is_for_notes(event: &clap_event_midi) -> bool {
    matches!(event.data[0] & 0xf0, NOTE_ON | NOTE_OFF | KEY_PRESSURE) || translate(event).is_some()
}

/// Whether nothing is left of `earlier` where `event` comes at the same moment: of what moves, the last place
/// counts.
pub fn replaces(event: &clap_event_midi, earlier: &clap_event_midi) -> bool {
    match (translate(event), translate(earlier)) {
        (Some(message), Some(earlier)) => message.replaces(&earlier),
        (None, None) => {
            let [status, key, _] = event.data;
            let [of, what, _] = earlier.data;
            status & 0xf0 == KEY_PRESSURE && (status, key) == (of, what)
        }
        _ => false,
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

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

    fn meaning(data: [u8; 3]) -> Option<ChannelMessage> {
        translate(&midi(3, data))
    }

    #[test]
    fn what_moves_goes_on_with_its_channel() {
        for channel in 0..16 {
            for (status, low, high) in [(0xe0, 0, 0), (0xe0, 0, 64), (0xe0, 127, 127)] {
                let position = u16::from(low) + 128 * u16::from(high);
                let expected = ChannelMessage::of_wheel(channel, position);
                assert_eq!(meaning([status | channel, low, high]), expected);
            }
            let pressure = meaning([0xd0 | channel, 99, 0]);
            assert_eq!(pressure, ChannelMessage::of_pressure(channel, 99));
            for controller in [1, 6, 33, 38, 74, 98, 99, 100, 101] {
                let moved = meaning([0xb0 | channel, controller, 77]);
                assert!(moved.is_some(), "{controller}");
                let expected = ChannelMessage::of_controller(channel, controller, 77);
                assert_eq!(moved, expected);
            }
        }
    }

    #[test]
    fn what_is_meant_for_a_channel_goes_on_as_bytes_at_its_time() {
        let channel = 4;
        let pedal = |is_down| ChannelMessage::Sustain { channel, is_down };
        let is_down = true;
        let cases = [
            (64, 64, pedal(true)),
            (64, 63, pedal(false)),
            (66, 127, ChannelMessage::Sostenuto { channel, is_down }),
            (120, 0, ChannelMessage::AllSoundOff { channel }),
            (121, 0, ChannelMessage::ResetControllers { channel }),
            (123, 0, ChannelMessage::AllNotesOff { channel }),
            (124, 0, ChannelMessage::AllNotesOff { channel }),
            (125, 0, ChannelMessage::AllNotesOff { channel }),
            (126, 1, ChannelMessage::AllNotesOff { channel }),
            (127, 0, ChannelMessage::AllNotesOff { channel }),
        ];
        for (controller, value, expected) in cases {
            let original = midi(9, [0xb4, controller, value]);
            let message = translate(&original).unwrap();
            assert_eq!(message, expected);
            let mut event = ChannelEvent::new(message, &original.header);
            // SAFETY: the event stays where it is.
            let (time, bytes) = unsafe {
                let sysex = &*event.header().cast::<clap_event_midi_sysex>();
                assert_eq!(sysex.header.type_, CLAP_EVENT_MIDI_SYSEX);
                let bytes = std::slice::from_raw_parts(sysex.buffer, sysex.size as usize);
                (sysex.header.time, bytes)
            };
            assert_eq!(time, 9);
            assert_eq!(bytes, message.bytes());
        }
    }

    #[test]
    fn other_messages_stay_what_they_are() {
        for data in [
            [0x90, 60, 100],
            [0x80, 60, 0],
            [0xa0, 60, 1],
            [0xb0, 7, 64],
            [0xc0, 3, 0],
        ] {
            assert_eq!(meaning(data), None);
        }
    }

    #[test]
    fn of_what_moves_the_last_place_counts() {
        for (data, earlier, expected) in [
            ([0xe1, 0, 0], [0xe1, 1, 2], true),
            ([0xe1, 0, 0], [0xe2, 1, 2], false),
            ([0xd3, 9, 0], [0xd3, 1, 0], true),
            ([0xb3, 74, 0], [0xb3, 74, 9], true),
            ([0xb3, 74, 0], [0xb3, 1, 9], false),
            ([0xa3, 60, 0], [0xa3, 60, 9], true),
            ([0xa3, 60, 0], [0xa3, 61, 9], false),
            ([0x93, 60, 0], [0x93, 60, 9], false),
            ([0xb3, 64, 0], [0xb3, 64, 9], false),
            ([0xb3, 6, 0], [0xb3, 6, 9], false),
        ] {
            assert_eq!(replaces(&midi(0, data), &midi(0, earlier)), expected);
        }
    }
}
