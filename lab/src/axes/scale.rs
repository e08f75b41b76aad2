//! Frequency scales as matrices, with their way back.

use std::f64::consts::PI;

use candle_core::{Device, Result, Tensor};

/// How the rows of an image lie over frequency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// As the transform has them.
    #[default]
    Linear,
    /// Triangles at equal distances on the mel scale (2595 log₁₀(1 + f/700)), each with weights that add up to 1:
    /// 128 of them, over all bins. Its inverse is by least squares. The papers' own [?].
    Mel,
    /// In equal ratios: as in the authors' code from the tenth bin up, by sinc interpolation at the density of the
    /// bins at the top, resampled to as many rows as there are bins. Its inverse is the transposed matrix with
    /// weights that grow with the bin.
    ConstantQ,
}

/// Rows of a mel scale.
const MEL_ROWS: usize = 128;
/// The first bin of a constant-Q scale.
const FIRST_BIN: usize = 10;
/// Added to the diagonal of the normal equations: a part of a row's own energy, which is about 1.
const RIDGE: f64 = 1e-2;

/// A scale for images of so many bins: two matrices, to its rows and back. Both are applied to log magnitudes, as
/// interpolation of an image: magnitudes themselves would leave sinc interpolation with values that have no
/// logarithm.
#[derive(Clone, Debug)]
pub struct FrequencyScale {
    bins: usize,
    rows: usize,
    /// `bins × rows`; none for the linear scale.
    matrix: Option<Matrix>,
    /// `rows × bins`.
    inverse: Option<Matrix>,
}

impl FrequencyScale {
    /// The scale for images of `bins` bins up to half of `sample_rate_hz`.
    ///
    /// # Errors
    /// If there are no more bins than a constant-Q scale leaves out below, 10.
    pub fn new(scale: Scale, bins: usize, sample_rate_hz: f64) -> Result<Self> {
        if bins <= FIRST_BIN {
            candle_core::bail!("{bins} bins are too few for a scale: choose more than {FIRST_BIN}");
        }
        let (matrix, inverse) = match scale {
            Scale::Linear => (None, None),
            Scale::Mel => {
                let matrix = mel(bins, sample_rate_hz);
                let inverse = matrix.least_squares_inverse();
                (Some(matrix), Some(inverse))
            }
            Scale::ConstantQ => {
                let dense = sinc_rows(bins);
                let (down, up) = (averages(dense.rows, bins), between(bins, dense.rows));
                let back = up.times(&dense.with_bin_weights());
                let matrix = down.times(&dense).transposed();
                (Some(matrix), Some(back))
            }
        };
        Ok(Self {
            bins,
            rows: matrix.as_ref().map_or(bins, |m| m.columns),
            matrix,
            inverse,
        })
    }

    /// The same with the inverse by least squares, which comes nearer than the authors' own.
    #[must_use]
    pub fn with_least_squares_inverse(mut self) -> Self {
        self.inverse = self.matrix.as_ref().map(Matrix::least_squares_inverse);
        self
    }

    /// Bins of the images.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Rows of the scale.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// An image of log magnitudes, `frames × bins`, on this scale: `frames × rows`.
    ///
    /// # Errors
    /// If the image has other bins.
    pub fn apply(&self, image: &Tensor) -> Result<Tensor> {
        through(image, self.matrix.as_ref())
    }

    /// And back: `frames × rows` to `frames × bins`. What comes out below 0 is no magnitude; it is left.
    ///
    /// # Errors
    /// If the image has other rows.
    pub fn invert(&self, image: &Tensor) -> Result<Tensor> {
        through(image, self.inverse.as_ref())
    }
}

fn through(image: &Tensor, matrix: Option<&Matrix>) -> Result<Tensor> {
    match matrix {
        Some(matrix) => image.matmul(&matrix.tensor(image)?),
        None => Ok(image.clone()),
    }
}

