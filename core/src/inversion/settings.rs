//! Sizes and effort of the streaming inversion.

use super::InversionError;

/// Rounds of the high setting.
const HIGH_ITERATIONS: usize = 5;
/// Momentum of the high setting with four overlaps: 0.4 to 0.6 is best on recordings, from 0.7 on less
/// is reached. Without the over-relaxation 0.8 is best and stays 2 dB behind.
const MOMENTUM_FOUR_OVERLAPS: f32 = 0.5;
/// Momentum of the high setting with more overlaps, where each hop has more rounds: 0.3 to 0.4 is best
/// with eight overlaps, 0.5 diverges; with sixteen, 0.3 is best and 0.4 diverges.
const MOMENTUM_MANY_OVERLAPS: f32 = 0.3;
/// More iterations than this in one hop are refused: the gain has long vanished.
const MAX_ITERATIONS: usize = 64;

/// Sizes and effort of a [`StreamingInverter`](super::StreamingInverter).
#[derive(Debug, Clone, PartialEq)]
pub struct InversionSettings {
    /// Samples in one frame.
    pub fft_size: usize,
    /// Samples between the starts of two frames; at most a quarter of `fft_size`.
    pub hop_size: usize,
    /// Whether side magnitudes and pan are inverted beside mid.
    pub stereo: bool,
    /// Whether side is a sound of its own: then no pan index says how its phases lie to those of mid, and an error in
    /// one is not heard in the other.
    pub apart: bool,
    /// Frames that wait, and are refined, behind the newest one: 1 to `fft_size / hop_size − 1`.
    pub lookahead_frames: usize,
    /// Griffin-Lim rounds over the waiting frames for each hop; 0 leaves the start phases.
    pub iterations: usize,
    /// Share of a frame's change since its last round that is added in each round, 0 to 1 (Perraudin,
    /// Balazs & Søndergaard 2013). The more overlaps and rounds, the less of it is stable; see
    /// [`high`](Self::high).
    pub momentum: f32,
}

impl InversionSettings {
    /// The everyday setting, mono: three frames of look-ahead and one round.
    pub fn eco(fft_size: usize, hop_size: usize) -> Self {
        Self {
            fft_size,
            hop_size,
            stereo: false,
            apart: false,
            lookahead_frames: 3,
            iterations: 1,
            momentum: 0.0,
        }
    }

    /// The best setting, mono, at about three times the cost with four overlaps and six times with
    /// eight: all frames that overlap the committed one wait, five rounds, and momentum.
    pub fn high(fft_size: usize, hop_size: usize) -> Self {
        // Sizes that can't be inverted get through to the check in `StreamingInverter::new`.
        let overlaps = fft_size.checked_div(hop_size).unwrap_or(0);
        Self {
            lookahead_frames: overlaps.saturating_sub(1),
            iterations: HIGH_ITERATIONS,
            momentum: if overlaps > 4 {
                MOMENTUM_MANY_OVERLAPS
            } else {
                MOMENTUM_FOUR_OVERLAPS
            },
            ..Self::eco(fft_size, hop_size)
        }
    }

    /// These settings with side beside mid.
    pub fn in_stereo(self) -> Self {
        Self {
            stereo: true,
            ..self
        }
    }

    /// Channels that are inverted: mid, or mid and side.
    pub(super) fn channels(&self) -> usize {
        if self.stereo { 2 } else { 1 }
    }

    /// Frames that can still change, the newest included.
    pub(super) fn waiting_frames(&self) -> usize {
        self.lookahead_frames + 1
    }

    /// Checks what goes beyond the frame sizes, which must be those of a transform.
    ///
    /// # Errors
    /// [`InversionError`] naming the setting that is out of range.
    pub(super) fn check(&self) -> Result<(), InversionError> {
        let most = self.fft_size / self.hop_size - 1;
        if !(1..=most).contains(&self.lookahead_frames) {
            return Err(InversionError::Lookahead {
                lookahead_frames: self.lookahead_frames,
                most,
            });
        }
        if self.iterations > MAX_ITERATIONS {
            return Err(InversionError::Iterations {
                iterations: self.iterations,
                most: MAX_ITERATIONS,
            });
        }
        if !(0.0..=1.0).contains(&self.momentum) {
            return Err(InversionError::Momentum {
                momentum: self.momentum,
            });
        }
        Ok(())
    }
}
