//! Change of the spectrum over a long sound.

use super::spectrogram::MEL_BANDS;

/// The largest difference in dB, over the mel bands, between the mean powers of the first and the last third
/// of log mel frames (`frames × MEL_BANDS`, at least three).
pub fn drift_db(log_mel: &[f64]) -> f64 {
    let third = log_mel.len() / MEL_BANDS / 3 * MEL_BANDS;
    let energy = |part: &[f64], band: usize| -> f64 {
        let frames = part.chunks_exact(MEL_BANDS);
        frames.map(|frame| frame[band].exp()).sum()
    };
    (0..MEL_BANDS)
        .map(|band| {
            let first = energy(&log_mel[..third], band);
            let last = energy(&log_mel[log_mel.len() - third..], band);
            (10.0 * (first / last).log10()).abs()
        })
        .fold(0.0, f64::max)
}
