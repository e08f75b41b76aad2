//! One sound's content in another's style; on demand with the energy envelopes of Verma & Smith, "Neural style
//! transfer for audio spectograms" (2018).

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use candle_core::{Device, Tensor};
use weft_core::clip::Clip;

use super::objective::{Loss, on_scale};
use super::texture::{Job, padded_image};
use super::{Huzaifah, ITERATIONS};
use crate::axes::Axis;
use crate::envelopes::{EnvelopeLoss, energy_envelopes};
use crate::error::LabError;
use crate::methods::method::{Synthesis, SynthesisSettings, scaled, usable_mono};
use crate::optimize::Progress;
use crate::spectrogram::{Image, SpectrogramFormat};

/// The second program's weights; its style's for a transfer is another one than for a texture.
const CONTENT_WEIGHT: f64 = 1.0;
const STYLE_WEIGHT: f64 = 1e7;
/// The layer whose activations are the content.
const CONTENT_LAYER: usize = 3;
/// Filters of a layer if none are asked for. The program has 4096: three layers of them take 3 GB of memory and, for
/// 8 s of sound, four hundred thousand million operations an iteration.
const FILTERS: usize = 512;

/// A transfer of style with all that can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Transfer {
    /// The network, its axis and scale, and the layers of the style.
    pub method: Huzaifah,
    /// The layer of the content, from 1; none is the deepest.
    pub content_layer: Option<usize>,
    /// Weight of the mean squared difference of the activations.
    pub content_weight: f64,
    /// Weight of the Gram matrices' mean squared difference.
    pub style_weight: f64,
    /// Weights of the energy envelopes over frequency (γ) and over time (δ), if they count. The paper's are [?].
    pub envelopes: Option<(f64, f64)>,
    /// Whether to start from noise; else from the content.
    pub from_noise: bool,
}

impl Default for Transfer {
    fn default() -> Self {
        Self {
            method: Huzaifah {
                filters: Some(FILTERS),
                ..Huzaifah::default()
            },
            content_layer: None,
            content_weight: CONTENT_WEIGHT,
            style_weight: STYLE_WEIGHT,
            envelopes: None,
            from_noise: false,
        }
    }
}

/// A sound with one's content in the other's style.
#[derive(Clone, Debug)]
pub struct Transferred {
    /// The sound, as long as the content, and how it was made.
    pub synthesis: Synthesis,
    /// Correlation of the energy envelope over time with the content's.
    pub over_time: f64,
    /// Correlation of the energy envelope over frequency with the content's.
    pub over_frequency: f64,
}

impl Transfer {
    /// Weights of the energy envelopes that go with the default ones of style and content.
    pub const ENVELOPE_WEIGHTS: (f64, f64) = (10.0, 10.0);

    /// Iterations of L-BFGS if none are asked for.
    pub fn iterations(&self) -> u32 {
        ITERATIONS
    }

