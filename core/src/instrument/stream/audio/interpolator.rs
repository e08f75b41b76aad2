//! Reading a signal at any position and speed: band-limited interpolation by windowed sinc functions.
//!
//! Positions are fixed-point numbers with 32 fractional bits, so that a position reached by adding up
//! steps is exactly the one that a product gives: a stretch of sound is the same however it was reached.

use std::sync::OnceLock;

use crate::numeric::kaiser::bessel_i0;
use crate::numeric::simd::dispatch;

/// Samples that one output sample is made of, half of them on either side.
pub(super) const TAPS: usize = 48;
/// One sample in fixed point.
pub(in crate::instrument::stream) const ONE: u64 = 1 << 32;
/// Tabulated positions between two samples; linear interpolation between them errs by less than −100 dB.
const PHASE_BITS: u32 = 9;
const PHASES: usize = 1 << PHASE_BITS;
/// A kernel for each half octave of speed above one: 0 to 4 octaves.
const KERNELS: usize = 9;
/// Shape of the Kaiser window: −90 dB of side lobes.
const KAISER_BETA: f64 = 9.0;
/// Independent sums, so that compilers vectorise them without changing their order.
const LANES: usize = 8;

/// One kernel: `[PHASES + 1][TAPS]`.
type Kernel = Vec<[f32; TAPS]>;

/// Kernels for all speeds. Made once for the whole process, never on the audio thread.
pub(super) struct Kernels {
    tables: Vec<Kernel>,
}

impl Kernels {
    /// The process's own. The first call allocates and computes.
    pub fn get() -> &'static Self {
        static KERNELS_ONCE: OnceLock<Kernels> = OnceLock::new();
        KERNELS_ONCE.get_or_init(|| Self {
            tables: (0..KERNELS)
                .map(|k| kernel(0.5f64.powf(k as f64 / 2.0)))
                .collect(),
        })
    }

    /// The kernel that lets pass what a signal read with this `step` can hold.
    fn for_step(&self, step: u64) -> &Kernel {
        let speed = step as f64 / ONE as f64;
        let octaves = if speed > 1.0 { speed.log2() } else { 0.0 };
        &self.tables[((2.0 * octaves - 1e-6).ceil().max(0.0) as usize).min(KERNELS - 1)]
    }

    /// Reads two signals from fixed-point `position` on, which advances by `step` for each sample of
    /// `out`. Position 0 is the sample at `TAPS / 2 − 1` of the signals. Real-time safe.
    ///
    /// # Panics
    /// If the signals end before the last position plus `TAPS` samples.
    pub fn read(&self, signals: [&[f32]; 2], position: u64, step: u64, out: [&mut [f32]; 2]) {
        let [a, b] = signals;
        let [out_a, out_b] = out;
        if step == ONE && position.is_multiple_of(ONE) {
            // The kernel is a lone 1 there.
            let from = (position / ONE) as usize + TAPS / 2 - 1;
            out_a.copy_from_slice(&a[from..from + out_a.len()]);
            out_b.copy_from_slice(&b[from..from + out_b.len()]);
            return;
        }
        let kernel = self.for_step(step);
        dispatch(
            #[inline(always)]
            || {
                let mut at = position;
                for (x, y) in out_a.iter_mut().zip(out_b) {
                    let from = (at >> 32) as usize;
                    let fraction = at as u32;
                    let phase = (fraction >> (32 - PHASE_BITS)) as usize;
                    let weight = (fraction << PHASE_BITS) as f32 * (1.0 / ONE as f32);
                    let (k0, k1) = (&kernel[phase], &kernel[phase + 1]);
                    let (a, b) = (&a[from..from + TAPS], &b[from..from + TAPS]);
                    let (mut sum_a, mut sum_b) = ([0.0f32; LANES], [0.0f32; LANES]);
                    for j in (0..TAPS).step_by(LANES) {
                        for l in 0..LANES {
                            let h = k0[j + l] + (k1[j + l] - k0[j + l]) * weight;
                            sum_a[l] += a[j + l] * h;
                            sum_b[l] += b[j + l] * h;
                        }
                    }
                    *x = sum_a.iter().sum();
                    *y = sum_b.iter().sum();
                    at += step;
                }
            },
        );
    }
}

/// Low-pass with its edge at `cutoff` times half the sample rate, sampled at every phase.
fn kernel(cutoff: f64) -> Kernel {
    let half = TAPS as f64 / 2.0;
    (0..=PHASES)
        .map(|phase| {
            let fraction = phase as f64 / PHASES as f64;
            let row: [f64; TAPS] = std::array::from_fn(|j| {
                let t = j as f64 - (half - 1.0) - fraction;
                let x = t / half;
                let window = bessel_i0(KAISER_BETA * (1.0 - x * x).max(0.0).sqrt());
                cutoff * sinc(cutoff * t) * window
            });
            // Every phase passes a constant unchanged.
            let sum: f64 = row.iter().sum();
            row.map(|h| (h / sum) as f32)
        })
        .collect()
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else if x.fract() == 0.0 {
        0.0
    } else {
        (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_sine(frequency: f64, speed: f64) -> (Vec<f32>, u64) {
        let signal: Vec<f32> = (0..4000)
            .map(|i| (std::f64::consts::TAU * frequency * i as f64).sin() as f32)
            .collect();
        let step = (speed * ONE as f64).round() as u64;
        let count = (3000.0 / speed) as usize;
        let (mut a, mut b) = (vec![0.0; count], vec![0.0; count]);
        Kernels::get().read([&signal, &signal], ONE / 3, step, [&mut a, &mut b]);
        assert_eq!(a, b);
        (a, step)
    }

    #[test]
    fn sines_are_read_where_they_are_asked_for() {
        for (frequency, speed) in [(0.01, 0.3), (0.2, 0.77), (0.35, 1.0 / 3.0), (0.1, 1.7)] {
            let (read, step) = read_sine(frequency, speed);
            for (i, &x) in read.iter().enumerate() {
                let at = (ONE / 3 + i as u64 * step) as f64 / ONE as f64 + TAPS as f64 / 2.0 - 1.0;
                let expected = (std::f64::consts::TAU * frequency * at).sin();
                assert!(
                    (f64::from(x) - expected).abs() < 2e-4,
                    "{frequency} at {speed}, sample {i}: {x} for {expected}"
                );
            }
        }
    }

    #[test]
    fn what_would_fold_back_is_left_out() {
        let (read, _) = read_sine(0.3, 4.0);
        let peak = read.iter().fold(0.0f32, |p, x| p.max(x.abs()));
        assert!(peak < 0.01, "{peak}");
    }

    #[test]
    fn samples_at_whole_positions_are_copied() {
        let signal: Vec<f32> = (0..200).map(|i| (i as f32 * 0.37).sin()).collect();
        let (mut a, mut b) = ([0.0; 50], [0.0; 50]);
        Kernels::get().read([&signal, &signal], 3 * ONE, ONE, [&mut a, &mut b]);
        assert_eq!(a, signal[TAPS / 2 + 2..TAPS / 2 + 52]);
        // The table says the same as the short cut.
        let kernel = &Kernels::get().tables[0];
        assert!(kernel[0].iter().filter(|h| **h != 0.0).eq([&1.0]));
    }
}
