//! From where each bin's phase is integrated: the paper's heap as two sweeps.

use crate::numeric::simd::dispatch;
use crate::spectrum::Complex32;

/// Where the previous frame was silent, integration begins at the strongest bins of the new one.
const ONSET_WEIGHT: f32 = 1e-6;

/// Where a bin's phase is integrated from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// From its own phase in the previous frame; from nowhere, if the bin is too weak.
    Past,
    /// From the bin below.
    Below,
    /// From the bin above.
    Above,
}

/// From where each bin of a frame gets its phase.
pub(super) struct Paths {
    /// Of each bin its level, and those at which the integration reaches it from the past, from below
    /// and from above: bits of floats, which order as the numbers do and are compared faster.
    levels: [Vec<u32>; 4],
    origin: Vec<Origin>,
}

impl Paths {
    /// Allocates for frames of `bins` bins.
    pub fn new(bins: usize) -> Self {
        Self {
            levels: std::array::from_fn(|_| vec![0; bins]),
            origin: vec![Origin::Past; bins],
        }
    }

    /// Finds from where the heap would reach each bin, given the magnitudes of the frame `before` and of the
    /// new one, of which those up to `tolerance` are too weak. Real-time safe.
    ///
    /// The heap pops the strongest coefficient that it holds: bins of the last frame, which hand their
    /// phase on in time, and bins of the new one that have a phase, which hand it on to their
    /// neighbours. So a bin gets its phase along the path whose weakest coefficient is strongest. From
    /// one side that level is `from[k] = min(now[k−1], max(before[k−1], from[k−1]))`, and of the past
    /// and both sides the largest one wins.
    pub fn find(&mut self, before: &[f32], now: &[f32], tolerance: f32) {
        let bins = now.len();
        let (before, now) = (&before[..bins], &now[..bins]);
        let [own, past, below, above] = self.levels.each_mut().map(|level| &mut level[..bins]);
        let origin = &mut self.origin[..bins];
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    // A bin that is too weak gets no phase from its neighbours and hands none on.
                    let audible = now[k] > tolerance;
                    let onset = ONSET_WEIGHT * now[k];
                    let kept = if before[k] > onset { before[k] } else { onset };
                    own[k] = if audible { now[k] } else { 0.0 }.to_bits();
                    past[k] = if audible { kept } else { f32::MAX }.to_bits();
                }
            },
        );
        // Both at once, as each step waits for the one before.
        let (mut from_below, mut from_above) = (0, 0);
        for k in 0..bins {
            below[k] = from_below;
            from_below = own[k].min(past[k].max(from_below));
            let k = bins - 1 - k;
            above[k] = from_above;
            from_above = own[k].min(past[k].max(from_above));
        }
        dispatch(
            #[inline(always)]
            || {
                for k in 0..bins {
                    let (past, below, above) = (past[k], below[k], above[k]);
                    // Ties go downward, so that no two neighbours wait for each other, and an impulse,
                    // whose bins are all equal, is integrated as a whole.
                    let from_below = below >= past && below >= above;
                    let neighbour = if from_below {
                        Origin::Below
                    } else {
                        Origin::Above
                    };
                    let from_past = !from_below && past >= above;
                    origin[k] = if from_past { Origin::Past } else { neighbour };
                }
            },
        );
    }

    /// Replaces the phases of the bins that are reached from below by the neighbour's and the `step` to each
    /// bin from the one below. Real-time safe.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn integrate_upward(&self, step: &[Complex32], phase: &mut [Complex32]) {
        let bins = self.origin.len();
        let (origin, step, phase) = (&self.origin[..], &step[..bins], &mut phase[..bins]);
        let mut last = phase[0];
        for k in 1..bins {
            if origin[k] == Origin::Below {
                phase[k] = last * step[k];
            }
            last = phase[k];
        }
    }

    /// Replaces the phases of the bins that are reached from above, as
    /// [`integrate_upward`](Self::integrate_upward) does from below. Real-time safe.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn integrate_downward(&self, step: &[Complex32], phase: &mut [Complex32]) {
        let bins = self.origin.len();
        let (origin, step, phase) = (&self.origin[..], &step[..bins], &mut phase[..bins]);
        let mut last = phase[bins - 1];
        for k in (0..bins - 1).rev() {
            if origin[k] == Origin::Above {
                phase[k] = last * step[k + 1].conj();
            }
            last = phase[k];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gradients::Gradients;
    use super::*;

    /// The paper's heap, as a list that is searched.
    fn origins_by_heap(before: &[f32], now: &[f32], tolerance: f32) -> Vec<Origin> {
        let bins = now.len();
        let mut origins = vec![None; bins];
        let mut held: Vec<(f32, usize, bool)> = (0..bins)
            .filter(|&k| now[k] > tolerance)
            .map(|k| (before[k].max(ONSET_WEIGHT * now[k]), k, false))
            .collect();
        while !held.is_empty() {
            let strongest = (0..held.len())
                .max_by(|&a, &b| held[a].0.total_cmp(&held[b].0))
                .unwrap();
            let (_, k, is_new) = held.swap_remove(strongest);
            let targets = if is_new {
                [(k + 1, Origin::Below), (k.wrapping_sub(1), Origin::Above)]
            } else {
                [(k, Origin::Past); 2]
            };
            for (k, origin) in targets {
                if k < bins && now[k] > tolerance && origins[k].is_none() {
                    origins[k] = Some(origin);
                    held.push((now[k], k, true));
                }
            }
        }
        let origins = origins.into_iter();
        origins.map(|o| o.unwrap_or(Origin::Past)).collect()
    }

    #[test]
    fn two_sweeps_find_the_paths_of_the_heap() {
        let mut gradients = Gradients::new(512, 128);
        let mut paths = Paths::new(512 / 2 + 1);
        let bins = paths.origin.len();
        let mut state = 1u32;
        // 120 dB of levels, so that some bins are too weak, and no two the same.
        let mut draw = |quiet: bool| -> Vec<f32> {
            (0..bins)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let level = (state >> 8) as f32 / (1u32 << 24) as f32;
                    if quiet { 0.0 } else { 10f32.powf(-6.0 * level) }
                })
                .collect()
        };
        for round in 0..40 {
            let now = draw(round % 7 == 3);
            gradients.push(&now);
            paths.find(gradients.before(), gradients.now(), gradients.tolerance());
            let expected = origins_by_heap(gradients.before(), &now, gradients.tolerance());
            assert_eq!(paths.origin, expected, "round {round}");
        }
        for origin in [Origin::Past, Origin::Below, Origin::Above] {
            assert!(paths.origin.contains(&origin), "no {origin:?}");
        }
    }
}
