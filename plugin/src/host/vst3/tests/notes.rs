//! Notes, and what ends them, as events and by mapped controllers, with sound and without.

use std::cell::RefCell;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::Event_::EventTypes_::{
    kNoteExpressionValueEvent, kNoteOffEvent, kNoteOnEvent, kPolyPressureEvent,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, Event, IEventList, IEventListTrait, IParamValueQueue,
    IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, NoteExpressionValueEvent,
    NoteOffEvent, NoteOnEvent, ParamID, ParamValue, PolyPressureEvent,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{int32, tresult};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};

use weft_core::instrument::{NoteAddress, NoteControl};

use super::super::adapter::Adapter;
use super::super::mapped::Mapped;
use super::*;
use crate::host::performance::{
    Hands, Midi, assert_three_voices, every_controller, for_as_long_as_asked, last_bend_st,
    meaning, registered, three_voices, wheel,
};
use crate::plugin::events::{Deed, log};
use crate::roles::Synth;

const FRAMES: usize = 64;
/// Blocks in which a released note is over.
const RELEASE: usize = 600;

/// A host's list of events.
struct HostEvents(RefCell<Vec<Event>>);

impl Class for HostEvents {
    type Interfaces = (IEventList,);
}

impl IEventListTrait for HostEvents {
    unsafe fn getEventCount(&self) -> int32 {
        self.0.borrow().len() as int32
    }
    unsafe fn getEvent(&self, index: int32, event: *mut Event) -> tresult {
        // SAFETY: the caller's pointer.
        unsafe { event.write(self.0.borrow()[index as usize]) };
        kResultOk
    }
    unsafe fn addEvent(&self, _event: *mut Event) -> tresult {
        kResultFalse
    }
}

/// Values of one parameter, each at a sample of the block.
struct Changes(ParamID, Vec<(int32, ParamValue)>);

impl Class for Changes {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Changes {
    unsafe fn getParameterId(&self) -> ParamID {
        self.0
    }
    unsafe fn getPointCount(&self) -> int32 {
        self.1.len() as int32
    }
    unsafe fn getPoint(&self, index: int32, sample: *mut int32, value: *mut ParamValue) -> tresult {
        let point = self.1[index as usize];
        // SAFETY: the caller's pointers.
        unsafe {
            sample.write(point.0);
            value.write(point.1);
        }
        kResultOk
    }
    unsafe fn addPoint(&self, _sample: int32, _value: ParamValue, _index: *mut int32) -> tresult {
        kResultFalse
    }
}

/// A host's list of changes.
struct HostChanges(Vec<ComPtr<IParamValueQueue>>);

impl Class for HostChanges {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for HostChanges {
    unsafe fn getParameterCount(&self) -> int32 {
        self.0.len() as int32
    }
    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        self.0[index as usize].as_ptr()
    }
    unsafe fn addParameterData(
        &self,
        _id: *const ParamID,
        _index: *mut int32,
    ) -> *mut IParamValueQueue {
        ptr::null_mut()
    }
}

/// What a block leads its sound to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outputs {
    Stereo,
    /// As Live bypasses a device.
    NoChannels,
    None,
}

/// A channel, VST3's number of a controller, and its value.
type Moved = (u8, u8, u16);

/// The sample at which all of them come.
const SAMPLE: int32 = 3;
/// VST3's numbers of pressure and wheel.
const PRESSURE: u8 = 128;
const WHEEL: u8 = 129;

/// A component that processes.
struct Processing(Adapter<Synth>);

impl Processing {
    fn new() -> Self {
        let adapter = Adapter::<Synth>::create().expect("a component");
        // SAFETY: the calls follow VST3's order, with pointers that are null or valid.
        unsafe {
            let mut setup = ProcessSetup {
                processMode: 0,
                symbolicSampleSize: 0,
                maxSamplesPerBlock: FRAMES as int32,
                sampleRate: 48_000.0,
            };
            assert_eq!(adapter.initialize(ptr::null_mut()), kResultOk);
            assert_eq!(adapter.setupProcessing(&mut setup), kResultOk);
            assert_eq!(adapter.setActive(1), kResultOk);
            assert_eq!(adapter.setProcessing(1), kResultOk);
        }
        Self(adapter)
    }

