//! Events for notes that came with a block without sound, kept for the next block. nice-plug drops them, and a
//! note whose end is dropped would sound for ever. Audio thread.

use std::sync::{Mutex, MutexGuard, TryLockError};

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI, CLAP_EVENT_NOTE_CHOKE, CLAP_EVENT_NOTE_EXPRESSION,
    CLAP_EVENT_NOTE_OFF, CLAP_EVENT_NOTE_ON, CLAP_EVENT_PARAM_MOD, clap_event_header,
    clap_event_midi, clap_event_note, clap_event_note_expression, clap_event_param_mod,
    clap_input_events,
};

use super::midi;
use crate::channel_messages::ChannelMessage;
use crate::host::backlog::{CAPACITY, Carried, replace};

/// An event for notes.
#[derive(Clone, Copy)]
pub enum NoteEvent {
    Note(clap_event_note),
    Expression(clap_event_note_expression),
    /// Modulation of one note.
    Modulation(clap_event_param_mod),
    Midi(clap_event_midi),
}

impl NoteEvent {
    /// What `event` is, if it is for notes.
    ///
    /// # Safety
    /// `event` is a valid event of a host's.
    pub unsafe fn of(event: *const clap_event_header) -> Option<Self> {
        // SAFETY: by the contract above; events of these types are as long as their structs.
        unsafe {
            if (*event).space_id != CLAP_CORE_EVENT_SPACE_ID {
                return None;
            }
            match (*event).type_ {
                CLAP_EVENT_NOTE_ON | CLAP_EVENT_NOTE_OFF | CLAP_EVENT_NOTE_CHOKE => {
                    Some(Self::Note(*event.cast()))
                }
                CLAP_EVENT_NOTE_EXPRESSION => Some(Self::Expression(*event.cast())),
                CLAP_EVENT_PARAM_MOD => {
                    let modulation: clap_event_param_mod = *event.cast();
                    (modulation.note_id >= 0).then_some(Self::Modulation(modulation))
                }
                CLAP_EVENT_MIDI => {
                    let message: clap_event_midi = *event.cast();
                    midi::is_for_notes(&message).then_some(Self::Midi(message))
                }
                _ => None,
            }
        }
    }

    /// The event as a host has it in its lists.
    pub fn header(&self) -> &clap_event_header {
        match self {
            Self::Note(note) => &note.header,
            Self::Expression(expression) => &expression.header,
            Self::Modulation(modulation) => &modulation.header,
            Self::Midi(midi) => &midi.header,
        }
    }

    fn at_once(mut self) -> Self {
        let header = match &mut self {
            Self::Note(note) => &mut note.header,
            Self::Expression(expression) => &mut expression.header,
            Self::Modulation(modulation) => &mut modulation.header,
            Self::Midi(midi) => &mut midi.header,
        };
        header.time = 0;
        self
    }
}

/// Events that wait for a block with sound. Only the audio thread locks them while blocks are processed.
pub struct CarriedEvents(Mutex<Vec<NoteEvent>>);

impl CarriedEvents {
    /// None yet. Allocates the room for all that there will ever be.
    pub fn new() -> Self {
        Self(Mutex::new(Vec::with_capacity(CAPACITY)))
    }

    /// The events, for the length of a block; `None` if another thread has them, which no host should do.
    pub fn lock(&self) -> Option<MutexGuard<'_, Vec<NoteEvent>>> {
        match self.0.try_lock() {
            Ok(events) => Some(events),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Forgets them: the notes that they were for are gone.
    pub fn clear(&self) {
        if let Some(mut events) = self.lock() {
            events.clear();
        }
    }
}

/// Keeps the events for notes that are in `list`: of what moves, the last place. Where there are too many, what was
/// kept before becomes the end of all notes.
///
/// # Safety
/// `list` is null or a valid list of a host's.
pub unsafe fn carry(carried: &mut Vec<NoteEvent>, list: *const clap_input_events) {
    // SAFETY: by the contract above.
    unsafe {
        let Some(host) = list.as_ref() else {
            return;
        };
        let (Some(size), Some(get)) = (host.size, host.get) else {
            return;
        };
        for index in 0..size(list) {
            let event = get(list, index);
            if event.is_null() {
                continue;
            }
            if let Some(event) = NoteEvent::of(event) {
                replace(carried, event.at_once());
            }
        }
    }
}

impl Carried for NoteEvent {
    fn of_message(message: ChannelMessage) -> Option<Self> {
        midi::event(message).map(Self::Midi)
    }

