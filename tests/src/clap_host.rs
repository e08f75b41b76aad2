//! A CLAP host: loads a `.clap` in this process and drives its plugin.
//!
//! The [`ClapPlugin`] is the host's main thread; while it is active, a second thread owns the
//! audio processor. During a render the main thread serves the plugin's callback requests, as a
//! host's event loop does.

use std::cell::Cell;
use std::ffi::CString;
use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use clack_extensions::audio_ports::{AudioPortFlags, AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::latency::{HostLatency, HostLatencyImpl, PluginLatency};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamInfoBuffer,
    ParamRescanFlags, PluginParams,
};
use clack_extensions::render::PluginRender;
pub use clack_extensions::render::RenderMode;
use clack_extensions::state::{HostState, HostStateImpl, PluginState};
use clack_extensions::thread_check::{HostThreadCheck, HostThreadCheckImpl};
use clack_host::events::event_types::{
    MidiEvent, NoteExpressionEvent, NoteExpressionType, NoteOffEvent, NoteOnEvent, ParamModEvent,
    ParamValueEvent, TransportEvent, TransportFlags,
};
use clack_host::events::spaces::CoreEventSpace;
use clack_host::events::{EventFlags, EventHeader, Match};
use clack_host::prelude::*;
use clack_host::utils::{BeatTime, SecondsTime};

use crate::{
    BEATS_PER_BAR, Event, EventKind, Expression, HostError, Note, Render, Rendered, Song,
    SongPosition, refused,
};

/// MIDI status of the pitch wheel.
const PITCH_BEND: u8 = 0xe0;

/// How often the main thread looks after the plugin's requests during a render.
const MAIN_THREAD_PERIOD: Duration = Duration::from_millis(20);

thread_local! {
    static IS_AUDIO_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// What the plugin may call from any thread.
struct Shared {
    main_thread: ThreadId,
    callback_requested: AtomicBool,
}

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {
        self.callback_requested.store(true, Ordering::Release);
    }
}

impl HostThreadCheckImpl for Shared {
    fn is_main_thread(&self) -> bool {
        thread::current().id() == self.main_thread
    }

    fn is_audio_thread(&self) -> bool {
        IS_AUDIO_THREAD.get()
    }
}

impl HostParamsImplShared for Shared {
    // A request for a flush is served by the next process call.
    fn request_flush(&self) {}
}

/// What the plugin may call from the main thread.
#[derive(Default)]
struct MainThread {
    dirty_marks: AtomicU32,
}

impl MainThreadHandler<'_> for MainThread {}

impl HostStateImpl for MainThread {
    fn mark_dirty(&self) {
        self.dirty_marks.fetch_add(1, Ordering::Relaxed);
    }
}

impl HostLatencyImpl for MainThread {
    fn changed(&self) {}
}

impl HostParamsImplMainThread for MainThread {
    fn rescan(&self, _flags: ParamRescanFlags) {}
    fn clear(&self, _id: ClapId, _flags: ParamClearFlags) {}
}

struct Host;

impl HostHandlers for Host {
    type Shared<'a> = Shared;
    type MainThread<'a> = MainThread;
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _shared: &Self::Shared<'_>) {
        builder
            .register::<HostLatency>()
            .register::<HostParams>()
            .register::<HostState>()
            .register::<HostThreadCheck>();
    }
}

/// An audio port of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The name a host shows.
    pub name: String,
    /// How many channels.
    pub channels: usize,
    /// The main port of its direction.
    pub is_main: bool,
}

/// A parameter of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// CLAP's number of the parameter.
    pub id: u32,
    /// The name a host shows.
    pub name: String,
    /// Smallest plain value.
    pub min: f64,
    /// Largest plain value.
    pub max: f64,
    /// Plain value of a new instance.
    pub default: f64,
}

/// A loaded plugin instance, seen from the host's main thread.
pub struct ClapPlugin {
    instance: PluginInstance<Host>,
    /// The plugin's identifier, such as `org.example.synth`.
    pub id: String,
    /// Input ports by index.
    pub inputs: Vec<Port>,
    /// Output ports by index.
    pub outputs: Vec<Port>,
    /// Parameters by index.
    pub parameters: Vec<Parameter>,
    params: PluginParams,
    state: PluginState,
    render_mode: PluginRender,
    latency: Option<PluginLatency>,
    audio: Option<AudioThread>,
}

