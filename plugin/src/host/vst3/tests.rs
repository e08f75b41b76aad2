//! The plugin driven as a VST3 host does.

mod hands;
mod notes;

use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ControllerNumbers_::{kAfterTouch, kPitchBend};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::RestartFlags_::kParamValuesChanged;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    CtrlNumber, IAudioProcessor, IAudioProcessorTrait, IComponent, IComponentHandler,
    IComponentHandlerTrait, IComponentTrait, IEditController, IEditControllerTrait, IMidiMapping,
    IMidiMappingTrait, INoteExpressionController, INoteExpressionControllerTrait,
    INoteExpressionPhysicalUIMapping, INoteExpressionPhysicalUIMappingTrait, ParamID, ParamValue,
    ParameterInfo, PhysicalUIMap, PhysicalUIMapList, ProcessData, ProcessSetup,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    IPluginBaseTrait, IPluginFactory, IPluginFactoryTrait, PClassInfo, int32, kInvalidArgument,
    kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComWrapper, Interface};

use super::entry::GetPluginFactory;
use super::stream::tests::slow;

/// An instance of the instrument.
fn controller() -> ComPtr<IEditController> {
    // SAFETY: the factory's own contract is kept: valid ids and pointers, and every reference is
    // given back.
    unsafe {
        let factory =
            ComPtr::<IPluginFactory>::from_raw(GetPluginFactory().cast()).expect("a factory");
        assert_eq!(factory.countClasses(), 2);
        let mut info: PClassInfo = std::mem::zeroed();
        assert_eq!(factory.getClassInfo(0, &mut info), kResultOk);
        let mut object = ptr::null_mut();
        let made = factory.createInstance(
            info.cid.as_ptr(),
            <IEditController as Interface>::IID.as_ptr().cast(),
            &mut object,
        );
        assert_eq!(made, kResultOk);
        ComPtr::<IEditController>::from_raw(object.cast()).expect("a controller")
    }
}

#[test]
fn what_a_host_sets_while_it_processes_is_kept_until_a_block_brings_it() {
    let controller = controller();
    let processor = controller.cast::<IAudioProcessor>().expect("a processor");
    let component = controller.cast::<IComponent>().expect("a component");
    // SAFETY: the calls follow VST3's order, with pointers that are null or valid.
    unsafe {
        let mut setup = ProcessSetup {
            processMode: 0,
            symbolicSampleSize: 0,
            maxSamplesPerBlock: 64,
            sampleRate: 48_000.0,
        };
        assert_eq!(component.initialize(ptr::null_mut()), kResultOk);
        assert_eq!(processor.setupProcessing(&mut setup), kResultOk);
        assert_eq!(component.setActive(1), kResultOk);
        assert_eq!(processor.setProcessing(1), kResultOk);
        let mut info: ParameterInfo = std::mem::zeroed();
        assert_eq!(controller.getParameterInfo(0, &mut info), kResultOk);
        let value = || controller.getParamNormalized(info.id);
        let before = value();
        assert_eq!(controller.setParamNormalized(info.id, 0.75), kResultOk);
        assert_eq!(value(), 0.75);
        // A block that does not bring it.
        let mut flush: ProcessData = std::mem::zeroed();
        assert_eq!(processor.process(&mut flush), kResultOk);
        assert_eq!(value(), before);
        // No more blocks.
        assert_eq!(controller.setParamNormalized(info.id, 0.75), kResultOk);
        assert_eq!(processor.setProcessing(0), kResultOk);
        assert_eq!(value(), 0.75);
        assert_eq!(component.setActive(0), kResultOk);
        assert_eq!(component.terminate(), kResultOk);
    }
}

/// A host's side that counts how often it is told of new values.
#[derive(Default)]
struct Handler(AtomicU32);

impl Class for Handler {
    type Interfaces = (IComponentHandler,);
}

impl IComponentHandlerTrait for Handler {
    unsafe fn beginEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }
    unsafe fn performEdit(&self, _id: ParamID, _value: ParamValue) -> tresult {
        kResultOk
    }
    unsafe fn endEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }
    unsafe fn restartComponent(&self, flags: int32) -> tresult {
        assert_eq!(flags, kParamValuesChanged as int32);
        self.0.fetch_add(1, Ordering::Relaxed);
        kResultOk
    }
}