    /// Fails for what can't be set.
    ///
    /// # Errors
    /// Names the setting, its value and what is allowed.
    pub fn check(&self) -> Result<(), LabError> {
        self.method.check()?;
        let layers = self.method.generation.layers();
        if let Some(layer) = self.content_layer
            && !(1..=layers).contains(&layer)
        {
            return Err(LabError::Setting {
                name: "the content's layer",
                value: layer.to_string(),
                allowed: "give 1, 2 or 3; the first program's network has two",
            });
        }
        let (frequency, time) = self.envelopes.unwrap_or_default();
        for (name, weight) in [
            ("the content's weight", self.content_weight),
            ("the style's weight", self.style_weight),
            ("the weight of an envelope", frequency),
            ("the weight of an envelope", time),
        ] {
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(LabError::Setting {
                    name,
                    value: weight.to_string(),
                    allowed: "give 0 or more",
                });
            }
        }
        Ok(())
    }

    /// Makes a sound as long as `content`, with its content in the style of `style`. What `cancel` breaks off ends
    /// with the best so far. Of the settings, the seconds don't count.
    ///
    /// # Errors
    /// If nothing can be learned from a clip ([`Clip::check_texture`]), a setting is out of range, a clip is too short
    /// for the filters of all layers, or a tensor can't be made on the device.
    pub fn synthesize(
        &self,
        content: &Clip,
        style: &Clip,
        settings: &SynthesisSettings,
        device: &Device,
        cancel: &AtomicBool,
        on_progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<Transferred, LabError> {
        self.check()?;
        let method = &self.method;
        let constants = method.generation.constants();
        let scale = method.frequency_scale()?;
        let (format, seconds) = (constants.format, content.duration_s());
        let (content, style) = (usable_mono(content)?, usable_mono(style)?);
        // Both fill the scale, whatever their levels; the result has the content's.
        let level = content.peak();
        let content = padded_image(&format, &scaled(content, 1.0 / level)?, seconds)?;
        let style_level = style.peak();
        let style = scaled(style, 1.0 / style_level)?;
        let style = match method.axis {
            // Frames that are channels are as many; where the style ends, it is silent.
            Axis::Time => padded_image(&format, &style, seconds)?,
            Axis::Frequency | Axis::Plane => format.image(&style)?,
        };
        let began = Instant::now();
        let seen = on_scale(&content, &scale, constants.range, device)?;
        let styles = [(on_scale(&style, &scale, constants.range, device)?, 1.0)];
        let layer = self
            .content_layer
            .unwrap_or(CONTENT_LAYER.min(method.generation.layers()));
        let depth = method.layers.iter().copied().fold(layer, usize::max);
        method.check_places(&constants, depth, content.rows(), &styles)?;
        let weight = self.style_weight;
        let mut loss = Loss::new(method, &constants, depth, &styles, weight, settings.seed)?
            .with_content(&seen, layer, self.content_weight)?;
        if let Some((frequency, time)) = self.envelopes {
            let bins = tensor(&content, device)?;
            let envelopes = EnvelopeLoss::new(&bins, frequency, time)?;
            loss = loss.with_envelopes(envelopes, scale.clone(), constants.range);
        }
        let start = match self.from_noise {
            true => method.noise(content.rows(), scale.rows(), settings.seed),
            false => Image {
                values: seen.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?,
                columns: scale.rows(),
            },
        };
        let job = Job {
            settings,
            iterations: self.iterations(),
            device,
            cancel,
        };
        let optimized = job.optimize(&mut loss, start, on_progress)?;
        let synthesis = job.inverted(optimized, &constants, &scale, (seconds, level), began)?;
        let made = padded_image(
            &format,
            &scaled(synthesis.clip.clone(), 1.0 / level)?,
            seconds,
        )?;
        let [made, wanted] =
            [&made, &content].map(|image| energy_envelopes(&tensor(image, &Device::Cpu)?));
        let ((made_time, made_frequency), (wanted_time, wanted_frequency)) = (made?, wanted?);
        Ok(Transferred {
            synthesis,
            over_time: correlation(&made_time, &wanted_time)?,
            over_frequency: correlation(&made_frequency, &wanted_frequency)?,
        })
    }

    /// What it sees of a sound.
    pub fn format(&self) -> SpectrogramFormat {
        self.method.format()
    }
}

fn tensor(image: &Image, device: &Device) -> Result<Tensor, candle_core::Error> {
    Tensor::from_slice(&image.values, (image.rows(), image.columns), device)
}

/// The correlation of two envelopes; 0 where one does not change.
fn correlation(a: &Tensor, b: &Tensor) -> Result<f64, LabError> {
    let centred = |x: &Tensor| x.broadcast_sub(&x.mean(0)?);
    let (a, b) = (centred(a)?, centred(b)?);
    let product = |x: &Tensor, y: &Tensor| (x * y)?.sum_all()?.to_scalar::<f64>();
    let powers = product(&a, &a)? * product(&b, &b)?;
    if powers > 0.0 {
        Ok(product(&a, &b)? / powers.sqrt())
    } else {
        Ok(0.0)
    }
}
