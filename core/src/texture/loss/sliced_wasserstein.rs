//! The loss of the fit: sliced Wasserstein distance between the distributions of random projections of
//! synthesis and capture, over a pyramid of time scales and, for rhythm, over pairs of frames.
//!
//! Fresh filters each step can't be overfitted, and sorting matches whole distributions, not moments.
//! Every step draws one set of filters over the features of a frame; all projections of stretches of
//! frames are sums of these filters' outputs at different frames, so that the features are multiplied
//! once, whatever the number of scales.

use super::filters::{FAMILY, FamilyKind, FeatureShape, draw_family};
#[cfg(test)]
use super::plain::{PlainSet, Projection};
use super::ranks::Ranker;
use crate::numeric::linalg::{View, multiply, multiply_strided};
use crate::numeric::random::Sequence;
use crate::numeric::simd::dispatch;
use crate::texture::Period;

/// (time pooling, taps) of every set of the pyramid.
const PYRAMID: [(usize, usize); 7] = [(1, 1), (1, 2), (1, 4), (2, 4), (4, 4), (8, 4), (16, 4)];
/// Poolings that the sets use: each twice the last.
const POOLS: [usize; 5] = [1, 2, 4, 8, 16];
/// Poolings of the sets of lag pairs. The lags of every second one are multiples of found periods.
const LAG_POOLS: [usize; 8] = [1, 1, 1, 1, 4, 4, 4, 4];
/// Frames at either end of a lag.
const LAG_TAPS: usize = 2;
/// Range of the lags in seconds.
const LAG_RANGE_S: (f64, f64) = (0.1, 2.0);
/// Weight of the lag pairs against the pyramid.
const LAG_WEIGHT: f32 = 0.75;
/// Lag pairs are on if the strongest period is stronger than this; elsewhere they cost quality.
const LAG_GATE: f64 = 0.3;
/// Periods weaker than this don't draw lags.
const LAG_PERIOD_GATE: f64 = 0.12;
/// Added to the capture's variance that a distance is divided by.
const VARIANCE_FLOOR: f32 = 1e-3;
/// Families of filters that are drawn and ranked together, by one thread.
const BANK_FAMILIES: usize = 4;
const BANK: usize = BANK_FAMILIES * FAMILY;
/// Banks in a step.
pub(crate) const BANKS: usize = 8;
/// Filters in a step.
const FILTERS: usize = BANKS * BANK;
/// Of a longer capture, every step looks at so many frames from a random place: 16 s at 44.1 kHz.
const REFERENCE_FRAMES: usize = 1_376;

/// One filter's output at some frame after a response's own, times a weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Term {
    pub frame: usize,
    /// Place of the filter in its family.
    pub filter: usize,
    pub weight: f32,
}

/// A projection of a stretch of frames: at most so many terms.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Response {
    pub terms: Vec<Term>,
}

/// A response and what the capture answers to it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub response: Response,
    /// The capture's quantiles, one for each rank of the synthesis.
    pub quantiles: Vec<f32>,
    /// `1 / (variance + floor)` of the capture's answers.
    pub precision: f32,
}

/// What one thread draws for a step.
#[derive(Clone, Debug)]
pub(crate) struct TargetBank {
    /// [`BANK`] runs of `width` weights.
    filters: Vec<f32>,
    /// Of every family, a target for each set.
    families: Vec<Vec<Target>>,
}

/// All filters and targets of a step.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepTargets {
    /// Runs of `width` weights.
    filters: Vec<f32>,
    /// By bank and family: a target for each set.
    banks: Vec<Vec<Vec<Target>>>,
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

/// One pooling and length of stretches whose distributions are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Set {
    pool: usize,
    /// Pooled frames that a response looks at beyond its own.
    reach: usize,
    weight: f32,
    kind: SetKind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum SetKind {
    Stretch {
        taps: usize,
    },
    /// Pairs up to so many pooled frames apart.
    Lag {
        longest: usize,
        at_period: bool,
    },
}

