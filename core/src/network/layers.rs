//! The layers of the generator, forward and backward, on row-major slices (a row is a column of time).
//!
//! Each backward function adds to nothing: it overwrites what it returns. The same forward functions
//! serve the fit and the streaming evaluation.

use crate::numeric::fast_math::{sigmoid, softplus};
use crate::numeric::linalg::{View, multiply};
use crate::numeric::simd::dispatch;

/// Slope of the leaky rectifier below zero.
const LEAK: f32 = 0.2;
/// The sum of two paths is scaled back to about unit deviation.
const RESIDUAL_GAIN: f32 = 0.7;
/// How sharply the soft limits bend, per unit of log magnitude.
const CAP_SHARPNESS: f32 = 6.0;
/// Taps of every convolution.
pub(crate) const TAPS: usize = 3;

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

/// What stands beside the coarser scale's columns in the input of a scale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JoinParts<'a> {
    pub columns: usize,
    /// `columns × noise_width`, first.
    pub noise: &'a [f32],
    /// `columns × harmonics width`, after the coarser scale's columns; may be empty.
    pub harmonics: &'a [f32],
    /// `columns × table entries`; may be empty.
    pub table_weights: &'a [f32],
    /// Doubled columns of the coarser scale to leave out at the start.
    pub skip: usize,
}

impl JoinParts<'_> {
    fn widths(&self, hidden: usize, table_channels: usize) -> [usize; 4] {
        let table = if self.table_weights.is_empty() {
            0
        } else {
            table_channels
        };
        [
            self.noise.len() / self.columns,
            hidden,
            self.harmonics.len() / self.columns,
            table,
        ]
    }

    /// Channels of the joined input, with `hidden` channels from the coarser scale and
    /// `table_channels` from the table.
    pub fn width(&self, hidden: usize, table_channels: usize) -> usize {
        self.widths(hidden, table_channels).iter().sum()
    }
}

/// Joins noise, the coarser scale's columns `h` (`m × hidden`, each twice), harmonics and the table's
/// entry at the phase (`table`: entries × `table_channels`) to `out` (`columns × width`).
pub(crate) fn join(
    parts: &JoinParts<'_>,
    h: &[f32],
    hidden: usize,
    table: &[f32],
    table_channels: usize,
    out: &mut [f32],
) {
    let widths = parts.widths(hidden, table_channels);
    let width: usize = widths.iter().sum();
    let mut phase = vec![0.0; parts.columns * widths[3]];
    if widths[3] > 0 {
        let entries = table.len() / table_channels;
        let weights = View::new(parts.table_weights, parts.columns, entries);
        multiply(
            &mut phase,
            weights,
            View::new(table, entries, table_channels),
            false,
        );
    }
    for (i, row) in out.chunks_exact_mut(width).enumerate() {
        let (noise, row) = row.split_at_mut(widths[0]);
        let (coarse, row) = row.split_at_mut(hidden);
        let (harmonics, row) = row.split_at_mut(widths[2]);
        let at = (i + parts.skip) / 2 * hidden;
        noise.copy_from_slice(&parts.noise[i * widths[0]..(i + 1) * widths[0]]);
        coarse.copy_from_slice(&h[at..at + hidden]);
        harmonics.copy_from_slice(&parts.harmonics[i * widths[2]..(i + 1) * widths[2]]);
        row.copy_from_slice(&phase[i * widths[3]..(i + 1) * widths[3]]);
    }
}

/// Gradients of [`join`] by `h` and by the table.
pub(crate) fn join_backward(
    parts: &JoinParts<'_>,
    hidden: usize,
    table_channels: usize,
    dy: &[f32],
    dh: &mut [f32],
    dtable: &mut [f32],
) {
    let widths = parts.widths(hidden, table_channels);
    let width: usize = widths.iter().sum();
    dh.fill(0.0);
    for (i, row) in dy.chunks_exact(width).enumerate() {
        let at = (i + parts.skip) / 2 * hidden;
        let coarse = &row[widths[0]..widths[0] + hidden];
        for (d, g) in dh[at..at + hidden].iter_mut().zip(coarse) {
            *d += g;
        }
    }
    if widths[3] > 0 {
        let entries = dtable.len() / table_channels;
        let weights = View::new(parts.table_weights, parts.columns, entries);
        let gradient = View::strided(
            &dy[width - widths[3]..],
            parts.columns,
            table_channels,
            width,
            1,
        );
        multiply(dtable, weights.transposed(), gradient, false);
    }
}

