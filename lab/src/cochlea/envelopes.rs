//! From samples to the compressed envelopes of cochlear bands, as one operation with its gradient.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, WithDType, bail};
use realfft::num_complex::Complex;
use realfft::num_traits::Float;
use realfft::{ComplexToReal, FftNum, RealFftPlanner, RealToComplex};
use weft_core::numeric::threads::Threads;

use super::filters::{Weights, decimation_filter};

/// The operation for sounds of one length: `[samples]` to `[bands, samples / step]`.
///
/// Every band is filtered by its weights over the bins of one transform of the whole sound, which so counts as
/// one period of a periodic one. Its envelope `(u² + v² + floor²)^(exponent/2)`, of the band `u` and its Hilbert
/// transform `v`, goes through a low-pass to every `step`th sample.
///
/// It is not made of the tensor library's own operations, as those have no transform, and as the bands at
/// their full rate, 32 times the samples, would be written and read a dozen times: here each band lives in a
/// core's cache while it is worked on, and the backward pass makes it again.
#[derive(Clone)]
pub(super) struct BandEnvelopes {
    samples: usize,
    step: usize,
    single: Arc<Bands<f32>>,
    double: Arc<Bands<f64>>,
}

impl BandEnvelopes {
    pub(super) fn new(
        samples: usize,
        step: usize,
        weights: &[Weights],
        exponent: f64,
        floor: f64,
    ) -> Self {
        Self {
            samples,
            step,
            single: Arc::new(Bands::new(samples, step, weights, exponent, floor)),
            double: Arc::new(Bands::new(samples, step, weights, exponent, floor)),
        }
    }

    /// The envelopes of `sound`, `[samples]`, on the processor.
    pub(super) fn of(&self, sound: &Tensor) -> Result<Tensor> {
        sound.contiguous()?.apply_op1(self.clone())
    }
}

impl CustomOp1 for BandEnvelopes {
    fn name(&self) -> &'static str {
        "cochlear envelopes"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        if !layout.is_contiguous() || layout.dims() != [self.samples] {
            let (dims, wanted) = (layout.dims(), self.samples);
            bail!("{} of {wanted} samples were given {dims:?}", self.name());
        }
        let span = layout.start_offset()..layout.start_offset() + self.samples;
        let out = match storage {
            CpuStorage::F32(x) => CpuStorage::F32(self.single.forward(&x[span])),
            CpuStorage::F64(x) => CpuStorage::F64(self.double.forward(&x[span])),
            _ => bail!("{} need numbers of 32 or 64 bits", self.name()),
        };
        let bands = self.single.bands.len();
        Ok((out, (bands, self.samples / self.step).into()))
    }

    fn bwd(&self, arg: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        match arg.dtype() {
            DType::F32 => gradient(&self.single, arg, grad),
            _ => gradient(&self.double, arg, grad),
        }
        .map(Some)
    }
}

fn gradient<T: FftNum + Float + WithDType>(
    bands: &Bands<T>,
    sound: &Tensor,
    grad: &Tensor,
) -> Result<Tensor> {
    let (samples, grads) = (sound.to_vec1::<T>()?, grad.to_vec2::<T>()?);
    Tensor::new(bands.backward(&samples, &grads), sound.device())
}

/// Plans and tables for numbers of one size.
struct Bands<T> {
    forward: Arc<dyn RealToComplex<T>>,
    inverse: Arc<dyn ComplexToReal<T>>,
    /// From this bin on, these weights: scaled for the way there and back.
    bands: Vec<(usize, Vec<T>)>,
    low_pass: Vec<T>,
    step: usize,
    half_exponent: T,
    floor_square: T,
}

