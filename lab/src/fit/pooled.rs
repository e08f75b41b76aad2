//! Averages over time: runs of values at every pooling of the loss's sets.

use candle_core::{Result, Tensor};
use weft_core::texture::loss::Set;

/// Poolings that the sets use: each twice the last.
const POOLS: usize = 5;

/// Runs of values at every pooling, `rows × frames`.
#[derive(Debug)]
pub struct Pooled(Vec<Tensor>);

impl Pooled {
    /// Pools runs: each pooling is the last one's pairs.
    pub fn new(runs: Tensor) -> Result<Self> {
        let mut pooled = vec![runs];
        for pool in 1..POOLS {
            let finer = &pooled[pool - 1];
            let (rows, pairs) = (finer.dim(0)?, finer.dim(1)? / 2);
            if pairs == 0 {
                break;
            }
            let paired = finer.narrow(1, 0, 2 * pairs)?.contiguous()?;
            let coarser = paired.reshape((rows, pairs, 2))?.sum(2)?.affine(0.5, 0.0)?;
            pooled.push(coarser);
        }
        Ok(Self(pooled))
    }

    /// The runs at the pooling of a set.
    pub fn at(&self, set: &Set) -> &Tensor {
        &self.0[place(set)]
    }
}

/// Gradients by runs at every pooling.
#[derive(Debug)]
pub struct ByPooled(Vec<Option<Tensor>>);

impl ByPooled {
    pub fn new() -> Self {
        Self((0..POOLS).map(|_| None).collect())
    }

    /// Adds what a set finds.
    pub fn add(&mut self, set: &Set, part: Tensor) -> Result<()> {
        let sum = &mut self.0[place(set)];
        *sum = Some(match sum.take() {
            Some(sum) => (sum + part)?,
            None => part,
        });
        Ok(())
    }

    /// The gradient by the runs of `frames` frames before any pooling.
    pub fn backward(self, frames: usize) -> Result<Tensor> {
        let mut coarser: Option<Tensor> = None;
        for (pool, own) in self.0.into_iter().enumerate().rev() {
            let length = frames >> pool;
            let from_coarser = coarser.map(|coarser| {
                let (rows, pairs) = coarser.dims2()?;
                let doubled = coarser.affine(0.5, 0.0)?.unsqueeze(2)?;
                let doubled = doubled.broadcast_as((rows, pairs, 2))?.contiguous()?;
                let doubled = doubled.reshape((rows, 2 * pairs))?;
                doubled.pad_with_zeros(1, 0, length - 2 * pairs)
            });
            coarser = match (own, from_coarser.transpose()?) {
                (Some(own), Some(coarser)) => Some((own + coarser)?),
                (own, coarser) => own.or(coarser),
            };
        }
        match coarser {
            Some(gradient) => Ok(gradient),
            None => candle_core::bail!("a loss without sets"),
        }
    }
}

fn place(set: &Set) -> usize {
    set.pool.trailing_zeros() as usize
}
