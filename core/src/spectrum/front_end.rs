//! Analysis of a capture into features, and the way back from features to magnitudes.
//!
//! Features are banded `log1p(c·|X|)` of mid (and side), and in stereo the banded pan index. What
//! banding drops comes back as *fine structure*: the capture's mean spectrum at full resolution plus
//! the residual of white noise, as strong as the capture's own residual was.

use realfft::num_complex::Complex32;

use super::{Bands, SpectrumError, Stft};
use crate::clip::Clip;
use crate::numeric::fast_math::exp;
use crate::numeric::random::Noise;
use crate::numeric::random::stream;
use crate::numeric::simd::dispatch;

/// Level of the equalised spectrum's root mean square: `log1p`'s useful range is the same everywhere.
const EQUALISED_LEVEL: f32 = 14.0;
/// The equaliser amplifies no region by more than 80 dB over the loudest.
const EQUALISER_RANGE: f32 = 1e-4;
/// Side energy below this against mid, in dB, is no stereo.
const MONO_BELOW_DB: f64 = -40.0;
/// Bound of the fine structure's depth.
const DEPTH_MAX: f32 = 1.3;
/// Root mean square that captures are normalised to before analysis.
const ANALYSIS_RMS: f64 = 0.1;
/// Frames of white noise from which the fine structure's own deviation is measured.
const NOISE_FRAMES: usize = 200;
/// A capture must hold this many frames' lengths for its statistics to mean anything.
const LEAST_FRAME_LENGTHS: usize = 8;
/// The pan index stays off ±1, where mid and side would be equal in every bin.
const PAN_MAX: f32 = 0.995;
/// Hops in a frame: 75 % overlap.
const OVERLAP: usize = 4;

/// Samples in a frame at a sample rate in Hz: 2048 at 44.1 and 48 kHz, by powers of two elsewhere.
pub fn fft_size_for(sample_rate: f64) -> usize {
    let octaves = (sample_rate / 46_000.0).log2().round_ties_even();
    (2048.0 * octaves.exp2()) as usize
}

/// Everything that turns features into magnitudes: constants measured on one capture.
///
/// Arrays are row-major; *magnitude channels* are mid, or mid and side; *feature channels* are these
/// and in stereo the pan index.
#[derive(Clone, Debug)]
pub struct FrontEnd {
    pub(crate) sample_rate: u32,
    pub(crate) output_channels: usize,
    pub(crate) stereo: bool,
    pub(crate) stft: Stft,
    pub(crate) bands: Bands,
    /// The capture was multiplied by this before analysis.
    pub(crate) analysis_gain: f32,
    /// `[magnitude channels × bins]`: `c` in `log1p(c·|X|)`.
    pub(crate) equaliser: Vec<f32>,
    /// `[magnitude channels × bins]`: root mean square of the capture's magnitudes.
    pub(crate) rms: Vec<f32>,
    /// `[feature channels × bins]`: mean at full resolution.
    pub(crate) mean_full: Vec<f32>,
    /// `[feature channels × bands]`: mean of the bands.
    pub(crate) mean_band: Vec<f32>,
    /// `[feature channels × bins]`: strength of the fine structure.
    pub(crate) depth: Vec<f32>,
}

/// The features of a capture: `frames × width`, row-major. Column `channel · bands + band`.
#[derive(Clone, Debug)]
pub struct Features {
    /// The values.
    pub data: Vec<f32>,
    /// Columns.
    pub width: usize,
}

impl Features {
    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.data.len() / self.width
    }

    /// One frame.
    pub fn frame(&self, t: usize) -> &[f32] {
        &self.data[t * self.width..(t + 1) * self.width]
    }
}

/// Full-resolution magnitudes of one frame, made to be reused.
#[derive(Clone, Debug, Default)]
pub struct FrameSpectrum {
    /// `[bins]`: magnitudes of mid.
    pub mid: Vec<f32>,
    /// `[bins]`: magnitudes of side; zero in mono.
    pub side: Vec<f32>,
    /// `[bins]`: pan index in −1..1; zero in mono.
    pub pan: Vec<f32>,
}

impl FrameSpectrum {
    /// Silence of `bins` bins.
    pub fn silent(bins: usize) -> Self {
        Self {
            mid: vec![0.0; bins],
            side: vec![0.0; bins],
            pan: vec![0.0; bins],
        }
    }
}

