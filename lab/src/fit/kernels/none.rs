//! A build without CUDA.

use std::sync::Arc;

use candle_core::{Device, Result};

use super::{Argument, Grid, Product};

/// There are none.
#[derive(Debug)]
pub enum Kernels {}

impl Kernels {
    /// None, on any device.
    pub fn of(_: &Device) -> Result<Option<Arc<Self>>> {
        Ok(None)
    }

    /// Never called.
    pub fn launch(&self, _: &str, _: Grid, _: &[Argument<'_>]) -> Result<()> {
        match *self {}
    }

    /// Never called.
    pub fn multiply(&self, _: &Product<'_>) -> Result<()> {
        match *self {}
    }

    /// Never called.
    pub fn most_sorted(&self) -> usize {
        match *self {}
    }
}
