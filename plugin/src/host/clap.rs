//! The CLAP entry point, and the adapter around nice-plug's CLAP plugin.

use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::entry::clap_plugin_entry;
use clap_sys::ext::gui::CLAP_EXT_GUI;
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_param_info, clap_plugin_params};
use clap_sys::ext::render::{
    CLAP_EXT_RENDER, CLAP_RENDER_OFFLINE, clap_plugin_render, clap_plugin_render_mode,
};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_host_state, clap_plugin_state};
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::host::clap_host;
use clap_sys::id::clap_id;
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use clap_sys::stream::{clap_istream, clap_ostream};
use clap_sys::version::CLAP_VERSION;
use nice_plug::wrapper::clap::{PluginDescriptor, Wrapper};
use nice_plug::wrapper::setup_logger;

use super::clap_events::{EventTranslator, song_position};
use super::{MOST_INPUT_BUSES, create_with_session};
use crate::parameters::BEND_NAME;
use crate::role::{Insert, Role, Synth};
use crate::session::Session;
use crate::{Weft, WeftFx, WeftPlugin};

/// While a capture or fit is under way, `process` asks this often for the main thread, which then
/// looks whether it has finished.
const POLL_INTERVAL_FRAMES: u32 = 12_000;

/// The plugin as the host sees it: nice-plug's function table with four entries of our own.
#[repr(C)]
struct Adapter {
    /// First, so that the pointer a host hands back points to the adapter as well. Its
    /// `plugin_data` is nice-plug's, whose functions find their object through it.
    plugin: clap_plugin,
    /// nice-plug's own functions.
    wrapped: clap_plugin,
    host: Host,
    session: Arc<Session>,
    input_buses: usize,
    /// CLAP's number of the pitch bend.
    bend: clap_id,
    /// The texture has changed: the main thread has to tell the host.
    dirty: Arc<AtomicBool>,
    frames_since_poll: AtomicU32,
}

/// The host's side. CLAP keeps it alive for as long as the plugin.
#[derive(Clone, Copy)]
struct Host(*const clap_host);

// SAFETY: the struct behind the pointer does not change while a plugin lives, and of its functions
// only `request_callback` is called from other threads than the main thread, which CLAP allows.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    /// Asks for a call of `on_main_thread`. Any thread, real-time safe.
    fn request_callback(self) {
        // SAFETY: the host outlives the plugin, see above.
        unsafe {
            if let Some(request_callback) = (*self.0).request_callback {
                request_callback(self.0);
            }
        }
    }

    /// The host's table of functions for an extension, or null.
    fn extension(self, id: &CStr) -> *const c_void {
        // SAFETY: the host outlives the plugin.
        unsafe {
            match (*self.0).get_extension {
                Some(get_extension) => get_extension(self.0, id.as_ptr()),
                None => ptr::null(),
            }
        }
    }

    /// Says that the project has changed. Main thread.
    fn mark_dirty(self) {
        let state = self.extension(CLAP_EXT_STATE).cast::<clap_host_state>();
        // SAFETY: an extension's table is null or lives as long as the host, which outlives the plugin.
        unsafe {
            if let Some(mark_dirty) = state.as_ref().and_then(|state| state.mark_dirty) {
                mark_dirty(self.0);
            }
        }
    }
}

/// # Safety
/// `plugin` came from [`create_plugin`] and is not destroyed yet.
unsafe fn adapter<'a>(plugin: *const clap_plugin) -> &'a Adapter {
    // SAFETY: by the contract above, and `plugin` is the adapter's first field in C layout.
    unsafe { &*plugin.cast::<Adapter>() }
}

/// The host destroys the plugin: free nice-plug's object, then the adapter.
unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    // SAFETY: the host passes the pointer that `create_plugin` leaked, once, and not again.
    let adapter = unsafe { Box::from_raw(plugin.cast_mut().cast::<Adapter>()) };
    adapter.session.host().set_dirty_notifier(None);
    if let Some(destroy) = adapter.wrapped.destroy {
        // SAFETY: the plugin is whole until the end of this function.
        unsafe { destroy(&adapter.plugin) };
    }
}

