//! Filters for noise and strikes.

use std::f32::consts::PI;

use super::random::Random;

/// A second-order state-variable filter that stays stable while its frequency is moved (trapezoidal
/// integration; Zavalishin, "The Art of VA Filter Design", chapter 4).
#[derive(Debug, Clone)]
pub(super) struct StateVariable {
    sample_rate: f32,
    g: f32,
    damping: f32,
    integrators: [f32; 2],
}

impl StateVariable {
    /// A filter at `frequency_hz` (kept below the Nyquist frequency) with quality factor `q`.
    pub fn new(sample_rate: f32, frequency_hz: f32, q: f32) -> Self {
        let mut filter = Self {
            sample_rate,
            g: 0.0,
            damping: 1.0 / q,
            integrators: [0.0; 2],
        };
        filter.set_frequency(frequency_hz);
        filter
    }

    /// Moves the filter to another frequency.
    pub fn set_frequency(&mut self, frequency_hz: f32) {
        let frequency_hz = frequency_hz.min(0.45 * self.sample_rate);
        self.g = (PI * frequency_hz / self.sample_rate).tan();
    }

    /// Takes one sample; low-pass, band-pass (unit gain at its centre) and high-pass outputs.
    pub fn process(&mut self, input: f32) -> [f32; 3] {
        let [s1, s2] = self.integrators;
        let high =
            (input - (self.damping + self.g) * s1 - s2) / (1.0 + self.g * (self.g + self.damping));
        let band = self.g * high + s1;
        let low = self.g * band + s2;
        self.integrators = [2.0 * band - s1, 2.0 * low - s2];
        [low, self.damping * band, high]
    }

    pub fn low(&mut self, input: f32) -> f32 {
        self.process(input)[0]
    }

    pub fn band(&mut self, input: f32) -> f32 {
        self.process(input)[1]
    }

    pub fn high(&mut self, input: f32) -> f32 {
        self.process(input)[2]
    }
}

/// Noise whose power falls by 3 dB an octave above `corner_hz`, to the Nyquist frequency: one-pole
/// low-passes, two octaves apart, each fed by the same white noise.
#[derive(Debug, Clone)]
pub(super) struct PinkNoise {
    random: Random,
    poles: Vec<(f32, f32, f32)>,
}

impl PinkNoise {
    pub fn new(random: Random, sample_rate: f32, corner_hz: f32) -> Self {
        let mut poles = Vec::new();
        let mut frequency_hz = corner_hz;
        let mut gain = 1.0;
        while frequency_hz < 0.4 * sample_rate {
            let coefficient = 1.0 - (-2.0 * PI * frequency_hz / sample_rate).exp();
            poles.push((coefficient, gain, 0.0));
            frequency_hz *= 4.0;
            gain *= 0.5;
        }
        Self { random, poles }
    }

    pub fn next(&mut self) -> f32 {
        let white = self.random.noise();
        let mut sum = 0.0;
        for (coefficient, gain, state) in &mut self.poles {
            *state += *coefficient * (white - *state);
            sum += *gain * *state;
        }
        sum
    }
}
