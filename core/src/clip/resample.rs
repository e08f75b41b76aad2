//! Conversion between sample rates.

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

use super::{Clip, ClipError, check_sample_rate};

/// Shortest FFT block of the resampler, in input frames. The anti-aliasing filter is as long as the
/// block: at 4096 its transition band is about 0.3 % of the sample rate.
const MIN_BLOCK_FRAMES: usize = 4_096;

impl Clip {
    /// The same sound at another sample rate, in Hz. Output frame `i` is at time `i / rate`: the
    /// filter's delay is taken out. The length is the input's duration, rounded up to whole frames.
    ///
    /// A NaN or infinite sample spoils the block it lies in: check the clip first.
    ///
    /// # Errors
    ///
    /// If `sample_rate` lies outside [`SAMPLE_RATES_HZ`](super::SAMPLE_RATES_HZ).
    pub fn resampled(&self, sample_rate: u32) -> Result<Self, ClipError> {
        check_sample_rate(sample_rate)?;
        if sample_rate == self.sample_rate || self.is_empty() {
            return Self::new(sample_rate, self.channels.clone());
        }
        let failed = |reason: String| ClipError::Resample {
            from: self.sample_rate,
            to: sample_rate,
            reason,
        };
        let (rate_in, rate_out) = (self.sample_rate as usize, sample_rate as usize);

        // Blocks of an even number of frames on both sides put the filter's centre on a frame of
        // the output, so that its delay is whole and can be cut off exactly.
        let step = 2 * rate_in / greatest_common_divisor(rate_in, rate_out);
        let block_frames = MIN_BLOCK_FRAMES.next_multiple_of(step);
        let mut resampler = Fft::<f64>::new_custom(
            rate_in,
            rate_out,
            block_frames,
            1,
            1,
            WindowFunction::BlackmanHarris2,
            FixedSync::Input,
        )
        .map_err(|error| failed(error.to_string()))?;

        let frames = (self.len() as u64 * u64::from(sample_rate))
            .div_ceil(u64::from(self.sample_rate)) as usize;
        let mut channels = Vec::with_capacity(self.channel_count());
        for samples in &self.channels {
            // Double precision keeps the FFT's rounding well below that of the f32 samples.
            let input = vec![samples.iter().map(|&s| f64::from(s)).collect::<Vec<_>>()];
            let input = SequentialSliceOfVecs::new(&input, 1, samples.len())
                .map_err(|error| failed(error.to_string()))?;
            let output = resampler
                .process_all(&input, samples.len(), None)
                .map_err(|error| failed(error.to_string()))?;
            let mut output: Vec<f32> = output.take_data().iter().map(|&s| s as f32).collect();
            output.resize(frames, 0.0);
            channels.push(output);
        }
        Self::new(sample_rate, channels)
    }
}

pub(crate) fn greatest_common_divisor(mut a: usize, mut b: usize) -> usize {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
