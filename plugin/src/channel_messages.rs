//! MIDI messages to a whole channel, and note expressions, for which nice-plug has no event or not the right one.
//! The formats' adapters hand them on as system-exclusive messages of Weft's own, so that they keep their place
//! among the notes. Audio thread.

use nice_plug::prelude::SysExMessage;
use weft_core::instrument::NoteControl;

/// MIDI channels.
pub const CHANNELS: u8 = 16;
/// Pedals are down from this value on, of 127.
const PEDAL_DOWN: u8 = 64;
/// Largest value of a controller.
const MOST: u8 = 127;
/// Where a controller rests that goes both ways, and a wheel, which has 14 bits.
const CENTRE: u8 = 64;
const WHEEL_CENTRE: u16 = 8192;
/// First byte of a system-exclusive message, and the manufacturer's number of those that leave no studio.
const BEGIN: [u8; 2] = [0xf0, 0x7d];
/// Last byte of a system-exclusive message.
const END: u8 = 0xf7;

/// The controllers that mean something to every channel, by their MIDI numbers.
pub mod controller {
    pub const MOD_WHEEL: u8 = 1;
    pub const DATA_ENTRY: u8 = 6;
    pub const MOD_WHEEL_FINE: u8 = 33;
    pub const DATA_ENTRY_FINE: u8 = 38;
    pub const SUSTAIN: u8 = 64;
    pub const SOSTENUTO: u8 = 66;
    /// Brightness; the place along a key in MPE.
    pub const SLIDE: u8 = 74;
    /// The choice of a parameter that is not registered: what comes as data then is not for us.
    pub const UNREGISTERED_FINE: u8 = 98;
    pub const UNREGISTERED: u8 = 99;
    /// The choice of a registered parameter.
    pub const REGISTERED_FINE: u8 = 100;
    pub const REGISTERED: u8 = 101;
    pub const ALL_SOUND_OFF: u8 = 120;
    pub const RESET_ALL: u8 = 121;
    pub const ALL_NOTES_OFF: u8 = 123;
    /// The last of the modes, each of which ends all notes too.
    pub const POLY_MODE: u8 = 127;
}

/// What a hand moves to and fro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// The pitch wheel, or the way across a key: −1 to 1 of its range.
    Bend,
    /// The modulation wheel, 0 to 1.
    Wheel,
    /// A part of the smallest step of the modulation wheel, 0 to 1: its low byte.
    WheelFine,
    /// Pressure on the keys, 0 to 1.
    Pressure,
    /// The way along a key, −1 to 1.
    Slide,
}

impl Gesture {
    pub const ALL: [Self; 5] = [
        Self::Bend,
        Self::Wheel,
        Self::WheelFine,
        Self::Pressure,
        Self::Slide,
    ];
}

/// The note expressions of VST3, each of a note by its number.
const EXPRESSIONS: [NoteControl; 5] = [
    NoteControl::Volume,
    NoteControl::Pan,
    NoteControl::Tuning,
    NoteControl::Timbre,
    NoteControl::Pressure,
];

/// What a MIDI message means to the notes of its channel, or a note expression to one of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChannelMessage {
    /// The sustain pedal goes down, or up.
    Sustain { channel: u8, is_down: bool },
    /// The sostenuto pedal goes down, or up.
    Sostenuto { channel: u8, is_down: bool },
    /// All keys go up.
    AllNotesOff { channel: u8 },
    /// Silence at once.
    AllSoundOff { channel: u8 },
    /// Pedals go up, and most gestures to their rest.
    ResetControllers { channel: u8 },
    /// A part of the choice of a parameter, or of its value, by the controller that says it.
    Parameter {
        channel: u8,
        controller: u8,
        value: u8,
    },
    /// A hand has moved something.
    Moved {
        channel: u8,
        gesture: Gesture,
        value: f32,
    },
    /// An expression of the note with a host's number, in the control's unit.
    Expression {
        note_id: i32,
        control: NoteControl,
        value: f32,
    },
}

/// Kinds of messages in bytes.
const CONTROLLER: u8 = 0;
const MOVED: u8 = 1;
const EXPRESSION: u8 = 2;

