//! What CLAP hosts send in a block, put into the words that nice-plug understands.
//!
//! - It leaves out the MIDI messages for the pitch wheel and for all notes; here they become a value of
//!   the bend parameter, and a note-off or choke of every note of their channel.
//! - Where it cuts a block at a parameter change, it counts the song's position on from the *block's*
//!   beginning, wherever in the block the host told it; counts only where there is a tempo; and works
//!   the bar out anew, as if the time signature had never changed. So the position is told as of the
//!   block's beginning, with a tempo, and without a time signature, which goes its own way.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::mem::size_of;
use std::ptr;

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI, CLAP_EVENT_NOTE_CHOKE, CLAP_EVENT_NOTE_OFF,
    CLAP_EVENT_PARAM_VALUE, CLAP_EVENT_TRANSPORT, CLAP_TRANSPORT_HAS_BEATS_TIMELINE,
    CLAP_TRANSPORT_HAS_SECONDS_TIMELINE, CLAP_TRANSPORT_HAS_TEMPO,
    CLAP_TRANSPORT_HAS_TIME_SIGNATURE, clap_event_header, clap_event_midi, clap_event_note,
    clap_event_param_value, clap_event_transport, clap_event_type, clap_input_events,
};
use clap_sys::fixedpoint::{CLAP_BEATTIME_FACTOR, CLAP_SECTIME_FACTOR};
use clap_sys::id::clap_id;

use super::HostLink;

const CONTROL_CHANGE: u8 = 0xb0;
const PITCH_BEND: u8 = 0xe0;
const ALL_SOUND_OFF: u8 = 120;
const RESET_ALL_CONTROLLERS: u8 = 121;
const ALL_NOTES_OFF: u8 = 123;
/// Where a pitch wheel rests.
const WHEEL_CENTRE: u16 = 8192;

/// A host's events of one block, translated one by one as nice-plug asks for them, without
/// allocation.
pub struct EventTranslator<'a> {
    host: *const clap_input_events,
    link: &'a HostLink,
    /// CLAP's number of the bend parameter.
    bend: clap_id,
    slots: UnsafeCell<Slots>,
}

/// Where translated events lie while nice-plug looks at them.
struct Slots {
    /// It is done with an event before it asks for the next one,
    message: Option<Message>,
    /// but not with a song position: that holds until the next one, which it looks at before it has
    /// processed what comes before. With each, its index in the host's list.
    positions: [Option<(u32, clap_event_transport)>; 2],
    newest_position: usize,
}

/// A MIDI message as an event that nice-plug understands.
#[derive(Clone, Copy)]
enum Message {
    Value(clap_event_param_value),
    Note(clap_event_note),
}