/// The loss against one capture.
#[derive(Clone, Debug)]
pub(crate) struct TextureLoss {
    shape: FeatureShape,
    /// One over the whitening of every feature.
    scale: Vec<f32>,
    /// The capture's features.
    reference: Vec<f32>,
    frame_rate: f64,
    /// Frames of the synthesis.
    frames: usize,
    sets: Vec<Set>,
    /// Multiples of found periods in frames.
    lags_at_periods: Vec<f64>,
}

impl TextureLoss {
    /// Prepares the capture's `features` (`frames × shape.width()`), for syntheses of `frames` frames.
    pub fn new(
        features: Vec<f32>,
        shape: FeatureShape,
        whitening: &[f32],
        periods: &[Period],
        frame_rate: f64,
        frames: usize,
    ) -> Self {
        let multiples = |p: &Period| {
            let frames = p.frames;
            (1..=3)
                .map(move |m| frames * f64::from(m))
                .filter(move |f| *f < 2.1 * frame_rate)
        };
        let mut loss = Self {
            shape,
            scale: whitening.iter().map(|w| 1.0 / w).collect(),
            reference: features,
            frame_rate,
            frames,
            sets: Vec::new(),
            lags_at_periods: periods
                .iter()
                .filter(|p| p.strength > LAG_PERIOD_GATE)
                .flat_map(multiples)
                .collect(),
        };
        let shortest = frames.min(loss.reference_frames());
        let stretches = PYRAMID
            .into_iter()
            .filter(|&(pool, taps)| shortest / pool >= taps);
        let weight = 1.0 / stretches.clone().count() as f32;
        loss.sets.extend(stretches.map(|(pool, taps)| Set {
            pool,
            reach: taps - 1,
            weight,
            kind: SetKind::Stretch { taps },
        }));
        if periods.iter().any(|p| p.strength > LAG_GATE) {
            for (i, pool) in LAG_POOLS.into_iter().enumerate() {
                let longest = loss.longest_lag(pool, shortest);
                loss.sets.extend(longest.map(|longest| Set {
                    pool,
                    reach: longest + LAG_TAPS - 1,
                    weight: LAG_WEIGHT / LAG_POOLS.len() as f32,
                    kind: SetKind::Lag {
                        longest,
                        at_period: i % 2 == 1,
                    },
                }));
            }
        }
        loss
    }

    /// Sum of the sets' weights.
    pub fn weight(&self) -> f32 {
        self.sets.iter().map(|set| set.weight).sum()
    }

    /// Frames of the capture that a step looks at.
    fn reference_frames(&self) -> usize {
        (self.reference.len() / self.shape.width()).min(REFERENCE_FRAMES)
    }

    /// Longest lag at a pooling, in pooled frames, that leaves enough pairs in `frames` frames.
    fn longest_lag(&self, pool: usize, frames: usize) -> Option<usize> {
        let room = (frames / pool).saturating_sub(1) as f64 * 0.6;
        let longest = (LAG_RANGE_S.1 * self.frame_rate / pool as f64).min(room) as usize;
        (longest >= 1).then_some(longest)
    }

    fn draw_lag(
        &self,
        random: &mut Sequence,
        pool: usize,
        longest: usize,
        at_period: bool,
    ) -> usize {
        let lag = if at_period && !self.lags_at_periods.is_empty() {
            self.lags_at_periods[random.below(self.lags_at_periods.len())] / pool as f64
        } else {
            let shortest = (LAG_RANGE_S.0 * self.frame_rate / pool as f64).max(2.0);
            let (low, high) = (shortest.ln(), (longest as f64).max(3.0).ln());
            (low + random.uniform() * (high - low)).exp()
        };
        (lag.round_ties_even() as usize).clamp(1, longest)
    }

    /// A random projection of what a set looks at, of unit norm at either end of a lag.
    fn draw_response(&self, random: &mut Sequence, kind: FamilyKind, set: &Set) -> Response {
        let mut terms = Vec::with_capacity(2 * LAG_TAPS);
        match set.kind {
            SetKind::Stretch { taps } => draw_taps(random, kind, taps, 0, &mut terms),
            SetKind::Lag { longest, at_period } => {
                let lag = self.draw_lag(random, set.pool, longest, at_period);
                draw_taps(random, kind, LAG_TAPS, 0, &mut terms);
                if random.below(2) == 0 {
                    // The same at either end: what comes back after the lag.
                    terms.extend_from_within(..);
                    for term in &mut terms[LAG_TAPS..] {
                        term.frame += lag;
                    }
                } else {
                    draw_taps(random, kind, LAG_TAPS, lag, &mut terms);
                }
            }
        }
        Response { terms }
    }

