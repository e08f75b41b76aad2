//! What a step computes, stage by stage: by it one device is checked against another.

use super::StepReport;
use crate::network::Weights;

/// All stages of one step. Gradients by the features are those of every frame of the step.
#[derive(Clone, Debug)]
pub struct StepTrace {
    /// What the network made.
    pub features: Vec<f32>,
    /// Of every set of the loss, its part of it.
    pub by_set: Vec<f32>,
    /// Gradient by the features of the distances of random projections.
    pub by_projections: Vec<f32>,
    /// That, and of the contexts' moments.
    pub with_contexts: Vec<f32>,
    /// That, and of the critic.
    pub with_critic: Vec<f32>,
    /// Gradients by the critic's parameters, one behind the other; empty where it did not learn.
    pub by_critic: Vec<f32>,
    /// Gradients by the weights.
    pub by_weights: Weights,
    /// The weights after the step.
    pub weights: Weights,
    /// What the step reported.
    pub report: StepReport,
}
