//! The events of a block as nice-plug gets them: those that came with blocks without sound, which it would have
//! dropped, then what mapped controllers say, then the host's own. Audio thread, but for
//! [`BlockEvents::new`].

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::Event_::EventTypes_::{
    kDataEvent, kNoteExpressionValueEvent, kNoteOffEvent, kNoteOnEvent,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    Event, IEventList, IEventListTrait, IParamValueQueueTrait, IParameterChanges,
    IParameterChangesTrait,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    int32, kInvalidArgument, kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComRef, ComWrapper};

use super::mapped::{Mapped, MappedValues};
use crate::channel_messages::{Bytes, CHANNELS, ChannelMessage};

/// Events before the host's own, at most.
const CAPACITY: usize = 1024;
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
    earlier: Mutex<Vec<Earlier>>,
    /// The host's list of the block that is processed, or null.
    host: AtomicPtr<IEventList>,
}

impl Class for List {
    type Interfaces = (IEventList,);
}

/// An event before the host's own.
#[derive(Clone, Copy)]
enum Earlier {
    /// Of a block without sound.
    Note(Event),
    /// What is said to a channel, at a sample of the block.
    Message { bytes: Bytes, sample: int32 },
}

impl Earlier {
    fn message(message: ChannelMessage, sample: int32) -> Self {
        let bytes = message.bytes();
        Self::Message { bytes, sample }
    }

    /// The same at the beginning of a block.
    fn at_once(mut self) -> Self {
        match &mut self {
            Self::Note(event) => event.sampleOffset = 0,
            Self::Message { sample, .. } => *sample = 0,
        }
        self
    }

    /// The event as it stands in a list; its bytes are good until this moves.
    fn event(&self) -> Event {
        match self {
            Self::Note(event) => *event,
            Self::Message { bytes, sample } => {
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

/// An event that means nothing.
fn unknown() -> Event {
    // SAFETY: all zeros are an event.
    let mut event: Event = unsafe { std::mem::zeroed() };
    event.r#type = UNKNOWN;
    event
}

impl BlockEvents {
    /// No events yet; `None` if the list can't be made. Allocates the room for all that there will ever be.
    pub fn new() -> Option<Self> {
        let list = ComWrapper::new(List {
            earlier: Mutex::new(Vec::with_capacity(CAPACITY)),
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
        let mut earlier = self.list.earlier();
        // SAFETY: by the contract above.
        unsafe {
            each_message(changes, values, |message, sample| {
                let message = Earlier::message(message, sample);
                push(
                    &mut earlier,
                    if has_sound {
                        message
                    } else {
                        message.at_once()
                    },
                );
            });
            if has_sound {
                self.list.host.store(events, Ordering::Relaxed);
                return self.interface.as_ptr();
            }
            if let Some(events) = ComRef::from_raw(events) {
                for index in 0..events.getEventCount() {
                    let mut event = unknown();
                    let result = events.getEvent(index, &mut event);
                    if result == kResultOk && is_for_notes(&event) {
                        push(&mut earlier, Earlier::Note(event).at_once());
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
        self.list.earlier().clear();
    }
}

/// Whether an event is for notes, and holds all that it means.
fn is_for_notes(event: &Event) -> bool {
    [kNoteOnEvent, kNoteOffEvent, kNoteExpressionValueEvent]
        .iter()
        .any(|&kind| kind as u16 == event.r#type)
}

/// Never beyond the capacity, so that nothing is allocated: where there are too many events, what was kept before
/// becomes the end of all notes.
fn push(earlier: &mut Vec<Earlier>, event: Earlier) {
    if earlier.len() == CAPACITY {
        earlier.clear();
        let ends = (0..CHANNELS).flat_map(ChannelMessage::ends_of_everything);
        earlier.extend(ends.map(|message| Earlier::message(message, 0)));
    }
    earlier.push(event);
}

/// Calls `work` for everything that mapped controllers say, with the sample at which they do.
///
/// # Safety
/// `changes` is null, or valid for the block.
unsafe fn each_message(
    changes: *mut IParameterChanges,
    values: &MappedValues,
    mut work: impl FnMut(ChannelMessage, int32),
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
            for point in 0..queue.getPointCount() {
                let (mut sample, mut value) = (0, 0.0);
                if queue.getPoint(point, &mut sample, &mut value) != kResultOk {
                    continue;
                }
                values.set(mapped, value);
                if let Some(message) = mapped.message(value) {
                    work(message, sample.max(0));
                }
            }
        }
    }
}

impl List {
    fn earlier(&self) -> MutexGuard<'_, Vec<Earlier>> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
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
        let earlier = self.earlier().len() as int32;
        // SAFETY: nice-plug asks within the block.
        let host = unsafe { self.host() };
        // SAFETY: as above.
        earlier.saturating_add(host.map_or(0, |host| unsafe { host.getEventCount().max(0) }))
    }

    unsafe fn getEvent(&self, index: int32, event: *mut Event) -> tresult {
        if event.is_null() || index < 0 {
            return kInvalidArgument;
        }
        let earlier = self.earlier();
        // SAFETY: the pointer is not null, and nice-plug asks within the block. It reads the event whatever
        // comes back, so there always is one.
        unsafe {
            if let Some(earlier) = earlier.get(index as usize) {
                event.write(earlier.event());
                return kResultOk;
            }
            event.write(unknown());
            let Some(host) = self.host() else {
                return kResultFalse;
            };
            let result = host.getEvent(index - earlier.len() as int32, event);
            // System-exclusive messages of others mean nothing to us.
            if result != kResultOk || (*event).r#type == kDataEvent as u16 {
                event.write(unknown());
            }
            kResultOk
        }
    }

    unsafe fn addEvent(&self, _event: *mut Event) -> tresult {
        kResultFalse
    }
}
