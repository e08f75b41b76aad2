//! The gradients of the phase, from magnitudes alone.

use crate::numeric::simd::dispatch;
use crate::spectrum::Complex32;

/// Bins this far below the louder of two frames' peaks get a random phase instead of an integrated one.
const RELATIVE_TOLERANCE: f32 = 1e-5;
/// Added to magnitudes before ratios are taken of them; far below anything audible.
const RATIO_FLOOR: f32 = 1e-12;
/// Share of the group delay's change since the last hop that is carried on to the new frame. Between a
/// first-order difference (0) and a second-order one (1): noise makes the full correction too nervous.
/// 0.2 to 0.4 is best on recordings at 75 % and 87.5 % overlap.
const DELAY_EXTRAPOLATION: f32 = 0.3;
/// Shrinks the tangent of the group delay: where components interfere, the ratio of magnitudes
/// exaggerates it. 0.8 to 1 is best on recordings: 1 gains a dB at 87.5 % overlap, but smears impulses.
const DELAY_SHRINKAGE: f32 = 0.9;

/// Where magnitudes change by less than this share from frame to frame, twice, a sine is steady: rare in
/// noise, and true of every bin that is disturbed by no more than a sound 46 dB below it.
const STEADY_CHANGE: f32 = 0.01;

/// Gradients of the newest frame's phase, and the magnitudes that they follow from.
///
/// The paper takes the window for a Gaussian; here the gradients have the closed forms of a lone sine and a
/// lone impulse under a Hann window, which converges 1 to 3 dB further.
pub(super) struct Gradients {
    /// The three newest frames, oldest first; silence before the first.
    magnitude: [Vec<f32>; 3],
    /// Magnitudes up to this get a random phase.
    tolerance: f32,
    /// Instantaneous frequency, in bins above each bin: of the last frame, of the new one.
    detune: [Vec<f32>; 2],
    /// Half of the phase step from one bin to the next, as units, for phases counted from the
    /// frame's middle.
    half_step: Vec<Complex32>,
    /// The phase step to each bin from the one below, as units, for phases counted from the frame's
    /// start.
    step: Vec<Complex32>,
    /// `π·hop/fft_size`: see [`find_delays`](Self::find_delays).
    hop_angle: f32,
}

impl Gradients {
    /// Allocates for frames of `fft_size` samples every `hop_size` samples.
    pub fn new(fft_size: usize, hop_size: usize) -> Self {
        let bins = fft_size / 2 + 1;
        Self {
            magnitude: std::array::from_fn(|_| vec![0.0; bins]),
            tolerance: 0.0,
            detune: std::array::from_fn(|_| vec![0.0; bins]),
            half_step: vec![Complex32::default(); bins],
            step: vec![Complex32::default(); bins],
            hop_angle: std::f32::consts::PI * hop_size as f32 / fft_size as f32,
        }
    }

    /// Forgets all frames. Real-time safe.
    pub fn reset(&mut self) {
        for values in self.magnitude.iter_mut().chain(&mut self.detune) {
            values.fill(0.0);
        }
    }

    /// Takes the newest frame's magnitudes (`bins`, finite, not negative) and finds its gradients. Real-time
    /// safe.
    ///
    /// # Panics
    /// If the slice has another length.
    pub fn push(&mut self, magnitude: &[f32]) {
        self.magnitude.rotate_left(1);
        self.magnitude[2].copy_from_slice(magnitude);
        self.find_tolerance();
        self.find_frequencies();
        self.find_delays();
    }

    /// Magnitudes of the newest frame.
    pub fn now(&self) -> &[f32] {
        &self.magnitude[2]
    }

    /// Magnitudes of the frame before.
    pub fn before(&self) -> &[f32] {
        &self.magnitude[1]
    }

    /// Bins of the newest frame up to this magnitude are too weak to be integrated.
    pub fn tolerance(&self) -> f32 {
        self.tolerance
    }

    /// Instantaneous frequency, in bins above each bin: of the frame before, of the newest one.
    pub fn detune(&self) -> [&[f32]; 2] {
        self.detune.each_ref().map(Vec::as_slice)
    }

    /// The phase step to each bin from the one below, as units, for phases counted from the frame's start.
    pub fn step(&self) -> &[Complex32] {
        &self.step
    }

    /// Half of the phase step from one bin to the next, as units, for phases counted from the frame's middle.
    #[cfg(test)]
    pub fn half_step(&self) -> &[Complex32] {
        &self.half_step
    }

