//! The plugin driven as a CLAP host does.

mod notes;
mod rest;
mod states;

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::events::{clap_event_header, clap_input_events, clap_output_events};
use clap_sys::ext::gui::CLAP_EXT_GUI;
use clap_sys::ext::params::{
    CLAP_EXT_PARAMS, CLAP_PARAM_RESCAN_VALUES, clap_host_params, clap_param_info,
    clap_plugin_params,
};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::host::clap_host;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use clap_sys::stream::{clap_istream, clap_ostream};
use clap_sys::version::CLAP_VERSION;
use nice_plug::prelude::Param;

use super::adapter::Adapter;
use super::entry::{create_plugin, descriptors};
use super::midi::tests::midi;
use super::plugin::get_extension;

const FRAMES: u32 = 64;

/// A host's list.
pub struct HostEvents(pub Vec<*const clap_event_header>);

impl HostEvents {
    fn events(&self) -> &[*const clap_event_header] {
        &self.0
    }

    /// As a plugin gets it; good for as long as this stays in place.
    pub fn list(&self) -> clap_input_events {
        unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
            // SAFETY: the list is that of a `HostEvents`.
            unsafe { (*(*list).ctx.cast::<HostEvents>()).events().len() as u32 }
        }
        unsafe extern "C" fn get(
            list: *const clap_input_events,
            index: u32,
        ) -> *const clap_event_header {
            // SAFETY: as above.
            unsafe { (*(*list).ctx.cast::<HostEvents>()).events()[index as usize] }
        }
        clap_input_events {
            ctx: ptr::from_ref(self).cast_mut().cast(),
            size: Some(size),
            get: Some(get),
        }
    }
}

