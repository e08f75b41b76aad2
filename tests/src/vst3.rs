//! A VST3 host: loads a `.vst3` in this process and drives its plugin.

use std::path::Path;
use std::thread;
use std::time::Instant;

use vst3_host::Vst3Host;
use vst3_host::audio::{BusAudioBuffers, BusDirection, MediaType};
use vst3_host::midi::{MidiChannel, MidiEvent, PluginEvent, PluginEventData};
pub use vst3_host::plugin::ProcessMode;
use vst3_host::plugin::TransportPosition;

use crate::{
    BEATS_PER_BAR, Event, EventKind, Expression, HostError, Note, Render, Rendered, refused,
};

/// VST3's numbers of its note expressions.
const VOLUME: u32 = 0;
const PAN: u32 = 1;
const TUNING: u32 = 2;
const BRIGHTNESS: u32 = 5;

/// A loaded plugin instance at a fixed sample rate and block size.
pub struct Vst3Plugin {
    plugin: vst3_host::Plugin,
    sample_rate: f64,
    block_size: usize,
}

impl Vst3Plugin {
    /// Loads the bundle at `path` and makes an instance with every audio input active, which
    /// processes blocks of `block_size` frames at `sample_rate` Hz.
    ///
    /// # Errors
    /// [`HostError::Load`] if that fails.
    pub fn load(path: &Path, sample_rate: f64, block_size: usize) -> Result<Self, HostError> {
        let failed = |error: vst3_host::Error| HostError::Load {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let mut host = Vst3Host::builder()
            .sample_rate(sample_rate)
            .block_size(block_size)
            .with_process_isolation(false)
            .build()
            .map_err(failed)?;
        let mut plugin = host.load_plugin(path).map_err(failed)?;
        let inputs = plugin.audio_bus_layout().map_err(failed)?.inputs.len();
        for bus in 0..inputs {
            let bus = i32::try_from(bus).unwrap_or(i32::MAX);
            plugin
                .set_bus_active(MediaType::Audio, BusDirection::Input, bus, true)
                .map_err(failed)?;
        }
        Ok(Self {
            plugin,
            sample_rate,
            block_size,
        })
    }

    /// Channel counts of the input and of the output buses.
    ///
    /// # Errors
    /// [`HostError::Refused`].
    pub fn bus_widths(&self) -> Result<(Vec<usize>, Vec<usize>), HostError> {
        let layout = self
            .plugin
            .audio_bus_layout()
            .map_err(refused("tell its buses"))?;
        let widths = |buses: &[vst3_host::audio::AudioBusConfig]| {
            buses.iter().map(|bus| bus.channel_count).collect()
        };
        Ok((widths(&layout.inputs), widths(&layout.outputs)))
    }

    /// Display names of the parameters that are not MIDI controllers.
    ///
    /// # Errors
    /// [`HostError::Refused`].
    pub fn parameter_names(&self) -> Result<Vec<String>, HostError> {
        let parameters = self
            .plugin
            .get_parameters()
            .map_err(refused("list its parameters"))?;
        Ok(parameters
            .into_iter()
            .map(|parameter| parameter.name)
            .filter(|name| !name.starts_with("MIDI"))
            .collect())
    }

    /// The normalized value and the text of the parameter with this display name.
    ///
    /// # Errors
    /// [`HostError::Missing`], [`HostError::Refused`].
    pub fn value(&self, name: &str) -> Result<(f64, String), HostError> {
        let id = self.parameter_id(name)?;
        let value = self
            .plugin
            .get_parameter(id)
            .map_err(refused("tell a parameter's value"))?;
        Ok((value, self.text(id, value)?))
    }

    fn text(&self, id: u32, normalized: f64) -> Result<String, HostError> {
        self.plugin
            .format_parameter(id, normalized)
            .map_err(refused("format a parameter's value"))
    }

    fn parameter_id(&self, name: &str) -> Result<u32, HostError> {
        self.plugin
            .find_parameter(name)
            .map(|parameter| parameter.id)
            .map_err(|_| HostError::Missing(format!("parameter {name:?}")))
    }

    /// The automation event that sets a parameter to the lowest normalized value whose text shows
    /// at least the number `shown`: VST3 keeps the plain scale to itself, and what a user sees is
    /// the text.
    ///
    /// # Errors
    /// [`HostError::Missing`], [`HostError::Refused`]; [`HostError::ParameterText`] if no value
    /// shows a number as large.
    pub fn automation(&self, name: &str, shown: f64) -> Result<EventKind, HostError> {
        let id = self.parameter_id(name)?;
        let number = |normalized| -> Result<f64, HostError> {
            let text = self.text(id, normalized)?;
            let digits = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
            let end = text.find(|c| !digits(c)).unwrap_or(text.len());
            text[..end].parse().map_err(|_| HostError::ParameterText {
                parameter: name.to_owned(),
                text: text.clone(),
            })
        };
        if number(1.0)? < shown {
            return Err(HostError::ParameterText {
                parameter: name.to_owned(),
                text: shown.to_string(),
            });
        }
        // 40 halvings resolve more than any parameter's 32-bit steps.
        let (mut below, mut reached) = (0.0, 1.0);
        if number(0.0)? >= shown {
            reached = 0.0;
        }
        for _ in 0..40 {
            let middle = 0.5 * (below + reached);
            if number(middle)? < shown {
                below = middle;
            } else {
                reached = middle;
            }
        }
        Ok(EventKind::Parameter { id, value: reached })
    }

    /// The automation event that turns a switch on or off.
    ///
    /// # Errors
    /// [`HostError::Missing`].
    pub fn switch(&self, name: &str, on: bool) -> Result<EventKind, HostError> {
        Ok(EventKind::Parameter {
            id: self.parameter_id(name)?,
            value: f64::from(u8::from(on)),
        })
    }

    /// Real-time or offline, from the next render on.
    ///
    /// # Errors
    /// [`HostError::Refused`].
    pub fn set_process_mode(&mut self, mode: ProcessMode) -> Result<(), HostError> {
        self.stop()?;
        self.plugin
            .set_process_mode(mode)
            .map_err(refused("change its process mode"))?;
        // Some plugin wrappers take up the mode one `setupProcessing` late; hosts call it again
        // before they process.
        self.plugin
            .reconfigure(self.sample_rate, self.block_size)
            .map_err(refused("set up processing"))
    }

    /// Stops processing; the next render starts it again, from silence and the first frame.
    ///
    /// # Errors
    /// [`HostError::Refused`].
    pub fn stop(&mut self) -> Result<(), HostError> {
        self.plugin
            .stop_processing()
            .map_err(refused("stop processing"))
    }

    /// The plugin's state, as it goes into a project file.
    ///
    /// # Errors
    /// [`HostError::Refused`].
    pub fn save_state(&self) -> Result<Vec<u8>, HostError> {
        self.plugin.save_state().map_err(refused("save its state"))
    }

    /// Gives the plugin a state from a project file.
    ///
    /// # Errors
    /// [`HostError::Refused`] if the plugin says that it can't read it.
    pub fn load_state(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        self.plugin
            .load_state(bytes)
            .map_err(refused("load the state"))
    }

    /// Processes `render` block by block on a thread of its own.
    ///
    /// # Errors
    /// [`HostError::Refused`] if the plugin fails to process, [`HostError::AudioThread`].
    pub fn render(&mut self, render: &Render) -> Result<Rendered, HostError> {
        self.plugin
            .start_processing()
            .map_err(refused("start processing"))?;
        let buffers = self
            .plugin
            .create_bus_audio_buffers(self.block_size)
            .map_err(refused("tell its buses"))?;
        let (plugin, sample_rate) = (&mut self.plugin, self.sample_rate);
        thread::scope(|scope| {
            scope
                .spawn(move || process(plugin, buffers, sample_rate, render))
                .join()
                .map_err(|_| HostError::AudioThread)?
        })
    }
}

impl crate::Host for Vst3Plugin {
    fn move_to(&self, name: &str, normalized: f64) -> Result<EventKind, HostError> {
        Ok(EventKind::Parameter {
            id: self.parameter_id(name)?,
            value: normalized,
        })
    }

