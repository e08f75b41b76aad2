//! Planar audio with its sample rate: reading, writing, resampling and checking.
//!
//! A [`Clip`] is what a capture, a dropped file or a rendered texture is while it is held whole in
//! memory. Long renders never are: they go through a [`WavWriter`] block by block.

mod blocks;
mod capture;
mod container;
mod decode;
mod error;
mod image;
mod judge;
mod mix;
mod opus;
mod part_file;
mod read;
mod resample;
mod stretches;
mod vorbis;
mod wav_format;
mod write;

pub use capture::Capture;
pub(crate) use capture::PackedCapture;
pub use error::ClipError;
pub(crate) use image::Image;
pub use judge::Remark;
pub use part_file::{abandon_part_files, check_writable, write_whole};
pub use read::{SOUND_EXTENSIONS, SoundFile};
pub(crate) use resample::greatest_common_divisor;
pub use wav_format::SampleFormat;
pub use write::{WavStream, WavWriter};

use std::ops::{Range, RangeInclusive};

/// Sample rates that a [`Clip`] may have, in Hz: telephone band to the highest rate of common
/// converters.
pub const SAMPLE_RATES_HZ: RangeInclusive<u32> = 8_000..=192_000;

/// Shortest capture that holds enough of a texture to be learned, in seconds.
pub const MIN_CAPTURE_S: f64 = 1.0;

/// A capture whose loudest sample lies below this level counts as silent, in dBFS. 16-bit silence
/// with dither stays about 10 dB under it.
pub const SILENCE_DBFS: f32 = -80.0;

/// Most sound that is read from a file, in seconds. Of a longer file only the start is decoded; the
/// rest is neither read nor held.
pub const MAX_READ_S: f64 = 60.0;

/// Most channels a file may have.
pub const MAX_DECODED_CHANNELS: usize = 64;

/// Planar audio: one vector of samples per channel, all of the same length, nominally within ±1.
///
/// Samples may be anything a file holds, NaN included: [`Clip::check_texture`] says whether the
/// clip can be learned from.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    sample_rate: u32,
    channels: Vec<Vec<f32>>,
}

impl Clip {
    /// Audio at `sample_rate` Hz, one vector per channel.
    ///
    /// # Errors
    ///
    /// If there is no channel, the channels differ in length, or the sample rate lies outside
    /// [`SAMPLE_RATES_HZ`].
    pub fn new(sample_rate: u32, channels: Vec<Vec<f32>>) -> Result<Self, ClipError> {
        check_sample_rate(sample_rate)?;
        let expected = channels.first().ok_or(ClipError::NoChannels)?.len();
        if let Some((channel, samples)) = channels
            .iter()
            .enumerate()
            .find(|(_, samples)| samples.len() != expected)
        {
            return Err(ClipError::UnequalChannels {
                channel: channel + 1,
                frames: samples.len(),
                expected,
            });
        }
        Ok(Self {
            sample_rate,
            channels,
        })
    }

    /// Sample rate in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// The samples, one vector per channel, all of [`len`](Self::len) frames.
    pub fn channels(&self) -> &[Vec<f32>] {
        &self.channels
    }

    /// The samples, taken out of the clip.
    pub fn into_channels(self) -> Vec<Vec<f32>> {
        self.channels
    }

    /// Number of channels, at least one.
    pub fn channel_count(&self) -> usize {
        self.channels.len()
    }

    /// Length in frames (samples per channel).
    pub fn len(&self) -> usize {
        self.channels[0].len()
    }

    /// Whether the clip holds no frame at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length in seconds.
    pub fn duration_s(&self) -> f64 {
        self.len() as f64 / f64::from(self.sample_rate)
    }

    /// Largest absolute sample of all channels (linear); NaN samples are passed over.
    pub fn peak(&self) -> f32 {
        self.channels
            .iter()
            .flatten()
            .fold(0.0, |peak: f32, sample| peak.max(sample.abs()))
    }

    /// Root mean square over all channels (linear); zero for an empty clip.
    pub fn rms(&self) -> f32 {
        let count = (self.len() * self.channel_count()).max(1);
        let energy: f64 = self
            .channels
            .iter()
            .flatten()
            .map(|&sample| f64::from(sample).powi(2))
            .sum();
        (energy / count as f64).sqrt() as f32
    }