unsafe extern "C" fn process(
    plugin: *const clap_plugin,
    process: *const clap_process,
) -> clap_process_status {
    // SAFETY: the host passes the pointer that it was given.
    let adapter = unsafe { adapter(plugin) };
    let (Some(process), Some(wrapped)) = (
        // SAFETY: null, or valid for this call.
        unsafe { process.as_ref() },
        adapter.wrapped.process,
    ) else {
        return CLAP_PROCESS_ERROR;
    };

    // nice-plug looks for the second input bus even where the host passes one only, and past the
    // end of its array; so it always gets both, those that are missing without channels.
    let mut inputs = [clap_audio_buffer {
        data32: ptr::null_mut(),
        data64: ptr::null_mut(),
        channel_count: 0,
        latency: 0,
        constant_mask: 0,
    }; MOST_INPUT_BUSES];
    if !process.audio_inputs.is_null() {
        for (index, bus) in inputs
            .iter_mut()
            .enumerate()
            .take(adapter.input_buses.min(process.audio_inputs_count as usize))
        {
            // SAFETY: the host's array has `audio_inputs_count` elements.
            let passed = unsafe { *process.audio_inputs.add(index) };
            // SAFETY: a bus has as many channel pointers as channels.
            if unsafe { super::is_connected(passed.data32, passed.channel_count as usize) } {
                *bus = passed;
            }
        }
    }
    let session = &adapter.session;
    session
        .host()
        .set_main_input_connected(!inputs[0].data32.is_null());
    let translator = EventTranslator::new(process.in_events, adapter.bend, session.host());
    let events = translator.list();
    // SAFETY: null, or valid for this call.
    let position = unsafe { process.transport.as_ref() }
        .map(|transport| song_position(transport, session.host()));
    let sanitized = clap_process {
        transport: position.as_ref().map_or(ptr::null(), ptr::from_ref),
        audio_inputs: inputs.as_ptr(),
        audio_inputs_count: adapter.input_buses as u32,
        in_events: &raw const events,
        ..*process
    };
    // SAFETY: `sanitized` is as valid as `process` was; what else it leads to lives until the end
    // of this function.
    let status = unsafe { wrapped(plugin, &sanitized) };

    if session.is_change_pending() {
        let frames = adapter
            .frames_since_poll
            .load(Ordering::Relaxed)
            .saturating_add(process.frames_count);
        if frames >= POLL_INTERVAL_FRAMES {
            adapter.host.request_callback();
        }
        adapter
            .frames_since_poll
            .store(frames % POLL_INTERVAL_FRAMES, Ordering::Relaxed);
    }
    status
}

unsafe extern "C" fn on_main_thread(plugin: *const clap_plugin) {
    // SAFETY: the host passes the pointer that it was given.
    let adapter = unsafe { adapter(plugin) };
    if adapter.session.is_change_pending() {
        let session = &adapter.session;
        session.contain("looking after a fit", || session.poll());
    }
    if adapter.dirty.swap(false, Ordering::Relaxed) {
        adapter.host.mark_dirty();
    }
    if let Some(wrapped) = adapter.wrapped.on_main_thread {
        // SAFETY: as called by the host.
        unsafe { wrapped(plugin) };
    }
}

unsafe extern "C" fn get_extension(plugin: *const clap_plugin, id: *const c_char) -> *const c_void {
    if id.is_null() {
        return ptr::null();
    }
    // SAFETY: ids are C strings.
    let name = unsafe { CStr::from_ptr(id) };
    if name == CLAP_EXT_RENDER {
        return (&raw const RENDER).cast();
    }
    if name == CLAP_EXT_STATE {
        return (&raw const STATE).cast();
    }
    // SAFETY: the host passes the pointer that it was given.
    let host = unsafe { adapter(plugin) }.host;
    // nice-plug takes for granted that a host which opens a window has functions for windows, and ends
    // it where it has none.
    if name == CLAP_EXT_GUI && host.extension(CLAP_EXT_GUI).is_null() {
        return ptr::null();
    }
    // SAFETY: as above.
    unsafe { wrapped_extension(plugin, id) }
}

/// # Safety
/// As for [`adapter`], and `id` is a C string.
unsafe fn wrapped_extension(plugin: *const clap_plugin, id: *const c_char) -> *const c_void {
    // SAFETY: by the contract above.
    unsafe {
        match adapter(plugin).wrapped.get_extension {
            Some(get_extension) => get_extension(plugin, id),
            None => ptr::null(),
        }
    }
}

static RENDER: clap_plugin_render = clap_plugin_render {
    has_hard_realtime_requirement: Some(has_hard_realtime_requirement),
    set: Some(set_render_mode),
};

unsafe extern "C" fn has_hard_realtime_requirement(_plugin: *const clap_plugin) -> bool {
    false
}

/// The player follows with the next block. nice-plug would ask for a restart instead, which hosts
/// may put off until after the bounce, and which would begin the stream anew.
unsafe extern "C" fn set_render_mode(
    plugin: *const clap_plugin,
    mode: clap_plugin_render_mode,
) -> bool {
    // SAFETY: the host passes the pointer that it was given.
    let session = unsafe { &adapter(plugin).session };
    session.host().set_offline(mode == CLAP_RENDER_OFFLINE);
    true
}

