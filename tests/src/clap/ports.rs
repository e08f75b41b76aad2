//! What a plugin says of its ports and parameters.

use clack_extensions::audio_ports::{AudioPortFlags, AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::params::{ParamInfoBuffer, PluginParams};
use clack_host::prelude::*;

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

impl Port {
    /// The input or the output ports by index.
    pub(super) fn list(
        ports: &PluginAudioPorts,
        plugin: &PluginMainThreadHandle<'_>,
        is_input: bool,
    ) -> Vec<Self> {
        let mut buffer = AudioPortInfoBuffer::new();
        let port = |index| {
            let info = ports.get(plugin, index, is_input, &mut buffer)?;
            Some(Self {
                name: String::from_utf8_lossy(info.name).into_owned(),
                channels: info.channel_count as usize,
                is_main: info.flags.contains(AudioPortFlags::IS_MAIN),
            })
        };
        (0..ports.count(plugin, is_input))
            .filter_map(port)
            .collect()
    }
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

impl Parameter {
    /// The parameters by index.
    pub(super) fn list(params: &PluginParams, plugin: &PluginMainThreadHandle<'_>) -> Vec<Self> {
        let mut buffer = ParamInfoBuffer::new();
        let parameter = |index| {
            let info = params.get_info(plugin, index, &mut buffer)?;
            Some(Self {
                id: info.id.get(),
                name: String::from_utf8_lossy(info.name).into_owned(),
                min: info.min_value,
                max: info.max_value,
                default: info.default_value,
            })
        };
        (0..params.count(plugin)).filter_map(parameter).collect()
    }
}
