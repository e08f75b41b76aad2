//! What distributions are compared: stretches of a pyramid of time scales and, for rhythm, pairs of frames.

use super::filters::FamilyKind;
use super::projections::Projection;
use crate::numeric::random::Sequence;
use crate::texture::Period;

/// (time pooling, taps) of every set of the pyramid.
const PYRAMID: [(usize, usize); 7] = [(1, 1), (1, 2), (1, 4), (2, 4), (4, 4), (8, 4), (16, 4)];
/// Poolings of the sets of lag pairs. The lags of every second one are multiples of found periods.
const LAG_POOLS: [usize; 8] = [1, 1, 1, 1, 4, 4, 4, 4];
/// Frames at either end of a lag.
const LAG_TAPS: usize = 2;
/// Range of the lags in seconds.
const LAG_RANGE_S: (f64, f64) = (0.1, 2.0);
/// A little more than the longest lag: multiples of periods up to here are lags.
const LONGEST_MULTIPLE_S: f64 = 2.1;
/// Part of the frames that the longest lag may span, so that enough pairs are left.
const LAG_SHARE: f64 = 0.6;
/// Weight of the lag pairs against the pyramid.
const LAG_WEIGHT: f32 = 0.75;
/// Lag pairs are on if the strongest period is stronger than this; elsewhere they cost quality.
const LAG_GATE: f64 = 0.3;
/// Periods weaker than this don't draw lags.
const LAG_PERIOD_GATE: f64 = 0.12;

/// One pooling and length of stretches whose distributions are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Set {
    /// Frames that are averaged to one.
    pub pool: usize,
    /// Pooled frames that a projection looks at beyond its own.
    pub reach: usize,
    /// What the mean of its projections' distances counts.
    pub weight: f32,
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

/// The sets of a loss, and the lags that they draw from.
#[derive(Clone, Debug)]
pub(super) struct Sets {
    list: Vec<Set>,
    frame_rate: f64,
    /// Multiples of found periods in frames.
    lags_at_periods: Vec<f64>,
}

impl Sets {
    /// For stretches of at least `shortest` frames at `frame_rate`, of a capture with these periods.
    pub fn new(shortest: usize, frame_rate: f64, periods: &[Period]) -> Self {
        let multiples = |p: &Period| {
            let frames = p.frames;
            (1..=3)
                .map(move |m| frames * f64::from(m))
                .filter(move |f| *f < LONGEST_MULTIPLE_S * frame_rate)
        };
        let drawn = periods.iter().filter(|p| p.strength > LAG_PERIOD_GATE);
        let mut sets = Self {
            list: Vec::new(),
            frame_rate,
            lags_at_periods: drawn.flat_map(multiples).collect(),
        };
        sets.add_pyramid(shortest);
        if periods.iter().any(|p| p.strength > LAG_GATE) {
            sets.add_lags(shortest);
        }
        sets
    }

    fn add_pyramid(&mut self, shortest: usize) {
        let stretches = PYRAMID
            .into_iter()
            .filter(|&(pool, taps)| shortest / pool >= taps);
        let weight = 1.0 / stretches.clone().count() as f32;
        self.list.extend(stretches.map(|(pool, taps)| Set {
            pool,
            reach: taps - 1,
            weight,
            kind: SetKind::Stretch { taps },
        }));
    }

    fn add_lags(&mut self, shortest: usize) {
        for (i, pool) in LAG_POOLS.into_iter().enumerate() {
            let longest = self.longest_lag(pool, shortest);
            self.list.extend(longest.map(|longest| Set {
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

    pub fn list(&self) -> &[Set] {
        &self.list
    }

    /// Sum of the sets' weights.
    pub fn weight(&self) -> f32 {
        self.list.iter().map(|set| set.weight).sum()
    }

    /// Longest lag at a pooling, in pooled frames, that leaves enough pairs in `frames` frames.
    fn longest_lag(&self, pool: usize, frames: usize) -> Option<usize> {
        let room = (frames / pool).saturating_sub(1) as f64 * LAG_SHARE;
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
    pub fn draw_projection(
        &self,
        random: &mut Sequence,
        kind: FamilyKind,
        set: &Set,
    ) -> Projection {
        let mut projection = Projection {
            terms: Vec::with_capacity(2 * LAG_TAPS),
        };
        match set.kind {
            SetKind::Stretch { taps } => projection.draw_taps(random, kind, taps, 0),
            SetKind::Lag { longest, at_period } => {
                let lag = self.draw_lag(random, set.pool, longest, at_period);
                projection.draw_taps(random, kind, LAG_TAPS, 0);
                if random.below(2) == 0 {
                    // The same at either end: what comes back after the lag.
                    let terms = &mut projection.terms;
                    terms.extend_from_within(..);
                    for term in &mut terms[LAG_TAPS..] {
                        term.frame += lag;
                    }
                } else {
                    projection.draw_taps(random, kind, LAG_TAPS, lag);
                }
            }
        }
        projection
    }
}