/// Working memory of [`FrontEnd::expand`].
pub struct ExpandScratch {
    samples: Vec<f32>,
    /// Spectra of the white noise of the last frame.
    pub(crate) carriers: [Vec<Complex32>; 2],
    fine: [Vec<f32>; 3],
    bands: Vec<f32>,
    /// Log magnitudes (and pan index) of the last frame, fine structure included.
    pub(crate) full: [Vec<f32>; 3],
    /// Noise samples are shared by overlapping frames: `(seed, first sample)` of what `noise` holds.
    held: Option<(u32, i64)>,
    noise: [Vec<f32>; 2],
    stft: super::StftScratch,
}

fn pan_index(mid: Complex32, side: Complex32) -> f32 {
    2.0 * (mid * side.conj()).re / (mid.norm_sqr() + side.norm_sqr() + 1e-9)
}

/// Mean and standard deviation over time of every column, accumulated in double precision.
struct Moments {
    sum: Vec<f64>,
    square: Vec<f64>,
    count: usize,
}

impl Moments {
    fn new(width: usize) -> Self {
        Self {
            sum: vec![0.0; width],
            square: vec![0.0; width],
            count: 0,
        }
    }

    fn add(&mut self, row: impl Iterator<Item = f32>) {
        for ((s, q), x) in self.sum.iter_mut().zip(&mut self.square).zip(row) {
            let x = f64::from(x);
            *s += x;
            *q += x * x;
        }
        self.count += 1;
    }

    fn mean(&self) -> Vec<f32> {
        self.sum
            .iter()
            .map(|s| (s / self.count as f64) as f32)
            .collect()
    }

    fn deviation(&self) -> Vec<f32> {
        let n = self.count as f64;
        let variance = |(s, q): (&f64, &f64)| (q / n - (s / n) * (s / n)).max(0.0);
        self.sum
            .iter()
            .zip(&self.square)
            .map(|p| variance(p).sqrt() as f32)
            .collect()
    }
}

impl FrontEnd {
    /// Measures a capture and returns its features.
    ///
    /// # Errors
    /// [`SpectrumError::TooShort`] if the capture is shorter than eight frames' lengths.
    pub fn analyse(clip: &Clip) -> Result<(Self, Features), SpectrumError> {
        let sample_rate = clip.sample_rate();
        let fft_size = fft_size_for(f64::from(sample_rate));
        let stft = Stft::new(fft_size, fft_size / OVERLAP)?;
        let least = LEAST_FRAME_LENGTHS * fft_size;
        if clip.len() < least {
            return Err(SpectrumError::TooShort {
                samples: clip.len(),
                least,
                sample_rate,
            });
        }
        let channels: Vec<Vec<f32>> = clip.channels()[..clip.channel_count().min(2)]
            .iter()
            .map(|x| {
                let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / x.len() as f64;
                x.iter().map(|&v| (f64::from(v) - mean) as f32).collect()
            })
            .collect();
        let samples = (clip.len() * channels.len()) as f64;
        let energy = channels
            .iter()
            .flatten()
            .map(|&v| f64::from(v).powi(2))
            .sum::<f64>();
        let analysis_gain = (ANALYSIS_RMS / ((energy / samples).sqrt() + 1e-9)) as f32;
        let (left, right) = (&channels[0], &channels[channels.len() - 1]);
        let half = 0.5 * analysis_gain;
        let mid: Vec<f32> = left
            .iter()
            .zip(right)
            .map(|(l, r)| (l + r) * half)
            .collect();
        let side: Vec<f32> = left
            .iter()
            .zip(right)
            .map(|(l, r)| (l - r) * half)
            .collect();
        let power = |x: &[f32]| x.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        let side_db = 10.0 * (power(&side) / (power(&mid) + 1e-12) + 1e-12).log10();
        let stereo = side_db > MONO_BELOW_DB;

        let bands = Bands::new(f64::from(sample_rate), fft_size);
        let bins = stft.bins();
        let mut front_end = Self {
            sample_rate,
            output_channels: channels.len(),
            stereo,
            stft,
            bands,
            analysis_gain,
            equaliser: Vec::new(),
            rms: Vec::new(),
            mean_full: Vec::new(),
            mean_band: Vec::new(),
            depth: Vec::new(),
        };
        let spectra: Vec<Vec<Complex32>> = [&mid, &side][..front_end.magnitude_channels()]
            .iter()
            .map(|x| front_end.stft.analyse(x))
            .collect();
        front_end.measure_equaliser(&spectra);

        let frames = spectra[0].len() / bins;
        let (fc, mc, count) = (
            front_end.feature_channels(),
            front_end.magnitude_channels(),
            front_end.bands.count(),
        );
        let mut full = vec![0.0f32; frames * fc * bins];
        let mut features = vec![0.0f32; frames * fc * count];
        let (mut full_moments, mut band_moments) =
            (Moments::new(fc * bins), Moments::new(fc * count));
        for t in 0..frames {
            let row = &mut full[t * fc * bins..(t + 1) * fc * bins];
            for (m, spectrum) in spectra.iter().enumerate() {
                for k in 0..bins {
                    let size = spectrum[t * bins + k].norm();
                    row[m * bins + k] = (size * front_end.equaliser[m * bins + k]).ln_1p();
                }
            }
            if stereo {
                for k in 0..bins {
                    row[mc * bins + k] =
                        pan_index(spectra[0][t * bins + k], spectra[1][t * bins + k]);
                }
            }
            let banded = &mut features[t * fc * count..(t + 1) * fc * count];
            for c in 0..fc {
                front_end.bands.pool_into(
                    &row[c * bins..(c + 1) * bins],
                    &mut banded[c * count..(c + 1) * count],
                );
            }
            full_moments.add(row.iter().copied());
            band_moments.add(banded.iter().copied());
        }
        front_end.mean_full = full_moments.mean();
        front_end.mean_band = band_moments.mean();
        front_end.measure_depth(&full, &features);
        Ok((
            front_end,
            Features {
                data: features,
                width: fc * count,
            },
        ))
    }

