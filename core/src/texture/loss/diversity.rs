//! How near a synthesis comes to a copy of its reference: what keeps a texture from being one.

use super::Loss;

/// Least squared distance, as a part of the reference's energy: the loss of an exact copy is one over this.
const LEAST_DISTANCE: f64 = 1e-9;

/// The reference's energy over its squared distance from the synthesis, at the shift in time at which they are
/// nearest: `max over s of Σ F̃[t]² / Σ (F[t + s] − F̃[t])²` (Antognini, Hoffman & Weiss 2019, eq. 8). Low for
/// what is no copy: about 1 or less for a synthesis as loud as the reference that has nothing of it.
///
/// The paper doesn't say what lies beyond the end of the synthesis. Here it goes round, so that every shift
/// compares as many frames.
///
/// # Examples
/// ```
/// use weft_core::texture::loss::{DiversityLoss, Loss};
///
/// let reference = [1.0, 5.0, 2.0, 0.0, 3.0, 1.0];
/// let loss = DiversityLoss::new(reference.to_vec(), 1);
/// // The same, two frames later.
/// let (copied, nearest) = loss.forward(&[3.0, 1.0, 1.0, 5.0, 2.0, 0.0]);
/// assert_eq!(nearest.frames(), 2);
/// assert!(copied > 1e6);
/// assert!(loss.forward(&[0.0; 6]).0 <= 1.0);
/// ```
#[derive(Clone, Debug)]
pub struct DiversityLoss {
    reference: Vec<f32>,
    features: usize,
    energy: f64,
}

/// The shift at which a synthesis is nearest to the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearestShift {
    frames: usize,
    /// Squared distance there.
    distance: f64,
}

impl NearestShift {
    /// By how many frames the synthesis is later than the reference.
    pub fn frames(self) -> usize {
        self.frames
    }
}

impl DiversityLoss {
    /// Against `reference`, rows of `features` values.
    pub fn new(reference: Vec<f32>, features: usize) -> Self {
        let energy = reference.iter().map(|x| f64::from(*x).powi(2)).sum();
        Self {
            reference,
            features,
            energy,
        }
    }

    /// The loss where only some shifts are looked at, each below the number of frames: to look at all of them
    /// is slow, and an optimisation can look at others in every step.
    ///
    /// # Panics
    /// If `synthesis` is not as long as the reference, or there is no shift.
    pub fn forward_at(
        &self,
        synthesis: &[f32],
        shifts: impl IntoIterator<Item = usize>,
    ) -> (f64, NearestShift) {
        assert_eq!(
            synthesis.len(),
            self.reference.len(),
            "a synthesis as long as the reference"
        );
        let shifts = shifts.into_iter().map(|frames| NearestShift {
            frames,
            distance: self.distance(synthesis, frames),
        });
        let nearest = shifts
            .min_by(|a, b| a.distance.total_cmp(&b.distance))
            .expect("a shift to look at");
        (self.energy / self.floored(nearest.distance), nearest)
    }

    fn floored(&self, distance: f64) -> f64 {
        distance.max(LEAST_DISTANCE * self.energy)
    }

    /// The synthesis from frame `shift` on, going round.
    fn shifted(synthesis: &[f32], at: usize) -> impl Iterator<Item = &f32> {
        let (head, tail) = synthesis.split_at(at);
        tail.iter().chain(head)
    }

    fn distance(&self, synthesis: &[f32], shift: usize) -> f64 {
        let shifted = Self::shifted(synthesis, shift * self.features);
        let differences = shifted.zip(&self.reference);
        differences
            .map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2))
            .sum()
    }
}

impl Loss for DiversityLoss {
    type Kept = NearestShift;

    /// # Panics
    /// If `synthesis` is not as long as the reference, or has no frames.
    fn forward(&self, synthesis: &[f32]) -> (f64, Self::Kept) {
        self.forward_at(synthesis, 0..synthesis.len() / self.features)
    }

    fn backward(&self, synthesis: &[f32], kept: &Self::Kept, weight: f32, gradient: &mut [f32]) {
        let distance = kept.distance;
        if distance < LEAST_DISTANCE * self.energy {
            // At its highest, the loss is flat.
            return;
        }
        let scale = -2.0 * f64::from(weight) * self.energy / (distance * distance);
        let at = kept.frames * self.features;
        let (head, tail) = gradient.split_at_mut(at);
        let shifted = Self::shifted(synthesis, at).zip(&self.reference);
        for (d, (x, y)) in tail.iter_mut().chain(head).zip(shifted) {
            *d += (scale * (f64::from(*x) - f64::from(*y))) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{gradient_error, random};
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let features = 4;
        let reference = random(1, 30 * features, 1.0);
        let loss = DiversityLoss::new(reference.clone(), features);
        // Nearest at a shift by far, so that small moves don't change which.
        let mut synthesis = reference;
        synthesis.rotate_right(7 * features);
        for (x, noise) in synthesis.iter_mut().zip(random(2, 30 * features, 0.4)) {
            *x += noise;
        }
        assert_eq!(loss.forward(&synthesis).1.frames(), 7);
        let error = gradient_error(&loss, &synthesis, 1e-2);
        println!("diversity loss: {error:.1e}");
        assert!(error < 1e-3, "{error}");
    }

    #[test]
    fn only_the_given_shifts_are_looked_at() {
        let reference = random(1, 50, 1.0);
        let mut copy = reference.clone();
        copy.rotate_right(20);
        let loss = DiversityLoss::new(reference, 1);
        assert!(loss.forward_at(&copy, (0..50).step_by(10)).0 > 1e6);
        assert!(loss.forward_at(&copy, (5..50).step_by(10)).0 < 2.0);
        // An exact copy is as near as it gets: there is no way down from there.
        let (_, kept) = loss.forward(&copy);
        let mut gradient = vec![0.0; 50];
        loss.backward(&copy, &kept, 1.0, &mut gradient);
        assert!(gradient.iter().all(|d| *d == 0.0));
    }
}
