//! The CLAP plugin that a host gets: the functions of its table, and how it is made.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::Arc;

use clap_sys::events::{clap_input_events, clap_output_events};
use clap_sys::ext::gui::CLAP_EXT_GUI;
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_param_info, clap_plugin_params};
use clap_sys::ext::tail::CLAP_EXT_TAIL;
use clap_sys::host::clap_host;
use clap_sys::id::clap_id;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use nice_plug::wrapper::clap::Wrapper;

use super::adapter::{Adapter, callbacks};
use super::carried::CarriedEvents;
use super::extensions;
use super::host::Host;
use super::main_thread::MainThreadRequests;
use super::tail::ToldTail;
use crate::host::gate::{self, Call};
use crate::host::typing::TypedValues;
use crate::instance::Instance;
use crate::plugin::WeftPlugin;
use crate::roles::Role;

callbacks! {
    fn process(process: *const clap_process) -> clap_process_status,
        Call::Audio, or CLAP_PROCESS_ERROR;
    fn start_processing() -> bool,
        Call::Audio, or false;
    fn stop_processing() -> (),
        Call::Audio, or ();
    fn reset() -> (),
        Call::Audio, or ();
    fn on_main_thread() -> (),
        Call::Main("looking after a fit"), or ();
    fn get_extension(id: *const c_char) -> *const c_void,
        Call::Main("looking for an extension"), or ptr::null();
    fn text_to_value(id: clap_id, text: *const c_char, value: *mut f64) -> bool,
        Call::Main("reading a value"), or false;
    fn flush(in_events: *const clap_input_events, out_events: *const clap_output_events) -> (),
        Call::Audio, or ();
}

/// The host destroys the plugin: free nice-plug's object, then the adapter.
unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    let free = |adapter: Box<Adapter>| {
        adapter.instance.link.set_dirty_notifier(None);
        adapter.instance.session.rest().set_requester(None);
        if let Some(destroy) = adapter.wrapped.destroy {
            // SAFETY: the plugin is whole until the end of this function.
            unsafe { destroy(&adapter.plugin) };
        }
    };
    // SAFETY: the host passes the pointer that `create` leaked, once, and not again.
    unsafe { gate::leave(plugin.cast_mut().cast::<Adapter>(), free) };
}

impl Adapter {
    /// The host begins to process, without any notes.
    fn start_processing(&self) -> bool {
        self.carried.clear();
        match self.wrapped.start_processing {
            // SAFETY: as called by the host.
            Some(start) => unsafe { start(&self.plugin) },
            None => false,
        }
    }

    /// The host ends all notes.
    fn reset(&self) {
        self.carried.clear();
        if let Some(wrapped) = self.wrapped.reset {
            // SAFETY: as called by the host.
            unsafe { wrapped(&self.plugin) };
        }
    }

    /// Looks whether a fit has come to rest, and tells the host what has changed.
    fn on_main_thread(&self) {
        let project = self.instance.project();
        if project.is_change_pending() {
            project.poll();
        }
        self.main_thread.pass_dirty_on();
        if let Some(wrapped) = self.wrapped.on_main_thread {
            // SAFETY: as called by the host.
            unsafe { wrapped(&self.plugin) };
        }
    }

    /// Takes parameters between blocks: one of them may end the silence. Audio thread while the plugin is active,
    /// else main thread.
    ///
    /// # Safety
    /// The lists are a host's, valid for this call.
    unsafe fn flush(
        &self,
        in_events: *const clap_input_events,
        out_events: *const clap_output_events,
    ) {
        if let Some(flush) = self.wrapped_params().and_then(|params| params.flush) {
            // SAFETY: as called by the host.
            unsafe { flush(self.plugin(), in_events, out_events) };
        }
        if self.instance.session.rest().expect() {
            self.host.request_process();
        }
    }

    /// Reads what was typed for a parameter. CLAP counts the steps of those that have any.
    ///
    /// # Safety
    /// `text` is null or a C string, and `value` null or valid for writing.
    unsafe fn text_to_value(&self, id: clap_id, text: *const c_char, value: *mut f64) -> bool {
        if text.is_null() || value.is_null() {
            return false;
        }
        // SAFETY: by the contract above.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
        let Some((normalized, steps)) = self.typed.read(id, &text, None) else {
            return false;
        };
        // SAFETY: by the contract above.
        unsafe { value.write(normalized * steps.unwrap_or(1) as f64) };
        true
    }

