//! The layers of the generator, forward and backward, on row-major slices (a row is a column of time).
//!
//! Each backward function adds to nothing: it overwrites what it returns. The same forward functions
//! serve the fit and the streaming evaluation.

use super::FeatureRange;
use crate::numeric::linalg::{View, multiply};
use crate::numeric::simd::dispatch;

/// Slope of the leaky rectifier below zero.
pub const LEAK: f32 = 0.2;
/// The sum of two paths is scaled back to about unit deviation.
pub const RESIDUAL_GAIN: f32 = 0.7;
/// Taps of every convolution.
pub const TAPS: usize = 3;

/// `leaky_relu(x ∗ w + b)`: valid correlation of `x` (`n × inputs`) with `w` (`3 × inputs × outputs`)
/// to `out` (`n − 2 × outputs`).
pub(crate) fn convolve(x: &[f32], inputs: usize, w: &[f32], b: &[f32], out: &mut [f32]) {
    let outputs = b.len();
    for row in out.chunks_exact_mut(outputs) {
        row.copy_from_slice(b);
    }
    multiply(
        out,
        View::windows(x, inputs, TAPS),
        View::new(w, TAPS * inputs, outputs),
        true,
    );
    for y in out.iter_mut() {
        *y = y.max(*y * LEAK);
    }
}

/// Where the gradients of a layer go: by its input, where that is wanted, its weights and its bias.
pub(crate) struct Gradients<'a> {
    pub dx: Option<&'a mut [f32]>,
    pub dw: &'a mut [f32],
    pub db: &'a mut [f32],
}

/// Gradients of [`convolve`] from its result `y` and the gradient of that.
pub(crate) fn convolve_backward(
    x: &[f32],
    inputs: usize,
    w: &[f32],
    y: &[f32],
    dy: &[f32],
    Gradients { dx, dw, db }: Gradients<'_>,
) {
    let outputs = db.len();
    let rows = y.len() / outputs;
    let slope = |(&y, &d): (&f32, &f32)| if y > 0.0 { d } else { d * LEAK };
    let pre: Vec<f32> = y.iter().zip(dy).map(slope).collect();
    sum_rows(&pre, db);
    let pre_view = View::new(&pre, rows, outputs);
    multiply(
        dw,
        View::windows(x, inputs, TAPS).transposed(),
        pre_view,
        false,
    );
    let Some(dx) = dx else { return };
    dx.fill(0.0);
    for (tap, w) in w.chunks_exact(inputs * outputs).enumerate() {
        let part = &mut dx[tap * inputs..(tap + rows) * inputs];
        multiply(
            part,
            pre_view,
            View::new(w, inputs, outputs).transposed(),
            true,
        );
    }
}

fn sum_rows(x: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    for row in x.chunks_exact(out.len()) {
        for (o, v) in out.iter_mut().zip(row) {
            *o += v;
        }
    }
}

/// `0.7 · (a without its first and last row + b)`, rows of `width`.
pub(crate) fn residual(a: &[f32], b: &[f32], width: usize, out: &mut [f32]) {
    for ((o, a), b) in out.iter_mut().zip(&a[width..a.len() - width]).zip(b) {
        *o = (a + b) * RESIDUAL_GAIN;
    }
}

/// Gradients of [`residual`].
pub(crate) fn residual_backward(dy: &[f32], width: usize, da: &mut [f32], db: &mut [f32]) {
    let end = da.len() - width;
    da[..width].fill(0.0);
    da[end..].fill(0.0);
    for ((a, b), d) in da[width..end].iter_mut().zip(db).zip(dy) {
        *a = d * RESIDUAL_GAIN;
        *b = *a;
    }
}

/// `h · w + b`: `n × hidden` by `hidden × features`.
fn linear(h: &[f32], hidden: usize, w: &[f32], b: &[f32], out: &mut [f32]) {
    let features = b.len();
    for row in out.chunks_exact_mut(features) {
        row.copy_from_slice(b);
    }
    let h = View::new(h, h.len() / hidden, hidden);
    multiply(out, h, View::new(w, hidden, features), true);
}

/// `h · w + b` (`n × hidden` by `hidden × features`), then each feature within its soft limits ([`FeatureRange`]).
pub(crate) fn head(
    h: &[f32],
    hidden: usize,
    w: &[f32],
    b: &[f32],
    range: &FeatureRange,
    out: &mut [f32],
) {
    linear(h, hidden, w, b, out);
    dispatch(
        #[inline(always)]
        || {
            for row in out.chunks_exact_mut(b.len()) {
                for (y, limits) in row.iter_mut().zip(range.limits()) {
                    *y = limits.apply(*y);
                }
            }
        },
    );
}

/// [`head`], and the `slopes` of the soft limits where its results lie, which [`head_backward`] needs.
pub(crate) fn head_with_slopes(
    h: &[f32],
    hidden: usize,
    w: &[f32],
    b: &[f32],
    range: &FeatureRange,
    out: &mut [f32],
    slopes: &mut [f32],
) {
    linear(h, hidden, w, b, out);
    let features = b.len();
    dispatch(
        #[inline(always)]
        || {
            let rows = out.chunks_exact_mut(features);
            for (row, slopes) in rows.zip(slopes.chunks_exact_mut(features)) {
                for ((y, slope), limits) in row.iter_mut().zip(slopes).zip(range.limits()) {
                    (*y, *slope) = limits.apply_with_slope(*y);
                }
            }
        },
    );
}

/// Gradients of [`head`], from the gradient `dy` by its result. `slopes` become the gradient by the linear output.
pub(crate) fn head_backward(
    h: &[f32],
    hidden: usize,
    w: &[f32],
    dy: &[f32],
    slopes: &mut [f32],
    Gradients { dx, dw, db }: Gradients<'_>,
) {
    let (features, rows) = (db.len(), h.len() / hidden);
    for (slope, dy) in slopes.iter_mut().zip(dy) {
        *slope *= dy;
    }
    sum_rows(slopes, db);
    let by_linear = View::new(slopes, rows, features);
    let h = View::new(h, rows, hidden);
    multiply(dw, h.transposed(), by_linear, false);
    if let Some(dx) = dx {
        let w = View::new(w, hidden, features);
        multiply(dx, by_linear, w.transposed(), false);
    }
}
