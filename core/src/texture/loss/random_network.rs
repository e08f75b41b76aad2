//! Networks of one layer with random weights, whose activations describe a texture.

use std::ops::Range;

use crate::numeric::linalg::{View, multiply};
use crate::numeric::random::Sequence;

/// Random filters over stretches of frames, and a rectifier (Antognini, Hoffman & Weiss 2019, section III-A;
/// Ustyuzhaninov et al. 2016).
#[derive(Clone, Debug)]
pub(super) struct RandomNetwork {
    /// Features of a frame.
    features: usize,
    /// Frames that a filter sees.
    width: usize,
    /// Number of filters.
    count: usize,
    /// `width · features × count`.
    filters: Vec<f32>,
}

impl RandomNetwork {
    /// Uniform weights (Glorot & Bengio 2010, eq. 16).
    pub fn draw(random: &mut Sequence, features: usize, width: usize, count: usize) -> Self {
        let bound = (6.0 / (width * (features + count)) as f64).sqrt();
        let filters = (0..width * features * count)
            .map(|_| ((2.0 * random.uniform() - 1.0) * bound) as f32)
            .collect();
        Self {
            features,
            width,
            count,
            filters,
        }
    }

    /// Number of filters.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Places at which the filters see a stretch of `rows` (frames × features).
    pub fn places(&self, rows: &[f32]) -> usize {
        (rows.len() / self.features + 1).saturating_sub(self.width)
    }

    /// The values of `rows` that the filters see at these places.
    fn stretch(&self, places: Range<usize>) -> Range<usize> {
        places.start * self.features..(places.end + self.width - 1) * self.features
    }

    /// Activations at some places, `places × count`.
    pub fn activations(&self, rows: &[f32], places: Range<usize>) -> Vec<f32> {
        let mut activations = vec![0.0f32; places.len() * self.count];
        let stretch = &rows[self.stretch(places)];
        let windows = View::windows(stretch, self.features, self.width);
        let filters = View::new(&self.filters, self.width * self.features, self.count);
        multiply(&mut activations, windows, filters, false);
        for a in &mut activations {
            *a = a.max(0.0);
        }
        activations
    }

    /// Adds the gradient of these `activations` by the rows to `gradient` (of all rows), from the gradient by
    /// the activations, which it masks.
    pub fn backward(
        &self,
        activations: &[f32],
        places: Range<usize>,
        by_activations: &mut [f32],
        gradient: &mut [f32],
    ) {
        for (d, a) in by_activations.iter_mut().zip(activations) {
            if *a <= 0.0 {
                *d = 0.0;
            }
        }
        let count = places.len();
        let by_activations = View::new(by_activations, count, self.count);
        let gradient = &mut gradient[self.stretch(places)];
        let taps = self.filters.chunks_exact(self.features * self.count);
        for (tap, filters) in taps.enumerate() {
            let filters = View::new(filters, self.features, self.count).transposed();
            let part = &mut gradient[tap * self.features..(tap + count) * self.features];
            multiply(part, by_activations, filters, true);
        }
    }
}
