//! What a frame goes through between the network and the inverter: density, contrast, smear, and a
//! spectral gain.

use crate::instrument::controls::{BRIGHTNESS_RANGE, CUT_RANGE_HZ};
use crate::network::{BLOCK_FRAMES, GeneratorScratch, Model};
use crate::numeric::fast_math::{exp, ln};
use crate::numeric::simd::dispatch;
use crate::spectrum::FrontEnd;

/// Temperatures of the network's noise of which every frame carries its features: other densities lie
/// between them. The network is piecewise linear, and so nearly is what lies between.
pub(super) const TEMPERATURES: [f32; 3] = [0.0, 1.0, 2.0];
/// Contrasts at which levels are measured.
const CONTRASTS: [f32; 5] = [0.0, 0.5, 1.0, 1.5, 2.0];
/// Places of the captured texture in the two lists.
const AS_CAPTURED: (usize, usize) = (1, 2);
/// Blocks of frames from which levels are measured: 2.7 s at 48 kHz.
const LEVEL_BLOCKS: i64 = 8;
/// Levels are corrected by 24 dB at most.
const CORRECTION_MOST: f32 = 2.763;
/// Energies below this are silence, against a local level of 14² (see the front end).
const LEAST_ENERGY: f64 = 1e-6;
/// Frequency that brightness turns around, in Hz.
const TILT_CENTRE_HZ: f64 = 1000.0;
/// What a tilt or the folding limit takes away is given back up to 24 dB.
const LEVEL_MOST: f32 = 15.8;
/// Natural logarithm of a factor for one dB.
const NEPER_PER_DB: f32 = 0.115_129_25;
/// Part of the host's half sample rate above which nothing is made, so that nothing folds back.
const FOLDING_EDGE: f32 = 0.97;

/// Everything about a texture that shaping its frames needs; shared by all voices.
pub(in crate::instrument) struct Shaping {
    pub front_end: FrontEnd,
    /// Log gains of the bands, `[TEMPERATURES × CONTRASTS × magnitude bands]`, that keep every band's
    /// energy what it is as captured.
    corrections: Vec<f32>,
    /// Octaves from the tilt's centre to each bin, and its frequency in Hz.
    octaves: Vec<f32>,
    bin_hz: f32,
    /// Power of each bin in the capture, all channels.
    power: Vec<f32>,
    /// Share of the side channel in the power.
    pub side_share: f32,
}

impl Shaping {
    /// Measures the levels of `model` at all temperatures and contrasts. Not on the audio thread.
    pub fn new(model: &Model) -> Self {
        let front_end = model.front_end().clone();
        let (bins, channels) = (front_end.stft().bins(), front_end.magnitude_channels());
        let bin_hz = f64::from(front_end.sample_rate()) / front_end.stft().fft_size() as f64;
        let octaves = (0..bins)
            .map(|k| ((k as f64).max(0.5) * bin_hz / TILT_CENTRE_HZ).log2() as f32)
            .collect();
        let by_channel = front_end.bin_power();
        let power: Vec<f32> = (0..bins)
            .map(|k| (0..channels).map(|c| by_channel[c * bins + k]).sum())
            .collect();
        let total: f32 = power.iter().sum();
        let side: f32 = by_channel[bins..].iter().sum();
        let mut shaping = Self {
            front_end,
            corrections: Vec::new(),
            octaves,
            bin_hz: bin_hz as f32,
            power,
            side_share: if total > 0.0 { side / total } else { 0.0 },
        };
        shaping.measure(model);
        shaping
    }

    /// Bands of all magnitude channels.
    fn magnitude_width(&self) -> usize {
        self.front_end.magnitude_channels() * self.front_end.bands().count()
    }

    fn measure(&mut self, model: &Model) {
        let (width, magnitudes) = (self.front_end.feature_width(), self.magnitude_width());
        let mut energy = vec![0.0f64; TEMPERATURES.len() * CONTRASTS.len() * magnitudes];
        let mut features = vec![0.0; TEMPERATURES.len() * BLOCK_FRAMES * width];
        let mut scratch = GeneratorScratch::default();
        for block in 0..LEVEL_BLOCKS {
            model.generator().tempered_block_into(
                0,
                block,
                &TEMPERATURES,
                &mut scratch,
                &mut features,
            );
            for (t, rows) in features.chunks_exact(BLOCK_FRAMES * width).enumerate() {
                for (c, &contrast) in CONTRASTS.iter().enumerate() {
                    let at = (t * CONTRASTS.len() + c) * magnitudes;
                    let sums = &mut energy[at..at + magnitudes];
                    for row in rows.chunks_exact(width) {
                        let cells = sums
                            .iter_mut()
                            .zip(row)
                            .zip(&self.front_end.constants().mean_band);
                        for ((sum, &x), &mean) in cells {
                            *sum += f64::from(power(contrasted(x, mean, contrast)));
                        }
                    }
                }
            }
        }
        let reference = (AS_CAPTURED.0 * CONTRASTS.len() + AS_CAPTURED.1) * magnitudes;
        self.corrections = (0..energy.len())
            .map(|i| {
                let wanted = energy[reference + i % magnitudes] + LEAST_ENERGY;
                let gain = 0.5 * (wanted / (energy[i] + LEAST_ENERGY)).ln();
                (gain as f32).clamp(-CORRECTION_MOST, CORRECTION_MOST)
            })
            .collect();
    }

