//! The component's life and state. Main thread.

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, BusInfo, IComponentTrait, IoMode, MediaType, RoutingInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FUnknown, IBStream, IPluginBaseTrait, TBool, TUID, int32, kInternalError, kResultOk, tresult,
};

use super::adapter::forward;
use crate::host::gate::Call;

forward! {
    IPluginBaseTrait, Call::Main("starting the plugin"),
    {
        fn initialize(context: *mut FUnknown) -> tresult = kInternalError;
    } with {
        unsafe fn terminate(&self) -> tresult {
            self.call(Call::Main("stopping the plugin"), kInternalError, || {
                // The host's objects must not be held any longer.
                self.instance.link.set_dirty_notifier(None);
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
                self.unsent.apply();
                // SAFETY: as called by the host.
                unsafe { IComponentTrait::getState(&*self.wrapped, state) }
            })
        }

        /// nice-plug only answers "no" to a state it can't read; the user has to see why nothing
        /// sounds.
        unsafe fn setState(&self, state: *mut IBStream) -> tresult {
            self.call(Call::Main("loading the project"), kInternalError, || {
                self.unsent.clear();
                // SAFETY: as called by the host.
                let result = unsafe { IComponentTrait::setState(&*self.wrapped, state) };
                if result != kResultOk {
                    self.instance.project().report_unreadable_state();
                }
                result
            })
        }
    }
}