#[test]
fn a_state_goes_a_part_at_a_time_with_the_bend_and_the_host_is_told_of_a_load() {
    let controller = controller();
    let component = controller.cast::<IComponent>().expect("a component");
    let handler = ComWrapper::new(Handler::default());
    // SAFETY: the calls follow VST3's order, with pointers that live.
    unsafe {
        assert_eq!(component.initialize(ptr::null_mut()), kResultOk);
        let pointer = handler.to_com_ptr::<IComponentHandler>().unwrap();
        assert_eq!(controller.setComponentHandler(pointer.as_ptr()), kResultOk);
        // The pitch and its bend.
        let ids = [0, 3].map(|at| {
            let mut info = std::mem::zeroed::<ParameterInfo>();
            assert_eq!(controller.getParameterInfo(at, &mut info), kResultOk);
            info.id
        });
        for id in ids {
            assert_eq!(controller.setParamNormalized(id, 1.0), kResultOk);
        }
        let (saved, stream) = slow(Vec::new());
        assert_eq!(component.getState(stream.as_ptr()), kResultOk);
        for id in ids {
            assert_eq!(controller.setParamNormalized(id, 0.0), kResultOk);
        }
        let state = saved.take();
        let (_slow, stream) = slow(state.clone());
        assert_eq!(handler.0.load(Ordering::Relaxed), 0);
        assert_eq!(component.setState(stream.as_ptr()), kResultOk);
        assert_eq!(handler.0.load(Ordering::Relaxed), 1);
        assert_eq!(ids.map(|id| controller.getParamNormalized(id)), [1.0; 2]);
        // What is cut off is refused, and changes nothing.
        let (_slow, stream) = slow(state[..state.len() / 2].to_vec());
        assert_ne!(component.setState(stream.as_ptr()), kResultOk);
        assert_eq!(component.setState(ptr::null_mut()), kInvalidArgument);
        assert_eq!(component.getState(ptr::null_mut()), kInvalidArgument);
        assert_eq!(handler.0.load(Ordering::Relaxed), 1);
        assert_eq!(component.terminate(), kResultOk);
    }
}

#[test]
fn what_moves_has_a_parameter_of_every_channel() {
    let controller = controller();
    // SAFETY: valid ids and pointers.
    unsafe {
        let mapping = controller.cast::<IMidiMapping>().expect("a mapping");
        for channel in 0..16 {
            for (number, middle, text_of_most) in [
                (kPitchBend as CtrlNumber, 0.5, "16383"),
                (kAfterTouch as CtrlNumber, 0.0, "127"),
                (1, 0.0, "127"),
                (74, 0.5, "127"),
                (101, 1.0, "127"),
            ] {
                let mut id = 0;
                assert_eq!(
                    mapping.getMidiControllerAssignment(0, channel, number, &mut id),
                    kResultOk
                );
                assert_eq!(controller.getParamNormalized(id), middle);
                let mut text = [0; 128];
                assert_eq!(
                    controller.getParamStringByValue(id, 1.0, &mut text),
                    kResultOk
                );
                let end = text.iter().position(|&unit| unit == 0).unwrap();
                assert_eq!(String::from_utf16_lossy(&text[..end]), text_of_most);
            }
        }
        let mut id = 0;
        for (bus, channel, controller) in [(1, 0, 129), (0, 16, 129), (0, -1, 129), (0, 0, 7)] {
            let assigned = mapping.getMidiControllerAssignment(bus, channel, controller, &mut id);
            assert_eq!(assigned, kResultFalse);
        }
    }
}

