//! What the window sees of the sound while it looks: made every hop or so, and not at all while nobody does.

use super::voices::VoicePool;
use crate::instrument::shared::{SCOPE_BANDS, ScopeFrame, ScopeWriter};

/// Samples that a frame of the scope stands for: 47 frames a second at 48 kHz, more than a window draws.
const INTERVAL_SAMPLES: u64 = 1_024;

/// Collects levels, and sends them with the bands that the voices play.
pub(super) struct Observer {
    scope: ScopeWriter,
    peak: [f32; 2],
    /// Sum of the squares of left and right since the last frame.
    energy: [f32; 2],
    samples: u64,
}

impl Observer {
    pub fn new(scope: ScopeWriter) -> Self {
        Self {
            scope,
            peak: [0.0; 2],
            energy: [0.0; 2],
            samples: 0,
        }
    }

    /// Forgets what was collected.
    pub fn reset(&mut self) {
        self.peak = [0.0; 2];
        self.energy = [0.0; 2];
        self.samples = 0;
    }

    /// Takes what was played up to `clock`, and sends a frame if one is due.
    pub fn observe(&mut self, output: [&[f32]; 2], clock: u64, voices: &VoicePool) {
        if !self.scope.is_watched() {
            if self.samples > 0 {
                self.reset();
            }
            return;
        }
        for ((peak, energy), channel) in self.peak.iter_mut().zip(&mut self.energy).zip(output) {
            for x in channel {
                *peak = peak.max(x.abs());
                *energy += x * x;
            }
        }
        self.samples += output[0].len() as u64;
        if self.samples >= INTERVAL_SAMPLES {
            let mut bands = [0.0; SCOPE_BANDS];
            voices.add_shown_bands(&mut bands);
            // A window that is too slow for it sees the next one.
            self.scope.push(&ScopeFrame {
                clock,
                bands,
                peak: self.peak,
                rms: self.energy.map(|e| (e / self.samples as f32).sqrt()),
            });
            self.reset();
        }
    }
}