/// A message as the bytes that travel through nice-plug.
pub type Bytes = [u8; 13];

impl ChannelMessage {
    /// What a `value`, 0 to 127, of a controller of a `channel`, 0 to 15, means, if anything.
    pub fn of_controller(channel: u8, controller: u8, value: u8) -> Option<Self> {
        if channel >= CHANNELS {
            return None;
        }
        let value = value.min(MOST);
        let is_down = value >= PEDAL_DOWN;
        let moved = |gesture, value| Self::Moved {
            channel,
            gesture,
            value,
        };
        match controller {
            controller::SUSTAIN => Some(Self::Sustain { channel, is_down }),
            controller::SOSTENUTO => Some(Self::Sostenuto { channel, is_down }),
            controller::ALL_SOUND_OFF => Some(Self::AllSoundOff { channel }),
            controller::RESET_ALL => Some(Self::ResetControllers { channel }),
            controller::ALL_NOTES_OFF..=controller::POLY_MODE => {
                Some(Self::AllNotesOff { channel })
            }
            controller::MOD_WHEEL => Some(moved(Gesture::Wheel, share(value))),
            controller::MOD_WHEEL_FINE => Some(moved(Gesture::WheelFine, share(value))),
            controller::SLIDE => Some(moved(Gesture::Slide, both_ways(value))),
            controller::DATA_ENTRY
            | controller::DATA_ENTRY_FINE
            | controller::UNREGISTERED_FINE..=controller::REGISTERED => Some(Self::Parameter {
                channel,
                controller,
                value,
            }),
            _ => None,
        }
    }

    /// The pressure on the keys of a `channel`, 0 to 127.
    pub fn of_pressure(channel: u8, value: u8) -> Option<Self> {
        (channel < CHANNELS).then_some(Self::Moved {
            channel,
            gesture: Gesture::Pressure,
            value: share(value.min(MOST)),
        })
    }

    /// The place of the pitch wheel of a `channel`, 0 to 16383.
    pub fn of_wheel(channel: u8, position: u16) -> Option<Self> {
        let way = if position < WHEEL_CENTRE {
            WHEEL_CENTRE
        } else {
            WHEEL_CENTRE - 1
        };
        let value = (f32::from(position) - f32::from(WHEEL_CENTRE)) / f32::from(way);
        (channel < CHANNELS).then_some(Self::Moved {
            channel,
            gesture: Gesture::Bend,
            value: value.min(1.0),
        })
    }

    /// An expression of a note; `None` if the value is no number, or no note has the number.
    pub fn of_expression(note_id: i32, control: NoteControl, value: f32) -> Option<Self> {
        (note_id >= 0 && value.is_finite() && EXPRESSIONS.contains(&control)).then_some(
            Self::Expression {
                note_id,
                control,
                value,
            },
        )
    }

    /// The number and value of the controller that says it, where it is not a place of something that moves.
    pub fn controller(self) -> Option<(u8, u8, u8)> {
        let pedal = |is_down| if is_down { MOST } else { 0 };
        match self {
            Self::Sustain { channel, is_down } => {
                Some((channel, controller::SUSTAIN, pedal(is_down)))
            }
            Self::Sostenuto { channel, is_down } => {
                Some((channel, controller::SOSTENUTO, pedal(is_down)))
            }
            Self::AllNotesOff { channel } => Some((channel, controller::ALL_NOTES_OFF, 0)),
            Self::AllSoundOff { channel } => Some((channel, controller::ALL_SOUND_OFF, 0)),
            Self::ResetControllers { channel } => Some((channel, controller::RESET_ALL, 0)),
            Self::Parameter {
                channel,
                controller,
                value,
            } => Some((channel, controller, value)),
            Self::Moved { .. } | Self::Expression { .. } => None,
        }
    }

