//! Rows that are gathered from others by number. Sums over rows that would be scattered are gathered as well: no device
//! has to add to one place from several threads, and the sums' order is fixed.

use candle_core::{DType, Result, Tensor};

use super::kernels::{Argument, Grid, unset};
use super::machine::Machine;

/// Which rows are added to each row of a result: a table of numbers, with one past the last for none.
#[derive(Clone, Debug)]
pub struct Gather {
    /// `rows · most` numbers.
    indices: Tensor,
    /// Rows that are gathered from.
    from: usize,
    rows: usize,
    /// Rows that one row of the result is the sum of, at most.
    most: usize,
    machine: Machine,
}

impl Gather {
    /// Every row of the result is the sum of the rows in its list, of `from` rows.
    pub fn new(lists: &[Vec<usize>], from: usize, machine: &Machine) -> Result<Self> {
        let most = lists.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let padded = lists.iter().flat_map(|list| {
            let list = list.iter().map(|&row| row as u32);
            list.chain(std::iter::repeat(from as u32)).take(most)
        });
        let indices: Vec<u32> = padded.collect();
        Ok(Self {
            indices: Tensor::new(indices, &machine.device)?,
            from,
            rows: lists.len(),
            most,
            machine: machine.clone(),
        })
    }

    /// Of `x`, stacks of rows (`stack × rows × width`): stacks of the result's rows.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let (stack, from, width) = x.dims3()?;
        debug_assert_eq!(from, self.from);
        if let Some(kernels) = &self.machine.kernels {
            let x = x.contiguous()?;
            let out = unset((stack, self.rows, width), DType::F32, &self.machine.device)?;
            let grid = Grid::each(stack * self.rows * width);
            let sizes = [stack, from, self.rows, self.most, width].map(Argument::Int);
            let tensors = [&x, &self.indices, &out].map(Argument::Tensor);
            kernels.launch("gather", grid, &[&tensors[..], &sizes].concat())?;
            return Ok(out);
        }
        let none = Tensor::zeros((stack, 1, width), x.dtype(), x.device())?;
        let gathered = Tensor::cat(&[x, &none], 1)?.index_select(&self.indices, 1)?;
        if self.most == 1 {
            return Ok(gathered);
        }
        gathered
            .reshape((stack, self.rows, self.most, width))?
            .sum(2)
    }
}
