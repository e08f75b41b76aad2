//! The order of many numbers, row by row.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};
use weft_core::texture::loss::Ranker;

use super::kernels::{Argument, Grid, unset};
use super::machine::Machine;
use crate::tensors::stored;

/// The numbers of the columns of every row of `x`, in ascending order of its values.
pub fn order(x: &Tensor, machine: &Machine) -> Result<Tensor> {
    sorted(x, machine, false)
}

/// The rank of every value in its row.
pub fn ranks(x: &Tensor, machine: &Machine) -> Result<Tensor> {
    sorted(x, machine, true)
}

fn sorted(x: &Tensor, machine: &Machine, wants_ranks: bool) -> Result<Tensor> {
    let x = x.contiguous()?;
    let (rows, columns) = x.dims2()?;
    match &machine.kernels {
        _ if x.device().is_cpu() => x.apply_op1_no_bwd(&Order { wants_ranks }),
        Some(kernels) if columns <= kernels.most_sorted() => {
            let out = unset((rows, columns), DType::U32, &machine.device)?;
            let (grid, padded) = Grid::sorts((rows, 1), columns);
            let arguments = [
                Argument::Tensor(&x),
                Argument::Tensor(&out),
                Argument::Int(columns),
                Argument::Int(padded),
                Argument::Int(wants_ranks.into()),
            ];
            kernels.launch("order", grid, &arguments)?;
            Ok(out)
        }
        _ => {
            let order = x.arg_sort_last_dim(true)?;
            // Ranks are the order of the order.
            if wants_ranks {
                order.arg_sort_last_dim(true)
            } else {
                Ok(order)
            }
        }
    }
}

/// Ranks as the fit on the processor takes them: values that are closer than the last digit of a key are equal.
struct Order {
    wants_ranks: bool,
}

impl CustomOp1 for Order {
    fn name(&self) -> &'static str {
        "order"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = stored(storage, layout)?;
        let columns = layout.dims().last().copied().unwrap_or(1).max(1);
        let mut out = vec![0u32; values.len()];
        let mut ranker = Ranker::default();
        let rows = out.chunks_exact_mut(columns);
        for (out, values) in rows.zip(values.chunks_exact(columns)) {
            for (rank, column) in ranker.order(values).enumerate() {
                if self.wants_ranks {
                    out[column] = rank as u32;
                } else {
                    out[rank] = column as u32;
                }
            }
        }
        Ok((CpuStorage::U32(out), layout.shape().clone()))
    }
}
