//! The VST3 entry points, and the adapter around nice-plug's VST3 component.

#![allow(non_snake_case, reason = "VST3's own names")]

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use nice_plug::wrapper::setup_logger;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ChannelContext::{
    IInfoListener, IInfoListenerTrait,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ControllerNumbers_::kPitchBend;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ProcessContext_::StatesAndFlags_::kTimeSigValid;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ProcessModes_::kOffline;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirection, BusInfo, CString, CtrlNumber,
    IAttributeList, IAudioProcessor, IAudioProcessorTrait, IComponent, IComponentHandler,
    IComponentHandler2, IComponentHandler2Trait, IComponentTrait, IEditController,
    IEditControllerTrait, IMidiMapping, IMidiMappingTrait, INoteExpressionController,
    INoteExpressionControllerTrait, IProcessContextRequirements, IProcessContextRequirementsTrait,
    IUnitInfo, IUnitInfoTrait, IoMode, MediaType, NoteExpressionTypeID, NoteExpressionTypeInfo,
    NoteExpressionValue, ParamID, ParamValue, ParameterInfo, ProcessData, ProcessSetup,
    ProgramListID, ProgramListInfo, RoutingInfo, SpeakerArrangement, String128, TChar, UnitID,
    UnitInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IBStream, IPlugView, IPluginBaseTrait, IPluginFactory, IPluginFactory2,
    IPluginFactory2Trait, IPluginFactory3, IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo,
    PClassInfo2, PClassInfoW, PFactoryInfo, TBool, TUID, int16, int32, kInvalidArgument,
    kOutOfMemory, kResultFalse, kResultOk, tresult, uint32,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComRef, ComWrapper};
use nice_plug::wrapper::vst3::{PluginInfo, Wrapper};

use super::vst3_edits::UnsentEdits;
use super::vst3_inputs::{InputCopies, NO_CHANNELS};
use super::vst3_view::View;
use super::{MOST_INPUT_BUSES, create_with_session};
use crate::parameters::BEND_NAME;
use crate::role::{Insert, Role, Synth};
use crate::session::Session;
use crate::{Weft, WeftFx, WeftPlugin};

/// Channels of a MIDI bus.
const MIDI_CHANNELS: int16 = 16;

/// The component as the host sees it: nice-plug's, with a few calls looked after.
struct Adapter<R: Role> {
    wrapped: ManuallyDrop<Wrapper<WeftPlugin<R>>>,
    session: Arc<Session>,
    /// VST3's number of the pitch bend.
    bend: ParamID,
    unsent: UnsentEdits,
    copies: InputCopies,
}

impl<R: Role> Drop for Adapter<R> {
    fn drop(&mut self) {
        // Should nice-plug's background thread have gone, the last instance panics as it looks for it. That
        // must not take the host with it.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: once, and nobody uses it afterwards.
            unsafe { ManuallyDrop::drop(&mut self.wrapped) }
        }));
    }
}

impl<R: Role> Class for Adapter<R> {
    type Interfaces = (
        IComponent,
        IEditController,
        IAudioProcessor,
        IMidiMapping,
        INoteExpressionController,
        IProcessContextRequirements,
        IUnitInfo,
        IInfoListener,
    );
}

/// Implements an interface by handing calls on to nice-plug; what stands after `with` is our own.
macro_rules! forward {
    (
        $interface:ident
        { $( fn $name:ident( $( $argument:ident : $type:ty ),* ) $( -> $result:ty )?; )* }
        $( with { $( $own:item )* } )?
    ) => {
        impl<R: Role> $interface for Adapter<R> {
            $(
                unsafe fn $name(&self, $( $argument: $type ),*) $( -> $result )? {
                    // SAFETY: the host's arguments go on as they came.
                    unsafe { $interface::$name(&*self.wrapped, $( $argument ),*) }
                }
            )*
            $( $( $own )* )?
        }
    };
}

forward! {
    IPluginBaseTrait {
        fn initialize(context: *mut FUnknown) -> tresult;
    } with {
        unsafe fn terminate(&self) -> tresult {
            // The host's objects must not be held any longer.
            self.session.host().set_dirty_notifier(None);
            // SAFETY: as called by the host.
            unsafe { self.wrapped.terminate() }
        }
    }
}