impl<T: FftNum + Float> Bands<T> {
    fn new(samples: usize, step: usize, weights: &[Weights], exponent: f64, floor: f64) -> Self {
        let number = |x: f64| T::from_f64(x).expect("a number of 32 or 64 bits");
        let scaled = |x: &f64| number(x / samples as f64);
        let mut planner = RealFftPlanner::new();
        let bands = weights
            .iter()
            .map(|band| (band.first, band.values.iter().map(scaled).collect()));
        Self {
            forward: planner.plan_fft_forward(samples),
            inverse: planner.plan_fft_inverse(samples),
            bands: bands.collect(),
            low_pass: decimation_filter(step).into_iter().map(number).collect(),
            step,
            half_exponent: number(exponent / 2.0),
            floor_square: number(floor * floor),
        }
    }

    fn spectrum(&self, samples: &[T]) -> Vec<Complex<T>> {
        let mut spectrum = self.forward.make_output_vec();
        self.forward
            .process(&mut samples.to_vec(), &mut spectrum)
            .expect("planned lengths");
        spectrum
    }

    fn forward(&self, samples: &[T]) -> Vec<T> {
        let spectrum = self.spectrum(samples);
        Threads::new(0)
            .map(self.bands.len(), |band| {
                let scratch = &mut self.scratch();
                self.make_band(band, &spectrum, scratch);
                for (u, &v) in scratch.band.iter_mut().zip(&scratch.turned) {
                    *u = (*u * *u + v * v + self.floor_square).powf(self.half_exponent);
                }
                self.decimated(&scratch.band)
            })
            .concat()
    }

    /// The gradient by the samples, from that by the envelopes.
    fn backward(&self, samples: &[T], grads: &[Vec<T>]) -> Vec<T> {
        let spectrum = self.spectrum(samples);
        let parts = Threads::new(0).map(self.bands.len(), |band| {
            let scratch = &mut self.scratch();
            self.make_band(band, &spectrum, scratch);
            self.undecimate(&grads[band], &mut scratch.grad);
            let two = T::one() + T::one();
            let (power, scale) = (self.half_exponent - T::one(), self.half_exponent * two);
            let bands = scratch.band.iter_mut().zip(&mut scratch.turned);
            for ((u, v), &g) in bands.zip(&scratch.grad) {
                let square = *u * *u + *v * *v + self.floor_square;
                let slope = g * scale * square.powf(power);
                *u = *u * slope;
                *v = *v * slope;
            }
            self.band_gradient(band, scratch)
        });
        // In the order of the bands, so that the sum is the same with any number of threads.
        let mut sum = self.inverse.make_input_vec();
        for ((first, _), part) in self.bands.iter().zip(parts) {
            for (z, p) in sum[*first..].iter_mut().zip(part) {
                *z = *z + p;
            }
        }
        self.samples_of(&mut sum)
    }

    fn scratch(&self) -> Scratch<T> {
        Scratch {
            spectrum: self.inverse.make_input_vec(),
            band: self.inverse.make_output_vec(),
            turned: self.inverse.make_output_vec(),
            grad: self.inverse.make_output_vec(),
        }
    }

    /// A band and its Hilbert transform, a quarter turn behind, which holds nothing at 0 Hz and the Nyquist
    /// frequency.
    fn make_band(&self, band: usize, spectrum: &[Complex<T>], scratch: &mut Scratch<T>) {
        let (first, weights) = &self.bands[band];
        let last = spectrum.len() - 1;
        for turn in [false, true] {
            scratch.spectrum.fill(Complex::new(T::zero(), T::zero()));
            for (i, &w) in weights.iter().enumerate() {
                let (bin, z) = (first + i, spectrum[first + i] * w);
                scratch.spectrum[bin] = match turn {
                    false => z,
                    true if bin == 0 || bin == last => Complex::new(T::zero(), T::zero()),
                    true => Complex::new(z.im, -z.re),
                };
            }
            let out = if turn {
                &mut scratch.turned
            } else {
                &mut scratch.band
            };
            self.inverse
                .process(&mut scratch.spectrum, out)
                .expect("planned lengths, and real at 0 Hz and the Nyquist frequency");
        }
    }

