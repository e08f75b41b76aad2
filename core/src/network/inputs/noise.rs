//! Noise at every time scale: Gaussian, and sparse.

use super::Columns;
use crate::numeric::random::{Noise, stream};

/// Gaussian channels at every scale.
const GAUSSIAN_CHANNELS: usize = 32;
/// Channels of sparse events at every scale.
const SPIKE_CHANNELS: usize = 8;
/// Events per second of the first and the last sparse channel; geometric between.
const SPIKE_RATES_HZ: (f64, f64) = (1.0, 12.0);
/// No sparse channel fires in more than half of its columns.
const SPIKE_MOST: f64 = 0.5;

/// How the noise of some columns is made: of each column first the Gaussian channels, then the sparse ones, all from
/// numbers by seed, stream, column and channel ([`Noise`]).
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseLaw {
    /// Gaussian channels.
    pub gaussians: usize,
    /// Stream of the Gaussian channels.
    pub gaussian_stream: u32,
    /// Of every sparse channel, events a column: there is one where its number in the stream of hits is below this.
    pub spike_rates: Vec<f64>,
    /// Stream of hits.
    pub spike_stream: u32,
    /// Stream of sizes: one of rate `r` and number `u` is `(1 − ln u) / √(5 r)`.
    pub size_stream: u32,
}

impl NoiseLaw {
    pub(super) fn new(spikes: Option<Spikes>, columns: Columns) -> Self {
        let scale = columns.scale as u32;
        Self {
            gaussians: GaussianNoise::WIDTH,
            gaussian_stream: stream::NOISE + scale,
            spike_rates: spikes.map_or(Vec::new(), |spikes| spikes.rates(columns).to_vec()),
            spike_stream: stream::SPIKE + scale,
            size_stream: stream::SPIKE_SIZE + scale,
        }
    }
}

/// Gaussian noise of unit deviation (texture networks: Ulyanov et al. 2016, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct GaussianNoise;

impl GaussianNoise {
    pub const WIDTH: usize = GAUSSIAN_CHANNELS;

    /// Writes `columns × WIDTH` numbers of `seed` to `out`.
    pub fn fill(seed: u32, columns: Columns, out: &mut Vec<f32>) {
        let noise = Noise::new(seed, stream::NOISE + columns.scale as u32);
        out.resize(columns.count * Self::WIDTH, 0.0);
        for (row, column) in out.chunks_exact_mut(Self::WIDTH).zip(columns.indices()) {
            noise.frame(column).gaussians_into(row);
        }
    }
}

/// Sparse events of random size, each channel at a rate of its own: without them, discrete events do not form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spikes {
    pub frame_rate: f64,
}

impl Spikes {
    pub const WIDTH: usize = SPIKE_CHANNELS;

    /// Writes `columns × WIDTH` numbers of `seed` to `out`.
    pub fn fill(self, seed: u32, columns: Columns, out: &mut Vec<f32>) {
        let hits = Noise::new(seed, stream::SPIKE + columns.scale as u32);
        let sizes = Noise::new(seed, stream::SPIKE_SIZE + columns.scale as u32);
        let rates = self.rates(columns);
        out.clear();
        for column in columns.indices() {
            let (hit, size) = (hits.frame(column), sizes.frame(column));
            out.extend(rates.iter().zip(0..).map(|(&rate, c)| {
                // Sizes are exponential above one, and scaled to about unit energy.
                let size = || (1.0 - size.uniform(c).ln()) / (5.0 * rate).sqrt();
                if hit.uniform(c) < rate {
                    size() as f32
                } else {
                    0.0
                }
            }));
        }
    }

    /// Events per column in each channel.
    fn rates(self, columns: Columns) -> [f64; Self::WIDTH] {
        std::array::from_fn(|c| {
            let (low, high) = SPIKE_RATES_HZ;
            let hz = low * (high / low).powf(c as f64 / (SPIKE_CHANNELS - 1) as f64);
            (hz * columns.column_frames() as f64 / self.frame_rate).min(SPIKE_MOST)
        })
    }
}
