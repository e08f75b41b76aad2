//! What banding loses of a spectrum, made of white noise.

use super::layout::Layout;
use super::stereo::pan_index;
use super::{Complex32, StftScratch};
use crate::numeric::random::{Noise, stream};

/// Added to the magnitudes of white noise before their logarithm, so that none is infinite.
const LEAST_MAGNITUDE: f32 = 1e-3;

/// Fine structure of one frame: log magnitudes (and the pan index) of white noise minus their banded part.
pub(super) struct FineStructure {
    noise: WhiteNoise,
    /// One plane of bins for each feature channel.
    planes: [Vec<f32>; 3],
    bands: Vec<f32>,
    banded: Vec<f32>,
}

impl FineStructure {
    /// Allocates for one layout.
    pub fn new(layout: &Layout) -> Self {
        Self {
            noise: WhiteNoise::new(layout),
            planes: std::array::from_fn(|_| vec![0.0; layout.bins()]),
            bands: vec![0.0; layout.bands().count()],
            banded: vec![0.0; layout.bins()],
        }
    }

    /// Goes to frame `index` of `seed`; consecutive frames are the cheapest. `rms` (`[magnitude channels ×
    /// bins]`) weighs mid against side where the noise gets a pan index. Real-time safe.
    pub fn advance_to(&mut self, layout: &Layout, rms: &[f32], seed: u32, index: i64) {
        self.noise.advance_to(layout, seed, index);
        let (bins, magnitudes) = (layout.bins(), layout.magnitude_channels());
        let spectra = &self.noise.spectra;
        for (plane, spectrum) in self.planes[..magnitudes].iter_mut().zip(spectra) {
            for (x, z) in plane.iter_mut().zip(spectrum) {
                *x = (z.norm() + LEAST_MAGNITUDE).ln();
            }
        }
        if layout.has_pan() {
            let [mid, side] = spectra;
            for (k, pan) in self.planes[magnitudes].iter_mut().enumerate() {
                *pan = pan_index(mid[k] * rms[k], side[k] * rms[bins + k]);
            }
        }
        for plane in &mut self.planes[..layout.feature_channels()] {
            layout.bands().pool_into(plane, &mut self.bands);
            layout.bands().spread_into(&self.bands, &mut self.banded);
            for (x, b) in plane.iter_mut().zip(&self.banded) {
                *x -= *b;
            }
        }
    }

    /// One plane of bins for each feature channel; a mono front end leaves two unused.
    pub fn planes(&self) -> &[Vec<f32>; 3] {
        &self.planes
    }

    /// Spectra of the white noise of the frame, mid and side.
    #[cfg(all(test, feature = "parity"))]
    pub fn carriers(&self) -> &[Vec<Complex32>; 2] {
        &self.noise.spectra
    }
}

/// White noise addressed by absolute sample, and its spectra frame by frame.
struct WhiteNoise {
    /// Samples of the frame, of mid and side.
    samples: [Vec<f32>; 2],
    /// Seed and first sample of what `samples` hold: overlapping frames share most of them.
    held: Option<(u32, i64)>,
    spectra: [Vec<Complex32>; 2],
    scratch: StftScratch,
}

impl WhiteNoise {
    fn new(layout: &Layout) -> Self {
        Self {
            samples: std::array::from_fn(|_| vec![0.0; layout.stft().fft_size()]),
            held: None,
            spectra: std::array::from_fn(|_| vec![Complex32::default(); layout.bins()]),
            scratch: layout.stft().make_scratch(),
        }
    }

    /// Samples and spectra of frame `index`.
    fn advance_to(&mut self, layout: &Layout, seed: u32, index: i64) {
        let stft = layout.stft();
        let (size, hop) = (stft.fft_size(), stft.hop_size());
        let start = index * hop as i64;
        // The next frame shares all but one hop with the last one.
        let known = match self.held {
            Some((s, at)) if s == seed && at == start => size,
            Some((s, at)) if s == seed && at + hop as i64 == start => size - hop,
            _ => 0,
        };
        let channels = layout.magnitude_channels();
        for (c, samples) in (0..).zip(&mut self.samples[..channels]) {
            if known > 0 && known < size {
                samples.copy_within(hop.., 0);
            }
            let source = Noise::new(seed, stream::CARRIER + c);
            source.gaussians_into(start + known as i64, &mut samples[known..]);
        }
        self.held = Some((seed, start));
        for (samples, spectrum) in self.samples[..channels].iter().zip(&mut self.spectra) {
            stft.analyse_frame(samples, spectrum, &mut self.scratch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_the_same_however_it_is_reached() {
        let layout = Layout::new(8_000, 2, true).unwrap();
        let rms = vec![1.0; 2 * layout.bins()];
        let planes = |frames: &[(u32, i64)]| {
            let mut fine = FineStructure::new(&layout);
            for &(seed, index) in frames {
                fine.advance_to(&layout, &rms, seed, index);
            }
            fine.planes().clone()
        };
        let direct = planes(&[(3, -7)]);
        assert_eq!(direct, planes(&[(3, -9), (3, -8), (3, -7)]));
        assert_eq!(direct, planes(&[(3, 20), (3, -7), (3, -7)]));
        assert_eq!(direct, planes(&[(4, -8), (3, -7)]));
        assert_ne!(direct, planes(&[(4, -7)]));
    }

    #[test]
    fn banding_loses_nothing_of_bands_of_one_bin() {
        let layout = Layout::new(16_000, 1, false).unwrap();
        let mut fine = FineStructure::new(&layout);
        fine.advance_to(&layout, &vec![1.0; layout.bins()], 1, 0);
        let [mid, side, pan] = fine.planes();
        assert!(
            mid[1..layout.bands().direct() - 1]
                .iter()
                .all(|x| x.abs() < 1e-5)
        );
        assert!(mid.iter().any(|x| x.abs() > 0.3));
        assert!(
            side.iter().chain(pan).all(|&x| x == 0.0),
            "mono has no side"
        );
    }
}