    /// Draws bank `bank` of a step, and ranks the capture's answers.
    pub fn draw(&self, seed: u64, step: u64, bank: usize) -> TargetBank {
        let width = self.shape.width();
        let mut random = Sequence::new(seed, step << 8 | bank as u64);
        let mut filters = vec![0.0; BANK * width];
        let kind = |family: usize| [FamilyKind::Rough, FamilyKind::Smooth][family % 2];
        for (i, family) in filters.chunks_exact_mut(FAMILY * width).enumerate() {
            draw_family(&mut random, kind(i), i / 2 % 2 == 0, self.shape, family);
        }
        for filter in filters.chunks_exact_mut(width) {
            for (x, scale) in filter.iter_mut().zip(&self.scale) {
                *x *= scale;
            }
        }
        let responses: Vec<Vec<Response>> = (0..BANK_FAMILIES)
            .map(|family| {
                let sets = self.sets.iter();
                sets.map(|set| self.draw_response(&mut random, kind(family), set))
                    .collect()
            })
            .collect();
        // All banks of a step look at the same part of the capture.
        let rows = self.reference_frames();
        let room = self.reference.len() / width - rows + 1;
        let start = Sequence::new(!seed, step).below(room) * width;
        let part = &self.reference[start..start + rows * width];
        self.bank_with(part, filters, responses)
    }

    /// A bank of these filters (already scaled by the whitening) and responses.
    fn bank_with(
        &self,
        reference: &[f32],
        filters: Vec<f32>,
        responses: Vec<Vec<Response>>,
    ) -> TargetBank {
        let outputs = project(reference, self.shape.width(), &filters);
        let rows = reference.len() / self.shape.width();
        let mut ranker = Ranker::default();
        let mut answers = Vec::new();
        let families = responses
            .into_iter()
            .zip(outputs.chunks_exact(FAMILY * rows))
            .map(|(responses, outputs)| {
                let pooled = pool_runs(outputs, rows);
                let sets = responses.into_iter().zip(&self.sets);
                sets.map(|(response, set)| {
                    let (outputs, length) = pooled_runs(&pooled, rows, set.pool);
                    let count = length - set.reach;
                    respond(outputs, length, &response, count, &mut answers);
                    let wanted = self.frames / set.pool - set.reach;
                    Target::new(response, &answers, wanted, &mut ranker)
                })
                .collect()
            })
            .collect();
        TargetBank { filters, families }
    }

    /// The outputs of a step's filters on a part of a synthesis: a run of frames for each filter.
    pub fn project(&self, features: &[f32], targets: &StepTargets) -> Vec<f32> {
        project(features, self.shape.width(), &targets.filters)
    }

    /// The part of the loss that bank `bank` finds, and its gradient by the filters' outputs (a run of
    /// frames for each filter of the bank), from the [`project`](Self::project)ed parts of a synthesis.
    pub fn compare(&self, parts: &[&[f32]], targets: &StepTargets, bank: usize) -> (f32, Vec<f32>) {
        let frames = self.frames;
        let mut outputs = Vec::with_capacity(FAMILY * frames);
        let (mut ranker, mut answers) = (Ranker::default(), Vec::new());
        let mut value = 0.0;
        let mut gradient = vec![0.0; BANK * frames];
        let families = gradient.chunks_exact_mut(FAMILY * frames);
        for (i, (gradient, targets)) in families.zip(&targets.banks[bank]).enumerate() {
            let place = bank * BANK_FAMILIES + i;
            outputs.clear();
            for filter in place * FAMILY..(place + 1) * FAMILY {
                for part in parts {
                    let rows = part.len() / FILTERS;
                    outputs.extend_from_slice(&part[filter * rows..(filter + 1) * rows]);
                }
            }
            let pooled = pool_runs(&outputs, frames);
            let mut pooled_gradient = pooled.each_ref().map(|p| vec![0.0; p.len()]);
            for (target, set) in targets.iter().zip(&self.sets) {
                let (outputs, length) = pooled_runs(&pooled, frames, set.pool);
                let count = length - set.reach;
                respond(outputs, length, &target.response, count, &mut answers);
                let families = (BANKS * BANK_FAMILIES) as f32;
                value += target.distance(&mut answers, set.weight / families, &mut ranker);
                let gradient = &mut pooled_gradient[pool_place(set.pool)];
                respond_backward(&answers, length, &target.response, gradient);
            }
            pool_runs_backward(&mut pooled_gradient, frames, gradient);
        }
        (value, gradient)
    }