    fn measure_equaliser(&mut self, spectra: &[Vec<Complex32>]) {
        let bins = self.stft.bins();
        let mut smooth = Vec::new();
        for spectrum in spectra {
            let mut energy = vec![0.0f64; bins];
            for frame in spectrum.chunks_exact(bins) {
                for (e, z) in energy.iter_mut().zip(frame) {
                    *e += f64::from(z.norm_sqr());
                }
            }
            let frames = (spectrum.len() / bins) as f64;
            let rms: Vec<f32> = energy.iter().map(|e| (e / frames).sqrt() as f32).collect();
            for k in 0..bins {
                // From 0.84 to 1.19 of the bin's frequency: half an octave.
                let low = ((k as f64 * 0.84) as usize).saturating_sub(2);
                let high = ((k as f64 * 1.19) as usize + 3).min(bins);
                let part = &rms[low..high];
                let log = part.iter().map(|&v| (v + 1e-9).ln()).sum::<f32>() / part.len() as f32;
                smooth.push(log.exp());
            }
            self.rms.extend(rms);
        }
        let loudest = smooth[..bins].iter().copied().fold(0.0f32, f32::max);
        let floor = (loudest * EQUALISER_RANGE).max(1e-9);
        self.equaliser = smooth
            .iter()
            .map(|s| EQUALISED_LEVEL / s.max(floor))
            .collect();
    }

    fn measure_depth(&mut self, full: &[f32], features: &[f32]) {
        let (bins, count) = (self.stft.bins(), self.bands.count());
        let (fc, mc) = (self.feature_channels(), self.magnitude_channels());
        let mut residual = Moments::new(fc * bins);
        let mut slope_square = vec![0.0f64; mc * bins];
        let (mut offset, mut spread) = (vec![0.0f32; count], vec![0.0f32; fc * bins]);
        for (row, banded) in full
            .chunks_exact(fc * bins)
            .zip(features.chunks_exact(fc * count))
        {
            for c in 0..fc {
                let (b, means) = (&banded[c * count..], &self.mean_band[c * count..]);
                for ((o, b), m) in offset.iter_mut().zip(b).zip(means) {
                    *o = b - m;
                }
                self.bands
                    .spread_into(&offset, &mut spread[c * bins..(c + 1) * bins]);
            }
            let values = row.iter().zip(&self.mean_full).zip(&spread);
            residual.add(values.map(|((x, m), s)| x - (m + s)));
            for (q, &x) in slope_square.iter_mut().zip(row) {
                *q += f64::from(1.0 - (-x.max(0.02)).exp()).powi(2);
            }
        }
        let mut white = Moments::new(fc * bins);
        let mut scratch = self.make_expand_scratch();
        for t in 0..NOISE_FRAMES {
            self.fine_structure(1, t as i64, &mut scratch);
            white.add(scratch.fine[..fc].iter().flatten().copied());
        }
        let white = white.deviation();
        // Mid and side share one scale of white noise; the pan index has its own.
        let reference: Vec<f32> = (0..bins)
            .map(|k| (0..mc).map(|c| white[c * bins + k]).sum::<f32>() / mc as f32)
            .collect();
        let frames = residual.count as f64;
        self.depth = residual.deviation();
        for c in 0..fc {
            for k in 0..bins {
                let (slope, noise) = if c < mc {
                    (
                        (slope_square[c * bins + k] / frames).sqrt() as f32,
                        reference[k],
                    )
                } else {
                    (1.0, white[c * bins + k])
                };
                let depth = &mut self.depth[c * bins + k];
                *depth = (*depth / (slope * noise + 1e-6)).min(DEPTH_MAX);
                if k < self.bands.direct() {
                    *depth = 0.0;
                }
            }
        }
    }

