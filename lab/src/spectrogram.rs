//! Sound to images of log magnitudes, and back.

use weft_core::clip::Clip;
use weft_core::inversion::griffin_lim;
use weft_core::spectrum::Stft;

use crate::error::LabError;

/// What a method sees of a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpectrogramFormat {
    /// Sample rate that sounds are brought to, in Hz.
    pub sample_rate: u32,
    /// Samples in a frame; its window is a Hann window.
    pub fft_size: usize,
    /// Samples from one frame to the next, a quarter of a frame or less.
    pub hop_size: usize,
}

/// How magnitudes become sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GriffinLim {
    /// How often phases are made consistent.
    pub iterations: usize,
    /// 0 for Griffin & Lim 1984, to 1; 0.99 is the fast variant of Perraudin et al. 2013.
    pub momentum: f32,
    /// Seed of the first phases.
    pub seed: u64,
}

/// Momentum that Perraudin et al. found best.
const FAST_MOMENTUM: f32 = 0.99;

impl GriffinLim {
    /// Fast Griffin-Lim (Perraudin et al. 2013). The papers of the methods have the plain one, which comes less near in
    /// as many iterations.
    pub fn fast(iterations: usize, seed: u64) -> Self {
        Self {
            iterations,
            momentum: FAST_MOMENTUM,
            seed,
        }
    }
}

/// Log magnitudes `ln(1 + |X|)`, row after row: a row is a frame, a column a bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// `rows × columns` values.
    pub values: Vec<f32>,
    /// Frequency bins.
    pub columns: usize,
}

impl Image {
    /// Frames.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }
}

impl SpectrogramFormat {
    /// Frequency bins of a frame.
    pub fn bins(&self) -> usize {
        self.fft_size / 2 + 1
    }

    /// Frames per second.
    pub fn frame_rate(&self) -> f64 {
        f64::from(self.sample_rate) / self.hop_size as f64
    }

    /// The image of a sound, mixed to one channel and at this format's sample rate.
    ///
    /// # Errors
    /// If the clip can't be resampled, or is shorter than one frame.
    pub fn image(&self, clip: &Clip) -> Result<Image, LabError> {
        let clip = clip.to_mono().resampled(self.sample_rate)?;
        let stft = Stft::new(self.fft_size, self.hop_size)?;
        let spectrogram = stft.analyse(&clip.channels()[0]);
        if spectrogram.is_empty() {
            return Err(LabError::TooShort {
                seconds: clip.duration_s(),
                least: self.seconds_of(1),
            });
        }
        Ok(Image {
            values: spectrogram.iter().map(|bin| bin.norm().ln_1p()).collect(),
            columns: self.bins(),
        })
    }

    /// Frames whose sound, without the ends that not all frames of their time cover, lasts `seconds`.
    pub fn rows_for(&self, seconds: f64) -> usize {
        let samples = (seconds * f64::from(self.sample_rate)).round() as usize;
        let with_ends = samples + 2 * self.end();
        1 + with_ends
            .saturating_sub(self.fft_size)
            .div_ceil(self.hop_size)
    }

    /// Length of the stretch of sound that so many frames see, in seconds.
    pub fn seconds_of(&self, rows: usize) -> f64 {
        let samples = self.fft_size + rows.saturating_sub(1) * self.hop_size;
        samples as f64 / f64::from(self.sample_rate)
    }

    /// Samples at either end of the frames' sound that fewer frames cover than others.
    fn end(&self) -> usize {
        self.fft_size - self.hop_size
    }

    /// Mono sound of `seconds` whose image comes near `image`, which has [`rows_for`](Self::rows_for) them. What is no
    /// magnitude (below 0) is silence.
    ///
    /// # Errors
    /// If the image has other columns, or the settings are out of range.
    pub fn sound(&self, image: &Image, seconds: f64, how: &GriffinLim) -> Result<Clip, LabError> {
        let stft = Stft::new(self.fft_size, self.hop_size)?;
        let values = image.values.iter();
        let magnitudes: Vec<f32> = values.map(|value| value.max(0.0).exp_m1()).collect();
        let sound = griffin_lim(&stft, &magnitudes, how.iterations, how.momentum, how.seed)?;
        let samples = (seconds * f64::from(self.sample_rate)).round() as usize;
        let start = self.end().min(sound.len());
        let end = (start + samples).min(sound.len());
        Ok(Clip::new(
            self.sample_rate,
            vec![sound[start..end].to_vec()],
        )?)
    }
}
