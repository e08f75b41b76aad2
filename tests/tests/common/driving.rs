//! How the tests of the CLAP drive it.

use weft_hosts::Render;
use weft_hosts::clap::{ClapPlugin, RenderMode};

/// Sample rate of the tests that need no other, in Hz.
pub const SAMPLE_RATE: u32 = 48_000;
/// Frames of a block in the tests that need no other.
pub const BLOCK_SIZE: usize = 512;
/// The fewest steps that the parameter allows: these tests ask whether it plays, not how well.
pub const FIT_STEPS: &str = "100";

/// Makes the plugin process in `mode`, whatever it did before.
pub fn activate(plugin: &mut ClapPlugin, mode: RenderMode, sample_rate: u32, block_size: usize) {
    plugin.deactivate().unwrap();
    plugin.set_render_mode(mode).unwrap();
    plugin.activate(f64::from(sample_rate), block_size).unwrap();
}

/// Sets parameters by automation, in a block of their own.
pub fn set(plugin: &mut ClapPlugin, values: &[(&str, &str)]) {
    let mut render = Render::silent(BLOCK_SIZE);
    for (name, text) in values {
        render = render.at(0, plugin.automation(name, text).unwrap());
    }
    plugin.render(&render).unwrap();
}

/// Captures `channels`, all of them, from an input port; what was heard meanwhile. In a bounce, their fit
/// is done after that.
pub fn capture(
    plugin: &mut ClapPlugin,
    port: usize,
    channels: &[Vec<f32>],
    sample_rate: u32,
) -> Vec<Vec<f32>> {
    let frames = channels[0].len();
    let length = (frames as f64 / f64::from(sample_rate)).to_string();
    set(plugin, &[("Capture", "Off"), ("Capture Length", &length)]);
    let render = Render::silent(frames + BLOCK_SIZE)
        .feed(port, channels)
        .at(0, plugin.automation("Capture", "On").unwrap())
        .at(frames, plugin.automation("Capture", "Off").unwrap());
    let heard = plugin.render(&render).unwrap().channels;
    plugin
        .render(&Render::silent(frames_of_a_fit(sample_rate)))
        .unwrap();
    heard
}

/// Frames of a song in which a bounce comes to the end of a fit of [`FIT_STEPS`].
fn frames_of_a_fit(sample_rate: u32) -> usize {
    sample_rate as usize * 6 / 10
}

/// `frames` frames from the stream's start with *Hold* on.
pub fn bounce(plugin: &mut ClapPlugin, frames: usize) -> Vec<Vec<f32>> {
    plugin.reset().unwrap();
    let render = Render::silent(frames).at(0, plugin.automation("Hold", "On").unwrap());
    plugin.render(&render).unwrap().channels
}
