//! A block of sound, from the buffers and events that nice-plug hands over. Audio thread.

use std::ops::Range;

use nice_plug::prelude::*;
use weft_core::instrument::Controls;

use super::{WeftPlugin, events, silence};
use crate::channel_messages::ChannelMessage;
use crate::notes;
use crate::roles::Role;

/// Both channels of a block's output.
type Output<'a> = [&'a mut [f32]; 2];

impl<R: Role> WeftPlugin<R> {
    /// Renders one block whose parameters stand still.
    pub(super) fn render<P: Plugin<SysExMessage = ChannelMessage>>(
        &mut self,
        buffer: &mut Buffer,
        aux: &AuxiliaryBuffers,
        context: &mut impl ProcessContext<P>,
    ) {
        let offline = self.instance.link.is_offline();
        self.player.set_offline(offline);
        self.apply_capture_requests();

        // Once for what may become several calls of the player, which goes on counting by itself.
        let beats_per_bar = self.instance.link.beats_per_bar();
        let position = notes::song_position(context.transport(), beats_per_bar);
        self.player.set_transport(position);
        // A bounce begins with hands at rest, as the player does, and so it does where its song starts.
        let bounces_song = offline && position.is_some();
        if (offline && !self.was_offline) || (bounces_song && !self.was_bouncing_song) {
            self.channels.rest();
        }
        (self.was_offline, self.was_bouncing_song) = (offline, bounces_song);
        events::follow_range(&mut self.player, &self.instance.params, &mut self.channels);
        let controls = self.instance.params.controls();

        // Out of `self` for as long as it is written to; without allocation, both ways.
        let mut mono_right = std::mem::take(&mut self.mono_right);
        self.render_blocks(buffer, &mut mono_right, aux, &controls, context);
        self.mono_right = mono_right;
    }

    /// Renders into `buffer`, and where that is mono, into `mono_right` for the right channel.
    fn render_blocks<P: Plugin<SysExMessage = ChannelMessage>>(
        &mut self,
        buffer: &mut Buffer,
        mono_right: &mut [f32],
        aux: &AuxiliaryBuffers,
        controls: &Controls,
        context: &mut impl ProcessContext<P>,
    ) {
        let frames = buffer.samples();
        let mut event = context.next_event();
        let mut block_start = 0;
        // Once, but for a host that sends more than it said at activation.
        while block_start < frames {
            let block_len = (frames - block_start).min(self.input.max_block_size());
            if block_len == 0 {
                silence(buffer);
                return;
            }
            let range = block_start..block_start + block_len;
            self.collect_input(buffer, aux, &range);
            let is_mono = buffer.channels() == 1;
            let (left, right) = match buffer.as_slice() {
                [left, right, ..] => (left.get_mut(range.clone()), right.get_mut(range.clone())),
                [mono] => (mono.get_mut(range.clone()), mono_right.get_mut(..block_len)),
                [] => return,
            };
            let (Some(left), Some(right)) = (left, right) else {
                return;
            };
            event = self.play([left, right], block_start, controls, event, context);
            if let Some(through) = self.instance.params.through() {
                let input = self.input.slice(0, block_len);
                self.dry_path.mix(through, input, [left, right]);
            }
            if is_mono {
                for (left, right) in left.iter_mut().zip(right) {
                    *left = 0.5 * (*left + *right);
                }
            }
            block_start += block_len;
        }
        // Where a host sends a note before a parameter of the same sample, nice-plug gives us the
        // note with the block that ends there.
        while let Some(due) = event {
            self.dispatch(&due);
            event = context.next_event();
        }
    }

    /// Takes the input out of the buffers, of which the main one is written to afterwards.
    fn collect_input(&mut self, buffer: &mut Buffer, aux: &AuxiliaryBuffers, range: &Range<usize>) {
        let (start, len) = (range.start, range.len());
        self.input.clear(len);
        if self.instance.link.is_main_input_connected() {
            let main = buffer.as_slice_immutable();
            let main = main.get(..self.main_input_channels).unwrap_or(main);
            self.input.add_bus(main, start, len);
        }
        for bus in aux.inputs.iter() {
            self.input.add_bus(bus.as_slice_immutable(), start, len);
        }
    }

    /// Plays into `output`, which begins `block_start` samples into the buffer, from event to event.
    /// `event` is the next one; returns the first that is due later.
    fn play<P: Plugin<SysExMessage = ChannelMessage>, C: ProcessContext<P>>(
        &mut self,
        [left, right]: Output<'_>,
        block_start: usize,
        controls: &Controls,
        mut event: Option<PluginNoteEvent<P>>,
        context: &mut C,
    ) -> Option<PluginNoteEvent<P>> {
        let block_len = left.len();
        let mut start = 0;
        while start < block_len {
            while let Some(due) = event.as_ref()
                && due.timing() as usize <= block_start + start
            {
                self.dispatch(due);
                event = context.next_event();
            }
            let end = event
                .as_ref()
                .map_or(block_len, |next| next.timing() as usize - block_start)
                .min(block_len);
            self.player.process(
                self.input.slice(start, end),
                [&mut left[start..end], &mut right[start..end]],
                controls,
            );
            let last = (block_start + end).saturating_sub(1) as u32;
            while let Some(note) = self.player.next_ended_note() {
                // A host that has no room for it, or does not care, does without.
                let _ = context.try_send_event(notes::ended(note, last));
            }
            start = end;
        }
        event
    }

    fn dispatch(&mut self, event: &NoteEvent<ChannelMessage>) {
        let params = &self.instance.params;
        events::dispatch(&mut self.player, params, &mut self.channels, event);
    }

    /// Begins, grabs or cancels a capture, or begins an imprint, where automation or the window asks for it. A
    /// capture that waits follows its settings, and begins anew where it is asked for again. A press during a
    /// recording changes nothing, so that the button, which presses twice, counts once, and a song that goes round
    /// comes to its end.
    fn apply_capture_requests(&mut self) {
        let params = &self.instance.params;
        let session = &self.instance.session;
        let (capture, grab) = (&params.capture.trigger, &params.capture.grab);
        let imprint = &params.imprint.trigger;
        if params.project.take_state_loaded() {
            // A project saved while a trigger was pressed must not record over its texture when it
            // is opened.
            self.triggers.capture.rises(capture.value());
            self.triggers.grab.rises(grab.value());
            self.triggers.imprint.rises(imprint.value());
        }
        let automated = self.triggers.capture.rises(capture.value());
        let requested = session.take_capture_request();
        let settings = params.capture_settings();
        if session.take_cancel_request() {
            self.player.cancel_capture();
        } else if (automated || requested) && !self.player.is_recording() {
            self.player.start_capture(settings);
        } else {
            self.player.follow_capture(settings);
        }
        if self.triggers.grab.rises(grab.value()) {
            self.player.grab(settings);
        }
        if self.triggers.imprint.rises(imprint.value()) {
            let request = params.imprint_request();
            // There is room for hundreds that nobody has taken.
            (self.player).send_errand(request.to_errand(session.imprints().loads()));
        }
    }
}