    /// The table of functions of an extension: ours, or nice-plug's.
    ///
    /// # Safety
    /// `id` is null or a C string.
    unsafe fn get_extension(&self, id: *const c_char) -> *const c_void {
        if id.is_null() {
            return ptr::null();
        }
        // SAFETY: by the contract above.
        let name = unsafe { CStr::from_ptr(id) };
        if name == CLAP_EXT_TAIL {
            self.tail.begin(self.host);
        }
        if let Some(table) = extensions::table(name) {
            return table;
        }
        if name == CLAP_EXT_PARAMS {
            return (&raw const self.params).cast();
        }
        // nice-plug takes for granted that a host which opens a window has functions for windows, and
        // ends it where it has none.
        if name == CLAP_EXT_GUI && self.host.extension(CLAP_EXT_GUI).is_null() {
            return ptr::null();
        }
        self.wrapped_extension(name)
    }
}

/// Makes a plugin for a host, or null if that can't be. Main thread.
///
/// # Safety
/// `host` is a host that outlives the plugin.
pub unsafe fn create<R: Role>(host: *const clap_host) -> *const clap_plugin {
    // SAFETY: by the contract above. nice-plug's `destroy` turns the pointer back into the `Arc`.
    let object = || Arc::into_raw(unsafe { Wrapper::<WeftPlugin<R>>::new(host) });
    let Some((wrapper, instance)) = Instance::of_object(object) else {
        return ptr::null();
    };
    // SAFETY: `wrapper` is the leaked `Arc`, alive until `destroy`; nobody else borrows its function
    // table.
    let wrapped = unsafe { *(*wrapper).clap_plugin.as_ptr() };
    // SAFETY: as above, and nice-plug's functions find their object through `wrapped`.
    let params = unsafe { wrapped_params(&wrapped) };
    // SAFETY: as above.
    let find = |name: &str| unsafe { find_parameter(&wrapped, params.as_ref()?, name) };
    let Some(params) = params else {
        // Frees what nobody will.
        if let Some(destroy) = wrapped.destroy {
            // SAFETY: as above; it is not used any more.
            unsafe { destroy(&wrapped) };
        }
        return ptr::null();
    };
    // SAFETY: by the contract above.
    let host = unsafe { Host::new(host) };
    let main_thread = MainThreadRequests::new(host);
    let notifier = main_thread.dirty_notifier();
    let typed = TypedValues::new(instance.clone(), find);
    instance.link.set_dirty_notifier(Some(notifier));
    let requester = Arc::new(move || host.request_process());
    instance.session.rest().set_requester(Some(requester));
    let adapter = Box::new(Adapter {
        plugin: clap_plugin {
            destroy: Some(destroy),
            process: Some(process),
            start_processing: Some(start_processing),
            stop_processing: Some(stop_processing),
            reset: Some(reset),
            get_extension: Some(get_extension),
            on_main_thread: Some(on_main_thread),
            ..wrapped
        },
        wrapped,
        host,
        main_thread,
        instance,
        input_buses: R::INPUT_BUSES,
        params: clap_plugin_params {
            text_to_value: Some(text_to_value),
            flush: Some(flush),
            ..params
        },
        typed,
        carried: CarriedEvents::new(),
        tail: ToldTail::new(),
    });
    Box::into_raw(adapter).cast()
}

/// nice-plug's functions for parameters.
///
/// # Safety
/// `plugin` is nice-plug's function table of a living object.
unsafe fn wrapped_params(plugin: &clap_plugin) -> Option<clap_plugin_params> {
    // SAFETY: by the contract above; the extension's table is null or nice-plug's.
    unsafe {
        let params = (plugin.get_extension?)(plugin, CLAP_EXT_PARAMS.as_ptr());
        params.cast::<clap_plugin_params>().as_ref().copied()
    }
}

/// CLAP's number of the parameter `name`.
///
/// # Safety
/// `plugin` is nice-plug's function table of a living object, and `params` its functions for parameters.
unsafe fn find_parameter(
    plugin: &clap_plugin,
    params: &clap_plugin_params,
    name: &str,
) -> Option<clap_id> {
    // SAFETY: by the contract above.
    unsafe {
        let (count, get_info) = (params.count?, params.get_info?);
        (0..count(plugin)).find_map(|index| {
            // All zeros are an empty description.
            let mut info: clap_param_info = std::mem::zeroed();
            let found = get_info(plugin, index, &mut info)
                && CStr::from_ptr(info.name.as_ptr()).to_bytes() == name.as_bytes();
            found.then_some(info.id)
        })
    }
}
