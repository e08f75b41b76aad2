//! What makes the sounds of a row.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use thiserror::Error;
use weft_core::clip::{Clip, ClipError};
use weft_core::fit::cpu::Cpu;
use weft_core::fit::{FitError, FitSettings, fit_on};
use weft_core::inversion::InversionError;
use weft_core::numeric::random::Sequence;
use weft_core::render::Renderer;
use weft_core::spectrum::{Complex32, SpectrumError, Stft};

use crate::device::DeviceChoice;
use crate::error::LabError;
use crate::methods::{Antognini, Method, SynthesisSettings, Synthesizer};
use crate::spectrogram;

/// Why a sound can't be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MakerError {
    /// A network can't be fitted to the recording.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// Magnitudes can't be turned into sound.
    #[error(transparent)]
    Inversion(#[from] InversionError),
    /// The recording's sample rate has no transform of the wanted size.
    #[error(transparent)]
    Stft(#[from] SpectrumError),
    /// The sound is unusable.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// A method of the papers failed.
    #[error(transparent)]
    Method(#[from] LabError),
}

/// A row of a table.
pub trait Maker: Sync {
    /// Its name in tables and files: lower case, without blanks. Settings that change the sound are part of it.
    fn name(&self) -> String;

    /// What it is compared with, and the sound that it makes of a recording: as long as the recording, but for
    /// rows that have no choice.
    ///
    /// # Errors
    /// If nothing can be made of the recording.
    fn make(&self, recording: &Clip, seed: u32) -> Result<Made, MakerError>;
}

/// A sound, and what it is to be compared with.
#[derive(Clone, Debug)]
pub struct Made {
    /// The recording, or the part of it that the sound was not made of.
    pub reference: Clip,
    /// The sound.
    pub sound: Clip,
}

/// Griffin & Lim's inversion of the recording's own magnitudes: what inversion alone costs.
#[derive(Clone, Copy, Debug)]
pub struct GriffinLim;

/// The recording's second half against its first: what other real sound of the same kind scores.
#[derive(Clone, Copy, Debug)]
pub struct Halves;

/// Noise with the recording's mean spectrum: what no texture at all scores.
#[derive(Clone, Copy, Debug)]
pub struct MatchedNoise;

/// A network fitted by Weft, and a stretch of what it plays.
#[derive(Clone, Copy, Debug)]
pub struct Weft {
    /// Training steps.
    pub steps: u32,
}

/// A method of the papers.
pub struct Optimized {
    /// Name of the row.
    pub name: String,
    /// The method.
    pub method: Box<dyn Synthesizer>,
    /// Iterations; none are as many as its paper has.
    pub iterations: Option<u32>,
    /// Where it computes, if it can there.
    pub device: DeviceChoice,
}

impl Maker for GriffinLim {
    fn name(&self) -> String {
        "griffin-lim".into()
    }

    fn make(&self, recording: &Clip, seed: u32) -> Result<Made, MakerError> {
        let paper = Antognini::default();
        let how = spectrogram::GriffinLim::fast(paper.griffin_lim_iterations(), seed.into());
        let format = paper.format();
        let image = format.image(recording)?;
        Ok(Made {
            reference: recording.clone(),
            // The image has the recording's own frames, and not those that begin before it.
            sound: format.sound(&image, format.seconds_of(image.rows()), &how)?,
        })
    }
}

impl Maker for Halves {
    fn name(&self) -> String {
        "halves".into()
    }

    fn make(&self, recording: &Clip, _seed: u32) -> Result<Made, MakerError> {
        let half_s = recording.duration_s() / 2.0;
        Ok(Made {
            reference: recording.trimmed(0.0, half_s),
            sound: recording.trimmed(half_s, half_s),
        })
    }
}

impl Maker for MatchedNoise {
    fn name(&self) -> String {
        "noise".into()
    }

    fn make(&self, recording: &Clip, seed: u32) -> Result<Made, MakerError> {
        let format = Antognini::default().format();
        let mono = recording.to_mono().resampled(format.sample_rate)?;
        let stft = Stft::new(format.fft_size, format.hop_size)?;
        let power = mean_powers(&stft.analyse(&mono.channels()[0]), stft.bins());
        let mut random = Sequence::new(seed.into(), 0);
        // White noise, filtered frame by frame by the root of the mean power.
        let white: Vec<f32> = (0..mono.len()).map(|_| random.gaussian()).collect();
        let mut spectra = stft.analyse(&white);
        let white_power = mean_powers(&spectra, stft.bins());
        for frame in spectra.chunks_exact_mut(stft.bins()) {
            for ((z, wanted), has) in frame.iter_mut().zip(&power).zip(&white_power) {
                *z *= (wanted / (has + f32::MIN_POSITIVE)).sqrt();
            }
        }
        let sound = Clip::new(format.sample_rate, vec![stft.synthesise(&spectra)])?;
        Ok(Made {
            reference: mono,
            sound,
        })
    }
}

/// Mean power in every bin.
fn mean_powers(spectra: &[Complex32], bins: usize) -> Vec<f32> {
    let mut sum = vec![0.0; bins];
    for frame in spectra.chunks_exact(bins) {
        for (s, z) in sum.iter_mut().zip(frame) {
            *s += z.norm_sqr();
        }
    }
    let count = (spectra.len() / bins).max(1) as f32;
    sum.into_iter().map(|s| s / count).collect()
}

impl Maker for Optimized {
    fn name(&self) -> String {
        match self.iterations {
            Some(iterations) => format!("{}-{iterations}", self.name),
            None => self.name.clone(),
        }
    }

    fn make(&self, recording: &Clip, seed: u32) -> Result<Made, MakerError> {
        let settings = SynthesisSettings {
            seed: seed.into(),
            iterations: self.iterations,
            seconds: None,
        };
        let never = AtomicBool::new(false);
        let device = self.device.open().map_err(LabError::from)?;
        let device = self.method.device(device);
        let made =
            self.method
                .synthesize(&[(recording, 1.0)], &settings, &device, &never, &mut |_| {})?;
        Ok(Made {
            reference: recording.clone(),
            sound: made.clip,
        })
    }
}

impl Maker for Weft {
    fn name(&self) -> String {
        format!("weft-{}", self.steps)
    }

    fn make(&self, recording: &Clip, seed: u32) -> Result<Made, MakerError> {
        // Cells are worked on at the same time, each by one thread.
        let device = Cpu {
            threads: 1,
            background: false,
        };
        let settings = FitSettings {
            steps: self.steps,
            seed: seed.into(),
            ..FitSettings::default()
        };
        let model = fit_on(&device, recording, &settings, &mut |_| {
            ControlFlow::Continue(())
        })?;
        let mut renderer = Renderer::new(&model, seed)?;
        let mut channels = vec![vec![0.0; recording.len()]; renderer.channels()];
        let mut slices: Vec<&mut [f32]> = channels.iter_mut().map(Vec::as_mut_slice).collect();
        renderer.render_into(&mut slices);
        Ok(Made {
            reference: recording.clone(),
            sound: Clip::new(renderer.sample_rate(), channels)?,
        })
    }
}
