//! Block after block on the audio thread, and events in VST3's terms.

use std::time::Instant;

use vst3_host::audio::BusAudioBuffers;
use vst3_host::midi::{MidiChannel, MidiEvent, PluginEvent, PluginEventData};
use vst3_host::plugin::TransportPosition;

use crate::song::Playhead;
use crate::{
    BEATS_PER_BAR, Event, EventKind, Expression, HostError, Note, Render, Rendered, SongPosition,
    refused,
};

/// VST3's numbers of its note expressions.
const VOLUME: u32 = 0;
const PAN: u32 = 1;
const TUNING: u32 = 2;
const BRIGHTNESS: u32 = 5;
/// And of those that plugins define themselves the first, which is Weft's pressure.
const PRESSURE: u32 = 100_000;

/// Processes `render` block by block. Runs on the audio thread.
pub(super) fn process(
    plugin: &mut vst3_host::Plugin,
    mut buffers: BusAudioBuffers,
    sample_rate: f64,
    render: &Render,
) -> Result<Rendered, HostError> {
    let outputs = buffers.outputs.first();
    let width = outputs.map_or(0, |bus| bus.channels.len());
    let longest = outputs
        .and_then(|bus| bus.channels.first())
        .map_or(0, Vec::len);
    if longest == 0 {
        return Err(HostError::Missing("output channel".into()));
    }
    let mut rendered = Rendered {
        channels: vec![Vec::with_capacity(render.frames); width],
        ..Rendered::default()
    };
    plugin
        .set_playing(render.song.is_some())
        .and_then(|()| plugin.set_time_signature(i32::from(BEATS_PER_BAR), 4))
        .map_err(refused("take the song"))?;
    let events = render.sorted_events();
    let mut events = events.iter().peekable();
    let mut playhead = Playhead::new(render.song.as_ref());
    let began = Instant::now();
    for (start, frames) in render.block_ranges(longest) {
        while let Some(event) = events.next_if(|event| event.frame < start + frames.max(1)) {
            match event.kind {
                EventKind::Locate { frame } if event.frame == start && render.song.is_some() => {
                    playhead.locate(start, frame);
                }
                _ => send(plugin, event, start)?,
            }
        }
        if let Some(position) = playhead.at(start) {
            tell_position(plugin, position)?;
        }
        fill_inputs(&mut buffers, render, start, frames);
        let block_began = Instant::now();
        plugin
            .process_bus_audio(&mut buffers)
            .map_err(refused("process a block"))?;
        rendered.block_times.push(block_began.elapsed());
        if let Some(bus) = buffers.outputs.first() {
            for (channel, block) in rendered.channels.iter_mut().zip(&bus.channels) {
                if render.buses.has_sound() {
                    channel.extend_from_slice(block);
                } else {
                    channel.resize(start + frames, 0.0);
                }
            }
        }
        if render.paced {
            crate::wait_for_frame(began, start + frames, sample_rate);
        }
    }
    Ok(rendered)
}

/// Tells the plugin where the song is at the beginning of a block.
fn tell_position(plugin: &mut vst3_host::Plugin, position: SongPosition) -> Result<(), HostError> {
    plugin
        .set_tempo(position.tempo)
        .and_then(|()| {
            plugin.set_transport_position(TransportPosition {
                samples: position.frame,
                quarter_notes: position.beats,
            })
        })
        .map_err(refused("take the song's position"))
}

/// Makes the buffers `frames` frames long, with what the input buses hear from `start` on.
fn fill_inputs(buffers: &mut BusAudioBuffers, render: &Render, start: usize, frames: usize) {
    // The library takes the length of the first channel for that of the block.
    let buses = buffers.inputs.iter_mut().chain(&mut buffers.outputs);
    for channel in buses.flat_map(|bus| &mut bus.channels) {
        channel.resize(frames, 0.0);
    }
    for (port, bus) in buffers.inputs.iter_mut().enumerate() {
        for (channel, block) in bus.channels.iter_mut().enumerate() {
            render.fill_input(port, channel, start, block);
        }
    }
}

