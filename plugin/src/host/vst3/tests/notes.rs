//! Notes, and what ends them, as events and by mapped controllers, with sound and without.

use std::cell::RefCell;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::Event_::EventTypes_::{
    kNoteOffEvent, kNoteOnEvent, kPolyPressureEvent,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, Event, IEventList, IEventListTrait, IParamValueQueue,
    IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, NoteOffEvent, NoteOnEvent,
    ParamID, ParamValue, PolyPressureEvent,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{int32, tresult};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};

use super::super::adapter::Adapter;
use super::super::mapped::Mapped;
use super::*;
use crate::host::performance::Midi;
use crate::roles::Synth;

pub(super) const FRAMES: usize = 64;
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
        // SAFETY: the caller's pointer, to an event with room behind it, which is the adapter's promise: there are
        // hosts whose events are larger.
        unsafe {
            event.write(self.0.borrow()[index as usize]);
            event.add(1).cast::<[u8; 16]>().write_unaligned([0xff; 16]);
        }
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
pub(super) enum Outputs {
    Stereo,
    /// As Live bypasses a device.
    NoChannels,
    None,
}

/// A channel, VST3's number of a controller, and its value.
pub(super) type Moved = (u8, u8, u16);

/// The sample at which all of them come.
pub(super) const SAMPLE: int32 = 3;
/// VST3's numbers of pressure and wheel.
pub(super) const PRESSURE: u8 = 128;
pub(super) const WHEEL: u8 = 129;

/// A component that processes.
pub(super) struct Processing(pub(super) Adapter<Synth>);

impl Processing {
    pub(super) fn new() -> Self {
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

    /// Processes a block. Returns which channels the plugin calls silent.
    pub(super) fn block(
        &self,
        frames: usize,
        outputs: Outputs,
        events: &[Event],
        changes: &[Moved],
    ) -> u64 {
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
        bus.silenceFlags
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
    pub(super) fn play(&self, events: &[Event], changes: &[Moved]) {
        self.block(FRAMES, Outputs::Stereo, events, changes);
    }

    /// MIDI messages one after the other, each in a block of its own, as a host that hands them on sends them.
    pub(super) fn script(&self, frames: usize, outputs: Outputs, script: &[Midi]) {
        for message in script {
            let (event, moved) = in_vst3(*message);
            let is_mapped = moved.is_some_and(|moved| self.is_mapped(moved));
            let moved = moved.filter(|_| is_mapped);
            self.block(frames, outputs, event.as_slice(), moved.as_slice());
        }
    }

    pub(super) fn is_mapped(&self, (channel, controller, _): Moved) -> bool {
        Mapped::of_controller(channel.into(), controller.into()).is_some()
    }

    fn tail_samples(&self) -> u32 {
        // SAFETY: a query without conditions.
        unsafe { self.0.getTailSamples() }
    }

    /// How many notes sound after what was released is over.
    pub(super) fn sounding(&self) -> u32 {
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

pub(super) fn on(channel: u8, key: u8, velocity: f32) -> Event {
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

pub(super) fn off(channel: u8, key: u8) -> Event {
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
pub(super) fn pressed(channel: u8, key: u8, pressure: f32) -> Event {
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
pub(super) fn in_vst3([status, data1, data2]: Midi) -> (Option<Event>, Option<Moved>) {
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
fn silence_is_marked_and_the_tail_is_that_of_the_release_and_endless_with_a_note() {
    let weft = Processing::new();
    assert_eq!(weft.block(FRAMES, Outputs::Stereo, &[], &[]), 0b11);
    let release_s = weft.0.instance.params.controls().release_s;
    // A fall by 80 dB, at 48 kHz.
    let tail = f64::from(release_s) * 80.0 / 60.0 * 48_000.0;
    assert!((f64::from(weft.tail_samples()) - tail).abs() < 2.0);
    weft.play(&[on(0, 60, 0.8)], &[]);
    assert_eq!(weft.tail_samples(), u32::MAX);
    weft.play(&[off(0, 60)], &[]);
    assert_eq!(weft.sounding(), 0);
    assert!(weft.tail_samples() < u32::MAX);
    // Without a bus there is nothing to mark.
    assert_eq!(weft.block(FRAMES, Outputs::None, &[], &[]), 0);
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
