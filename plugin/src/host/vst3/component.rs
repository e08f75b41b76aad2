//! The component's life and state. Main thread.

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, BusInfo, IComponentTrait, IoMode, MediaType, RoutingInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FUnknown, IBStream, IPluginBaseTrait, TBool, TUID, int32, kInternalError, kInvalidArgument,
    kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{ComPtr, ComRef, ComWrapper};

use super::adapter::forward;
use super::stream::{self, MemoryStream};
use crate::host::gate::Call;

/// A stream with `bytes` in memory, as what it is and as nice-plug wants it.
fn memory_stream(bytes: Vec<u8>) -> (ComWrapper<MemoryStream>, ComPtr<IBStream>) {
    let memory = ComWrapper::new(MemoryStream::new(bytes));
    let stream = memory.to_com_ptr::<IBStream>();
    (memory, stream.expect("a stream is one"))
}

forward! {
    IPluginBaseTrait, Call::Main("starting the plugin"),
    {
        fn initialize(context: *mut FUnknown) -> tresult = kInternalError;
    } with {
        unsafe fn terminate(&self) -> tresult {
            self.call(Call::Main("stopping the plugin"), kInternalError, || {
                // The host's objects must not be held any longer.
                self.instance.link.set_dirty_notifier(None);
                self.set_handler(None);
                // SAFETY: as called by the host.
                unsafe { self.wrapped.terminate() }
            })
        }
    }
}

forward! {
    IComponentTrait, Call::Main("describing the plugin"),
    {
        fn getControllerClassId(class_id: *mut TUID) -> tresult = kInternalError;
        fn setIoMode(mode: IoMode) -> tresult = kInternalError;
        fn getBusCount(media: MediaType, direction: BusDirection) -> int32 = 0;
        fn getBusInfo(media: MediaType, direction: BusDirection, index: int32, info: *mut BusInfo) -> tresult = kInternalError;
        fn getRoutingInfo(input: *mut RoutingInfo, output: *mut RoutingInfo) -> tresult = kInternalError;
        fn activateBus(media: MediaType, direction: BusDirection, index: int32, state: TBool) -> tresult = kInternalError;
    } with {
        unsafe fn setActive(&self, state: TBool) -> tresult {
            self.call(Call::Main("preparing to play"), kInternalError, || {
                if state == 0 {
                    self.unsent.set_processing(false);
                    self.events.clear();
                }
                // SAFETY: as called by the host.
                unsafe { self.wrapped.setActive(state) }
            })
        }

        unsafe fn getState(&self, state: *mut IBStream) -> tresult {
            self.call(Call::Main("saving the project"), kInternalError, || {
                // SAFETY: null, or the host's stream, which lives during this call.
                let Some(host) = (unsafe { ComRef::from_raw(state) }) else {
                    return kInvalidArgument;
                };
                self.unsent.apply();
                let (memory, stream) = memory_stream(Vec::new());
                // SAFETY: the stream is ours, and lives as long as `memory`.
                let result = unsafe { IComponentTrait::getState(&*self.wrapped, stream.as_ptr()) };
                if result != kResultOk {
                    return result;
                }
                if stream::write_all(host, &memory.take()) {
                    kResultOk
                } else {
                    kResultFalse
                }
            })
        }

        /// The host shows what the parameters were before, until it is told. nice-plug only answers "no" to a state it
        /// can't read; the user has to see why nothing sounds.
        unsafe fn setState(&self, state: *mut IBStream) -> tresult {
            self.call(Call::Main("loading the project"), kInternalError, || {
                // SAFETY: null, or the host's stream, which lives during this call.
                let Some(host) = (unsafe { ComRef::from_raw(state) }) else {
                    return kInvalidArgument;
                };
                self.unsent.clear();
                let result = stream::read_to_end(host).map_or(kResultFalse, |bytes| {
                    let (_memory, stream) = memory_stream(bytes);
                    // SAFETY: the stream is ours, and lives as long as `_memory`.
                    unsafe { IComponentTrait::setState(&*self.wrapped, stream.as_ptr()) }
                });
                if result == kResultOk {
                    self.tell_of_new_values();
                } else {
                    self.instance.project().report_unreadable_state();
                }
                result
            })
        }
    }
}
