//! What CLAP hosts send in a block, translated into what nice-plug understands.
//!
//! - nice-plug leaves out the MIDI messages for wheels, pressure, pedals and all notes of a channel; here they
//!   become system-exclusive messages of our own. Those of others mean nothing to us.
//! - It drops events for notes that come with a block without sound. They are kept from it, and come first in
//!   the next block.
//! - Where it cuts a block at a parameter change, it counts the song's position on from the *block's*
//!   beginning, wherever in the block the host gave it; counts only where there is a tempo; and works
//!   the bar out anew, as if the time signature had never changed. So the position is given as of the
//!   block's beginning, with a tempo, and without a time signature, which goes its own way.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr;

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI, CLAP_EVENT_MIDI_SYSEX, CLAP_EVENT_TRANSPORT,
    clap_event_header, clap_event_transport, clap_input_events,
};

use super::carried::NoteEvent;
use super::midi::{self, ChannelEvent};
use super::song::song_position;
use crate::host::gate::{self, Call, Guarded};
use crate::link::HostLink;
use crate::session::Session;

/// A space of events that nobody has registered, and so nobody understands.
const NO_EVENT_SPACE_ID: u16 = u16::MAX;

/// A host's events of one block, translated one by one as nice-plug asks for them, without
/// allocation.
pub struct EventTranslator<'a> {
    notes: Notes<'a>,
    host: *const clap_input_events,
    link: &'a HostLink,
    session: &'a Session,
    slots: UnsafeCell<Slots>,
}

/// What becomes of the events for notes in a block.
#[derive(Clone, Copy)]
pub enum Notes<'a> {
    /// Those that came before come first, and then those of the host's list.
    After(&'a [NoteEvent]),
    /// None: the block is without sound.
    Withheld,
}

/// Where translated events lie while nice-plug looks at them.
struct Slots {
    /// nice-plug is done with an event before it asks for the next one, but for song positions.
    channel: Option<ChannelEvent>,
    /// In place of an event that nice-plug is not to see: it looks at every event without asking whether
    /// there is one.
    blank: Option<clap_event_header>,
    /// A song position holds until the next one, at which nice-plug looks before it has processed what
    /// comes before. With each, its index in the host's list.
    positions: [Option<(u32, clap_event_transport)>; 2],
    newest_position: usize,
}

impl<'a> EventTranslator<'a> {
    /// A translator of `host`'s list. What the host says of the song's time signature goes to `link`.
    pub fn new(
        host: *const clap_input_events,
        notes: Notes<'a>,
        link: &'a HostLink,
        session: &'a Session,
    ) -> Self {
        Self {
            host,
            notes,
            link,
            session,
            slots: UnsafeCell::new(Slots {
                channel: None,
                blank: None,
                positions: [None; 2],
                newest_position: 0,
            }),
        }
    }

    /// The list that nice-plug gets. It must not be used after the translator is gone or has moved.
    pub fn list(&self) -> clap_input_events {
        clap_input_events {
            ctx: ptr::from_ref(self).cast_mut().cast::<c_void>(),
            size: Some(size),
            get: Some(get),
        }
    }

