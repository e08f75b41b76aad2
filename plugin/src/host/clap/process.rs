//! A block of a CLAP host, as nice-plug can take it. Audio thread.

use std::ptr;

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};

use super::adapter::Adapter;
use super::carried::carry;
use super::events::{EventTranslator, Notes};
use super::rest::{is_quiet, mark_silence};
use super::song::song_position;
use crate::host::buses::{MOST_INPUT_BUSES, is_connected};
use crate::instance::Instance;

/// A bus without channels.
const NO_BUS: clap_audio_buffer = clap_audio_buffer {
    data32: ptr::null_mut(),
    data64: ptr::null_mut(),
    channel_count: 0,
    latency: 0,
    constant_mask: 0,
};

impl Adapter {
    /// Has nice-plug process a block, with inputs, events and a song position that it understands.
    ///
    /// # Safety
    /// `process` is null, or a block of a CLAP host, valid for this call.
    pub(super) unsafe fn process(&self, process: *const clap_process) -> clap_process_status {
        // SAFETY: by the contract above.
        let (Some(process), Some(wrapped)) = (unsafe { process.as_ref() }, self.wrapped.process)
        else {
            return CLAP_PROCESS_ERROR;
        };
        let link = &*self.instance.link;
        self.instance.session.rest().begin_block();
        // SAFETY: by the contract above.
        let inputs = unsafe { self.inputs(process) };
        link.set_main_input_connected(!inputs[0].data32.is_null());
        let session = &self.instance.session;
        // SAFETY: by the contract above.
        let has_sound = unsafe { has_sound(process, link.output_channels()) };
        if !has_sound {
            // SAFETY: by the contract above.
            return unsafe { self.take_events_only(process) };
        }
        let mut carried = self.carried.lock();
        let notes = Notes::After(carried.as_ref().map_or(&[], |carried| carried));
        let translator = EventTranslator::new(process.in_events, notes, link, session);
        let events = translator.list();
        // SAFETY: null, or valid for this call.
        let position =
            unsafe { process.transport.as_ref() }.map(|transport| song_position(transport, link));
        let sanitized = clap_process {
            transport: position.as_ref().map_or(ptr::null(), ptr::from_ref),
            audio_inputs: inputs.as_ptr(),
            audio_inputs_count: self.input_buses as u32,
            in_events: &raw const events,
            ..*process
        };
        // SAFETY: `sanitized` is as valid as `process` was; what else it leads to lives until the end
        // of this function.
        let status = unsafe { wrapped(self.plugin(), &sanitized) };
        if let Some(carried) = &mut carried {
            carried.clear();
        }
        if self.instance.project().is_change_pending() {
            self.main_thread.request_poll(process.frames_count);
        }
        if status == CLAP_PROCESS_ERROR {
            return status;
        }
        // SAFETY: by the contract above.
        unsafe {
            mark_silence(process);
            self.status_after(process.frames_count, is_quiet(process))
        }
    }

    /// Takes the events of a block without sound: parameters at once, and what is for notes for the next block.
    ///
    /// # Safety
    /// `process` is a block of a CLAP host.
    unsafe fn take_events_only(&self, process: &clap_process) -> clap_process_status {
        let Instance { session, link, .. } = &self.instance;
        if let Some(mut carried) = self.carried.lock() {
            // SAFETY: by the contract above.
            unsafe { carry(&mut carried, process.in_events) };
        }
        let notes = Notes::Withheld;
        let translator = EventTranslator::new(process.in_events, notes, link, session);
        let events = translator.list();
        // SAFETY: the table is nice-plug's, and the lists live until the end of this function.
        unsafe {
            if let Some(flush) = self.wrapped_params().and_then(|params| params.flush) {
                flush(self.plugin(), &raw const events, process.out_events);
            }
        }
        if self.instance.project().is_change_pending() {
            self.main_thread.request_poll(process.frames_count);
        }
        // SAFETY: by the contract above.
        self.status_after(process.frames_count, unsafe { is_quiet(process) })
    }

    /// The input buses of a block. nice-plug looks for the second one even where the host passes one only,
    /// and past the end of its array; so it always gets both, those that are missing without channels.
    ///
    /// # Safety
    /// `process` is a block of a CLAP host.
    unsafe fn inputs(&self, process: &clap_process) -> [clap_audio_buffer; MOST_INPUT_BUSES] {
        let mut inputs = [NO_BUS; MOST_INPUT_BUSES];
        if process.audio_inputs.is_null() {
            return inputs;
        }
        let count = self.input_buses.min(process.audio_inputs_count as usize);
        for (index, bus) in inputs.iter_mut().enumerate().take(count) {
            // SAFETY: the host's array has `audio_inputs_count` elements.
            let passed = unsafe { *process.audio_inputs.add(index) };
            // SAFETY: a bus has as many channel pointers as channels.
            if unsafe { is_connected(passed.data32, passed.channel_count as usize) } {
                *bus = passed;
            }
        }
        inputs
    }
}

/// Whether a block has room for the sound of a plugin whose main output has so many `channels`. Where it has
/// not, nice-plug takes its parameters only.
///
/// # Safety
/// `process` is a block of a CLAP host.
unsafe fn has_sound(process: &clap_process, channels: u32) -> bool {
    if process.frames_count == 0
        || process.audio_outputs_count == 0
        || process.audio_outputs.is_null()
    {
        return false;
    }
    // SAFETY: the host's array has `audio_outputs_count` elements, and a bus has as many channel pointers as
    // channels.
    unsafe {
        let bus = &*process.audio_outputs;
        bus.channel_count >= channels && is_connected(bus.data32, bus.channel_count as usize)
    }
}
