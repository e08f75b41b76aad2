//! The loss of the fit: sliced Wasserstein distance between the distributions of random projections of
//! synthesis and capture, over a pyramid of time scales and, for rhythm, over pairs of frames.
//!
//! Fresh filters each step can't be overfitted, and sorting matches whole distributions, not moments.

use rayon::prelude::*;

use super::Period;
use super::filters::{FILTERS, FeatureShape, draw_filters};
use crate::linalg::{View, multiply, multiply_strided};
use crate::network::Sequence;

/// (time pooling, taps) of every set of the pyramid.
const PYRAMID: [(usize, usize); 7] = [(1, 1), (1, 2), (1, 4), (2, 4), (4, 4), (8, 4), (16, 4)];
/// Poolings of the lag pairs, and the taps of their filters.
const LAG_POOLS: [usize; 2] = [1, 4];
const LAG_TAPS: usize = 2;
/// Lags drawn for each pooling.
const LAGS: usize = 4;
/// Range of the lags in seconds.
const LAG_RANGE_S: (f64, f64) = (0.1, 2.0);
/// Weight of the lag pairs against the pyramid.
const LAG_WEIGHT: f32 = 0.75;
/// Lag pairs are on if the strongest period is stronger than this; elsewhere they cost quality.
const LAG_GATE: f64 = 0.3;
/// Periods weaker than this don't draw lags.
const LAG_PERIOD_GATE: f64 = 0.12;
/// Narrowest bumps of the pyramid's and of the lag pairs' filters, in bands.
const NARROWEST: f64 = 2.0;
const NARROWEST_LAG: f64 = 4.0;
/// Added to the capture's variance that a distance is divided by.
const VARIANCE_FLOOR: f32 = 1e-3;

/// Mean of groups of `pool` frames: `frames × width` to `frames / pool × width`.
pub(crate) fn pool_time(x: &[f32], width: usize, pool: usize) -> Vec<f32> {
    let scale = 1.0 / pool as f32;
    let mut out = Vec::with_capacity(x.len() / pool);
    for group in x.chunks_exact(pool * width) {
        let start = out.len();
        out.extend_from_slice(&group[..width]);
        for row in group.chunks_exact(width).skip(1) {
            for (o, v) in out[start..].iter_mut().zip(row) {
                *o += v;
            }
        }
        for o in &mut out[start..] {
            *o *= scale;
        }
    }
    out
}

/// Adds the gradient of [`pool_time`] by its argument to `dx`.
fn pool_time_backward(dy: &[f32], width: usize, pool: usize, dx: &mut [f32]) {
    let scale = 1.0 / pool as f32;
    for (group, d) in dx
        .chunks_exact_mut(pool * width)
        .zip(dy.chunks_exact(width))
    {
        for row in group.chunks_exact_mut(width) {
            for (o, v) in row.iter_mut().zip(d) {
                *o += v * scale;
            }
        }
    }
}

/// Projections of all stretches of `taps` frames: `frames × width` to `FILTERS` runs of
/// `frames − taps + 1` responses.
fn project(x: &[f32], width: usize, taps: usize, filters: &[f32]) -> Vec<f32> {
    let windows = View::windows(x, width, taps);
    let rows = windows.rows();
    let mut out = vec![0.0; rows * FILTERS];
    let filters = View::new(filters, taps * width, FILTERS);
    multiply_strided(&mut out, (1, rows), windows, filters, false);
    out
}

/// Adds the gradient of [`project`] by its argument to `dx`.
fn project_backward(dy: &[f32], width: usize, taps: usize, filters: &[f32], dx: &mut [f32]) {
    let rows = dy.len() / FILTERS;
    let dy = View::strided(dy, rows, FILTERS, 1, rows);
    for (tap, filter) in filters.chunks_exact(width * FILTERS).take(taps).enumerate() {
        let part = &mut dx[tap * width..(tap + rows) * width];
        multiply(
            part,
            dy,
            View::new(filter, width, FILTERS).transposed(),
            true,
        );
    }
}

/// Bits of a float in an order that integers keep.
#[inline]
fn ordered(x: f32) -> u32 {
    let bits = x.to_bits();
    bits ^ (((bits as i32 >> 31) as u32) | 0x8000_0000)
}

#[inline]
fn from_ordered(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 {
        key ^ 0x8000_0000
    } else {
        !key
    })
}