    /// The part from `start_s` on, `duration_s` long (both in seconds), cut to what the clip holds.
    /// A negative or NaN bound counts as zero.
    #[must_use]
    pub fn trimmed(&self, start_s: f64, duration_s: f64) -> Self {
        // `as` saturates, and maps NaN to zero.
        let frames = |seconds: f64| (seconds * f64::from(self.sample_rate)).round() as usize;
        let start = frames(start_s).min(self.len());
        let end = start.saturating_add(frames(duration_s)).min(self.len());
        self.frames(start..end)
    }

    /// A part of it, which must lie within.
    fn frames(&self, part: Range<usize>) -> Self {
        let channels = self.channels.iter();
        Self {
            sample_rate: self.sample_rate,
            channels: channels.map(|c| c[part.clone()].to_vec()).collect(),
        }
    }

    /// One channel: the mean of all.
    #[must_use]
    pub fn to_mono(&self) -> Self {
        let gain = 1.0 / self.channel_count() as f32;
        let mut mix = vec![0.0; self.len()];
        for samples in &self.channels {
            for (mixed, sample) in mix.iter_mut().zip(samples) {
                *mixed += gain * sample;
            }
        }
        Self {
            sample_rate: self.sample_rate,
            channels: vec![mix],
        }
    }

    /// Two channels: mono doubled, stereo as it is, and of more the odd-numbered ones (first,
    /// third, ...) averaged to the left and the even-numbered ones to the right.
    ///
    /// [`SoundFile::read`] knows the speaker positions of a file and mixes more carefully.
    #[must_use]
    pub fn to_stereo(&self) -> Self {
        let channels = match self.channels.as_slice() {
            [mono] => vec![mono.clone(), mono.clone()],
            [_, _] => self.channels.clone(),
            _ => [0, 1]
                .map(|side| {
                    let part = self.channels.iter().skip(side).step_by(2).cloned();
                    let part = Self {
                        sample_rate: self.sample_rate,
                        channels: part.collect(),
                    };
                    part.to_mono().channels.remove(0)
                })
                .into(),
        };
        Self {
            sample_rate: self.sample_rate,
            channels,
        }
    }

    /// Whether a texture can be learned from this clip.
    ///
    /// # Errors
    ///
    /// If the clip is shorter than [`MIN_CAPTURE_S`], holds a NaN or infinite sample (the error
    /// names channel and time of the first), or is silent: no sample reaches [`SILENCE_DBFS`].
    pub fn check_texture(&self) -> Result<(), ClipError> {
        if self.duration_s() < MIN_CAPTURE_S {
            return Err(ClipError::TooShort {
                duration_s: self.duration_s(),
            });
        }
        self.check_finite()?;
        let peak_dbfs = 20.0 * self.peak().log10();
        if peak_dbfs < SILENCE_DBFS {
            return Err(ClipError::Silent { peak_dbfs });
        }
        Ok(())
    }

    /// Fails for a sample that is NaN or infinite, and names the first.
    fn check_finite(&self) -> Result<(), ClipError> {
        let first_not_finite = self
            .channels
            .iter()
            .enumerate()
            .filter_map(|(channel, samples)| {
                let frame = samples.iter().position(|sample| !sample.is_finite())?;
                Some((frame, channel, samples[frame]))
            })
            .min_by_key(|&(frame, channel, _)| (frame, channel));
        if let Some((frame, channel, value)) = first_not_finite {
            return Err(ClipError::NotFinite {
                value,
                channel: channel + 1,
                time_s: frame as f64 / f64::from(self.sample_rate),
            });
        }
        Ok(())
    }
}

/// Fails for a sample rate outside [`SAMPLE_RATES_HZ`].
fn check_sample_rate(sample_rate: u32) -> Result<(), ClipError> {
    if SAMPLE_RATES_HZ.contains(&sample_rate) {
        Ok(())
    } else {
        Err(ClipError::SampleRate { sample_rate })
    }
}
