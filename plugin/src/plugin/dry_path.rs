//! The way of the input to the output, in the effect. Audio thread.

use crate::parameters::{Through, dry_gain};

/// In so many seconds the effect is bypassed, and comes back.
const BYPASS_FADE_S: f32 = 0.02;

/// Puts the input under the texture, and fades to the input alone where the effect is bypassed.
pub struct DryPath {
    /// How far the effect is bypassed, 0 to 1.
    bypassed: f32,
    /// The most that `bypassed` changes in a sample.
    step: f32,
}

impl Default for DryPath {
    fn default() -> Self {
        Self {
            bypassed: 0.0,
            step: 1.0,
        }
    }
}

impl DryPath {
    /// Takes a sample rate in Hz.
    pub fn prepare(&mut self, sample_rate: f32) {
        self.step = 1.0 / (BYPASS_FADE_S * sample_rate);
    }

    /// Goes to where `through` says at once.
    pub fn reset(&mut self, through: Option<&Through>) {
        self.bypassed = through.map_or(0.0, bypass_target);
    }

    /// Mixes `input` into `output`, which holds the texture.
    pub fn mix(
        &mut self,
        through: &Through,
        [input_left, input_right]: [&[f32]; 2],
        [left, right]: [&mut [f32]; 2],
    ) {
        let target = bypass_target(through);
        let step = self.step;
        let inputs = input_left.iter().zip(input_right);
        for ((left, right), (input_left, input_right)) in left.iter_mut().zip(right).zip(inputs) {
            let dry = dry_gain(through.dry.smoothed.next());
            self.bypassed += (target - self.bypassed).clamp(-step, step);
            let (wet, input) = (1.0 - self.bypassed, dry + self.bypassed * (1.0 - dry));
            *left = wet * *left + input * input_left;
            *right = wet * *right + input * input_right;
        }
    }
}

fn bypass_target(through: &Through) -> f32 {
    f32::from(u8::from(through.bypass.value()))
}
