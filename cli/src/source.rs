//! What a texture's sound comes from.

use weft_core::instrument::{Controls, Instrument, Player, Quality, Slot};
use weft_core::network::Model;
use weft_core::render::Renderer;

use crate::error::CliError;

/// A texture that plays, in a file's quality.
pub enum Source {
    /// As it was captured.
    Rendered(Box<Renderer>),
    /// With controls, by an instrument that bounces.
    Played(Box<Played>),
}

/// An instrument that plays one texture, and never in real time.
pub struct Played {
    player: Player,
    /// Owns the worker that feeds the player.
    _instrument: Instrument,
    controls: Controls,
    sample_rate: u32,
    channels: usize,
    /// What is heard at the input.
    silence: Vec<f32>,
    /// What a mono texture plays on the right: the same as on the left.
    right: Vec<f32>,
}

impl Source {
    /// A source of the texture of `seed`, from its beginning; with `controls` if something is to be done to it.
    pub fn new(model: &Model, seed: u32, controls: Option<Controls>) -> Result<Self, CliError> {
        let Some(controls) = controls else {
            return Ok(Self::Rendered(Box::new(Renderer::new(model, seed)?)));
        };
        let (instrument, mut player) = Instrument::new().map_err(CliError::Play)?;
        player.prepare(model.sample_rate().into());
        // What is not there yet is waited for.
        player.set_offline(true);
        instrument.play(Slot::A, model.clone());
        let controls = Controls {
            hold: true,
            seed,
            // What the texture is, from the first sample to the last.
            attack_s: 0.0,
            limiter: false,
            quality: Quality::High,
            ..controls
        };
        Ok(Self::Played(Box::new(Played {
            player,
            _instrument: instrument,
            controls,
            sample_rate: model.sample_rate(),
            channels: model.output_channels(),
            silence: Vec::new(),
            right: Vec::new(),
        })))
    }

    /// Samples per second, in Hz.
    pub fn sample_rate(&self) -> u32 {
        match self {
            Self::Rendered(renderer) => renderer.sample_rate(),
            Self::Played(played) => played.sample_rate,
        }
    }

    /// Channels, 1 or 2.
    pub fn channels(&self) -> usize {
        match self {
            Self::Rendered(renderer) => renderer.channels(),
            Self::Played(played) => played.channels,
        }
    }

    /// Fills the next samples, one slice for each channel.
    pub fn fill(&mut self, out: &mut [&mut [f32]]) {
        match self {
            Self::Rendered(renderer) => renderer.render_into(out),
            Self::Played(played) => played.fill(out),
        }
    }
}

impl Played {
    fn fill(&mut self, out: &mut [&mut [f32]]) {
        let length = out.first().map_or(0, |channel| channel.len());
        self.silence.resize(length, 0.0);
        self.right.resize(length, 0.0);
        let input = [&self.silence[..]; 2];
        let output = match out {
            [left, right] => [&mut **left, &mut **right],
            [left] => [&mut **left, &mut self.right[..]],
            _ => return,
        };
        self.player.process(input, output, &self.controls);
    }
}
