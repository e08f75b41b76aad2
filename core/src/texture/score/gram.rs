//! Distance of the Gram matrices of random networks.

use super::spectrogram::BINS;
use crate::texture::loss::{GramLoss, GramSettings, Loss};

/// How far the Gram matrices of two spectrograms (`frames × BINS` each, of at least 64 frames) are apart, as
/// a part of the reference's: [`GramLoss`] with the paper's networks, whose filters span 8 to 256 ms here.
pub fn distance(reference: &[f32], synthesis: &[f32], seed: u64, threads: usize) -> f64 {
    let settings = GramSettings {
        seed,
        threads,
        ..GramSettings::default()
    };
    let loss = GramLoss::new(reference, BINS, &settings);
    loss.forward(synthesis).0
}
