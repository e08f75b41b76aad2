//! A host's events for single notes, handed on to the player. Audio thread.

use nice_plug::context::PluginApi;
use nice_plug::midi::VoiceID;
use nice_plug::prelude::*;
use weft_core::instrument::{Controls, NoteAddress, Player};

use crate::channel_messages::ChannelMessage;
use crate::notes;
use crate::parameters::WeftParams;

/// Hands `event` on to `player`. What it changes for all notes goes into `controls`.
pub fn dispatch(
    player: &mut Player,
    params: &WeftParams,
    controls: &mut Controls,
    event: &NoteEvent<ChannelMessage>,
    api: PluginApi,
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
                player.note_off(note);
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
                player.note_on(note, velocity);
            }
        }
        NoteEvent::NoteOff {
            voice_id,
            channel,
            key,
            ..
        } => match notes::address(voice_id, channel, key) {
            every if every == NoteAddress::default() => player.all_notes_off(),
            note => player.note_off(note),
        },
        NoteEvent::Choke {
            voice_id,
            channel,
            key,
            ..
        } => player.choke(notes::address(voice_id, channel, key)),
        NoteEvent::MidiSysEx { message, .. } => obey(player, params, controls, message),
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
                player.control_note(notes::numbered(voice_id), control, offset);
            }
        }
        _ => {
            if let Some((note, control, value)) = notes::expression(event, api) {
                player.control_note(note, control, value);
            }
        }
    }
}

/// Does what a message says to the notes of a channel.
fn obey(
    player: &mut Player,
    params: &WeftParams,
    controls: &mut Controls,
    message: ChannelMessage,
) {
    match message {
        ChannelMessage::Sustain { channel, is_down } => player.set_sustain(channel, is_down),
        ChannelMessage::Sostenuto { channel, is_down } => player.set_sostenuto(channel, is_down),
        ChannelMessage::AllNotesOff { channel } => player.note_off(NoteAddress::channel(channel)),
        ChannelMessage::AllSoundOff { channel } => player.choke(NoteAddress::channel(channel)),
        ChannelMessage::ResetControllers { channel } => {
            player.reset_controllers(channel);
            params.centre_wheel();
            controls.bend_st = 0.0;
        }
    }
}
