//! What makes a texture: the losses and periods that the fit is driven by, and scores of what comes out.

mod filters;
mod periods;
#[cfg(test)]
pub(crate) mod plain_loss;
mod ranks;
pub mod score;
mod sliced_wasserstein;

pub(crate) use filters::FeatureShape;
pub use periods::{Period, find_periods};
pub(crate) use sliced_wasserstein::{BANKS, StepTargets, TargetBank, TextureLoss};
