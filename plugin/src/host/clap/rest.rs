//! What a CLAP host is told of silence: how long the tail is, and whether it may rest the plugin.

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::process::{
    CLAP_PROCESS_CONTINUE, CLAP_PROCESS_SLEEP, CLAP_PROCESS_TAIL, clap_process, clap_process_status,
};
use weft_core::instrument::Outlook;

use super::adapter::Adapter;
use crate::host::buses::{is_connected, silent_channels};

impl Adapter {
    /// How many samples the plugin sounds after the last note and input; all ones: without an end.
    pub(super) fn tail_samples(&self) -> u32 {
        self.instance.tail_samples()
    }

    /// The host processes no more until it starts again.
    pub(super) fn stop_processing(&self) {
        self.instance.session.rest().stop();
        if let Some(stop) = self.wrapped.stop_processing {
            // SAFETY: as called by the host.
            unsafe { stop(&self.plugin) };
        }
    }

    /// What the host gets to know after a block; nothing came with it if it `is_quiet`. Audio thread.
    pub(super) fn status_after(&self, frames: u32, is_quiet: bool) -> clap_process_status {
        let link = &self.instance.link;
        let rest = self.instance.session.rest();
        self.tail.tell(self.host, self.tail_samples());
        // What is under way is looked after by blocks, too.
        let is_quiet = is_quiet && !self.instance.project().is_change_pending();
        if rest.end_block(frames, link.sample_rate(), is_quiet) {
            CLAP_PROCESS_SLEEP
        } else if rest.outlook() == Outlook::Fading && is_quiet {
            CLAP_PROCESS_TAIL
        } else {
            CLAP_PROCESS_CONTINUE
        }
    }
}

/// Whether a block brings no events.
///
/// # Safety
/// `process` is a block of a CLAP host.
pub unsafe fn is_quiet(process: &clap_process) -> bool {
    // SAFETY: a list is null or valid for this call.
    unsafe {
        let events = process.in_events.as_ref();
        let size = events.and_then(|events| Some((events.size?)(events)));
        size.unwrap_or(0) == 0
    }
}

/// Says of the channels of the outputs which of them are silent.
///
/// # Safety
/// `process` is a block of a CLAP host, whose outputs have been written.
pub unsafe fn mark_silence(process: &clap_process) {
    if process.audio_outputs.is_null() {
        return;
    }
    // SAFETY: the host's array has `audio_outputs_count` elements, and a bus has as many channels as it says, of
    // `frames_count` frames.
    unsafe {
        let count = process.audio_outputs_count as usize;
        let buses: &mut [clap_audio_buffer] =
            std::slice::from_raw_parts_mut(process.audio_outputs, count);
        for bus in buses {
            let channels = bus.channel_count as usize;
            if is_connected(bus.data32, channels) {
                let frames = process.frames_count as usize;
                bus.constant_mask = silent_channels(bus.data32, channels, frames);
            }
        }
    }
}