    /// Features of one frame, `nodes` (`[TEMPERATURES × features]`), at a density and a contrast:
    /// powers of the bands, then the pan index. `out` holds one frame. Real-time safe.
    pub fn shape(&self, nodes: &[f32], density: f32, contrast: f32, out: &mut [f32]) {
        let (width, magnitudes) = (out.len(), self.magnitude_width());
        let (t, warm) = between(&TEMPERATURES, density);
        let (c, more) = between(&CONTRASTS, contrast);
        let (cold, hot) = (&nodes[t * width..], &nodes[(t + 1) * width..]);
        let (cold_pan, hot_pan) = (&cold[magnitudes..width], &hot[magnitudes..width]);
        let correction = |t: usize, c: usize| {
            let at = (t * CONTRASTS.len() + c) * magnitudes;
            &self.corrections[at..at + magnitudes]
        };
        let [g0, g1, g2, g3] = [
            correction(t, c),
            correction(t, c + 1),
            correction(t + 1, c),
            correction(t + 1, c + 1),
        ];
        let means = &self.front_end.constants().mean_band[..magnitudes];
        let (bands, pans) = out.split_at_mut(magnitudes);
        let (cold, hot) = (&cold[..magnitudes], &hot[..magnitudes]);
        dispatch(
            #[inline(always)]
            || {
                for i in 0..bands.len() {
                    let x = cold[i] + (hot[i] - cold[i]) * warm;
                    let low = g0[i] + (g1[i] - g0[i]) * more;
                    let high = g2[i] + (g3[i] - g2[i]) * more;
                    let gain = exp(2.0 * (low + (high - low) * warm));
                    bands[i] = power(contrasted(x, means[i], contrast)) * gain;
                }
            },
        );
        for (pan, (cold, hot)) in pans.iter_mut().zip(cold_pan.iter().zip(hot_pan)) {
            *pan = cold + (hot - cold) * warm;
        }
    }

    /// Powers of bands back to features, in place; the pan index stays. Real-time safe.
    pub fn unshape(&self, frame: &mut [f32]) {
        let bands = &mut frame[..self.magnitude_width()];
        dispatch(
            #[inline(always)]
            || {
                for x in bands {
                    *x = ln(1.0 + x.max(0.0).sqrt());
                }
            },
        );
    }

    /// Gains of all bins for a spectral `gain`. Real-time safe.
    pub(super) fn gains_into(&self, gain: &SpectralGain, out: &mut [f32]) {
        let tilt = NEPER_PER_DB * gain.brightness.clamp(-BRIGHTNESS_RANGE, BRIGHTNESS_RANGE);
        let up = gain.transposition.log2();
        let folding =
            (FOLDING_EDGE * gain.nyquist_hz / (self.bin_hz * gain.transposition)) as usize;
        let heard = out.len().min(folding.max(1));
        let (audible, folded) = out.split_at_mut(heard);
        folded.fill(0.0);
        dispatch(
            #[inline(always)]
            || {
                for (g, &octave) in audible.iter_mut().zip(&self.octaves) {
                    *g = exp(tilt * (octave + up));
                }
            },
        );
        let mut before = 0.0;
        for p in &self.power {
            before += p;
        }
        let mut after = 0.0;
        for (g, p) in audible.iter().zip(&self.power) {
            after += g * g * p;
        }
        let level = if after > 0.0 {
            (before / after).sqrt().min(LEVEL_MOST)
        } else {
            1.0
        };
        let [low, high] = [
            cut(gain.low_cut_hz, CUT_RANGE_HZ.0),
            cut(gain.high_cut_hz, CUT_RANGE_HZ.1),
        ];
        for (k, g) in audible.iter_mut().enumerate() {
            let hz = k as f32 * self.bin_hz * gain.transposition;
            // Butterworth's second order, as magnitudes.
            let through_low = low.map_or(1.0, |edge| {
                let r = (hz / edge).powi(2);
                r / (1.0 + r * r).sqrt()
            });
            let through_high = high.map_or(1.0, |edge| {
                let r = (hz / edge).powi(2);
                1.0 / (1.0 + r * r).sqrt()
            });
            *g *= level * through_low * through_high;
        }
    }
}

/// A gain over frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SpectralGain {
    /// dB an octave, in [`BRIGHTNESS_RANGE`].
    pub brightness: f32,
    /// Edges in Hz.
    pub low_cut_hz: f32,
    pub high_cut_hz: f32,
    /// Factor by which frequencies will be multiplied when the sound is read.
    pub transposition: f32,
    /// Half of the host's sample rate, in Hz.
    pub nyquist_hz: f32,
}

fn cut(edge: f32, off: f32) -> Option<f32> {
    (edge != off).then_some(edge)
}

#[inline(always)]
fn contrasted(x: f32, mean: f32, contrast: f32) -> f32 {
    (mean + (x - mean) * contrast).max(0.0)
}

/// Power of an equalised magnitude from its feature.
#[inline(always)]
fn power(feature: f32) -> f32 {
    let magnitude = exp(feature) - 1.0;
    magnitude * magnitude
}

/// The interval of `nodes` (ascending) that `x` lies in, and where in it, 0 to 1.
fn between(nodes: &[f32], x: f32) -> (usize, f32) {
    let last = nodes.len() - 2;
    let i = (0..last).find(|&i| x < nodes[i + 1]).unwrap_or(last);
    let part = (x - nodes[i]) / (nodes[i + 1] - nodes[i]);
    (i, part.clamp(0.0, 1.0))
}