static STATE: clap_plugin_state = clap_plugin_state {
    save: Some(save_state),
    load: Some(load_state),
};

unsafe extern "C" fn save_state(plugin: *const clap_plugin, stream: *const clap_ostream) -> bool {
    // SAFETY: the extension's table is nice-plug's static one; the arguments are the host's.
    unsafe {
        let state = wrapped_extension(plugin, CLAP_EXT_STATE.as_ptr()).cast::<clap_plugin_state>();
        match state.as_ref().and_then(|state| state.save) {
            Some(save) => save(plugin, stream),
            None => false,
        }
    }
}

/// nice-plug only answers "no" to a state it can't read; the user has to see why nothing sounds.
unsafe extern "C" fn load_state(plugin: *const clap_plugin, stream: *const clap_istream) -> bool {
    // SAFETY: the extension's table is nice-plug's static one; the arguments are the host's.
    let loaded = unsafe {
        let state = wrapped_extension(plugin, CLAP_EXT_STATE.as_ptr()).cast::<clap_plugin_state>();
        match state.as_ref().and_then(|state| state.load) {
            Some(load) => load(plugin, stream),
            None => false,
        }
    };
    if !loaded {
        // SAFETY: the host passes the pointer that it was given.
        unsafe { adapter(plugin) }.session.report_unreadable_state();
    }
    loaded
}

unsafe extern "C" fn create_plugin(
    _factory: *const clap_plugin_factory,
    host: *const clap_host,
    plugin_id: *const c_char,
) -> *const clap_plugin {
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
}

/// # Safety
/// `host` is a host that outlives the plugin.
unsafe fn create<R: Role>(host: *const clap_host) -> *const clap_plugin {
    let created = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: by the contract above. nice-plug's `destroy` turns the pointer back into the `Arc`.
        create_with_session(|| Arc::into_raw(unsafe { Wrapper::<WeftPlugin<R>>::new(host) }))
    }));
    let Ok(Some((wrapper, session, _))) = created else {
        return ptr::null();
    };
    // SAFETY: `wrapper` is the leaked `Arc`, alive until `destroy`; nobody else borrows its function
    // table.
    let wrapped = unsafe { *(*wrapper).clap_plugin.as_ptr() };
    // SAFETY: as above, and nice-plug's functions find their object through `wrapped`.
    let Some(bend) = (unsafe { find_parameter(&wrapped, BEND_NAME) }) else {
        // Frees what nobody will.
        if let Some(destroy) = wrapped.destroy {
            // SAFETY: as above; it is not used any more.
            unsafe { destroy(&wrapped) };
        }
        return ptr::null();
    };
    let host = Host(host);
    let dirty = Arc::new(AtomicBool::new(false));
    let flag = dirty.clone();
    session.host().set_dirty_notifier(Some(Arc::new(move || {
        flag.store(true, Ordering::Relaxed);
        host.request_callback();
    })));
    let adapter = Box::new(Adapter {
        plugin: clap_plugin {
            destroy: Some(destroy),
            process: Some(process),
            get_extension: Some(get_extension),
            on_main_thread: Some(on_main_thread),
            ..wrapped
        },
        wrapped,
        host,
        session,
        input_buses: R::INPUT_BUSES,
        bend,
        dirty,
        frames_since_poll: AtomicU32::new(0),
    });
    Box::into_raw(adapter).cast()
}

/// CLAP's number of the parameter `name`.
///
/// # Safety
/// `plugin` is nice-plug's function table of a living object.
unsafe fn find_parameter(plugin: &clap_plugin, name: &str) -> Option<clap_id> {
    // SAFETY: by the contract above; the extension's table is nice-plug's, and lives as long.
    unsafe {
        let get_extension = plugin.get_extension?;
        let params = get_extension(plugin, CLAP_EXT_PARAMS.as_ptr()).cast::<clap_plugin_params>();
        let params = params.as_ref()?;
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

/// The plugins of the bundle: the instrument, and the effect.
fn descriptors() -> &'static [PluginDescriptor; 2] {
    static DESCRIPTORS: OnceLock<[PluginDescriptor; 2]> = OnceLock::new();
    DESCRIPTORS.get_or_init(|| {
        [
            PluginDescriptor::for_plugin::<Weft>(),
            PluginDescriptor::for_plugin::<WeftFx>(),
        ]
    })
}

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(get_plugin_count),
    get_plugin_descriptor: Some(get_plugin_descriptor),
    create_plugin: Some(create_plugin),
};

unsafe extern "C" fn get_plugin_count(_factory: *const clap_plugin_factory) -> u32 {
    descriptors().len() as u32
}

