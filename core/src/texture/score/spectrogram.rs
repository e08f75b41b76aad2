//! Magnitudes and mel bands of a recording.

use realfft::num_complex::Complex32;

use super::SAMPLE_RATE;
use crate::spectrum::Stft;

/// Samples in a frame: 32 ms.
const FFT_SIZE: usize = 512;
/// Samples between frames: 4 ms.
const HOP_SIZE: usize = 64;
/// Bins of a frame.
pub const BINS: usize = FFT_SIZE / 2 + 1;
/// Frames per second of [`log_magnitudes`].
pub const FRAME_RATE: usize = SAMPLE_RATE as usize / HOP_SIZE;

/// Samples between the frames of [`log_mel`]: 10 ms.
const MEL_HOP_SIZE: usize = 160;
/// Mel bands.
pub const MEL_BANDS: usize = 40;
/// Lowest and highest edge of the mel bands, in Hz.
const MEL_RANGE_HZ: (f64, f64) = (50.0, 7_800.0);
/// Power below which a mel band counts as empty.
const MEL_FLOOR: f64 = 1e-5;

/// `ln(1 + 10 |X|)` of every bin, `frames × BINS`, row-major, [`FRAME_RATE`] frames per second.
pub fn log_magnitudes(samples: &[f32]) -> Vec<f32> {
    let mut out = Vec::new();
    for_each_frame(samples, HOP_SIZE, |spectrum| {
        out.extend(spectrum.iter().map(|z| (10.0 * z.norm()).ln_1p()));
    });
    out
}

/// Natural logarithms of the power in every mel band, `frames × MEL_BANDS`, row-major, 100 frames per
/// second.
pub fn log_mel(samples: &[f32]) -> Vec<f64> {
    let bank = mel_bank();
    let mut out = Vec::new();
    for_each_frame(samples, MEL_HOP_SIZE, |spectrum| {
        let powers: [f64; BINS] = std::array::from_fn(|k| f64::from(spectrum[k].norm_sqr()));
        for weights in bank.chunks_exact(BINS) {
            let power: f64 = weights.iter().zip(&powers).map(|(w, p)| w * p).sum();
            out.push((power + MEL_FLOOR).ln());
        }
    });
    out
}

/// Triangles over the bins, `MEL_BANDS × BINS`, evenly spaced in mel: each peaks at 1 where its neighbours
/// end.
fn mel_bank() -> Vec<f64> {
    // O'Shaughnessy's formula.
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let (low, high) = (mel(MEL_RANGE_HZ.0), mel(MEL_RANGE_HZ.1));
    let spacing = (high - low) / (MEL_BANDS + 1) as f64;
    let bin_hz = f64::from(SAMPLE_RATE) / FFT_SIZE as f64;
    let mut bank = Vec::with_capacity(MEL_BANDS * BINS);
    for band in 0..MEL_BANDS {
        let centre = low + (band + 1) as f64 * spacing;
        for bin in 0..BINS {
            let distance = (mel(bin as f64 * bin_hz) - centre).abs() / spacing;
            bank.push((1.0 - distance).max(0.0));
        }
    }
    bank
}

/// Shows `visit` the spectrum of every frame that fits into the samples.
fn for_each_frame(samples: &[f32], hop: usize, mut visit: impl FnMut(&[Complex32])) {
    let stft = Stft::new(FFT_SIZE, HOP_SIZE).expect("the sizes add up");
    let mut scratch = stft.make_scratch();
    let mut spectrum = vec![Complex32::default(); stft.bins()];
    for frame in samples.windows(FFT_SIZE).step_by(hop) {
        stft.analyse_frame(frame, &mut spectrum, &mut scratch);
        visit(&spectrum);
    }
}
