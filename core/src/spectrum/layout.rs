//! What a front end's arrays are laid out by: transform, bands and channels.

use super::{Bands, SpectrumError, Stft};
use crate::clip::Image;

/// Hops in a frame: 75 % overlap.
const OVERLAP: usize = 4;

/// Samples in a frame at a sample rate in Hz: 2048 at 44.1 and 48 kHz, by powers of two elsewhere.
pub fn fft_size_for(sample_rate: f64) -> usize {
    let octaves = (sample_rate / 46_000.0).log2().round_ties_even();
    (2048.0 * octaves.exp2()) as usize
}

/// Transform, bands and channels of one capture.
///
/// *Magnitude channels* are mid, or mid and side; *feature channels* are these and in stereo the pan index, unless
/// the sides are apart.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    sample_rate: u32,
    output_channels: usize,
    stereo: bool,
    image: Image,
    stft: Stft,
    bands: Bands,
}

impl Layout {
    /// Plans the transform for a capture at `sample_rate` Hz with `output_channels` channels (1 or 2), whose
    /// side is heard if it is `stereo`.
    ///
    /// # Errors
    /// [`SpectrumError::FrameSizes`] at sample rates whose frames are too short for a transform.
    pub fn new(
        sample_rate: u32,
        output_channels: usize,
        stereo: bool,
    ) -> Result<Self, SpectrumError> {
        let fft_size = fft_size_for(f64::from(sample_rate));
        Ok(Self {
            sample_rate,
            output_channels,
            stereo,
            image: Image::PLAIN,
            stft: Stft::new(fft_size, fft_size / OVERLAP)?,
            bands: Bands::new(f64::from(sample_rate), fft_size),
        })
    }

    /// The same for a capture of two channels that lies at `image`.
    pub fn at_image(self, image: Image) -> Self {
        Self { image, ..self }
    }

    /// Where mid and side are brought when they are sound again.
    pub fn image(&self) -> Image {
        self.image
    }

    /// Sample rate in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Channels of the capture, 1 or 2.
    pub fn output_channels(&self) -> usize {
        self.output_channels
    }

    /// Whether there is a side channel.
    pub fn is_stereo(&self) -> bool {
        self.stereo
    }

    /// The transform.
    pub fn stft(&self) -> &Stft {
        &self.stft
    }

    /// The bands.
    pub fn bands(&self) -> &Bands {
        &self.bands
    }

    /// Bins of a frame.
    pub fn bins(&self) -> usize {
        self.stft.bins()
    }

    /// 1 (mid) or 2 (mid, side).
    pub fn magnitude_channels(&self) -> usize {
        if self.stereo { 2 } else { 1 }
    }

    /// Whether the phase between mid and side is known from a pan index. Sides that are apart are two sounds.
    pub fn has_pan(&self) -> bool {
        self.stereo && !self.image.is_apart()
    }

    /// 1 (mid), 2 (sides that are apart) or 3 (mid, side, pan index).
    pub fn feature_channels(&self) -> usize {
        self.magnitude_channels() + usize::from(self.has_pan())
    }

    /// Features in a frame: feature channels × bands.
    pub fn feature_width(&self) -> usize {
        self.feature_channels() * self.bands.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_last_about_as_long_at_every_rate() {
        for (rate, expected) in [
            (8_000.0, 256),
            (16_000.0, 512),
            (44_100.0, 2048),
            (48_000.0, 2048),
            (96_000.0, 4096),
            (192_000.0, 8192),
        ] {
            assert_eq!(fft_size_for(rate), expected, "{rate} Hz");
        }
    }

    #[test]
    fn side_adds_two_feature_channels() {
        let (mono, stereo) = (
            Layout::new(16_000, 2, false).unwrap(),
            Layout::new(16_000, 2, true).unwrap(),
        );
        assert_eq!(
            [mono.magnitude_channels(), stereo.magnitude_channels()],
            [1, 2]
        );
        assert_eq!(stereo.feature_width(), 3 * mono.feature_width());
        assert_eq!(mono.stft().hop_size() * OVERLAP, mono.stft().fft_size());
        assert_eq!(mono.bins(), mono.bands().bins());
    }
}