    /// Sample rate of the capture and of what is made from it, in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Channels of the capture that was analysed, 1 or 2.
    pub fn output_channels(&self) -> usize {
        self.output_channels
    }

    /// Whether there is a side channel and a pan index.
    pub fn is_stereo(&self) -> bool {
        self.stereo
    }

    /// The transform that frames belong to.
    pub fn stft(&self) -> &Stft {
        &self.stft
    }

    /// The bands of the features.
    pub fn bands(&self) -> &Bands {
        &self.bands
    }

    /// Frames per second.
    pub fn frame_rate(&self) -> f64 {
        f64::from(self.sample_rate) / self.stft.hop_size() as f64
    }

    /// 1 (mid) or 2 (mid, side).
    pub fn magnitude_channels(&self) -> usize {
        if self.stereo { 2 } else { 1 }
    }

    /// 1 (mid) or 3 (mid, side, pan index).
    pub fn feature_channels(&self) -> usize {
        if self.stereo { 3 } else { 1 }
    }

    /// Features in a frame: [`feature_channels`](Self::feature_channels) × bands.
    pub fn feature_width(&self) -> usize {
        self.feature_channels() * self.bands.count()
    }

    /// Allocates working memory for [`expand`](Self::expand).
    pub fn make_expand_scratch(&self) -> ExpandScratch {
        let bins = self.stft.bins();
        ExpandScratch {
            samples: vec![0.0; self.stft.fft_size()],
            carriers: std::array::from_fn(|_| vec![Complex32::default(); bins]),
            fine: std::array::from_fn(|_| vec![0.0; bins]),
            bands: vec![0.0; self.bands.count()],
            full: std::array::from_fn(|_| vec![0.0; bins]),
            held: None,
            noise: std::array::from_fn(|_| vec![0.0; self.stft.fft_size()]),
            stft: self.stft.make_scratch(),
        }
    }

    /// White noise of frame `index`, addressed by absolute sample, in `scratch.noise`.
    fn noise_samples(&self, seed: u32, index: i64, scratch: &mut ExpandScratch) {
        let (size, hop) = (self.stft.fft_size(), self.stft.hop_size());
        let start = index * hop as i64;
        // The next frame shares all but one hop with the last one.
        let known = match scratch.held {
            Some((s, at)) if s == seed && at == start => size,
            Some((s, at)) if s == seed && at + hop as i64 == start => size - hop,
            _ => 0,
        };
        for (c, noise) in scratch.noise[..self.magnitude_channels()]
            .iter_mut()
            .enumerate()
        {
            if known > 0 && known < size {
                noise.copy_within(hop.., 0);
            }
            let source = Noise::new(seed, stream::CARRIER + c as u32);
            source.gaussians_into(start + known as i64, &mut noise[known..]);
        }
        scratch.held = Some((seed, start));
    }

    /// What banding loses of white noise at frame `index`: log magnitudes (and pan index) minus their
    /// banded part, in `scratch.fine`.
    fn fine_structure(&self, seed: u32, index: i64, scratch: &mut ExpandScratch) {
        self.noise_samples(seed, index, scratch);
        let bins = self.stft.bins();
        let ExpandScratch {
            samples,
            carriers,
            fine,
            bands,
            noise,
            stft,
            full,
            ..
        } = scratch;
        let mc = self.magnitude_channels();
        for m in 0..mc {
            samples.copy_from_slice(&noise[m]);
            self.stft.analyse_frame(samples, &mut carriers[m], stft);
            for (x, z) in fine[m].iter_mut().zip(&carriers[m]) {
                *x = (z.norm() + 1e-3).ln();
            }
        }
        if self.stereo {
            for k in 0..bins {
                let (mid, side) = (
                    carriers[0][k] * self.rms[k],
                    carriers[1][k] * self.rms[bins + k],
                );
                fine[mc][k] = pan_index(mid, side);
            }
        }
        for (x, banded) in fine[..self.feature_channels()].iter_mut().zip(full) {
            self.bands.pool_into(x, bands);
            self.bands.spread_into(bands, banded);
            for (x, b) in x.iter_mut().zip(banded) {
                *x -= *b;
            }
        }
    }

