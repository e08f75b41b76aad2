//! The adapter around nice-plug's CLAP plugin, and the way from a C function to it.

use std::ffi::{CStr, c_void};
use std::ptr;

use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_plugin_params};
use clap_sys::plugin::clap_plugin;

use super::carried::CarriedEvents;
use super::host::Host;
use super::main_thread::MainThreadRequests;
use super::tail::ToldTail;
use crate::host::gate::Guarded;
use crate::host::typing::TypedValues;
use crate::instance::Instance;
use crate::session::Session;

/// The plugin as the host sees it: nice-plug's function table with some entries of our own.
#[repr(C)]
pub struct Adapter {
    /// First, so that the pointer a host hands back points to the adapter as well. Its
    /// `plugin_data` is nice-plug's, whose functions find their object through it.
    pub(super) plugin: clap_plugin,
    /// nice-plug's own functions.
    pub(super) wrapped: clap_plugin,
    pub(super) host: Host,
    pub(super) main_thread: MainThreadRequests,
    pub(super) instance: Instance,
    pub(super) input_buses: usize,
    /// nice-plug's functions for parameters, but for those that read text and take events.
    pub(super) params: clap_plugin_params,
    pub(super) typed: TypedValues,
    pub(super) carried: CarriedEvents,
    pub(super) tail: ToldTail,
}

impl Guarded for Adapter {
    fn session(&self) -> &Session {
        &self.instance.session
    }
}

/// Defines C functions of the plugin, for its own table or an extension's: each passes the gate and
/// calls the adapter's method of the same name. After `or` stands what the host gets where that can't be.
macro_rules! callbacks {
    ($(
        fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty,
        $call:expr, or $error:expr;
    )*) => {
        $(
            pub(super) unsafe extern "C" fn $name(
                plugin: *const clap_sys::plugin::clap_plugin
                $(, $argument: $type)*
            ) -> $result {
                // SAFETY: a host hands back the pointer that `create` gave it, until it calls `destroy`; it
                // points to an `Adapter`, which is never borrowed mutably. The other arguments go on as they
                // came, valid for this call as CLAP says.
                let result = unsafe {
                    $crate::host::gate::enter(
                        plugin.cast::<$crate::host::clap::adapter::Adapter>(),
                        $call,
                        |adapter| adapter.$name($($argument),*),
                    )
                };
                result.unwrap_or($error)
            }
        )*
    };
}
pub(super) use callbacks;

impl Adapter {
    /// nice-plug's table of functions of an extension, or null.
    pub(super) fn wrapped_extension(&self, id: &CStr) -> *const c_void {
        match self.wrapped.get_extension {
            // SAFETY: the function is nice-plug's, for the plugin that it was made for.
            Some(get_extension) => unsafe { get_extension(&self.plugin, id.as_ptr()) },
            None => ptr::null(),
        }
    }

    /// nice-plug's functions for parameters.
    pub(super) fn wrapped_params(&self) -> Option<&clap_plugin_params> {
        let params = self.wrapped_extension(CLAP_EXT_PARAMS);
        // SAFETY: null, or nice-plug's static table.
        unsafe { params.cast::<clap_plugin_params>().as_ref() }
    }

    /// The plugin as nice-plug's functions want it.
    pub(super) fn plugin(&self) -> *const clap_plugin {
        &raw const self.plugin
    }
}
