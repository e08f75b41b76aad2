//! The phase of a period: what makes rhythm.

use super::{Columns, Form};
use crate::network::SCALES;
use crate::numeric::random::{Noise, stream};

/// How many of the finest scales see the phase table.
const TABLE_SCALES: usize = 3;
/// Entries of the phase table: one for each frame of the period, within these bounds.
const TABLE_BOUNDS: (f64, f64) = (8.0, 128.0);
/// Harmonics of the period whose sine and cosine the coarse scales see.
const PHASE_HARMONICS: usize = 3;
/// Deviation of the smooth jitter of the phase, in periods; one knot every two periods.
const PHASE_JITTER: f64 = 0.01;

/// How the phase of a period is made from numbers by seed, stream and frame ([`Noise`]):
/// the frame over the period, a random start, and a jitter between knots two periods apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeriodLaw {
    /// Length of the period in frames.
    pub frames: f64,
    /// Deviation of the smooth jitter, in periods.
    pub jitter: f64,
    /// Stream of where it starts.
    pub phase_stream: u32,
    /// Stream of the jitter's knots.
    pub jitter_stream: u32,
    /// Entries of the table that the finest scales see.
    pub table_entries: usize,
    /// How many of the finest scales see the table; the others see sines and cosines.
    pub table_scales: usize,
    /// Harmonics that they see.
    pub harmonics: usize,
}

/// A phase that turns once a period, with a random start and a smooth jitter. Coarse scales see its harmonics,
/// the finest an entry of a learned table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PeriodPhase {
    /// Length of the period in frames.
    pub frames: f64,
}

impl PeriodPhase {
    /// Entries of the phase table.
    pub fn table_entries(self) -> usize {
        let (least, most) = TABLE_BOUNDS;
        self.frames.round_ties_even().clamp(least, most) as usize
    }

    /// How it is made.
    pub fn law(self) -> PeriodLaw {
        PeriodLaw {
            frames: self.frames,
            jitter: PHASE_JITTER,
            phase_stream: stream::PHASE,
            jitter_stream: stream::JITTER,
            table_entries: self.table_entries(),
            table_scales: TABLE_SCALES,
            harmonics: PHASE_HARMONICS,
        }
    }

    /// What scale `s` sees of it.
    pub fn form(self, s: usize) -> Form {
        if s >= SCALES - TABLE_SCALES {
            Form::TableWeights
        } else {
            Form::Values {
                width: 2 * PHASE_HARMONICS,
            }
        }
    }

    /// Writes the phase of `seed` to `out`: for every column the harmonics' sines and cosines, or the weights
    /// of the table's entries that the phase lies between.
    pub fn fill(self, seed: u32, columns: Columns, out: &mut Vec<f32>) {
        let width = columns.column_frames();
        out.clear();
        let phases = columns
            .indices()
            .map(|column| self.phase(seed, column * width + width / 2));
        match self.form(columns.scale) {
            Form::TableWeights => {
                let entries = self.table_entries();
                for phase in phases {
                    let turn = phase.rem_euclid(1.0) * entries as f64;
                    out.extend((0..entries).map(|e| {
                        let gap = (turn - e as f64).abs();
                        (1.0 - gap.min(entries as f64 - gap)).max(0.0) as f32
                    }));
                }
            }
            _ => {
                for phase in phases {
                    for harmonic in 1..=PHASE_HARMONICS {
                        let angle = std::f64::consts::TAU * harmonic as f64 * phase;
                        out.extend([angle.sin() as f32, angle.cos() as f32]);
                    }
                }
            }
        }
    }

    /// Phase at an absolute frame, in periods: frame / period + offset + smooth jitter.
    fn phase(self, seed: u32, frame: i64) -> f64 {
        let period = self.frames;
        let jitter = Noise::new(seed, stream::JITTER);
        let t = frame as f64;
        let knot = (t / (2.0 * period)).floor();
        let x = t / (2.0 * period) - knot;
        let smooth = x * x * (3.0 - 2.0 * x);
        let at = |k: f64| f64::from(jitter.frame(k as i64).gaussian(0)) * PHASE_JITTER;
        let offset = Noise::new(seed, stream::PHASE).frame(0).uniform(0);
        t / period + offset + at(knot) * (1.0 - smooth) + at(knot + 1.0) * smooth
    }
}
