//! Real-time phase gradient heap integration (RTPGHI).

use super::{cis_turns, random_unit};
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
/// exaggerates it. 0.8 to 1 is best on recordings.
const DELAY_SHRINKAGE: f32 = 0.9;

/// Start phases of one channel, frame by frame: real-time phase gradient heap integration
/// (Průša & Søndergaard, "Real-time spectrogram inversion using phase gradient heap integration",
/// DAFx 2016), looking back only.
///
/// The gradient of the phase follows from the magnitudes; it is integrated from the previous frame's
/// phases outward, the strongest coefficients first. The paper takes the window for a Gaussian; here
/// the gradients are those of the Hann window itself, exact for a lone sine and a lone impulse, which
/// converges 1 to 3 dB further. Phases are unit complex numbers. All memory is allocated by
/// [`new`](Self::new); the work of a frame is bounded by two heap operations for each bin.
pub(super) struct PhaseGradientHeap {
    fft_size: usize,
    hop_size: usize,
    /// The three newest frames, oldest first; silence before the first.
    magnitude: [Vec<f32>; 3],
    /// Instantaneous frequency, in bins above each bin: of the last frame, of the new one.
    detune: [Vec<f32>; 2],
    /// Half of the phase step from one bin to the next, as units, for phases counted from the
    /// frame's middle.
    half_step: Vec<Complex32>,
    heap: Vec<u64>,
    pending: Vec<bool>,
}

impl PhaseGradientHeap {
    /// Allocates for frames of `fft_size` samples every `hop_size` samples.
    pub(super) fn new(fft_size: usize, hop_size: usize) -> Self {
        let bins = fft_size / 2 + 1;
        Self {
            fft_size,
            hop_size,
            magnitude: std::array::from_fn(|_| vec![0.0; bins]),
            detune: std::array::from_fn(|_| vec![0.0; bins]),
            half_step: vec![Complex32::default(); bins],
            heap: Vec::with_capacity(bins * 2),
            pending: vec![false; bins],
        }
    }

    /// Forgets all frames. Real-time safe.
    pub(super) fn reset(&mut self) {
        for values in self.magnitude.iter_mut().chain(&mut self.detune) {
            values.fill(0.0);
        }
    }

    /// Takes the newest frame's magnitudes (`bins`, finite, not negative) and writes its start
    /// phases, units, to `phase` (`bins`). `previous` holds the phases, units, of the frame before.
    /// `frame` and `stream` address the random phases of bins too weak to integrate. Real-time safe.
    ///
    /// # Panics
    /// If a slice has another length.
    pub(super) fn start_phases(
        &mut self,
        magnitude: &[f32],
        previous: &[Complex32],
        frame: i64,
        stream: u64,
        phase: &mut [Complex32],
    ) {
        let bins = self.pending.len();
        assert!(magnitude.len() == bins && previous.len() == bins && phase.len() == bins);
        self.magnitude.rotate_left(1);
        self.magnitude[2].copy_from_slice(magnitude);
        self.find_frequencies();
        self.find_delays();

        let [_, before, now] = &self.magnitude;
        let loudest = now.iter().chain(before).fold(0.0f32, |a, &b| a.max(b));
        let tolerance = RELATIVE_TOLERANCE * loudest;
        self.heap.clear();
        for k in 0..bins {
            // Strictly: a silent frame has nothing to integrate.
            let audible = now[k] > tolerance;
            self.pending[k] = audible;
            if audible {
                self.heap
                    .push(entry(before[k].max(ONSET_WEIGHT * now[k]), k, false));
            } else {
                phase[k] = random_unit(frame, k, stream);
            }
        }
        heapify(&mut self.heap);

        let hop_turns = self.hop_size as f32 / self.fft_size as f32;
        let [detune_before, detune_now] = &self.detune;
        while let Some((k, is_new)) = pop(&mut self.heap) {
            if !is_new {
                if self.pending[k] {
                    self.pending[k] = false;
                    // Trapezoidal rule over one hop; whole turns are left out in integers.
                    let centre = (k * self.hop_size % self.fft_size) as f32 / self.fft_size as f32;
                    let detune = 0.5 * (detune_before[k] + detune_now[k]);
                    phase[k] = previous[k] * cis_turns(centre + detune * hop_turns);
                    push(&mut self.heap, entry(now[k], k, true));
                }
                continue;
            }
            // Counted from the frame's start, not its middle, every bin adds half a turn.
            if k + 1 < bins && self.pending[k + 1] {
                self.pending[k + 1] = false;
                phase[k + 1] = -(phase[k] * self.half_step[k] * self.half_step[k + 1]);
                push(&mut self.heap, entry(now[k + 1], k + 1, true));
            }
            if k > 0 && self.pending[k - 1] {
                self.pending[k - 1] = false;
                phase[k - 1] = -(phase[k] * (self.half_step[k] * self.half_step[k - 1]).conj());
                push(&mut self.heap, entry(now[k - 1], k - 1, true));
            }
        }
    }