    /// The message as bytes.
    pub fn bytes(self) -> Bytes {
        let mut bytes = [0; size_of::<Bytes>()];
        let [a, b, kind, rest @ .., end] = &mut bytes;
        [*a, *b, *end] = [BEGIN[0], BEGIN[1], END];
        let [c, d, e, f, g, h, i, j, k] = rest;
        match self {
            Self::Moved {
                channel,
                gesture,
                value,
            } => {
                (*kind, *c, *d) = (MOVED, channel, gesture as u8);
                [*e, *f, *g, *h] = value.to_le_bytes();
            }
            Self::Expression {
                note_id,
                control,
                value,
            } => {
                *kind = EXPRESSION;
                [*c, *d, *e, *f] = note_id.to_le_bytes();
                [*g, *h, *i, *j] = value.to_le_bytes();
                *k = EXPRESSIONS.iter().position(|e| *e == control).unwrap_or(0) as u8;
            }
            _ => {
                *kind = CONTROLLER;
                (*c, *d, *e) = self.controller().unwrap_or_default();
            }
        }
        bytes
    }

    /// Whether nothing is left of `earlier` where this comes at the same moment.
    pub fn replaces(&self, earlier: &Self) -> bool {
        match (*self, *earlier) {
            (
                Self::Moved {
                    channel, gesture, ..
                },
                Self::Moved {
                    channel: of,
                    gesture: what,
                    ..
                },
            ) => (channel, gesture) == (of, what),
            (
                Self::Expression {
                    note_id, control, ..
                },
                Self::Expression {
                    note_id: of,
                    control: what,
                    ..
                },
            ) => (note_id, control) == (of, what),
            _ => false,
        }
    }

    /// Messages after which nothing of `channel` sounds, nor is held by a pedal, and no parameter is chosen.
    pub fn ends_of_everything(channel: u8) -> [Self; 5] {
        let is_down = false;
        let unchosen = |controller| Self::Parameter {
            channel,
            controller,
            value: MOST,
        };
        [
            Self::Sustain { channel, is_down },
            Self::Sostenuto { channel, is_down },
            Self::AllSoundOff { channel },
            unchosen(controller::REGISTERED),
            unchosen(controller::REGISTERED_FINE),
        ]
    }
}

/// A controller's value as a share.
fn share(value: u8) -> f32 {
    f32::from(value) / f32::from(MOST)
}

/// A controller's value as a way from its centre, −1 to 1.
fn both_ways(value: u8) -> f32 {
    let way = if value < CENTRE {
        CENTRE
    } else {
        MOST - CENTRE
    };
    (f32::from(value) - f32::from(CENTRE)) / f32::from(way)
}

impl SysExMessage for ChannelMessage {
    type Buffer = Bytes;

    fn from_buffer(buffer: &[u8]) -> Option<Self> {
        let [a, b, kind, c, d, e, f, g, h, i, j, k, END] = *buffer else {
            return None;
        };
        if [a, b] != BEGIN {
            return None;
        }
        match kind {
            CONTROLLER => Self::of_controller(c, d, e),
            MOVED => {
                let value = f32::from_le_bytes([e, f, g, h]);
                (c < CHANNELS && value.is_finite()).then_some(Self::Moved {
                    channel: c,
                    gesture: *Gesture::ALL.get(usize::from(d))?,
                    value,
                })
            }
            EXPRESSION => {
                let note_id = i32::from_le_bytes([c, d, e, f]);
                let control = *EXPRESSIONS.get(usize::from(k))?;
                Self::of_expression(note_id, control, f32::from_le_bytes([g, h, i, j]))
            }
            _ => None,
        }
    }

