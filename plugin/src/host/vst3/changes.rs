//! The changes of parameters in a block as nice-plug gets them: without those that stand for controllers, at each of
//! which it would cut the block. Audio thread, but for [`BlockChanges::new`].

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IParamValueQueue, IParamValueQueueTrait, IParameterChanges, IParameterChangesTrait, ParamID,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::int32;
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComRef, ComWrapper};

use super::mapped::Mapped;

/// The changes of the blocks of a component.
pub struct BlockChanges {
    list: ComWrapper<List>,
    /// The same, as nice-plug gets it.
    interface: ComPtr<IParameterChanges>,
}

/// A host's list of the block that is processed, or null.
struct List(AtomicPtr<IParameterChanges>);

impl Class for List {
    type Interfaces = (IParameterChanges,);
}

impl BlockChanges {
    /// No changes yet; `None` if the list can't be made.
    pub fn new() -> Option<Self> {
        let list = ComWrapper::new(List(AtomicPtr::new(ptr::null_mut())));
        let interface = list.to_com_ptr::<IParameterChanges>()?;
        Some(Self { list, interface })
    }

    /// The list for nice-plug, in place of a host's `changes`, which are null or valid until [`end`](Self::end).
    pub fn begin(&self, changes: *mut IParameterChanges) -> *mut IParameterChanges {
        self.list.0.store(changes, Ordering::Relaxed);
        self.interface.as_ptr()
    }

    /// The block is over.
    pub fn end(&self) {
        self.list.0.store(ptr::null_mut(), Ordering::Relaxed);
    }
}

impl List {
    /// The host's list.
    ///
    /// # Safety
    /// Within the block that the host gave it with.
    unsafe fn host(&self) -> Option<ComRef<'_, IParameterChanges>> {
        // SAFETY: by the contract above.
        unsafe { ComRef::from_raw(self.0.load(Ordering::Relaxed)) }
    }
}

impl IParameterChangesTrait for List {
    unsafe fn getParameterCount(&self) -> int32 {
        // SAFETY: nice-plug asks within the block.
        unsafe { self.host().map_or(0, |host| host.getParameterCount()) }
    }

    /// No queue, which nice-plug passes over, in place of one that is not for it.
    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        // SAFETY: nice-plug asks within the block.
        unsafe {
            let queue = self.host().map(|host| host.getParameterData(index));
            match queue.and_then(|queue| ComRef::from_raw(queue)) {
                Some(queue) if Mapped::of_id(queue.getParameterId()).is_none() => queue.as_ptr(),
                _ => ptr::null_mut(),
            }
        }
    }

    unsafe fn addParameterData(
        &self,
        _id: *const ParamID,
        _index: *mut int32,
    ) -> *mut IParamValueQueue {
        ptr::null_mut()
    }
}
