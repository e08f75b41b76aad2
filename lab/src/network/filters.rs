//! Random filters along time, with the rows of an image as their input.

use std::sync::OnceLock;

use candle_core::Tensor;
use weft_core::numeric::linalg::{View, multiply};
use weft_core::numeric::random::Sequence;
use weft_core::numeric::threads::Threads;

/// Fewest places that are worth a product of their own: filters are packed anew for each.
const LEAST_CHUNK: usize = 128;

/// `count` random filters, each over `width` consecutive rows of an image with `channels` columns.
#[derive(Debug)]
pub struct Filters {
    channels: usize,
    width: usize,
    count: usize,
    /// `width · channels × count`.
    weights: Vec<f32>,
    /// `width · count × channels`: the same from the last row to the first, made when a gradient is asked for.
    reversed: OnceLock<Vec<f32>>,
    /// The same as `weights` on another device than the processor, made when it is first used there.
    pub(super) on_device: OnceLock<Tensor>,
    threads: Threads,
}

impl Filters {
    /// Uniform weights (Glorot & Bengio 2010, eq. 16, with the width in both fans), the same as those that
    /// [`GramLoss`](weft_core::texture::loss::GramLoss) draws from this `seed` and `index`.
    pub fn glorot(channels: usize, width: usize, count: usize, seed: u64, index: u64) -> Self {
        let mut random = Sequence::new(seed, index);
        let bound = (6.0 / (width * (channels + count)) as f64).sqrt();
        let draw = || ((2.0 * random.uniform() - 1.0) * bound) as f32;
        let weights = std::iter::repeat_with(draw).take(width * channels * count);
        Self::new(channels, width, count, weights.collect())
    }

    /// Normal weights of this standard deviation.
    pub fn normal(
        channels: usize,
        width: usize,
        count: usize,
        deviation: f32,
        (seed, index): (u64, u64),
    ) -> Self {
        let mut random = Sequence::new(seed, index);
        let draw = || random.gaussian() * deviation;
        let weights = std::iter::repeat_with(draw).take(width * channels * count);
        Self::new(channels, width, count, weights.collect())
    }

    /// Filters with these `weights`, `width · channels × count`, row after row.
    ///
    /// # Panics
    /// If there are more or fewer weights.
    pub fn new(channels: usize, width: usize, count: usize, weights: Vec<f32>) -> Self {
        assert_eq!(weights.len(), width * channels * count);
        Self {
            channels,
            width,
            count,
            weights,
            reversed: OnceLock::new(),
            on_device: OnceLock::new(),
            threads: Threads::new(0),
        }
    }

    /// Columns of the images that they see.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows that a filter sees.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The weights, `width · channels × count`.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Rectified activations of the rows of an image at every place that the filters fit in, on the processor.
    pub(super) fn forward(&self, rows: &[f32]) -> Vec<f32> {
        let places = (rows.len() / self.channels + 1).saturating_sub(self.width);
        let filters = View::new(&self.weights, self.width * self.channels, self.count);
        self.by_chunks(places, self.count, |first, out| {
            let last = first + out.len() / self.count + self.width - 1;
            let rows = &rows[first * self.channels..last * self.channels];
            let windows = View::windows(rows, self.channels, self.width);
            multiply(out, windows, filters, false);
            for activation in out {
                *activation = activation.max(0.0);
            }
        })
    }

    /// Gradient by the rows of an image, from that by the `activations` that it has.
    pub(super) fn backward(&self, activations: &[f32], by_activations: &[f32]) -> Vec<f32> {
        let (count, margin) = (self.count, (self.width - 1) * self.count);
        // Each row is seen from `width` places; beyond the first and the last there are none.
        let mut padded = vec![0.0; margin + activations.len() + margin];
        let inner = padded[margin..].iter_mut().zip(activations);
        for ((d, activation), by_activation) in inner.zip(by_activations) {
            if *activation > 0.0 {
                *d = *by_activation;
            }
        }
        let reversed = self.reversed.get_or_init(|| self.reverse());
        let filters = View::new(reversed, self.width * count, self.channels);
        let rows = activations.len() / count + self.width - 1;
        self.by_chunks(rows, self.channels, |first, out| {
            let last = first + out.len() / self.channels + self.width - 1;
            let seen = &padded[first * count..last * count];
            multiply(out, View::windows(seen, count, self.width), filters, false);
        })
    }

    fn reverse(&self) -> Vec<f32> {
        let (channels, count) = (self.channels, self.count);
        let mut reversed = vec![0.0; self.weights.len()];
        let taps = self.weights.chunks_exact(channels * count).rev();
        for (tap, out) in taps.zip(reversed.chunks_exact_mut(count * channels)) {
            for (channel, filters) in tap.chunks_exact(count).enumerate() {
                for (filter, weight) in filters.iter().enumerate() {
                    out[filter * channels + channel] = *weight;
                }
            }
        }
        reversed
    }

    /// `rows × columns` values, filled in chunks of rows on all cores: `fill` is told each chunk's first row.
    fn by_chunks(
        &self,
        rows: usize,
        columns: usize,
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Vec<f32> {
        let chunk = rows.div_ceil(2 * self.threads.count()).max(LEAST_CHUNK);
        let mut out = vec![0.0; rows * columns];
        let chunks = out.chunks_mut(chunk * columns).enumerate();
        let mut chunks: Vec<(usize, &mut [f32])> = chunks.collect();
        self.threads
            .for_each(&mut chunks, |(index, out)| fill(*index * chunk, out));
        out
    }
}