    /// Features of the absolute frame `index` to magnitudes at the capture's own level.
    /// `seed` and `index` decide the fine structure; consecutive frames are the cheapest.
    ///
    /// # Panics
    /// If `features` is not [`feature_width`](Self::feature_width) long or `out` holds another number
    /// of bins.
    pub fn expand(
        &self,
        features: &[f32],
        seed: u32,
        index: i64,
        scratch: &mut ExpandScratch,
        out: &mut FrameSpectrum,
    ) {
        let (bins, count) = (self.stft.bins(), self.bands.count());
        assert_eq!(features.len(), self.feature_width());
        assert_eq!(
            (out.mid.len(), out.side.len(), out.pan.len()),
            (bins, bins, bins)
        );
        self.fine_structure(seed, index, scratch);
        let ExpandScratch {
            fine, bands, full, ..
        } = scratch;
        let planes = [&mut out.mid, &mut out.side, &mut out.pan];
        for (c, out) in planes.into_iter().enumerate() {
            if c < self.feature_channels() {
                let features = &features[c * count..(c + 1) * count];
                self.log_plane_into(c, features, &fine[c], bands, &mut full[c]);
                self.plane_into(c, &full[c], out);
            } else {
                out.fill(0.0);
            }
        }
    }

    /// Fine structure of frame `index` for [`log_plane_into`](Self::log_plane_into), one plane for each
    /// feature channel; consecutive frames are the cheapest.
    pub(crate) fn fine_structure_into(
        &self,
        seed: u32,
        index: i64,
        scratch: &mut ExpandScratch,
        out: &mut FrameSpectrum,
    ) {
        self.fine_structure(seed, index, scratch);
        let planes = [&mut out.mid, &mut out.side, &mut out.pan];
        for (out, fine) in planes
            .into_iter()
            .zip(&scratch.fine)
            .take(self.feature_channels())
        {
            out.copy_from_slice(fine);
        }
    }

    /// Log magnitudes (or the pan index) at full resolution of feature channel `c`: `features` (bands)
    /// with `fine` structure (bins) to `full` (bins). `bands` is working memory. Real-time safe.
    pub(crate) fn log_plane_into(
        &self,
        c: usize,
        features: &[f32],
        fine: &[f32],
        bands: &mut [f32],
        full: &mut [f32],
    ) {
        let (bins, count) = (self.stft.bins(), self.bands.count());
        let means = &self.mean_band[c * count..(c + 1) * count];
        for ((o, x), m) in bands.iter_mut().zip(features).zip(means) {
            *o = x - m;
        }
        self.bands.spread_into(bands, full);
        let (mean, depth) = (&self.mean_full[c * bins..], &self.depth[c * bins..]);
        let rows = full.iter_mut().zip(mean).zip(depth.iter().zip(fine));
        let magnitude = c < self.magnitude_channels();
        dispatch(
            #[inline(always)]
            || {
                if magnitude {
                    for ((x, mean), (depth, fine)) in rows {
                        // How steep log1p(cA) is over log A: the residual was measured in the former.
                        let log = (*x + mean).max(0.0);
                        *x = (log + (1.0 - exp(-log)) * depth * fine).max(0.0);
                    }
                } else {
                    for ((x, mean), (depth, fine)) in rows {
                        *x += mean + depth * fine;
                    }
                }
            },
        );
    }

    /// Log magnitudes (bins) of feature channel `c` to magnitudes at the capture's own level; the pan
    /// index is kept within its bounds. Real-time safe.
    pub(crate) fn plane_into(&self, c: usize, full: &[f32], out: &mut [f32]) {
        let bins = self.stft.bins();
        if c >= self.magnitude_channels() {
            for (o, p) in out.iter_mut().zip(full) {
                *o = p.clamp(-PAN_MAX, PAN_MAX);
            }
            return;
        }
        let scale = 1.0 / self.analysis_gain;
        let rows = out
            .iter_mut()
            .zip(full)
            .zip(&self.equaliser[c * bins..(c + 1) * bins]);
        dispatch(
            #[inline(always)]
            || {
                for ((o, &x), c) in rows {
                    *o = (exp(x) - 1.0) / c * scale;
                }
            },
        );
    }

    /// Power of each bin in the capture, `[magnitude channels × bins]`, at its own level.
    pub(crate) fn bin_power(&self) -> Vec<f32> {
        let scale = 1.0 / self.analysis_gain;
        self.rms.iter().map(|x| (x * scale).powi(2)).collect()
    }
}
