//! The adapter around nice-plug's VST3 component, and the way of a call through it.

use std::mem::ManuallyDrop;
use std::sync::{Mutex, PoisonError};

use nice_plug::wrapper::vst3::Wrapper;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ChannelContext::IInfoListener;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::RestartFlags_::kParamValuesChanged;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IAudioProcessor, IComponent, IComponentHandler, IComponentHandlerTrait, IEditController,
    IEditControllerTrait, IMidiMapping, INoteExpressionController,
    INoteExpressionPhysicalUIMapping, IProcessContextRequirements, IUnitInfo, ParamID,
    ParameterInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{int32, kResultOk};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr};

use super::changes::BlockChanges;
use super::edits::UnsentEdits;
use super::events::BlockEvents;
use super::inputs::InputCopies;
use super::mapped::MappedValues;
use crate::host::gate::{self, Call};
use crate::host::typing::TypedValues;
use crate::instance::Instance;
use crate::plugin::WeftPlugin;
use crate::roles::Role;

/// The component as the host sees it: nice-plug's, with a few calls looked after.
pub struct Adapter<R: Role> {
    pub(super) wrapped: ManuallyDrop<Wrapper<WeftPlugin<R>>>,
    pub(super) instance: Instance,
    pub(super) unsent: UnsentEdits,
    pub(super) typed: TypedValues,
    pub(super) copies: InputCopies,
    /// The host's side that takes the notice of new values.
    handler: Mutex<Option<ComPtr<IComponentHandler>>>,
    pub(super) events: BlockEvents,
    pub(super) changes: BlockChanges,
    /// The parameters that stand for controllers.
    pub(super) mapped: MappedValues,
}

impl<R: Role> Drop for Adapter<R> {
    fn drop(&mut self) {
        // Should nice-plug's background thread have gone, the last instance panics as it looks for it. That
        // must not take the host with it.
        gate::contain(None, Call::Main("removing the plugin"), || {
            // SAFETY: once, and nobody uses it afterwards.
            unsafe { ManuallyDrop::drop(&mut self.wrapped) }
        });
    }
}

impl<R: Role> Class for Adapter<R> {
    type Interfaces = (
        IComponent,
        IEditController,
        IAudioProcessor,
        IMidiMapping,
        INoteExpressionController,
        INoteExpressionPhysicalUIMapping,
        IProcessContextRequirements,
        IUnitInfo,
        IInfoListener,
    );
}

impl<R: Role> Adapter<R> {
    /// An adapter around a new component, or `None` if that can't be made. Main thread.
    pub fn create() -> Option<Self> {
        let (wrapped, instance) = Instance::of_object(Wrapper::new)?;
        let id_of = |name: &str| find_parameter(&wrapped, name);
        let unsent = UnsentEdits::new(instance.clone(), id_of);
        let typed = TypedValues::new(instance.clone(), id_of);
        Some(Self {
            wrapped: ManuallyDrop::new(wrapped),
            instance,
            unsent,
            typed,
            copies: InputCopies::default(),
            handler: Mutex::default(),
            events: BlockEvents::new()?,
            changes: BlockChanges::new()?,
            mapped: MappedValues::new(),
        })
    }

    /// Takes the host's side that is told of new values, or gives it back. Main thread.
    pub(super) fn set_handler(&self, handler: Option<ComPtr<IComponentHandler>>) {
        let mut held = self.handler.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *held, handler);
        // The host's code runs when it is dropped: not under the lock.
        drop(held);
        drop(before);
    }

    /// Tells the host that a load has changed the parameters' values. Main thread.
    pub(super) fn tell_of_new_values(&self) {
        let held = self.handler.lock().unwrap_or_else(PoisonError::into_inner);
        let handler = held.clone();
        // Not under the lock: a host may ask for the values at once.
        drop(held);
        if let Some(handler) = handler {
            // SAFETY: the object lives as long as this reference to it. A host that does nothing of the kind
            // says so, and nothing is lost.
            unsafe { handler.restartComponent(kParamValuesChanged as int32) };
        }
    }

    /// Passes the work of a call through the gate; `error` is what the host gets if that panics. The
    /// object itself is one that the host holds a reference to: the vst3 crate has followed its pointer
    /// before it calls us.
    pub(super) fn call<T>(&self, call: Call, error: T, work: impl FnOnce() -> T) -> T {
        gate::contain(Some(&self.instance.session), call, work).unwrap_or(error)
    }
}

/// Implements an interface by handing calls on to nice-plug, each through the gate: `$call` says what for,
/// and after `or` stands what the host gets after a panic. What stands after `with` is our own.
macro_rules! forward {
    (
        $interface:ident, $call:expr,
        { $( fn $name:ident( $( $argument:ident : $type:ty ),* ) -> $result:ty = $error:expr; )* }
        $( with { $( $own:item )* } )?
    ) => {
        impl<R: $crate::roles::Role> $interface for $crate::host::vst3::adapter::Adapter<R> {
            $(
                unsafe fn $name(&self, $( $argument: $type ),*) -> $result {
                    // SAFETY: the host's arguments go on as they came.
                    self.call($call, $error, || unsafe {
                        $interface::$name(&*self.wrapped, $( $argument ),*)
                    })
                }
            )*
            $( $( $own )* )?
        }
    };
}
pub(super) use forward;

/// VST3's number of the parameter `name`.
fn find_parameter(controller: &impl IEditControllerTrait, name: &str) -> Option<ParamID> {
    // SAFETY: a query without conditions.
    let count = unsafe { controller.getParameterCount() };
    (0..count).find_map(|index| {
        // SAFETY: all zeros are an empty description.
        let mut info: ParameterInfo = unsafe { std::mem::zeroed() };
        // SAFETY: `info` is valid for writing.
        let result = unsafe { controller.getParameterInfo(index, &mut info) };
        let title = info.title.split(|&unit| unit == 0).next()?;
        (result == kResultOk && title.iter().copied().eq(name.encode_utf16())).then_some(info.id)
    })
}
