//! What a step compares with: random projections, and the capture's quantiles of each.

use super::projections::Projection;
use super::ranks::Ranker;

/// Added to the capture's variance that a distance is divided by.
pub const VARIANCE_FLOOR: f32 = 1e-3;

/// A projection and the capture's distribution of it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub projection: Projection,
    /// The capture's projections in ascending order.
    sorted: Vec<f32>,
    /// `1 / (variance + floor)` of the capture's projections.
    precision: f32,
}

impl Target {
    /// Ranks the capture's values `projected`.
    pub fn new(projection: Projection, projected: &[f32], ranker: &mut Ranker) -> Self {
        let n = projected.len();
        let (mut sum, mut square) = (0.0f64, 0.0f64);
        for &x in projected {
            sum += f64::from(x);
            square += f64::from(x) * f64::from(x);
        }
        let variance = (square / n as f64 - (sum / n as f64).powi(2)).max(0.0) as f32;
        Self {
            projection,
            sorted: ranker.order(projected).map(|i| projected[i]).collect(),
            precision: 1.0 / (variance + VARIANCE_FLOOR),
        }
    }

    /// The capture's quantiles at the middles of `count` ranks, lowest first.
    fn quantiles(&self, count: usize) -> impl Iterator<Item = f32> {
        // Rank r of c stands for the value at ⌊(2r + 1) · n / 2c⌋ of n. In fixed point, which takes no
        // division for each: one more in the last place keeps quotients without a rest where they are.
        let per_half_rank = ((self.sorted.len() as u64) << 32) / count.max(1) as u64 + 1;
        let index = move |rank: u64| (((2 * rank + 1) * per_half_rank) >> 33) as usize;
        (0..count as u64).map(move |rank| self.sorted[index(rank)])
    }

    /// `weight · W2² · precision` between the synthesis's values and the capture's quantiles; overwrites the
    /// values with the gradient of it. Each value is matched with the quantile of its rank, so the distance is
    /// an average of squares and its gradient needs no derivative of sorting (sliced Wasserstein distance:
    /// Rabin et al. 2011, section 2).
    pub fn distance(&self, projected: &mut [f32], weight: f32, ranker: &mut Ranker) -> f32 {
        let count = projected.len();
        let scale = weight * self.precision / count as f32;
        let mut square = 0.0;
        for (i, quantile) in ranker.order(projected).zip(self.quantiles(count)) {
            let difference = projected[i] - quantile;
            square += difference * difference;
            projected[i] = difference * (2.0 * scale);
        }
        square * scale
    }
}

/// Filters that are drawn together, and what the capture answers to them. It serves syntheses of any length.
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

    /// Puts `drawn` in the place of bank `bank`.
    pub fn renew(&mut self, bank: usize, drawn: TargetBank) {
        let size = drawn.filters.len();
        self.filters[bank * size..(bank + 1) * size].copy_from_slice(&drawn.filters);
        self.banks[bank] = drawn.families;
    }
}
