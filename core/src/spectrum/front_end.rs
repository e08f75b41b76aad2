//! The front end of a capture: everything that turns features into magnitudes, measured once.
//!
//! Features are banded `log1p(c·|X|)` of mid (and side), and in stereo the banded pan index. What
//! banding drops comes back as *fine structure*: the capture's mean spectrum at full resolution plus
//! the residual of white noise, as strong as the capture's own residual was.

use super::layout::Layout;
use super::{Bands, Stft};
use crate::clip::Image;

/// Everything that turns features into magnitudes: constants measured on one capture.
///
/// *Magnitude channels* are mid, or mid and side; *feature channels* are these and in stereo the pan index, unless
/// the capture's sides are apart.
#[derive(Clone, Debug)]
pub struct FrontEnd {
    layout: Layout,
    constants: Constants,
}

/// What is measured on a capture. Arrays are row-major.
#[derive(Clone, Debug)]
pub(crate) struct Constants {
    /// Factor that the capture was multiplied by before analysis.
    pub analysis_gain: f32,
    /// `[magnitude channels × bins]`: `c` in `log1p(c·|X|)`.
    pub equaliser: Vec<f32>,
    /// `[magnitude channels × bins]`: root mean square of the capture's magnitudes.
    pub rms: Vec<f32>,
    /// `[feature channels × bins]`: mean at full resolution.
    pub mean_full: Vec<f32>,
    /// `[feature channels × bands]`: mean of the bands.
    pub mean_band: Vec<f32>,
    /// `[feature channels × bins]`: strength of the fine structure.
    pub depth: Vec<f32>,
}

impl FrontEnd {
    /// Puts a front end together from what was measured before.
    ///
    /// # Panics
    /// If an array has another length than `layout` gives it.
    pub(crate) fn from_parts(layout: Layout, constants: Constants) -> Self {
        let (bins, count) = (layout.bins(), layout.bands().count());
        let (magnitude, feature) = (layout.magnitude_channels(), layout.feature_channels());
        let lengths = [
            (&constants.equaliser, magnitude * bins),
            (&constants.rms, magnitude * bins),
            (&constants.mean_full, feature * bins),
            (&constants.mean_band, feature * count),
            (&constants.depth, feature * bins),
        ];
        for (array, expected) in lengths {
            assert_eq!(array.len(), expected, "an array is laid out otherwise");
        }
        Self { layout, constants }
    }

    /// Transform, bands and channels.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What was measured.
    pub(crate) fn constants(&self) -> &Constants {
        &self.constants
    }

    /// Sample rate of the capture and of what is made from it, in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.layout.sample_rate()
    }

    /// Channels of the capture that was analysed, 1 or 2.
    pub fn output_channels(&self) -> usize {
        self.layout.output_channels()
    }

    /// Where mid and side are brought when they are sound again.
    pub(crate) fn image(&self) -> Image {
        self.layout.image()
    }

    /// Whether there is a side channel.
    pub fn is_stereo(&self) -> bool {
        self.layout.is_stereo()
    }

    /// The transform that frames belong to.
    pub fn stft(&self) -> &Stft {
        self.layout.stft()
    }

    /// The bands of the features.
    pub fn bands(&self) -> &Bands {
        self.layout.bands()
    }

    /// Frames per second.
    pub fn frame_rate(&self) -> f64 {
        f64::from(self.sample_rate()) / self.stft().hop_size() as f64
    }

    /// 1 (mid) or 2 (mid, side).
    pub fn magnitude_channels(&self) -> usize {
        self.layout.magnitude_channels()
    }

    /// Whether the phase between mid and side is known from a pan index.
    pub fn has_pan(&self) -> bool {
        self.layout.has_pan()
    }

    /// 1 (mid), 2 (sides that are apart) or 3 (mid, side, pan index).
    pub fn feature_channels(&self) -> usize {
        self.layout.feature_channels()
    }

    /// Features in a frame: [`feature_channels`](Self::feature_channels) × bands.
    pub fn feature_width(&self) -> usize {
        self.layout.feature_width()
    }

    /// Power of each bin in the capture, `[magnitude channels × bins]`, at its own level.
    pub(crate) fn bin_power(&self) -> Vec<f32> {
        let scale = 1.0 / self.constants.analysis_gain;
        let rms = self.constants.rms.iter();
        rms.map(|x| (x * scale).powi(2)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "laid out otherwise")]
    fn constants_of_another_layout_are_refused() {
        let mono = Layout::new(16_000, 1, false).unwrap();
        let (bins, count) = (mono.bins(), mono.bands().count());
        let constants = Constants {
            analysis_gain: 1.0,
            equaliser: vec![1.0; bins],
            rms: vec![1.0; bins],
            mean_full: vec![1.0; bins],
            mean_band: vec![1.0; count],
            depth: vec![0.0; bins],
        };
        let front_end = FrontEnd::from_parts(mono, constants.clone());
        assert_eq!(front_end.bin_power(), vec![1.0; bins]);
        let stereo = Layout::new(16_000, 2, true).unwrap();
        let _ = FrontEnd::from_parts(stereo, constants);
    }
}
