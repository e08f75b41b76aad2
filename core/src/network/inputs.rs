//! Inputs of the generator: at every time scale Gaussian noise, sparse events and the phase of a
//! period, all addressed by absolute frame.

use super::{GAUSSIAN_CHANNELS, SCALES, SPIKE_CHANNELS, TABLE_SCALES};
use crate::numeric::random::{Noise, stream};
use crate::texture::Period;

/// Events per second of the first and the last sparse channel; geometric between.
const SPIKE_RATES_HZ: (f64, f64) = (1.0, 12.0);
/// No sparse channel fires in more than half of its columns.
const SPIKE_MOST: f64 = 0.5;
/// Deviation of the smooth jitter of the phase, in periods; one knot every two periods.
const PHASE_JITTER: f64 = 0.01;
/// Entries of the phase table: one for each frame of the period, within these bounds.
const TABLE_BOUNDS: (f64, f64) = (8.0, 128.0);
/// Harmonics of the period whose sine and cosine the coarse scales see.
const PHASE_HARMONICS: usize = 3;

/// Columns of one scale that a block of frames needs: `first ..= last` in columns of that scale,
/// relative to the block's start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub first: i64,
    pub end: i64,
}

impl Span {
    pub fn columns(self) -> usize {
        (self.end - self.first) as usize
    }
}

/// The columns that frames `0..frames` need, coarsest scale first. Every scale's two convolutions take
/// two columns off either side.
pub(crate) fn spans(frames: usize) -> [Span; SCALES] {
    let mut out = [Span { first: 0, end: 0 }; SCALES];
    let (mut first, mut end) = (0, frames as i64);
    for span in out.iter_mut().rev() {
        (first, end) = (first - 2, end + 2);
        *span = Span { first, end };
        (first, end) = (first.div_euclid(2), (end + 1).div_euclid(2));
    }
    out
}

/// How many of a coarser scale's doubled columns lie before the first one of scale `s`.
pub(crate) fn skip(spans: &[Span; SCALES], s: usize) -> usize {
    (spans[s].first - 2 * (spans[s - 1].first + 2)) as usize
}

/// Frames that one column of scale `s` stands for.
pub(crate) fn column_frames(s: usize) -> i64 {
    1 << (SCALES - 1 - s)
}

/// Inputs of one scale, row-major.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScaleInputs {
    pub columns: usize,
    /// `columns × (GAUSSIAN_CHANNELS + SPIKE_CHANNELS)`.
    pub noise: Vec<f32>,
    /// On the coarse scales `columns × 2·PHASE_HARMONICS`: sines and cosines of the phase.
    pub harmonics: Vec<f32>,
    /// On the finest scales `columns × table entries`: weights of the entries that the phase lies between.
    pub table_weights: Vec<f32>,
}

/// The input laws of one network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InputLaw {
    pub frame_rate: f64,
    /// Length of the period input in frames, if the network has one.
    pub period: Option<f64>,
}

impl InputLaw {
    pub fn new(frame_rate: f64, period: Option<&Period>) -> Self {
        Self {
            frame_rate,
            period: period.map(|p| p.frames),
        }
    }

    /// Entries of the phase table; none without a period.
    pub fn table_entries(&self) -> usize {
        let bounded = |p: f64| p.round_ties_even().clamp(TABLE_BOUNDS.0, TABLE_BOUNDS.1) as usize;
        self.period.map_or(0, bounded)
    }

    /// Columns of sines and cosines that scale `s` sees.
    pub fn harmonic_channels(&self, s: usize) -> usize {
        if self.period.is_some() && !sees_table(s) {
            2 * PHASE_HARMONICS
        } else {
            0
        }
    }

    /// Phase of the period at a frame, in periods: frame / period + offset + smooth jitter.
    fn phase(&self, seed: u32, period: f64, frame: i64) -> f64 {
        let jitter = Noise::new(seed, stream::JITTER);
        let t = frame as f64;
        let knot = (t / (2.0 * period)).floor();
        let x = t / (2.0 * period) - knot;
        let smooth = x * x * (3.0 - 2.0 * x);
        let at = |k: f64| f64::from(jitter.frame(k as i64).gaussian(0)) * PHASE_JITTER;
        let offset = Noise::new(seed, stream::PHASE).frame(0).uniform(0);
        t / period + offset + at(knot) * (1.0 - smooth) + at(knot + 1.0) * smooth
    }

    /// Inputs of all scales for `frames` frames from absolute frame `start`, a multiple of 32.
    pub fn fill(&self, seed: u32, start: i64, frames: usize, out: &mut [ScaleInputs; SCALES]) {
        let entries = self.table_entries();
        for (s, (inputs, span)) in out.iter_mut().zip(spans(frames)).enumerate() {
            let width = column_frames(s);
            let first = span.first + start / width;
            let gaussian = Noise::new(seed, stream::NOISE + s as u32);
            let spike = Noise::new(seed, stream::SPIKE + s as u32);
            let spike_size = Noise::new(seed, stream::SPIKE_SIZE + s as u32);
            let rates: [f64; SPIKE_CHANNELS] = std::array::from_fn(|c| {
                let (low, high) = SPIKE_RATES_HZ;
                let hz = low * (high / low).powf(c as f64 / (SPIKE_CHANNELS - 1) as f64);
                (hz * width as f64 / self.frame_rate).min(SPIKE_MOST)
            });
            inputs.columns = span.columns();
            inputs.noise.clear();
            inputs.harmonics.clear();
            inputs.table_weights.clear();
            for column in (0..span.columns() as i64).map(|i| first + i) {
                let noise = gaussian.frame(column);
                let at = inputs.noise.len();
                inputs.noise.resize(at + GAUSSIAN_CHANNELS, 0.0);
                noise.gaussians_into(&mut inputs.noise[at..]);
                let (hit, size) = (spike.frame(column), spike_size.frame(column));
                inputs.noise.extend(rates.iter().zip(0..).map(|(&rate, c)| {
                    // Sizes are exponential above one, and scaled to about unit energy.
                    let size = || (1.0 - size.uniform(c).ln()) / (5.0 * rate).sqrt();
                    if hit.uniform(c) < rate {
                        size() as f32
                    } else {
                        0.0
                    }
                }));
                let Some(period) = self.period else { continue };
                let phase = self.phase(seed, period, column * width + width / 2);
                if sees_table(s) {
                    let turn = phase.rem_euclid(1.0) * entries as f64;
                    inputs.table_weights.extend((0..entries).map(|e| {
                        let gap = (turn - e as f64).abs();
                        (1.0 - gap.min(entries as f64 - gap)).max(0.0) as f32
                    }));
                } else {
                    for harmonic in 1..=PHASE_HARMONICS {
                        let angle = std::f64::consts::TAU * harmonic as f64 * phase;
                        inputs
                            .harmonics
                            .extend([angle.sin() as f32, angle.cos() as f32]);
                    }
                }
            }
        }
    }
}

/// Whether scale `s` is one of the finest, which see the learned phase table.
pub(crate) fn sees_table(s: usize) -> bool {
    s >= SCALES - TABLE_SCALES
}