/// Queues `event` for the block that starts at the frame `start`.
fn send(plugin: &mut vst3_host::Plugin, event: &Event, start: usize) -> Result<(), HostError> {
    let offset = i32::try_from(event.frame - start).map_err(refused("take an event"))?;
    let sent = match event.kind {
        EventKind::Parameter { id, value } => plugin.set_parameter_at(id, value, offset),
        EventKind::PitchBend { channel, position } => {
            let channel = MidiChannel::from_index(channel)
                .ok_or_else(|| HostError::Missing(format!("MIDI channel {channel}")))?;
            // Its parameter is the one that the plugin names for the wheel.
            let value = position;
            plugin.send_midi_event_at(MidiEvent::PitchBend { channel, value }, offset)
        }
        EventKind::Midi { message } => plugin.send_midi_event_at(midi_event(message)?, offset),
        kind => plugin.send_plugin_event(PluginEvent {
            bus_index: 0,
            sample_offset: offset,
            ppq_position: 0.0,
            flags: 0,
            data: note_event(kind)?,
        }),
    };
    sent.map_err(refused("take an event"))
}

/// A MIDI message in the library's terms, which finds the parameters that the plugin names for controllers.
fn midi_event([status, data1, data2]: [u8; 3]) -> Result<MidiEvent, HostError> {
    let unknown = || HostError::Missing(format!("MIDI message {status:#x}"));
    let channel = MidiChannel::from_index(status & 0x0f).ok_or_else(unknown)?;
    Ok(match status & 0xf0 {
        0x80 => MidiEvent::NoteOff {
            channel,
            note: data1,
            velocity: data2,
        },
        0x90 => MidiEvent::NoteOn {
            channel,
            note: data1,
            velocity: data2,
        },
        0xa0 => MidiEvent::PolyAftertouch {
            channel,
            note: data1,
            pressure: data2,
        },
        0xb0 => MidiEvent::ControlChange {
            channel,
            controller: data1,
            value: data2,
        },
        0xd0 => MidiEvent::ChannelAftertouch {
            channel,
            pressure: data1,
        },
        0xe0 => MidiEvent::PitchBend {
            channel,
            value: u16::from(data1) | u16::from(data2) << 7,
        },
        _ => return Err(unknown()),
    })
}

/// What happens to a note, in VST3's terms.
fn note_event(kind: EventKind) -> Result<PluginEventData, HostError> {
    Ok(match kind {
        EventKind::NoteOn { note, velocity } => PluginEventData::NoteOn {
            channel: i16::from(note.channel),
            pitch: i16::from(note.key),
            tuning: 0.0,
            velocity,
            length: 0,
            note_id: note.id.unwrap_or(-1),
        },
        EventKind::NoteOff { note } => PluginEventData::NoteOff {
            channel: i16::from(note.channel),
            pitch: i16::from(note.key),
            velocity: 0.0,
            note_id: note.id.unwrap_or(-1),
            tuning: 0.0,
        },
        EventKind::Expression {
            note,
            expression,
            value,
        } => {
            let (type_id, value) = match expression {
                Expression::Volume => (VOLUME, value / 4.0),
                Expression::Pan => (PAN, value),
                Expression::Tuning => (TUNING, value / 240.0 + 0.5),
                Expression::Brightness => (BRIGHTNESS, value),
                Expression::Pressure => (PRESSURE, value),
            };
            PluginEventData::NoteExpressionValue {
                type_id,
                note_id: numbered(note)?,
                value,
            }
        }
        EventKind::Modulation { .. } => {
            return Err(HostError::Missing("polyphonic modulation in VST3".into()));
        }
        EventKind::Locate { .. } => {
            return Err(HostError::Missing("song position inside a block".into()));
        }
        EventKind::Parameter { .. } | EventKind::PitchBend { .. } | EventKind::Midi { .. } => {
            return Err(HostError::Missing(format!("note in {kind:?}")));
        }
    })
}

/// The number by which VST3's note expressions find their note.
fn numbered(note: Note) -> Result<i32, HostError> {
    note.id
        .ok_or_else(|| HostError::Missing(format!("number of the note {note:?}")))
}