    fn earlier(&self) -> &'a [NoteEvent] {
        match self.notes {
            Notes::After(earlier) => earlier,
            Notes::Withheld => &[],
        }
    }

    /// How many events there are.
    ///
    /// # Safety
    /// The host's list is null or valid.
    unsafe fn size(&self) -> u32 {
        // SAFETY: by the contract above.
        let of_host = unsafe {
            match self.host.as_ref().and_then(|host| host.size) {
                Some(size) => size(self.host),
                None => 0,
            }
        };
        of_host.saturating_add(self.earlier().len() as u32)
    }

    /// Event `index`, translated.
    ///
    /// # Safety
    /// As for `size`; and nobody else uses the slots.
    unsafe fn get(&self, index: u32) -> *const clap_event_header {
        // SAFETY: by the contract above.
        unsafe {
            let earlier = self.earlier();
            let event = match (
                earlier.get(index as usize),
                self.host.as_ref().and_then(|host| host.get),
            ) {
                (Some(event), _) => ptr::from_ref(event.header()),
                (None, Some(get)) => get(self.host, index - earlier.len() as u32),
                (None, None) => ptr::null(),
            };
            match event.as_ref() {
                Some(header) if self.withholds(event) => self.blank(header.time),
                Some(_) => self.translate(index, event),
                None => event,
            }
        }
    }

    /// An event at sample `time` that means nothing to nice-plug.
    ///
    /// # Safety
    /// Nobody else uses the slots.
    unsafe fn blank(&self, time: u32) -> *const clap_event_header {
        let slots = self.slots.get();
        let blank = clap_event_header {
            size: size_of::<clap_event_header>() as u32,
            time,
            space_id: NO_EVENT_SPACE_ID,
            type_: 0,
            flags: 0,
        };
        // SAFETY: by the contract above.
        unsafe { (*slots).blank.insert(blank) }
    }

    /// Whether nice-plug is not to see `event`.
    ///
    /// # Safety
    /// `event` is a valid event.
    unsafe fn withholds(&self, event: *const clap_event_header) -> bool {
        // SAFETY: by the contract above.
        unsafe {
            let is_foreign = ((*event).space_id, (*event).type_)
                == (CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI_SYSEX);
            is_foreign || (matches!(self.notes, Notes::Withheld) && NoteEvent::of(event).is_some())
        }
    }

    /// # Safety
    /// `event` is a valid event of the host's, with `index` in its list; nobody else uses the slots.
    unsafe fn translate(
        &self,
        index: u32,
        event: *const clap_event_header,
    ) -> *const clap_event_header {
        let slots = self.slots.get();
        // SAFETY: by the contract above; events of these types are as long as their structs.
        // The references into the slots end with this function. What nice-plug keeps are pointers, to a
        // slot that is not written to before it is done with it.
        unsafe {
            match ((*event).space_id, (*event).type_) {
                (CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI) => {
                    let Some(message) = midi::translate(&*event.cast()) else {
                        return event;
                    };
                    let event = ChannelEvent::new(message, &*event);
                    (*slots).channel.insert(event).header()
                }
                (CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_TRANSPORT) => {
                    // Asked for again, it stays where it is: it may be in use already.
                    let slot = (*slots).newest_position;
                    if let Some((known, position)) = &(*slots).positions[slot]
                        && *known == index
                    {
                        return &raw const position.header;
                    }
                    let slot = 1 - slot;
                    (*slots).newest_position = slot;
                    let position = song_position(&*event.cast(), self.link);
                    let (_, position) = (*slots).positions[slot].insert((index, position));
                    &raw const position.header
                }
                _ => event,
            }
        }
    }
}

impl Guarded for EventTranslator<'_> {
    fn session(&self) -> &Session {
        self.session
    }
}

/// The translator behind a list, or null.
///
/// # Safety
/// `list` is null or valid.
unsafe fn translator<'a>(list: *const clap_input_events) -> *const EventTranslator<'a> {
    // SAFETY: by the contract above.
    unsafe { list.as_ref() }.map_or(ptr::null(), |list| list.ctx.cast::<EventTranslator<'a>>())
}

unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
    // SAFETY: nice-plug passes the list of a translator, which lives as long as the list, as does the
    // host's.
    let size = unsafe { gate::enter(translator(list), Call::Audio, |list| list.size()) };
    size.unwrap_or(0)
}

unsafe extern "C" fn get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: as in `size`; nice-plug asks from one thread.
    let event = unsafe { gate::enter(translator(list), Call::Audio, |list| list.get(index)) };
    event.unwrap_or(ptr::null())
}

#[cfg(test)]
mod tests {
    use clap_sys::fixedpoint::CLAP_SECTIME_FACTOR;

    use super::super::midi::tests::midi;
    use super::super::song::tests::transport;
    use super::super::tests::HostEvents;
    use super::*;

    #[test]
    fn positions_stay_in_place_while_the_next_is_looked_at() {
        let bend = midi(5, [0xe0, 0, 0]);
        let positions = [transport(10, 1), transport(20, 2), transport(30, 3)];
        let host = HostEvents(vec![
            &raw const positions[0].header,
            &raw const bend.header,
            &raw const positions[1].header,
            &raw const positions[2].header,
        ]);
        let host_list = host.list();
        let link = HostLink::default();
        let session = Session::new().0;
        let translator =
            EventTranslator::new(&raw const host_list, Notes::After(&[]), &link, &session);
        let list = translator.list();
        // SAFETY: the lists and all that they lead to live until the end of the test.
        unsafe {
            assert_eq!(size(&raw const list), 4);
            let ask = |index| get(&raw const list, index);
            let seconds = |event: *const clap_event_header| {
                (*event.cast::<clap_event_transport>()).song_pos_seconds / CLAP_SECTIME_FACTOR
            };
            let first = ask(0);
            assert_eq!((*ask(1)).type_, CLAP_EVENT_MIDI_SYSEX);
            let second = ask(2);
            assert_eq!((seconds(first), seconds(second)), (1, 2));
            assert_eq!(ask(2), second);
            let third = ask(3);
            assert_eq!((seconds(second), seconds(third)), (2, 3));
        }
    }

    #[test]
    fn there_are_no_events_in_a_list_that_is_none() {
        let link = HostLink::default();
        let session = Session::new().0;
        let translator = EventTranslator::new(ptr::null(), Notes::After(&[]), &link, &session);
        let list = translator.list();
        // SAFETY: the lists are null, or live until the end of the test.
        unsafe {
            for list in [ptr::null(), &raw const list] {
                assert_eq!(size(list), 0);
                assert!(get(list, 0).is_null());
            }
        }
    }
}
