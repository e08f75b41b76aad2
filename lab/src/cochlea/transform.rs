//! The discrete Fourier transform of real rows, and its inverse, on tensors: linear, so that the gradient of one
//! is the other but for weights.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, FftNum, RealFftPlanner, RealToComplex};

/// Both directions of a transform of `length` real numbers, an even number. Cheap to clone.
#[derive(Clone)]
pub(super) struct RowTransform {
    length: usize,
    single: Plans<f32>,
    double: Plans<f64>,
}

#[derive(Clone)]
struct Plans<T> {
    forward: Arc<dyn RealToComplex<T>>,
    inverse: Arc<dyn ComplexToReal<T>>,
}

impl<T: FftNum> Plans<T> {
    fn new(length: usize) -> Self {
        let mut planner = RealFftPlanner::new();
        Self {
            forward: planner.plan_fft_forward(length),
            inverse: planner.plan_fft_inverse(length),
        }
    }

    /// For every row of `length`: the real parts of its bins, then the imaginary ones.
    fn forward(&self, rows: &[T]) -> Vec<T> {
        let mut input = self.forward.make_input_vec();
        let mut spectrum = self.forward.make_output_vec();
        let mut out = Vec::with_capacity(rows.len() / input.len() * 2 * spectrum.len());
        for row in rows.chunks_exact(input.len()) {
            input.copy_from_slice(row);
            self.forward
                .process(&mut input, &mut spectrum)
                .expect("planned lengths");
            out.extend(spectrum.iter().map(|z| z.re));
            out.extend(spectrum.iter().map(|z| z.im));
        }
        out
    }

    /// For every row of real and then imaginary parts: `x[t] = Re X[0] + 2 Σ Re(X[b] e^{2πibt/n}) + Re X[n/2] (−1)ᵗ`.
    fn inverse(&self, rows: &[T]) -> Vec<T> {
        let mut spectrum = self.inverse.make_input_vec();
        let bins = spectrum.len();
        let mut samples = self.inverse.make_output_vec();
        let mut out = Vec::with_capacity(rows.len() / (2 * bins) * samples.len());
        for row in rows.chunks_exact(2 * bins) {
            let (re, im) = row.split_at(bins);
            for (z, (&re, &im)) in spectrum.iter_mut().zip(re.iter().zip(im)) {
                *z = Complex { re, im };
            }
            // Real signals have none there, and the library insists on it.
            spectrum[0].im = T::zero();
            spectrum[bins - 1].im = T::zero();
            self.inverse
                .process(&mut spectrum, &mut samples)
                .expect("planned lengths, and real at 0 Hz and the Nyquist frequency");
            out.extend_from_slice(&samples);
        }
        out
    }
}

impl RowTransform {
    pub(super) fn new(length: usize) -> Self {
        assert!(
            length >= 2 && length.is_multiple_of(2),
            "{length} is no even length"
        );
        Self {
            length,
            single: Plans::new(length),
            double: Plans::new(length),
        }
    }

    fn bins(&self) -> usize {
        self.length / 2 + 1
    }

    /// `[…, length]` to `[…, 2, length/2 + 1]`: real and imaginary parts, not scaled.
    pub(super) fn forward(&self, rows: &Tensor) -> Result<Tensor> {
        rows.contiguous()?.apply_op1(Forward(self.clone()))
    }

    /// `[…, 2, length/2 + 1]` to `[…, length]`, not scaled: after [`forward`](Self::forward) all are `length`
    /// times what they were. Imaginary parts at 0 Hz and the Nyquist frequency count for nothing.
    pub(super) fn inverse(&self, spectra: &Tensor) -> Result<Tensor> {
        spectra.contiguous()?.apply_op1(Inverse(self.clone()))
    }

    /// `outer` at both ends, `inner` between: `[length/2 + 1]`, like `like`.
    fn end_weights(&self, outer: f64, inner: f64, like: &Tensor) -> Result<Tensor> {
        let last = self.bins() - 1;
        let weight = |bin| {
            if bin == 0 || bin == last {
                outer
            } else {
                inner
            }
        };
        let weights: Vec<f64> = (0..self.bins()).map(weight).collect();
        Tensor::new(weights, like.device())?.to_dtype(like.dtype())
    }

    fn check(&self, name: &str, layout: &Layout, last: &[usize]) -> Result<()> {
        let dims = layout.dims();
        if layout.is_contiguous() && dims.ends_with(last) {
            Ok(())
        } else {
            bail!("{name} was given {dims:?} and needs rows of {last:?}")
        }
    }
}

/// What of a storage a layout without gaps covers.
fn covered<'a, T>(values: &'a [T], layout: &Layout) -> &'a [T] {
    let start = layout.start_offset();
    &values[start..start + layout.shape().elem_count()]
}

struct Forward(RowTransform);

impl CustomOp1 for Forward {
    fn name(&self) -> &'static str {
        "real Fourier transform"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.0.check(self.name(), layout, &[self.0.length])?;
        let out = match storage {
            CpuStorage::F32(x) => CpuStorage::F32(self.0.single.forward(covered(x, layout))),
            CpuStorage::F64(x) => CpuStorage::F64(self.0.double.forward(covered(x, layout))),
            _ => bail!("{} needs numbers of 32 or 64 bits", self.name()),
        };
        let mut dims = layout.dims()[..layout.dims().len() - 1].to_vec();
        dims.extend([2, self.0.bins()]);
        Ok((out, dims.into()))
    }

    /// `∂x[t] = Σ Re(G[b] e^{2πibt/n})` over the bins: the inverse with its doubled bins halved.
    fn bwd(&self, _arg: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let halved = grad.broadcast_mul(&self.0.end_weights(1.0, 0.5, grad)?)?;
        self.0.inverse(&halved).map(Some)
    }
}

struct Inverse(RowTransform);

impl CustomOp1 for Inverse {
    fn name(&self) -> &'static str {
        "real inverse Fourier transform"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.0.check(self.name(), layout, &[2, self.0.bins()])?;
        let out = match storage {
            CpuStorage::F32(x) => CpuStorage::F32(self.0.single.inverse(covered(x, layout))),
            CpuStorage::F64(x) => CpuStorage::F64(self.0.double.inverse(covered(x, layout))),
            _ => bail!("{} needs numbers of 32 or 64 bits", self.name()),
        };
        let mut dims = layout.dims()[..layout.dims().len() - 2].to_vec();
        dims.push(self.0.length);
        Ok((out, dims.into()))
    }

    /// `∂X[b] = 2 Σ g[t] e^{−2πibt/n}`, once at 0 Hz and the Nyquist frequency: the transform with weights.
    fn bwd(&self, _arg: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let spectra = self.0.forward(grad)?;
        let doubled = spectra.broadcast_mul(&self.0.end_weights(1.0, 2.0, &spectra)?)?;
        Ok(Some(doubled))
    }
}
