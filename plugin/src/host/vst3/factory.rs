//! The factory that makes the components. Main thread.

use std::ffi::c_void;

use nice_plug::wrapper::vst3::PluginInfo;
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IPluginFactory, IPluginFactory2, IPluginFactory2Trait, IPluginFactory3,
    IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo, PClassInfo2, PClassInfoW, PFactoryInfo,
    TUID, int32, kInvalidArgument, kOutOfMemory, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};

use super::adapter::Adapter;
use crate::host::gate::{self, Call};
use crate::plugin::{Weft, WeftFx};
use crate::roles::{Insert, Role, Synth};

/// Makes the components: the instrument's and the effect's.
pub struct Factory {
    infos: [PluginInfo; 2],
}

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

/// Passes a call to the factory through the gate: there is no instance yet that it could be for.
fn contain(work: impl FnOnce() -> tresult) -> tresult {
    gate::contain(None, Call::Main("making a plugin"), work).unwrap_or(kOutOfMemory)
}

impl Factory {
    /// The factory of both components.
    pub fn new() -> Self {
        Self {
            infos: [
                PluginInfo::for_plugin::<Weft>(),
                PluginInfo::for_plugin::<WeftFx>(),
            ],
        }
    }

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
        contain(|| {
            let class = usize::try_from(index).ok().and_then(|i| self.infos.get(i));
            let Some(class) = class.filter(|_| !info.is_null()) else {
                return kInvalidArgument;
            };
            // SAFETY: by the contract above.
            unsafe { info.write(describe(class)) };
            kResultOk
        })
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
        contain(|| {
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
        })
    }
}

/// Makes a component and writes its `interface_id` to `object`.
///
/// # Safety
/// `interface_id` points to an id, and `object` is valid for writing.
unsafe fn create<R: Role>(interface_id: FIDString, object: *mut *mut c_void) -> tresult {
    let Some(adapter) = Adapter::<R>::create() else {
        return kOutOfMemory;
    };
    let component = ComWrapper::new(adapter);
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