/// The capture's own range and scale of every feature.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FeatureRange {
    pub mean: Vec<f32>,
    pub deviation: Vec<f32>,
    pub low: Vec<f32>,
    pub high: Vec<f32>,
}

/// The range of one feature.
#[derive(Clone, Copy)]
struct Limits {
    mean: f32,
    deviation: f32,
    low: f32,
    high: f32,
}

impl FeatureRange {
    /// The ranges of the features, in their order: loops that zip them need no bounds checks, and vectorise.
    #[inline(always)]
    fn limits(&self) -> impl Iterator<Item = Limits> {
        let middles = self.mean.iter().zip(&self.deviation);
        let bounds = self.low.iter().zip(&self.high);
        middles
            .zip(bounds)
            .map(|((&mean, &deviation), (&low, &high))| Limits {
                mean,
                deviation,
                low,
                high,
            })
    }
}

impl Limits {
    /// Linear output to a feature: scaled to the capture, then softly kept inside its range.
    #[inline(always)]
    fn apply(self, z: f32) -> f32 {
        let y = self.below(self.to_high(z));
        self.low + softplus((y - self.low) * CAP_SHARPNESS) / CAP_SHARPNESS
    }

    /// Derivative of [`apply`](Self::apply).
    #[inline(always)]
    fn slope(self, z: f32) -> f32 {
        let to_high = self.to_high(z);
        let y = self.below(to_high);
        sigmoid((y - self.low) * CAP_SHARPNESS) * sigmoid(to_high) * self.deviation
    }

    #[inline(always)]
    fn to_high(self, z: f32) -> f32 {
        (self.high - (self.mean + self.deviation * z)) * CAP_SHARPNESS
    }

    #[inline(always)]
    fn below(self, to_high: f32) -> f32 {
        self.high - softplus(to_high) / CAP_SHARPNESS
    }
}

/// `h · w + b` (`n × hidden` by `hidden × features`), then [`FeatureRange::limit`].
pub(crate) fn head(
    h: &[f32],
    hidden: usize,
    w: &[f32],
    b: &[f32],
    range: &FeatureRange,
    out: &mut [f32],
) {
    let features = b.len();
    for row in out.chunks_exact_mut(features) {
        row.copy_from_slice(b);
    }
    multiply(
        out,
        View::new(h, h.len() / hidden, hidden),
        View::new(w, hidden, features),
        true,
    );
    dispatch(
        #[inline(always)]
        || {
            for row in out.chunks_exact_mut(features) {
                for (y, limits) in row.iter_mut().zip(range.limits()) {
                    *y = limits.apply(*y);
                }
            }
        },
    );
}

/// Gradients of [`head`].
pub(crate) fn head_backward(
    h: &[f32],
    hidden: usize,
    w: &[f32],
    b: &[f32],
    range: &FeatureRange,
    dy: &[f32],
    Gradients { dx, dw, db }: Gradients<'_>,
) {
    let (features, rows) = (b.len(), h.len() / hidden);
    let mut pre = vec![0.0; rows * features];
    for row in pre.chunks_exact_mut(features) {
        row.copy_from_slice(b);
    }
    let (h_view, w_view) = (View::new(h, rows, hidden), View::new(w, hidden, features));
    multiply(&mut pre, h_view, w_view, true);
    dispatch(
        #[inline(always)]
        || {
            for (row, dy) in pre
                .chunks_exact_mut(features)
                .zip(dy.chunks_exact(features))
            {
                for ((y, limits), dy) in row.iter_mut().zip(range.limits()).zip(dy) {
                    *y = dy * limits.slope(*y);
                }
            }
        },
    );
    sum_rows(&pre, db);
    let pre_view = View::new(&pre, rows, features);
    multiply(dw, h_view.transposed(), pre_view, false);
    if let Some(dx) = dx {
        multiply(dx, pre_view, w_view.transposed(), false);
    }
}