    /// Gradient by the features of frames `first .. first + features.len() / width`, from the gradient by
    /// all filters' outputs (a run of all frames for each filter).
    pub fn project_backward(
        &self,
        by_outputs: &[f32],
        targets: &StepTargets,
        first: usize,
        features: &mut [f32],
    ) {
        let width = self.shape.width();
        let by_outputs = View::strided(
            &by_outputs[first..],
            features.len() / width,
            FILTERS,
            1,
            self.frames,
        );
        let filters = View::new(&targets.filters, FILTERS, width);
        multiply(features, by_outputs, filters, false);
    }
}

#[cfg(test)]
impl TextureLoss {
    /// The sets of a step with every response spelled out: its weights of each frame's features.
    pub fn spelled_out(&self, targets: &StepTargets) -> Vec<PlainSet> {
        let width = self.shape.width();
        let families = targets.banks.iter().flatten();
        let families: Vec<_> = families
            .zip(targets.filters.chunks_exact(FAMILY * width))
            .collect();
        let project = |target: &Target, filters: &[f32]| {
            let terms = target.response.terms.iter();
            let weights = |term: &Term| {
                let filter = &filters[term.filter * width..(term.filter + 1) * width];
                let weight = f64::from(term.weight);
                filter.iter().map(|x| weight * f64::from(*x)).collect()
            };
            Projection {
                taps: terms.map(|term| (term.frame, weights(term))).collect(),
            }
        };
        let sets = self.sets.iter().enumerate();
        sets.map(|(i, set)| PlainSet {
            pool: set.pool,
            reach: set.reach,
            weight: set.weight.into(),
            projections: families
                .iter()
                .map(|(targets, filters)| project(&targets[i], filters))
                .collect(),
        })
        .collect()
    }
}

/// Weights of unit norm for `taps` frames from `frame` on.
fn draw_taps(
    random: &mut Sequence,
    kind: FamilyKind,
    taps: usize,
    frame: usize,
    terms: &mut Vec<Term>,
) {
    let start = terms.len();
    let first = random.below(FAMILY);
    // Rough families change the filter from frame to frame, up or down; smooth ones keep it.
    let stride = match kind {
        FamilyKind::Rough => [1, FAMILY - 1][random.below(2)],
        FamilyKind::Smooth => 0,
    };
    terms.extend((0..taps).map(|tap| Term {
        frame: frame + tap,
        filter: (first + tap * stride) % FAMILY,
        weight: random.nearly_gaussian(),
    }));
    let energy: f32 = terms[start..].iter().map(|t| t.weight * t.weight).sum();
    for term in &mut terms[start..] {
        term.weight /= energy.sqrt();
    }
}

impl Target {
    /// Ranks the capture's `answers` for a synthesis of `count` answers.
    fn new(response: Response, answers: &[f32], count: usize, ranker: &mut Ranker) -> Self {
        let n = answers.len();
        let (mut sum, mut square) = (0.0f64, 0.0f64);
        for &x in answers {
            sum += f64::from(x);
            square += f64::from(x) * f64::from(x);
        }
        let variance = (square / n as f64 - (sum / n as f64).powi(2)).max(0.0) as f32;
        let sorted: Vec<f32> = ranker.order(answers).map(|i| answers[i]).collect();
        let quantile = |rank: usize| sorted[(2 * rank + 1) * n / (2 * count)];
        Self {
            response,
            quantiles: (0..count).map(quantile).collect(),
            precision: 1.0 / (variance + VARIANCE_FLOOR),
        }
    }

