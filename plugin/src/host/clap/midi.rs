//! MIDI messages that nice-plug leaves out, as CLAP events that it understands: the wheel as a value of the
//! bend parameter, what is meant for all notes of a channel as a system-exclusive message of our own. Audio thread.

use std::mem::size_of;
use std::ptr;

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI, CLAP_EVENT_MIDI_SYSEX, CLAP_EVENT_PARAM_VALUE,
    clap_event_header, clap_event_midi, clap_event_midi_sysex, clap_event_param_value,
    clap_event_type,
};
use clap_sys::id::clap_id;

use crate::channel_messages::{Bytes, ChannelMessage};

const CONTROL_CHANGE: u8 = 0xb0;
const PITCH_BEND: u8 = 0xe0;
const NOTE_OFF: u8 = 0x80;
const NOTE_ON: u8 = 0x90;
/// Where a pitch wheel rests.
const WHEEL_CENTRE: u16 = 8192;

/// A MIDI message as an event that nice-plug understands.
#[derive(Clone, Copy)]
pub enum Message {
    /// A value of a parameter.
    Value(clap_event_param_value),
    /// What is meant for all notes of a channel.
    Channel(ChannelMessage),
}

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
            header: header_like::<clap_event_midi_sysex>(header, CLAP_EVENT_MIDI_SYSEX),
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

/// The MIDI message by which a host says `message`, at the beginning of a block.
pub fn event(message: ChannelMessage) -> clap_event_midi {
    let [_, _, channel, controller, value, _] = message.bytes();
    clap_event_midi {
        header: clap_event_header {
            size: size_of::<clap_event_midi>() as u32,
            time: 0,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_: CLAP_EVENT_MIDI,
            flags: 0,
        },
        port_index: 0,
        data: [CONTROL_CHANGE | channel, controller, value],
    }
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
    match (status & 0xf0, data1) {
        (PITCH_BEND, low) => {
            let position = u16::from(low & 0x7f) | u16::from(data2 & 0x7f) << 7;
            Some(wheel(position))
        }
        (CONTROL_CHANGE, controller) => {
            let message = ChannelMessage::of_controller(status & 0x0f, controller, data2 & 0x7f);
            message.map(Message::Channel)
        }
        _ => None,
    }
}

/// Whether `event` begins or ends notes, or moves a pedal.
pub fn is_for_notes(event: &clap_event_midi) -> bool {
    let [status, controller, value] = event.data;
    match status & 0xf0 {
        NOTE_ON | NOTE_OFF => true,
        CONTROL_CHANGE => {
            ChannelMessage::of_controller(status & 0x0f, controller, value & 0x7f).is_some()
        }
        _ => false,
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
            Message::Channel(_) => None,
        }
    }

    #[test]
    fn the_wheel_moves_the_bend_and_rests_in_its_middle() {
        assert_eq!(bend_of([0xe0, 0, 0]), Some(0.0));
        assert_eq!(bend_of([0xe5, 0, 64]), Some(0.5));
        assert_eq!(bend_of([0xef, 127, 127]), Some(1.0));
        assert_eq!(bend_of([0xe0, 0, 32]), Some(0.25));
    }

    #[test]
    fn what_is_meant_for_a_channel_goes_on_as_bytes_at_its_time() {
        let channel = 4;
        let cases = [
            (
                64,
                64,
                ChannelMessage::Sustain {
                    channel,
                    is_down: true,
                },
            ),
            (
                64,
                63,
                ChannelMessage::Sustain {
                    channel,
                    is_down: false,
                },
            ),
            (
                66,
                127,
                ChannelMessage::Sostenuto {
                    channel,
                    is_down: true,
                },
            ),
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
            let Some(Message::Channel(message)) = translate(&original, BEND) else {
                panic!("{controller}");
            };
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
        for data in [[0x90, 60, 100], [0x80, 60, 0], [0xb0, 1, 64], [0xd0, 3, 0]] {
            assert!(translate(&midi(0, data), BEND).is_none());
        }
    }
}
