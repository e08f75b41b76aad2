//! The settings at which a texture's frames and levels are known: between them, both sides interpolate.

use crate::network::{Axis, NodeGrid};

/// Nodes that every frame carries: other densities lie between these temperatures. The network is piecewise
/// linear, and so nearly is what lies between.
pub(super) const NODES: NodeGrid = NodeGrid::of_temperatures(&[0.0, 1.0, 2.0]);
/// Contrasts at which levels are measured.
pub(super) const CONTRASTS: Axis = Axis::new(&[0.0, 0.5, 1.0, 1.5, 2.0]);
/// Node and place among the contrasts of the texture as it was captured.
pub(super) const AS_CAPTURED: (usize, usize) = (1, 2);