    fn block(&self, frames: usize, outputs: Outputs, events: &[Event], changes: &[Moved]) {
        let mut channels = [[0.0f32; FRAMES]; 2];
        let mut pointers = channels.each_mut().map(|channel| channel.as_mut_ptr());
        let has_channels = outputs == Outputs::Stereo;
        let mut bus = AudioBusBuffers {
            numChannels: if has_channels { 2 } else { 0 },
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 {
                channelBuffers32: if has_channels {
                    pointers.as_mut_ptr()
                } else {
                    ptr::null_mut()
                },
            },
        };
        let list = ComWrapper::new(HostEvents(RefCell::new(events.to_vec())));
        let list = list.to_com_ptr::<IEventList>().unwrap();
        // One queue for each parameter, in the order in which they come.
        let mut queues: Vec<Changes> = Vec::new();
        for &(channel, controller, value) in changes {
            let most = if controller == WHEEL { 16_383.0 } else { 127.0 };
            let id = self.parameter(channel, controller);
            let point = (SAMPLE, f64::from(value) / most);
            match queues.iter_mut().find(|queue| queue.0 == id) {
                Some(queue) => queue.1.push(point),
                None => queues.push(Changes(id, vec![point])),
            }
        }
        let queues = queues.into_iter().map(|queue| {
            let queue = ComWrapper::new(queue);
            queue.to_com_ptr().unwrap()
        });
        let changes = ComWrapper::new(HostChanges(queues.collect()));
        let changes = changes.to_com_ptr::<IParameterChanges>().unwrap();
        let has_bus = outputs != Outputs::None;
        // SAFETY: all zeros are a block without anything; what it leads to lives until the end.
        unsafe {
            let mut data: ProcessData = std::mem::zeroed();
            data.numSamples = frames as int32;
            data.numOutputs = int32::from(has_bus);
            data.outputs = if has_bus { &mut bus } else { ptr::null_mut() };
            data.inputEvents = list.as_ptr();
            data.inputParameterChanges = changes.as_ptr();
            assert_eq!(self.0.process(&mut data), kResultOk);
        }
    }

    /// The parameter to which a host maps a controller.
    fn parameter(&self, channel: u8, controller: u8) -> ParamID {
        let mut id = 0;
        let (channel, controller) = (i16::from(channel), CtrlNumber::from(controller));
        // SAFETY: a valid pointer.
        let assigned = unsafe {
            self.0
                .getMidiControllerAssignment(0, channel, controller, &mut id)
        };
        assert_eq!(assigned, kResultOk);
        id
    }

    /// Events and controllers in a block with sound.
    fn play(&self, events: &[Event], changes: &[Moved]) {
        self.block(FRAMES, Outputs::Stereo, events, changes);
    }

    /// MIDI messages one after the other, each in a block of its own, as a host that hands them on sends them.
    fn script(&self, frames: usize, outputs: Outputs, script: &[Midi]) {
        for message in script {
            let (event, moved) = in_vst3(*message);
            let is_mapped = moved.is_some_and(|moved| self.is_mapped(moved));
            let moved = moved.filter(|_| is_mapped);
            self.block(frames, outputs, event.as_slice(), moved.as_slice());
        }
    }

    fn is_mapped(&self, (channel, controller, _): Moved) -> bool {
        Mapped::of_controller(channel.into(), controller.into()).is_some()
    }

    /// How many notes sound after what was released is over.
    fn sounding(&self) -> u32 {
        (0..RELEASE).for_each(|_| self.play(&[], &[]));
        self.0.instance.session.status().voices
    }
}

impl Drop for Processing {
    fn drop(&mut self) {
        // SAFETY: the calls follow VST3's order.
        unsafe {
            self.0.setProcessing(0);
            self.0.setActive(0);
            self.0.terminate();
        }
    }
}

fn on(channel: u8, key: u8, velocity: f32) -> Event {
    // SAFETY: all zeros are an event.
    let mut event: Event = unsafe { std::mem::zeroed() };
    event.r#type = kNoteOnEvent as u16;
    event.__field0.noteOn = NoteOnEvent {
        channel: i16::from(channel),
        pitch: i16::from(key),
        tuning: 0.0,
        velocity,
        length: 0,
        noteId: -1,
    };
    event
}

