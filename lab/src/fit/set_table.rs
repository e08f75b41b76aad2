//! How the stretches of every set of the loss lie behind each other, in steps of one length.

use candle_core::{Result, Tensor};
use weft_core::texture::loss::{BANK_FAMILIES, BANKS, SlicedWasserstein};

use super::machine::Machine;

/// Families of filters in a step.
pub const FAMILIES: usize = BANKS * BANK_FAMILIES;

/// Where the stretches of every set lie.
#[derive(Debug)]
pub struct SetTable {
    /// Of every set: its pooling as a power of two, its reach, the capture's stretches, where their sorted projections
    /// begin, the step's stretches, and where their projections begin. As kernels read it.
    numbers: Tensor,
    weights: Tensor,
    /// Of every set, where the capture's sorted projections begin, and of how many stretches a family has.
    sorted: Vec<(usize, usize)>,
    sorted_length: usize,
    projected_length: usize,
}

impl SetTable {
    /// For steps of `frames` frames.
    pub fn new(loss: &SlicedWasserstein, frames: usize, machine: &Machine) -> Result<Self> {
        let (mut numbers, mut sorted) = (Vec::new(), Vec::new());
        let (mut sorted_length, mut projected_length) = (0, 0);
        for set in loss.sets() {
            let [capture, own] = [loss.reference_frames(), frames]
                .map(|frames| (frames / set.pool).saturating_sub(set.reach));
            let pool = set.pool.trailing_zeros() as usize;
            let row = [
                pool,
                set.reach,
                capture,
                sorted_length,
                own,
                projected_length,
            ];
            numbers.extend(row.map(|number| number as u32));
            sorted.push((sorted_length, capture));
            sorted_length += FAMILIES * capture;
            projected_length += FAMILIES * own;
        }
        let weights: Vec<f32> = loss.sets().iter().map(|set| set.weight).collect();
        Ok(Self {
            numbers: Tensor::new(numbers, &machine.device)?,
            weights: Tensor::new(weights, &machine.device)?,
            sorted,
            sorted_length,
            projected_length,
        })
    }

    /// The table as kernels read it.
    pub fn numbers(&self) -> &Tensor {
        &self.numbers
    }

    /// What every set counts.
    pub fn weights(&self) -> &Tensor {
        &self.weights
    }

    /// Where the capture's sorted projections of a set begin, and how many stretches it has.
    pub fn sorted(&self, set: usize) -> (usize, usize) {
        self.sorted[set]
    }

    /// How many sorted projections the capture has, all sets and families.
    pub fn sorted_length(&self) -> usize {
        self.sorted_length
    }

    /// How many projections a step has, all sets and families.
    pub fn projected_length(&self) -> usize {
        self.projected_length
    }
}
