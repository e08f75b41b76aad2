//! Textures of one recording or several, of any length.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use candle_core::{Device, Tensor};
use weft_core::clip::Clip;
use weft_core::numeric::random::Sequence;

use super::objective::{Loss, least_places, on_scale};
use super::{Constants, GRIFFIN_LIM_ITERATIONS, Generation, Huzaifah, ITERATIONS};
use crate::axes::{Axis, FrequencyScale};
use crate::error::LabError;
use crate::lbfgs::{Bounds, LbfgsSettings};
use crate::methods::Synthesizer;
use crate::methods::method::{START_INDEX, Synthesis, SynthesisSettings, scaled, usable_mono};
use crate::objective::Objective;
use crate::optimize::{OptimizeSettings, Optimized, Progress, optimize};
use crate::spectrogram::{GriffinLim, Image, SpectrogramFormat};

/// Deviation of the first program's start, and upper end of the second's.
const START_DEVIATION: f32 = 1e-3;
const START_RANGE: f32 = 0.1;

impl Synthesizer for Huzaifah {
    fn name(&self) -> &'static str {
        "huzaifah"
    }

    fn sample_rate(&self) -> u32 {
        self.format().sample_rate
    }

    fn iterations(&self) -> u32 {
        ITERATIONS
    }

    /// Makes a texture of one recording, or of several whose Gram matrices count with these weights, from noise. With
    /// frames as channels it is as long as the shortest of them, or shorter; else of any length. What `cancel` breaks
    /// off ends with the best so far.
    ///
    /// # Errors
    /// If nothing can be learned from a recording ([`Clip::check_texture`]), a setting or weight is out of range, a
    /// recording or the result is too short for the filters, or a tensor can't be made on the device.
    fn synthesize(
        &self,
        recordings: &[(&Clip, f64)],
        settings: &SynthesisSettings,
        device: &Device,
        cancel: &AtomicBool,
        on_progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<Synthesis, LabError> {
        self.check()?;
        let constants = self.generation.constants();
        let scale = self.frequency_scale()?;
        let seconds = self.seconds(recordings, settings)?;
        let format = constants.format;
        let rows = format.rows_for(seconds);
        let total = total_weight(recordings)?;
        let monos = recordings.iter().map(|(clip, _)| usable_mono(clip));
        let monos: Vec<Clip> = monos.collect::<Result<_, _>>()?;
        // The loudest fills the scale: `ln(1 + |X|)` hears of a quiet recording's quiet bins next to nothing.
        let level = monos.iter().map(Clip::peak).fold(0.0, f32::max);
        let mut styles = Vec::with_capacity(recordings.len());
        for (mono, (_, weight)) in monos.into_iter().zip(recordings) {
            let mono = scaled(mono, 1.0 / level)?;
            let image = match self.axis {
                Axis::Time => padded_image(&format, &mono, seconds)?,
                Axis::Frequency | Axis::Plane => format.image(&mono)?,
            };
            let image = on_scale(&image, &scale, constants.range, device)?;
            styles.push((image, weight / total));
        }
        let began = Instant::now();
        let depth = self.layers.iter().copied().max().unwrap_or(1);
        self.check_places(&constants, depth, rows, &styles)?;
        let weight = constants.style_weight;
        let mut loss = Loss::new(self, &constants, depth, &styles, weight, settings.seed)?;
        let start = self.noise(rows, scale.rows(), settings.seed);
        let job = Job {
            settings,
            iterations: self.iterations(),
            device,
            cancel,
        };
        let optimized = job.optimize(&mut loss, start, on_progress)?;
        job.inverted(optimized, &constants, &scale, (seconds, level), began)
    }
}

impl Huzaifah {
    /// Length of the result.
    fn seconds(
        &self,
        recordings: &[(&Clip, f64)],
        settings: &SynthesisSettings,
    ) -> Result<f64, LabError> {
        let durations = recordings.iter().map(|(clip, _)| clip.duration_s());
        let shortest = durations.clone().fold(f64::INFINITY, f64::min);
        let first = recordings
            .first()
            .map_or(0.0, |(clip, _)| clip.duration_s());
        match (self.axis, settings.seconds) {
            (Axis::Time, Some(seconds)) if seconds > shortest => Err(LabError::Setting {
                name: "the length",
                value: format!("{seconds} s"),
                allowed: "with frames as channels it is at most the shortest recording's; choose another axis",
            }),
            (Axis::Time, None) => Ok(shortest),
            (_, Some(seconds)) => Ok(seconds),
            (_, None) => Ok(first),
        }
    }

