//! Textures that tests play, each fitted once in a process, and their renders.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use weft_core::clip::Clip;
use weft_core::fit::{FitSettings, fit};
use weft_core::network::Model;
use weft_core::procedural::Texture;
use weft_core::render::Renderer;

use super::clips::{self, RATE, texture};

/// Frequency of [`tone`] in Hz.
pub const TONE_HZ: f64 = 500.0;
/// Steps of the textures that are here: enough for the level and a tone's pitch.
const STEPS: u32 = 150;

/// `clip` fitted in `steps` steps.
pub fn fitted(clip: &Clip, steps: u32) -> Model {
    let settings = FitSettings {
        steps,
        ..FitSettings::default()
    };
    fitted_with(clip, &settings)
}

/// `clip` fitted with `settings`.
pub fn fitted_with(clip: &Clip, settings: &FitSettings) -> Model {
    fit(clip, settings, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// Rain in stereo.
pub fn rain() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| fitted(&clips::rain(3.0), STEPS))
}

/// A tone over a little noise, in mono.
pub fn tone() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        let noise = texture(Texture::Rain, 2, 3.0);
        let turn = std::f32::consts::TAU * TONE_HZ as f32 / RATE as f32;
        let tone = |(i, x): (usize, &f32)| 0.3 * (turn * i as f32).sin() + 0.01 * x;
        let channel = noise.channels()[0].iter().enumerate().map(tone).collect();
        fitted(&Clip::new(RATE, vec![channel]).unwrap(), STEPS)
    })
}

/// The next `samples` samples of a render, by channel.
pub fn rendered(renderer: &mut Renderer, samples: usize) -> Vec<Vec<f32>> {
    let mut out = vec![vec![0.0; samples]; renderer.channels()];
    renderer.render_into(&mut out.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>());
    out
}