forward! {
    IComponentTrait {
        fn getControllerClassId(class_id: *mut TUID) -> tresult;
        fn setIoMode(mode: IoMode) -> tresult;
        fn getBusCount(media: MediaType, direction: BusDirection) -> int32;
        fn getBusInfo(media: MediaType, direction: BusDirection, index: int32, info: *mut BusInfo) -> tresult;
        fn getRoutingInfo(input: *mut RoutingInfo, output: *mut RoutingInfo) -> tresult;
        fn activateBus(media: MediaType, direction: BusDirection, index: int32, state: TBool) -> tresult;
    } with {
        unsafe fn setActive(&self, state: TBool) -> tresult {
            if state == 0 {
                self.unsent.set_processing(false);
            }
            // SAFETY: as called by the host.
            unsafe { self.wrapped.setActive(state) }
        }

        unsafe fn getState(&self, state: *mut IBStream) -> tresult {
            self.unsent.apply();
            // SAFETY: as called by the host.
            unsafe { IComponentTrait::getState(&*self.wrapped, state) }
        }

        /// nice-plug only answers "no" to a state it can't read; the user has to see why nothing
        /// sounds.
        unsafe fn setState(&self, state: *mut IBStream) -> tresult {
            self.unsent.clear();
            // SAFETY: as called by the host.
            let result = unsafe { IComponentTrait::setState(&*self.wrapped, state) };
            if result != kResultOk {
                self.session.report_unreadable_state();
            }
            result
        }
    }
}

forward! {
    IEditControllerTrait {
        fn setComponentState(state: *mut IBStream) -> tresult;
        fn setState(state: *mut IBStream) -> tresult;
        fn getState(state: *mut IBStream) -> tresult;
        fn getParameterCount() -> int32;
        fn getParameterInfo(index: int32, info: *mut ParameterInfo) -> tresult;
        fn getParamValueByString(id: ParamID, string: *mut TChar, value: *mut ParamValue) -> tresult;
        fn getParamStringByValue(id: ParamID, value: ParamValue, string: *mut String128) -> tresult;
        fn normalizedParamToPlain(id: ParamID, value: ParamValue) -> ParamValue;
        fn plainParamToNormalized(id: ParamID, value: ParamValue) -> ParamValue;
    } with {
        unsafe fn createView(&self, name: FIDString) -> *mut IPlugView {
            // SAFETY: as called by the host; the view is ours.
            unsafe { View::wrap(self.wrapped.createView(name), &self.session) }
        }

        /// Hosts ask for values now and then on the thread of their interface, which is the only
        /// one where they may be told that the project has changed; VST3 has no other call that a
        /// plugin without a window could wait for.
        unsafe fn getParamNormalized(&self, id: ParamID) -> ParamValue {
            if self.session.is_change_pending() {
                self.session
                    .contain("looking after a fit", || self.session.poll());
            }
            if let Some(value) = self.unsent.value(id) {
                return value;
            }
            // SAFETY: as called by the host.
            unsafe { self.wrapped.getParamNormalized(id) }
        }

        unsafe fn setParamNormalized(&self, id: ParamID, value: ParamValue) -> tresult {
            if self.unsent.keep(id, value) {
                return kResultOk;
            }
            // SAFETY: as called by the host.
            unsafe { self.wrapped.setParamNormalized(id, value) }
        }

        unsafe fn setComponentHandler(&self, handler: *mut IComponentHandler) -> tresult {
            // SAFETY: null, or an object that lives during this call; the cast takes a reference
            // of its own.
            let handler2 = unsafe { ComRef::from_raw(handler) }
                .and_then(|handler| handler.cast::<IComponentHandler2>())
                .map(DirtyHandler);
            self.session.host().set_dirty_notifier(
                handler2.map(|handler| -> Arc<dyn Fn() + Send + Sync> {
                    Arc::new(move || handler.set_dirty())
                }),
            );
            // SAFETY: as called by the host.
            unsafe { self.wrapped.setComponentHandler(handler) }
        }
    }
}

/// The host's side that takes the notice of a changed project.
struct DirtyHandler(ComPtr<IComponentHandler2>);

// SAFETY: called from the host's interface thread and from the window's, from where nice-plug also
// calls the host's handler for every edit; COM reference counts are atomic.
unsafe impl Send for DirtyHandler {}
// SAFETY: as above.
unsafe impl Sync for DirtyHandler {}

