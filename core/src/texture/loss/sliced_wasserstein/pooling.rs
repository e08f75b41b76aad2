//! Averages over time: runs of values at every pooling of the pyramid.

/// Poolings that the sets use: each twice the last.
const POOLS: [usize; 5] = [1, 2, 4, 8, 16];

/// Runs of values, one for each filter, averaged over 1, 2, 4... frames.
#[derive(Clone, Debug)]
pub(super) struct Pooled {
    /// Frames of a run before pooling.
    frames: usize,
    runs: [Vec<f32>; POOLS.len()],
}

/// Values of every filter at one pooling: runs of `length` values.
pub(super) struct Runs<'a> {
    pub values: &'a [f32],
    pub length: usize,
}

fn place(pool: usize) -> usize {
    pool.trailing_zeros() as usize
}

impl Pooled {
    /// Pools runs of `frames` values: each pooling is the last one's pairs.
    pub fn new(x: &[f32], frames: usize) -> Self {
        let mut runs: [Vec<f32>; POOLS.len()] = std::array::from_fn(|_| Vec::new());
        runs[0].extend_from_slice(x);
        for place in 1..POOLS.len() {
            let (finer, coarser) = runs.split_at_mut(place);
            let finer = &finer[place - 1];
            coarser[0].reserve_exact(finer.len() / 2);
            for run in finer.chunks_exact(frames / POOLS[place - 1]) {
                coarser[0].extend(run.chunks_exact(2).map(|pair| 0.5 * (pair[0] + pair[1])));
            }
        }
        Self { frames, runs }
    }

    /// Zeros in the same shape: a gradient to be.
    pub fn zeros_like(&self) -> Self {
        Self {
            frames: self.frames,
            runs: self.runs.each_ref().map(|run| vec![0.0; run.len()]),
        }
    }

    /// The runs at a pooling.
    pub fn at(&self, pool: usize) -> Runs<'_> {
        Runs {
            values: &self.runs[place(pool)],
            length: self.frames / pool,
        }
    }

    /// The runs at a pooling, to be added to.
    pub fn at_mut(&mut self, pool: usize) -> &mut [f32] {
        &mut self.runs[place(pool)]
    }

    /// Adds the gradient of [`new`](Self::new) by its argument to `dx`; this is the gradient by its result.
    pub fn backward(mut self, dx: &mut [f32]) {
        let frames = self.frames;
        for place in (1..POOLS.len()).rev() {
            let (finer, coarser) = self.runs.split_at_mut(place);
            let finer = finer[place - 1].chunks_exact_mut(frames / POOLS[place - 1]);
            let coarser = coarser[0].chunks_exact(frames / POOLS[place]);
            for (finer, coarser) in finer.zip(coarser) {
                for (pair, d) in finer.chunks_exact_mut(2).zip(coarser) {
                    pair[0] += 0.5 * d;
                    pair[1] += 0.5 * d;
                }
            }
        }
        for (x, d) in dx.iter_mut().zip(&self.runs[0]) {
            *x += d;
        }
    }
}