fn off(channel: u8, key: u8) -> Event {
    // SAFETY: all zeros are an event.
    let mut event: Event = unsafe { std::mem::zeroed() };
    event.r#type = kNoteOffEvent as u16;
    event.__field0.noteOff = NoteOffEvent {
        channel: i16::from(channel),
        pitch: i16::from(key),
        velocity: 0.0,
        noteId: -1,
        tuning: 0.0,
    };
    event
}

/// Pressure on one key.
fn pressed(channel: u8, key: u8, pressure: f32) -> Event {
    // SAFETY: all zeros are an event.
    let mut event: Event = unsafe { std::mem::zeroed() };
    event.r#type = kPolyPressureEvent as u16;
    event.__field0.polyPressure = PolyPressureEvent {
        channel: i16::from(channel),
        pitch: i16::from(key),
        pressure,
        noteId: -1,
    };
    event
}

/// What VST3 has for a MIDI message.
fn in_vst3([status, data1, data2]: Midi) -> (Option<Event>, Option<Moved>) {
    let channel = status & 0x0f;
    let share = f32::from(data2) / 127.0;
    match status & 0xf0 {
        0x90 => (Some(on(channel, data1, share)), None),
        0x80 => (Some(off(channel, data1)), None),
        0xa0 => (Some(pressed(channel, data1, share)), None),
        0xd0 => (None, Some((channel, PRESSURE, data1.into()))),
        0xe0 => {
            let position = u16::from(data2) * 128 + u16::from(data1);
            (None, Some((channel, WHEEL, position)))
        }
        _ => (None, Some((channel, data1, data2.into()))),
    }
}

#[test]
fn mapped_controllers_end_notes_and_pedals_hold_them() {
    let weft = Processing::new();
    weft.play(&[on(0, 60, 0.8)], &[(0, 64, 64)]);
    // Another channel's pedal.
    weft.play(&[off(0, 60)], &[(1, 64, 0)]);
    assert_eq!(weft.sounding(), 1);
    weft.play(&[], &[(0, 64, 63)]);
    assert_eq!(weft.sounding(), 0);
    weft.play(&[on(0, 60, 0.8)], &[]);
    weft.play(&[], &[(0, 66, 127)]);
    weft.play(&[on(0, 62, 0.8)], &[]);
    weft.play(&[on(0, 60, 0.0), on(0, 62, 0.0)], &[]);
    assert_eq!(weft.sounding(), 1);
    weft.play(&[], &[(0, 121, 0)]);
    assert_eq!(weft.sounding(), 0);
    for mode in 123..128 {
        weft.play(&[on(0, 60, 0.8), on(1, 60, 0.8)], &[]);
        weft.play(&[], &[(0, mode, 0)]);
        assert_eq!(weft.sounding(), 1, "{mode}");
        weft.play(&[], &[(1, 120, 0)]);
        assert_eq!(weft.sounding(), 0);
    }
}

#[test]
fn what_comes_without_sound_is_obeyed() {
    let silent = [
        (0, Outputs::Stereo),
        (0, Outputs::None),
        (FRAMES, Outputs::NoChannels),
        (FRAMES, Outputs::None),
    ];
    for (frames, outputs) in silent {
        let weft = Processing::new();
        weft.block(frames, outputs, &[on(0, 60, 0.8)], &[]);
        assert_eq!(weft.sounding(), 1, "{frames} {outputs:?}");
        weft.block(frames, outputs, &[off(0, 60)], &[(0, 64, 127)]);
        assert_eq!(weft.sounding(), 1, "{frames} {outputs:?}");
        weft.block(frames, outputs, &[], &[(0, 64, 0)]);
        assert_eq!(weft.sounding(), 0, "{frames} {outputs:?}");
        // What was kept is gone with the notes that it was for.
        weft.block(frames, outputs, &[on(0, 60, 0.8)], &[]);
        // SAFETY: as a host does.
        unsafe {
            assert_eq!(weft.0.setProcessing(0), kResultOk);
            assert_eq!(weft.0.setProcessing(1), kResultOk);
        }
        assert_eq!(weft.sounding(), 0, "{frames} {outputs:?}");
    }
}