/// A matrix, row after row.
#[derive(Clone, Debug)]
struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    fn of(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let values = (0..rows * columns).map(|i| value(i / columns, i % columns));
        Self {
            rows,
            columns,
            values: values.collect(),
        }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    fn transposed(&self) -> Self {
        Self::of(self.columns, self.rows, |row, column| self.at(column, row))
    }

    fn times(&self, other: &Self) -> Self {
        let mut values = vec![0.0; self.rows * other.columns];
        for (row, out) in values.chunks_exact_mut(other.columns).enumerate() {
            for inner in 0..self.columns {
                let factor = self.at(row, inner);
                // Most matrices here are bands.
                if factor != 0.0 {
                    let from = &other.values[inner * other.columns..][..other.columns];
                    out.iter_mut().zip(from).for_each(|(o, x)| *o += factor * x);
                }
            }
        }
        Self {
            rows: self.rows,
            columns: other.columns,
            values,
        }
    }

    fn tensor(&self, like: &Tensor) -> Result<Tensor> {
        let shape = (self.rows, self.columns);
        let values = Tensor::from_slice(&self.values, shape, &Device::Cpu)?;
        values.to_dtype(like.dtype())?.to_device(like.device())
    }

    /// Of `bins × rows`, the matrix that takes rows back to the bins with the least squares that have them:
    /// `(AᵀA + ridge)⁻¹ Aᵀ` for `A` of `bins × rows`, by elimination.
    fn least_squares_inverse(&self) -> Self {
        let transposed = self.transposed();
        let mut normal = transposed.times(self);
        // A row's own energy: of the mel scale's triangles it is well below 1.
        let trace: f64 = (0..normal.rows).map(|i| normal.at(i, i)).sum();
        let ridge = RIDGE * trace / normal.rows as f64;
        for i in 0..normal.rows {
            normal.values[i * normal.columns + i] += ridge;
        }
        normal.solve(transposed)
    }

    /// `self⁻¹ · right`, for a positive definite matrix: Gauss's elimination needs no other rows first.
    fn solve(mut self, mut right: Self) -> Self {
        let n = self.rows;
        let width = right.columns;
        for pivot in 0..n {
            let scale = 1.0 / self.at(pivot, pivot);
            for row in pivot + 1..n {
                let factor = self.at(row, pivot) * scale;
                if factor != 0.0 {
                    subtract(&mut self.values, n, row, pivot, factor);
                    subtract(&mut right.values, width, row, pivot, factor);
                }
            }
        }
        for pivot in (0..n).rev() {
            let scale = 1.0 / self.at(pivot, pivot);
            right.values[pivot * width..][..width]
                .iter_mut()
                .for_each(|x| *x *= scale);
            for row in 0..pivot {
                let factor = self.at(row, pivot);
                if factor != 0.0 {
                    subtract(&mut right.values, width, row, pivot, factor);
                }
            }
        }
        right
    }
}

/// Subtracts `factor` times row `from` of a matrix of this `width` from row `to`.
fn subtract(values: &mut [f64], width: usize, to: usize, from: usize, factor: f64) {
    let (low, high) = values.split_at_mut(to.max(from) * width);
    let (to, from) = if to > from {
        (&mut high[..width], &low[from * width..][..width])
    } else {
        (&mut low[to * width..][..width], &high[..width])
    };
    to.iter_mut().zip(from).for_each(|(x, y)| *x -= factor * y);
}

/// `bins × rows`: triangles between the centres of their neighbours.
fn mel(bins: usize, sample_rate_hz: f64) -> Matrix {
    let mel = |hz: f64| 2_595.0 * (hz / 700.0).ln_1p() / std::f64::consts::LN_10;
    let rows = MEL_ROWS.min(bins);
    let spacing = mel(0.5 * sample_rate_hz) / (rows + 1) as f64;
    let hz_per_bin = 0.5 * sample_rate_hz / (bins - 1) as f64;
    let mut matrix = Matrix::of(bins, rows, |bin, row| {
        let position = mel(bin as f64 * hz_per_bin) / spacing - (row + 1) as f64;
        (1.0 - position.abs()).max(0.0)
    });
    for row in 0..rows {
        let sum: f64 = (0..bins).map(|bin| matrix.at(bin, row)).sum();
        if sum > 0.0 {
            (0..bins).for_each(|bin| matrix.values[bin * rows + row] /= sum);
        } else {
            // The lowest triangles may lie between two bins: the nearest then stands for them.
            let hz = 700.0 * (10f64.powf((row + 1) as f64 * spacing / 2_595.0) - 1.0);
            let nearest = (hz / hz_per_bin).round() as usize;
            matrix.values[nearest.min(bins - 1) * rows + row] = 1.0;
        }
    }
    matrix
}

/// Places in bins, from the tenth up in the ratio of the last two bins, and the values there by sinc
/// interpolation: `places × bins`.
fn sinc_rows(bins: usize) -> Matrix {
    let ratio = (bins as f64 / (bins - 1) as f64).ln();
    let count = ((bins as f64 / FIRST_BIN as f64).ln() / ratio).round() as usize;
    Matrix::of(count, bins, |place, bin| {
        let angle = PI * (bin as f64 - FIRST_BIN as f64 * (place as f64 * ratio).exp());
        if angle == 0.0 {
            1.0
        } else {
            angle.sin() / angle
        }
    })
}

impl Matrix {
    /// Each bin times its part of all bins: so many more rows there are at the bottom.
    fn with_bin_weights(&self) -> Self {
        Self::of(self.rows, self.columns, |row, bin| {
            self.at(row, bin) * bin as f64 / self.columns as f64
        })
    }
}

/// `to × from`: means over stretches of equal length.
fn averages(from: usize, to: usize) -> Matrix {
    let length = from as f64 / to as f64;
    Matrix::of(to, from, |row, column| {
        let (start, end) = (row as f64 * length, (row + 1) as f64 * length);
        let covered = end.min((column + 1) as f64) - start.max(column as f64);
        covered.max(0.0) / length
    })
}

/// `from × to`: values of `from` places between those of `to`… by straight lines between their centres.
fn between(from: usize, to: usize) -> Matrix {
    let length = to as f64 / from as f64;
    Matrix::of(from, to, |row, column| {
        let position = (column as f64 + 0.5) / length - 0.5;
        let position = position.clamp(0.0, (from - 1) as f64);
        (1.0 - (position - row as f64).abs()).max(0.0)
    })
}