impl ClapPlugin {
    /// Makes an instance of the first plugin of the bundle at `path`, the instrument. Instances of
    /// the same bundle share one loaded library, as in any host.
    ///
    /// # Errors
    /// [`HostError::Load`] if that fails; [`HostError::Missing`] for a plugin without audio ports,
    /// parameters, state or render mode.
    pub fn load(path: &Path) -> Result<Self, HostError> {
        Self::load_nth(path, 0)
    }

    /// Makes an instance of the plugin with this index in the bundle at `path`.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_nth(path: &Path, index: usize) -> Result<Self, HostError> {
        let failed = |reason: String| HostError::Load {
            path: path.to_owned(),
            reason,
        };
        let info = HostInfo::new("Weft host", "Weft", "", env!("CARGO_PKG_VERSION"))
            .map_err(|error| failed(error.to_string()))?;
        // SAFETY: The library is our own bundle, whose entry point is made by the plugin framework.
        let entry = unsafe { PluginEntry::load(path) }.map_err(|e| failed(e.to_string()))?;
        let factory = entry
            .get_plugin_factory()
            .ok_or_else(|| failed("it has no plugin factory".into()))?;
        let id = factory
            .plugin_descriptors()
            .nth(index)
            .and_then(|descriptor| descriptor.id().map(CString::from))
            .ok_or_else(|| failed(format!("its factory has no plugin {index}")))?;
        let main_thread = thread::current().id();
        let mut instance = PluginInstance::<Host>::new(
            |_| Shared {
                main_thread,
                callback_requested: AtomicBool::new(false),
            },
            |_| MainThread::default(),
            &entry,
            &id,
            &info,
        )
        .map_err(|error| failed(error.to_string()))?;

        let handle = instance.plugin_handle();
        let missing = |what: &str| HostError::Missing(what.to_owned());
        let audio_ports: PluginAudioPorts = handle
            .get_extension()
            .ok_or_else(|| missing("audio ports"))?;
        let params: PluginParams = handle
            .get_extension()
            .ok_or_else(|| missing("parameters"))?;
        let state = handle.get_extension().ok_or_else(|| missing("state"))?;
        let render_mode = handle
            .get_extension()
            .ok_or_else(|| missing("render mode"))?;
        let latency = handle.get_extension();

