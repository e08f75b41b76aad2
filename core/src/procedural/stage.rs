//! Where events are placed in time and space.

use std::f32::consts::{FRAC_PI_4, TAU};

use super::filter::StateVariable;
use super::random::Random;
use crate::clip::Clip;

/// RMS level of a finished texture (linear): -20 dBFS.
const TARGET_RMS: f32 = 0.1;

/// Level above which peaks are bent (linear).
const KNEE: f32 = 0.5;

/// No sample reaches this (linear).
const CEILING: f32 = 0.95;

/// Highest peak before bending (linear): 6 dB over full scale are bent, more is turned down.
const MAX_BENT_PEAK: f32 = 2.0;

/// Below this there is no texture, only offset and rumble.
const LOWEST_HZ: f32 = 25.0;

/// Largest delay between the channels: a pair of microphones some 20 cm apart.
const MAX_SPACING_S: f32 = 0.000_6;

/// A stereo stage that events are added to.
pub(super) struct Stage {
    rate_hz: u32,
    /// Sample rate in Hz.
    pub sample_rate: f32,
    /// Length in seconds.
    pub duration_s: f32,
    channels: [Vec<f32>; 2],
}

impl Stage {
    pub fn new(sample_rate: u32, duration_s: f64) -> Self {
        let frames = (duration_s * f64::from(sample_rate)).round() as usize;
        Self {
            rate_hz: sample_rate,
            sample_rate: sample_rate as f32,
            duration_s: duration_s as f32,
            channels: [vec![0.0; frames], vec![0.0; frames]],
        }
    }

    /// Length in frames.
    pub fn frames(&self) -> usize {
        self.channels[0].len()
    }

    /// Time of a frame in seconds.
    pub fn time_s(&self, frame: usize) -> f32 {
        (frame as f64 / f64::from(self.rate_hz)) as f32
    }

    /// The two channels, for beds.
    pub fn channels_mut(&mut self) -> &mut [Vec<f32>; 2] {
        &mut self.channels
    }

    /// Times of a Poisson process of `rate_hz` events a second, from `lead_s` before the beginning
    /// (for events whose end still sounds then) to the end.
    pub fn poisson(&self, random: &mut Random, rate_hz: f32, lead_s: f32) -> Vec<f32> {
        let mut times = Vec::new();
        // In double precision: in f32, ten minutes of pauses of a millisecond lose their fractions.
        let mut time_s = -f64::from(lead_s);
        loop {
            time_s += f64::from(random.exponential(1.0 / rate_hz));
            if time_s >= f64::from(self.duration_s) {
                return times;
            }
            times.push(time_s as f32);
        }
    }

    /// Adds a sound that begins at `start_s` (it may lie before the beginning) and comes from
    /// `azimuth`, -1 (left) to 1 (right): panned at equal power, and later on the far side.
    pub fn add(&mut self, start_s: f32, azimuth: f32, sound: &[f32]) {
        let angle = (azimuth.clamp(-1.0, 1.0) + 1.0) * FRAC_PI_4;
        let gains = [angle.cos(), angle.sin()];
        let delays_s = [azimuth.max(0.0), (-azimuth).max(0.0)].map(|part| part * MAX_SPACING_S);
        for side in 0..2 {
            let start = f64::from(start_s + delays_s[side]) * f64::from(self.rate_hz);
            let start = start.round() as i64;
            let skipped = (-start).max(0) as usize;
            let output = self.channels[side].iter_mut().skip(start.max(0) as usize);
            for (output, sample) in output.zip(sound.iter().skip(skipped)) {
                *output += gains[side] * sample;
            }
        }
    }

    /// The finished clip: without offset, at its level, below full scale.
    pub fn finish(mut self) -> Clip {
        for samples in &mut self.channels {
            let mut offset = StateVariable::new(self.sample_rate, LOWEST_HZ, 0.7);
            for sample in samples {
                *sample = offset.high(*sample);
            }
        }
        let clip = Clip::new(self.rate_hz, self.channels.into())
            .expect("the sample rate was checked, and the channels are of one length");
        let (rms, peak) = (clip.rms(), clip.peak());
        if rms == 0.0 {
            return clip;
        }
        let gain = (TARGET_RMS / rms).min(MAX_BENT_PEAK / peak);
        let mut channels = clip.into_channels();
        for sample in channels.iter_mut().flatten() {
            *sample = bend(gain * *sample);
        }
        Clip::new(self.rate_hz, channels).expect("as before")
    }
}

/// Leaves a sample alone up to the knee and bends it towards the ceiling from there on, smoothly.
fn bend(sample: f32) -> f32 {
    let over = sample.abs() - KNEE;
    if over <= 0.0 {
        return sample;
    }
    let room = CEILING - KNEE;
    (KNEE + room * (over / room).tanh()).copysign(sample)
}

/// One mode of a struck body: a sine that dies away.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    pub frequency_hz: f32,
    /// Time until the amplitude has fallen to 1/e.
    pub decay_s: f32,
    pub gain: f32,
}

impl Mode {
    /// Adds the mode's ringing to `sound`, beginning at phase zero at its first sample. A mode that
    /// the sample rate can't hold is left out.
    pub fn ring(&self, sample_rate: f32, sound: &mut [f32]) {
        if self.frequency_hz >= 0.45 * sample_rate {
            return;
        }
        // A rotating phasor that shrinks: two multiply-adds a sample instead of a sine.
        let (sin, cos) = (TAU * self.frequency_hz / sample_rate).sin_cos();
        let shrink = (-1.0 / (self.decay_s * sample_rate)).exp();
        let (sin, cos) = (shrink * sin, shrink * cos);
        let (mut re, mut im) = (self.gain, 0.0);
        for sample in sound {
            *sample += im;
            (re, im) = (re * cos - im * sin, re * sin + im * cos);
        }
    }
}

/// A silent buffer of `duration_s`, for one sound.
pub(super) fn silence(sample_rate: f32, duration_s: f32) -> Vec<f32> {
    vec![0.0; (duration_s * sample_rate) as usize + 1]
}

/// Adds a burst of white noise that dies away (amplitude to 1/e in `decay_s`) to `sound`.
pub(super) fn add_burst(
    random: &mut Random,
    sample_rate: f32,
    decay_s: f32,
    gain: f32,
    sound: &mut [f32],
) {
    let shrink = (-1.0 / (decay_s * sample_rate)).exp();
    let mut envelope = gain;
    for sample in sound {
        *sample += envelope * random.noise();
        envelope *= shrink;
    }
}
