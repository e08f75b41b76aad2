//! A frame between its arrival and the hop in which it is heard.

use super::InversionSettings;
use super::channel::Channel;
use super::magnitude::sanitised;
use super::phase_gradient::StartPhases;
use super::stereo::{feasible, half_angle};
use super::units::ONE;
use crate::numeric::simd::dispatch;
use crate::spectrum::{Complex32, Stft};

/// The magnitudes of one frame.
#[derive(Debug, Clone, Copy)]
pub struct TargetFrame<'a> {
    /// Absolute index; addresses the random phases, so that a render is always the same.
    pub index: i64,
    /// Magnitudes of mid (or of the only channel), `bins` values.
    pub mid: &'a [f32],
    /// Magnitudes of side and the pan index (−1 to 1, see [`pan_index`](super::pan_index)), `bins`
    /// values each. `None` is a silent side. A mono inverter ignores them, and one of sides that are apart the pan
    /// index.
    pub side_pan: Option<(&'a [f32], &'a [f32])>,
}

/// A frame that can still change.
#[derive(Debug, Clone)]
pub(super) struct WaitingFrame {
    index: i64,
    /// Mid and side, or the only channel.
    channels: Vec<Channel>,
    /// Half of the angle between mid and side, units; stereo only. Empty where they are apart.
    half_angle: Vec<Complex32>,
}

impl WaitingFrame {
    /// A silent frame. Allocates.
    pub fn new(stft: &Stft, settings: &InversionSettings) -> Self {
        let is_joint = settings.stereo && !settings.apart;
        let angles = if is_joint { stft.bins() } else { 0 };
        Self {
            index: 0,
            channels: vec![Channel::new(stft, settings.momentum); settings.channels()],
            half_angle: vec![ONE; angles],
        }
    }

    /// Silence, as it was made.
    pub fn clear(&mut self) {
        self.index = 0;
        self.half_angle.fill(ONE);
        for channel in &mut self.channels {
            channel.clear();
        }
    }

    /// Takes over the magnitudes, made safe and feasible. The phases stay those of an older frame until
    /// they are found; the part is emptied, so that nothing of that frame is heard.
    ///
    /// # Panics
    /// If a slice has another length than `bins`.
    pub fn set_target(&mut self, target: TargetFrame<'_>) {
        self.index = target.index;
        let bins = self.channels[0].magnitude().len();
        assert_eq!(target.mid.len(), bins);
        for channel in &mut self.channels {
            channel.clear_part();
        }
        let (mid, rest) = self.channels.split_first_mut().expect("there is a channel");
        let a = &mut mid.magnitude_mut()[..bins];
        dispatch(
            #[inline(always)]
            || {
                for (a, &b) in a.iter_mut().zip(target.mid) {
                    *a = sanitised(b);
                }
            },
        );
        let Some(side) = rest.first_mut() else {
            return;
        };
        let b = &mut side.magnitude_mut()[..bins];
        let Some((target_side, target_pan)) = target.side_pan else {
            b.fill(0.0);
            self.half_angle.fill(ONE);
            return;
        };
        assert!(target_side.len() == bins && target_pan.len() == bins);
        if self.half_angle.is_empty() {
            for (b, &side) in b.iter_mut().zip(target_side) {
                *b = sanitised(side);
            }
            return;
        }
        let half = &mut self.half_angle[..bins];
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    // Infinities and NaN fail the comparison.
                    let known = target_pan[k].abs() < f32::INFINITY;
                    let pan = if known { target_pan[k] } else { 0.0 };
                    let pan = pan.clamp(-1.0, 1.0);
                    (a[k], b[k]) = feasible(a[k], sanitised(target_side[k]), pan);
                    half[k] = half_angle(a[k], b[k], pan);
                }
            },
        );
    }

    /// One channel: 0 is mid, 1 is side.
    pub fn channel(&self, channel: usize) -> &Channel {
        &self.channels[channel]
    }

    /// One channel, to be changed.
    pub fn channel_mut(&mut self, channel: usize) -> &mut Channel {
        &mut self.channels[channel]
    }

    /// Integrates one channel's start phases from those of the frame `before`.
    pub fn integrate_in_time(&mut self, start: &StartPhases, before: &Self, channel: usize) {
        let previous = before.channels[channel].phase();
        let phase = self.channels[channel].phase_mut();
        start.integrate_in_time(previous, self.index, channel as u64, phase);
    }

    /// The frame's first spectra: each channel was integrated on its own, but the angle between them may be known.
    pub fn join_start_phases(&mut self, spectra: &mut [Vec<Complex32>; 2]) {
        match (&mut self.channels[..], &mut spectra[..]) {
            ([mid, side], [m, s]) if !self.half_angle.is_empty() => {
                m.copy_from_slice(mid.phase());
                s.copy_from_slice(side.phase());
                Channel::keep_joint_phases(mid, side, m, s, &self.half_angle);
            }
            (channels, spectra) => {
                for (channel, spectrum) in channels.iter().zip(spectra) {
                    channel.write_spectrum(spectrum);
                }
            }
        }
        for (channel, spectrum) in self.channels.iter_mut().zip(spectra) {
            channel.remember(spectrum);
        }
    }

    /// Keeps the phases of the estimates `spectra`, which become the frame's spectra.
    pub fn keep_phases(&mut self, spectra: &mut [Vec<Complex32>; 2]) {
        for (channel, spectrum) in self.channels.iter_mut().zip(spectra.iter_mut()) {
            channel.accelerate(spectrum);
        }
        match (&mut self.channels[..], &mut spectra[..]) {
            ([mid, side], [m, s]) if !self.half_angle.is_empty() => {
                Channel::keep_joint_phases(mid, side, m, s, &self.half_angle);
            }
            (channels, spectra) => {
                for (channel, spectrum) in channels.iter_mut().zip(spectra) {
                    channel.keep_phases(spectrum);
                }
            }
        }
    }
}