        let ports = |is_input| {
            let mut buffer = AudioPortInfoBuffer::new();
            (0..audio_ports.count(&handle, is_input))
                .filter_map(|index| {
                    let info = audio_ports.get(&handle, index, is_input, &mut buffer)?;
                    Some(Port {
                        name: String::from_utf8_lossy(info.name).into_owned(),
                        channels: info.channel_count as usize,
                        is_main: info.flags.contains(AudioPortFlags::IS_MAIN),
                    })
                })
                .collect::<Vec<_>>()
        };
        let (inputs, outputs) = (ports(true), ports(false));
        let mut buffer = ParamInfoBuffer::new();
        let parameters = (0..params.count(&handle))
            .filter_map(|index| {
                let info = params.get_info(&handle, index, &mut buffer)?;
                Some(Parameter {
                    id: info.id.get(),
                    name: String::from_utf8_lossy(info.name).into_owned(),
                    min: info.min_value,
                    max: info.max_value,
                    default: info.default_value,
                })
            })
            .collect();
        Ok(Self {
            id: id.to_string_lossy().into_owned(),
            inputs,
            outputs,
            parameters,
            params,
            state,
            render_mode,
            latency,
            audio: None,
            instance,
        })
    }

    /// Index of the input port that captures: the one that says so in its name.
    ///
    /// # Errors
    /// [`HostError::Missing`] if no port's name holds "capture".
    pub fn capture_port(&self) -> Result<usize, HostError> {
        self.inputs
            .iter()
            .position(|port| port.name.to_lowercase().contains("capture"))
            .ok_or_else(|| HostError::Missing(format!("capture input among {:?}", self.inputs)))
    }

    /// The parameter with this display name, in any case.
    ///
    /// # Errors
    /// [`HostError::Missing`] if there is none.
    pub fn parameter(&self, name: &str) -> Result<&Parameter, HostError> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| HostError::Missing(format!("parameter {name:?}")))
    }

    /// The parameter's current plain value.
    ///
    /// # Errors
    /// [`HostError::Missing`] if there is no such parameter.
    pub fn value(&mut self, name: &str) -> Result<f64, HostError> {
        let id = clap_id(self.parameter(name)?.id)?;
        self.params
            .get_value(&self.instance.plugin_handle(), id)
            .ok_or_else(|| HostError::Missing(format!("value of the parameter {name:?}")))
    }

    /// The automation event that sets a parameter to what a user would type into its field.
    ///
    /// # Errors
    /// [`HostError::Missing`] or [`HostError::ParameterText`].
    pub fn automation(&mut self, name: &str, text: &str) -> Result<EventKind, HostError> {
        let id = self.parameter(name)?.id;
        let refusal = || HostError::ParameterText {
            parameter: name.to_owned(),
            text: text.to_owned(),
        };
        let c_text = CString::new(text).map_err(|_| refusal())?;
        let value = self
            .params
            .text_to_value(&self.instance.plugin_handle(), clap_id(id)?, &c_text)
            .ok_or_else(refusal)?;
        Ok(EventKind::Parameter { id, value })
    }

    /// The plugin's state, as it goes into a project file.
    ///
    /// # Errors
    /// [`HostError::Refused`].
    pub fn save_state(&mut self) -> Result<Vec<u8>, HostError> {
        let mut bytes = Vec::new();
        self.state
            .save(&self.instance.plugin_handle(), &mut bytes)
            .map_err(refused("save its state"))?;
        Ok(bytes)
    }

    /// Gives the plugin a state from a project file.
    ///
    /// # Errors
    /// [`HostError::Refused`] if the plugin says that it can't read it.
    pub fn load_state(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        self.state
            .load(&self.instance.plugin_handle(), &mut Cursor::new(bytes))
            .map_err(refused("load the state"))
    }

    /// How often the plugin has told the host that its state changed.
    pub fn dirty_marks(&self) -> u32 {
        self.instance
            .access_handler(|main| main.dirty_marks.load(Ordering::Relaxed))
    }

    /// Real-time or offline; set it before [`activate`](Self::activate), as hosts do for a bounce.
    ///
    /// # Errors
    /// [`HostError::Refused`].
    pub fn set_render_mode(&mut self, mode: RenderMode) -> Result<(), HostError> {
        self.render_mode
            .set(&self.instance.plugin_handle(), mode)
            .map_err(refused("change its render mode"))
    }

    /// Latency in frames, as it stands while active.
    pub fn latency_frames(&mut self) -> u32 {
        let handle = self.instance.plugin_handle();
        self.latency.map_or(0, |latency| latency.get(&handle))
    }

    /// Activates the plugin and starts its audio thread: blocks of `block_size` frames at
    /// `sample_rate` Hz. An active plugin is deactivated first.
    ///
    /// # Errors
    /// [`HostError::Refused`].
    pub fn activate(&mut self, sample_rate: f64, block_size: usize) -> Result<(), HostError> {
        self.deactivate()?;
        let frames = u32::try_from(block_size).map_err(refused("activate"))?;
        let processor = self
            .instance
            .activate(
                |_, _| (),
                PluginAudioConfiguration {
                    sample_rate,
                    min_frames_count: 1,
                    max_frames_count: frames,
                },
            )
            .map_err(refused("activate"))?;
        let widths = |ports: &[Port]| ports.iter().map(|port| port.channels).collect();
        let processing = Processing {
            buffers: BlockBuffers {
                inputs: PortBuffers::new(widths(&self.inputs), block_size),
                outputs: PortBuffers::new(widths(&self.outputs), block_size),
            },
            steady_frame: 0,
            sample_rate,
        };
        self.audio = Some(AudioThread::start(processor, processing));
        Ok(())
    }

    /// Stops the audio thread and deactivates the plugin; nothing if it is not active.
    ///
    /// # Errors
    /// [`HostError::AudioThread`] if the thread has died.
    pub fn deactivate(&mut self) -> Result<(), HostError> {
        if let Some(audio) = self.audio.take() {
            self.instance.deactivate(audio.stop()?);
        }
        Ok(())
    }

    /// Silence, and back to the first frame: what a host does when it jumps or starts a bounce.
    ///
    /// # Errors
    /// [`HostError::Inactive`], [`HostError::AudioThread`].
    pub fn reset(&mut self) -> Result<(), HostError> {
        self.command(Command::Reset, &mut |_| ()).map(drop)
    }

    /// Processes `render` block by block on the audio thread.
    ///
    /// # Errors
    /// [`HostError::Inactive`], [`HostError::Refused`] if the plugin fails to process,
    /// [`HostError::AudioThread`].
    pub fn render(&mut self, render: &Render) -> Result<Rendered, HostError> {
        self.render_watched(render, &mut |_| ())
    }

    /// Like [`render`](Self::render), and calls `watch` on the main thread about 50 times a second
    /// meanwhile.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_watched(
        &mut self,
        render: &Render,
        watch: &mut dyn FnMut(&mut Self),
    ) -> Result<Rendered, HostError> {
        self.command(Command::Render(render.clone()), watch)
    }

    fn command(
        &mut self,
        command: Command,
        watch: &mut dyn FnMut(&mut Self),
    ) -> Result<Rendered, HostError> {
        let audio = self.audio.as_ref().ok_or(HostError::Inactive)?;
        audio
            .commands
            .send(command)
            .map_err(|_| HostError::AudioThread)?;
        loop {
            self.serve_requests();
            let audio = self.audio.as_ref().ok_or(HostError::Inactive)?;
            match audio.replies.recv_timeout(MAIN_THREAD_PERIOD) {
                Ok(reply) => {
                    self.serve_requests();
                    return reply;
                }
                Err(RecvTimeoutError::Timeout) => watch(self),
                Err(RecvTimeoutError::Disconnected) => return Err(HostError::AudioThread),
            }
        }
    }

    /// Calls the plugin back on the main thread if it asked for that.
    pub fn serve_requests(&mut self) {
        let requested = self.instance.access_shared_handler(|shared| {
            shared.callback_requested.swap(false, Ordering::AcqRel)
        });
        if requested {
            self.instance.call_on_main_thread_callback();
        }
    }
}