    /// What the gradients by a band (in `scratch.band`) and by its Hilbert transform (`scratch.turned`) are by
    /// the sound, over the band's bins. The filter is its own adjoint, the turn is its own with the other sign.
    fn band_gradient(&self, band: usize, scratch: &mut Scratch<T>) -> Vec<Complex<T>> {
        let (first, weights) = &self.bands[band];
        let last = scratch.spectrum.len() - 1;
        let mut out = Vec::new();
        for turn in [false, true] {
            let input = if turn {
                &mut scratch.turned
            } else {
                &mut scratch.band
            };
            self.forward
                .process(input, &mut scratch.spectrum)
                .expect("planned lengths");
            let bins = scratch.spectrum[*first..].iter().zip(weights);
            if turn {
                for (i, (o, (z, &w))) in out.iter_mut().zip(bins).enumerate() {
                    if first + i != 0 && first + i != last {
                        *o = *o + Complex::new(-z.im * w, z.re * w);
                    }
                }
            } else {
                out = bins.map(|(z, &w)| *z * w).collect();
            }
        }
        out
    }

    fn samples_of(&self, spectrum: &mut [Complex<T>]) -> Vec<T> {
        let last = spectrum.len() - 1;
        spectrum[0].im = T::zero();
        spectrum[last].im = T::zero();
        let mut out = self.inverse.make_output_vec();
        self.inverse
            .process(spectrum, &mut out)
            .expect("planned lengths, and real at 0 Hz and the Nyquist frequency");
        out
    }

    /// Every `step`th sample of the low-passed `samples`, which go round.
    fn decimated(&self, samples: &[T]) -> Vec<T> {
        let at = |k: usize| {
            let mut sum = T::zero();
            for (run, taps) in self.runs(k, samples.len()) {
                sum = sum + dot(&samples[run], taps);
            }
            sum
        };
        (0..samples.len() / self.step).map(at).collect()
    }

    /// The adjoint of [`decimated`](Self::decimated).
    fn undecimate(&self, grads: &[T], out: &mut [T]) {
        out.fill(T::zero());
        for (k, &g) in grads.iter().enumerate() {
            for (run, taps) in self.runs(k, out.len()) {
                for (x, &h) in out[run].iter_mut().zip(taps) {
                    *x = *x + g * h;
                }
            }
        }
    }

    /// The stretches of a periodic sound of `samples` samples that output `k` of the low-pass sees, with the
    /// coefficients for each.
    fn runs(
        &self,
        k: usize,
        samples: usize,
    ) -> impl Iterator<Item = (std::ops::Range<usize>, &[T])> {
        let half = self.low_pass.len() / 2;
        // Where the first coefficient lies: before the beginning counts from the end, as often as needed.
        let mut at = (k * self.step + samples * half.div_ceil(samples) - half) % samples;
        let mut taps = self.low_pass.as_slice();
        std::iter::from_fn(move || {
            let count = taps.len().min(samples - at);
            let (now, later) = taps.split_at(count);
            let run = at..at + count;
            (at, taps) = (0, later);
            (count > 0).then_some((run, now))
        })
    }
}

/// `Σ a b`, in eight sums that a processor can add side by side.
fn dot<T: Float>(a: &[T], b: &[T]) -> T {
    const LANES: usize = 8;
    let mut sums = [T::zero(); LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_chunks.remainder().iter().zip(b_chunks.remainder());
    let rest = rest.fold(T::zero(), |sum, (&a, &b)| sum + a * b);
    for (a, b) in a_chunks.zip(b_chunks) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum = *sum + a * b;
        }
    }
    sums.into_iter().fold(rest, |sum, part| sum + part)
}

/// Memory for one band.
struct Scratch<T> {
    spectrum: Vec<Complex<T>>,
    band: Vec<T>,
    turned: Vec<T>,
    grad: Vec<T>,
}