/// The capture's side of one set of projections: sorted responses and variances.
#[derive(Debug)]
struct Quantiles {
    /// `FILTERS` runs of ascending responses.
    sorted: Vec<f32>,
    /// `FILTERS` values: `1 / (variance + floor)`.
    precision: Vec<f32>,
}

impl Quantiles {
    fn new(mut responses: Vec<f32>) -> Self {
        let count = responses.len() / FILTERS;
        let mut keys = vec![0u32; count];
        let mut precision = Vec::with_capacity(FILTERS);
        for run in responses.chunks_exact_mut(count) {
            for (k, x) in keys.iter_mut().zip(run.iter()) {
                *k = ordered(*x);
            }
            keys.sort_unstable();
            let (mut sum, mut square) = (0.0f64, 0.0f64);
            for (x, &k) in run.iter_mut().zip(&keys) {
                *x = from_ordered(k);
                sum += f64::from(*x);
                square += f64::from(*x) * f64::from(*x);
            }
            let n = count as f64;
            let variance = (square / n - (sum / n).powi(2)).max(0.0) as f32;
            precision.push(1.0 / (variance + VARIANCE_FLOOR));
        }
        Self {
            sorted: responses,
            precision,
        }
    }

    /// Mean over filters of `W2² · precision` between `responses` and these quantiles; overwrites the
    /// responses with the gradient of `weight` times that. Each response is matched with the quantile of
    /// its rank, so the distance is an average of squares and its gradient needs no derivative of sorting.
    fn distance(&self, responses: &mut [f32], weight: f32, keys: &mut Vec<u64>) -> f32 {
        let n = responses.len() / FILTERS;
        let m = self.sorted.len() / FILTERS;
        let scale = 1.0 / (n * FILTERS) as f32;
        let mut total = 0.0f64;
        let runs = responses
            .chunks_exact_mut(n)
            .zip(self.sorted.chunks_exact(m));
        for ((run, quantiles), &precision) in runs.zip(&self.precision) {
            keys.clear();
            keys.extend(
                run.iter()
                    .zip(0u64..)
                    .map(|(&x, i)| u64::from(ordered(x)) << 32 | i),
            );
            keys.sort_unstable();
            let slope = 2.0 * precision * scale * weight;
            let mut square = 0.0f64;
            for (rank, &key) in keys.iter().enumerate() {
                let target = quantiles[(2 * rank + 1) * m / (2 * n)];
                let x = &mut run[key as u32 as usize];
                let difference = *x - target;
                square += f64::from(difference) * f64::from(difference);
                *x = difference * slope;
            }
            total += square * f64::from(precision);
        }
        (total * f64::from(scale)) as f32
    }
}

/// What one task of a step works on: one set of the pyramid, or one pooling of the lag pairs.
#[derive(Debug)]
enum TargetSet {
    Pyramid {
        pool: usize,
        taps: usize,
        filters: Vec<f32>,
        quantiles: Quantiles,
    },
    Lags {
        pool: usize,
        limit: usize,
        u: Vec<f32>,
        v: Vec<f32>,
        lags: Vec<(usize, Quantiles)>,
    },
}

/// Fresh filters of one step and the capture's quantiles under them.
#[derive(Debug)]
pub(crate) struct StepTargets {
    sets: Vec<TargetSet>,
}

/// Loss of one step and its gradient by the features.
#[derive(Clone, Debug)]
pub(crate) struct StepLoss {
    pub value: f32,
    pub gradient: Vec<f32>,
}

/// The loss against one capture.
#[derive(Clone, Debug)]
pub(crate) struct TextureLoss {
    shape: FeatureShape,
    /// One over the whitening of every feature.
    scale: Vec<f32>,
    /// The whitened capture at every pooling of [`PYRAMID`] and [`LAG_POOLS`].
    reference: Vec<(usize, Vec<f32>)>,
    frame_rate: f64,
    /// Frames of the synthesis.
    frames: usize,
    /// Multiples of found periods in frames, from which every second lag is drawn.
    lag_set: Vec<f64>,
    rhythmic: bool,
}