#[test]
fn what_a_finger_does_on_a_key_has_note_expressions() {
    let controller = controller();
    // SAFETY: valid pointers.
    unsafe {
        let expressions = controller
            .cast::<INoteExpressionController>()
            .expect("note expressions");
        let count = expressions.getNoteExpressionCount(0, 0);
        assert_eq!((count, expressions.getNoteExpressionCount(1, 0)), (7, 0));
        let known: Vec<_> = (0..count)
            .map(|index| {
                let mut info = std::mem::zeroed();
                let told = expressions.getNoteExpressionInfo(0, 0, index, &mut info);
                assert_eq!(told, kResultOk);
                (info.typeId, info.valueDesc.defaultValue)
            })
            .collect();
        // At rest, a volume is a fourth of its most, and pressure none.
        assert_eq!((known[0], known[6]), ((0, 0.25), (100_000, 0.0)));
        // Nothing but pan, tuning, vibrato, expression and brightness is in its middle.
        assert!(known[1..6].iter().all(|expression| expression.1 == 0.5));
        let last = expressions.getNoteExpressionInfo(0, 0, 6, ptr::null_mut());
        assert_eq!(last, kInvalidArgument);
        let fingers = controller
            .cast::<INoteExpressionPhysicalUIMapping>()
            .expect("a mapping");
        let mut maps = [0, 1, 2, 9].map(|way| PhysicalUIMap {
            physicalUITypeID: way,
            noteExpressionTypeID: 77,
        });
        let mut list = PhysicalUIMapList {
            count: 4,
            map: maps.as_mut_ptr(),
        };
        assert_eq!(fingers.getPhysicalUIMapping(0, 15, &mut list), kResultOk);
        let meant = maps.map(|map| map.noteExpressionTypeID);
        // Tuning, brightness, pressure, and nothing.
        assert_eq!(meant, [2, 5, 100_000, u32::MAX]);
        assert!(meant[..3].iter().all(|id| known.iter().any(|k| k.0 == *id)));
        for (bus, channel) in [(1, 0), (0, 16), (0, -1)] {
            let told = fingers.getPhysicalUIMapping(bus, channel, &mut list);
            assert_eq!(told, kResultFalse);
        }
        let told = fingers.getPhysicalUIMapping(0, 0, ptr::null_mut());
        assert_eq!(told, kInvalidArgument);
    }
}

#[test]
fn text_is_read_as_people_type_it_and_what_cant_be_read_changes_nothing() {
    let controller = controller();
    // SAFETY: valid ids and pointers.
    unsafe {
        let mut info: ParameterInfo = std::mem::zeroed();
        for (name, typed, shown) in [
            ("Gain", "-6,5 dB", "-6.5"),
            ("Attack", "150", "150 ms"),
            ("Quality", "high", "High"),
            ("Capture Start", "next bar", "Next Bar"),
        ] {
            let found = (0..controller.getParameterCount()).any(|index| {
                let found = controller.getParameterInfo(index, &mut info);
                let title = info.title.split(|&unit| unit == 0).next().unwrap();
                found == kResultOk && String::from_utf16_lossy(title) == name
            });
            assert!(found, "{name}");
            let read = |text: &str| {
                let mut units: Vec<u16> = text.encode_utf16().chain([0]).collect();
                let mut value = -1.0;
                let result =
                    controller.getParamValueByString(info.id, units.as_mut_ptr(), &mut value);
                assert_eq!(result, kResultOk);
                value
            };
            let mut text = [0; 128];
            let value = read(typed);
            assert_eq!(
                controller.getParamStringByValue(info.id, value, &mut text),
                kResultOk
            );
            let end = text.iter().position(|&unit| unit == 0).unwrap();
            assert_eq!(String::from_utf16_lossy(&text[..end]), shown);
            assert_eq!(read("loud"), controller.getParamNormalized(info.id));
        }
        let refused = controller.getParamValueByString(info.id, ptr::null_mut(), ptr::null_mut());
        assert_eq!(refused, kInvalidArgument);
    }
}

#[test]
fn null_pointers_are_refused() {
    let controller = controller();
    let processor = controller.cast::<IAudioProcessor>().expect("a processor");
    let mapping = controller.cast::<IMidiMapping>().expect("a mapping");
    // SAFETY: null pointers only.
    unsafe {
        assert_eq!(processor.process(ptr::null_mut()), kInvalidArgument);
        let wheel = kPitchBend as CtrlNumber;
        let assigned = mapping.getMidiControllerAssignment(0, 0, wheel, ptr::null_mut());
        assert_eq!(assigned, kInvalidArgument);
        let factory =
            ComPtr::<IPluginFactory>::from_raw(GetPluginFactory().cast()).expect("a factory");
        let made = factory.createInstance(ptr::null(), ptr::null(), ptr::null_mut());
        assert_eq!(made, kInvalidArgument);
    }
}
