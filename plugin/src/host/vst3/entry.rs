//! The VST3 entry points, by which a host finds the factory. Main thread.

use std::ffi::c_void;
use std::ptr;

use nice_plug::wrapper::setup_logger;
use nice_plug::wrapper::vst3::vst3::ComWrapper;
use nice_plug::wrapper::vst3::vst3::Steinberg::IPluginFactory;

use super::factory::Factory;
use crate::host::gate::{self, Call};
use crate::plugin::Weft;

/// What a VST3 host calls first: the factory of the library.
#[unsafe(no_mangle)]
pub extern "system" fn GetPluginFactory() -> *mut c_void {
    contain(ptr::null_mut(), || {
        let factory = ComWrapper::new(Factory::new());
        match factory.to_com_ptr::<IPluginFactory>() {
            Some(factory) => factory.into_raw().cast(),
            None => ptr::null_mut(),
        }
    })
}

/// Passes a call to the library through the gate: there is no instance yet that it could be for.
fn contain<T>(error: T, work: impl FnOnce() -> T) -> T {
    gate::contain(None, Call::Main("loading the library"), work).unwrap_or(error)
}

/// Starts the log, in every system's own entry point.
fn start() -> bool {
    contain(false, || {
        setup_logger::<Weft>();
        true
    })
}

/// Called when the library has been loaded.
#[cfg(all(target_family = "unix", not(target_os = "macos")))]
#[unsafe(no_mangle)]
pub extern "C" fn ModuleEntry(_library: *mut c_void) -> bool {
    start()
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
    start()
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
    start()
}

/// Called before the library is unloaded.
#[cfg(target_os = "windows")]
#[unsafe(no_mangle)]
pub extern "system" fn ExitDll() -> bool {
    true
}
