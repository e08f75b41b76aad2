//! The window as a VST3 host sees it: nice-plug's, opened and closed while nothing else looks at it. Main
//! thread.

use std::ffi::c_void;
use std::sync::{Arc, Weak};

use nice_plug::wrapper::vst3::vst3::Steinberg::IPlugViewContentScaleSupport_::ScaleFactor;
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, IPlugFrame, IPlugView, IPlugViewContentScaleSupport,
    IPlugViewContentScaleSupportTrait, IPlugViewTrait, TBool, ViewRect, char16, int16,
    kInternalError, kResultFalse, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComWrapper};

use crate::background::BackgroundPause;
use crate::host::gate::{self, Call};
use crate::instance::Instance;
use crate::link::HostLink;
use crate::session::Session;

/// nice-plug's view, with opening and closing looked after. Whoever keeps a window must not keep the
/// instrument.
pub struct View {
    wrapped: ComPtr<IPlugView>,
    session: Weak<Session>,
    link: Weak<HostLink>,
}

impl Class for View {
    type Interfaces = (IPlugView, IPlugViewContentScaleSupport);
}

impl View {
    /// Wraps a view that is the caller's, who owns what is returned; null stays null.
    ///
    /// # Safety
    /// `view` is null, or the caller's own reference to a view.
    pub unsafe fn wrap(view: *mut IPlugView, instance: &Instance) -> *mut IPlugView {
        // SAFETY: by the contract above.
        let Some(wrapped) = (unsafe { ComPtr::from_raw(view) }) else {
            return view;
        };
        let view = ComWrapper::new(Self {
            wrapped,
            session: Arc::downgrade(&instance.session),
            link: Arc::downgrade(&instance.link),
        });
        match view.to_com_ptr::<IPlugView>() {
            Some(view) => view.into_raw(),
            None => std::ptr::null_mut(),
        }
    }

    fn pause_background(&self) -> Option<BackgroundPause> {
        self.link.upgrade()?.pause_background()
    }

    /// Passes the work of a call through the gate.
    fn call(&self, work: impl FnOnce() -> tresult) -> tresult {
        let session = self.session.upgrade();
        let call = Call::Main("looking after the window");
        gate::contain(session.as_deref(), call, work).unwrap_or(kInternalError)
    }
}

/// Hands calls on to nice-plug's view, through the gate.
macro_rules! forward {
    ( $( fn $name:ident( $( $argument:ident : $type:ty ),* ); )* ) => {
        $(
            unsafe fn $name(&self, $( $argument: $type ),*) -> tresult {
                // SAFETY: the host's arguments go on as they came.
                self.call(|| unsafe { self.wrapped.$name($( $argument ),*) })
            }
        )*
    };
}

impl IPlugViewTrait for View {
    unsafe fn attached(&self, parent: *mut c_void, kind: FIDString) -> tresult {
        self.call(|| {
            let _pause = self.pause_background();
            // SAFETY: as called by the host.
            unsafe { self.wrapped.attached(parent, kind) }
        })
    }

    unsafe fn removed(&self) -> tresult {
        self.call(|| {
            let _pause = self.pause_background();
            // SAFETY: as called by the host.
            unsafe { self.wrapped.removed() }
        })
    }

    forward! {
        fn isPlatformTypeSupported(kind: FIDString);
        fn onWheel(distance: f32);
        fn onKeyDown(key: char16, code: int16, modifiers: int16);
        fn onKeyUp(key: char16, code: int16, modifiers: int16);
        fn getSize(size: *mut ViewRect);
        fn onSize(size: *mut ViewRect);
        fn onFocus(state: TBool);
        fn setFrame(frame: *mut IPlugFrame);
        fn canResize();
        fn checkSizeConstraint(size: *mut ViewRect);
    }
}

impl IPlugViewContentScaleSupportTrait for View {
    unsafe fn setContentScaleFactor(&self, factor: ScaleFactor) -> tresult {
        self.call(
            || match self.wrapped.cast::<IPlugViewContentScaleSupport>() {
                // SAFETY: as called by the host.
                Some(scale) => unsafe { scale.setContentScaleFactor(factor) },
                None => kResultFalse,
            },
        )
    }
}
