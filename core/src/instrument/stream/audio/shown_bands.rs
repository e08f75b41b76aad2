//! What a window shows of a frame: its power in bands that lie side by side on a logarithmic scale.

use crate::instrument::controls::CUT_RANGE_HZ;
use crate::spectrum::Stft;

/// Adds the power of a frame of `magnitudes` (mid and side, bins of `stft`), times the `gains` of each, to `bands`
/// that divide the octaves of [`CUT_RANGE_HZ`] evenly. `bin_hz` lie between two bins as they are heard. A bin's power
/// is spread evenly over its width; the bands' sum is the mean square of left and right. Real-time safe: every
/// bin and every band is looked at about once.
pub(super) fn add_band_powers(
    magnitudes: [&[f32]; 2],
    stft: &Stft,
    bin_hz: f32,
    gains: [f32; 2],
    bands: &mut [f32],
) {
    let [mid, side] = magnitudes;
    let bins = mid.len().min(side.len());
    // Parseval's theorem for one windowed frame; the mean square of left and right is mid's and side's sum.
    let squared_window = stft.overlap_gain() * stft.hop_size() as f32;
    let [mid_scale, side_scale] =
        gains.map(|gain| gain * 2.0 / (stft.fft_size() as f32 * squared_window));
    let (low, high) = CUT_RANGE_HZ;
    let octaves_per_band = (high / low).log2() / bands.len() as f32;
    // Places among the bins, where bin k lies from k to k + 1.
    let edge = |band: usize| low * (octaves_per_band * band as f32).exp2() / bin_hz + 0.5;
    let mut from = edge(0);
    for (i, band) in bands.iter_mut().enumerate() {
        let to = edge(i + 1);
        let mut power = 0.0;
        for k in from as usize..(to.ceil() as usize).min(bins) {
            let part = to.min((k + 1) as f32) - from.max(k as f32);
            power += (mid_scale * mid[k] * mid[k] + side_scale * side[k] * side[k]) * part;
        }
        *band += power;
        from = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANDS: usize = 60;
    const BIN_HZ: f32 = 48_000.0 / 2048.0;

    /// Bands of a sine of `amplitude` at `hz` on the left and right, heard `transposition` times as high.
    fn bands_of_a_sine(hz: f32, amplitude: f32, transposition: f32) -> Vec<f32> {
        let stft = Stft::new(2048, 512).unwrap();
        let turn = std::f32::consts::TAU * hz / 48_000.0;
        let sine: Vec<f32> = (0..2048)
            .map(|i| amplitude * (turn * i as f32).sin())
            .collect();
        let mid: Vec<f32> = stft.analyse(&sine).iter().map(|z| z.norm()).collect();
        let side = vec![0.0; mid.len()];
        let mut bands = vec![0.0; BANDS];
        let bin_hz = BIN_HZ * transposition;
        add_band_powers([&mid, &side], &stft, bin_hz, [1.0; 2], &mut bands);
        bands
    }

    #[test]
    fn a_tone_is_shown_with_its_power_where_it_is_heard() {
        for (hz, transposition) in [(1000.0, 1.0), (1000.0, 2.0), (3000.0, 0.5), (60.0, 1.0)] {
            let bands = bands_of_a_sine(hz, 0.5, transposition);
            let power: f32 = bands.iter().sum();
            assert!((power / 0.125 - 1.0).abs() < 0.05, "{power} at {hz} Hz");
            let octaves = (hz * transposition / CUT_RANGE_HZ.0).log2();
            let expected = octaves / (CUT_RANGE_HZ.1 / CUT_RANGE_HZ.0).log2() * BANDS as f32;
            let loudest = bands
                .iter()
                .zip(0..)
                .max_by(|a, b| a.0.total_cmp(b.0))
                .unwrap();
            // A bin is wider than a band at the low end.
            let reach = if hz < 200.0 { 4.0 } else { 1.0 };
            assert!(
                (loudest.1 as f32 + 0.5 - expected).abs() <= reach,
                "{hz} Hz times {transposition} in band {}, not {expected}",
                loudest.1
            );
        }
    }

    #[test]
    fn frames_are_added_with_their_gains() {
        let stft = Stft::new(64, 16).unwrap();
        let mut bands = [1.0; 8];
        add_band_powers([&[0.0; 33], &[0.0; 33]], &stft, 500.0, [1.0; 2], &mut bands);
        assert_eq!(bands, [1.0; 8]);
        let (mut once, mut twice) = ([0.0; 8], [0.0; 8]);
        add_band_powers([&[2.0; 33], &[1.0; 33]], &stft, 500.0, [0.5; 2], &mut once);
        for _ in 0..2 {
            add_band_powers(
                [&[2.0; 33], &[1.0; 33]],
                &stft,
                500.0,
                [0.25; 2],
                &mut twice,
            );
        }
        assert!(once.iter().all(|x| *x > 0.0) && once == twice);
    }
}
