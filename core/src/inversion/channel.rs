//! One channel of a frame that can still change: magnitudes, phases, and what is heard of it.

use super::stereo::joint_phases;
use super::units::{ONE, unit_or};
use crate::numeric::simd::dispatch;
use crate::spectrum::{Complex32, Stft};

/// How far a round steps beyond the plain Griffin-Lim estimate, away from the frame's own part in it:
/// accelerates the first rounds. 0.5 to 0.7 is best on recordings, 1 and more diverges.
const OVER_RELAXATION: f32 = 0.6;

/// One channel of one waiting frame.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    magnitude: Vec<f32>,
    /// Phases, as units.
    phase: Vec<Complex32>,
    /// The frame's part of the overlap-add, `fft_size` samples.
    part: Vec<f32>,
    /// What the last round found at the frame's place; empty without momentum.
    projection: Vec<Complex32>,
    momentum: f32,
}

impl Channel {
    /// A silent channel whose rounds go on with `momentum`, 0 to 1. Allocates.
    pub fn new(stft: &Stft, momentum: f32) -> Self {
        let remembered = if momentum > 0.0 { stft.bins() } else { 0 };
        Self {
            magnitude: vec![0.0; stft.bins()],
            phase: vec![ONE; stft.bins()],
            part: vec![0.0; stft.fft_size()],
            projection: vec![Complex32::default(); remembered],
            momentum,
        }
    }

    /// Silence, as it was made.
    pub fn clear(&mut self) {
        self.magnitude.fill(0.0);
        self.phase.fill(ONE);
        self.part.fill(0.0);
    }

    /// Empties the part, so that nothing is heard of what the channel held.
    pub fn clear_part(&mut self) {
        self.part.fill(0.0);
    }

    /// Magnitudes, `bins` values.
    pub fn magnitude(&self) -> &[f32] {
        &self.magnitude
    }

    /// Magnitudes to be set.
    pub fn magnitude_mut(&mut self) -> &mut [f32] {
        &mut self.magnitude
    }

    /// Phases, `bins` units.
    pub fn phase(&self) -> &[Complex32] {
        &self.phase
    }

    /// Phases to be found.
    pub fn phase_mut(&mut self) -> &mut [Complex32] {
        &mut self.phase
    }

    /// The frame's part of the overlap-add, `fft_size` samples.
    pub fn part(&self) -> &[f32] {
        &self.part
    }

    /// The part, to be made from a spectrum.
    pub fn part_mut(&mut self) -> &mut [f32] {
        &mut self.part
    }

    /// Magnitude and phase as complex numbers.
    pub fn write_spectrum(&self, spectrum: &mut [Complex32]) {
        let bins = spectrum.len();
        let (magnitude, phase) = (&self.magnitude[..bins], &self.phase[..bins]);
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    spectrum[k] = phase[k] * magnitude[k];
                }
            },
        );
    }

    /// Takes `spectrum` for what the round before the first one found.
    pub fn remember(&mut self, spectrum: &[Complex32]) {
        if !self.projection.is_empty() {
            self.projection.copy_from_slice(spectrum);
        }
    }

    /// Moves the estimate `spectrum` away from the frame's own part in it, and with momentum on in the
    /// direction in which it went since the last round.
    pub fn accelerate(&mut self, spectrum: &mut [Complex32]) {
        let (bins, momentum) = (spectrum.len(), self.momentum);
        let (magnitude, phase) = (&self.magnitude[..bins], &self.phase[..bins]);
        if self.projection.is_empty() {
            dispatch(
                #[inline(always)]
                || {
                    for k in 0..bins {
                        let z = spectrum[k];
                        spectrum[k] = z + (z - phase[k] * magnitude[k]) * OVER_RELAXATION;
                    }
                },
            );
            return;
        }
        let projection = &mut self.projection[..bins];
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    let z = spectrum[k];
                    let own = (z - phase[k] * magnitude[k]) * OVER_RELAXATION;
                    spectrum[k] = z + own + (z - projection[k]) * momentum;
                    projection[k] = z;
                }
            },
        );
    }

    /// Keeps the phases of the estimate `z`, which becomes the channel's spectrum.
    pub fn keep_phases(&mut self, z: &mut [Complex32]) {
        let bins = z.len();
        let (phase, magnitude) = (&mut self.phase[..bins], &self.magnitude[..bins]);
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    phase[k] = unit_or(z[k], phase[k]);
                    z[k] = phase[k] * magnitude[k];
                }
            },
        );
    }

    /// Keeps the phases of mid and side nearest to their estimates `m` and `s`, which become their spectra.
    /// `half` is half of the angle between them, as units.
    pub fn keep_joint_phases(
        mid: &mut Self,
        side: &mut Self,
        m: &mut [Complex32],
        s: &mut [Complex32],
        half: &[Complex32],
    ) {
        let bins = half.len();
        let (m, s) = (&mut m[..bins], &mut s[..bins]);
        let (u, v) = (&mut mid.phase[..bins], &mut side.phase[..bins]);
        let (a, b) = (&mid.magnitude[..bins], &side.magnitude[..bins]);
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    (u[k], v[k]) = joint_phases(m[k], s[k], a[k], b[k], half[k], (u[k], v[k]));
                    m[k] = u[k] * a[k];
                    s[k] = v[k] * b[k];
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_give_phases_and_keep_the_magnitudes() {
        let stft = Stft::new(16, 4).unwrap();
        let mut channel = Channel::new(&stft, 0.0);
        channel.magnitude_mut().fill(2.0);
        // Silence has no direction: the phase from before stays.
        let mut estimate = vec![Complex32::default(); stft.bins()];
        estimate[3] = Complex32::new(0.0, -0.1);
        channel.keep_phases(&mut estimate);
        assert_eq!(estimate[0], Complex32::new(2.0, 0.0));
        assert_eq!(estimate[3], Complex32::new(0.0, -2.0));
        let mut spectrum = vec![Complex32::default(); stft.bins()];
        channel.write_spectrum(&mut spectrum);
        assert_eq!(spectrum, estimate);
    }

    #[test]
    fn rounds_go_on_where_they_went() {
        let stft = Stft::new(16, 4).unwrap();
        let start = vec![ONE; stft.bins()];
        let moved = vec![ONE * 3.0; stft.bins()];
        for (momentum, expected) in [(0.0, 3.0 + 2.0 * OVER_RELAXATION), (0.5, 5.2)] {
            let mut channel = Channel::new(&stft, momentum);
            channel.magnitude_mut().fill(1.0);
            channel.remember(&start);
            let mut estimate = moved.clone();
            channel.accelerate(&mut estimate);
            assert!(
                (estimate[4] - ONE * expected).norm() < 1e-5,
                "{}",
                estimate[4]
            );
        }
    }
}
