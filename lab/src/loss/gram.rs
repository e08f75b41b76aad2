//! Gram matrices: which features sound together (Antognini et al., eqs. 3 and 4).

use candle_core::{Result, Tensor};

use super::gram_product::GramProduct;
use crate::network::FeatureMap;
use crate::tensors::{energy, squared_distance};

/// `G = Fᵀ F / T` of activations `F` at `T` places (eq. 3).
///
/// # Errors
/// If `map` is no matrix, or memory lacks.
pub fn gram(map: &Tensor) -> Result<Tensor> {
    if map.device().is_cpu() {
        return map.apply_op1(GramProduct);
    }
    gram_by_products(map)
}

/// The same by tensor operations alone, as on a graphics processor.
///
/// # Errors
/// As [`gram`].
pub fn gram_by_products(map: &Tensor) -> Result<Tensor> {
    let places = map.dim(0)?;
    map.t()?.matmul(map)? / places as f64
}

/// The Gram matrices of a target, for all networks.
#[derive(Clone, Debug)]
pub struct GramTarget {
    grams: Vec<Tensor>,
    /// `Σ G̃²` over all networks.
    energy: f64,
}

impl GramTarget {
    /// Of what the networks make of the target.
    ///
    /// # Errors
    /// If memory lacks.
    pub fn new(features: &[FeatureMap]) -> Result<Self> {
        let grams: Vec<Tensor> = features
            .iter()
            .map(|f| gram(&f.map))
            .collect::<Result<_>>()?;
        let energies: Vec<f64> = grams.iter().map(energy).collect::<Result<_>>()?;
        Ok(Self {
            energy: energies.iter().sum(),
            grams,
        })
    }

    /// `Σ G̃²` over all networks, what the loss is a part of.
    pub fn energy(&self) -> f64 {
        self.energy
    }

    /// `Σ (G − G̃)²` over all networks and pairs of filters, without a normalisation.
    ///
    /// # Errors
    /// If the features come from other networks, or memory lacks.
    pub fn squared_error(&self, features: &[FeatureMap]) -> Result<Tensor> {
        let pairs = features.iter().zip(&self.grams);
        let errors = pairs.map(|(f, wanted)| squared_distance(&gram(&f.map)?, wanted));
        sum(errors)
    }

    /// `Σ (G − G̃)² / Σ G̃²`, both over all networks and pairs of filters together (eq. 4).
    ///
    /// # Errors
    /// As [`squared_error`](Self::squared_error).
    pub fn loss(&self, features: &[FeatureMap]) -> Result<Tensor> {
        self.squared_error(features)? / self.energy
    }
}

/// The sum of some scalars.
pub(super) fn sum(mut terms: impl Iterator<Item = Result<Tensor>>) -> Result<Tensor> {
    let Some(first) = terms.next() else {
        candle_core::bail!("a loss of no networks");
    };
    terms.try_fold(first?, |sum, term| sum + term?)
}
