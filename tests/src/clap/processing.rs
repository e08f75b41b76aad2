//! Block after block on the audio thread: inputs filled, events in their places, sound collected.

use std::time::{Duration, Instant};

use clack_host::events::event_types::TransportEvent;
use clack_host::prelude::*;

use super::events::{ended_notes, push, transport};
use super::handlers::Host;
use crate::song::Playhead;
use crate::{Buses, EventKind, HostError, Render, Rendered, refused};

/// Sample memory of the ports of one direction.
struct PortBuffers {
    ports: AudioPorts,
    /// Samples by port and channel, one block each.
    samples: Vec<Vec<Vec<f32>>>,
}

impl PortBuffers {
    fn new(widths: Vec<usize>, block_size: usize) -> Self {
        Self {
            ports: AudioPorts::with_capacity(widths.iter().sum(), widths.len()),
            samples: widths
                .iter()
                .map(|&channels| vec![vec![0.0; block_size]; channels])
                .collect(),
        }
    }
}

/// What the audio thread keeps between renders.
pub(super) struct Processing {
    inputs: PortBuffers,
    outputs: PortBuffers,
    block_size: usize,
    sample_rate: f64,
    steady_frame: u64,
}

impl Processing {
    /// For ports of so many channels each, blocks of at most `block_size` frames, and `sample_rate` Hz.
    pub(super) fn new(
        inputs: Vec<usize>,
        outputs: Vec<usize>,
        block_size: usize,
        sample_rate: f64,
    ) -> Self {
        Self {
            inputs: PortBuffers::new(inputs, block_size),
            outputs: PortBuffers::new(outputs, block_size),
            block_size,
            sample_rate,
            steady_frame: 0,
        }
    }

    /// Counts frames from the first one again.
    pub(super) fn reset(&mut self) {
        self.steady_frame = 0;
    }

    /// Processes `render` block by block.
    pub(super) fn render(
        &mut self,
        processor: &mut StartedPluginAudioProcessor<Host>,
        render: &Render,
    ) -> Result<Rendered, HostError> {
        let width = self.outputs.samples.first().map_or(0, Vec::len);
        if width == 0 || self.block_size == 0 {
            return Err(HostError::Missing("output channel".into()));
        }
        let mut rendered = Rendered {
            channels: vec![Vec::with_capacity(render.frames); width],
            ..Rendered::default()
        };
        let events = render.sorted_events();
        let mut events = events.iter().peekable();
        let mut event_buffer = EventBuffer::new();
        let mut playhead = Playhead::new(render.song.as_ref());
        let began = Instant::now();
        for (start, frames) in render.block_ranges(self.block_size) {
            let transport = playhead.at(start).map(|position| transport(0, &position));
            event_buffer.clear();
            while let Some(event) = events.next_if(|event| event.frame < start + frames.max(1)) {
                if let EventKind::Locate { frame } = event.kind {
                    playhead.locate(event.frame, frame);
                }
                let position = playhead.at(event.frame);
                push(&mut event_buffer, event, start, position)?;
            }
            self.fill_inputs(render, start, frames);
            let mut produced = EventBuffer::new();
            let events = (&event_buffer, &mut produced);
            let sound = (frames, render.buses);
            let (time, status) = self.process(processor, sound, transport.as_ref(), events)?;
            rendered.block_times.push(time);
            rendered.rests.push(status == ProcessStatus::Sleep);
            rendered.ended_notes.extend(ended_notes(&produced, start));
            for (channel, block) in rendered.channels.iter_mut().zip(&self.outputs.samples[0]) {
                if render.buses.has_sound() {
                    channel.extend_from_slice(&block[..frames]);
                } else {
                    channel.resize(start + frames, 0.0);
                }
            }
            if render.paced {
                crate::wait_for_frame(began, start + frames, self.sample_rate);
            }
        }
        Ok(rendered)
    }

    /// What the input ports hear in the block of `frames` frames from `start` on.
    fn fill_inputs(&mut self, render: &Render, start: usize, frames: usize) {
        for (port, channels) in self.inputs.samples.iter_mut().enumerate() {
            for (channel, block) in channels.iter_mut().enumerate() {
                render.fill_input(port, channel, start, &mut block[..frames]);
            }
        }
    }

    /// Processes a block of so many frames with these buses, with the events that go in and those that come
    /// out; the time the plugin took for it, and what it says of the blocks to come.
    fn process(
        &mut self,
        processor: &mut StartedPluginAudioProcessor<Host>,
        (frames, buses): (usize, Buses),
        transport: Option<&TransportEvent>,
        (events, produced): (&EventBuffer, &mut EventBuffer),
    ) -> Result<(Duration, ProcessStatus), HostError> {
        let Self {
            inputs, outputs, ..
        } = self;
        // What a plugin fails to write must not pass for sound: NaN shows in every measure.
        for block in outputs.samples.iter_mut().flatten() {
            block.fill(f32::NAN);
        }
        let all = usize::MAX;
        let (input_ports, ports, channels) = match buses {
            Buses::All => (all, all, all),
            Buses::EmptyOutput => (all, all, 0),
            Buses::NoOutput => (all, 0, 0),
            Buses::NoInput => (0, all, all),
        };
        let audio_inputs =
            inputs
                .ports
                .with_input_buffers(inputs.samples.iter_mut().take(input_ports).map(|channels| {
                    AudioPortBuffer {
                        latency: 0,
                        channels: AudioPortBufferType::f32_input_only(
                            channels
                                .iter_mut()
                                .map(|block| InputChannel::variable(&mut block[..frames])),
                        ),
                    }
                }));
        let buffers = outputs.samples.iter_mut().take(ports);
        let mut audio_outputs = outputs.ports.with_output_buffers(buffers.map(|port| {
            AudioPortBuffer {
                latency: 0,
                channels: AudioPortBufferType::f32_output_only(
                    port.iter_mut()
                        .take(channels)
                        .map(|block| &mut block[..frames]),
                ),
            }
        }));
        let began = Instant::now();
        let status = processor
            .process(
                &audio_inputs,
                &mut audio_outputs,
                &events.as_input(),
                &mut produced.as_output(),
                Some(self.steady_frame),
                transport,
            )
            .map_err(refused("process a block"))?;
        self.steady_frame += frames as u64;
        Ok((began.elapsed(), status))
    }
}
