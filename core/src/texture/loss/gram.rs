//! Distance of the Gram matrices of random networks: which features sound together.

use super::Loss;
use super::random_network::RandomNetwork;
use crate::numeric::linalg::{View, multiply};
use crate::numeric::random::Sequence;
use crate::numeric::threads::Threads;

/// Places whose activations are held at a time.
const CHUNK: usize = 1_024;

/// Which networks look at the spectrograms.
#[derive(Clone, Debug, PartialEq)]
pub struct GramSettings {
    /// Widths of the networks' filters, in frames, one for each network.
    pub widths: Vec<usize>,
    /// Filters of each network.
    pub filters: usize,
    /// Seed of the filters.
    pub seed: u64,
    /// Threads to work with; 0 for one per core. The result is the same with any number.
    pub threads: usize,
}

impl Default for GramSettings {
    /// Six networks of 512 filters, as Antognini, Hoffman & Weiss (2019, section III-A) have them.
    fn default() -> Self {
        Self {
            widths: vec![2, 4, 8, 16, 32, 64],
            filters: 512,
            seed: 0,
            threads: 0,
        }
    }
}

/// How far the Gram matrices of a spectrogram are from a reference's, as a part of the reference's:
/// `Σ (G − G̃)² / Σ G̃²` over all networks and pairs of filters, where `G = Fᵀ F / T` of a network's activations
/// `F` at `T` places (Antognini, Hoffman & Weiss 2019, eqs. 3 and 4).
///
/// # Examples
/// ```
/// use weft_core::texture::loss::{GramLoss, GramSettings, Loss};
///
/// let reference: Vec<f32> = (0..200).map(|i| (i % 7) as f32).collect();
/// let settings = GramSettings { widths: vec![2], filters: 8, ..GramSettings::default() };
/// let loss = GramLoss::new(&reference, 5, &settings);
/// assert_eq!(loss.forward(&reference).0, 0.0);
///
/// let silence = vec![0.0; 200];
/// assert_eq!(loss.forward(&silence).0, 1.0);
/// ```
#[derive(Clone, Debug)]
pub struct GramLoss {
    networks: Vec<RandomNetwork>,
    /// The reference's Gram matrices, one for each network, and their energy.
    grams: Vec<Vec<f64>>,
    energy: f64,
    threads: Threads,
}

impl GramLoss {
    /// Against `reference`, rows of `features` log magnitudes; at least as many rows as the widest filter.
    pub fn new(reference: &[f32], features: usize, settings: &GramSettings) -> Self {
        let threads = Threads::new(settings.threads);
        let widths = settings.widths.iter().zip(0..);
        let networks: Vec<_> = widths
            .map(|(&width, index)| {
                let mut random = Sequence::new(settings.seed, index);
                RandomNetwork::draw(&mut random, features, width, settings.filters)
            })
            .collect();
        let grams: Vec<_> = networks
            .iter()
            .map(|n| gram(n, reference, threads))
            .collect();
        let energy = grams.iter().flatten().fold(0.0, |sum, g| sum + g * g);
        Self {
            networks,
            grams,
            energy,
            threads,
        }
    }
}

impl Loss for GramLoss {
    /// The synthesis's Gram matrices, one for each network.
    type Kept = Vec<Vec<f64>>;

    fn forward(&self, synthesis: &[f32]) -> (f64, Self::Kept) {
        let networks = self.networks.iter();
        let grams: Self::Kept = networks.map(|n| gram(n, synthesis, self.threads)).collect();
        let pairs = self.grams.iter().flatten().zip(grams.iter().flatten());
        let error = pairs.fold(0.0, |sum, (a, b)| sum + (a - b) * (a - b));
        (error / self.energy, grams)
    }

    fn backward(&self, synthesis: &[f32], kept: &Self::Kept, weight: f32, gradient: &mut [f32]) {
        let networks = self.networks.iter().zip(&self.grams).zip(kept);
        for ((network, wanted), found) in networks {
            let (places, count) = (network.places(synthesis), network.count());
            // G is symmetric, so each of its two factors brings the same.
            let scale = f64::from(weight) * 4.0 / (self.energy * places as f64);
            let pairs = found.iter().zip(wanted);
            let by_gram: Vec<f32> = pairs.map(|(a, b)| (scale * (a - b)) as f32).collect();
            let by_gram = View::new(&by_gram, count, count);
            for start in (0..places).step_by(CHUNK) {
                let chunk = start..places.min(start + CHUNK);
                let activations = network.activations(synthesis, chunk.clone());
                let mut by_activations = vec![0.0; activations.len()];
                let view = View::new(&activations, chunk.len(), count);
                multiply(&mut by_activations, view, by_gram, false);
                network.backward(&activations, chunk, &mut by_activations, gradient);
            }
        }
    }
}

/// Mean products of every two filters' activations, `count × count`.
fn gram(network: &RandomNetwork, rows: &[f32], threads: Threads) -> Vec<f64> {
    let (places, count) = (network.places(rows), network.count());
    let chunks = threads.map(places.div_ceil(CHUNK), |chunk| {
        let start = chunk * CHUNK;
        let end = places.min(start + CHUNK);
        let activations = network.activations(rows, start..end);
        let activations = View::new(&activations, end - start, count);
        let mut gram = vec![0.0f32; count * count];
        multiply(&mut gram, activations.transposed(), activations, false);
        gram
    });
    let mut mean = vec![0.0f64; count * count];
    for chunk in chunks {
        for (mean, &product) in mean.iter_mut().zip(&chunk) {
            *mean += f64::from(product) / places as f64;
        }
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::super::gradient_check::{gradient_error, random};
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let features = 6;
        let settings = GramSettings {
            widths: vec![1, 3, 5],
            filters: 9,
            ..GramSettings::default()
        };
        let loss = GramLoss::new(&random(1, 40 * features, 1.0), features, &settings);
        // Of another length, and more than one chunk.
        for rows in [30, CHUNK + 50] {
            let error = gradient_error(&loss, &random(2, rows * features, 1.0), 1e-2);
            println!("Gram loss, {rows} rows: {error:.1e}");
            assert!(error < 1e-2, "{error}");
        }
    }

    #[test]
    fn it_is_what_the_paper_says() {
        let (features, rows) = (3, 20);
        let settings = GramSettings {
            widths: vec![2],
            filters: 4,
            ..GramSettings::default()
        };
        let [a, b] = [1, 2].map(|seed| random(seed, rows * features, 1.0));
        let loss = GramLoss::new(&a, features, &settings);
        let network = &loss.networks[0];
        let places = rows - 1;
        let product = |x: &[f32], i: usize, j: usize| -> f64 {
            let activations = network.activations(x, 0..places);
            let at = |t: usize, filter: usize| f64::from(activations[t * 4 + filter]);
            (0..places).map(|t| at(t, i) * at(t, j)).sum::<f64>() / places as f64
        };
        let (mut error, mut energy) = (0.0, 0.0);
        for (i, j) in (0..4).flat_map(|i| (0..4).map(move |j| (i, j))) {
            error += (product(&b, i, j) - product(&a, i, j)).powi(2);
            energy += product(&a, i, j).powi(2);
        }
        assert!((loss.forward(&b).0 / (error / energy) - 1.0).abs() < 1e-5);
    }
}
