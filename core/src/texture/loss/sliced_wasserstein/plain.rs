//! The loss by its definition, for tests: one projection after the other, a comparison sort, double
//! precision.

/// Added to the capture's variance that a distance is divided by.
const VARIANCE_FLOOR: f64 = 1e-3;

/// A projection of a stretch of frames: of some of its frames, the weight of every feature.
pub(crate) struct PlainProjection {
    pub taps: Vec<(usize, Vec<f64>)>,
}

/// Projections of all stretches at one pooling.
pub(crate) struct PlainSet {
    pub pool: usize,
    /// Pooled frames that a stretch spans beyond its first.
    pub reach: usize,
    pub weight: f64,
    pub projections: Vec<PlainProjection>,
}

pub(crate) struct PlainLoss {
    /// Of every set, the mean of its projections' distances.
    #[cfg_attr(
        not(feature = "parity"),
        expect(dead_code, reason = "only the prototype has such figures")
    )]
    pub distances: Vec<f64>,
    /// The weighted sum of those.
    pub value: f64,
    /// Gradient of the value by the synthesis.
    pub gradient: Vec<f64>,
}

/// The loss of `synthesis` against `capture`, both runs of `width` features.
pub(crate) fn plain_loss(
    sets: &[PlainSet],
    capture: &[f64],
    synthesis: &[f64],
    width: usize,
) -> PlainLoss {
    let mut gradient = vec![0.0; synthesis.len()];
    let mut value = 0.0;
    let mut distances = Vec::new();
    for set in sets {
        let capture = pool_time(capture, width, set.pool);
        let synthesis = pool_time(synthesis, width, set.pool);
        let mut distance = 0.0;
        for projection in &set.projections {
            let mut quantiles = respond(&capture, projection, set.reach);
            quantiles.sort_by(f64::total_cmp);
            let (m, answers) = (quantiles.len(), respond(&synthesis, projection, set.reach));
            let mean = quantiles.iter().sum::<f64>() / m as f64;
            let variance = quantiles.iter().map(|q| (q - mean).powi(2)).sum::<f64>() / m as f64;
            let n = answers.len();
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&a, &b| answers[a].total_cmp(&answers[b]));
            let scale = 1.0 / (n as f64 * (variance + VARIANCE_FLOOR));
            let share = set.weight / set.projections.len() as f64;
            for (rank, first) in order.into_iter().enumerate() {
                let difference = answers[first] - quantiles[(2 * rank + 1) * m / (2 * n)];
                distance += difference * difference * scale;
                let slope = 2.0 * difference * scale * share / set.pool as f64;
                for (frame, weights) in &projection.taps {
                    let frames = (first + frame) * set.pool * width;
                    let by_frames = &mut gradient[frames..frames + set.pool * width];
                    for by_frame in by_frames.chunks_exact_mut(width) {
                        for (d, weight) in by_frame.iter_mut().zip(weights) {
                            *d += slope * weight;
                        }
                    }
                }
            }
        }
        distance /= set.projections.len() as f64;
        value += set.weight * distance;
        distances.push(distance);
    }
    PlainLoss {
        distances,
        value,
        gradient,
    }
}

/// Means of `pool` frames each.
fn pool_time(x: &[f64], width: usize, pool: usize) -> Vec<Vec<f64>> {
    let mean =
        |frames: &[f64], i: usize| frames.iter().skip(i).step_by(width).sum::<f64>() / pool as f64;
    x.chunks_exact(pool * width)
        .map(|frames| (0..width).map(|i| mean(frames, i)).collect())
        .collect()
}

fn respond(frames: &[Vec<f64>], projection: &PlainProjection, reach: usize) -> Vec<f64> {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    (0..frames.len() - reach)
        .map(|first| {
            let taps = projection.taps.iter();
            taps.map(|(frame, weights)| dot(&frames[first + frame], weights))
                .sum()
        })
        .collect()
}
