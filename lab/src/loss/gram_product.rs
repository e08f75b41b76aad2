//! The Gram matrix as one operation on the processor.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use weft_core::numeric::linalg::{View, multiply};
use weft_core::numeric::threads::Threads;

use crate::tensors::{stored, with_values};

/// [`gram`](super::gram()) of a map. Both factors of the product are the same, so that its gradient is one product,
/// where the library makes two.
pub(super) struct GramProduct;

impl CustomOp1 for GramProduct {
    fn name(&self) -> &'static str {
        "Gram matrix"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let map = stored(storage, layout)?;
        let (places, count) = layout.shape().dims2()?;
        let view = View::new(map, places, count);
        let gram = by_rows(count, count, |first, out| {
            let filters = out.len() / count;
            let part = View::strided(&map[first..], filters, places, 1, count);
            multiply(out, part, view, false);
            for product in out {
                *product /= places as f32;
            }
        });
        Ok((CpuStorage::F32(gram), Shape::from((count, count))))
    }

    fn bwd(&self, map: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (places, count) = map.dims2()?;
        let by_map = with_values(gradient, |by_gram| {
            let pairs = (0..count).flat_map(|row| (0..count).map(move |column| (row, column)));
            let both = pairs.map(|(row, column)| {
                (by_gram[row * count + column] + by_gram[column * count + row]) / places as f32
            });
            let both: Vec<f32> = both.collect();
            let by_gram = View::new(&both, count, count);
            with_values(map, |map| {
                by_rows(places, count, |first, out| {
                    let rows = out.len() / count;
                    let part = &map[first * count..][..rows * count];
                    multiply(out, View::new(part, rows, count), by_gram, false);
                })
            })
        })??;
        Tensor::from_vec(by_map, map.shape(), map.device()).map(Some)
    }
}

/// `rows × columns` values, of which each thread fills some rows: `fill` is told the first of them.
fn by_rows(rows: usize, columns: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let threads = Threads::new(0);
    let chunk = rows.div_ceil(2 * threads.count()).max(1);
    let mut out = vec![0.0; rows * columns];
    let chunks = out.chunks_mut(chunk * columns).enumerate();
    let mut chunks: Vec<(usize, &mut [f32])> = chunks.collect();
    threads.for_each(&mut chunks, |(index, out)| fill(*index * chunk, out));
    out
}
