//! The CLAP extensions that are not left to nice-plug: rendering, state, where notes come in, and the tail. Main
//! thread, but for the tail, which the audio thread may ask for too.

use std::ffi::{CStr, c_void};

use clap_sys::ext::note_ports::{
    CLAP_EXT_NOTE_PORTS, CLAP_NOTE_DIALECT_MIDI_MPE, clap_note_port_info, clap_plugin_note_ports,
};
use clap_sys::ext::render::{
    CLAP_EXT_RENDER, CLAP_RENDER_OFFLINE, clap_plugin_render, clap_plugin_render_mode,
};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_plugin_tail};
use clap_sys::stream::{clap_istream, clap_ostream};

use super::adapter::{Adapter, callbacks};
use super::stream;
use crate::host::gate::Call;

static RENDER: clap_plugin_render = clap_plugin_render {
    has_hard_realtime_requirement: Some(has_hard_realtime_requirement),
    set: Some(set_render_mode),
};

static STATE: clap_plugin_state = clap_plugin_state {
    save: Some(save_state),
    load: Some(load_state),
};

static NOTE_PORTS: clap_plugin_note_ports = clap_plugin_note_ports {
    count: Some(count_note_ports),
    get: Some(describe_note_port),
};

static TAIL: clap_plugin_tail = clap_plugin_tail {
    get: Some(tail_samples),
};

/// Our table of functions of the extension `name`, if it is one of ours.
pub fn table(name: &CStr) -> Option<*const c_void> {
    if name == CLAP_EXT_RENDER {
        Some((&raw const RENDER).cast())
    } else if name == CLAP_EXT_STATE {
        Some((&raw const STATE).cast())
    } else if name == CLAP_EXT_NOTE_PORTS {
        Some((&raw const NOTE_PORTS).cast())
    } else if name == CLAP_EXT_TAIL {
        Some((&raw const TAIL).cast())
    } else {
        None
    }
}

callbacks! {
    fn has_hard_realtime_requirement() -> bool,
        Call::Main("saying how it renders"), or false;
    fn set_render_mode(mode: clap_plugin_render_mode) -> bool,
        Call::Main("changing how it renders"), or false;
    fn save_state(stream: *const clap_ostream) -> bool,
        Call::Main("saving the project"), or false;
    fn load_state(stream: *const clap_istream) -> bool,
        Call::Main("loading the project"), or false;
    fn count_note_ports(is_input: bool) -> u32,
        Call::Main("telling where notes come in"), or 0;
    fn describe_note_port(index: u32, is_input: bool, info: *mut clap_note_port_info) -> bool,
        Call::Main("telling where notes come in"), or false;
    fn tail_samples() -> u32,
        Call::Audio, or 0;
}

impl Adapter {
    fn has_hard_realtime_requirement(&self) -> bool {
        false
    }

    /// The player follows with the next block. nice-plug would ask for a restart instead, which hosts
    /// may put off until after the bounce, and which would begin the stream anew.
    fn set_render_mode(&self, mode: clap_plugin_render_mode) -> bool {
        self.instance.link.set_offline(mode == CLAP_RENDER_OFFLINE);
        true
    }

    /// # Safety
    /// `stream` is null or a host's stream, valid for this call.
    unsafe fn save_state(&self, stream: *const clap_ostream) -> bool {
        let Some(save) = self.wrapped_state().and_then(|state| state.save) else {
            return false;
        };
        let mut saved = Vec::new();
        let memory = stream::into_memory(&mut saved);
        // SAFETY: the stream is ours, and lives during this call; the function is nice-plug's.
        if stream.is_null() || !unsafe { save(self.plugin(), &memory) } {
            return false;
        }
        // SAFETY: by the contract above.
        unsafe { stream::write_all(stream, &saved) }
    }

    /// nice-plug only answers "no" to a state it can't read; the user has to see why nothing sounds.
    ///
    /// # Safety
    /// `stream` is null or a host's stream, valid for this call.
    unsafe fn load_state(&self, stream: *const clap_istream) -> bool {
        let loaded = match self.wrapped_state().and_then(|state| state.load) {
            // SAFETY: by the contract above; the function is nice-plug's.
            Some(load) if !stream.is_null() => unsafe { load(self.plugin(), stream) },
            _ => false,
        };
        if !loaded {
            self.instance.project().report_unreadable_state();
        }
        // It may sound without a note.
        self.instance.session.rest().end();
        loaded
    }

    fn count_note_ports(&self, is_input: bool) -> u32 {
        match self.wrapped_note_ports().and_then(|ports| ports.count) {
            // SAFETY: the function is nice-plug's.
            Some(count) => unsafe { count(self.plugin(), is_input) },
            None => 0,
        }
    }

    /// As nice-plug does, which does not know of MPE.
    ///
    /// # Safety
    /// `info` is null or valid for writing.
    unsafe fn describe_note_port(
        &self,
        index: u32,
        is_input: bool,
        info: *mut clap_note_port_info,
    ) -> bool {
        let Some(get) = self.wrapped_note_ports().and_then(|ports| ports.get) else {
            return false;
        };
        // SAFETY: by the contract above; the function is nice-plug's, and fills `info` in where it says so.
        unsafe {
            if info.is_null() || !get(self.plugin(), index, is_input, info) {
                return false;
            }
            if is_input {
                (*info).supported_dialects |= CLAP_NOTE_DIALECT_MIDI_MPE;
            }
        }
        true
    }

    fn wrapped_note_ports(&self) -> Option<&clap_plugin_note_ports> {
        let ports = self.wrapped_extension(CLAP_EXT_NOTE_PORTS);
        // SAFETY: null, or nice-plug's table, which lives as long as its plugin.
        unsafe { ports.cast::<clap_plugin_note_ports>().as_ref() }
    }

    fn wrapped_state(&self) -> Option<&clap_plugin_state> {
        let state = self.wrapped_extension(CLAP_EXT_STATE);
        // SAFETY: null, or nice-plug's static table.
        unsafe { state.cast::<clap_plugin_state>().as_ref() }
    }
}
