//! A recording as all figures see it.

use super::resample::resample;
use super::{MIN_SCORED_S, SAMPLE_RATE, ScoreError};
use crate::clip::{Clip, SILENCE_DBFS};
use crate::numeric::moments::{mean, mean_square};

/// Level that every recording is brought to, as a root mean square (linear).
const RMS: f64 = 0.1;

/// Level below that of the whole recording at which a half counts as silent, in dB.
const SILENT_HALF_DB: f64 = -60.0;

/// A recording made ready to be scored: mixed to mono, at 16 kHz, without an offset, and at an RMS level of
/// 0.1, so that no figure depends on sample rate, channels or gain.
#[derive(Clone, Debug)]
pub struct Recording {
    samples: Vec<f32>,
}

impl Recording {
    /// Makes a clip ready to be scored.
    ///
    /// # Errors
    ///
    /// If the clip is shorter than [`MIN_SCORED_S`], holds a sample that is not finite, or is silent: no
    /// sample reaches [`SILENCE_DBFS`], or none does in the mono mix at 16 kHz.
    pub fn new(clip: &Clip) -> Result<Self, ScoreError> {
        check_duration(clip.duration_s(), MIN_SCORED_S)?;
        clip.check_texture()?;
        let mono: Vec<f64> = clip.to_mono().channels()[0]
            .iter()
            .map(|&x| f64::from(x))
            .collect();
        let mut samples = resample(&mono, SAMPLE_RATE as usize, clip.sample_rate() as usize);
        let mean = mean(samples.iter().copied());
        for x in &mut samples {
            *x -= mean;
        }
        let peak = samples.iter().fold(0.0f64, |peak, x| peak.max(x.abs()));
        let peak_dbfs = 20.0 * peak.log10();
        if peak_dbfs < f64::from(SILENCE_DBFS) {
            return Err(ScoreError::Silent { peak_dbfs });
        }
        let rms = mean_square(samples.iter().copied()).sqrt();
        let gain = RMS / rms;
        Ok(Self {
            samples: samples.into_iter().map(|x| (x * gain) as f32).collect(),
        })
    }

    /// The first and the second half: what nature itself scores is the second against the first. A last odd
    /// sample is left out.
    ///
    /// # Errors
    ///
    /// If a half is shorter than [`MIN_SCORED_S`], or is silent beside the other.
    pub fn halves(&self) -> Result<(Self, Self), ScoreError> {
        check_duration(self.duration_s(), 2.0 * MIN_SCORED_S)?;
        let half = self.samples.len() / 2;
        let part = |start: usize, name: &'static str| {
            let samples = self.samples[start..start + half].to_vec();
            let mean = mean(samples.iter().map(|&x| f64::from(x)));
            let power = mean_square(samples.iter().map(|&x| f64::from(x) - mean));
            let level_db = 10.0 * (power / (RMS * RMS)).log10();
            if level_db < SILENT_HALF_DB {
                return Err(ScoreError::SilentHalf {
                    half: name,
                    level_db,
                });
            }
            Ok(Self { samples })
        };
        Ok((part(0, "first")?, part(half, "second")?))
    }

    /// Length in seconds.
    pub fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / f64::from(SAMPLE_RATE)
    }

    /// The samples at 16 kHz.
    pub(super) fn samples(&self) -> &[f32] {
        &self.samples
    }
}

fn check_duration(duration_s: f64, least_s: f64) -> Result<(), ScoreError> {
    if duration_s < least_s {
        Err(ScoreError::TooShort {
            duration_s,
            least_s,
        })
    } else {
        Ok(())
    }
}