    /// `weight · W2² · precision` between `answers` and the quantiles; overwrites the answers with the
    /// gradient of it. Each answer is matched with the quantile of its rank, so the distance is an
    /// average of squares and its gradient needs no derivative of sorting.
    fn distance(&self, answers: &mut [f32], weight: f32, ranker: &mut Ranker) -> f32 {
        let scale = weight * self.precision / answers.len() as f32;
        let mut square = 0.0;
        for (i, quantile) in ranker.order(answers).zip(&self.quantiles) {
            let difference = answers[i] - quantile;
            square += difference * difference;
            answers[i] = difference * (2.0 * scale);
        }
        square * scale
    }
}

/// Outputs of `filters` (runs of `width` weights) on `x` (`frames × width`): a run of frames for each.
fn project(x: &[f32], width: usize, filters: &[f32]) -> Vec<f32> {
    let (rows, count) = (x.len() / width, filters.len() / width);
    let mut out = vec![0.0; rows * count];
    let filters = View::new(filters, count, width).transposed();
    multiply_strided(
        &mut out,
        (1, rows),
        View::new(x, rows, width),
        filters,
        false,
    );
    out
}

fn pool_place(pool: usize) -> usize {
    pool.trailing_zeros() as usize
}

/// The runs at a pooling, and how long each is.
fn pooled_runs(pooled: &[Vec<f32>; POOLS.len()], frames: usize, pool: usize) -> (&[f32], usize) {
    (&pooled[pool_place(pool)], frames / pool)
}

/// Runs of `length` values at every pooling of [`POOLS`]: each is the last one's pairs.
fn pool_runs(x: &[f32], length: usize) -> [Vec<f32>; POOLS.len()] {
    let mut pooled: [Vec<f32>; POOLS.len()] = std::array::from_fn(|_| Vec::new());
    pooled[0].extend_from_slice(x);
    for place in 1..POOLS.len() {
        let (finer, coarser) = pooled.split_at_mut(place);
        let finer = &finer[place - 1];
        coarser[0].reserve_exact(finer.len() / 2);
        for run in finer.chunks_exact(length / POOLS[place - 1]) {
            coarser[0].extend(run.chunks_exact(2).map(|pair| 0.5 * (pair[0] + pair[1])));
        }
    }
    pooled
}

/// Adds the gradient of [`pool_runs`] by its argument to `dx`; overwrites `dy`.
fn pool_runs_backward(dy: &mut [Vec<f32>; POOLS.len()], length: usize, dx: &mut [f32]) {
    for place in (1..POOLS.len()).rev() {
        let (finer, coarser) = dy.split_at_mut(place);
        let finer = finer[place - 1].chunks_exact_mut(length / POOLS[place - 1]);
        let coarser = coarser[0].chunks_exact(length / POOLS[place]);
        for (finer, coarser) in finer.zip(coarser) {
            for (pair, d) in finer.chunks_exact_mut(2).zip(coarser) {
                pair[0] += 0.5 * d;
                pair[1] += 0.5 * d;
            }
        }
    }
    for (x, d) in dx.iter_mut().zip(&dy[0]) {
        *x += d;
    }
}

/// Answers to a response at the first `count` places of the family's outputs (runs of `length`).
fn respond(outputs: &[f32], length: usize, response: &Response, count: usize, out: &mut Vec<f32>) {
    out.clear();
    out.resize(count, 0.0);
    dispatch(
        #[inline(always)]
        || {
            for term in &response.terms {
                let start = term.filter * length + term.frame;
                for (o, x) in out.iter_mut().zip(&outputs[start..start + count]) {
                    *o += term.weight * x;
                }
            }
        },
    );
}

/// Adds the gradient of [`respond`] by the outputs to `outputs`.
fn respond_backward(dy: &[f32], length: usize, response: &Response, outputs: &mut [f32]) {
    dispatch(
        #[inline(always)]
        || {
            for term in &response.terms {
                let start = term.filter * length + term.frame;
                for (o, d) in outputs[start..start + dy.len()].iter_mut().zip(dy) {
                    *o += term.weight * d;
                }
            }
        },
    );
}