impl DirtyHandler {
    fn set_dirty(&self) {
        // SAFETY: the object lives as long as this reference to it.
        unsafe { self.0.setDirty(1) };
    }
}

forward! {
    IAudioProcessorTrait {
        fn setBusArrangements(inputs: *mut SpeakerArrangement, input_count: int32, outputs: *mut SpeakerArrangement, output_count: int32) -> tresult;
        fn getBusArrangement(direction: BusDirection, index: int32, arrangement: *mut SpeakerArrangement) -> tresult;
        fn canProcessSampleSize(sample_size: int32) -> tresult;
        fn getLatencySamples() -> uint32;
        fn getTailSamples() -> uint32;
    } with {
        unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
            // SAFETY: null, or valid for this call.
            if let Some(setup) = unsafe { setup.as_ref() } {
                self.copies.prepare(setup.maxSamplesPerBlock.max(0) as usize);
            }
            // SAFETY: as called by the host.
            unsafe { self.wrapped.setupProcessing(setup) }
        }

        unsafe fn setProcessing(&self, state: TBool) -> tresult {
            self.unsent.set_processing(state != 0);
            // SAFETY: as called by the host.
            unsafe { self.wrapped.setProcessing(state) }
        }

        unsafe fn process(&self, data: *mut ProcessData) -> tresult {
            // SAFETY: null, or valid for this call.
            let Some(data) = (unsafe { data.as_ref() }) else {
                return kInvalidArgument;
            };
            self.unsent.block_begins();
            let host = self.session.host();
            // Every block says it. nice-plug goes by `setupProcessing`, and there hands on the mode
            // of the call before.
            host.set_offline(data.processMode == kOffline as int32);

            // nice-plug looks for the second input bus even where the host passes one only, and
            // past the end of its array; so it always gets both, those that are missing without
            // channels.
            let mut inputs = [AudioBusBuffers {
                numChannels: 0,
                silenceFlags: 0,
                __field0: AudioBusBuffers__type0 {
                    channelBuffers32: ptr::null_mut(),
                },
            }; MOST_INPUT_BUSES];
            if !data.inputs.is_null() {
                for (index, bus) in inputs
                    .iter_mut()
                    .enumerate()
                    .take(R::INPUT_BUSES.min(data.numInputs.max(0) as usize))
                {
                    // SAFETY: the host's array has `numInputs` elements; both arms of the union are
                    // pointers, and a bus has as many of them as channels.
                    unsafe {
                        let passed = *data.inputs.add(index);
                        let channels = passed.__field0.channelBuffers32;
                        if super::is_connected(channels, passed.numChannels.max(0) as usize) {
                            *bus = passed;
                        }
                    }
                }
            }
            let mut pointers = NO_CHANNELS;
            if !data.outputs.is_null() {
                // SAFETY: the host's arrays are as long as it says. `setupProcessing` does not come while
                // blocks are processed.
                unsafe {
                    let count = data.numOutputs.max(0) as usize;
                    let outputs = std::slice::from_raw_parts(data.outputs, count);
                    let frames = data.numSamples.max(0) as usize;
                    self.copies
                        .separate(&mut inputs, outputs, frames, &mut pointers);
                }
            }
            // SAFETY: both arms of the union are pointers.
            let main_input = unsafe { inputs[0].__field0.channelBuffers32 };
            host.set_main_input_connected(!main_input.is_null());
            // Where nice-plug cuts a block, it works the bar out anew, as if the time signature had
            // never changed, if it knows one. So that goes its own way.
            // SAFETY: null, or valid for this call.
            let mut context = unsafe { data.processContext.as_ref() }.copied();
            if let Some(context) = &mut context {
                #[allow(clippy::unnecessary_cast, reason = "signed on Windows")]
                let known = kTimeSigValid as u32;
                let signature = (
                    f64::from(context.timeSigNumerator),
                    f64::from(context.timeSigDenominator),
                );
                host.set_time_signature((context.state & known != 0).then_some(signature));
                context.state &= !known;
            }
            let mut sanitized = ProcessData {
                numInputs: R::INPUT_BUSES as int32,
                inputs: inputs.as_mut_ptr(),
                processContext: context.as_mut().map_or(ptr::null_mut(), ptr::from_mut),
                ..*data
            };
            // SAFETY: `sanitized` is as valid as `data` was; what else it leads to lives until the
            // end of this function.
            unsafe { self.wrapped.process(&mut sanitized) }
        }
    }
}

