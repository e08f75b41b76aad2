//! The CLAP with textures in two slots, and what its projects hold of them.

use std::sync::OnceLock;

use weft_core::procedural::{Texture, synthesize};
use weft_hosts::Render;
use weft_hosts::clap::{ClapPlugin, RenderMode};

use super::driving::{self, BLOCK_SIZE, FIT_STEPS, SAMPLE_RATE, set};
use super::rain::load;

pub fn active(mode: RenderMode) -> ClapPlugin {
    let mut plugin = load();
    activate(&mut plugin, mode, SAMPLE_RATE);
    for slot in ["A", "C"] {
        set(&mut plugin, &[(&format!("Fit Steps {slot}"), FIT_STEPS)]);
    }
    plugin
}

pub fn activate(plugin: &mut ClapPlugin, mode: RenderMode, sample_rate: u32) {
    driving::activate(plugin, mode, sample_rate, BLOCK_SIZE);
}

/// Captures `channels`, all of them, into the slot that plays.
pub fn capture(plugin: &mut ClapPlugin, channels: &[Vec<f32>], sample_rate: u32) {
    let port = plugin.capture_port().unwrap();
    driving::capture(plugin, port, channels, sample_rate);
}

pub fn recording(texture: Texture, seconds: f64) -> Vec<Vec<f32>> {
    synthesize(texture, 7, SAMPLE_RATE, seconds).into_channels()
}

/// A bounce of two slots, one after the other.
pub fn bounce_slots(plugin: &mut ClapPlugin) -> Vec<Vec<f32>> {
    plugin.reset().unwrap();
    let second = SAMPLE_RATE as usize;
    let render = Render::silent(2 * second)
        .at(0, plugin.automation("Hold", "On").unwrap())
        .at(0, plugin.automation("Slot", "A").unwrap())
        .at(second + 100, plugin.automation("Slot", "C").unwrap());
    plugin.render(&render).unwrap().channels
}

/// State of a plugin with textures in slots A and C.
pub fn fitted_state() -> &'static [u8] {
    static STATE: OnceLock<Vec<u8>> = OnceLock::new();
    STATE.get_or_init(|| {
        let mut plugin = active(RenderMode::Offline);
        capture(&mut plugin, &recording(Texture::Rain, 2.0), SAMPLE_RATE);
        set(&mut plugin, &[("Slot", "C")]);
        capture(&mut plugin, &recording(Texture::Fire, 1.5), SAMPLE_RATE);
        plugin.save_state().unwrap()
    })
}

/// What a state holds of the slots.
pub fn slots(state: &[u8]) -> String {
    // Its length comes before the JSON.
    let json = state.iter().position(|&byte| byte == b'{').unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state[json..]).unwrap();
    state["fields"]["slots"].as_str().unwrap().to_owned()
}
