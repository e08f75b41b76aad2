//! A host's events for notes and channels, handed on to the player. Audio thread.

use nice_plug::midi::VoiceID;
use nice_plug::prelude::*;
use weft_core::instrument::{NoteAddress, NoteControl, Player};

use crate::channel_messages::ChannelMessage;
use crate::mpe::{Channels, Order};
use crate::notes;
use crate::parameters::WeftParams;

/// Something that the player is to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    /// A key goes down, with a velocity of 0 to 1.
    NoteOn(NoteAddress, f32),
    /// Keys go up.
    NoteOff(NoteAddress),
    /// Notes are silent at once.
    Choke(NoteAddress),
    /// A control of some notes is here.
    Control(NoteAddress, NoteControl, f32),
    /// What is meant for a channel.
    Channel(Order),
}

/// Hands `event` on to `player`. What it says of channels goes by way of `channels`.
pub fn dispatch(
    player: &mut Player,
    params: &WeftParams,
    channels: &mut Channels,
    event: &NoteEvent<ChannelMessage>,
) {
    match *event {
        // Without force, a key goes up. Whichever number the host gives it, it is the key's note that ends.
        NoteEvent::NoteOn {
            channel,
            key,
            velocity,
            ..
        } if velocity <= 0.0 => {
            let note = notes::address(VoiceID::Wildcard, channel, key);
            if note.key.is_some() {
                act(player, Deed::NoteOff(note));
            }
        }
        NoteEvent::NoteOn {
            voice_id,
            channel,
            key,
            velocity,
            ..
        } => {
            let note = notes::address(voice_id, channel, key);
            if note.key.is_some() {
                act(player, Deed::NoteOn(note, velocity));
            }
        }
        NoteEvent::NoteOff {
            voice_id,
            channel,
            key,
            ..
        } => act(
            player,
            Deed::NoteOff(notes::address(voice_id, channel, key)),
        ),
        NoteEvent::Choke {
            voice_id,
            channel,
            key,
            ..
        } => act(player, Deed::Choke(notes::address(voice_id, channel, key))),
        NoteEvent::MidiSysEx {
            message:
                ChannelMessage::Expression {
                    note_id,
                    control,
                    value,
                },
            ..
        } => act(
            player,
            Deed::Control(notes::numbered(note_id), control, value),
        ),
        NoteEvent::MidiSysEx { message, .. } => {
            channels.obey(message, &mut |order| act(player, Deed::Channel(order)));
        }
        // The modulation of a note stays what it is when the parameter moves under it, so that
        // `MonoAutomation` needs no answer.
        NoteEvent::PolyModulation {
            voice_id,
            poly_modulation_id,
            normalized_offset,
            ..
        } => {
            let modulation = params.modulation(poly_modulation_id, normalized_offset);
            if let Some((control, offset)) = modulation {
                act(
                    player,
                    Deed::Control(notes::numbered(voice_id), control, offset),
                );
            }
        }
        _ => {
            if let Some((note, control, value)) = notes::expression(event) {
                act(player, Deed::Control(note, control, value));
            }
        }
    }
}

/// Wheels reach as far as the parameter says, from now on.
pub fn follow_range(player: &mut Player, params: &WeftParams, channels: &mut Channels) {
    let range_st = params.sound.bend_range.value() as f32;
    channels.set_range(range_st, &mut |order| act(player, Deed::Channel(order)));
}

/// Has the player do something.
fn act(player: &mut Player, deed: Deed) {
    #[cfg(test)]
    log::add(deed);
    match deed {
        Deed::NoteOn(note, velocity) => player.note_on(note, velocity),
        Deed::NoteOff(note) => player.note_off(note),
        Deed::Choke(note) => player.choke(note),
        Deed::Control(note, control, value) => player.control_note(note, control, value),
        Deed::Channel(order) => match order {
            Order::Control {
                channel,
                control,
                value,
            } => player.set_channel_control(Some(channel), control, value),
            Order::Sustain { channel, is_down } => player.set_sustain(channel, is_down),
            Order::Sostenuto { channel, is_down } => player.set_sostenuto(channel, is_down),
            Order::LiftKeys { channel } => player.note_off(NoteAddress::channel(channel)),
            Order::Silence { channel } => player.choke(NoteAddress::channel(channel)),
            Order::RestPressures { channel } => {
                player.control_note(NoteAddress::channel(channel), NoteControl::Pressure, 0.0);
            }
        },
    }
}

/// For tests: what players were told to do on this thread, from the first look on.
#[cfg(test)]
pub mod log {
    use std::cell::RefCell;

    use super::Deed;

    /// Deeds between two looks, at most: nothing is allocated in a block.
    const ROOM: usize = 1 << 16;

    thread_local! {
        static DEEDS: RefCell<Vec<Deed>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn add(deed: Deed) {
        DEEDS.with_borrow_mut(|deeds| {
            if deeds.len() < deeds.capacity() {
                deeds.push(deed);
            }
        });
    }

    /// All of it since the last look.
    pub fn take() -> Vec<Deed> {
        DEEDS.replace(Vec::with_capacity(ROOM))
    }
}
