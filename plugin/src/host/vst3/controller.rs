//! The controller: parameters, the window, MIDI and note expressions. Main thread.

use std::ptr;
use std::sync::Arc;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ChannelContext::IInfoListenerTrait;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, CString, CtrlNumber, IAttributeList, IComponentHandler, IComponentHandler2,
    IComponentHandler2Trait, IEditControllerTrait, IMidiMappingTrait,
    INoteExpressionControllerTrait, INoteExpressionPhysicalUIMappingTrait, IUnitInfoTrait,
    MediaType, NoteExpressionTypeID, NoteExpressionTypeInfo, NoteExpressionValue, ParamID,
    ParamValue, ParameterInfo, PhysicalUIMapList, ProgramListID, ProgramListInfo, String128, TChar,
    UnitID, UnitInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, IBStream, IPlugView, int16, int32, kInternalError, kInvalidArgument, kResultFalse,
    kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{ComPtr, ComRef};

use super::adapter::{Adapter, forward};
use super::expressions;
use super::mapped::Mapped;
use super::view::View;
use crate::channel_messages::CHANNELS;
use crate::host::gate::Call;
use crate::link::DirtyNotifier;
use crate::roles::Role;

/// A call that asks for or sets a parameter.
const PARAMETER_CALL: Call = Call::Main("looking after a parameter");

forward! {
    IEditControllerTrait, PARAMETER_CALL,
    {
        fn setComponentState(state: *mut IBStream) -> tresult = kInternalError;
        fn setState(state: *mut IBStream) -> tresult = kInternalError;
        fn getState(state: *mut IBStream) -> tresult = kInternalError;
    } with {
        unsafe fn getParameterCount(&self) -> int32 {
            self.call(PARAMETER_CALL, 0, || self.wrapped_count() + Mapped::COUNT)
        }

        unsafe fn getParameterInfo(&self, index: int32, info: *mut ParameterInfo) -> tresult {
            self.call(PARAMETER_CALL, kInternalError, || {
                let beyond = index.checked_sub(self.wrapped_count());
                let Some(beyond) = beyond.and_then(|index| usize::try_from(index).ok()) else {
                    // SAFETY: as called by the host.
                    return unsafe { self.wrapped.getParameterInfo(index, info) };
                };
                // SAFETY: null, or valid for this call.
                match (Mapped::of_index(beyond), unsafe { info.as_mut() }) {
                    (Some(mapped), Some(info)) => {
                        mapped.describe(info);
                        kResultOk
                    }
                    _ => kInvalidArgument,
                }
            })
        }

        unsafe fn getParamStringByValue(&self, id: ParamID, value: ParamValue, string: *mut String128) -> tresult {
            self.call(PARAMETER_CALL, kInternalError, || {
                let Some(mapped) = Mapped::of_id(id) else {
                    // SAFETY: as called by the host.
                    return unsafe { self.wrapped.getParamStringByValue(id, value, string) };
                };
                // SAFETY: null, or valid for this call.
                let Some(string) = (unsafe { string.as_mut() }) else {
                    return kInvalidArgument;
                };
                mapped.show(value, string);
                kResultOk
            })
        }

        unsafe fn normalizedParamToPlain(&self, id: ParamID, value: ParamValue) -> ParamValue {
            self.call(PARAMETER_CALL, 0.0, || match Mapped::of_id(id) {
                Some(mapped) => mapped.plain(value),
                // SAFETY: as called by the host.
                None => unsafe { self.wrapped.normalizedParamToPlain(id, value) },
            })
        }

        unsafe fn plainParamToNormalized(&self, id: ParamID, value: ParamValue) -> ParamValue {
            self.call(PARAMETER_CALL, 0.0, || match Mapped::of_id(id) {
                Some(mapped) => mapped.normalized(value),
                // SAFETY: as called by the host.
                None => unsafe { self.wrapped.plainParamToNormalized(id, value) },
            })
        }

        unsafe fn createView(&self, name: FIDString) -> *mut IPlugView {
            let call = Call::Main("making the window");
            self.call(call, ptr::null_mut(), || {
                // SAFETY: as called by the host; the view is ours.
                unsafe { View::wrap(self.wrapped.createView(name), &self.instance) }
            })
        }

        /// Hosts ask for values now and then on the thread of their interface, which is the only
        /// one where they may learn that the project has changed; VST3 has no other call that a
        /// plugin without a window could wait for.
        unsafe fn getParamNormalized(&self, id: ParamID) -> ParamValue {
            let project = self.instance.project();
            if project.is_change_pending() {
                self.call(Call::Main("looking after a fit"), (), || project.poll());
            }
            self.call(PARAMETER_CALL, 0.0, || {
                if let Some(mapped) = Mapped::of_id(id) {
                    return self.mapped.get(mapped);
                }
                match self.unsent.value(id) {
                    Some(value) => value,
                    // SAFETY: as called by the host.
                    None => unsafe { self.wrapped.getParamNormalized(id) },
                }
            })
        }

        /// Text that can't be read means the value that there is: hosts made with JUCE would take a refusal
        /// for leave to make a number of the text themselves.
        unsafe fn getParamValueByString(
            &self,
            id: ParamID,
            string: *mut TChar,
            value: *mut ParamValue,
        ) -> tresult {
            self.call(PARAMETER_CALL, kInternalError, || {
                if string.is_null() || value.is_null() {
                    return kInvalidArgument;
                }
                if let Some(mapped) = Mapped::of_id(id) {
                    // SAFETY: the host's string, not null, which ends with a zero.
                    let Some(read) = (unsafe { mapped.read(string) }) else {
                        return kInvalidArgument;
                    };
                    // SAFETY: the host's pointer, not null.
                    unsafe { value.write(read) };
                    return kResultOk;
                }
                if !self.typed.has(id) {
                    return kInvalidArgument;
                }
                let shown = self.unsent.value(id).unwrap_or_else(|| {
                    // SAFETY: as called by the host.
                    unsafe { self.wrapped.getParamNormalized(id) }
                });
                // SAFETY: the host's string, which ends with a zero.
                let text = unsafe { text_of(string) };
                let typed = self.typed.read(id, &text, Some(shown));
                // SAFETY: the host's pointer, not null.
                unsafe { value.write(typed.map_or(shown, |(normalized, _)| normalized)) };
                kResultOk
            })
        }

        unsafe fn setParamNormalized(&self, id: ParamID, value: ParamValue) -> tresult {
            self.call(PARAMETER_CALL, kInternalError, || {
                // It is obeyed when a block brings it, which has its place in time.
                if let Some(mapped) = Mapped::of_id(id) {
                    self.mapped.set(mapped, value);
                    return kResultOk;
                }
                if self.unsent.keep(id, value) {
                    return kResultOk;
                }
                // SAFETY: as called by the host.
                unsafe { self.wrapped.setParamNormalized(id, value) }
            })
        }

        unsafe fn setComponentHandler(&self, handler: *mut IComponentHandler) -> tresult {
            self.call(Call::Main("starting the plugin"), kInternalError, || {
                // SAFETY: null, or an object that lives during this call.
                let notifier = unsafe { dirty_notifier(handler) };
                self.instance.link.set_dirty_notifier(notifier);
                // SAFETY: as above; a reference of our own is kept.
                let held = unsafe { ComRef::from_raw(handler) };
                self.set_handler(held.map(|handler| handler.to_com_ptr()));
                // SAFETY: as called by the host.
                unsafe { self.wrapped.setComponentHandler(handler) }
            })
        }
    }
}

