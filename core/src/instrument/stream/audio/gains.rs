//! Gains over frequency: brightness, the cuts, and the limit above which sound would fold back.

use crate::instrument::controls::{BRIGHTNESS_RANGE, CUT_RANGE_HZ};
use crate::numeric::fast_math::exp;
use crate::numeric::simd::dispatch;
use crate::spectrum::FrontEnd;

/// Frequency that brightness turns around, in Hz.
const TILT_CENTRE_HZ: f64 = 1000.0;
/// What a tilt or the folding limit takes away is given back up to 24 dB.
const LEVEL_MOST: f32 = 15.8;
/// Natural logarithm of a factor for one dB.
const NEPER_PER_DB: f32 = 0.115_129_25;
/// Part of the host's half sample rate above which nothing is made, so that nothing folds back.
const FOLDING_EDGE: f32 = 0.97;

/// A gain over frequency, as the controls ask for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SpectralGain {
    /// dB an octave, in [`BRIGHTNESS_RANGE`].
    pub brightness: f32,
    /// Edge of the high-pass in Hz; the lower end of [`CUT_RANGE_HZ`] is off.
    pub low_cut_hz: f32,
    /// Edge of the low-pass in Hz; the upper end of [`CUT_RANGE_HZ`] is off.
    pub high_cut_hz: f32,
    /// Factor by which frequencies will be multiplied when the sound is read.
    pub transposition: f32,
    /// Half of the host's sample rate, in Hz.
    pub nyquist_hz: f32,
}

/// What is known of every bin of a texture; the same for all of its streams.
pub(super) struct BinTable {
    /// Octaves from the tilt's centre to each bin.
    octaves: Vec<f32>,
    /// Frequency between two bins, in Hz.
    bin_hz: f32,
    /// Power of each bin in the capture, all channels, as it is heard.
    power: Vec<f32>,
}

impl BinTable {
    /// Of the captures of `front_end`. Allocates.
    pub fn new(front_end: &FrontEnd) -> Self {
        let (bins, channels) = (front_end.stft().bins(), front_end.magnitude_channels());
        let bin_hz = f64::from(front_end.sample_rate()) / front_end.stft().fft_size() as f64;
        let by_channel = front_end.bin_power();
        let heard = front_end.image().power_gains();
        Self {
            octaves: (0..bins)
                .map(|k| ((k as f64).max(0.5) * bin_hz / TILT_CENTRE_HZ).log2() as f32)
                .collect(),
            bin_hz: bin_hz as f32,
            power: (0..bins)
                .map(|k| {
                    let powers = (0..channels).map(|c| heard[c] * by_channel[c * bins + k]);
                    powers.sum()
                })
                .collect(),
        }
    }

    /// Frequency between two bins, in Hz.
    pub fn bin_hz(&self) -> f32 {
        self.bin_hz
    }

    /// Power of the capture, all channels.
    pub fn total_power(&self) -> f32 {
        self.power.iter().sum()
    }

    /// Gains of all bins for a spectral `gain`.
    fn gains_into(&self, gain: &SpectralGain, out: &mut [f32]) {
        let folding =
            (FOLDING_EDGE * gain.nyquist_hz / (self.bin_hz * gain.transposition)) as usize;
        let heard = out.len().min(folding.max(1));
        let (audible, folded) = out.split_at_mut(heard);
        folded.fill(0.0);
        self.tilt_into(gain, audible);
        let level = self.level_given_back(audible);
        self.cut(gain, level, audible);
    }

    /// Gains of the tilt alone.
    fn tilt_into(&self, gain: &SpectralGain, audible: &mut [f32]) {
        let tilt = NEPER_PER_DB * gain.brightness.clamp(-BRIGHTNESS_RANGE, BRIGHTNESS_RANGE);
        let up = gain.transposition.log2();
        dispatch(
            #[inline(always)]
            || {
                for (g, &octave) in audible.iter_mut().zip(&self.octaves) {
                    *g = exp(tilt * (octave + up));
                }
            },
        );
    }

    /// Factor that makes the capture as loud with the `audible` gains as without any.
    fn level_given_back(&self, audible: &[f32]) -> f32 {
        let mut before = 0.0;
        for p in &self.power {
            before += p;
        }
        let mut after = 0.0;
        for (g, p) in audible.iter().zip(&self.power) {
            after += g * g * p;
        }
        if after > 0.0 {
            (before / after).sqrt().min(LEVEL_MOST)
        } else {
            1.0
        }
    }

    /// Multiplies the gains by those of the two cuts (Butterworth's second order, as magnitudes) and by `level`.
    fn cut(&self, gain: &SpectralGain, level: f32, audible: &mut [f32]) {
        let edge = |hz: f32, off: f32| (hz != off).then_some(hz);
        let low = edge(gain.low_cut_hz, CUT_RANGE_HZ.0);
        let high = edge(gain.high_cut_hz, CUT_RANGE_HZ.1);
        for (k, g) in audible.iter_mut().enumerate() {
            let hz = k as f32 * self.bin_hz * gain.transposition;
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

/// The gains of a stream's bins, worked out where they change.
pub(super) struct BinGains {
    gains: Vec<f32>,
    made_for: Option<SpectralGain>,
}

impl BinGains {
    /// Unity in `bins` bins. Allocates.
    pub fn new(bins: usize) -> Self {
        Self {
            gains: vec![1.0; bins],
            made_for: None,
        }
    }

    /// Follows `gain`.
    pub fn update(&mut self, gain: SpectralGain, table: &BinTable) {
        if self.made_for != Some(gain) {
            table.gains_into(&gain, &mut self.gains);
            self.made_for = Some(gain);
        }
    }

    /// A factor for each bin.
    pub fn as_slice(&self) -> &[f32] {
        &self.gains
    }
}
