//! What the network sees in a step, on a device.

use candle_core::Tensor;

/// What a scale's first convolution sees but for the coarser scale's columns, which lie between the two.
#[derive(Clone, Debug)]
pub struct ScaleSeen {
    /// Fresh noise, `columns × width`.
    pub values: Tensor,
    pub period: Option<Period>,
}

/// What a scale sees of a period.
#[derive(Clone, Debug)]
pub enum Period {
    /// As it is, `columns × width`.
    Values(Tensor),
    /// The weights of the table's entries, `columns × entries`.
    TableWeights(Tensor),
}

/// What every scale sees.
pub type Inputs = Vec<ScaleSeen>;
