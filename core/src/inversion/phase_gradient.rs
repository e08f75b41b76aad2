//! Real-time phase gradient heap integration (RTPGHI).

use super::{cis_turns, random_units_key, unit_of_hash};
use crate::numeric::simd::dispatch;
use crate::spectrum::Complex32;

/// Bins this far below the louder of two frames' peaks get a random phase instead of an integrated one.
const RELATIVE_TOLERANCE: f32 = 1e-5;
/// Where the previous frame was silent, integration begins at the strongest bins of the new one.
const ONSET_WEIGHT: f32 = 1e-6;
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

/// Where a bin's phase is integrated from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The same bin of the previous frame; or nowhere, if the bin is too weak.
    Past,
    /// The bin below.
    Below,
    /// The bin above.
    Above,
}

/// Start phases of one channel, frame by frame: real-time phase gradient heap integration
/// (Průša & Søndergaard, "Real-time spectrogram inversion using phase gradient heap integration",
/// DAFx 2016), looking back only.
///
/// The gradient of the phase follows from the magnitudes; it is integrated from the previous frame's
/// phases outward, the strongest coefficients first. The paper takes the window for a Gaussian; here
/// the gradients have the closed forms of a lone sine and a lone impulse under a Hann window, which
/// converges 1 to 3 dB further. The paper's heap is replaced by two sweeps that find the same paths
/// (see [`find_origins`](Self::find_origins)) and cost the same for every frame. Phases are unit
/// complex numbers. All memory is allocated by [`new`](Self::new).
pub(super) struct PhaseGradients {
    fft_size: usize,
    hop_size: usize,
    /// The three newest frames, oldest first; silence before the first.
    magnitude: [Vec<f32>; 3],
    /// Magnitudes up to this get a random phase.
    tolerance: f32,
    /// Instantaneous frequency, in bins above each bin: of the last frame, of the new one.
    detune: [Vec<f32>; 2],
    /// Turns of each bin's centre frequency in one hop, without the whole ones.
    centre: Vec<f32>,
    /// Half of the phase step from one bin to the next, as units, for phases counted from the
    /// frame's middle.
    half_step: Vec<Complex32>,
    /// The phase step to each bin from the one below, as units, for phases counted from the frame's
    /// start.
    step: Vec<Complex32>,
    /// Of each bin its level, and those at which the integration reaches it from the past, from below
    /// and from above: bits of floats, which order as the numbers do and are compared faster.
    levels: [Vec<u32>; 4],
    origin: Vec<Origin>,
}

impl PhaseGradients {
    /// Allocates for frames of `fft_size` samples every `hop_size` samples.
    pub(super) fn new(fft_size: usize, hop_size: usize) -> Self {
        let bins = fft_size / 2 + 1;
        Self {
            fft_size,
            hop_size,
            magnitude: std::array::from_fn(|_| vec![0.0; bins]),
            tolerance: 0.0,
            detune: std::array::from_fn(|_| vec![0.0; bins]),
            centre: (0..bins)
                .map(|k| (k * hop_size % fft_size) as f32 / fft_size as f32)
                .collect(),
            half_step: vec![Complex32::default(); bins],
            step: vec![Complex32::default(); bins],
            levels: std::array::from_fn(|_| vec![0; bins]),
            origin: vec![Origin::Past; bins],
        }
    }

    /// Forgets all frames. Real-time safe.
    pub(super) fn reset(&mut self) {
        for values in self.magnitude.iter_mut().chain(&mut self.detune) {
            values.fill(0.0);
        }
    }

    /// First of five parts that find the start phases: takes the newest frame's magnitudes (`bins`,
    /// finite, not negative) and finds its gradients. Real-time safe.
    ///
    /// # Panics
    /// If a slice has another length.
    pub(super) fn find_gradients(&mut self, magnitude: &[f32]) {
        self.magnitude.rotate_left(1);
        self.magnitude[2].copy_from_slice(magnitude);
        self.find_tolerance();
        self.find_frequencies();
        self.find_delays();
    }

