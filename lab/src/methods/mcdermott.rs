//! McDermott & Simoncelli, "Sound texture perception via statistics of the auditory periphery" (2011): statistics of
//! cochlear envelopes, of which nothing but the model and what is measured are the paper's. They are imposed on all
//! bands at once by the gradient of a sound's samples ([`crate::cochlea`] says why), not band by band.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use candle_core::{DType, Device};
use weft_core::clip::Clip;
use weft_core::numeric::random::Sequence;

use super::method::{START_INDEX, Synthesis, SynthesisSettings, usable_mono};
use super::synthesizer::{Synthesizer, single};
use crate::cochlea::{Cochlea, CochleaSettings, LEVEL, TextureStatistics};
use crate::error::LabError;
use crate::lbfgs::{Bounds, LbfgsSettings};
use crate::optimize::{OptimizeSettings, Progress, optimize};
use crate::spectrogram::Image;

/// Iterations of L-BFGS. The paper's are another thing: rounds over all bands, of which 30 to 60 are enough; after
/// 120 of these every group of statistics is within 1 % of the recording's, in energy.
const ITERATIONS: u32 = 200;
/// Shortest sound, in seconds: the period of the slowest modulation band's centre.
const LEAST_S: f64 = 2.0;

/// The method.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct McDermott {
    /// Sample rate, bands and their range; the paper's by default.
    pub cochlea: CochleaSettings,
}

impl Synthesizer for McDermott {
    fn name(&self) -> &'static str {
        "mcdermott"
    }

    fn sample_rate(&self) -> u32 {
        self.cochlea.sample_rate_hz
    }

    fn iterations(&self) -> u32 {
        ITERATIONS
    }

    /// The processor: its transforms are our own.
    fn device(&self, _: Device) -> Device {
        Device::Cpu
    }

    /// Makes a texture of `clip` from noise, on the processor. Its image is the sound before
    /// it has the recording's spectrum, a sample a row, and its
    /// terms the [groups of statistics](crate::cochlea::Statistics). If its length is a multiple of 10 ms, it goes
    /// round without a seam. What `cancel` breaks off ends with the best so far.
    ///
    /// # Errors
    /// If nothing can be learned from the clip ([`Clip::check_texture`]), or it or the result is shorter than 2 s.
    fn synthesize(
        &self,
        recordings: &[(&Clip, f64)],
        settings: &SynthesisSettings,
        _: &Device,
        cancel: &AtomicBool,
        on_progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<Synthesis, LabError> {
        let clip = single(recordings)?;
        let rate = self.cochlea.sample_rate_hz;
        let mono = usable_mono(clip)?.resampled(rate)?;
        let recording = &mono.channels()[0];
        let seconds = settings.seconds.unwrap_or_else(|| clip.duration_s());
        for seconds in [mono.duration_s(), seconds] {
            // A resampled clip may be a sample short.
            if seconds < LEAST_S - 1.0 / f64::from(rate) {
                let least = LEAST_S;
                return Err(LabError::TooShort { seconds, least });
            }
        }
        let began = Instant::now();
        let mut objective = TextureStatistics::new(recording, self.cochlea, DType::F32)?;
        let samples = (seconds * f64::from(rate)).round() as usize;
        let whole = samples.next_multiple_of(Cochlea::block(&self.cochlea));
        let mut random = Sequence::new(settings.seed, START_INDEX);
        let start = Image {
            values: (0..whole).map(|_| random.gaussian()).collect(),
            columns: 1,
        };
        let optimize_settings = OptimizeSettings {
            iterations: settings.iterations.unwrap_or(ITERATIONS),
            lbfgs: LbfgsSettings {
                bounds: Bounds::NONE,
                ..LbfgsSettings::default()
            },
        };
        let optimized = optimize(
            &mut objective,
            start,
            &Device::Cpu,
            &optimize_settings,
            cancel,
            on_progress,
        )?;
        let power = recording.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
        let gain = ((power / recording.len() as f64).sqrt() / LEVEL) as f32;
        let mut sound = objective.sound(&optimized.image.values)?;
        sound.truncate(samples);
        sound.iter_mut().for_each(|x| *x *= gain);
        Ok(Synthesis {
            clip: Clip::new(rate, vec![sound])?,
            image: optimized.image,
            curve: optimized.curve,
            best: optimized.best,
            ending: optimized.ending,
            optimize_s: began.elapsed().as_secs_f64(),
            invert_s: 0.0,
        })
    }
}
