//! Autocorrelations of many columns as one operation on the processor, by fast transforms: the tensor library has
//! none.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use weft_core::numeric::threads::Threads;

use crate::tensors::{stored, with_values};

/// Columns that a thread takes at a time: as many values of a row as a cache line holds.
const COLUMNS: usize = 16;

/// [`autocorrelation`](super::autocorrelation()) of a map.
pub(super) struct Correlation {
    /// In places.
    pub lags: Range<usize>,
}

impl CustomOp1 for Correlation {
    fn name(&self) -> &'static str {
        "autocorrelation"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let map = stored(storage, layout)?;
        let (places, count) = layout.shape().dims2()?;
        let transforms = Transforms::new(places, self.lags.end);
        let scale = transforms.scale();
        let correlations = by_columns(
            self.lags.len(),
            count,
            |column, buffers, out| {
                transforms.fill(buffers, map, count, column);
                transforms.forward(buffers);
                for bin in &mut buffers.spectrum {
                    *bin = (bin.norm_sqr() * scale).into();
                }
                transforms.back(buffers);
                out.copy_from_slice(&buffers.time[self.lags.clone()]);
            },
            &transforms,
        );
        let shape = Shape::from((self.lags.len(), count));
        Ok((CpuStorage::F32(correlations), shape))
    }

    /// `Σ d[τ] · (F[t + τ] + F[t − τ]) / T`: again a correlation, with a sequence that is even.
    fn bwd(&self, map: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (places, count) = map.dims2()?;
        let transforms = Transforms::new(places, self.lags.end);
        let scale = transforms.scale();
        let by_map = with_values(map, |map| {
            with_values(gradient, |gradient| {
                by_columns(
                    places,
                    count,
                    |column, buffers, out| {
                        buffers.time.fill(0.0);
                        for (row, lag) in self.lags.clone().enumerate() {
                            let d = gradient[row * count + column];
                            buffers.time[lag] += d;
                            buffers.time[(transforms.size - lag) % transforms.size] += d;
                        }
                        transforms.forward(buffers);
                        let even: Vec<f32> =
                            buffers.spectrum.iter().map(|bin| bin.re * scale).collect();
                        transforms.fill(buffers, map, count, column);
                        transforms.forward(buffers);
                        for (bin, even) in buffers.spectrum.iter_mut().zip(even) {
                            *bin *= even;
                        }
                        transforms.back(buffers);
                        out.copy_from_slice(&buffers.time[..places]);
                    },
                    &transforms,
                )
            })
        })??;
        Tensor::from_vec(by_map, map.shape(), map.device()).map(Some)
    }
}

/// Transforms of one column with zeros behind it.
struct Transforms {
    places: usize,
    size: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    back: Arc<dyn ComplexToReal<f32>>,
}

/// What a thread works in.
struct Buffers {
    time: Vec<f32>,
    spectrum: Vec<Complex32>,
    forward: Vec<Complex32>,
    back: Vec<Complex32>,
}

impl Transforms {
    fn new(places: usize, lags: usize) -> Self {
        // As many zeros as the longest lag keep the end from being correlated with the beginning.
        let size = fast_size(places + lags);
        let mut planner = RealFftPlanner::new();
        Self {
            places,
            size,
            forward: planner.plan_fft_forward(size),
            back: planner.plan_fft_inverse(size),
        }
    }

    /// What the transforms there and back leave to be multiplied, and the number of places.
    fn scale(&self) -> f32 {
        1.0 / (self.size * self.places) as f32
    }

    fn buffers(&self) -> Buffers {
        Buffers {
            time: self.forward.make_input_vec(),
            spectrum: self.forward.make_output_vec(),
            forward: self.forward.make_scratch_vec(),
            back: self.back.make_scratch_vec(),
        }
    }

    fn fill(&self, buffers: &mut Buffers, map: &[f32], count: usize, column: usize) {
        buffers.time.fill(0.0);
        for (x, row) in buffers.time.iter_mut().zip(map.chunks_exact(count)) {
            *x = row[column];
        }
    }

    fn forward(&self, buffers: &mut Buffers) {
        self.forward
            .process_with_scratch(
                &mut buffers.time,
                &mut buffers.spectrum,
                &mut buffers.forward,
            )
            .expect("planned lengths");
    }

    fn back(&self, buffers: &mut Buffers) {
        // Of a real signal both are real, and the inverse insists on it.
        if let Some(first) = buffers.spectrum.first_mut() {
            first.im = 0.0;
        }
        if let Some(last) = buffers.spectrum.last_mut() {
            last.im = 0.0;
        }
        self.back
            .process_with_scratch(&mut buffers.spectrum, &mut buffers.time, &mut buffers.back)
            .expect("planned lengths");
    }
}

/// The least even size from `least` on that has no prime factor above 5.
fn fast_size(least: usize) -> usize {
    let is_fast = |size: &usize| {
        let mut rest = *size;
        for prime in [2, 3, 5] {
            while rest.is_multiple_of(prime) {
                rest /= prime;
            }
        }
        rest == 1
    };
    let first = least.max(2).next_multiple_of(2);
    (first..).step_by(2).find(is_fast).unwrap_or(first)
}

/// `rows × columns` values, of which each thread makes some columns: `make` is told which, and fills it.
fn by_columns(
    rows: usize,
    columns: usize,
    make: impl Fn(usize, &mut Buffers, &mut [f32]) + Sync,
    transforms: &Transforms,
) -> Vec<f32> {
    let blocks = Threads::new(0).map(columns.div_ceil(COLUMNS), |block| {
        let mut buffers = transforms.buffers();
        let first = block * COLUMNS;
        let width = COLUMNS.min(columns - first);
        let mut made = vec![0.0; width * rows];
        for (column, out) in made.chunks_exact_mut(rows.max(1)).enumerate() {
            make(first + column, &mut buffers, out);
        }
        made
    });
    let mut out = vec![0.0; rows * columns];
    for (row, values) in out.chunks_exact_mut(columns).enumerate() {
        for (block, values) in blocks.iter().zip(values.chunks_mut(COLUMNS)) {
            for (column, value) in values.iter_mut().enumerate() {
                *value = block[column * rows + row];
            }
        }
    }
    out
}
