//! How unlike its recording a synthesis is, frame by frame.

use super::spectrogram::{BINS, log_magnitudes};
use crate::texture::loss::{DiversityLoss, Loss};

/// Energy of the reference's log spectrogram over its squared distance from the synthesis's, at the shift in time
/// where they are nearest, over as many samples of each as both have.
pub fn diversity(reference: &[f32], synthesis: &[f32]) -> f64 {
    let length = reference.len().min(synthesis.len());
    let [reference, synthesis] = [reference, synthesis].map(|x| log_magnitudes(&x[..length]));
    DiversityLoss::new(reference, BINS).forward(&synthesis).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::random::Sequence;

    #[test]
    fn a_copy_scores_most_and_other_noise_what_its_moments_say() {
        let noise = |seed| -> Vec<f32> {
            let mut random = Sequence::new(seed, 0);
            (0..6_400).map(|_| 0.1 * random.gaussian()).collect()
        };
        let (reference, mut copy) = (noise(1), noise(1));
        copy.rotate_left(640);
        let (of_copy, of_other) = (
            diversity(&reference, &copy),
            diversity(&reference, &noise(2)),
        );
        // The seam of the turned copy is all that differs there.
        assert!(of_copy > 5.0 * of_other, "{of_copy} {of_other}");
        // Two of the same distribution are twice its variance apart; the nearest shift of many is a little nearer.
        let spectra = log_magnitudes(&reference);
        let frames = (spectra.len() / BINS) as f64;
        let (mut energy, mut variance) = (0.0, 0.0);
        for bin in 0..BINS {
            let values = spectra
                .iter()
                .skip(bin)
                .step_by(BINS)
                .map(|&x| f64::from(x));
            let mean = values.clone().sum::<f64>() / frames;
            energy += values.clone().map(|x| x * x).sum::<f64>();
            variance += values.map(|x| (x - mean).powi(2)).sum::<f64>();
        }
        let expected = energy / (2.0 * variance);
        assert!(
            (0.9..1.25).contains(&(of_other / expected)),
            "{of_other} {expected}"
        );
    }
}
