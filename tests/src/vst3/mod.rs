//! A VST3 host: loads a `.vst3` in this process and drives its plugin.

mod processing;

use std::path::Path;
use std::thread;

use vst3_host::Vst3Host;
use vst3_host::audio::{BusDirection, MediaType};
pub use vst3_host::plugin::ProcessMode;

use crate::{Buses, EventKind, HostError, Interruption, Render, Rendered, refused};
use processing::process;

/// Class of the effect in the bundle, as hosts write it in projects.
pub const EFFECT_CLASS: &str = "57656674456E646C6573735465784678";

/// A loaded plugin instance at a fixed sample rate and block size.
pub struct Vst3Plugin {
    plugin: vst3_host::Plugin,
    sample_rate: f64,
    block_size: usize,
    /// Which buses are active.
    buses: Buses,
}

impl Vst3Plugin {
    /// Loads the bundle at `path` and makes an instance of the instrument with every audio input active, which
    /// processes blocks of `block_size` frames at `sample_rate` Hz.
    ///
    /// # Errors
    /// [`HostError::Load`] if that fails.
    pub fn load(path: &Path, sample_rate: f64, block_size: usize) -> Result<Self, HostError> {
        Self::load_class(path, None, sample_rate, block_size)
    }

    /// As [`load`](Self::load), an instance of the effect.
    ///
    /// # Errors
    /// [`HostError::Load`] if that fails.
    pub fn load_effect(
        path: &Path,
        sample_rate: f64,
        block_size: usize,
    ) -> Result<Self, HostError> {
        Self::load_class(path, Some(EFFECT_CLASS), sample_rate, block_size)
    }

    /// Makes an instance of a class, or else of the first one.
    fn load_class(
        path: &Path,
        class: Option<&str>,
        sample_rate: f64,
        block_size: usize,
    ) -> Result<Self, HostError> {
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
        let mut plugin = match class {
            Some(class) => host.load_plugin_class(path, class),
            None => host.load_plugin(path),
        }
        .map_err(failed)?;
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
            buses: Buses::All,
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

    /// Activates buses or takes them away, which stops processing.
    fn set_buses(&mut self, buses: Buses) -> Result<(), HostError> {
        if buses == self.buses {
            return Ok(());
        }
        self.stop()?;
        let (inputs, outputs) = self.bus_widths()?;
        let directions = [
            (BusDirection::Input, inputs.len(), buses != Buses::NoInput),
            (BusDirection::Output, outputs.len(), buses.has_sound()),
        ];
        for (direction, count, is_active) in directions {
            for bus in (0..).take(count) {
                self.plugin
                    .set_bus_active(MediaType::Audio, direction, bus, is_active)
                    .map_err(refused("change its buses"))?;
            }
        }
        self.buses = buses;
        Ok(())
    }

    /// Processes `render` block by block on a thread of its own.
    ///
    /// # Errors
    /// [`HostError::Refused`] if the plugin fails to process, [`HostError::AudioThread`].
    pub fn render(&mut self, render: &Render) -> Result<Rendered, HostError> {
        self.set_buses(render.buses)?;
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

    fn interrupt(&mut self, how: Interruption) -> Result<(), HostError> {
        self.stop()?;
        match how {
            Interruption::Stop | Interruption::Reset => Ok(()),
            Interruption::Reactivate => self
                .plugin
                .reconfigure(self.sample_rate, self.block_size)
                .map_err(refused("set up processing")),
        }
    }

    fn is_endless(&mut self) -> Result<Option<bool>, HostError> {
        Ok(None)
    }

    fn goes_on_with_other_buses(&self) -> bool {
        false
    }
}
