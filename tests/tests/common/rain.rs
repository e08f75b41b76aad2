//! The CLAP with rain in its first slot.

use std::sync::OnceLock;

use weft_core::procedural::{Texture, synthesize};
use weft_hosts::clap::{ClapPlugin, RenderMode};
use weft_hosts::{CLAP_BUNDLE, Render, bundle};

use super::driving::{self, BLOCK_SIZE, FIT_STEPS, SAMPLE_RATE, set};
use super::scenes::{self, LONGEST_BLOCK};

pub const CAPTURE_S: usize = 2;

pub const CAPTURE_FRAMES: usize = CAPTURE_S * SAMPLE_RATE as usize;

/// The longest attack and release used here, in frames.
pub const ENVELOPE_FRAMES: usize = SAMPLE_RATE as usize / 10;

pub fn recording() -> Vec<Vec<f32>> {
    synthesize(Texture::Rain, 7, SAMPLE_RATE, CAPTURE_S as f64).into_channels()
}

pub fn load() -> ClapPlugin {
    ClapPlugin::load(&bundle(CLAP_BUNDLE).unwrap()).unwrap()
}

/// A plugin that processes in `mode`, with short envelopes.
pub fn active(mode: RenderMode) -> ClapPlugin {
    let mut plugin = load();
    activate(&mut plugin, mode, BLOCK_SIZE);
    set(
        &mut plugin,
        &[
            ("Attack", "10 ms"),
            ("Release", "50 ms"),
            ("Fit Steps A", FIT_STEPS),
        ],
    );
    plugin
}

pub fn activate(plugin: &mut ClapPlugin, mode: RenderMode, block_size: usize) {
    driving::activate(plugin, mode, SAMPLE_RATE, block_size);
}

/// Captures `channels` by automation; what was heard meanwhile.
pub fn capture(plugin: &mut ClapPlugin, channels: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let port = plugin.capture_port().unwrap();
    driving::capture(plugin, port, channels, SAMPLE_RATE)
}

pub fn play(plugin: &mut ClapPlugin, frames: usize) -> Vec<Vec<f32>> {
    plugin.render(&Render::silent(frames)).unwrap().channels
}

/// Captures in real time and waits for the fit as a bounce does.
pub fn capture_and_fit(plugin: &mut ClapPlugin, channels: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let heard = capture(plugin, channels);
    activate(plugin, RenderMode::Offline, BLOCK_SIZE);
    play(plugin, BLOCK_SIZE);
    heard
}

/// State of a plugin that has fitted the recording, with *Hold* off. Fitted once for all tests.
pub fn fitted_state() -> &'static [u8] {
    static STATE: OnceLock<Vec<u8>> = OnceLock::new();
    STATE.get_or_init(|| {
        let mut plugin = active(RenderMode::Realtime);
        capture_and_fit(&mut plugin, &recording());
        plugin.save_state().unwrap()
    })
}

/// A plugin with the fitted texture, in an offline render.
pub fn fitted() -> ClapPlugin {
    let mut plugin = active(RenderMode::Offline);
    plugin.load_state(fitted_state()).unwrap();
    plugin
}

/// A plugin in an offline render that has fitted the tone, whose pitch can be measured. Fitted once
/// for all tests.
pub fn tonal() -> ClapPlugin {
    static STATE: OnceLock<Vec<u8>> = OnceLock::new();
    let state = STATE.get_or_init(|| {
        let mut plugin = load();
        activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
        let port = plugin.capture_port().unwrap();
        scenes::capture(&mut plugin, port, &scenes::tone(CAPTURE_FRAMES));
        plugin.save_state().unwrap()
    });
    let mut plugin = load();
    activate(&mut plugin, RenderMode::Offline, LONGEST_BLOCK);
    plugin.load_state(state).unwrap();
    plugin
}
