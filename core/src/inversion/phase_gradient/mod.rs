//! Start phases by real-time phase gradient heap integration (RTPGHI).
//!
//! [`Gradients`] finds from the magnitudes how the phase turns from frame to frame and from bin to bin,
//! [`Paths`] from where each bin's phase is to be integrated, and [`StartPhases`] integrates.

mod gradients;
mod paths;

use super::units::{RandomUnits, cis_turns};
use crate::numeric::simd::dispatch;
use crate::spectrum::Complex32;
use gradients::Gradients;
use paths::Paths;

/// Start phases of one channel, frame by frame: real-time phase gradient heap integration
/// (Průša & Søndergaard, "Real-time spectrogram inversion using phase gradient heap integration",
/// DAFx 2016), looking back only.
///
/// The gradient of the phase follows from the magnitudes; it is integrated from the previous frame's
/// phases outward, the strongest coefficients first. The paper's heap is replaced by two sweeps that find the
/// same paths (see [`Paths::find`]) and cost the same for every frame. Phases are unit complex numbers. All
/// memory is allocated by [`new`](Self::new).
///
/// A frame's phases are found in five parts, in this order: [`find_gradients`](Self::find_gradients),
/// [`find_paths`](Self::find_paths), [`integrate_in_time`](Self::integrate_in_time),
/// [`integrate_upward`](Self::integrate_upward), [`integrate_downward`](Self::integrate_downward).
pub(super) struct StartPhases {
    gradients: Gradients,
    paths: Paths,
    /// Turns of each bin's centre frequency in one hop, without the whole ones.
    centre: Vec<f32>,
    /// Turns of half a bin's frequency in one hop.
    half_hop_turns: f32,
}

impl StartPhases {
    /// Allocates for frames of `fft_size` samples every `hop_size` samples.
    pub fn new(fft_size: usize, hop_size: usize) -> Self {
        let bins = fft_size / 2 + 1;
        Self {
            gradients: Gradients::new(fft_size, hop_size),
            paths: Paths::new(bins),
            centre: (0..bins)
                .map(|k| (k * hop_size % fft_size) as f32 / fft_size as f32)
                .collect(),
            half_hop_turns: 0.5 * hop_size as f32 / fft_size as f32,
        }
    }

    /// Forgets all frames. Real-time safe.
    pub fn reset(&mut self) {
        self.gradients.reset();
    }

    /// Takes the newest frame's magnitudes (`bins`, finite, not negative) and finds its gradients. Real-time
    /// safe.
    ///
    /// # Panics
    /// If the slice has another length.
    pub fn find_gradients(&mut self, magnitude: &[f32]) {
        self.gradients.push(magnitude);
    }

    /// Finds from where each bin's phase is integrated. Real-time safe.
    pub fn find_paths(&mut self) {
        let Self {
            gradients, paths, ..
        } = self;
        paths.find(gradients.before(), gradients.now(), gradients.tolerance());
    }

    /// Integrates in time, from the phases `previous` (`bins`, units) of the frame before to those of the new
    /// one, `phase` (`bins`). `frame` and `stream` address the random phases of bins too weak to integrate.
    /// Real-time safe.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn integrate_in_time(
        &self,
        previous: &[Complex32],
        frame: i64,
        stream: u64,
        phase: &mut [Complex32],
    ) {
        let tolerance = self.gradients.tolerance();
        let bins = self.centre.len();
        let (centre, now) = (&self.centre[..], &self.gradients.now()[..bins]);
        let [detune_before, detune_now] = self.gradients.detune();
        let (detune_before, detune_now) = (&detune_before[..bins], &detune_now[..bins]);
        let (previous, phase) = (&previous[..bins], &mut phase[..bins]);
        let half_hop_turns = self.half_hop_turns;
        let random = RandomUnits::of_frame(frame, stream);
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    // Trapezoidal rule over one hop; whole turns were left out in integers.
                    let detune = detune_before[k] + detune_now[k];
                    let advanced = previous[k] * cis_turns(centre[k] + detune * half_hop_turns);
                    let random = random.at(k as u32);
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

    /// Replaces the phases of the bins that are reached from below. Real-time safe.
    ///
    /// # Panics
    /// If the slice has another length.
    pub fn integrate_upward(&self, phase: &mut [Complex32]) {
        self.paths.integrate_upward(self.gradients.step(), phase);
    }

    /// Replaces the phases of the bins that are reached from above. Real-time safe.
    ///
    /// # Panics
    /// If the slice has another length.
    pub fn integrate_downward(&self, phase: &mut [Complex32]) {
        self.paths.integrate_downward(self.gradients.step(), phase);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_sine_and_a_centred_impulse_have_exact_gradients() {
        let (n, hop) = (256, 64);
        let stft = crate::spectrum::Stft::new(n, hop).unwrap();
        let mut start = StartPhases::new(n, hop);
        let frequency = 20.3f64;
        let sine: Vec<f32> = (0..2 * n)
            .map(|i| (std::f64::consts::TAU * frequency * i as f64 / n as f64).cos() as f32)
            .collect();
        let mut phase = vec![Complex32::default(); n / 2 + 1];
        for frame in stft.analyse(&sine).chunks(stft.bins()) {
            let magnitude: Vec<f32> = frame.iter().map(|z| z.norm()).collect();
            let previous = phase.clone();
            start.find_gradients(&magnitude);
            start.find_paths();
            start.integrate_in_time(&previous, 0, 0, &mut phase);
            start.integrate_upward(&mut phase);
            start.integrate_downward(&mut phase);
        }
        assert!(
            (start.gradients.detune()[1][20] - 0.3).abs() < 0.01,
            "{}",
            start.gradients.detune()[1][20]
        );
        assert!(
            (start.gradients.detune()[1][21] + 0.7).abs() < 0.01,
            "{}",
            start.gradients.detune()[1][21]
        );

        start.reset();
        let mut impulse = vec![0.0; 2 * n];
        impulse[n] = 1.0;
        let frames = stft.analyse(&impulse);
        for frame in frames.chunks(stft.bins()).take(3) {
            let magnitude: Vec<f32> = frame.iter().map(|z| z.norm()).collect();
            let previous = phase.clone();
            start.find_gradients(&magnitude);
            start.find_paths();
            start.integrate_in_time(&previous, 0, 0, &mut phase);
            start.integrate_upward(&mut phase);
            start.integrate_downward(&mut phase);
        }
        // In the third frame the impulse is exactly in the middle: no turn from bin to bin.
        for step in &start.gradients.half_step()[1..n / 2] {
            assert!((step - Complex32::new(1.0, 0.0)).norm() < 1e-3, "{step}");
        }
    }
}
