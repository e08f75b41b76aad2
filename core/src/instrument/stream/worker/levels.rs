//! A texture's levels: what density and contrast do to the energy of every band, so that it can be undone.

use crate::instrument::stream::audio::{Corrections, Shaping, contrasted, magnitude_width, power};
use crate::instrument::stream::grids::{AS_CAPTURED, CONTRASTS, NODES};
use crate::network::{BLOCK_FRAMES, GeneratorScratch, Model};

/// Blocks of frames from which levels are measured: 2.7 s at 48 kHz.
const LEVEL_BLOCKS: i64 = 8;
/// Seed of the frames from which levels are measured.
const LEVEL_SEED: u32 = 0;
/// Levels are corrected by 24 dB at most.
const CORRECTION_MOST: f32 = 2.763;
/// Energies below this are silence, against a local level of 14² (see the front end).
const LEAST_ENERGY: f64 = 1e-6;

/// Everything that shaping the frames of `model` needs: measures its levels.
pub(in crate::instrument) fn shaping_for(model: &Model) -> Shaping {
    let bands = magnitude_width(model.front_end());
    let log_gains = corrections(&measure(model), bands);
    Shaping::new(
        model.front_end().clone(),
        Corrections::new(log_gains, bands),
    )
}

/// Energies of the bands, `[NODES × CONTRASTS × magnitude bands]`.
fn measure(model: &Model) -> Vec<f64> {
    let front_end = model.front_end();
    let (width, magnitudes) = (front_end.feature_width(), magnitude_width(front_end));
    let mut energy = vec![0.0f64; NODES.count() * CONTRASTS.len() * magnitudes];
    let mut features = vec![0.0; NODES.count() * BLOCK_FRAMES * width];
    let mut scratch = GeneratorScratch::default();
    for block in 0..LEVEL_BLOCKS {
        model.generator().tempered_block_into(
            LEVEL_SEED,
            block,
            NODES.temperatures(),
            &mut scratch,
            &mut features,
        );
        let by_node = features.chunks_exact(BLOCK_FRAMES * width);
        let energies = energy.chunks_exact_mut(CONTRASTS.len() * magnitudes);
        for (rows, energies) in by_node.zip(energies) {
            let by_contrast = energies.chunks_exact_mut(magnitudes);
            for (sums, &contrast) in by_contrast.zip(CONTRASTS.places()) {
                for row in rows.chunks_exact(width) {
                    let cells = sums
                        .iter_mut()
                        .zip(row)
                        .zip(&front_end.constants().mean_band);
                    for ((sum, &x), &mean) in cells {
                        *sum += f64::from(power(contrasted(x, mean, contrast)));
                    }
                }
            }
        }
    }
    energy
}

/// Log gains of `bands` bands for their energies (both as in [`Corrections`]): with them, every band has the
/// energy that it has as captured.
fn corrections(energy: &[f64], bands: usize) -> Vec<f32> {
    let (node, contrast) = AS_CAPTURED;
    let reference = (node * CONTRASTS.len() + contrast) * bands;
    let gain = |(i, own): (usize, &f64)| {
        let wanted = energy[reference + i % bands] + LEAST_ENERGY;
        let gain = 0.5 * (wanted / (own + LEAST_ENERGY)).ln();
        (gain as f32).clamp(-CORRECTION_MOST, CORRECTION_MOST)
    };
    energy.iter().enumerate().map(gain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrected_bands_have_the_energy_that_they_have_as_captured() {
        assert_eq!(NODES.temperatures()[AS_CAPTURED.0], 1.0);
        assert_eq!(CONTRASTS.places()[AS_CAPTURED.1], 1.0);
        let bands = 2;
        let rows = NODES.count() * CONTRASTS.len();
        let mut energy: Vec<f64> = (0..rows * bands).map(|i| 1.0 + i as f64).collect();
        // Silence is not made loud.
        energy[0] = 0.0;
        let gains = corrections(&energy, bands);
        let captured = AS_CAPTURED.0 * CONTRASTS.len() + AS_CAPTURED.1;
        assert_eq!(gains[captured * bands..][..bands], [0.0; 2]);
        assert_eq!(gains[0], CORRECTION_MOST);
        for (i, (energy_before, gain)) in energy.iter().zip(&gains).enumerate().skip(1) {
            let corrected = energy_before * f64::from(2.0 * gain).exp();
            let wanted = energy[captured * bands + i % bands];
            assert!((corrected / wanted - 1.0).abs() < 1e-4, "{corrected}");
        }
    }
}
