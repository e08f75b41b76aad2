//! Real-time phase gradient heap integration (RTPGHI).

use super::{cis_turns, random_unit};
use crate::spectrum::Complex32;

/// `γ / fft_size²` of the Gaussian closest to a Hann window (Průša, Balazs & Søndergaard 2017, table 1).
const HANN_GAMMA: f32 = 0.25645;
/// Bins this far below the louder of two frames' peaks get a random phase instead of an integrated one.
const RELATIVE_TOLERANCE: f32 = 1e-5;
/// Where the previous frame was silent, integration begins at the strongest bins of the new one.
const ONSET_WEIGHT: f32 = 1e-6;
/// Natural logarithms are taken of magnitudes no smaller than this.
const LOG_FLOOR: f32 = 1e-9;
/// The instantaneous frequency lies within the main lobe of the Hann window, this many bins wide on
/// either side; estimates beyond come from interference.
const MAX_DETUNE_BINS: f32 = 2.0;
/// The local group delay lies within the frame: half of it is half a turn from bin to bin.
const MAX_SLOPE_TURNS: f32 = 0.5;

/// Start phases of one channel, frame by frame: real-time phase gradient heap integration
/// (Průša & Søndergaard, "Real-time spectrogram inversion using phase gradient heap integration",
/// DAFx 2016).
///
/// For a Gaussian window the gradient of the phase follows from that of the log magnitude (their
/// eq. 6 and 7); it is integrated from the previous frame's phases outward, the strongest
/// coefficients first. Phases are kept as unit complex numbers. All memory is allocated by
/// [`new`](Self::new); the work of a frame is bounded by two heap operations for each bin.
#[derive(Debug, Clone)]
pub struct PhaseGradientHeap {
    fft_size: usize,
    hop_size: usize,
    lookahead: bool,
    /// The three newest frames, oldest first; silence before the first.
    magnitude: [Vec<f32>; 3],
    log: [Vec<f32>; 3],
    /// Phase advance over one hop, in turns: of the frame before, of the frame itself.
    advance: [Vec<f32>; 2],
    /// Phase from one bin to the next, in turns.
    slope: Vec<f32>,
    heap: Vec<u64>,
    pending: Vec<bool>,
}

impl PhaseGradientHeap {
    /// Allocates for frames of `fft_size` samples every `hop_size` samples. With `lookahead`,
    /// phases are those of the frame *before* the one passed, which makes the time derivative a
    /// central difference; without, it looks back only.
    pub fn new(fft_size: usize, hop_size: usize, lookahead: bool) -> Self {
        let bins = fft_size / 2 + 1;
        let mut new = Self {
            fft_size,
            hop_size,
            lookahead,
            magnitude: std::array::from_fn(|_| vec![0.0; bins]),
            log: std::array::from_fn(|_| vec![0.0; bins]),
            advance: std::array::from_fn(|_| vec![0.0; bins]),
            slope: vec![0.0; bins],
            heap: Vec::with_capacity(bins * 2),
            pending: vec![false; bins],
        };
        new.reset();
        new
    }

    /// Forgets all frames. Real-time safe.
    pub fn reset(&mut self) {
        for magnitude in &mut self.magnitude {
            magnitude.fill(0.0);
        }
        for log in &mut self.log {
            log.fill(LOG_FLOOR.ln());
        }
        for advance in &mut self.advance {
            advance.fill(0.0);
        }
    }

    /// Takes the newest frame's magnitudes (`bins`, finite, not negative) and writes start phases,
    /// units, to `phase` (`bins`): those of this frame, or with look-ahead of the one before it.
    /// `previous` holds the phases, units, of the frame before that one. `frame` and `stream` address
    /// the random phases of bins too weak to integrate. Real-time safe.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn start_phases(
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
        self.log.rotate_left(1);
        self.magnitude[2].copy_from_slice(magnitude);
        for (log, &a) in self.log[2].iter_mut().zip(magnitude) {
            *log = a.max(LOG_FLOOR).ln();
        }
        self.find_gradients();

        let target = if self.lookahead { 1 } else { 2 };
        let (now, before) = (&self.magnitude[target], &self.magnitude[target - 1]);
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

        let (advance_before, advance_now) = (&self.advance[0], &self.advance[1]);
        while let Some((k, is_new)) = pop(&mut self.heap) {
            if !is_new {
                if self.pending[k] {
                    self.pending[k] = false;
                    // Trapezoidal rule over one hop.
                    phase[k] = previous[k] * cis_turns(0.5 * (advance_before[k] + advance_now[k]));
                    push(&mut self.heap, entry(now[k], k, true));
                }
                continue;
            }
            if k + 1 < bins && self.pending[k + 1] {
                self.pending[k + 1] = false;
                phase[k + 1] = phase[k] * cis_turns(0.5 * (self.slope[k] + self.slope[k + 1]));
                push(&mut self.heap, entry(now[k + 1], k + 1, true));
            }
            if k > 0 && self.pending[k - 1] {
                self.pending[k - 1] = false;
                phase[k - 1] = phase[k] * cis_turns(-0.5 * (self.slope[k] + self.slope[k - 1]));
                push(&mut self.heap, entry(now[k - 1], k - 1, true));
            }
        }
    }

    /// The phase gradient of the target frame from its neighbours' log magnitudes.
    fn find_gradients(&mut self) {
        let bins = self.pending.len();
        let (n, hop) = (self.fft_size as f32, self.hop_size as f32);
        let gamma = HANN_GAMMA * n * n;
        let target = if self.lookahead { 1 } else { 2 };
        self.advance.swap(0, 1);

        // ∂φ/∂t = 2π·k·hop/n + (hop·n/γ)·∂(ln a)/∂k; the second term is the detuning from bin k.
        let log = &self.log[target];
        let detune = n * n / (std::f32::consts::TAU * gamma);
        let advance = &mut self.advance[1];
        for k in 0..bins {
            // The spectrum of a real signal is even around both ends: no gradient there.
            let difference = if k == 0 || k == bins - 1 {
                0.0
            } else {
                0.5 * (log[k + 1] - log[k - 1])
            };
            let detune_bins = (detune * difference).clamp(-MAX_DETUNE_BINS, MAX_DETUNE_BINS);
            let whole = (k * self.hop_size % self.fft_size) as f32;
            advance[k] = (whole + detune_bins * hop) / n;
        }

        // ∂φ/∂k = −(γ/(hop·n))·∂(ln a)/∂t for phases counted from the frame's middle; counted from
        // its start, every bin adds half a turn.
        let slope = gamma / (hop * n * std::f32::consts::TAU);
        for k in 0..bins {
            let (a, b, c) = (self.log[0][k], self.log[1][k], self.log[2][k]);
            let difference = if self.lookahead { 0.5 * (c - a) } else { c - b };
            self.slope[k] = 0.5 - (slope * difference).clamp(-MAX_SLOPE_TURNS, MAX_SLOPE_TURNS);
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