impl TextureLoss {
    /// Prepares the capture's `features` (`frames × shape.width()`), for syntheses of `frames` frames.
    pub fn new(
        features: &[f32],
        shape: FeatureShape,
        whitening: &[f32],
        periods: &[Period],
        frame_rate: f64,
        frames: usize,
    ) -> Self {
        let width = shape.width();
        let scale: Vec<f32> = whitening.iter().map(|w| 1.0 / w).collect();
        let white: Vec<f32> = features
            .chunks_exact(width)
            .flat_map(|row| row.iter().zip(&scale).map(|(x, s)| x * s))
            .collect();
        let mut pools: Vec<usize> = PYRAMID.iter().map(|p| p.0).chain(LAG_POOLS).collect();
        pools.sort_unstable();
        pools.dedup();
        let multiples = |p: &Period| {
            let frames = p.frames;
            (1..=3)
                .map(move |m| frames * f64::from(m))
                .filter(move |f| *f < 2.1 * frame_rate)
        };
        Self {
            shape,
            scale,
            reference: pools
                .into_iter()
                .map(|p| (p, pool_time(&white, width, p)))
                .collect(),
            frame_rate,
            frames,
            lag_set: periods
                .iter()
                .filter(|p| p.strength > LAG_PERIOD_GATE)
                .flat_map(multiples)
                .collect(),
            rhythmic: periods.iter().any(|p| p.strength > LAG_GATE),
        }
    }

    fn reference(&self, pool: usize) -> &[f32] {
        let found = self.reference.iter().find(|r| r.0 == pool);
        &found
            .expect("every pooling that the sets use was prepared")
            .1
    }

    /// Longest lag at a pooling, in pooled frames; `None` where the capture is too short for any.
    fn longest_lag(&self, pool: usize) -> Option<usize> {
        let width = self.shape.width();
        let room = |frames: usize| frames.saturating_sub(1) as f64 * 0.6;
        let reference = self.reference(pool).len() / width;
        let longest = (LAG_RANGE_S.1 * self.frame_rate / pool as f64)
            .min(room(self.frames / pool))
            .min(room(reference)) as usize;
        (longest >= 1).then_some(longest)
    }

    fn draw_lags(&self, random: &mut Sequence, pool: usize, longest: usize) -> [usize; LAGS] {
        let low = (LAG_RANGE_S.0 * self.frame_rate / pool as f64)
            .max(2.0)
            .ln();
        let high = (longest as f64).max(3.0).ln();
        std::array::from_fn(|i| {
            let mut lag = (low + random.uniform() * (high - low)).exp();
            if i % 2 == 1 && !self.lag_set.is_empty() {
                lag = self.lag_set[random.below(self.lag_set.len())] / pool as f64;
            }
            (lag.round_ties_even() as usize).clamp(1, longest)
        })
    }

    /// Draws the filters of one step, numbered `step`, and ranks the capture's responses to them. Runs on
    /// the current rayon pool; the result does not depend on its size.
    pub fn draw(&self, seed: u64, step: u64) -> StepTargets {
        let width = self.shape.width();
        let pyramid = (0..PYRAMID.len()).into_par_iter().filter_map(|i| {
            let (pool, taps) = PYRAMID[i];
            let reference = self.reference(pool);
            if reference.len() < taps * width || self.frames / pool < taps {
                return None;
            }
            let mut random = Sequence::new(seed, step << 8 | i as u64);
            let mut filters = Vec::new();
            draw_filters(&mut random, taps, self.shape, NARROWEST, &mut filters);
            let quantiles = Quantiles::new(project(reference, width, taps, &filters));
            Some(TargetSet::Pyramid {
                pool,
                taps,
                filters,
                quantiles,
            })
        });
        let mut sets: Vec<TargetSet> = pyramid.collect();
        if self.rhythmic {
            let lagged = (0..LAG_POOLS.len()).into_par_iter().filter_map(|i| {
                let pool = LAG_POOLS[i];
                let limit = self.longest_lag(pool)?;
                let mut random = Sequence::new(seed, step << 8 | (PYRAMID.len() + i) as u64);
                let (mut u, mut v) = (Vec::new(), Vec::new());
                draw_filters(&mut random, LAG_TAPS, self.shape, NARROWEST_LAG, &mut u);
                draw_filters(&mut random, LAG_TAPS, self.shape, NARROWEST_LAG, &mut v);
                for (v, u) in v.iter_mut().zip(&u).step_by(2) {
                    *v = *u; // FILTERS is even: every second filter of a pair is the same
                }
                let lags = self.draw_lags(&mut random, pool, limit);
                let a = project(self.reference(pool), width, LAG_TAPS, &u);
                let b = project(self.reference(pool), width, LAG_TAPS, &v);
                let lags = lags.map(|lag| (lag, Quantiles::new(lag_pairs(&a, &b, lag, limit))));
                Some(TargetSet::Lags {
                    pool,
                    limit,
                    u,
                    v,
                    lags: lags.into(),
                })
            });
            sets.extend(lagged.collect::<Vec<_>>());
        }
        StepTargets { sets }
    }

