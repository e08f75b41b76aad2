//! Losses: how far a synthesis is from a reference, and which way it should move.
//!
//! Every member compares rows of features (frames of a spectrogram, or activations of a network) with a
//! reference that it was made for, and has a forward and a backward pass ([`Loss`]). The fit uses
//! [`SlicedWasserstein`], split into parts that several threads work on; the scores
//! ([`score`](super::score)) use the forward passes of [`GramLoss`] and [`AutocorrelationLoss`]. Another term
//! of a loss, whether it is fixed or learns with the network, is another [`Loss`] whose gradient is added.

mod autocorrelation;
mod contexts;
mod critic;
mod diversity;
#[cfg(test)]
mod gradient_check;
mod gram;
mod random_network;
mod sliced_wasserstein;

pub use autocorrelation::{AutocorrelationLoss, Autocorrelations};
pub use contexts::ContextLoss;
pub(crate) use contexts::{ContextComparison, ContextMemory, SeenContexts};
pub use critic::{Convolution, Critic, CriticNetwork, CriticSettings, Layout, Sight};
pub(crate) use critic::{CriticGradient, LEAST_SEEN_FRAMES};
pub use diversity::{DiversityLoss, NearestShift};
pub use gram::{GramLoss, GramSettings};
#[cfg(test)]
pub(crate) use sliced_wasserstein::plain;
pub use sliced_wasserstein::{
    BANK_FAMILIES, BANKS, DrawnBank, FAMILY, FeatureShape, Projection, Ranker, Set,
    SlicedWasserstein, StepLoss, Term, VARIANCE_FLOOR,
};
pub(crate) use sliced_wasserstein::{BankComparison, StepTargets, TargetBank};

/// A distance of rows of features from a reference, and its gradient.
pub trait Loss {
    /// What the forward pass keeps for the backward pass.
    type Kept;

    /// The loss of `synthesis` (rows of features), and what its gradient is made of.
    fn forward(&self, synthesis: &[f32]) -> (f64, Self::Kept);

    /// Adds `weight` times the gradient of [`forward`](Self::forward) by `synthesis` to `gradient`, from what
    /// it kept of the same `synthesis`.
    fn backward(&self, synthesis: &[f32], kept: &Self::Kept, weight: f32, gradient: &mut [f32]);
}