    /// The instantaneous frequency at each bin, from the levels either side of it.
    ///
    /// A sine δ bins above bin k has the magnitudes `sinc(x)/(1 − x²)`, x = δ ∓ 1, at k ± 1; with
    /// `q = (a₊ − a₋)/(a₊ + a₋)` this gives `q·δ² − 3δ + 2q = 0`, whose root lies in −1..1.
    fn find_frequencies(&mut self) {
        self.detune.swap(0, 1);
        let (detune, magnitude) = (&mut self.detune[1], &self.magnitude[2]);
        // The spectrum of a real signal is even around both ends: no detuning there.
        for (detune, a) in detune[1..].iter_mut().zip(magnitude.windows(3)) {
            let q = (a[2] - a[0]) / (a[2] + a[0] + RATIO_FLOOR);
            *detune = 4.0 * q / (3.0 + (9.0 - 8.0 * q * q).sqrt());
        }
    }

    /// The group delay at each bin, from the levels of the last three frames.
    ///
    /// An impulse d samples after the frame's middle has the magnitude `cos²α`, `α = π·d/fft_size`, and
    /// `cos²(α + j·h)`, `h = π·hop/fft_size`, j frames before, hence
    /// `tan α = (cos j·h − √(before/now)) / sin j·h`. Its phase turns by −2α from bin to bin.
    fn find_delays(&mut self) {
        let h = std::f32::consts::PI * self.hop_size as f32 / self.fft_size as f32;
        let ((sin_1, cos_1), (sin_2, cos_2)) = (h.sin_cos(), (2.0 * h).sin_cos());
        let [earlier, before, now] = &self.magnitude;
        for (k, step) in self.half_step.iter_mut().enumerate() {
            let scale = 1.0 / (now[k] + RATIO_FLOOR);
            let tan_1 = (cos_1 - ((before[k] + RATIO_FLOOR) * scale).sqrt()) / sin_1;
            let tan_2 = (cos_2 - ((earlier[k] + RATIO_FLOOR) * scale).sqrt()) / sin_2;
            let tan = DELAY_SHRINKAGE * (tan_1 + DELAY_EXTRAPOLATION * (tan_1 - tan_2));
            let norm = 1.0 / (1.0 + tan * tan).sqrt();
            *step = Complex32::new(norm, -tan * norm);
        }
    }
}

/// Heap entries order by magnitude, then bin: for positive floats the bits order as the values do.
fn entry(magnitude: f32, bin: usize, is_new: bool) -> u64 {
    (u64::from(magnitude.to_bits()) << 32) | ((bin as u64) << 1) | u64::from(is_new)
}

fn heapify(heap: &mut [u64]) {
    for root in (0..heap.len() / 2).rev() {
        sift_down(heap, root);
    }
}

/// Within the capacity: every bin is entered at most once for each of the two frames.
fn push(heap: &mut Vec<u64>, value: u64) {
    let mut at = heap.len();
    heap.push(value);
    while at > 0 {
        let parent = (at - 1) / 2;
        if heap[parent] >= value {
            break;
        }
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = value;
}

/// The strongest entry: its bin and whether it is of the new frame.
fn pop(heap: &mut Vec<u64>) -> Option<(usize, bool)> {
    let last = heap.pop()?;
    let top = match heap.first_mut() {
        Some(first) => std::mem::replace(first, last),
        None => last,
    };
    sift_down(heap, 0);
    Some((((top & u64::from(u32::MAX)) >> 1) as usize, top & 1 == 1))
}

fn sift_down(heap: &mut [u64], mut root: usize) {
    let Some(&value) = heap.get(root) else { return };
    loop {
        let mut child = 2 * root + 1;
        if child >= heap.len() {
            break;
        }
        if child + 1 < heap.len() && heap[child + 1] > heap[child] {
            child += 1;
        }
        if heap[child] <= value {
            break;
        }
        heap[root] = heap[child];
        root = child;
    }
    heap[root] = value;
}
