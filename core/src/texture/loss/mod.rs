//! Losses: how far a synthesis is from a capture, and which way it should move.

mod filters;
#[cfg(test)]
pub(crate) mod plain;
mod ranks;
mod sliced_wasserstein;

pub(crate) use filters::FeatureShape;
pub(crate) use sliced_wasserstein::{BANKS, StepTargets, TargetBank, TextureLoss};
