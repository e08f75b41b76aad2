//! A plugin instance, as the host's main thread sees it.

use std::ffi::CString;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use clack_extensions::latency::PluginLatency;
use clack_extensions::params::PluginParams;
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::state::PluginState;
use clack_extensions::tail::PluginTail;
use clack_host::extensions::{Extension, PluginExtensionSide};
use clack_host::prelude::*;

use super::audio_thread::{AudioThread, Command};
use super::events::clap_id;
use super::handlers::{Host, MainThread, Shared};
use super::ports::{Parameter, Port};
use super::processing::Processing;
use crate::{Event, EventKind, HostError, Interruption, Render, Rendered, refused};

/// How often the main thread looks after the plugin's requests during a render.
const MAIN_THREAD_PERIOD: Duration = Duration::from_millis(20);

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
    tail: Option<PluginTail>,
    audio: Option<AudioThread>,
    /// Sample rate in Hz and longest block in frames of the last activation.
    activation: Option<(f64, usize)>,
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
        let (mut instance, id) = instantiate(path, index)?;
        let handle = instance.plugin_handle();
        let params = extension(&handle, "parameters")?;
        let ports = extension(&handle, "audio ports")?;
        Ok(Self {
            id,
            inputs: Port::list(&ports, &handle, true),
            outputs: Port::list(&ports, &handle, false),
            parameters: Parameter::list(&params, &handle),
            params,
            state: extension(&handle, "state")?,
            render_mode: extension(&handle, "render mode")?,
            latency: handle.get_extension(),
            tail: handle.get_extension(),
            audio: None,
            activation: None,
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
        self.instance.access_handler(MainThread::dirty_marks)
    }

    /// How often the plugin has asked to be processed.
    pub fn process_requests(&self) -> u32 {
        self.instance
            .access_shared_handler(Shared::process_requests)
    }

    /// How many samples the active plugin says that it sounds after the last note and input; `None`: without an
    /// end.
    ///
    /// # Errors
    /// [`HostError::Missing`] if it says nothing of the kind; else as [`reset`](Self::reset).
    pub fn tail_samples(&mut self) -> Result<Option<u32>, HostError> {
        let tail = self.tail.ok_or(HostError::Missing("tail".into()))?;
        let (sender, answer) = std::sync::mpsc::channel();
        self.command(Command::AskTail(tail, sender), &mut |_| ())?;
        answer.recv().map_err(|_| HostError::AudioThread)
    }

    /// Gives the active plugin `events` between blocks.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub fn flush(&mut self, events: &[EventKind]) -> Result<(), HostError> {
        let events = (events.iter())
            .map(|kind| Event {
                frame: 0,
                kind: *kind,
            })
            .collect();
        self.command(Command::Flush(self.params, events), &mut |_| ())
            .map(drop)
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
        let (inputs, outputs) = (widths(&self.inputs), widths(&self.outputs));
        let processing = Processing::new(inputs, outputs, block_size, sample_rate);
        self.audio = Some(AudioThread::start(processor, processing));
        self.activation = Some((sample_rate, block_size));
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

    /// Stops processing; the next render starts it again.
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub fn stop(&mut self) -> Result<(), HostError> {
        self.command(Command::Stop, &mut |_| ()).map(drop)
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
        audio.send(command)?;
        loop {
            self.serve_requests();
            let audio = self.audio.as_ref().ok_or(HostError::Inactive)?;
            match audio.reply_within(MAIN_THREAD_PERIOD) {
                Some(reply) => {
                    self.serve_requests();
                    return reply;
                }
                None => watch(self),
            }
        }
    }

    /// Calls the plugin back on the main thread if it asked for that.
    pub fn serve_requests(&mut self) {
        if self
            .instance
            .access_shared_handler(Shared::take_callback_request)
        {
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

    fn interrupt(&mut self, how: Interruption) -> Result<(), HostError> {
        match how {
            Interruption::Stop => self.stop(),
            Interruption::Reset => self.reset(),
            Interruption::Reactivate => {
                let (sample_rate, block_size) = self.activation.ok_or(HostError::Inactive)?;
                self.activate(sample_rate, block_size)
            }
        }
    }

    fn is_endless(&mut self) -> Result<Option<bool>, HostError> {
        Ok(Some(self.tail_samples()?.is_none()))
    }

    fn goes_on_with_other_buses(&self) -> bool {
        true
    }
}

impl Drop for ClapPlugin {
    fn drop(&mut self) {
        // A dead audio thread has nothing left to deactivate with; the instance is leaked then, as
        // clack documents.
        let _ = self.deactivate();
    }
}

/// Loads the bundle at `path` and makes an instance of its plugin with this index; its identifier too.
fn instantiate(path: &Path, index: usize) -> Result<(PluginInstance<Host>, String), HostError> {
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
    let shared = Shared::of_this_thread();
    let instance =
        PluginInstance::<Host>::new(|_| shared, |_| MainThread::default(), &entry, &id, &info)
            .map_err(|error| failed(error.to_string()))?;
    Ok((instance, id.to_string_lossy().into_owned()))
}

/// An extension that every Weft bundle has; `what` names it.
fn extension<E: Extension<ExtensionSide = PluginExtensionSide>>(
    handle: &PluginMainThreadHandle<'_>,
    what: &str,
) -> Result<E, HostError> {
    handle
        .get_extension()
        .ok_or_else(|| HostError::Missing(what.to_owned()))
}
