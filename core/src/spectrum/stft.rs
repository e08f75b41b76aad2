//! Short-time Fourier transform with exact overlap-add reconstruction.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::SpectrumError;

/// Periodic Hann window of `size` samples: `0.5 - 0.5 cos(2πi/size)`.
///
/// Its squares, shifted by a quarter of its size, add up to a constant (1.5); the symmetric
/// window's do not.
pub fn hann_window(size: usize) -> Vec<f32> {
    (0..size)
        .map(|i| {
            let phase = std::f64::consts::TAU * i as f64 / size as f64;
            (0.5 - 0.5 * phase.cos()) as f32
        })
        .collect()
}

/// Plans, window and sizes of one short-time Fourier transform. Cheap to clone; every transform
/// works in memory that the caller owns, so that it can run on the audio thread.
///
/// ```
/// use weft_core::spectrum::Stft;
///
/// let stft = Stft::new(512, 128)?;
/// let signal: Vec<f32> = (0..4_096).map(|i| (0.1 * i as f32).sin()).collect();
/// let spectrogram = stft.analyse(&signal);
/// assert_eq!(spectrogram.len(), stft.frame_count(signal.len()) * stft.bins());
///
/// // The sum of the frames is the signal, but for the outermost samples, where the window vanishes.
/// let back = stft.synthesise(&spectrogram);
/// for i in 64..back.len() - 64 {
///     assert!((back[i] - signal[i]).abs() < 1e-5, "sample {i}");
/// }
/// # Ok::<(), weft_core::spectrum::SpectrumError>(())
/// ```
#[derive(Clone)]
pub struct Stft {
    fft_size: usize,
    hop_size: usize,
    window: Arc<[f32]>,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
}

/// Working memory of the transforms of one [`Stft`]: every thread that uses it has its own.
#[derive(Clone)]
pub struct StftScratch {
    samples: Vec<f32>,
    forward: Vec<Complex32>,
    inverse: Vec<Complex32>,
}

impl std::fmt::Debug for Stft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stft")
            .field("fft_size", &self.fft_size)
            .field("hop_size", &self.hop_size)
            .finish_non_exhaustive()
    }
}

impl Stft {
    /// Plans a transform of `fft_size` samples (even, at least 16) every `hop_size` samples.
    ///
    /// # Errors
    /// [`SpectrumError::FrameSizes`] unless `hop_size` divides `fft_size` at least four times: with
    /// fewer overlaps the squared Hann windows do not add up to a constant.
    pub fn new(fft_size: usize, hop_size: usize) -> Result<Self, SpectrumError> {
        let divides = hop_size > 0 && fft_size.is_multiple_of(hop_size);
        if fft_size < 16 || !fft_size.is_multiple_of(2) || !divides || fft_size / hop_size < 4 {
            return Err(SpectrumError::FrameSizes { fft_size, hop_size });
        }
        let mut planner = RealFftPlanner::new();
        Ok(Self {
            fft_size,
            hop_size,
            window: hann_window(fft_size).into(),
            forward: planner.plan_fft_forward(fft_size),
            inverse: planner.plan_fft_inverse(fft_size),
        })
    }

    /// Samples in one frame.
    pub fn fft_size(&self) -> usize {
        self.fft_size
    }

    /// Samples between the starts of two frames.
    pub fn hop_size(&self) -> usize {
        self.hop_size
    }

    /// Frequency bins of one frame: `fft_size / 2 + 1`.
    pub fn bins(&self) -> usize {
        self.fft_size / 2 + 1
    }

    /// The analysis window, which is the synthesis window as well.
    pub fn window(&self) -> &[f32] {
        &self.window
    }

    /// What the squared windows of all frames over one sample add up to, away from the ends.
    pub fn overlap_gain(&self) -> f32 {
        // The mean of a squared Hann window is 3/8.
        0.375 * (self.fft_size / self.hop_size) as f32
    }

    /// Frames that fit into `samples` samples without padding.
    pub fn frame_count(&self, samples: usize) -> usize {
        if samples < self.fft_size {
            0
        } else {
            1 + (samples - self.fft_size) / self.hop_size
        }
    }

    /// Allocates working memory for the transforms.
    pub fn make_scratch(&self) -> StftScratch {
        StftScratch {
            samples: vec![0.0; self.fft_size],
            forward: self.forward.make_scratch_vec(),
            inverse: self.inverse.make_scratch_vec(),
        }
    }

