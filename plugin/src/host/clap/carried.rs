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
use crate::channel_messages::{CHANNELS, ChannelMessage};

/// Events that are kept, at most.
const CAPACITY: usize = 1024;

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
    /// What `event` is, if it is for notes. The wheel is a parameter, whose value needs no sound.
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

/// Keeps the events for notes that are in `list`. Where there are too many, what was kept before becomes the end
/// of all notes.
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
                push(carried, event.at_once());
            }
        }
    }
}

/// Never beyond the capacity, so that nothing is allocated.
fn push(carried: &mut Vec<NoteEvent>, event: NoteEvent) {
    if carried.len() == CAPACITY {
        carried.clear();
        let ends = (0..CHANNELS).flat_map(ChannelMessage::ends_of_everything);
        carried.extend(ends.map(|message| NoteEvent::Midi(midi::event(message))));
    }
    carried.push(event);
}

#[cfg(test)]
mod tests {
    use super::super::midi::tests::midi;
    use super::super::tests::HostEvents;
    use super::*;

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
        assert_eq!(events.len(), 3 * usize::from(CHANNELS) + 1);
        assert_eq!(events.capacity(), room);
        let last = events.last().unwrap();
        assert_eq!(last.header().time, 0);
        assert!(matches!(last, NoteEvent::Midi(event) if event.data == [0x90, 60, 100]));
        drop(events);
        carried.clear();
        assert!(carried.lock().unwrap().is_empty());
    }
}