#[test]
fn too_many_events_without_sound_leave_no_note() {
    let weft = Processing::new();
    weft.play(&[on(0, 60, 0.8)], &[(0, 64, 127)]);
    for key in 0..128 {
        let notes: Vec<_> = (0..16)
            .flat_map(|c| [on(c, key, 0.5), off(c, key)])
            .collect();
        weft.block(0, Outputs::None, &notes, &[]);
    }
    weft.block(0, Outputs::None, &[on(0, 60, 0.8)], &[]);
    assert_eq!(weft.sounding(), 1);
}

#[test]
fn parameters_of_controllers_are_hidden_and_no_others_have_their_numbers() {
    let controller = controller();
    // SAFETY: valid ids and pointers.
    unsafe {
        assert_eq!(
            controller
                .cast::<IComponent>()
                .unwrap()
                .initialize(ptr::null_mut()),
            kResultOk
        );
        let count = controller.getParameterCount();
        let mut hidden = 0;
        for index in 0..count {
            let mut info: ParameterInfo = std::mem::zeroed();
            assert_eq!(controller.getParameterInfo(index, &mut info), kResultOk);
            let is_last = index >= count - Mapped::COUNT;
            assert_eq!(Mapped::of_id(info.id).is_some(), is_last, "{index}");
            if is_last {
                // Hidden, and neither automatable nor anything else.
                assert_eq!(info.flags, 1 << 4);
                assert_eq!(controller.setParamNormalized(info.id, 1.0), kResultOk);
                assert_eq!(controller.getParamNormalized(info.id), 1.0);
                let most = controller.normalizedParamToPlain(info.id, 1.0);
                assert!([127.0, 16_383.0].contains(&most), "{most}");
                assert_eq!(controller.plainParamToNormalized(info.id, most), 1.0);
                hidden += 1;
            }
        }
        // Sixteen of each channel.
        assert_eq!(hidden, 256);
        let mut info: ParameterInfo = std::mem::zeroed();
        for beyond in [-1, count, count + 1] {
            assert_eq!(
                controller.getParameterInfo(beyond, &mut info),
                kInvalidArgument
            );
        }
    }
}

#[test]
fn every_controller_means_what_midi_says() {
    let weft = Processing::new();
    let script = every_controller();
    log::take();
    weft.script(FRAMES, Outputs::Stereo, &script);
    assert_eq!(log::take(), meaning(&script));
}

#[test]
fn three_voices_of_an_mpe_keyboard_have_hands_of_their_own() {
    let weft = Processing::new();
    log::take();
    weft.script(FRAMES, Outputs::Stereo, &three_voices());
    let deeds = log::take();
    assert_eq!(deeds, meaning(&three_voices()));
    assert_three_voices(&deeds);
}

#[test]
fn messages_of_one_sample_keep_the_order_that_they_make_sense_in() {
    let changes = |script: &[Midi]| -> Vec<Moved> {
        script
            .iter()
            .filter_map(|message| in_vst3(*message).1)
            .collect()
    };
    let weft = Processing::new();
    log::take();
    // A zone, and then no parameter; both ends of the choice are in the same queues.
    weft.play(&[], &changes(&registered(0, 6, 15)));
    weft.play(&[], &changes(&registered(1, 0, 24)));
    let mut note = on(1, 60, 0.5);
    note.sampleOffset = SAMPLE;
    weft.play(&[note], &changes(&[wheel(1, 0.5), [0xb1, 6, 7]]));
    let deeds = log::take();
    let bend = last_bend_st(&deeds, 1).unwrap();
    assert!((bend - 12.0).abs() < 0.01, "{bend}");
    // The bend is there when the note begins.
    assert!(matches!(deeds.last(), Some(Deed::NoteOn(..))));
}

