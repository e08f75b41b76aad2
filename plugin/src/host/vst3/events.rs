//! The events of a block as nice-plug gets them: those that came with blocks without sound, which it would have
//! dropped, then what mapped controllers say, then the host's own. Audio thread, but for
//! [`BlockEvents::new`].

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::Event_::EventTypes_::{
    kDataEvent, kNoteExpressionValueEvent, kNoteOffEvent, kNoteOnEvent, kPolyPressureEvent,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    Event, IEventList, IEventListTrait, IParamValueQueueTrait, IParameterChanges,
    IParameterChangesTrait, PolyPressureEvent,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    int32, kInvalidArgument, kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComRef, ComWrapper};

use super::expressions;
use super::mapped::{Mapped, MappedValues};
use crate::channel_messages::{Bytes, ChannelMessage};
use crate::host::backlog::{CAPACITY, Carried, push, replace, thin};

/// A type of events that nobody knows.
const UNKNOWN: u16 = u16::MAX - 1;

/// The events of the blocks of a component.
pub struct BlockEvents {
    list: ComWrapper<List>,
    /// The same, as nice-plug gets it.
    interface: ComPtr<IEventList>,
}

/// A list of ours before that of a host.
struct List {
    /// Only the audio thread locks it while blocks are processed.
    kept: Mutex<Kept>,
    /// The host's list of the block that is processed, or null.
    host: AtomicPtr<IEventList>,
}

/// What lies here while nice-plug looks at a list.
struct Kept {
    earlier: Vec<Earlier>,
    /// The last event of the host's that became one of ours. nice-plug is done with it before it asks for the next.
    translated: Option<Earlier>,
}

impl Class for List {
    type Interfaces = (IEventList,);
}

/// An event before the host's own.
#[derive(Clone, Copy)]
enum Earlier {
    /// Of a block without sound.
    Note(Event),
    /// What is said to a channel or a note, at a sample of the block.
    Message {
        message: ChannelMessage,
        bytes: Bytes,
        sample: int32,
        /// Its place among those of the sample.
        turn: Turn,
    },
}

/// A place among messages of one sample, as far as queues of parameters tell: which of its queue's points for the
/// sample it is, and which queue. In turns, what chooses a parameter comes before its value, and what chooses none
/// after.
type Turn = (u32, int32);

/// The turn of what comes before all queues of a block.
const CARRIED: Turn = (0, -1);

impl Earlier {
    fn message(message: ChannelMessage, sample: int32, turn: Turn) -> Self {
        Self::Message {
            message,
            bytes: message.bytes(),
            sample,
            turn,
        }
    }

    /// An event of a host's, if it is for notes, and holds all that it means.
    fn of_host(event: &Event) -> Option<Self> {
        let kinds = [kNoteOnEvent, kNoteOffEvent, kPolyPressureEvent];
        if kinds.iter().any(|&kind| kind as u16 == event.r#type) {
            return Some(Self::Note(*event));
        }
        let expression = Self::expression(event)?;
        Some(Self::message(expression, event.sampleOffset, CARRIED))
    }

    /// The note expression that an event is. nice-plug would forget which note it is for after thirty-two others,
    /// or take another of the same number.
    fn expression(event: &Event) -> Option<ChannelMessage> {
        if event.r#type != kNoteExpressionValueEvent as u16 {
            return None;
        }
        // SAFETY: the type says that it is one.
        expressions::message(unsafe { &event.__field0.noteExpressionValue })
    }

    /// The same at the beginning of a block.
    fn at_once(mut self) -> Self {
        match &mut self {
            Self::Note(event) => event.sampleOffset = 0,
            Self::Message { sample, turn, .. } => (*sample, *turn) = (0, CARRIED),
        }
        self
    }

    /// When it comes among others.
    fn time(&self) -> (int32, Turn) {
        match self {
            Self::Note(event) => (event.sampleOffset, CARRIED),
            Self::Message { sample, turn, .. } => (*sample, *turn),
        }
    }

    /// Whether it came with a block without sound.
    fn is_carried(&self) -> bool {
        self.time().1 == CARRIED
    }

    /// The key that it presses harder, if it does.
    fn pressure(&self) -> Option<PolyPressureEvent> {
        match self {
            Self::Note(event) if event.r#type == kPolyPressureEvent as u16 => {
                // SAFETY: the type says that it is one.
                Some(unsafe { event.__field0.polyPressure })
            }
            _ => None,
        }
    }

    /// The event as it stands in a list; its bytes are good until this moves.
    fn event(&self) -> Event {
        match self {
            Self::Note(event) => *event,
            Self::Message { bytes, sample, .. } => {
                let mut event = unknown();
                event.sampleOffset = *sample;
                event.r#type = kDataEvent as u16;
                event.__field0.data.size = bytes.len() as u32;
                // 0 is system-exclusive.
                event.__field0.data.r#type = 0;
                event.__field0.data.bytes = bytes.as_ptr();
                event
            }
        }
    }
}

