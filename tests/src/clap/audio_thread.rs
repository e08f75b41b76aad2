//! The thread that owns the audio processor of an active plugin.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clack_extensions::params::PluginParams;
use clack_extensions::tail::PluginTail;
use clack_host::prelude::*;

use super::events::push;
use super::handlers::{Host, become_audio_thread};
use super::processing::Processing;
use crate::{Event, HostError, Render, Rendered, refused};

/// What the main thread asks of it.
pub(super) enum Command {
    /// Silence, and back to the first frame.
    Reset,
    /// An end of processing, until the next blocks.
    Stop,
    /// Blocks.
    Render(Render),
    /// Events between blocks.
    Flush(PluginParams, Vec<Event>),
    /// How many samples the plugin sounds after the last note, if not without an end, which goes to the sender.
    AskTail(PluginTail, mpsc::Sender<Option<u32>>),
}

/// The thread that owns the audio processor of an active plugin.
pub(super) struct AudioThread {
    commands: mpsc::Sender<Command>,
    replies: mpsc::Receiver<Result<Rendered, HostError>>,
    thread: JoinHandle<StoppedPluginAudioProcessor<Host>>,
}

impl AudioThread {
    /// Starts it.
    pub(super) fn start(
        processor: StoppedPluginAudioProcessor<Host>,
        mut processing: Processing,
    ) -> Self {
        let (commands, received) = mpsc::channel();
        let (reply, replies) = mpsc::channel();
        let thread = thread::spawn(move || {
            become_audio_thread();
            let mut processor = PluginAudioProcessor::from(processor);
            for command in received {
                let result = match command {
                    Command::Reset => {
                        processor.reset();
                        processing.reset();
                        Ok(Rendered::default())
                    }
                    Command::Stop => {
                        processor.ensure_processing_stopped();
                        Ok(Rendered::default())
                    }
                    Command::Render(render) => processor
                        .ensure_processing_started()
                        .map_err(refused("start processing"))
                        .and_then(|processor| processing.render(processor, &render)),
                    Command::Flush(params, events) => flush(&mut processor, params, &events),
                    Command::AskTail(tail, answer) => {
                        let length = tail.get(&processor.plugin_handle());
                        let samples = length.is_finite().then(|| length.to_raw());
                        // Whoever asked has given up, if nobody listens.
                        let _ = answer.send(samples);
                        Ok(Rendered::default())
                    }
                };
                if reply.send(result).is_err() {
                    break;
                }
            }
            processor.into_stopped()
        });
        Self {
            commands,
            replies,
            thread,
        }
    }

    /// Gives `command` to it.
    pub(super) fn send(&self, command: Command) -> Result<(), HostError> {
        self.commands
            .send(command)
            .map_err(|_| HostError::AudioThread)
    }

    /// What became of the last command, if that is known within `patience`.
    pub(super) fn reply_within(&self, patience: Duration) -> Option<Result<Rendered, HostError>> {
        match self.replies.recv_timeout(patience) {
            Ok(reply) => Some(reply),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(HostError::AudioThread)),
        }
    }

    /// Ends it.
    pub(super) fn stop(self) -> Result<StoppedPluginAudioProcessor<Host>, HostError> {
        drop(self.commands);
        self.thread.join().map_err(|_| HostError::AudioThread)
    }
}

/// Gives a plugin `events` between blocks.
fn flush(
    processor: &mut PluginAudioProcessor<Host>,
    params: PluginParams,
    events: &[Event],
) -> Result<Rendered, HostError> {
    let (mut input, mut produced) = (EventBuffer::new(), EventBuffer::new());
    for event in events {
        push(&mut input, event, 0, None)?;
    }
    params.flush_active(
        &mut processor.plugin_handle(),
        &input.as_input(),
        &mut produced.as_output(),
    );
    Ok(Rendered::default())
}
