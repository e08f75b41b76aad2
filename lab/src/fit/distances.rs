//! The loss of a step: how far the distributions of random projections are from the capture's.

use candle_core::{DType, Result, Tensor};
use weft_core::texture::loss::SlicedWasserstein;

use super::kernels::{Argument, Grid, Kernels, unset};
use super::machine::Machine;
use super::order::ranks;
use super::pooled::{ByPooled, Pooled};
use super::set_table::{FAMILIES, SetTable};
use super::targets::Targets;
use super::terms::Terms;

/// What comparing steps of one length needs.
#[derive(Debug)]
pub struct Comparison {
    frames: usize,
    table: SetTable,
    /// Which of the capture's ranks stands for each rank of a step, for every set.
    quantiles: Vec<Tensor>,
    machine: Machine,
}

/// What the frames of a step are worth.
#[derive(Debug)]
pub struct Distance {
    /// Of every set, its part of the loss.
    pub by_set: Tensor,
    /// The loss.
    pub loss: Tensor,
    /// Its gradient by the features.
    pub by_features: Tensor,
}

impl Comparison {
    /// For steps of `frames` frames.
    pub fn new(loss: &SlicedWasserstein, frames: usize, machine: &Machine) -> Result<Self> {
        let sets = loss.sets().iter().map(|set| {
            let [own, capture] = [frames, loss.reference_frames()]
                .map(|frames| (frames / set.pool).saturating_sub(set.reach) as u64);
            // As the processor takes them.
            let per_half_rank = (capture << 32) / own.max(1) + 1;
            let index = |rank: u64| (((2 * rank + 1) * per_half_rank) >> 33) as u32;
            Tensor::new((0..own).map(index).collect::<Vec<_>>(), &machine.device)
        });
        Ok(Self {
            frames,
            table: SetTable::new(loss, frames, machine)?,
            quantiles: sets.collect::<Result<_>>()?,
            machine: machine.clone(),
        })
    }

    /// Compares a step's features with the capture's.
    pub fn compare(
        &self,
        loss: &SlicedWasserstein,
        targets: &Targets,
        features: &Tensor,
    ) -> Result<Distance> {
        let outputs = targets.filters.matmul(&features.t()?)?;
        let most = self.frames.max(loss.reference_frames());
        let (by_set, loss, by_outputs) = match &self.machine.kernels {
            Some(kernels) if most <= kernels.most_sorted() => {
                self.with_kernels(kernels, targets, &outputs)?
            }
            _ => {
                let (by_set, by_outputs) = self.with_tensors(loss, targets, outputs)?;
                (by_set.clone(), by_set.sum_all()?, by_outputs)
            }
        };
        Ok(Distance {
            loss,
            by_set,
            by_features: by_outputs.t()?.matmul(&targets.filters)?,
        })
    }

    fn with_tensors(
        &self,
        loss: &SlicedWasserstein,
        targets: &Targets,
        outputs: Tensor,
    ) -> Result<(Tensor, Tensor)> {
        let pooled = Pooled::new(outputs)?;
        let device = &self.machine.device;
        let terms = Terms::new(&targets.projections, loss.sets(), self.frames, device)?;
        let mut by_pooled = ByPooled::new();
        let mut values = Vec::new();
        for (i, set) in loss.sets().iter().enumerate() {
            let (sorted, precision) = targets.answers(i)?;
            let projected = terms.project(i, set, &pooled)?;
            let of_ranks = sorted.index_select(&self.quantiles[i], 1)?;
            let matched = of_ranks.gather(&ranks(&projected, &self.machine)?, 1)?;
            let difference = (projected - matched)?;
            let count = difference.dim(1)?;
            let scale = f64::from(set.weight) / (FAMILIES * count) as f64;
            let scale = precision.affine(scale, 0.0)?;
            let square = difference.sqr()?.sum_keepdim(1)?.mul(&scale)?;
            values.push(square.sum_all()?);
            let by_projections = difference.broadcast_mul(&scale.affine(2.0, 0.0)?)?;
            by_pooled.add(set, terms.backward(i, set, &by_projections)?)?;
        }
        Ok((Tensor::stack(&values, 0)?, by_pooled.backward(self.frames)?))
    }

    fn with_kernels(
        &self,
        kernels: &Kernels,
        targets: &Targets,
        outputs: &Tensor,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        let (device, sets) = (&self.machine.device, self.quantiles.len());
        let projected = unset(self.table.projected_length(), DType::F32, device)?;
        let values = unset((sets, FAMILIES), DType::F32, device)?;
        let by_outputs = unset(outputs.shape(), DType::F32, device)?;
        let (grid, padded) = Grid::sorts((FAMILIES, sets), self.frames);
        let begin = [
            Argument::Int(self.frames),
            Argument::Tensor(&targets.terms),
            Argument::Tensor(&targets.weights),
            Argument::Tensor(self.table.numbers()),
        ];
        let mut arguments = vec![Argument::Tensor(outputs)];
        arguments.extend(begin);
        arguments.extend([
            Argument::Tensor(self.table.weights()),
            Argument::Int(sets),
            Argument::Int(padded),
            Argument::Tensor(&targets.sorted),
            Argument::Tensor(&targets.precision),
            Argument::Tensor(&projected),
            Argument::Tensor(&values),
        ]);
        kernels.launch("compare", grid, &arguments)?;
        let mut arguments = vec![Argument::Tensor(&projected)];
        arguments.extend(begin);
        arguments.extend([Argument::Int(sets), Argument::Tensor(&by_outputs)]);
        let grid = Grid::rows(self.frames, outputs.dim(0)?);
        kernels.launch("compare_backward", grid, &arguments)?;
        let sums = unset(sets + 1, DType::F32, device)?;
        let arguments = [
            Argument::Tensor(&values),
            Argument::Int(sets),
            Argument::Int(FAMILIES),
            Argument::Tensor(&sums),
        ];
        kernels.launch("set_sums", Grid::small_blocks(1), &arguments)?;
        Ok((sums.narrow(0, 0, sets)?, sums.get(sets)?, by_outputs))
    }
}