impl<'a> EventTranslator<'a> {
    /// A translator of `host`'s list, for a plugin whose pitch bend is parameter `bend`.
    pub fn new(host: *const clap_input_events, bend: clap_id, link: &'a HostLink) -> Self {
        Self {
            host,
            link,
            bend,
            slots: UnsafeCell::new(Slots {
                message: None,
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

    /// # Safety
    /// `event` is a valid event of the host's, with `index` in its list; nobody else uses the slots.
    unsafe fn translate(
        &self,
        index: u32,
        event: *const clap_event_header,
    ) -> *const clap_event_header {
        // SAFETY: by the contract above; events of these types are as long as their structs.
        unsafe {
            let slots = self.slots.get();
            match ((*event).space_id, (*event).type_) {
                (CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI) => {
                    let Some(message) = translate_midi(&*event.cast(), self.bend) else {
                        return event;
                    };
                    match (*slots).message.insert(message) {
                        Message::Value(value) => &raw const value.header,
                        Message::Note(note) => &raw const note.header,
                    }
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

unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
    // SAFETY: nice-plug passes the list of a translator, which lives as long as the list.
    unsafe {
        let host = (*(*list).ctx.cast::<EventTranslator<'_>>()).host;
        match host.as_ref().and_then(|host| host.size) {
            Some(size) => size(host),
            None => 0,
        }
    }
}

unsafe extern "C" fn get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: as in `size`; nice-plug asks from one thread.
    unsafe {
        let translator = &*(*list).ctx.cast::<EventTranslator<'_>>();
        let host = translator.host;
        let event = match host.as_ref().and_then(|host| host.get) {
            Some(get) => get(host, index),
            None => ptr::null(),
        };
        if event.is_null() {
            return event;
        }
        translator.translate(index, event)
    }
}

/// What `event` means to a plugin with the bend parameter `bend`, if it is one of the messages that
/// nice-plug does not know.
fn translate_midi(event: &clap_event_midi, bend: clap_id) -> Option<Message> {
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
    let every_note = |type_| {
        Message::Note(clap_event_note {
            header: header_like::<clap_event_note>(&event.header, type_),
            note_id: -1,
            port_index: event.port_index as i16,
            channel: i16::from(status & 0x0f),
            key: -1,
            velocity: 0.0,
        })
    };
    match (status & 0xf0, data1) {
        (PITCH_BEND, low) => {
            let position = u16::from(low & 0x7f) | u16::from(data2 & 0x7f) << 7;
            Some(wheel(position))
        }
        (CONTROL_CHANGE, ALL_SOUND_OFF) => Some(every_note(CLAP_EVENT_NOTE_CHOKE)),
        (CONTROL_CHANGE, ALL_NOTES_OFF) => Some(every_note(CLAP_EVENT_NOTE_OFF)),
        (CONTROL_CHANGE, RESET_ALL_CONTROLLERS) => Some(wheel(WHEEL_CENTRE)),
        _ => None,
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

/// What nice-plug gets of the host's song position; the time signature goes to `link`.
pub fn song_position(event: &clap_event_transport, link: &HostLink) -> clap_event_transport {
    let signature = (f64::from(event.tsig_num), f64::from(event.tsig_denom));
    let known = event.flags & CLAP_TRANSPORT_HAS_TIME_SIGNATURE != 0;
    link.set_time_signature(known.then_some(signature));
    as_of_block_start(event, f64::from(link.sample_rate()))
}

/// The song's position at the beginning of the block in which `event` tells it, in the form in which
/// nice-plug counts on from it rightly. `sample_rate` in Hz.
fn as_of_block_start(event: &clap_event_transport, sample_rate: f64) -> clap_event_transport {
    let mut position = *event;
    position.flags &= !CLAP_TRANSPORT_HAS_TIME_SIGNATURE;
    if position.flags & CLAP_TRANSPORT_HAS_TEMPO == 0 {
        // No tempo to the player, and beats that don't move; but nice-plug counts the seconds.
        position.flags |= CLAP_TRANSPORT_HAS_TEMPO;
        position.tempo = 0.0;
    }
    if sample_rate > 0.0 {
        let seconds = f64::from(event.header.time) / sample_rate;
        let beats = seconds / 60.0 * position.tempo;
        if position.flags & CLAP_TRANSPORT_HAS_SECONDS_TIMELINE != 0 {
            position.song_pos_seconds -= (seconds * CLAP_SECTIME_FACTOR as f64).round() as i64;
        }
        if position.flags & CLAP_TRANSPORT_HAS_BEATS_TIMELINE != 0 {
            position.song_pos_beats -= (beats * CLAP_BEATTIME_FACTOR as f64).round() as i64;
        }
    }
    position
}

#[cfg(test)]
pub mod tests {
    use super::*;

    const BEND: clap_id = 77;

    fn header(type_: clap_event_type, time: u32) -> clap_event_header {
        clap_event_header {
            size: 0,
            time,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_,
            flags: 0,
        }
    }

    /// A MIDI message at sample `time`.
    pub fn midi(time: u32, data: [u8; 3]) -> clap_event_midi {
        clap_event_midi {
            header: header(CLAP_EVENT_MIDI, time),
            port_index: 0,
            data,
        }
    }

    fn transport(time: u32, seconds: i64) -> clap_event_transport {
        clap_event_transport {
            header: header(CLAP_EVENT_TRANSPORT, time),
            flags: CLAP_TRANSPORT_HAS_SECONDS_TIMELINE | CLAP_TRANSPORT_HAS_TIME_SIGNATURE,
            song_pos_beats: 0,
            song_pos_seconds: seconds * CLAP_SECTIME_FACTOR,
            tempo: 0.0,
            tempo_inc: 0.0,
            loop_start_beats: 0,
            loop_end_beats: 0,
            loop_start_seconds: 0,
            loop_end_seconds: 0,
            bar_start: 0,
            bar_number: 0,
            tsig_num: 4,
            tsig_denom: 4,
        }
    }

    /// A host's list.
    pub struct HostEvents(pub Vec<*const clap_event_header>);

    impl HostEvents {
        fn events(&self) -> &[*const clap_event_header] {
            &self.0
        }

        /// As a plugin gets it; good for as long as this stays in place.
        pub fn list(&self) -> clap_input_events {
            unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
                // SAFETY: the list is that of a `HostEvents`.
                unsafe { (*(*list).ctx.cast::<HostEvents>()).events().len() as u32 }
            }
            unsafe extern "C" fn get(
                list: *const clap_input_events,
                index: u32,
            ) -> *const clap_event_header {
                // SAFETY: as above.
                unsafe { (*(*list).ctx.cast::<HostEvents>()).events()[index as usize] }
            }
            clap_input_events {
                ctx: ptr::from_ref(self).cast_mut().cast(),
                size: Some(size),
                get: Some(get),
            }
        }
    }

    fn bend_of(data: [u8; 3]) -> Option<f64> {
        match translate_midi(&midi(3, data), BEND)? {
            Message::Value(value) => {
                assert_eq!((value.header.time, value.param_id), (3, BEND));
                assert_eq!(value.header.type_, CLAP_EVENT_PARAM_VALUE);
                assert_eq!(
                    value.header.size as usize,
                    size_of::<clap_event_param_value>()
                );
                Some(value.value)
            }
            Message::Note(_) => None,
        }
    }

    #[test]
    fn the_wheel_moves_the_bend_and_rests_in_its_middle() {
        assert_eq!(bend_of([0xe0, 0, 0]), Some(0.0));
        assert_eq!(bend_of([0xe5, 0, 64]), Some(0.5));
        assert_eq!(bend_of([0xef, 127, 127]), Some(1.0));
        assert_eq!(bend_of([0xe0, 0, 32]), Some(0.25));
        // Reset all controllers.
        assert_eq!(bend_of([0xb0, 121, 0]), Some(0.5));
    }

    #[test]
    fn all_notes_of_a_channel_end_or_are_choked() {
        for (control, type_) in [(120, CLAP_EVENT_NOTE_CHOKE), (123, CLAP_EVENT_NOTE_OFF)] {
            let Some(Message::Note(note)) = translate_midi(&midi(9, [0xb4, control, 0]), BEND)
            else {
                panic!("{control}");
            };
            assert_eq!((note.header.type_, note.header.time), (type_, 9));
            assert_eq!((note.note_id, note.channel, note.key), (-1, 4, -1));
        }
    }

    #[test]
    fn other_messages_stay_what_they_are() {
        for data in [[0x90, 60, 100], [0x80, 60, 0], [0xb0, 1, 64], [0xd0, 3, 0]] {
            assert!(translate_midi(&midi(0, data), BEND).is_none());
        }
    }

    #[test]
    fn a_position_told_within_a_block_is_counted_back_to_its_beginning() {
        let mut event = transport(24_000, 10);
        let position = as_of_block_start(&event, 48_000.0);
        assert_eq!(position.song_pos_seconds, 19 * CLAP_SECTIME_FACTOR / 2);
        assert_eq!(position.flags & CLAP_TRANSPORT_HAS_TIME_SIGNATURE, 0);
        assert_ne!(position.flags & CLAP_TRANSPORT_HAS_TEMPO, 0);
        assert_eq!(position.tempo, 0.0);
        event.flags |= CLAP_TRANSPORT_HAS_BEATS_TIMELINE | CLAP_TRANSPORT_HAS_TEMPO;
        event.song_pos_beats = 8 * CLAP_BEATTIME_FACTOR;
        event.tempo = 120.0;
        let position = as_of_block_start(&event, 48_000.0);
        assert_eq!(position.song_pos_beats, 7 * CLAP_BEATTIME_FACTOR);
        assert_eq!(position.tempo, 120.0);
    }

    #[test]
    fn the_time_signature_goes_its_own_way() {
        let link = HostLink::default();
        assert_eq!(link.beats_per_bar(), None);
        let mut event = transport(0, 0);
        (event.tsig_num, event.tsig_denom) = (7, 8);
        song_position(&event, &link);
        assert_eq!(link.beats_per_bar(), Some(3.5));
        event.tsig_denom = 0;
        song_position(&event, &link);
        assert_eq!(link.beats_per_bar(), None);
    }

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
        let translator = EventTranslator::new(&raw const host_list, BEND, &link);
        let list = translator.list();
        // SAFETY: the lists and all that they lead to live until the end of the test.
        unsafe {
            assert_eq!(size(&raw const list), 4);
            let ask = |index| get(&raw const list, index);
            let seconds = |event: *const clap_event_header| {
                (*event.cast::<clap_event_transport>()).song_pos_seconds / CLAP_SECTIME_FACTOR
            };
            let first = ask(0);
            assert_eq!((*ask(1)).type_, CLAP_EVENT_PARAM_VALUE);
            let second = ask(2);
            assert_eq!((seconds(first), seconds(second)), (1, 2));
            assert_eq!(ask(2), second);
            let third = ask(3);
            assert_eq!((seconds(second), seconds(third)), (2, 3));
        }
    }
}