    /// The loss of `features` (`frames × shape.width()`) and its gradient, on the current rayon pool.
    pub fn evaluate(&self, features: &[f32], targets: &StepTargets) -> StepLoss {
        let width = self.shape.width();
        let mut white = features.to_vec();
        for row in white.chunks_exact_mut(width) {
            for (x, s) in row.iter_mut().zip(&self.scale) {
                *x *= s;
            }
        }
        let is_pyramid = |s: &&TargetSet| matches!(s, TargetSet::Pyramid { .. });
        let pyramids = targets.sets.iter().filter(is_pyramid).count().max(1);
        let lag_sets = ((targets.sets.len() - pyramids) * LAGS).max(1);
        let parts: Vec<(f32, usize, Vec<f32>)> = targets
            .sets
            .par_iter()
            .map(|set| match set {
                TargetSet::Pyramid {
                    pool,
                    taps,
                    filters,
                    quantiles,
                } => {
                    let x = pool_time(&white, width, *pool);
                    let weight = 1.0 / pyramids as f32;
                    let mut responses = project(&x, width, *taps, filters);
                    let value =
                        weight * quantiles.distance(&mut responses, weight, &mut Vec::new());
                    let mut gradient = vec![0.0; x.len()];
                    project_backward(&responses, width, *taps, filters, &mut gradient);
                    (value, *pool, gradient)
                }
                TargetSet::Lags {
                    pool,
                    limit,
                    u,
                    v,
                    lags,
                } => {
                    let x = pool_time(&white, width, *pool);
                    let weight = LAG_WEIGHT / lag_sets as f32;
                    let (a, b) = (
                        project(&x, width, LAG_TAPS, u),
                        project(&x, width, LAG_TAPS, v),
                    );
                    let (mut da, mut db) = (vec![0.0; a.len()], vec![0.0; b.len()]);
                    let (mut value, mut keys) = (0.0, Vec::new());
                    for (lag, quantiles) in lags {
                        let mut responses = lag_pairs(&a, &b, *lag, *limit);
                        value += weight * quantiles.distance(&mut responses, weight, &mut keys);
                        lag_pairs_backward(&responses, *lag, &mut da, &mut db);
                    }
                    let mut gradient = vec![0.0; x.len()];
                    project_backward(&da, width, LAG_TAPS, u, &mut gradient);
                    project_backward(&db, width, LAG_TAPS, v, &mut gradient);
                    (value, *pool, gradient)
                }
            })
            .collect();
        // In the order of the sets, whoever computed them.
        let mut out = StepLoss {
            value: 0.0,
            gradient: vec![0.0; features.len()],
        };
        for (value, pool, gradient) in &parts {
            out.value += value;
            pool_time_backward(gradient, width, *pool, &mut out.gradient);
        }
        for row in out.gradient.chunks_exact_mut(width) {
            for (g, s) in row.iter_mut().zip(&self.scale) {
                *g *= s;
            }
        }
        out
    }
}

/// `a(t) + b(t + lag)` for all runs, as many as the longest lag (`limit`) leaves.
fn lag_pairs(a: &[f32], b: &[f32], lag: usize, limit: usize) -> Vec<f32> {
    let rows = a.len() / FILTERS;
    let count = rows - limit;
    let mut out = Vec::with_capacity(count * FILTERS);
    for (a, b) in a.chunks_exact(rows).zip(b.chunks_exact(rows)) {
        out.extend(
            a[..count]
                .iter()
                .zip(&b[lag..lag + count])
                .map(|(a, b)| a + b),
        );
    }
    out
}

/// Adds the gradients of [`lag_pairs`] to `da` and `db`.
fn lag_pairs_backward(dy: &[f32], lag: usize, da: &mut [f32], db: &mut [f32]) {
    let (rows, count) = (da.len() / FILTERS, dy.len() / FILTERS);
    let runs = da.chunks_exact_mut(rows).zip(db.chunks_exact_mut(rows));
    for ((a, b), d) in runs.zip(dy.chunks_exact(count)) {
        for i in 0..count {
            a[i] += d[i];
            b[lag + i] += d[i];
        }
    }
}
