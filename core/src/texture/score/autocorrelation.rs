//! Distance of the autocorrelations of spectrograms.

use std::ops::Range;

use super::spectrogram::{BINS, FRAME_RATE};
use crate::texture::loss::{AutocorrelationLoss, Loss};

/// Lags that count, in frames: from 0.2 s, below which the Gram matrices see as much, to 2 s.
const LAGS: Range<usize> = FRAME_RATE / 5..2 * FRAME_RATE;

/// How far the autocorrelations over time of all bins of two spectrograms (`frames × BINS` each) are apart at
/// lags of 0.2 to 2 s, as a part of the reference's: [`AutocorrelationLoss`] on the spectrograms themselves
/// (Antognini, Hoffman & Weiss 2019, Table I). It hears rhythm.
///
/// Not a number if the reference has no two sounding frames so far apart.
pub fn distance(reference: &[f32], synthesis: &[f32], threads: usize) -> f64 {
    let loss = AutocorrelationLoss::new(reference, BINS, LAGS, threads);
    loss.forward(synthesis).0
}