    /// Third part: integrates in time, from the phases `previous` (`bins`, units) of the frame before
    /// to those of the new one, `phase` (`bins`). `frame` and `stream` address the random phases of bins
    /// too weak to integrate. Real-time safe.
    ///
    /// # Panics
    /// If a slice has another length.
    pub(super) fn integrate_in_time(
        &self,
        previous: &[Complex32],
        frame: i64,
        stream: u64,
        phase: &mut [Complex32],
    ) {
        let tolerance = self.tolerance;
        let bins = self.centre.len();
        let (centre, now) = (&self.centre[..], &self.magnitude[2][..bins]);
        let [detune_before, detune_now] = &self.detune;
        let (detune_before, detune_now) = (&detune_before[..bins], &detune_now[..bins]);
        let (previous, phase) = (&previous[..bins], &mut phase[..bins]);
        let half_hop_turns = 0.5 * self.hop_size as f32 / self.fft_size as f32;
        let key = random_units_key(frame, stream);
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    // Trapezoidal rule over one hop; whole turns were left out in integers.
                    let detune = detune_before[k] + detune_now[k];
                    let advanced = previous[k] * cis_turns(centre[k] + detune * half_hop_turns);
                    let random = unit_of_hash(key, k as u32);
                    // Strictly: a silent frame has nothing to integrate.
                    let audible = now[k] > tolerance;
                    phase[k] = Complex32 {
                        re: if audible { advanced.re } else { random.re },
                        im: if audible { advanced.im } else { random.im },
                    };
                }
            },
        );
    }

    /// Fourth part: replaces the phases of the bins that are reached from below. Real-time safe.
    ///
    /// # Panics
    /// If the slice has another length.
    pub(super) fn integrate_upward(&self, phase: &mut [Complex32]) {
        let bins = self.origin.len();
        let (origin, step, phase) = (&self.origin[..], &self.step[..bins], &mut phase[..bins]);
        let mut last = phase[0];
        for k in 1..bins {
            if origin[k] == Origin::Below {
                phase[k] = last * step[k];
            }
            last = phase[k];
        }
    }

    /// Fifth part: the same from above. Real-time safe.
    ///
    /// # Panics
    /// If the slice has another length.
    pub(super) fn integrate_downward(&self, phase: &mut [Complex32]) {
        let bins = self.origin.len();
        let (origin, step, phase) = (&self.origin[..], &self.step[..bins], &mut phase[..bins]);
        let mut last = phase[bins - 1];
        for k in (0..bins - 1).rev() {
            if origin[k] == Origin::Above {
                phase[k] = last * step[k + 1].conj();
            }
            last = phase[k];
        }
    }

    /// Second part: from where the heap would reach each bin. Real-time safe.
    ///
    /// The heap pops the strongest coefficient that it holds: bins of the last frame, which hand their
    /// phase on in time, and bins of the new one that have a phase, which hand it on to their
    /// neighbours. So a bin gets its phase along the path whose weakest coefficient is strongest. From
    /// one side that level is `from[k] = min(now[k−1], max(before[k−1], from[k−1]))`, and of the past
    /// and both sides the largest one wins.
    pub(super) fn find_origins(&mut self) {
        let [_, before, now] = &self.magnitude;
        let (tolerance, bins) = (self.tolerance, now.len());
        let (before, now) = (&before[..bins], &now[..bins]);
        let [own, past, below, above] = self.levels.each_mut().map(|level| &mut level[..bins]);
        let origin = &mut self.origin[..bins];
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    // A bin that is too weak gets no phase from its neighbours and hands none on.
                    let audible = now[k] > tolerance;
                    let onset = ONSET_WEIGHT * now[k];
                    let kept = if before[k] > onset { before[k] } else { onset };
                    own[k] = if audible { now[k] } else { 0.0 }.to_bits();
                    past[k] = if audible { kept } else { f32::MAX }.to_bits();
                }
            },
        );
        // Both at once, as each step waits for the one before.
        let (mut from_below, mut from_above) = (0, 0);
        for k in 0..bins {
            below[k] = from_below;
            from_below = own[k].min(past[k].max(from_below));
            let k = bins - 1 - k;
            above[k] = from_above;
            from_above = own[k].min(past[k].max(from_above));
        }
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    let (past, below, above) = (past[k], below[k], above[k]);
                    // Ties go downward, so that no two neighbours wait for each other, and an impulse,
                    // whose bins are all equal, is integrated as a whole.
                    let from_below = below >= past && below >= above;
                    let neighbour = if from_below {
                        Origin::Below
                    } else {
                        Origin::Above
                    };
                    let from_past = !from_below && past >= above;
                    origin[k] = if from_past { Origin::Past } else { neighbour };
                }
            },
        );
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
        let last = self.centre.len() - 1;
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
        let h = std::f32::consts::PI * self.hop_size as f32 / self.fft_size as f32;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The paper's heap, as a list that is searched.
    fn origins_by_heap(before: &[f32], now: &[f32], tolerance: f32) -> Vec<Origin> {
        let bins = now.len();
        let mut origins = vec![None; bins];
        let mut held: Vec<(f32, usize, bool)> = (0..bins)
            .filter(|&k| now[k] > tolerance)
            .map(|k| (before[k].max(ONSET_WEIGHT * now[k]), k, false))
            .collect();
        while !held.is_empty() {
            let strongest = (0..held.len())
                .max_by(|&a, &b| held[a].0.total_cmp(&held[b].0))
                .unwrap();
            let (_, k, is_new) = held.swap_remove(strongest);
            let targets = if is_new {
                [(k + 1, Origin::Below), (k.wrapping_sub(1), Origin::Above)]
            } else {
                [(k, Origin::Past); 2]
            };
            for (k, origin) in targets {
                if k < bins && now[k] > tolerance && origins[k].is_none() {
                    origins[k] = Some(origin);
                    held.push((now[k], k, true));
                }
            }
        }
        let origins = origins.into_iter();
        origins.map(|o| o.unwrap_or(Origin::Past)).collect()
    }

    #[test]
    fn two_sweeps_find_the_paths_of_the_heap() {
        let mut start = PhaseGradients::new(512, 128);
        let bins = start.origin.len();
        let mut state = 1u32;
        // 120 dB of levels, so that some bins are too weak, and no two the same.
        let mut draw = |quiet: bool| -> Vec<f32> {
            (0..bins)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let level = (state >> 8) as f32 / (1u32 << 24) as f32;
                    if quiet { 0.0 } else { 10f32.powf(-6.0 * level) }
                })
                .collect()
        };
        for round in 0..40 {
            let now = draw(round % 7 == 3);
            start.find_gradients(&now);
            start.find_origins();
            let expected = origins_by_heap(&start.magnitude[1], &now, start.tolerance);
            assert_eq!(start.origin, expected, "round {round}");
        }
        for origin in [Origin::Past, Origin::Below, Origin::Above] {
            assert!(start.origin.contains(&origin), "no {origin:?}");
        }
    }

    #[test]
    fn a_lone_sine_and_a_centred_impulse_have_exact_gradients() {
        let (n, hop) = (256, 64);
        let stft = crate::spectrum::Stft::new(n, hop).unwrap();
        let mut start = PhaseGradients::new(n, hop);
        let frequency = 20.3f64;
        let sine: Vec<f32> = (0..2 * n)
            .map(|i| (std::f64::consts::TAU * frequency * i as f64 / n as f64).cos() as f32)
            .collect();
        let mut phase = vec![Complex32::default(); n / 2 + 1];
        for frame in stft.analyse(&sine).chunks(stft.bins()) {
            let magnitude: Vec<f32> = frame.iter().map(|z| z.norm()).collect();
            let previous = phase.clone();
            start.find_gradients(&magnitude);
            start.find_origins();
            start.integrate_in_time(&previous, 0, 0, &mut phase);
            start.integrate_upward(&mut phase);
            start.integrate_downward(&mut phase);
        }
        assert!(
            (start.detune[1][20] - 0.3).abs() < 0.01,
            "{}",
            start.detune[1][20]
        );
        assert!(
            (start.detune[1][21] + 0.7).abs() < 0.01,
            "{}",
            start.detune[1][21]
        );

        start.reset();
        let mut impulse = vec![0.0; 2 * n];
        impulse[n] = 1.0;
        let frames = stft.analyse(&impulse);
        for frame in frames.chunks(stft.bins()).take(3) {
            let magnitude: Vec<f32> = frame.iter().map(|z| z.norm()).collect();
            let previous = phase.clone();
            start.find_gradients(&magnitude);
            start.find_origins();
            start.integrate_in_time(&previous, 0, 0, &mut phase);
            start.integrate_upward(&mut phase);
            start.integrate_downward(&mut phase);
        }
        // In the third frame the impulse is exactly in the middle: no turn from bin to bin.
        for step in &start.half_step[1..n / 2] {
            assert!((step - Complex32::new(1.0, 0.0)).norm() < 1e-3, "{step}");
        }
    }
}