impl Carried for Earlier {
    fn of_message(message: ChannelMessage) -> Option<Self> {
        Some(Self::message(message, 0, CARRIED))
    }

    fn replaces(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Message { message, .. }, Self::Message { message: of, .. }) => {
                message.replaces(of)
            }
            _ => {
                let key = |e: PolyPressureEvent| (e.channel, e.pitch, e.noteId);
                let of = earlier.pressure().map(key);
                of.is_some() && self.pressure().map(key) == of
            }
        }
    }

    fn is_place(&self) -> bool {
        matches!(
            self,
            Self::Message {
                message: ChannelMessage::Moved { .. },
                ..
            }
        )
    }
}

/// An event that means nothing.
fn unknown() -> Event {
    // SAFETY: all zeros are an event.
    let mut event: Event = unsafe { std::mem::zeroed() };
    event.r#type = UNKNOWN;
    event
}

/// An event with room behind it: hosts copy the event as they know it, which was seen to be larger than ours.
#[repr(C)]
struct Roomy {
    event: Event,
    room: [u8; EVENT_ROOM],
}

/// Bytes behind an event that a host may write to: as many as an event has.
const EVENT_ROOM: usize = size_of::<Event>();

/// An event of a host's list, if it gives one.
///
/// # Safety
/// The list is valid.
unsafe fn take_event(events: ComRef<'_, IEventList>, index: int32) -> Option<Event> {
    let mut roomy = Roomy {
        event: unknown(),
        room: [0; EVENT_ROOM],
    };
    // SAFETY: by the contract above; the event is the first field, so that a pointer to the whole is one to it, and
    // may be used for all of it.
    let result = unsafe { events.getEvent(index, (&raw mut roomy).cast()) };
    (result == kResultOk).then_some(roomy.event)
}

impl BlockEvents {
    /// No events yet; `None` if the list can't be made. Allocates the room for all that there will ever be.
    pub fn new() -> Option<Self> {
        let list = ComWrapper::new(List {
            kept: Mutex::new(Kept {
                earlier: Vec::with_capacity(CAPACITY),
                translated: None,
            }),
            host: AtomicPtr::new(ptr::null_mut()),
        });
        let interface = list.to_com_ptr::<IEventList>()?;
        Some(Self { list, interface })
    }

    /// Takes in what a block brings: `changes` of parameters, of which those that stand for controllers go to
    /// `values`, and the host's `events`. Where the block `has_sound`, returns the list for nice-plug, good until
    /// [`end`](Self::end); else keeps them for the next one, and returns null.
    ///
    /// # Safety
    /// The lists are null, or valid for the block.
    pub unsafe fn begin(
        &self,
        changes: *mut IParameterChanges,
        events: *mut IEventList,
        has_sound: bool,
        values: &MappedValues,
    ) -> *mut IEventList {
        let mut kept = self.list.kept();
        let earlier = &mut kept.earlier;
        // SAFETY: by the contract above.
        unsafe {
            each_message(changes, values, |message| push(earlier, message));
            // What was carried has its order.
            let carried = earlier.iter().take_while(|event| event.is_carried());
            let carried = carried.count();
            earlier[carried..].sort_unstable_by_key(Earlier::time);
            if has_sound {
                self.list.host.store(events, Ordering::Relaxed);
                return self.interface.as_ptr();
            }
            // All of it at the beginning of the block to come, and there of what moves the last place.
            for event in &mut *earlier {
                *event = event.at_once();
            }
            thin(earlier);
            if let Some(events) = ComRef::from_raw(events) {
                for index in 0..events.getEventCount() {
                    let event = take_event(events, index);
                    if let Some(event) = event.and_then(|event| Earlier::of_host(&event)) {
                        replace(earlier, event.at_once());
                    }
                }
            }
        }
        ptr::null_mut()
    }

