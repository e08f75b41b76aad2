//! What a time scale's first convolution sees: the values of all blocks side by side.

use super::{Form, ScaleInputs, TABLE_CHANNELS};
use crate::numeric::linalg::{View, multiply};

/// Joins the blocks of `inputs` to `out` (`columns × width`), with the coarser scale's columns `coarse`
/// (`m × hidden`, each twice) and the learned `table` (`entries × TABLE_CHANNELS`).
pub(crate) fn join(
    inputs: &ScaleInputs,
    coarse: &[f32],
    hidden: usize,
    table: &[f32],
    out: &mut [f32],
) {
    let width = inputs.width(hidden);
    let mut place = 0;
    for block in &inputs.blocks {
        let wide = block.form.width(hidden);
        let rows = out.chunks_exact_mut(width);
        let parts = rows.map(|row| &mut row[place..place + wide]);
        match block.form {
            Form::Values { .. } | Form::Noise { .. } => {
                for (part, values) in parts.zip(block.values.chunks_exact(wide)) {
                    part.copy_from_slice(values);
                }
            }
            Form::Coarser => {
                for (part, i) in parts.zip(inputs.skip..) {
                    let at = i / 2 * hidden;
                    part.copy_from_slice(&coarse[at..at + hidden]);
                }
            }
            Form::TableWeights => {
                let entries = table.len() / wide;
                let weights = View::new(&block.values, inputs.columns, entries);
                let mut mixed = vec![0.0; inputs.columns * wide];
                multiply(&mut mixed, weights, View::new(table, entries, wide), false);
                for (part, mixed) in parts.zip(mixed.chunks_exact(wide)) {
                    part.copy_from_slice(mixed);
                }
            }
        }
        place += wide;
    }
}

/// Gradients of [`join`] by the coarser scale's columns and by the table, from the gradient `dy` by its
/// result. Where no block looks at one of them, its gradient stays as it is.
pub(crate) fn join_backward(
    inputs: &ScaleInputs,
    hidden: usize,
    dy: &[f32],
    by_coarse: &mut [f32],
    by_table: &mut [f32],
) {
    let width = inputs.width(hidden);
    let mut place = 0;
    for block in &inputs.blocks {
        match block.form {
            Form::Values { .. } | Form::Noise { .. } => {}
            Form::Coarser => {
                by_coarse.fill(0.0);
                for (row, i) in dy.chunks_exact(width).zip(inputs.skip..) {
                    let at = i / 2 * hidden;
                    let coarse = &row[place..place + hidden];
                    for (d, g) in by_coarse[at..at + hidden].iter_mut().zip(coarse) {
                        *d += g;
                    }
                }
            }
            Form::TableWeights => {
                let entries = by_table.len() / TABLE_CHANNELS;
                let weights = View::new(&block.values, inputs.columns, entries);
                let (rows, channels) = (inputs.columns, TABLE_CHANNELS);
                let gradient = View::strided(&dy[place..], rows, channels, width, 1);
                multiply(by_table, weights.transposed(), gradient, false);
            }
        }
        place += block.form.width(hidden);
    }
}
