//! The statistics of a recording as a loss of a sound.

use candle_core::{DType, Device, Result, Tensor};

use super::statistics::{Statistics, TimeWeights};
use super::{Cochlea, CochleaSettings};
use crate::objective::{Objective, Term};

/// Root mean square of the sounds that are compared, of a full scale of 1: the authors' programs'.
pub const LEVEL: f64 = 0.01;

/// How far a sound is from a recording in each group of statistics: the squared differences over the squared
/// statistics of the recording, so the inverse of the signal-to-noise ratio that the paper judges by.
///
/// What is judged is an image, which the levels of the recording's bands make a [sound](Self::sound) of: white noise
/// of an RMS of 1 is noise of the recording's spectrum.
pub struct TextureStatistics {
    settings: CochleaSettings,
    target: Statistics,
    /// Gains of the bands of an image.
    gains: Vec<f64>,
    /// For each group, one over the sum of the recording's squares.
    scales: Vec<f64>,
    /// The model for the length of the last image, and even weights over its time.
    made: Option<(Cochlea, TimeWeights)>,
}

impl TextureStatistics {
    /// The statistics of `recording`, samples of any level at the settings' rate; what is left beyond a whole
    /// number of [blocks](Cochlea::block) does not count. They are as exact as `dtype` (32 or 64 bits).
    ///
    /// # Errors
    /// If the recording is shorter than a block, or silent.
    pub fn new(recording: &[f32], settings: CochleaSettings, dtype: DType) -> Result<Self> {
        let block = Cochlea::block(&settings);
        let samples = &recording[..recording.len() / block * block];
        let power: f64 = samples.iter().map(|&x| f64::from(x).powi(2)).sum();
        let rms = (power / samples.len().max(1) as f64).sqrt();
        if rms.is_nan() || rms <= 0.0 {
            candle_core::bail!("{} samples of silence have no statistics", samples.len());
        }
        let scaled: Vec<f64> = samples
            .iter()
            .map(|&x| f64::from(x) * LEVEL / rms)
            .collect();
        let cochlea = Cochlea::new(&settings, samples.len())?;
        let gains = cochlea.gains_for(&cochlea.levels(&scaled));
        let sound = Tensor::new(scaled, &Device::Cpu)?.to_dtype(dtype)?;
        let rate_hz = f64::from(settings.envelope_rate_hz);
        let time = TimeWeights::ramped(cochlea.envelope_samples(), rate_hz)?;
        let target = cochlea.statistics(&cochlea.envelopes(&sound)?, &time)?;
        Self::from_statistics(target, gains, settings)
    }

    /// These statistics, for images that are sounds at the settings' rate by these [gains](Cochlea::shaped).
    ///
    /// # Errors
    /// If the statistics can't be read.
    pub fn from_statistics(
        target: Statistics,
        gains: Vec<f64>,
        settings: CochleaSettings,
    ) -> Result<Self> {
        let scale = |(_, values): &(_, &Tensor)| {
            let energy = values.sqr()?.sum_all()?.to_dtype(DType::F64)?;
            Ok(1.0 / energy.to_scalar::<f64>()?)
        };
        Ok(Self {
            scales: target.groups().iter().map(scale).collect::<Result<_>>()?,
            settings,
            target,
            gains,
            made: None,
        })
    }

    /// What is aimed at.
    pub fn target(&self) -> &Statistics {
        &self.target
    }

    /// The gains of the bands of an image.
    pub fn gains(&self) -> &[f64] {
        &self.gains
    }

    /// The statistics of an image, whose sound goes round.
    ///
    /// # Errors
    /// If the image is no whole number of blocks long.
    pub fn of(&mut self, image: &Tensor) -> Result<Statistics> {
        let image = image.flatten_all()?;
        let (cochlea, time) = self.model(image.elem_count())?;
        cochlea.statistics(&cochlea.envelopes(&image)?, time)
    }

    /// The sound that an image is, at [`LEVEL`] where it has the recording's spectrum.
    ///
    /// # Errors
    /// If the image is no whole number of blocks long.
    pub fn sound(&mut self, image: &[f32]) -> Result<Vec<f32>> {
        Ok(self.model(image.len())?.0.sound(image))
    }

    fn model(&mut self, samples: usize) -> Result<&(Cochlea, TimeWeights)> {
        let made = match self.made.take() {
            Some(made) if made.0.samples() == samples => made,
            _ => {
                let cochlea = Cochlea::shaped(&self.settings, samples, &self.gains)?;
                let time = TimeWeights::even(cochlea.envelope_samples())?;
                (cochlea, time)
            }
        };
        Ok(self.made.insert(made))
    }
}

impl Objective for TextureStatistics {
    /// A summand for each group of [`Statistics`], by its name; the image is one row or column of samples, any
    /// whole number of blocks of them.
    fn terms(&mut self, image: &Tensor, _iteration: u32) -> Result<Vec<Term>> {
        let statistics = self.of(image)?;
        let groups = statistics.groups().into_iter().zip(self.target.groups());
        groups
            .zip(&self.scales)
            .map(|(((name, values), (_, target)), &scale)| {
                let target = target.to_dtype(values.dtype())?;
                // Sums in double: a search along a line sees their last digits.
                let differences = (values - target)?.to_dtype(DType::F64)?;
                Ok(Term {
                    name,
                    weight: 1.0,
                    value: (differences.sqr()?.sum_all()? * scale)?,
                })
            })
            .collect()
    }
}
