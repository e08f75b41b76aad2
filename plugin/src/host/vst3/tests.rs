//! The plugin driven as a VST3 host does.

mod notes;

use std::ptr;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ControllerNumbers_::kPitchBend;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    CtrlNumber, IAudioProcessor, IAudioProcessorTrait, IComponent, IComponentTrait,
    IEditController, IEditControllerTrait, IMidiMapping, IMidiMappingTrait, ParameterInfo,
    ProcessData, ProcessSetup,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    IPluginBaseTrait, IPluginFactory, IPluginFactoryTrait, PClassInfo, kInvalidArgument,
    kResultFalse, kResultOk,
};
use nice_plug::wrapper::vst3::vst3::{ComPtr, Interface};

use super::entry::GetPluginFactory;

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

#[test]
fn the_wheels_of_all_channels_bend() {
    let controller = controller();
    // SAFETY: valid ids and pointers.
    unsafe {
        let mapping = controller.cast::<IMidiMapping>().expect("a mapping");
        for channel in 0..16 {
            let mut id = 0;
            let wheel = kPitchBend as CtrlNumber;
            assert_eq!(
                mapping.getMidiControllerAssignment(0, channel, wheel, &mut id),
                kResultOk
            );
            let position = controller.plainParamToNormalized(id, 1.0);
            let mut text = [0; 128];
            assert_eq!(
                controller.getParamStringByValue(id, position, &mut text),
                kResultOk
            );
            let end = text.iter().position(|&unit| unit == 0).unwrap();
            assert_eq!(String::from_utf16_lossy(&text[..end]), "+100 %");
        }
        let mut id = 0;
        for (bus, channel, controller) in [(1, 0, 129), (0, 16, 129), (0, -1, 129), (0, 0, 1)] {
            let assigned = mapping.getMidiControllerAssignment(bus, channel, controller, &mut id);
            assert_eq!(assigned, kResultFalse);
        }
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
