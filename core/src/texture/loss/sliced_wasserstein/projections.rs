//! Random projections of stretches of frames, as sums of a filter family's outputs.

use super::filters::{FAMILY, FamilyKind};
use super::pooling::Runs;
use crate::numeric::random::Sequence;
use crate::numeric::simd::dispatch;

/// One filter's output at some frame after a projection's own, times a weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Term {
    /// Frames after the projection's own.
    pub frame: usize,
    /// Place of the filter in its family.
    pub filter: usize,
    /// What the output counts.
    pub weight: f32,
}

/// A projection of a stretch of frames to one number, the same at every place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Projection {
    /// What it sums.
    pub terms: Vec<Term>,
}

impl Projection {
    /// Adds terms of unit norm for `taps` frames from `frame` on.
    pub(super) fn draw_taps(
        &mut self,
        random: &mut Sequence,
        kind: FamilyKind,
        taps: usize,
        frame: usize,
    ) {
        let start = self.terms.len();
        let first = random.below(FAMILY);
        // Rough families change the filter from frame to frame, up or down; smooth ones keep it.
        let stride = match kind {
            FamilyKind::Rough => [1, FAMILY - 1][random.below(2)],
            FamilyKind::Smooth => 0,
        };
        self.terms.extend((0..taps).map(|tap| Term {
            frame: frame + tap,
            filter: (first + tap * stride) % FAMILY,
            weight: random.nearly_gaussian(),
        }));
        let terms = &mut self.terms[start..];
        let energy: f32 = terms.iter().map(|t| t.weight * t.weight).sum();
        for term in terms {
            term.weight /= energy.sqrt();
        }
    }

    /// The projections of the first `count` stretches of a family's outputs.
    pub(super) fn project(&self, outputs: &Runs<'_>, count: usize, out: &mut Vec<f32>) {
        out.clear();
        out.resize(count, 0.0);
        dispatch(
            #[inline(always)]
            || {
                for term in &self.terms {
                    let start = term.filter * outputs.length + term.frame;
                    let outputs = &outputs.values[start..start + count];
                    for (o, x) in out.iter_mut().zip(outputs) {
                        *o += term.weight * x;
                    }
                }
            },
        );
    }

    /// Adds the gradient of [`project`](Self::project) by the outputs (runs of `length`) to `outputs`.
    pub(super) fn project_backward(&self, dy: &[f32], length: usize, outputs: &mut [f32]) {
        dispatch(
            #[inline(always)]
            || {
                for term in &self.terms {
                    let start = term.filter * length + term.frame;
                    for (o, d) in outputs[start..start + dy.len()].iter_mut().zip(dy) {
                        *o += term.weight * d;
                    }
                }
            },
        );
    }
}