unsafe extern "C" fn get_plugin_descriptor(
    _factory: *const clap_plugin_factory,
    index: u32,
) -> *const clap_plugin_descriptor {
    match descriptors().get(index as usize) {
        Some(descriptor) => descriptor.clap_plugin_descriptor(),
        None => ptr::null(),
    }
}

unsafe extern "C" fn init(_plugin_path: *const c_char) -> bool {
    setup_logger::<Weft>();
    true
}

unsafe extern "C" fn deinit() {}

unsafe extern "C" fn get_factory(factory_id: *const c_char) -> *const c_void {
    // SAFETY: ids are C strings.
    if !factory_id.is_null() && unsafe { CStr::from_ptr(factory_id) } == CLAP_PLUGIN_FACTORY_ID {
        (&raw const FACTORY).cast()
    } else {
        ptr::null()
    }
}

/// What a CLAP host looks for in the library.
#[unsafe(no_mangle)]
#[used]
pub static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(init),
    deinit: Some(deinit),
    get_factory: Some(get_factory),
};

#[cfg(test)]
mod tests {
    use clap_sys::events::{clap_event_header, clap_output_events};

    use super::super::clap_events::tests::{HostEvents, midi};
    use super::*;

    const FRAMES: u32 = 64;

    /// A host without any extension.
    fn host() -> clap_host {
        unsafe extern "C" fn get_extension(
            _host: *const clap_host,
            _id: *const c_char,
        ) -> *const c_void {
            ptr::null()
        }
        unsafe extern "C" fn request(_host: *const clap_host) {}
        clap_host {
            clap_version: CLAP_VERSION,
            host_data: ptr::null_mut(),
            name: c"Test".as_ptr(),
            vendor: c"Test".as_ptr(),
            url: c"".as_ptr(),
            version: c"1".as_ptr(),
            get_extension: Some(get_extension),
            request_restart: Some(request),
            request_process: Some(request),
            request_callback: Some(request),
        }
    }

    #[test]
    fn the_wheel_bends_where_no_clap_event_says_so() {
        unsafe extern "C" fn try_push(
            _list: *const clap_output_events,
            _event: *const clap_event_header,
        ) -> bool {
            true
        }
        let host = host();
        let mut channels = [[0.0f32; FRAMES as usize]; 2];
        let [left, right] = &mut channels;
        let mut pointers = [left.as_mut_ptr(), right.as_mut_ptr()];
        let mut output = clap_audio_buffer {
            data32: pointers.as_mut_ptr(),
            data64: ptr::null_mut(),
            channel_count: 2,
            latency: 0,
            constant_mask: 0,
        };
        let (up, down, off) = (
            midi(10, [0xe3, 127, 127]),
            midi(20, [0xe0, 0, 32]),
            midi(30, [0xb0, 123, 0]),
        );
        let events = HostEvents(vec![
            &raw const up.header,
            &raw const down.header,
            &raw const off.header,
        ]);
        let in_events = events.list();
        let out_events = clap_output_events {
            ctx: ptr::null_mut(),
            try_push: Some(try_push),
        };
        let block = clap_process {
            steady_time: -1,
            frames_count: FRAMES,
            transport: ptr::null(),
            audio_inputs: ptr::null(),
            audio_outputs: &mut output,
            audio_inputs_count: 0,
            audio_outputs_count: 1,
            in_events: &in_events,
            out_events: &out_events,
        };
        // SAFETY: the calls follow CLAP's order, and what they lead to lives until the end.
        unsafe {
            let plugin = create_plugin(ptr::null(), &host, descriptors()[0].clap_id().as_ptr());
            let table = &*plugin;
            assert!((table.init.unwrap())(plugin));
            assert!((table.activate.unwrap())(plugin, 48_000.0, 1, FRAMES));
            assert!((table.start_processing.unwrap())(plugin));
            assert_ne!((table.process.unwrap())(plugin, &block), CLAP_PROCESS_ERROR);

            let params = get_extension(plugin, CLAP_EXT_PARAMS.as_ptr());
            let params = &*params.cast::<clap_plugin_params>();
            let mut bend = -1.0;
            let id = adapter(plugin).bend;
            assert!((params.get_value.unwrap())(plugin, id, &mut bend));
            assert_eq!(bend, 0.25);

            // It has no functions for windows, so there is none.
            assert!(get_extension(plugin, CLAP_EXT_GUI.as_ptr()).is_null());

            (table.stop_processing.unwrap())(plugin);
            (table.deactivate.unwrap())(plugin);
            (table.destroy.unwrap())(plugin);
        }
    }
}