    /// Windows `samples` (`fft_size`) and transforms them to `spectrum` (`bins`). Real-time safe.
    ///
    /// # Panics
    /// If a slice has another length, or `scratch` belongs to a transform of another size.
    pub fn analyse_frame(
        &self,
        samples: &[f32],
        spectrum: &mut [Complex32],
        scratch: &mut StftScratch,
    ) {
        assert_eq!(samples.len(), self.fft_size);
        for ((out, &x), &w) in scratch
            .samples
            .iter_mut()
            .zip(samples)
            .zip(self.window.iter())
        {
            *out = x * w;
        }
        self.forward
            .process_with_scratch(&mut scratch.samples, spectrum, &mut scratch.forward)
            .expect("all buffers have the planned lengths");
    }

    /// Transforms `samples` (`fft_size`) that the caller has windowed; they are used as working memory.
    pub(crate) fn transform_windowed(
        &self,
        samples: &mut [f32],
        spectrum: &mut [Complex32],
        scratch: &mut StftScratch,
    ) {
        self.forward
            .process_with_scratch(samples, spectrum, &mut scratch.forward)
            .expect("all buffers have the planned lengths");
    }

    /// Transforms `spectrum` (`bins`) back to `samples` (`fft_size`), windowed for overlap-add and
    /// scaled so that the sum of the frames of an analysed signal is that signal. `spectrum` is used
    /// as working memory. Real-time safe.
    ///
    /// # Panics
    /// If a slice has another length, or `scratch` belongs to a transform of another size.
    pub fn synthesise_frame(
        &self,
        spectrum: &mut [Complex32],
        samples: &mut [f32],
        scratch: &mut StftScratch,
    ) {
        // At 0 Hz and at the Nyquist frequency a real signal has no imaginary part; the inverse transform
        // insists on it.
        spectrum[0].im = 0.0;
        spectrum[self.fft_size / 2].im = 0.0;
        self.inverse
            .process_with_scratch(spectrum, samples, &mut scratch.inverse)
            .expect("all buffers have the planned lengths");
        let scale = 1.0 / (self.fft_size as f32 * self.overlap_gain());
        for (x, &w) in samples.iter_mut().zip(self.window.iter()) {
            *x *= w * scale;
        }
    }

    /// All frames of `samples`, without padding: frame `t` covers samples `t·hop .. t·hop + fft_size`.
    /// Row-major, `frame_count × bins`.
    pub fn analyse(&self, samples: &[f32]) -> Vec<Complex32> {
        let count = self.frame_count(samples.len());
        let mut spectrogram = vec![Complex32::default(); count * self.bins()];
        let mut scratch = self.make_scratch();
        for (t, spectrum) in spectrogram.chunks_exact_mut(self.bins()).enumerate() {
            let start = t * self.hop_size;
            self.analyse_frame(
                &samples[start..start + self.fft_size],
                spectrum,
                &mut scratch,
            );
        }
        spectrogram
    }

    /// The least-squares inverse of [`analyse`](Self::analyse) (Griffin & Lim 1984, eq. 6) for any
    /// row-major spectrogram: exact for the frames of a signal, also at its ends.
    pub fn synthesise(&self, spectrogram: &[Complex32]) -> Vec<f32> {
        let count = spectrogram.len() / self.bins();
        if count == 0 {
            return Vec::new();
        }
        let length = self.fft_size + (count - 1) * self.hop_size;
        let (mut signal, mut weight) = (vec![0.0f32; length], vec![0.0f32; length]);
        let mut scratch = self.make_scratch();
        let mut frame = vec![0.0f32; self.fft_size];
        for (t, spectrum) in spectrogram.chunks_exact(self.bins()).enumerate() {
            let mut spectrum = spectrum.to_vec();
            self.synthesise_frame(&mut spectrum, &mut frame, &mut scratch);
            let span = t * self.hop_size..t * self.hop_size + self.fft_size;
            for (i, at) in span.enumerate() {
                signal[at] += frame[i];
                weight[at] += self.window[i] * self.window[i] / self.overlap_gain();
            }
        }
        // At the outermost samples the window vanishes and nothing is known of the signal.
        const LEAST_WEIGHT: f32 = 1e-6;
        for (x, w) in signal.iter_mut().zip(weight) {
            *x /= w.max(LEAST_WEIGHT);
        }
        signal
    }
}
