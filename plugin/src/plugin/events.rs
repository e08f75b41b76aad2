//! A host's events for single notes, handed on to the player. Audio thread.

use nice_plug::context::PluginApi;
use nice_plug::prelude::*;
use weft_core::instrument::{NoteAddress, Player};

use crate::notes;
use crate::parameters::WeftParams;

/// Hands `event` on to `player`.
pub fn dispatch<S>(player: &mut Player, params: &WeftParams, event: &NoteEvent<S>, api: PluginApi) {
    match *event {
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