    fn as_buffer(&self) -> (Bytes, usize) {
        let bytes = self.bytes();
        (bytes, bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn travels(message: ChannelMessage) {
        let again = ChannelMessage::from_buffer(&message.bytes());
        assert_eq!(again, Some(message));
    }

    #[test]
    fn what_a_controller_means_survives_the_way_through_bytes() {
        let mut meanings = 0;
        for channel in 0..=u8::MAX {
            for controller in 0..128 {
                for value in [0, 63, 64, 127] {
                    let message = ChannelMessage::of_controller(channel, controller, value);
                    if let Some(message) = message {
                        meanings += 1;
                        travels(message);
                    }
                }
            }
        }
        // Two pedals, sound off, controllers off, notes off, four modes; wheel and its low byte, slide; two of
        // data, four that choose.
        assert_eq!(meanings, 16 * (9 + 3 + 6) * 4);
    }

    #[test]
    fn what_moves_survives_the_way_through_bytes() {
        for channel in 0..CHANNELS {
            for position in (0..=16_383).step_by(41) {
                travels(ChannelMessage::of_wheel(channel, position).unwrap());
            }
            for value in 0..=127 {
                travels(ChannelMessage::of_pressure(channel, value).unwrap());
            }
        }
        for control in EXPRESSIONS {
            for note_id in [0, 7, i32::MAX] {
                travels(ChannelMessage::of_expression(note_id, control, -3.25).unwrap());
            }
        }
        assert_eq!(ChannelMessage::of_wheel(16, 0), None);
        assert_eq!(ChannelMessage::of_pressure(16, 0), None);
        let no_number = f32::NAN;
        let expression = ChannelMessage::of_expression;
        assert_eq!(expression(0, NoteControl::Pan, no_number), None);
        assert_eq!(expression(-1, NoteControl::Pan, 0.0), None);
        assert_eq!(expression(0, NoteControl::Density, 0.0), None);
    }

    #[test]
    fn pedals_are_down_from_the_middle_on() {
        for (value, is_down) in [(0, false), (63, false), (64, true), (127, true)] {
            let channel = 3;
            assert_eq!(
                ChannelMessage::of_controller(channel, 64, value),
                Some(ChannelMessage::Sustain { channel, is_down })
            );
            assert_eq!(
                ChannelMessage::of_controller(channel, 66, value),
                Some(ChannelMessage::Sostenuto { channel, is_down })
            );
        }
    }

    #[test]
    fn what_goes_both_ways_rests_in_its_middle() {
        let value = |message| match message {
            Some(ChannelMessage::Moved { value, .. }) => value,
            other => panic!("{other:?}"),
        };
        let wheel = [0, 4096, 8192, 16_383].map(|at| value(ChannelMessage::of_wheel(0, at)));
        assert_eq!(wheel, [-1.0, -0.5, 0.0, 1.0]);
        let slide = |at| value(ChannelMessage::of_controller(0, controller::SLIDE, at));
        assert_eq!([0, 32, 64, 127].map(slide), [-1.0, -0.5, 0.0, 1.0]);
        let pressure = [0, 127].map(|at| value(ChannelMessage::of_pressure(0, at)));
        assert_eq!(pressure, [0.0, 1.0]);
    }

    #[test]
    fn the_last_place_of_what_moves_is_the_one_that_counts() {
        let bend = |channel, at| ChannelMessage::of_wheel(channel, at).unwrap();
        let pressure = ChannelMessage::of_pressure(1, 9).unwrap();
        assert!(bend(1, 5).replaces(&bend(1, 9)));
        assert!(!bend(1, 5).replaces(&bend(2, 9)) && !bend(1, 5).replaces(&pressure));
        let pan = |id| ChannelMessage::of_expression(id, NoteControl::Pan, 0.5).unwrap();
        assert!(pan(4).replaces(&pan(4)) && !pan(4).replaces(&pan(5)));
        let off = ChannelMessage::AllNotesOff { channel: 1 };
        assert!(!off.replaces(&off));
    }

    #[test]
    fn other_bytes_are_no_message() {
        let message = ChannelMessage::AllNotesOff { channel: 0 }.bytes();
        let mut foreign = message;
        foreign[1] = 0x41;
        let mut unknown = message;
        unknown[2] = 9;
        let mut no_number = ChannelMessage::of_wheel(0, 0).unwrap().bytes();
        no_number[5..9].copy_from_slice(&f32::NAN.to_le_bytes());
        for bytes in [foreign, unknown, no_number] {
            assert_eq!(ChannelMessage::from_buffer(&bytes), None);
        }
        for bytes in [&[][..], &message[..5], &[0xb0, 123, 0]] {
            assert_eq!(ChannelMessage::from_buffer(bytes), None);
        }
    }
}