/// A host without any extension.
pub fn host() -> clap_host {
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
fn without_functions_for_windows_there_is_none() {
    let host = host();
    // SAFETY: the calls follow CLAP's order.
    unsafe {
        let plugin = create_plugin(ptr::null(), &host, descriptors()[0].clap_id().as_ptr());
        let table = &*plugin;
        assert!((table.init.unwrap())(plugin));
        assert!(get_extension(plugin, CLAP_EXT_GUI.as_ptr()).is_null());
        (table.destroy.unwrap())(plugin);
    }
}

/// Streams and a host of which each gives, takes or counts a little.
struct State {
    bytes: Vec<u8>,
    /// Bytes that were given so far.
    given: usize,
    rescans: u32,
}

/// Bytes that the host's streams give or take at once.
const BITE: usize = 7;

unsafe extern "C" fn take(stream: *const clap_ostream, buffer: *const c_void, size: u64) -> i64 {
    // SAFETY: the stream is that of a `State`, and the buffer the plugin's.
    unsafe {
        let state = &mut *(*stream).ctx.cast::<State>();
        let count = BITE.min(size as usize);
        let bytes = std::slice::from_raw_parts(buffer.cast::<u8>(), count);
        state.bytes.extend_from_slice(bytes);
        count as i64
    }
}

unsafe extern "C" fn give(stream: *const clap_istream, buffer: *mut c_void, size: u64) -> i64 {
    // SAFETY: as above.
    unsafe {
        let state = &mut *(*stream).ctx.cast::<State>();
        let left = &state.bytes[state.given..];
        let count = BITE.min(size as usize).min(left.len());
        ptr::copy_nonoverlapping(left.as_ptr(), buffer.cast(), count);
        state.given += count;
        count as i64
    }
}

unsafe extern "C" fn params_of_host(host: *const clap_host, id: *const c_char) -> *const c_void {
    unsafe extern "C" fn rescan(host: *const clap_host, flags: u32) {
        assert_eq!(flags, CLAP_PARAM_RESCAN_VALUES);
        // SAFETY: the test puts its state there.
        unsafe { (*(*host).host_data.cast::<State>()).rescans += 1 };
    }
    unsafe extern "C" fn clear(_host: *const clap_host, _id: u32, _flags: u32) {}
    unsafe extern "C" fn request_flush(_host: *const clap_host) {}
    static PARAMS: clap_host_params = clap_host_params {
        rescan: Some(rescan),
        clear: Some(clear),
        request_flush: Some(request_flush),
    };
    let _ = host;
    // SAFETY: ids are C strings.
    if unsafe { CStr::from_ptr(id) } == CLAP_EXT_PARAMS {
        (&raw const PARAMS).cast()
    } else {
        ptr::null()
    }
}

#[test]
fn a_state_goes_a_part_at_a_time_with_the_bend_and_the_host_is_told_of_a_load() {
    let mut state = State {
        bytes: Vec::new(),
        given: 0,
        rescans: 0,
    };
    let state: *mut State = &mut state;
    let mut host = host();
    host.host_data = state.cast();
    host.get_extension = Some(params_of_host);
    let ostream = clap_ostream {
        ctx: state.cast(),
        write: Some(take),
    };
    let istream = clap_istream {
        ctx: state.cast(),
        read: Some(give),
    };
    // SAFETY: the calls follow CLAP's order, with pointers that live.
    unsafe {
        let plugin = create_plugin(ptr::null(), &host, descriptors()[0].clap_id().as_ptr());
        let table = &*plugin;
        assert!((table.init.unwrap())(plugin));
        let adapter = &*plugin.cast::<Adapter>();
        let sound = &adapter.instance.params.sound;
        let bend = sound.bend.as_ptr();
        bend._internal_set_normalized_value(1.0);
        let extension = get_extension(plugin, CLAP_EXT_STATE.as_ptr());
        let extension = &*extension.cast::<clap_plugin_state>();
        assert!((extension.save.unwrap())(plugin, &ostream));
        bend._internal_set_normalized_value(0.5);
        sound.pitch.as_ptr()._internal_set_normalized_value(1.0);
        assert!((extension.load.unwrap())(plugin, &istream));
        (table.on_main_thread.unwrap())(plugin);
        assert_eq!((*state).given, (*state).bytes.len());
        assert_eq!((sound.pitch.value(), sound.bend.value()), (0.0, 1.0));
        assert_eq!((*state).rescans, 1);
        (table.destroy.unwrap())(plugin);
    }
}

#[test]
fn text_is_read_as_people_type_it() {
    let host = host();
    // SAFETY: the calls follow CLAP's order, with pointers that live.
    unsafe {
        let plugin = create_plugin(ptr::null(), &host, descriptors()[0].clap_id().as_ptr());
        let table = &*plugin;
        assert!((table.init.unwrap())(plugin));
        let params = get_extension(plugin, CLAP_EXT_PARAMS.as_ptr());
        let params = &*params.cast::<clap_plugin_params>();
        let id_of = |name: &CStr| {
            let mut info: clap_param_info = std::mem::zeroed();
            let found = (0..(params.count.unwrap())(plugin)).any(|index| {
                (params.get_info.unwrap())(plugin, index, &mut info)
                    && CStr::from_ptr(info.name.as_ptr()) == name
            });
            assert!(found, "{name:?}");
            info.id
        };
        for (name, typed, shown) in [
            (c"Gain", c"-6,5 dB", c"-6.5 dB"),
            (c"Attack", c"150", c"150 ms"),
            (c"Quality", c"high", c"High"),
            (c"Slot", c"d", c"D"),
            (c"Capture Start", c"next bar", c"Next Bar"),
        ] {
            let id = id_of(name);
            let (mut value, mut text) = (-1.0, [0; 64]);
            let text_to_value = params.text_to_value.unwrap();
            assert!(text_to_value(plugin, id, typed.as_ptr(), &mut value));
            let value_to_text = params.value_to_text.unwrap();
            assert!(value_to_text(
                plugin,
                id,
                value,
                text.as_mut_ptr(),
                text.len() as u32
            ));
            assert_eq!(CStr::from_ptr(text.as_ptr()), shown);
            // What can't be read is refused.
            value = -1.0;
            assert!(!text_to_value(plugin, id, c"loud".as_ptr(), &mut value));
            assert!(!text_to_value(plugin, id, ptr::null(), &mut value));
            assert_eq!(value, -1.0);
        }
        (table.destroy.unwrap())(plugin);
    }
}

#[test]
fn null_pointers_are_refused() {
    let host = host();
    // SAFETY: the calls follow CLAP's order, but for pointers that are null.
    unsafe {
        let weft = descriptors()[0].clap_id().as_ptr();
        assert!(create_plugin(ptr::null(), ptr::null(), weft).is_null());
        assert!(create_plugin(ptr::null(), &host, ptr::null()).is_null());
        assert!(create_plugin(ptr::null(), &host, c"none".as_ptr()).is_null());
        let plugin = create_plugin(ptr::null(), &host, weft);
        let table = &*plugin;
        assert!(get_extension(ptr::null(), CLAP_EXT_STATE.as_ptr()).is_null());
        assert!(get_extension(plugin, ptr::null()).is_null());
        for plugin in [ptr::null(), plugin] {
            let status = (table.process.unwrap())(plugin, ptr::null());
            assert_eq!(status, CLAP_PROCESS_ERROR);
        }
        let state = get_extension(plugin, CLAP_EXT_STATE.as_ptr()).cast::<clap_plugin_state>();
        assert!(!((*state).save.unwrap())(plugin, ptr::null()));
        assert!(!((*state).load.unwrap())(plugin, ptr::null()));
        (table.destroy.unwrap())(ptr::null());
        (table.destroy.unwrap())(plugin);
    }
}