impl<R: Role> IMidiMappingTrait for Adapter<R> {
    /// The pitch wheels of all channels are the bend parameter's. nice-plug would want 2080
    /// parameters of its own for this.
    unsafe fn getMidiControllerAssignment(
        &self,
        bus: int32,
        channel: int16,
        controller: CtrlNumber,
        id: *mut ParamID,
    ) -> tresult {
        if id.is_null() {
            return kInvalidArgument;
        }
        if bus != 0
            || !(0..MIDI_CHANNELS).contains(&channel)
            || controller != kPitchBend as CtrlNumber
        {
            return kResultFalse;
        }
        // SAFETY: the host's pointer, not null.
        unsafe { id.write(self.bend) };
        kResultOk
    }
}

forward! {
    INoteExpressionControllerTrait {
        fn getNoteExpressionCount(bus: int32, channel: int16) -> int32;
        fn getNoteExpressionInfo(bus: int32, channel: int16, index: int32, info: *mut NoteExpressionTypeInfo) -> tresult;
        fn getNoteExpressionStringByValue(bus: int32, channel: int16, id: NoteExpressionTypeID, value: NoteExpressionValue, string: *mut String128) -> tresult;
        fn getNoteExpressionValueByString(bus: int32, channel: int16, id: NoteExpressionTypeID, string: *const TChar, value: *mut NoteExpressionValue) -> tresult;
    }
}

forward! {
    IProcessContextRequirementsTrait {
        fn getProcessContextRequirements() -> uint32;
    }
}

forward! {
    IUnitInfoTrait {
        fn getUnitCount() -> int32;
        fn getUnitInfo(index: int32, info: *mut UnitInfo) -> tresult;
        fn getProgramListCount() -> int32;
        fn getProgramListInfo(index: int32, info: *mut ProgramListInfo) -> tresult;
        fn getProgramName(list: ProgramListID, program: int32, name: *mut String128) -> tresult;
        fn getProgramInfo(list: ProgramListID, program: int32, attribute: CString, value: *mut String128) -> tresult;
        fn hasProgramPitchNames(list: ProgramListID, program: int32) -> tresult;
        fn getProgramPitchName(list: ProgramListID, program: int32, pitch: int16, name: *mut String128) -> tresult;
        fn getSelectedUnit() -> UnitID;
        fn selectUnit(unit: UnitID) -> tresult;
        fn getUnitByBus(media: MediaType, direction: BusDirection, bus: int32, channel: int32, unit: *mut UnitID) -> tresult;
        fn setUnitProgramData(list_or_unit: int32, program: int32, data: *mut IBStream) -> tresult;
    }
}

forward! {
    IInfoListenerTrait {
        fn setChannelContextInfos(list: *mut IAttributeList) -> tresult;
    }
}

/// VST3's number of the parameter `name`.
fn find_parameter(controller: &impl IEditControllerTrait, name: &str) -> Option<ParamID> {
    // SAFETY: a query without conditions.
    let count = unsafe { controller.getParameterCount() };
    (0..count).find_map(|index| {
        // SAFETY: all zeros are an empty description.
        let mut info: ParameterInfo = unsafe { std::mem::zeroed() };
        // SAFETY: `info` is valid for writing.
        let told = unsafe { controller.getParameterInfo(index, &mut info) };
        let title = info.title.split(|&unit| unit == 0).next()?;
        (told == kResultOk && title.iter().copied().eq(name.encode_utf16())).then_some(info.id)
    })
}

/// Makes the components: the instrument's and the effect's.
struct Factory {
    infos: [PluginInfo; 2],
}

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

