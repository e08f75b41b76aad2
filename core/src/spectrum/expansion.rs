//! Features to magnitudes at full resolution, at the capture's own level.

use super::fine_structure::FineStructure;
use super::front_end::FrontEnd;
use crate::numeric::fast_math::exp;
use crate::numeric::simd::dispatch;

/// The pan index stays off ±1, where mid and side would be equal in every bin.
const PAN_MAX: f32 = 0.995;

/// Full-resolution magnitudes of one frame, made to be reused.
#[derive(Clone, Debug, Default)]
pub struct FrameSpectrum {
    /// `[bins]`: magnitudes of mid.
    pub mid: Vec<f32>,
    /// `[bins]`: magnitudes of side; zero in mono.
    pub side: Vec<f32>,
    /// `[bins]`: pan index in −1..1; zero in mono.
    pub pan: Vec<f32>,
}

impl FrameSpectrum {
    /// Silence of `bins` bins.
    pub fn silent(bins: usize) -> Self {
        Self {
            mid: vec![0.0; bins],
            side: vec![0.0; bins],
            pan: vec![0.0; bins],
        }
    }

    fn planes_mut(&mut self) -> [&mut Vec<f32>; 3] {
        [&mut self.mid, &mut self.side, &mut self.pan]
    }
}

/// Working memory of [`FrontEnd::expand`].
pub struct ExpandScratch {
    fine: FineStructure,
    bands: Vec<f32>,
    /// Log magnitudes (and pan index) of the last frame, fine structure included.
    full: [Vec<f32>; 3],
}

#[cfg(all(test, feature = "parity"))]
impl ExpandScratch {
    /// Spectra of the white noise of the last frame, mid and side.
    pub(crate) fn carriers(&self) -> &[Vec<super::Complex32>; 2] {
        self.fine.carriers()
    }

    /// Log magnitudes (and pan index) of the last frame, fine structure included.
    pub(crate) fn full(&self) -> &[Vec<f32>; 3] {
        &self.full
    }
}

impl FrontEnd {
    /// Allocates working memory for [`expand`](Self::expand).
    pub fn make_expand_scratch(&self) -> ExpandScratch {
        let bins = self.stft().bins();
        ExpandScratch {
            fine: FineStructure::new(self.layout()),
            bands: vec![0.0; self.bands().count()],
            full: std::array::from_fn(|_| vec![0.0; bins]),
        }
    }

    /// Features of the absolute frame `index` to magnitudes at the capture's own level.
    /// `seed` and `index` decide the fine structure; consecutive frames are the cheapest.
    ///
    /// # Panics
    /// If `features` is not [`feature_width`](Self::feature_width) long or `out` holds another number
    /// of bins.
    pub fn expand(
        &self,
        features: &[f32],
        seed: u32,
        index: i64,
        scratch: &mut ExpandScratch,
        out: &mut FrameSpectrum,
    ) {
        let (bins, count) = (self.stft().bins(), self.bands().count());
        assert_eq!(features.len(), self.feature_width());
        assert!(out.planes_mut().iter().all(|plane| plane.len() == bins));
        let ExpandScratch { fine, bands, full } = scratch;
        fine.advance_to(self.layout(), &self.constants().rms, seed, index);
        for (c, out) in out.planes_mut().into_iter().enumerate() {
            if c < self.feature_channels() {
                let features = &features[c * count..(c + 1) * count];
                self.log_plane_into(c, features, &fine.planes()[c], bands, &mut full[c]);
                self.plane_into(c, &full[c], out);
            } else {
                out.fill(0.0);
            }
        }
    }

    /// Fine structure of frame `index` for [`log_plane_into`](Self::log_plane_into), one plane for each
    /// feature channel; consecutive frames are the cheapest.
    pub(crate) fn fine_structure_into(
        &self,
        seed: u32,
        index: i64,
        scratch: &mut ExpandScratch,
        out: &mut FrameSpectrum,
    ) {
        let fine = &mut scratch.fine;
        fine.advance_to(self.layout(), &self.constants().rms, seed, index);
        let planes = out.planes_mut().into_iter().zip(fine.planes());
        for (out, fine) in planes.take(self.feature_channels()) {
            out.copy_from_slice(fine);
        }
    }

    /// Log magnitudes (or the pan index) at full resolution of feature channel `c`: `features` (bands)
    /// with `fine` structure (bins) to `full` (bins). `bands` is working memory. Real-time safe.
    pub(crate) fn log_plane_into(
        &self,
        c: usize,
        features: &[f32],
        fine: &[f32],
        bands: &mut [f32],
        full: &mut [f32],
    ) {
        let (bins, count) = (self.stft().bins(), self.bands().count());
        let constants = self.constants();
        let means = &constants.mean_band[c * count..(c + 1) * count];
        for ((o, x), m) in bands.iter_mut().zip(features).zip(means) {
            *o = x - m;
        }
        self.bands().spread_into(bands, full);
        let mean = &constants.mean_full[c * bins..];
        let depth = &constants.depth[c * bins..];
        let rows = full.iter_mut().zip(mean).zip(depth.iter().zip(fine));
        let magnitude = c < self.magnitude_channels();
        dispatch(
            #[inline(always)]
            || {
                if magnitude {
                    for ((x, mean), (depth, fine)) in rows {
                        // How steep log1p(cA) is over log A: the residual was measured in the former.
                        let log = (*x + mean).max(0.0);
                        *x = (log + (1.0 - exp(-log)) * depth * fine).max(0.0);
                    }
                } else {
                    for ((x, mean), (depth, fine)) in rows {
                        *x += mean + depth * fine;
                    }
                }
            },
        );
    }

    /// Log magnitudes (bins) of feature channel `c` to magnitudes at the capture's own level; the pan
    /// index is kept within its bounds. Real-time safe.
    pub(crate) fn plane_into(&self, c: usize, full: &[f32], out: &mut [f32]) {
        let bins = self.stft().bins();
        if c >= self.magnitude_channels() {
            for (o, p) in out.iter_mut().zip(full) {
                *o = p.clamp(-PAN_MAX, PAN_MAX);
            }
            return;
        }
        let scale = 1.0 / self.constants().analysis_gain;
        let equaliser = &self.constants().equaliser[c * bins..(c + 1) * bins];
        let rows = out.iter_mut().zip(full).zip(equaliser);
        dispatch(
            #[inline(always)]
            || {
                for ((o, &x), c) in rows {
                    *o = (exp(x) - 1.0) / c * scale;
                }
            },
        );
    }
}