    /// Fails for images with fewer places than the filters of all layers see.
    pub(super) fn check_places(
        &self,
        constants: &Constants,
        depth: usize,
        rows: usize,
        images: &[(Tensor, f64)],
    ) -> Result<(), LabError> {
        let least = least_places(constants, self.kernel, depth);
        for (image, _) in images {
            let (frames, bins) = image.dims2()?;
            if self.axis != Axis::Frequency && bins < least {
                return Err(LabError::Setting {
                    name: "the kernel",
                    value: self.kernel.to_string(),
                    allowed: "the layers see more rows than the scale has: give less",
                });
            }
            let fewest = frames.min(rows);
            if self.axis != Axis::Time && fewest < least {
                return Err(LabError::TooShort {
                    seconds: constants.format.seconds_of(fewest),
                    least: constants.format.seconds_of(least),
                });
            }
        }
        Ok(())
    }

    /// What the program starts from.
    pub(super) fn noise(&self, rows: usize, columns: usize, seed: u64) -> Image {
        let mut random = Sequence::new(seed, START_INDEX);
        let mut draw = || match self.generation {
            Generation::First => random.gaussian() * START_DEVIATION,
            Generation::Second => random.uniform() as f32 * START_RANGE,
        };
        let values = (0..rows * columns).map(|_| draw()).collect();
        Image { values, columns }
    }
}

fn total_weight(recordings: &[(&Clip, f64)]) -> Result<f64, LabError> {
    let weights = recordings.iter().map(|(_, weight)| *weight);
    if let Some(weight) = weights.clone().find(|w| !(w.is_finite() && *w > 0.0)) {
        return Err(LabError::Setting {
            name: "a recording's weight",
            value: weight.to_string(),
            allowed: "give more than 0",
        });
    }
    let total: f64 = weights.sum();
    if recordings.is_empty() {
        return Err(LabError::Setting {
            name: "the number of recordings",
            value: "0".into(),
            allowed: "give one or more",
        });
    }
    Ok(total)
}

/// The image of a sound's first `seconds` with silence around it, as many frames as one that is made has for that time
/// ([`SpectrogramFormat::rows_for`]), each at the same time.
pub(super) fn padded_image(
    format: &SpectrogramFormat,
    mono: &Clip,
    seconds: f64,
) -> Result<Image, LabError> {
    let clip = mono.resampled(format.sample_rate)?;
    let samples = (seconds * f64::from(format.sample_rate)).round() as usize;
    let end = format.fft_size - format.hop_size;
    let total = format.fft_size + (format.rows_for(seconds) - 1) * format.hop_size;
    let mut padded = vec![0.0; total];
    let sound = &clip.channels()[0];
    let count = samples.min(sound.len());
    padded[end..end + count].copy_from_slice(&sound[..count]);
    format.image(&Clip::new(format.sample_rate, vec![padded])?)
}

/// An optimisation that has been asked for.
pub(super) struct Job<'a> {
    pub(super) settings: &'a SynthesisSettings,
    pub(super) iterations: u32,
    pub(super) device: &'a Device,
    pub(super) cancel: &'a AtomicBool,
}

impl Job<'_> {
    pub(super) fn optimize(
        &self,
        objective: &mut dyn Objective,
        start: Image,
        on_progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<Optimized, LabError> {
        let settings = OptimizeSettings {
            iterations: self.settings.iterations.unwrap_or(self.iterations),
            lbfgs: LbfgsSettings {
                // The programs have none; what becomes negative is silence.
                bounds: Bounds::NONE,
                ..LbfgsSettings::default()
            },
        };
        optimize(
            objective,
            start,
            self.device,
            &settings,
            self.cancel,
            on_progress,
        )
    }

    /// The sound of what was found, of `seconds` and times `level`.
    pub(super) fn inverted(
        &self,
        optimized: Optimized,
        constants: &Constants,
        scale: &FrequencyScale,
        (seconds, level): (f64, f32),
        began: Instant,
    ) -> Result<Synthesis, LabError> {
        let optimize_s = began.elapsed().as_secs_f64();
        let (rows, columns) = (optimized.image.rows(), optimized.image.columns);
        let found = Tensor::from_vec(optimized.image.values, (rows, columns), &Device::Cpu)?;
        let bins = scale.invert(&(found * f64::from(constants.range))?)?;
        let image = Image {
            values: bins.flatten_all()?.to_vec1::<f32>()?,
            columns: scale.bins(),
        };
        let how = GriffinLim::fast(GRIFFIN_LIM_ITERATIONS, self.settings.seed);
        Ok(Synthesis {
            clip: scaled(constants.format.sound(&image, seconds, &how)?, level)?,
            image,
            curve: optimized.curve,
            best: optimized.best,
            ending: optimized.ending,
            optimize_s,
            invert_s: began.elapsed().as_secs_f64() - optimize_s,
        })
    }
}