impl Factory {
    /// Writes what `describe` gives to `info` for a class.
    ///
    /// # Safety
    /// `info` is null or valid for writing.
    unsafe fn class_info<T>(
        &self,
        index: int32,
        info: *mut T,
        describe: fn(&PluginInfo) -> T,
    ) -> tresult {
        let class = usize::try_from(index).ok().and_then(|i| self.infos.get(i));
        let Some(class) = class.filter(|_| !info.is_null()) else {
            return kInvalidArgument;
        };
        // SAFETY: by the contract above.
        unsafe { info.write(describe(class)) };
        kResultOk
    }
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        // SAFETY: the host's pointer.
        unsafe { self.class_info(0, info, PluginInfo::create_factory_info) }
    }

    unsafe fn countClasses(&self) -> int32 {
        self.infos.len() as int32
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        // SAFETY: the host's pointer.
        unsafe { self.class_info(index, info, PluginInfo::create_class_info) }
    }

    unsafe fn createInstance(
        &self,
        class_id: FIDString,
        interface_id: FIDString,
        object: *mut *mut c_void,
    ) -> tresult {
        if class_id.is_null() || interface_id.is_null() || object.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: VST3 passes ids of 16 bytes as if they were strings.
        let class_id = unsafe { &*class_id.cast::<[u8; 16]>() };
        // SAFETY: the host's pointers, not null.
        unsafe {
            match self.infos.iter().position(|info| info.cid == class_id) {
                Some(0) => create::<Synth>(interface_id, object),
                Some(_) => create::<Insert>(interface_id, object),
                None => kInvalidArgument,
            }
        }
    }
}

/// Makes a component and writes its `interface_id` to `object`.
///
/// # Safety
/// `interface_id` points to an id, and `object` is valid for writing.
unsafe fn create<R: Role>(interface_id: FIDString, object: *mut *mut c_void) -> tresult {
    let created = catch_unwind(AssertUnwindSafe(|| create_with_session(Wrapper::new)));
    let Ok(Some((wrapped, session, params))) = created else {
        return kOutOfMemory;
    };
    let Some(bend) = find_parameter(&wrapped, BEND_NAME) else {
        return kOutOfMemory;
    };
    let id_of = |name: &str| find_parameter(&wrapped, name);
    let unsent = UnsentEdits::new(params, session.clone(), id_of);
    let component = ComWrapper::new(Adapter::<R> {
        wrapped: ManuallyDrop::new(wrapped),
        session,
        bend,
        unsent,
        copies: InputCopies::default(),
    });
    let Some(unknown) = component.as_com_ref::<FUnknown>() else {
        return kOutOfMemory;
    };
    let unknown = unknown.as_ptr();
    // SAFETY: `component` lives until the end of this function, after which the reference that
    // `queryInterface` adds is the host's.
    unsafe { ((*(*unknown).vtbl).queryInterface)(unknown, interface_id.cast::<TUID>(), object) }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: the host's pointer.
        unsafe { self.class_info(index, info, PluginInfo::create_class_info_2) }
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: the host's pointer.
        unsafe { self.class_info(index, info, PluginInfo::create_class_info_unicode) }
    }

    unsafe fn setHostContext(&self, _context: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// What a VST3 host calls first: the factory of the library.
#[unsafe(no_mangle)]
pub extern "system" fn GetPluginFactory() -> *mut c_void {
    let factory = ComWrapper::new(Factory {
        infos: [
            PluginInfo::for_plugin::<Weft>(),
            PluginInfo::for_plugin::<WeftFx>(),
        ],
    });
    match factory.to_com_ptr::<IPluginFactory>() {
        Some(factory) => factory.into_raw().cast(),
        None => ptr::null_mut(),
    }
}

/// Called when the library has been loaded.
#[cfg(all(target_family = "unix", not(target_os = "macos")))]
#[unsafe(no_mangle)]
pub extern "C" fn ModuleEntry(_library: *mut c_void) -> bool {
    setup_logger::<Weft>();
    true
}

/// Called before the library is unloaded.
#[cfg(all(target_family = "unix", not(target_os = "macos")))]
#[unsafe(no_mangle)]
pub extern "C" fn ModuleExit() -> bool {
    true
}

/// Called when the library has been loaded.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
pub extern "C" fn bundleEntry(_bundle: *mut c_void) -> bool {
    setup_logger::<Weft>();
    true
}

/// Called before the library is unloaded.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
pub extern "C" fn bundleExit() -> bool {
    true
}

/// Called when the library has been loaded.
#[cfg(target_os = "windows")]
#[unsafe(no_mangle)]
pub extern "system" fn InitDll() -> bool {
    setup_logger::<Weft>();
    true
}

/// Called before the library is unloaded.
#[cfg(target_os = "windows")]
#[unsafe(no_mangle)]
pub extern "system" fn ExitDll() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use nice_plug::wrapper::vst3::vst3::Interface;

    use super::*;

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
                let assigned =
                    mapping.getMidiControllerAssignment(bus, channel, controller, &mut id);
                assert_eq!(assigned, kResultFalse);
            }
        }
    }
}