    fn find_tolerance(&mut self) {
        let [_, before, now] = &self.magnitude;
        // Floats that are not negative order as their bits do; maxima of integers are vectorised.
        let loudest = dispatch(
            #[inline(always)]
            || {
                let bits = before
                    .iter()
                    .zip(now)
                    .map(|(a, b)| a.to_bits().max(b.to_bits()));
                bits.fold(0u32, |a, b| a.max(b))
            },
        );
        self.tolerance = RELATIVE_TOLERANCE * f32::from_bits(loudest);
    }

    /// The instantaneous frequency at each bin, from the levels either side of it.
    ///
    /// A sine δ bins above bin k has the magnitudes `sinc(x)/(1 − x²)`, x = δ ∓ 1, at k ± 1; with
    /// `q = (a₊ − a₋)/(a₊ + a₋)` this gives `q·δ² − 3δ + 2q = 0`, whose root lies in −1..1.
    fn find_frequencies(&mut self) {
        self.detune.swap(0, 1);
        let last = self.detune[1].len() - 1;
        // The spectrum of a real signal is even around both ends: no detuning there.
        let detune = &mut self.detune[1][1..last];
        let below = &self.magnitude[2][..last - 1];
        let above = &self.magnitude[2][2..];
        dispatch(
            #[inline(always)]
            || {
                for (detune, (&below, &above)) in detune.iter_mut().zip(below.iter().zip(above)) {
                    let q = (above - below) / (above + below + RATIO_FLOOR);
                    *detune = 4.0 * q / (3.0 + (9.0 - 8.0 * q * q).sqrt());
                }
            },
        );
    }

    /// The group delay at each bin, from the levels of the last three frames.
    ///
    /// An impulse d samples after the frame's middle has the magnitude `cos²α`, `α = π·d/fft_size`, and
    /// `cos²(α + j·h)`, `h = π·hop/fft_size`, j frames before, hence
    /// `tan α = (cos j·h − √(before/now)) / sin j·h`. Its phase turns by −2α from bin to bin.
    ///
    /// Where the levels do not change there is no impulse but a sine. Its bins all have the same phase,
    /// except that those further than two bins from its frequency alternate; closer than one bin, and only
    /// there, a magnitude is above the mean of its neighbours'.
    fn find_delays(&mut self) {
        let h = self.hop_angle;
        let ((sin_1, cos_1), (sin_2, cos_2)) = (h.sin_cos(), (2.0 * h).sin_cos());
        let (scale_1, scale_2) = (1.0 / sin_1, 1.0 / sin_2);
        let bins = self.half_step.len();
        let [earlier, before, now] = &self.magnitude;
        let (earlier, before, now) = (&earlier[..bins], &before[..bins], &now[..bins]);
        let (half_step, step) = (&mut self.half_step[..], &mut self.step[..bins]);
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    let scale = 1.0 / (now[k] + RATIO_FLOOR);
                    let tan_1 = (cos_1 - ((before[k] + RATIO_FLOOR) * scale).sqrt()) * scale_1;
                    let tan_2 = (cos_2 - ((earlier[k] + RATIO_FLOOR) * scale).sqrt()) * scale_2;
                    let tan = DELAY_SHRINKAGE * (tan_1 + DELAY_EXTRAPOLATION * (tan_1 - tan_2));
                    let norm = 1.0 / (1.0 + tan * tan).sqrt();
                    half_step[k] = Complex32::new(norm, -tan * norm);
                }
                // Counted from the frame's start, not its middle, every bin adds half a turn.
                for k in 1..bins {
                    step[k] = -(half_step[k - 1] * half_step[k]);
                }
                for (step, k) in step[2..bins - 1].iter_mut().zip(2..) {
                    let steady = |k: usize| {
                        let most = STEADY_CHANGE * now[k];
                        (now[k] - before[k]).abs() < most && (before[k] - earlier[k]).abs() < most
                    };
                    let in_lobe = |k: usize| now[k] > 0.5 * (now[k - 1] + now[k + 1]);
                    let turn = if in_lobe(k - 1) | in_lobe(k) {
                        -1.0
                    } else {
                        1.0
                    };
                    let known = steady(k - 1) & steady(k);
                    *step = Complex32 {
                        re: if known { turn } else { step.re },
                        im: if known { 0.0 } else { step.im },
                    };
                }
            },
        );
    }
}
