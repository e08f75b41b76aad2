//! Distance of the Gram matrices of random networks.

use super::spectrogram::BINS;
use crate::numeric::linalg::{View, multiply};
use crate::numeric::random::Sequence;
use crate::numeric::threads::Threads;

/// Widths of the networks' filters, in frames of 4 ms.
const WIDTHS: [usize; 6] = [2, 4, 8, 16, 32, 64];
/// Filters of each network.
const FILTERS: usize = 512;
/// Frames whose activations are held at a time.
const CHUNK_FRAMES: usize = 1_024;

/// How far the Gram matrices of two spectrograms (`frames × BINS` each, of at least 64 frames) are apart, as
/// a part of the reference's: `Σ ‖G − G'‖² / Σ ‖G‖²`, over six networks of one layer with 512 random filters
/// and a rectifier (Antognini, Hoffman & Weiss 2019, eq. 4).
pub fn distance(reference: &[f32], synthesis: &[f32], seed: u64, threads: Threads) -> f64 {
    let (mut error, mut energy) = (0.0, 0.0);
    for (index, width) in WIDTHS.into_iter().enumerate() {
        let filters = draw_filters(&mut Sequence::new(seed, index as u64), width);
        let [a, b] = [reference, synthesis].map(|log| gram(log, &filters, width, threads));
        for (a, b) in a.iter().zip(&b) {
            error += (a - b) * (a - b);
            energy += a * a;
        }
    }
    error / energy
}

/// `width · BINS × FILTERS` uniform weights (Glorot & Bengio 2010, eq. 16).
fn draw_filters(random: &mut Sequence, width: usize) -> Vec<f32> {
    let bound = (6.0 / (width * (BINS + FILTERS)) as f64).sqrt();
    (0..width * BINS * FILTERS)
        .map(|_| ((2.0 * random.uniform() - 1.0) * bound) as f32)
        .collect()
}

/// Mean products of every two filters' activations, `FILTERS × FILTERS`.
fn gram(log: &[f32], filters: &[f32], width: usize, threads: Threads) -> Vec<f64> {
    let rows = log.len() / BINS + 1 - width;
    let filters = View::new(filters, width * BINS, FILTERS);
    let chunks = threads.map(rows.div_ceil(CHUNK_FRAMES), |chunk| {
        let start = chunk * CHUNK_FRAMES;
        let end = rows.min(start + CHUNK_FRAMES);
        let frames = &log[start * BINS..(end + width - 1) * BINS];
        let mut activations = vec![0.0f32; (end - start) * FILTERS];
        let windows = View::windows(frames, BINS, width);
        multiply(&mut activations, windows, filters, false);
        for a in &mut activations {
            *a = a.max(0.0);
        }
        let activations = View::new(&activations, end - start, FILTERS);
        let mut gram = vec![0.0f32; FILTERS * FILTERS];
        multiply(&mut gram, activations.transposed(), activations, false);
        gram
    });
    let mut mean = vec![0.0f64; FILTERS * FILTERS];
    for chunk in chunks {
        for (mean, &product) in mean.iter_mut().zip(&chunk) {
            *mean += f64::from(product) / rows as f64;
        }
    }
    mean
}