    fn play(&mut self, render: &Render) -> Result<Rendered, HostError> {
        self.render(render)
    }

    fn restart(&mut self) -> Result<(), HostError> {
        self.stop()
    }
}

/// Runs on the audio thread.
fn process(
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
    let mut song = render.song.clone();
    let began = Instant::now();
    for (start, frames) in render.block_ranges(longest) {
        while let Some(event) = events.next_if(|event| event.frame < start + frames) {
            match (event.kind, &mut song) {
                (EventKind::Locate { frame }, Some((_, first))) if event.frame == start => {
                    *first = frame - start as i64;
                }
                _ => send(plugin, event, start)?,
            }
        }
        if let Some((song, first)) = &song {
            let position = song.position(first + start as i64);
            plugin
                .set_tempo(position.tempo)
                .and_then(|()| {
                    plugin.set_transport_position(TransportPosition {
                        samples: position.frame,
                        quarter_notes: position.beats,
                    })
                })
                .map_err(refused("take the song's position"))?;
        }
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
        let block_began = Instant::now();
        plugin
            .process_bus_audio(&mut buffers)
            .map_err(refused("process a block"))?;
        rendered.block_times.push(block_began.elapsed());
        if let Some(bus) = buffers.outputs.first() {
            for (channel, block) in rendered.channels.iter_mut().zip(&bus.channels) {
                channel.extend_from_slice(block);
            }
        }
        if render.paced {
            crate::wait_for_frame(began, start + frames, sample_rate);
        }
    }
    Ok(rendered)
}

/// Queues `event` for the block that starts at the frame `start`.
fn send(plugin: &mut vst3_host::Plugin, event: &Event, start: usize) -> Result<(), HostError> {
    let offset = i32::try_from(event.frame - start).map_err(refused("take an event"))?;
    let data = match event.kind {
        EventKind::Parameter { id, value } => {
            return plugin
                .set_parameter_at(id, value, offset)
                .map_err(refused("take an event"));
        }
        EventKind::PitchBend { channel, position } => {
            let channel = MidiChannel::from_index(channel)
                .ok_or_else(|| HostError::Missing(format!("MIDI channel {channel}")))?;
            // Its parameter is the one that the plugin names for the wheel.
            let value = position;
            return plugin
                .send_midi_event_at(MidiEvent::PitchBend { channel, value }, offset)
                .map_err(refused("take an event"));
        }
        EventKind::Modulation { .. } => {
            return Err(HostError::Missing("polyphonic modulation in VST3".into()));
        }
        EventKind::Locate { .. } => {
            return Err(HostError::Missing("song position inside a block".into()));
        }
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
            };
            PluginEventData::NoteExpressionValue {
                type_id,
                note_id: numbered(note)?,
                value,
            }
        }
    };
    plugin
        .send_plugin_event(PluginEvent {
            bus_index: 0,
            sample_offset: offset,
            ppq_position: 0.0,
            flags: 0,
            data,
        })
        .map_err(refused("take an event"))
}

/// The number by which VST3's note expressions find their note.
fn numbered(note: Note) -> Result<i32, HostError> {
    note.id
        .ok_or_else(|| HostError::Missing(format!("number of the note {note:?}")))
}
