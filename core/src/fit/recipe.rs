//! What is fitted: all that is measured on the capture, and how the fit goes about it.

use std::sync::Arc;

use super::calibration::{FINAL_FRAMES, Levels, SNAPSHOT_FRAMES};
use super::{FitError, FitSettings, LEAST_FRAMES};
use crate::clip::Clip;
use crate::network::{FeatureRange, Generator};
use crate::numeric::random::Sequence;
use crate::spectrum::FrontEnd;
use crate::texture::loss::{
    ContextLoss, Critic, CriticNetwork, CriticSettings, FeatureShape, LEAST_SEEN_FRAMES, Sight,
    SlicedWasserstein,
};
use crate::texture::{Period, find_periods};

/// A period at least this strong becomes an input of the network.
pub(super) const PERIOD_INPUT_GATE: f64 = 0.6;
/// Share of its channel's mean deviation in the whitening of a feature.
const WHITENING_SHARE: f32 = 0.3;
/// The critic's learning rate, the noise that blurs what it sees in deviations of a feature, and how far apart
/// its verdicts may be. One that learns faster, sees more or goes further makes fits diverge.
const CRITIC_RATE: f32 = 4e-4;
const CRITIC_NOISE: f32 = 0.15;
const CRITIC_MOST_GAP: f32 = 2.0;
/// Keeps what the critic draws apart from all else that is drawn from the fit's seed.
const CRITIC_SEED: u64 = 0x0C41_71C5;
/// Keeps the noise that levels are measured with apart from all else that is drawn from the fit's seed.
const CALIBRATION_SEED: u64 = 0x0451_C0DE;

/// A capture, ready to be fitted: what is measured on it, the loss against it, and how the fit goes about it.
#[derive(Clone, Debug)]
pub struct Recipe {
    front_end: Arc<FrontEnd>,
    range: FeatureRange,
    periods: Vec<Period>,
    loss: SlicedWasserstein,
    levels: Levels,
    settings: FitSettings,
}

impl Recipe {
    /// Analyses the part of a capture that is to be fitted.
    ///
    /// # Errors
    /// [`FitError`] if the settings are out of range, or the clip is too short or silent.
    pub fn new(clip: &Clip, settings: &FitSettings) -> Result<Self, FitError> {
        settings.check()?;
        clip.check_texture()?;
        let (front_end, features) = FrontEnd::analyse(clip)?;
        let bands = front_end.bands().count();
        let frames = features.data.chunks_exact(features.width);
        let mid: Vec<f32> = frames.flat_map(|row| &row[..bands]).copied().collect();
        let periods = find_periods(&mid, bands, front_end.frame_rate());
        let magnitude_width = front_end.magnitude_channels() * bands;
        let levels = Levels::measure(&features.data, features.width, magnitude_width);
        let range = FeatureRange::measure(&features, magnitude_width);
        let channels = front_end.feature_channels();
        let loss = SlicedWasserstein::new(
            features.data,
            FeatureShape { channels, bands },
            &whitening(&range.deviation, bands),
            &periods,
            front_end.frame_rate(),
            LEAST_FRAMES,
        );
        Ok(Self {
            front_end: Arc::new(front_end),
            range,
            periods,
            loss,
            levels,
            settings: settings.clone(),
        })
    }

    /// The way from features to magnitudes.
    pub fn front_end(&self) -> &Arc<FrontEnd> {
        &self.front_end
    }

    /// The capture's periods, the network's input first if there is one.
    pub fn periods(&self) -> &[Period] {
        &self.periods
    }

    /// How the fit is made.
    pub fn settings(&self) -> &FitSettings {
        &self.settings
    }

    /// A critic that knows nothing yet; none for a capture too short to have one.
    pub fn new_critic(&self) -> Option<Critic> {
        let channels = self.front_end.feature_channels();
        let bands = self.front_end.bands().count();
        let whitening = whitening(&self.range.deviation, bands);
        let sight = Sight {
            shape: FeatureShape { channels, bands },
            mean: self.range.mean.clone(),
            scale: whitening.iter().map(|w| 1.0 / w).collect(),
            noise: CRITIC_NOISE,
        };
        let seed = Sequence::new(self.settings.seed ^ CRITIC_SEED, 0).next();
        let network = CriticNetwork::new(sight, seed);
        let settings = CriticSettings {
            rate: CRITIC_RATE,
            most_gap: CRITIC_MOST_GAP,
        };
        (self.loss.reference_frames() >= 2 * LEAST_SEEN_FRAMES)
            .then(|| Critic::new(network, settings))
    }

    /// The moments of the capture's contexts; none for a capture that has too few.
    pub fn new_contexts(&self) -> Option<ContextLoss> {
        self.loss.contexts(self.front_end.frame_rate())
    }

    /// What synthesis and capture are compared by.
    pub fn loss(&self) -> &SlicedWasserstein {
        &self.loss
    }

    /// A network that knows nothing yet.
    pub fn new_generator(&self) -> Generator {
        let strongest = self.periods.first();
        let period = strongest.filter(|p| p.strength > PERIOD_INPUT_GATE);
        Generator::new(
            self.front_end.frame_rate(),
            self.range.clone(),
            period.map(|p| p.frames),
            self.settings.seed,
        )
    }

    /// A trained network as it is kept: at the capture's levels, in half precision. Levels of the last one
    /// are measured over a longer stretch.
    pub fn finished(&self, mut generator: Generator, is_last: bool) -> Generator {
        let seed = Sequence::new(self.settings.seed ^ CALIBRATION_SEED, 0).next() as u32;
        let frames = if is_last {
            FINAL_FRAMES
        } else {
            SNAPSHOT_FRAMES
        };
        self.levels.apply(&mut generator, seed, frames);
        generator.round_to_half();
        generator
    }
}

/// Scales of the features in the loss: partly each feature's own deviation, partly its channel's.
pub(super) fn whitening(deviation: &[f32], bands: usize) -> Vec<f32> {
    deviation
        .chunks_exact(bands)
        .flat_map(|channel| {
            let mean_square = channel.iter().map(|d| d * d).sum::<f32>() / bands as f32;
            let share = WHITENING_SHARE * mean_square.sqrt();
            channel
                .iter()
                .map(move |d| share + (1.0 - WHITENING_SHARE) * d)
        })
        .collect()
}
