//! MIDI messages to a whole channel, for which nice-plug has no event where it makes no parameter of every
//! controller. The formats' adapters hand them on as system-exclusive messages of Weft's own, so that they keep
//! their place among the notes. Audio thread.

use nice_plug::prelude::SysExMessage;

/// MIDI channels.
pub const CHANNELS: u8 = 16;
/// Pedals are down from this value on, of 127.
const PEDAL_DOWN: u8 = 64;
/// First byte of a system-exclusive message, and the manufacturer's number of those that leave no studio.
const BEGIN: [u8; 2] = [0xf0, 0x7d];
/// Last byte of a system-exclusive message.
const END: u8 = 0xf7;

/// The controllers that mean something to every channel, by their MIDI numbers.
pub mod controller {
    pub const SUSTAIN: u8 = 64;
    pub const SOSTENUTO: u8 = 66;
    pub const ALL_SOUND_OFF: u8 = 120;
    pub const RESET_ALL: u8 = 121;
    pub const ALL_NOTES_OFF: u8 = 123;
    /// The last of the modes, each of which ends all notes too.
    pub const POLY_MODE: u8 = 127;
}

/// What a MIDI message means to the notes of its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelMessage {
    /// The sustain pedal goes down, or up.
    Sustain { channel: u8, is_down: bool },
    /// The sostenuto pedal goes down, or up.
    Sostenuto { channel: u8, is_down: bool },
    /// All keys go up.
    AllNotesOff { channel: u8 },
    /// Silence at once.
    AllSoundOff { channel: u8 },
    /// Pedals go up, and the wheel goes to its middle.
    ResetControllers { channel: u8 },
}

/// A message as the bytes that travel through nice-plug.
pub type Bytes = [u8; 6];

impl ChannelMessage {
    /// What a `value`, 0 to 127, of a controller of a `channel`, 0 to 15, means, if anything.
    pub fn of_controller(channel: u8, controller: u8, value: u8) -> Option<Self> {
        if channel >= CHANNELS {
            return None;
        }
        let is_down = value >= PEDAL_DOWN;
        match controller {
            controller::SUSTAIN => Some(Self::Sustain { channel, is_down }),
            controller::SOSTENUTO => Some(Self::Sostenuto { channel, is_down }),
            controller::ALL_SOUND_OFF => Some(Self::AllSoundOff { channel }),
            controller::RESET_ALL => Some(Self::ResetControllers { channel }),
            controller::ALL_NOTES_OFF..=controller::POLY_MODE => {
                Some(Self::AllNotesOff { channel })
            }
            _ => None,
        }
    }

    /// The message as bytes.
    pub fn bytes(self) -> Bytes {
        let pedal = |is_down| if is_down { 127 } else { 0 };
        let (channel, controller, value) = match self {
            Self::Sustain { channel, is_down } => (channel, controller::SUSTAIN, pedal(is_down)),
            Self::Sostenuto { channel, is_down } => {
                (channel, controller::SOSTENUTO, pedal(is_down))
            }
            Self::AllNotesOff { channel } => (channel, controller::ALL_NOTES_OFF, 0),
            Self::AllSoundOff { channel } => (channel, controller::ALL_SOUND_OFF, 0),
            Self::ResetControllers { channel } => (channel, controller::RESET_ALL, 0),
        };
        [BEGIN[0], BEGIN[1], channel, controller, value, END]
    }

    /// Messages after which nothing of `channel` sounds, nor is held by a pedal.
    pub fn ends_of_everything(channel: u8) -> [Self; 3] {
        let is_down = false;
        [
            Self::Sustain { channel, is_down },
            Self::Sostenuto { channel, is_down },
            Self::AllSoundOff { channel },
        ]
    }
}

impl SysExMessage for ChannelMessage {
    type Buffer = Bytes;

    fn from_buffer(buffer: &[u8]) -> Option<Self> {
        match *buffer {
            [a, b, channel, controller, value, END] if [a, b] == BEGIN => {
                Self::of_controller(channel, controller, value)
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

    #[test]
    fn what_a_controller_means_survives_the_way_through_bytes() {
        let mut meanings = 0;
        for channel in 0..=u8::MAX {
            for controller in 0..128 {
                for value in [0, 63, 64, 127] {
                    let message = ChannelMessage::of_controller(channel, controller, value);
                    if let Some(message) = message {
                        meanings += 1;
                        let again = ChannelMessage::from_buffer(&message.bytes());
                        assert_eq!(again, Some(message));
                    }
                }
            }
        }
        // Two pedals, sound off, controllers off, notes off, four modes.
        assert_eq!(meanings, 16 * 9 * 4);
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
    fn other_bytes_are_no_message() {
        let message = ChannelMessage::AllNotesOff { channel: 0 }.bytes();
        let mut foreign = message;
        foreign[1] = 0x41;
        for bytes in [&[][..], &message[..5], &foreign, &[0xb0, 123, 0]] {
            assert_eq!(ChannelMessage::from_buffer(bytes), None);
        }
    }
}
