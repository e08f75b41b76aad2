//! The CLAP entry point, and the factory that makes the plugins. Main thread.

use std::ffi::{CStr, c_char, c_void};
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;

use clap_sys::entry::clap_plugin_entry;
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::host::clap_host;
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::version::CLAP_VERSION;
use nice_plug::wrapper::clap::PluginDescriptor;
use nice_plug::wrapper::setup_logger;

use super::plugin::create;
use crate::host::gate::{self, Call};
use crate::plugin::{Weft, WeftFx};
use crate::program::note_library;
use crate::roles::{Insert, Synth};

/// What a CLAP host looks for in the library.
#[unsafe(no_mangle)]
#[used]
pub static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(init),
    deinit: Some(deinit),
    get_factory: Some(get_factory),
};

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(get_plugin_count),
    get_plugin_descriptor: Some(get_plugin_descriptor),
    create_plugin: Some(create_plugin),
};

/// Passes a call to the library through the gate: there is no instance yet that it could be for.
fn contain<T>(error: T, work: impl FnOnce() -> T) -> T {
    gate::contain(None, Call::Main("making a plugin"), work).unwrap_or(error)
}

unsafe extern "C" fn init(plugin_path: *const c_char) -> bool {
    contain(false, || {
        if !plugin_path.is_null() {
            // SAFETY: paths are C strings.
            let path = unsafe { CStr::from_ptr(plugin_path) }.to_string_lossy();
            note_library(Path::new(&*path));
        }
        setup_logger::<Weft>();
        true
    })
}

unsafe extern "C" fn deinit() {}

unsafe extern "C" fn get_factory(factory_id: *const c_char) -> *const c_void {
    contain(ptr::null(), || {
        // SAFETY: ids are C strings.
        if !factory_id.is_null() && unsafe { CStr::from_ptr(factory_id) } == CLAP_PLUGIN_FACTORY_ID
        {
            (&raw const FACTORY).cast()
        } else {
            ptr::null()
        }
    })
}

/// The plugins of the bundle: the instrument, and the effect.
pub fn descriptors() -> &'static [PluginDescriptor; 2] {
    static DESCRIPTORS: OnceLock<[PluginDescriptor; 2]> = OnceLock::new();
    DESCRIPTORS.get_or_init(|| {
        [
            PluginDescriptor::for_plugin::<Weft>(),
            PluginDescriptor::for_plugin::<WeftFx>(),
        ]
    })
}

unsafe extern "C" fn get_plugin_count(_factory: *const clap_plugin_factory) -> u32 {
    contain(0, || descriptors().len() as u32)
}

unsafe extern "C" fn get_plugin_descriptor(
    _factory: *const clap_plugin_factory,
    index: u32,
) -> *const clap_plugin_descriptor {
    contain(ptr::null(), || match descriptors().get(index as usize) {
        Some(descriptor) => descriptor.clap_plugin_descriptor(),
        None => ptr::null(),
    })
}

/// Makes the plugin `plugin_id`, or null if there is none of that name.
pub unsafe extern "C" fn create_plugin(
    _factory: *const clap_plugin_factory,
    host: *const clap_host,
    plugin_id: *const c_char,
) -> *const clap_plugin {
    contain(ptr::null(), || {
        if host.is_null() || plugin_id.is_null() {
            return ptr::null();
        }
        // SAFETY: ids are C strings.
        let id = unsafe { CStr::from_ptr(plugin_id) };
        // SAFETY: the host is not null, and outlives the plugin.
        unsafe {
            match descriptors().iter().position(|d| d.clap_id() == id) {
                Some(0) => create::<Synth>(host),
                Some(_) => create::<Insert>(host),
                None => ptr::null(),
            }
        }
    })
}