    /// The block is over; nice-plug has its events if it `had_sound`.
    pub fn end(&self, had_sound: bool) {
        self.list.host.store(ptr::null_mut(), Ordering::Relaxed);
        if had_sound {
            self.clear();
        }
    }

    /// Forgets what is kept: the notes that it was for are gone.
    pub fn clear(&self) {
        self.list.kept().earlier.clear();
    }
}

/// Calls `work` for everything that mapped controllers say, and keeps their last `values`.
///
/// # Safety
/// `changes` is null, or valid for the block.
unsafe fn each_message(
    changes: *mut IParameterChanges,
    values: &MappedValues,
    mut work: impl FnMut(Earlier),
) {
    // SAFETY: by the contract above.
    unsafe {
        let Some(changes) = ComRef::from_raw(changes) else {
            return;
        };
        for index in 0..changes.getParameterCount() {
            let Some(queue) = ComRef::from_raw(changes.getParameterData(index)) else {
                continue;
            };
            let Some(mapped) = Mapped::of_id(queue.getParameterId()) else {
                continue;
            };
            let (mut turn, mut last_sample) = (0, -1);
            for point in 0..queue.getPointCount() {
                let (mut sample, mut value) = (0, 0.0);
                if queue.getPoint(point, &mut sample, &mut value) != kResultOk {
                    continue;
                }
                let sample = sample.max(0);
                turn = if sample == last_sample { turn + 1 } else { 0 };
                last_sample = sample;
                values.set(mapped, value);
                if let Some(message) = mapped.message(value) {
                    work(Earlier::message(message, sample, (turn, index)));
                }
            }
        }
    }
}

impl List {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host's list.
    ///
    /// # Safety
    /// Within the block that the host gave it with.
    unsafe fn host(&self) -> Option<ComRef<'_, IEventList>> {
        // SAFETY: by the contract above.
        unsafe { ComRef::from_raw(self.host.load(Ordering::Relaxed)) }
    }
}

impl IEventListTrait for List {
    unsafe fn getEventCount(&self) -> int32 {
        let earlier = self.kept().earlier.len() as int32;
        // SAFETY: nice-plug asks within the block.
        let host = unsafe { self.host() };
        // SAFETY: as above.
        earlier.saturating_add(host.map_or(0, |host| unsafe { host.getEventCount().max(0) }))
    }

    unsafe fn getEvent(&self, index: int32, event: *mut Event) -> tresult {
        if event.is_null() || index < 0 {
            return kInvalidArgument;
        }
        let mut kept = self.kept();
        // SAFETY: the pointer is not null, and nice-plug asks within the block. It reads the event whatever
        // comes back, so there always is one.
        unsafe {
            if let Some(earlier) = kept.earlier.get(index as usize) {
                event.write(earlier.event());
                return kResultOk;
            }
            let Some(host) = self.host() else {
                event.write(unknown());
                return kResultFalse;
            };
            let place = index - kept.earlier.len() as int32;
            let mut given = take_event(host, place).unwrap_or_else(unknown);
            if given.r#type == kDataEvent as u16 {
                // System-exclusive messages of others mean nothing to us.
                given = unknown();
            } else if given.r#type == kNoteExpressionValueEvent as u16 {
                kept.translated = Earlier::of_host(&given);
                let ours = kept.translated.as_ref();
                given = ours.map_or_else(unknown, Earlier::event);
            }
            event.write(given);
            kResultOk
        }
    }

    unsafe fn addEvent(&self, _event: *mut Event) -> tresult {
        kResultFalse
    }
}
