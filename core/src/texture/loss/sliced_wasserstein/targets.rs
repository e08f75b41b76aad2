//! What a step compares with: random projections, and the capture's quantiles of each.

use super::projections::Projection;
use super::ranks::Ranker;

/// Added to the capture's variance that a distance is divided by.
const VARIANCE_FLOOR: f32 = 1e-3;

/// A projection and the capture's distribution of it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub projection: Projection,
    /// The capture's quantiles, one for each rank of the synthesis.
    quantiles: Vec<f32>,
    /// `1 / (variance + floor)` of the capture's projections.
    precision: f32,
}

impl Target {
    /// Ranks the capture's values `projected`, for a synthesis that has `count` of them.
    pub fn new(
        projection: Projection,
        projected: &[f32],
        count: usize,
        ranker: &mut Ranker,
    ) -> Self {
        let n = projected.len();
        let (mut sum, mut square) = (0.0f64, 0.0f64);
        for &x in projected {
            sum += f64::from(x);
            square += f64::from(x) * f64::from(x);
        }
        let variance = (square / n as f64 - (sum / n as f64).powi(2)).max(0.0) as f32;
        let sorted: Vec<f32> = ranker.order(projected).map(|i| projected[i]).collect();
        let quantile = |rank: usize| sorted[(2 * rank + 1) * n / (2 * count)];
        Self {
            projection,
            quantiles: (0..count).map(quantile).collect(),
            precision: 1.0 / (variance + VARIANCE_FLOOR),
        }
    }

    /// `weight · W2² · precision` between the synthesis's values and the quantiles; overwrites the values with
    /// the gradient of it. Each value is matched with the quantile of its rank, so the distance is an average
    /// of squares and its gradient needs no derivative of sorting (sliced Wasserstein distance: Rabin et al.
    /// 2011, section 2).
    pub fn distance(&self, projected: &mut [f32], weight: f32, ranker: &mut Ranker) -> f32 {
        let scale = weight * self.precision / projected.len() as f32;
        let mut square = 0.0;
        for (i, quantile) in ranker.order(projected).zip(&self.quantiles) {
            let difference = projected[i] - quantile;
            square += difference * difference;
            projected[i] = difference * (2.0 * scale);
        }
        square * scale
    }
}

/// What one thread draws for a step.
#[derive(Clone, Debug)]
pub(crate) struct TargetBank {
    /// A run of weights for each filter, one weight for each feature.
    pub(super) filters: Vec<f32>,
    /// Of every family, a target for each set.
    pub(super) families: Vec<Vec<Target>>,
}

/// All filters and targets of a step.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepTargets {
    /// A run of weights for each filter.
    pub(super) filters: Vec<f32>,
    /// By bank and family: a target for each set.
    pub(super) banks: Vec<Vec<Vec<Target>>>,
}

impl StepTargets {
    pub fn new(banks: impl IntoIterator<Item = TargetBank>) -> Self {
        let mut out = Self::default();
        for bank in banks {
            out.filters.extend(bank.filters);
            out.banks.push(bank.families);
        }
        out
    }
}