impl crate::Host for ClapPlugin {
    fn move_to(&self, name: &str, normalized: f64) -> Result<EventKind, HostError> {
        let Parameter { id, min, max, .. } = *self.parameter(name)?;
        let value = min + normalized * (max - min);
        Ok(EventKind::Parameter { id, value })
    }

    fn play(&mut self, render: &Render) -> Result<Rendered, HostError> {
        self.render(render)
    }

    fn restart(&mut self) -> Result<(), HostError> {
        self.reset()
    }
}

impl Drop for ClapPlugin {
    fn drop(&mut self) {
        // A dead audio thread has nothing left to deactivate with; the instance is leaked then, as
        // clack documents.
        let _ = self.deactivate();
    }
}

fn clap_id(id: u32) -> Result<ClapId, HostError> {
    ClapId::from_raw(id).ok_or_else(|| HostError::Missing(format!("parameter {id}")))
}

enum Command {
    Reset,
    Render(Render),
}

/// The thread that owns the audio processor of an active plugin.
struct AudioThread {
    commands: mpsc::Sender<Command>,
    replies: mpsc::Receiver<Result<Rendered, HostError>>,
    thread: JoinHandle<StoppedPluginAudioProcessor<Host>>,
}

impl AudioThread {
    fn start(processor: StoppedPluginAudioProcessor<Host>, mut processing: Processing) -> Self {
        let (commands, received) = mpsc::channel();
        let (reply, replies) = mpsc::channel();
        let thread = thread::spawn(move || {
            IS_AUDIO_THREAD.set(true);
            let mut processor = PluginAudioProcessor::from(processor);
            for command in received {
                let result = match command {
                    Command::Reset => {
                        processor.reset();
                        processing.steady_frame = 0;
                        Ok(Rendered::default())
                    }
                    Command::Render(render) => processor
                        .ensure_processing_started()
                        .map_err(refused("start processing"))
                        .and_then(|processor| processing.render(processor, &render)),
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

    fn stop(self) -> Result<StoppedPluginAudioProcessor<Host>, HostError> {
        drop(self.commands);
        self.thread.join().map_err(|_| HostError::AudioThread)
    }
}

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

struct BlockBuffers {
    inputs: PortBuffers,
    outputs: PortBuffers,
}

/// What the audio thread keeps between renders.
struct Processing {
    buffers: BlockBuffers,
    steady_frame: u64,
    sample_rate: f64,
}

impl Processing {
    fn block_size(&self) -> usize {
        let outputs = &self.buffers.outputs.samples;
        outputs.iter().flatten().map(Vec::len).next().unwrap_or(0)
    }

    fn render(
        &mut self,
        processor: &mut StartedPluginAudioProcessor<Host>,
        render: &Render,
    ) -> Result<Rendered, HostError> {
        let width = self.buffers.outputs.samples.first().map_or(0, Vec::len);
        let block_size = self.block_size();
        if block_size == 0 {
            return Err(HostError::Missing("output channel".into()));
        }
        let mut rendered = Rendered {
            channels: vec![Vec::with_capacity(render.frames); width],
            ..Rendered::default()
        };
        let events = render.sorted_events();
        let mut events = events.iter().peekable();
        let mut event_buffer = EventBuffer::new();
        let mut song = render.song.clone();
        let began = Instant::now();
        for (start, frames) in render.block_ranges(block_size) {
            let position = |song: &Option<(Song, i64)>, frame: usize| {
                let song = song.as_ref();
                song.map(|(song, first)| song.position(first + frame as i64))
            };
            let transport = position(&song, start).map(|position| transport(0, &position));
            event_buffer.clear();
            while let Some(event) = events.next_if(|event| event.frame < start + frames) {
                if let (EventKind::Locate { frame }, Some((_, first))) = (event.kind, &mut song) {
                    *first = frame - event.frame as i64;
                }
                push(
                    &mut event_buffer,
                    event,
                    start,
                    position(&song, event.frame),
                )?;
            }
            let mut produced = EventBuffer::new();
            let time = self.process(
                processor,
                render,
                (start, frames),
                transport.as_ref(),
                &event_buffer,
                &mut produced,
            )?;
            rendered.block_times.push(time);
            rendered.ended_notes.extend(ended_notes(&produced, start));
            for (channel, block) in rendered
                .channels
                .iter_mut()
                .zip(&self.buffers.outputs.samples[0])
            {
                channel.extend_from_slice(&block[..frames]);
            }
            if render.paced {
                crate::wait_for_frame(began, start + frames, self.sample_rate);
            }
        }
        Ok(rendered)
    }

    /// Processes one block; the time the plugin took for it.
    fn process(
        &mut self,
        processor: &mut StartedPluginAudioProcessor<Host>,
        render: &Render,
        (start, frames): (usize, usize),
        transport: Option<&TransportEvent>,
        events: &EventBuffer,
        produced: &mut EventBuffer,
    ) -> Result<Duration, HostError> {
        let BlockBuffers { inputs, outputs } = &mut self.buffers;
        for (port, channels) in inputs.samples.iter_mut().enumerate() {
            for (channel, block) in channels.iter_mut().enumerate() {
                render.fill_input(port, channel, start, &mut block[..frames]);
            }
        }
        // What a plugin fails to write must not pass for sound: NaN shows in every measure.
        for block in outputs.samples.iter_mut().flatten() {
            block.fill(f32::NAN);
        }
        let audio_inputs = inputs
            .ports
            .with_input_buffers(inputs.samples.iter_mut().map(|channels| {
                AudioPortBuffer {
                    latency: 0,
                    channels: AudioPortBufferType::f32_input_only(
                        channels
                            .iter_mut()
                            .map(|block| InputChannel::variable(&mut block[..frames])),
                    ),
                }
            }));
        let mut audio_outputs = outputs
            .ports
            .with_output_buffers(outputs.samples.iter_mut().map(|channels| AudioPortBuffer {
                latency: 0,
                channels: AudioPortBufferType::f32_output_only(
                    channels.iter_mut().map(|block| &mut block[..frames]),
                ),
            }));
        let began = Instant::now();
        processor
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
        Ok(began.elapsed())
    }
}

/// Adds `event` to the events of the block that starts at the frame `start`. `position` is where the
/// song is from the event on.
fn push(
    buffer: &mut EventBuffer,
    event: &Event,
    start: usize,
    position: Option<SongPosition>,
) -> Result<(), HostError> {
    let time = u32::try_from(event.frame - start).map_err(refused("take an event"))?;
    match event.kind {
        EventKind::Parameter { id, value } => {
            buffer.push(&ParamValueEvent::new(
                time,
                clap_id(id)?,
                Pckn::match_all(),
                value,
            ));
        }
        EventKind::Modulation {
            id,
            note_id,
            amount,
        } => {
            let pckn = Pckn::from_raw(-1, -1, -1, note_id);
            buffer.push(&ParamModEvent::new(time, clap_id(id)?, pckn, amount));
        }
        EventKind::NoteOn { note, velocity } => {
            buffer.push(&NoteOnEvent::new(time, pckn(note), f64::from(velocity)));
        }
        EventKind::NoteOff { note } => {
            buffer.push(&NoteOffEvent::new(time, pckn(note), 0.0));
        }
        EventKind::Expression {
            note,
            expression,
            value,
        } => {
            let expression = match expression {
                Expression::Volume => NoteExpressionType::Volume,
                Expression::Pan => NoteExpressionType::Pan,
                Expression::Tuning => NoteExpressionType::Tuning,
                Expression::Brightness => NoteExpressionType::Brightness,
            };
            buffer.push(&NoteExpressionEvent::new(
                time,
                pckn(note),
                expression,
                value,
            ));
        }
        EventKind::PitchBend { channel, position } => {
            let [low, high] = [position & 0x7f, position >> 7 & 0x7f].map(|bits| bits as u8);
            let message = [PITCH_BEND | channel & 0x0f, low, high];
            buffer.push(&MidiEvent::new(time, 0, message));
        }
        EventKind::Locate { .. } => {
            let position = position.ok_or_else(|| HostError::Missing("song".into()))?;
            buffer.push(&transport(time, &position));
        }
    }
    Ok(())
}

/// CLAP's address of a note.
fn pckn(note: Note) -> Pckn {
    let id = note.id.and_then(|id| u32::try_from(id).ok());
    Pckn::new(
        0_u16,
        u16::from(note.channel),
        u16::from(note.key),
        id.map_or(Match::All, Match::Specific),
    )
}

/// The notes that the plugin says have ended in the block that starts at the frame `start`.
fn ended_notes(produced: &EventBuffer, start: usize) -> impl Iterator<Item = (usize, Note)> {
    produced.iter().filter_map(move |event| {
        let Some(CoreEventSpace::NoteEnd(end)) = event.as_core_event() else {
            return None;
        };
        let specific = |part: Match<u16>| part.into_specific().and_then(|n| u8::try_from(n).ok());
        let note = Note {
            id: end
                .note_id()
                .into_specific()
                .and_then(|id| i32::try_from(id).ok()),
            channel: specific(end.channel())?,
            key: specific(end.key())?,
        };
        Some((start + event.header().time() as usize, note))
    })
}

/// The song's position as CLAP tells it, `time` frames into a block.
fn transport(time: u32, position: &SongPosition) -> TransportEvent {
    let no_beats = BeatTime::from_int(0);
    let no_seconds = SecondsTime::from_int(0);
    TransportEvent {
        header: EventHeader::new_core(time, EventFlags::empty()),
        flags: TransportFlags::HAS_TEMPO
            | TransportFlags::HAS_BEATS_TIMELINE
            | TransportFlags::HAS_SECONDS_TIMELINE
            | TransportFlags::HAS_TIME_SIGNATURE
            | TransportFlags::IS_PLAYING,
        song_pos_beats: BeatTime::from_float(position.beats),
        song_pos_seconds: SecondsTime::from_float(position.seconds),
        tempo: position.tempo,
        tempo_inc: 0.0,
        loop_start_beats: no_beats,
        loop_end_beats: no_beats,
        loop_start_seconds: no_seconds,
        loop_end_seconds: no_seconds,
        bar_start: BeatTime::from_float(position.bar_start),
        bar_number: position.bar_number,
        time_signature_numerator: BEATS_PER_BAR,
        time_signature_denominator: 4,
    }
}
