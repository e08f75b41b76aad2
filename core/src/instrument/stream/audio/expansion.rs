//! The frame that is being made: from features to magnitudes at full resolution, plane by plane.

use crate::inversion::TargetFrame;
use crate::spectrum::{FrameSpectrum, FrontEnd};

/// A plane of a frame, at full resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plane {
    /// Magnitudes of mid.
    Mid,
    /// Magnitudes of side; only in stereo.
    Side,
    /// The pan index; only in stereo.
    Pan,
}

impl Plane {
    /// Its feature channel, see [`FrontEnd`].
    pub fn channel(self) -> usize {
        self as usize
    }

    /// The plane of a spectrum.
    pub fn of(self, spectrum: &FrameSpectrum) -> &[f32] {
        match self {
            Self::Mid => &spectrum.mid,
            Self::Side => &spectrum.side,
            Self::Pan => &spectrum.pan,
        }
    }
}

/// Features of one frame, and the magnitudes that become of them.
pub(super) struct Expansion {
    features: Vec<f32>,
    target: FrameSpectrum,
    /// Working memory: a plane's bands, and its log magnitudes at full resolution.
    bands: Vec<f32>,
    full: Vec<f32>,
}

impl Expansion {
    /// For frames of `front_end`. Allocates.
    pub fn new(front_end: &FrontEnd) -> Self {
        let bins = front_end.stft().bins();
        Self {
            features: vec![0.0; front_end.feature_width()],
            target: FrameSpectrum::silent(bins),
            bands: vec![0.0; front_end.bands().count()],
            full: vec![0.0; bins],
        }
    }

    /// The frame's features, to be written.
    pub fn features_mut(&mut self) -> &mut [f32] {
        &mut self.features
    }

    /// Makes one plane of the features and of `fine` structure (bins), magnitudes with the bins' `gains`. Leaves
    /// the planes that a mono texture hasn't as they are.
    pub fn make_plane(&mut self, plane: Plane, front_end: &FrontEnd, fine: &[f32], gains: &[f32]) {
        let channel = plane.channel();
        if channel >= front_end.feature_channels() {
            return;
        }
        let count = front_end.bands().count();
        let features = &self.features[channel * count..(channel + 1) * count];
        let out = match plane {
            Plane::Mid => &mut self.target.mid,
            Plane::Side => &mut self.target.side,
            Plane::Pan => &mut self.target.pan,
        };
        front_end.log_plane_into(channel, features, fine, &mut self.bands, &mut self.full);
        front_end.plane_into(channel, &self.full, out);
        if channel < front_end.magnitude_channels() {
            for (x, gain) in out.iter_mut().zip(gains) {
                *x *= gain;
            }
        }
    }

    /// The magnitudes as frame number `index` for an inverter.
    pub fn target(&self, index: i64, is_stereo: bool) -> TargetFrame<'_> {
        let FrameSpectrum { mid, side, pan } = &self.target;
        TargetFrame {
            index,
            mid,
            side_pan: is_stereo.then_some((side.as_slice(), pan.as_slice())),
        }
    }

    /// Magnitudes of mid and side that were made last.
    pub fn magnitudes(&self) -> [&[f32]; 2] {
        [&self.target.mid, &self.target.side]
    }
}