#[test]
fn more_places_than_there_is_room_for_end_no_note() {
    let weft = Processing::new();
    weft.play(&[on(1, 60, 0.8)], &[]);
    let moved: Vec<Moved> = (0..10_000)
        .map(|at| (1 + at as u8 % 3, WHEEL, at))
        .collect();
    weft.play(&[], &moved);
    weft.block(0, Outputs::None, &[], &moved);
    log::take();
    weft.play(&[], &[]);
    // Three places are left of those without sound.
    assert_eq!(log::take().len(), 3);
    assert_eq!(weft.sounding(), 1);
}

#[test]
fn of_what_moves_without_sound_the_last_place_is_there() {
    let weft = Processing::new();
    log::take();
    weft.script(0, Outputs::None, &three_voices());
    for step in 0..1_000 {
        let share = f64::from(step) / 1_000.0;
        weft.script(0, Outputs::None, &[wheel(2, share), [0xa0, 60, 9]]);
    }
    weft.script(0, Outputs::None, &[wheel(2, -0.25)]);
    assert_eq!(log::take(), []);
    weft.play(&[], &[]);
    let deeds = log::take();
    assert!(deeds.len() < 200, "{}", deeds.len());
    assert_eq!(last_bend_st(&deeds, 2), Some(-12.0 + 2.0));
    assert_eq!(last_bend_st(&deeds, 3).map(f32::round), Some(9.0));
    let notes = deeds.iter().filter(|deed| matches!(deed, Deed::NoteOn(..)));
    assert_eq!(notes.count(), 3);
}

#[test]
fn note_expressions_find_their_notes_by_number_alone() {
    let weft = Processing::new();
    let expression = |id, value| {
        // SAFETY: all zeros are an event.
        let mut event: Event = unsafe { std::mem::zeroed() };
        event.r#type = kNoteExpressionValueEvent as u16;
        event.__field0.noteExpressionValue = NoteExpressionValueEvent {
            typeId: id,
            noteId: 7,
            value,
        };
        event
    };
    let numbered = |key, id| {
        let mut event = on(0, key, 0.5);
        event.__field0.noteOn.noteId = id;
        event
    };
    // More notes since than anybody remembers, one of them under the same number before.
    weft.play(&[numbered(50, 7), off(0, 50), numbered(60, 7)], &[]);
    for key in 0..40 {
        weft.play(&[numbered(key, 100 + i32::from(key)), off(0, key)], &[]);
    }
    let events = [
        expression(2, 0.5 + 12.0 / 240.0),
        expression(5, 1.0),
        expression(4, 1.0),
        expression(100_000, 0.75),
    ];
    let note = NoteAddress {
        note_id: Some(7),
        ..NoteAddress::default()
    };
    let expected = [
        Deed::Control(note, NoteControl::Tuning, 12.0),
        Deed::Control(note, NoteControl::Timbre, 1.0),
        Deed::Control(note, NoteControl::Pressure, 0.75),
    ];
    log::take();
    weft.play(&events, &[]);
    assert_eq!(log::take(), expected);
    weft.block(0, Outputs::None, &events, &[]);
    assert_eq!(log::take(), []);
    weft.play(&[], &[]);
    assert_eq!(log::take(), expected);
}

#[test]
fn random_messages_in_random_calls_leave_no_note() {
    let weft = Processing::new();
    for_as_long_as_asked(|seed| {
        let mut hands = Hands::new(seed);
        for _ in 0..2_500 {
            let (frames, outputs) = match hands.any(6) {
                0 => (0, Outputs::Stereo),
                1 => (FRAMES, Outputs::None),
                2 => (FRAMES, Outputs::NoChannels),
                _ => (FRAMES, Outputs::Stereo),
            };
            let messages = (0..4).map(|_| in_vst3(hands.message()));
            let (events, moved): (Vec<_>, Vec<_>) = messages.unzip();
            let events: Vec<_> = events.into_iter().flatten().collect();
            let moved = moved.into_iter().flatten();
            let moved: Vec<_> = moved.filter(|moved| weft.is_mapped(*moved)).collect();
            weft.block(frames, outputs, &events, &moved);
            log::take();
        }
        weft.script(0, Outputs::Stereo, &Hands::leave());
        assert_eq!(weft.sounding(), 0, "seed {seed}");
    });
}
