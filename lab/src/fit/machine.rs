//! Where the tensors of a fit are, and what is there besides.

use std::sync::Arc;

use candle_core::Device;

use super::kernels::Kernels;

/// A device of the tensor library, and our own operations on it, if it has them.
#[derive(Clone, Debug)]
pub struct Machine {
    pub device: Device,
    pub kernels: Option<Arc<Kernels>>,
}