    fn replaces(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Midi(event), Self::Midi(earlier)) => midi::replaces(event, earlier),
            (Self::Expression(event), Self::Expression(earlier)) => {
                let of = |e: &clap_event_note_expression| {
                    (e.expression_id, e.note_id, e.port_index, e.channel, e.key)
                };
                of(event) == of(earlier)
            }
            (Self::Modulation(event), Self::Modulation(earlier)) => {
                (event.param_id, event.note_id) == (earlier.param_id, earlier.note_id)
            }
            _ => false,
        }
    }

    fn is_place(&self) -> bool {
        match self {
            Self::Midi(event) => {
                matches!(midi::translate(event), Some(ChannelMessage::Moved { .. }))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::midi::tests::midi;
    use super::super::tests::HostEvents;
    use super::*;
    use crate::channel_messages::CHANNELS;

    #[test]
    fn too_many_events_become_the_end_of_all_notes_and_go_on_from_there() {
        let event = midi(40, [0x90, 60, 100]);
        let host = HostEvents(vec![&raw const event.header; CAPACITY + 1]);
        let list = host.list();
        let carried = CarriedEvents::new();
        let mut events = carried.lock().unwrap();
        let room = events.capacity();
        // SAFETY: the list and all that it leads to live until the end of the test.
        unsafe { carry(&mut events, &raw const list) };
        assert_eq!(events.len(), 5 * usize::from(CHANNELS) + 1);
        assert_eq!(events.capacity(), room);
        let last = events.last().unwrap();
        assert_eq!(last.header().time, 0);
        assert!(matches!(last, NoteEvent::Midi(event) if event.data == [0x90, 60, 100]));
        drop(events);
        carried.clear();
        assert!(carried.lock().unwrap().is_empty());
    }

    #[test]
    fn of_what_moves_the_last_place_is_kept_whatever_comes_with_it() {
        let on = midi(0, [0x91, 60, 100]);
        let bends: Vec<_> = (0..100).map(|at| midi(at, [0xe1, 0, at as u8])).collect();
        let mut events = vec![&raw const on.header];
        events.extend(bends.iter().map(|bend| &raw const bend.header));
        // More than there is room for, of which nothing but the bend is left.
        events.extend((0..CAPACITY).map(|_| &raw const on.header));
        let kept_of = |events: &[_]| {
            let host = HostEvents(events.to_vec());
            let list = host.list();
            let carried = CarriedEvents::new();
            let mut kept = carried.lock().unwrap();
            let room = kept.capacity();
            // SAFETY: the list and all that it leads to live until the end of the test.
            unsafe { carry(&mut kept, &raw const list) };
            assert_eq!(kept.capacity(), room);
            let data = |event: &NoteEvent| match event {
                NoteEvent::Midi(event) => event.data,
                _ => unreachable!(),
            };
            kept.iter().map(data).collect::<Vec<_>>()
        };
        assert_eq!(kept_of(&events[..101]), [[0x91, 60, 100], [0xe1, 0, 99]]);
        let kept = kept_of(&events);
        let ends = 5 * usize::from(CHANNELS);
        assert_eq!(kept[ends], [0xe1, 0, 99]);
        assert!(kept[ends + 1..].iter().all(|data| *data == [0x91, 60, 100]));
        assert!(kept[..ends].iter().all(|data| data[0] & 0xf0 == 0xb0));
    }
}