/// The text of a string of UTF-16 that ends with a zero.
///
/// # Safety
/// It is one.
unsafe fn text_of(string: *const TChar) -> String {
    // SAFETY: by the contract above, no unit after the zero is read.
    let unit = |at: usize| unsafe { *string.add(at) };
    let units: Vec<u16> = (0..).map(unit).take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

impl<R: Role> Adapter<R> {
    /// How many parameters nice-plug knows.
    fn wrapped_count(&self) -> int32 {
        // SAFETY: a query without conditions.
        unsafe { self.wrapped.getParameterCount() }
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

/// The way of marking the project of `handler`'s host as changed, if it has one.
///
/// # Safety
/// `handler` is null, or an object that lives during this call.
unsafe fn dirty_notifier(handler: *mut IComponentHandler) -> Option<DirtyNotifier> {
    // SAFETY: by the contract above; the cast takes a reference of its own.
    let handler = unsafe { ComRef::from_raw(handler) }?.cast::<IComponentHandler2>()?;
    let handler = DirtyHandler(handler);
    Some(Arc::new(move || handler.set_dirty()))
}

impl<R: Role> IMidiMappingTrait for Adapter<R> {
    /// Wheels, pressure, pedals and what is said to all notes of a channel have parameters that only we know.
    /// nice-plug would want 2080 of its own for this.
    unsafe fn getMidiControllerAssignment(
        &self,
        bus: int32,
        channel: int16,
        controller: CtrlNumber,
        id: *mut ParamID,
    ) -> tresult {
        self.call(PARAMETER_CALL, kInternalError, || {
            if id.is_null() {
                return kInvalidArgument;
            }
            let mapped = Mapped::of_controller(channel, controller);
            let Some(assigned) = mapped.filter(|_| bus == 0).map(Mapped::id) else {
                return kResultFalse;
            };
            // SAFETY: the host's pointer, not null.
            unsafe { id.write(assigned) };
            kResultOk
        })
    }
}

/// A call about note expressions.
const EXPRESSION_CALL: Call = Call::Main("describing note expressions");

forward! {
    INoteExpressionControllerTrait, EXPRESSION_CALL,
    {
        fn getNoteExpressionStringByValue(bus: int32, channel: int16, id: NoteExpressionTypeID, value: NoteExpressionValue, string: *mut String128) -> tresult = kInternalError;
        fn getNoteExpressionValueByString(bus: int32, channel: int16, id: NoteExpressionTypeID, string: *const TChar, value: *mut NoteExpressionValue) -> tresult = kInternalError;
    } with {
        /// Those of nice-plug, and pressure.
        unsafe fn getNoteExpressionCount(&self, bus: int32, channel: int16) -> int32 {
            self.call(EXPRESSION_CALL, 0, || {
                // SAFETY: as called by the host.
                match unsafe { self.wrapped.getNoteExpressionCount(bus, channel) } {
                    0 => 0,
                    known => known + 1,
                }
            })
        }

        unsafe fn getNoteExpressionInfo(&self, bus: int32, channel: int16, index: int32, info: *mut NoteExpressionTypeInfo) -> tresult {
            self.call(EXPRESSION_CALL, kInternalError, || {
                // SAFETY: as called by the host.
                let known = unsafe { self.wrapped.getNoteExpressionCount(bus, channel) };
                if known == 0 || index != known {
                    // SAFETY: as called by the host, which reads what a success has written.
                    unsafe {
                        let result = self.wrapped.getNoteExpressionInfo(bus, channel, index, info);
                        if result == kResultOk && let Some(info) = info.as_mut() {
                            expressions::correct(info);
                        }
                        return result;
                    }
                }
                if info.is_null() {
                    return kInvalidArgument;
                }
                // SAFETY: the host's pointer, not null.
                unsafe { info.write(expressions::describe_pressure()) };
                kResultOk
            })
        }
    }
}

impl<R: Role> INoteExpressionPhysicalUIMappingTrait for Adapter<R> {
    /// Hosts that make note expressions of what an MPE keyboard sends ask for this.
    unsafe fn getPhysicalUIMapping(
        &self,
        bus: int32,
        channel: int16,
        list: *mut PhysicalUIMapList,
    ) -> tresult {
        self.call(EXPRESSION_CALL, kInternalError, || {
            // SAFETY: null, or valid for this call.
            let Some(list) = (unsafe { list.as_mut() }) else {
                return kInvalidArgument;
            };
            if bus != 0 || !(0..CHANNELS as int16).contains(&channel) {
                return kResultFalse;
            }
            if list.map.is_null() {
                return kInvalidArgument;
            }
            for at in 0..list.count as usize {
                // SAFETY: the host's list has `count` elements, each of which asks for one way.
                let map = unsafe { &mut *list.map.add(at) };
                map.noteExpressionTypeID = expressions::of_finger(map.physicalUITypeID);
            }
            kResultOk
        })
    }
}

forward! {
    IUnitInfoTrait, Call::Main("describing groups of parameters"),
    {
        fn getUnitCount() -> int32 = 0;
        fn getUnitInfo(index: int32, info: *mut UnitInfo) -> tresult = kInternalError;
        fn getProgramListCount() -> int32 = 0;
        fn getProgramListInfo(index: int32, info: *mut ProgramListInfo) -> tresult = kInternalError;
        fn getProgramName(list: ProgramListID, program: int32, name: *mut String128) -> tresult = kInternalError;
        fn getProgramInfo(list: ProgramListID, program: int32, attribute: CString, value: *mut String128) -> tresult = kInternalError;
        fn hasProgramPitchNames(list: ProgramListID, program: int32) -> tresult = kInternalError;
        fn getProgramPitchName(list: ProgramListID, program: int32, pitch: int16, name: *mut String128) -> tresult = kInternalError;
        fn getSelectedUnit() -> UnitID = 0;
        fn selectUnit(unit: UnitID) -> tresult = kInternalError;
        fn getUnitByBus(media: MediaType, direction: BusDirection, bus: int32, channel: int32, unit: *mut UnitID) -> tresult = kInternalError;
        fn setUnitProgramData(list_or_unit: int32, program: int32, data: *mut IBStream) -> tresult = kInternalError;
    }
}

forward! {
    IInfoListenerTrait, Call::Main("taking in the host's names"),
    {
        fn setChannelContextInfos(list: *mut IAttributeList) -> tresult = kInternalError;
    }
}
